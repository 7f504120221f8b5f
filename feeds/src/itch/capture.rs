//! Captures: pcap and pcapng, down to the payload of a UDP datagram.
//!
//! The crates `pcap-parser` and `etherparse` read file and network headers. Packets of a pcapng are parsed here,
//! because the crate parses their options, which would allocate for every packet, and so are the clocks of its interfaces,
//! which it reads wrongly where they count in powers of two. Frames may carry VLAN tags; raw IP, BSD loopback and both
//! Linux cooked headers are supported too. Bound: [`INTERFACES`] interfaces per section.

use super::fragments::{Fragment, Key};
use etherparse::{EtherType, IpNumber, Ipv6ExtensionSlice, NetSlice, SlicedPacket, TransportSlice};
use pcap_parser::nom::Err as Broken;
use pcap_parser::{OptionCode, PcapNGOption};
use std::ops::Range;

/// The most interfaces of one pcapng section.
const INTERFACES: usize = 1024;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// What writers made before there was the enhanced packet.
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Why a capture cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes are no capture from here on.
    Damage(String),
    /// They are a capture, of a sort that is not read.
    Unread(String),
}

fn damage<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Damage(what.into()))
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
    /// A UDP datagram; its payload is at these bytes of the piece. The group is where it was sent, zero over IPv6.
    Udp { payload: Range<usize>, group: [u8; 4] },
    /// A part of a UDP datagram.
    Fragment(Fragment),
    /// Something else.
    Other,
    /// Truncated by the capture, or damaged.
    Broken,
}

