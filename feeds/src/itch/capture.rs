//! Captures: pcap and pcapng, down to the payload of a UDP datagram.
//!
//! The crates `pcap-parser` and `etherparse` read file and network headers. Packets of a pcapng are parsed here,
//! because the crate parses their options, which would allocate for every packet. Frames may carry VLAN tags; raw IP,
//! BSD loopback and Linux cooked frames are supported too. Bound: [`INTERFACES`] interfaces per section.

use etherparse::{SlicedPacket, TransportSlice};
use pcap_parser::nom::Err as Broken;
use std::ops::Range;

/// The most interfaces of one pcapng section.
const INTERFACES: usize = 1024;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Why a capture cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

fn damage<T>(what: impl Into<String>) -> Result<T, Damage> {
    Err(Damage(what.into()))
}

/// The properties of a capture interface that reading needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    link: i32,
    /// Time units per second.
    units: u64,
    /// Seconds to add to a time stamp.
    offset: i64,
}

/// The next piece of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Not a packet: this many bytes to skip.
    Other(usize),
    /// A packet.
    Packet(Packet),
}

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Length of the whole piece in bytes.
    pub(super) len: usize,
    /// Seconds since the Unix epoch; 0 = unknown.
    pub(super) seconds: u64,
    /// The frame's content.
    pub(super) content: Content,
}

/// The content of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A UDP datagram; its payload is at these bytes of the piece.
    Udp(Range<usize>),
    /// Something else.
    Other,
    /// Truncated by the capture, or damaged.
    Broken,
}

/// The state of a capture during reading.
#[derive(Debug)]
pub(super) enum Capture {
    /// Nothing read yet.
    Start,
    /// The classic format, with a single interface.
    Pcap { big: bool, interface: Interface },
    /// The pcapng format: sections of blocks.
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

    /// The piece at the front of `bytes`, or the least number of bytes that are missing of it.
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
        // The upper bits of the link type hold the length of the frame check sequence.
        let link = header.network.0 & 0xffff;
        *self = Capture::Pcap { big: header.is_bigendian(), interface: Interface { link, units, offset: 0 } };
        Ok(Ok(Piece::Other(LEN)))
    }
}

/// A frame of the classic format.
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

/// How many bytes of a piece are missing, given how to read its length from its header.
fn missing(bytes: &[u8], header: usize, len: impl Fn(&[u8]) -> usize) -> usize {
    let need = if bytes.len() < header { header } else { len(bytes) };
    need.saturating_sub(bytes.len()).max(1)
}

fn word(big: bool, bytes: &[u8], at: usize) -> u32 {
    let word = bytes[at..at + 4].try_into().expect("four bytes");
    if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
}

/// A pcapng block.
fn block(big: &mut bool, interfaces: &mut Vec<Interface>, bytes: &[u8]) -> Result<Result<Piece, usize>, Damage> {
    const SMALLEST: usize = 12;
    if bytes.len() < SMALLEST {
        return Ok(Err(SMALLEST - bytes.len()));
    }
    // A section's type is a palindrome; the byte-order mark follows its length.
    if word(true, bytes, 0) == SECTION {
        *big = match word(true, bytes, 8) {
            0x1a2b_3c4d => true,
            0x4d3c_2b1a => false,
            _ => return damage("a section of the capture has no valid byte-order mark"),
        };
        interfaces.clear();
    }
    let len = word(*big, bytes, 4) as usize;
    if len < SMALLEST || !len.is_multiple_of(4) {
        return damage(format!("a block of the capture has the invalid length {len}"));
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

/// An enhanced packet, with interface, time and lengths.
fn enhanced(big: bool, interfaces: &[Interface], bytes: &[u8]) -> Result<Packet, Damage> {
    const DATA: usize = 28;
    if bytes.len() < DATA + 4 {
        return damage("a packet of the capture is too short");
    }
    let Some(interface) = interfaces.get(word(big, bytes, 8) as usize) else {
        return damage("a packet of the capture refers to no interface");
    };
    let ticks = u64::from(word(big, bytes, 12)) << 32 | u64::from(word(big, bytes, 16));
    let (captured, full) = (word(big, bytes, 20) as usize, word(big, bytes, 24) as usize);
    let Some(data) = bytes[DATA..bytes.len() - 4].get(..captured) else {
        return damage("a packet of the capture is longer than its block");
    };
    let seconds = if ticks == 0 { 0 } else { (ticks / interface.units).saturating_add_signed(interface.offset) };
    Ok(Packet { len: bytes.len(), seconds, content: content(interface.link, data, captured < full, DATA)? })
}

/// A simple packet: of the first interface, without a time.
fn simple(big: bool, interfaces: &[Interface], bytes: &[u8]) -> Result<Packet, Damage> {
    const DATA: usize = 12;
    let (Some(interface), true) = (interfaces.first(), bytes.len() >= DATA + 4) else {
        return damage("a packet of the capture refers to no interface");
    };
    let full = word(big, bytes, 8) as usize;
    let data = &bytes[DATA..bytes.len() - 4];
    let data = &data[..full.min(data.len())];
    Ok(Packet { len: bytes.len(), seconds: 0, content: content(interface.link, data, data.len() < full, DATA)? })
}

/// The content of a frame at byte `at` of its piece; `cut`: it was captured only in part.
fn content(link: i32, data: &[u8], cut: bool, at: usize) -> Result<Content, Damage> {
    const LOOPBACK: usize = 4;
    let sliced = match link {
        1 => SlicedPacket::from_ethernet(data).ok(),
        12 | 14 | 101 | 228 | 229 => SlicedPacket::from_ip(data).ok(),
        113 => SlicedPacket::from_linux_sll(data).ok(),
        0 | 108 => data.get(LOOPBACK..).and_then(|ip| SlicedPacket::from_ip(ip).ok()),
        other => return damage(format!("link type {other} is not supported; Ethernet and IP are")),
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
