//! Captures: pcap and pcapng, down to the payload of a UDP datagram.
//!
//! Headers of files and networks are read by crates (`pcap-parser`, `etherparse`); packets of a pcapng are cut here,
//! since the crate's reading of their options would allocate for every packet. Frames may carry VLAN tags; raw IP, BSD
//! loopback and Linux cooked frames are read too. Bound: [`INTERFACES`] interfaces a section.

use etherparse::{SlicedPacket, TransportSlice};
use pcap_parser::nom::Err as Broken;
use std::ops::Range;

/// The most interfaces of a pcapng section.
const INTERFACES: usize = 1024;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Why a capture cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

fn damage<T>(what: impl Into<String>) -> Result<T, Damage> {
    Err(Damage(what.into()))
}

/// Where a capture was made, as far as reading goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    link: i32,
    /// Units of time a second.
    units: u64,
    /// Seconds to add.
    offset: i64,
}

/// A piece of a capture at the front of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// No packet: so many bytes to pass over.
    Other(usize),
    /// A packet.
    Packet(Packet),
}

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Bytes of the whole piece.
    pub(super) len: usize,
    /// Seconds since the Unix epoch; 0 = not known.
    pub(super) seconds: u64,
    /// What the frame carries.
    pub(super) content: Content,
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A UDP datagram, its payload at these bytes of the piece.
    Udp(Range<usize>),
    /// Something else.
    Other,
    /// It was cut short when it was captured, or is damaged.
    Broken,
}

/// What is known of a capture while it is read.
#[derive(Debug)]
pub(super) enum Capture {
    /// Nothing read yet.
    Start,
    /// The old format: one interface.
    Pcap { big: bool, interface: Interface },
    /// Sections of blocks.
    Blocks { big: bool, interfaces: Vec<Interface> },
}

impl Capture {
    /// Whether these are the first bytes of a capture.
    pub(super) fn recognise(first: &[u8]) -> bool {
        matches!(
            first,
            [0xa1, 0xb2, 0xc3, 0xd4, ..]
                | [0xd4, 0xc3, 0xb2, 0xa1, ..]
                | [0xa1, 0xb2, 0x3c, 0x4d, ..]
                | [0x4d, 0x3c, 0xb2, 0xa1, ..]
                | [0x0a, 0x0d, 0x0d, 0x0a, ..]
        )
    }

    /// The piece at the front of `bytes`, or how many bytes are missing of it at least.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Result<Piece, usize>, Damage> {
        match self {
            Capture::Start if bytes.first_chunk() == Some(&SECTION.to_be_bytes()) => {
                *self = Capture::Blocks { big: false, interfaces: Vec::new() };
                self.next(bytes)
            }
            Capture::Start => self.file_header(bytes),
            Capture::Pcap { big, interface } => frame(*big, interface, bytes),
            Capture::Blocks { big, interfaces } => block(big, interfaces, bytes),
        }
    }

    fn file_header(&mut self, bytes: &[u8]) -> Result<Result<Piece, usize>, Damage> {
        const LEN: usize = 24;
        if bytes.len() < LEN {
            return Ok(Err(LEN - bytes.len()));
        }
        let Ok((_, header)) = pcap_parser::parse_pcap_header(bytes) else {
            return damage("the header of the capture is damaged");
        };
        let units = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
        // The upper bits of the link type are the length of the frame check sequence.
        let link = header.network.0 & 0xffff;
        *self = Capture::Pcap { big: header.is_bigendian(), interface: Interface { link, units, offset: 0 } };
        Ok(Ok(Piece::Other(LEN)))
    }
}

/// A frame of the old format.
fn frame(big: bool, interface: &Interface, bytes: &[u8]) -> Result<Result<Piece, usize>, Damage> {
    const HEADER: usize = 16;
    let parse = if big { pcap_parser::parse_pcap_frame_be } else { pcap_parser::parse_pcap_frame };
    match parse(bytes) {
        Ok((_, p)) => {
            let data = &bytes[HEADER..HEADER + p.data.len()];
            let content = content(interface.link, data, p.data.len() < p.origlen as usize, HEADER)?;
            let packet = Packet { len: HEADER + p.data.len(), seconds: p.ts_sec.into(), content };
            Ok(Ok(Piece::Packet(packet)))
        }
        Err(Broken::Incomplete(_)) => Ok(Err(missing(bytes, HEADER, |h| HEADER + word(big, h, 8) as usize))),
        Err(_) => damage("a packet of the capture is damaged"),
    }
}

/// How many bytes are missing of a piece whose length its header tells.
fn missing(bytes: &[u8], header: usize, len: impl Fn(&[u8]) -> usize) -> usize {
    let need = if bytes.len() < header { header } else { len(bytes) };
    need.saturating_sub(bytes.len()).max(1)
}

fn word(big: bool, bytes: &[u8], at: usize) -> u32 {
    let word = bytes[at..at + 4].try_into().expect("four bytes");
    if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}