/// The state of a capture during reading.
#[derive(Debug, Default)]
pub(super) enum Capture {
    /// Nothing read yet.
    #[default]
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
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Result<Piece, usize>, Fault> {
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

    fn file_header(&mut self, bytes: &[u8]) -> Result<Result<Piece, usize>, Fault> {
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
fn frame(big: bool, interface: &Interface, bytes: &[u8]) -> Result<Result<Piece, usize>, Fault> {
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

fn half(big: bool, bytes: &[u8], at: usize) -> u16 {
    let half = [bytes[at], bytes[at + 1]];
    if big { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) }
}

/// A pcapng block.
fn block(big: &mut bool, interfaces: &mut Vec<Interface>, bytes: &[u8]) -> Result<Result<Piece, usize>, Fault> {
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
    let packet = match word(*big, bytes, 0) {
        ENHANCED_PACKET => timed(*big, interfaces, bytes, |block| word(*big, block, 8) as usize)?,
        OLD_PACKET => timed(*big, interfaces, bytes, |block| half(*big, block, 8) as usize)?,
        SIMPLE_PACKET => simple(*big, interfaces, bytes)?,
        kind => {
            if kind == INTERFACE {
                interfaces.push(interface(*big, bytes, interfaces.len())?);
            }
            return Ok(Ok(Piece::Other(len)));
        }
    };
    Ok(Ok(Piece::Packet(packet)))
}

fn interface(big: bool, bytes: &[u8], before: usize) -> Result<Interface, Fault> {
    use pcap_parser::pcapng::{parse_interfacedescriptionblock_be as be, parse_interfacedescriptionblock_le as le};
    let parse = if big { be } else { le };
    match parse(bytes) {
        _ if before == INTERFACES => damage(format!("the capture has more than {INTERFACES} interfaces")),
        Ok((_, i)) => Ok(Interface { link: i.linktype.0, units: units(&i.options), offset: offset(big, &i.options) }),
        Err(_) => damage("an interface of the capture is damaged"),
    }
}

fn option<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    options.iter().find(|o| o.code == code).map(|o| &*o.value)
}

/// Time units per second: a power of ten, or of two if the upper bit is set; without the option, microseconds.
fn units(options: &[PcapNGOption<'_>]) -> u64 {
    let resolution = option(options, OptionCode::IfTsresol).and_then(|value| value.first()).map_or(6, |r| *r);
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.saturating_pow((resolution & 0x7f).into())
}

/// Seconds to add to every time.
fn offset(big: bool, options: &[PcapNGOption<'_>]) -> i64 {
    let offset = option(options, OptionCode::IfTsoffset).and_then(|value| value.first_chunk());
    offset.map_or(0, |bytes| if big { i64::from_be_bytes(*bytes) } else { i64::from_le_bytes(*bytes) })
}

/// A packet with interface, time and lengths, enhanced or old; `interface` reads the interface's number.
fn timed(
    big: bool,
    interfaces: &[Interface],
    bytes: &[u8],
    interface: impl Fn(&[u8]) -> usize,
) -> Result<Packet, Fault> {
    const DATA: usize = 28;
    if bytes.len() < DATA + 4 {
        return damage("a packet of the capture is too short");
    }
    let Some(interface) = interfaces.get(interface(bytes)) else {
        return damage("a packet of the capture refers to no interface");
    };
    let ticks = u64::from(word(big, bytes, 12)) << 32 | u64::from(word(big, bytes, 16));
    let (captured, full) = (word(big, bytes, 20) as usize, word(big, bytes, 24) as usize);
    let Some(data) = bytes[DATA..bytes.len() - 4].get(..captured) else {
        return damage("a packet of the capture is longer than its block");
    };
    let seconds = (ticks / interface.units).saturating_add_signed(interface.offset);
    Ok(Packet { len: bytes.len(), seconds, content: content(interface.link, data, captured < full, DATA)? })
}

/// A simple packet: of the first interface, without a time.
fn simple(big: bool, interfaces: &[Interface], bytes: &[u8]) -> Result<Packet, Fault> {
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
fn content(link: i32, data: &[u8], cut: bool, at: usize) -> Result<Content, Fault> {
    const LOOPBACK: usize = 4;
    let sliced = match link {
        1 => SlicedPacket::from_ethernet(data).ok(),
        12 | 14 | 101 | 228 | 229 => SlicedPacket::from_ip(data).ok(),
        113 => cooked(data, 14, 16),
        276 => cooked(data, 0, 20),
        0 | 108 => data.get(LOOPBACK..).and_then(|ip| SlicedPacket::from_ip(ip).ok()),
        other => {
            return Err(Fault::Unread(format!(
                "the capture's frames are of link type {other}; Ethernet, Linux cooked, BSD loopback and raw IP are read"
            )));
        }
    };
    let Some(sliced) = sliced else { return Ok(Content::Broken) };
    // Both are slices of the same frame, so the distance is the part's place in it.
    let place = |part: &[u8]| {
        let from = at + (part.as_ptr() as usize - data.as_ptr() as usize);
        from..from + part.len()
    };
    Ok(match (&sliced.transport, &sliced.net) {
        (Some(TransportSlice::Udp(udp)), net) => {
            let group = if let Some(NetSlice::Ipv4(ip)) = net { ip.header().destination() } else { [0; 4] };
            Content::Udp { payload: place(udp.payload()), group }
        }
        (None, Some(net)) => fragment(net, place).unwrap_or(if cut { Content::Broken } else { Content::Other }),
        _ if cut => Content::Broken,
        _ => Content::Other,
    })
}

/// A frame behind a Linux cooked header of `header` bytes, with the protocol at byte `protocol`.
fn cooked(data: &[u8], protocol: usize, header: usize) -> Option<SlicedPacket<'_>> {
    let payload = data.get(header..)?;
    SlicedPacket::from_ether_type(EtherType(half(true, data, protocol)), payload).ok()
}

/// The fragment in an IP packet, if it is one of a UDP datagram.
fn fragment(net: &NetSlice<'_>, place: impl Fn(&[u8]) -> Range<usize>) -> Option<Content> {
    let payload = net.ip_payload_ref().filter(|p| p.fragmented && p.ip_number == IpNumber::UDP)?;
    let (key, at, more) = match net {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            let key = Key::v4(header.source(), header.destination(), header.identification());
            (key, header.fragments_offset().byte_offset(), header.more_fragments())
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(header) => Some(header),
                _ => None,
            })?;
            let key = Key::v6(ip.header().source(), ip.header().destination(), header.identification());
            (key, header.fragment_offset().byte_offset(), header.more_fragments())
        }
        NetSlice::Arp(_) => return None,
    };
    Some(Content::Fragment(Fragment { key, at: at.into(), more, data: place(payload.payload) }))
}