/// A block of the new format.
fn block(big: &mut bool, interfaces: &mut Vec<Interface>, bytes: &[u8]) -> Result<Result<Piece, usize>, Damage> {
    const SMALLEST: usize = 12;
    if bytes.len() < SMALLEST {
        return Ok(Err(SMALLEST - bytes.len()));
    }
    // A section's type reads the same both ways; behind its length stands the mark of its byte order.
    if word(true, bytes, 0) == SECTION {
        *big = match word(true, bytes, 8) {
            0x1a2b_3c4d => true,
            0x4d3c_2b1a => false,
            _ => return damage("a section of the capture has no byte order"),
        };
        interfaces.clear();
    }
    let len = word(*big, bytes, 4) as usize;
    if len < SMALLEST || !len.is_multiple_of(4) {
        return damage(format!("a block of the capture has a length of {len}"));
    }
    if bytes.len() < len {
        return Ok(Err(len - bytes.len()));
    }
    let bytes = &bytes[..len];
    if word(*big, bytes, len - 4) as usize != len {
        return damage("a block of the capture does not end with its length");
    }
    match word(*big, bytes, 0) {
        INTERFACE => interfaces.push(interface(*big, bytes, interfaces.len())?),
        ENHANCED_PACKET => return enhanced(*big, interfaces, bytes).map(|p| Ok(Piece::Packet(p))),
        SIMPLE_PACKET => return simple(*big, interfaces, bytes).map(|p| Ok(Piece::Packet(p))),
        _ => {}
    }
    Ok(Ok(Piece::Other(len)))
}

fn interface(big: bool, bytes: &[u8], before: usize) -> Result<Interface, Damage> {
    use pcap_parser::pcapng::{parse_interfacedescriptionblock_be as be, parse_interfacedescriptionblock_le as le};
    let parse = if big { be } else { le };
    match parse(bytes) {
        _ if before == INTERFACES => damage(format!("the capture has more than {INTERFACES} interfaces")),
        Ok((_, i)) => {
            let units = i.ts_resolution().filter(|u| *u > 0).unwrap_or(1_000_000);
            Ok(Interface { link: i.linktype.0, units, offset: i.ts_offset() })
        }
        Err(_) => damage("an interface of the capture is damaged"),
    }
}

/// A packet with its interface, time and lengths.
fn enhanced(big: bool, interfaces: &[Interface], bytes: &[u8]) -> Result<Packet, Damage> {
    const DATA: usize = 28;
    if bytes.len() < DATA + 4 {
        return damage("a packet of the capture is too short");
    }
    let Some(interface) = interfaces.get(word(big, bytes, 8) as usize) else {
        return damage("a packet of the capture has no interface");
    };
    let ticks = u64::from(word(big, bytes, 12)) << 32 | u64::from(word(big, bytes, 16));
    let (caught, full) = (word(big, bytes, 20) as usize, word(big, bytes, 24) as usize);
    let Some(data) = bytes[DATA..bytes.len() - 4].get(..caught) else {
        return damage("a packet of the capture is longer than its block");
    };
    let seconds = if ticks == 0 { 0 } else { (ticks / interface.units).saturating_add_signed(interface.offset) };
    Ok(Packet { len: bytes.len(), seconds, content: content(interface.link, data, caught < full, DATA)? })
}

/// A packet of the first interface, without a time.
fn simple(big: bool, interfaces: &[Interface], bytes: &[u8]) -> Result<Packet, Damage> {
    const DATA: usize = 12;
    let (Some(interface), true) = (interfaces.first(), bytes.len() >= DATA + 4) else {
        return damage("a packet of the capture has no interface");
    };
    let full = word(big, bytes, 8) as usize;
    let data = &bytes[DATA..bytes.len() - 4];
    let data = &data[..full.min(data.len())];
    Ok(Packet { len: bytes.len(), seconds: 0, content: content(interface.link, data, data.len() < full, DATA)? })
}

/// The datagram in a frame that stands at byte `at` of its piece; `cut`: not all of it was captured.
fn content(link: i32, data: &[u8], cut: bool, at: usize) -> Result<Content, Damage> {
    const LOOPBACK: usize = 4;
    let sliced = match link {
        1 => SlicedPacket::from_ethernet(data).ok(),
        12 | 14 | 101 | 228 | 229 => SlicedPacket::from_ip(data).ok(),
        113 => SlicedPacket::from_linux_sll(data).ok(),
        0 | 108 => data.get(LOOPBACK..).and_then(|ip| SlicedPacket::from_ip(ip).ok()),
        other => return damage(format!("frames of link type {other} are not known; Ethernet and IP are")),
    };
    let Some(sliced) = sliced else { return Ok(Content::Broken) };
    let Some(TransportSlice::Udp(udp)) = sliced.transport else {
        return Ok(if cut { Content::Broken } else { Content::Other });
    };
    let payload = udp.payload();
    // Both are slices of the same frame, so the distance is the payload's place in it.
    let from = at + (payload.as_ptr() as usize - data.as_ptr() as usize);
    Ok(Content::Udp(from..from + payload.len()))
}
