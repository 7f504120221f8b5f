//! The decoder: from framing down to messages.
//!
//! The first bytes identify the framing. BinaryFILE prefixes each message with a 16-bit length; a zero length ends it.
//! A capture is read packet by packet ([`super::capture`], [`super::mold`]); a packet stays at the front of the window
//! until its last message is translated, so decoding can stop whenever the queue is full. The inputs do not depend on
//! how the bytes are cut. Bound: one packet at a time; no state grows with the file.

use super::capture::{Capture, Content, Damage, Piece};
use super::mold::{self, Header, PacketClass, Sequencer};
use super::translate::{INSTRUMENTS, Translator};
use crate::reader::date;
use chrono::{DateTime, NaiveDate};
use chrono_tz::America::New_York;
use flow::{AnomalyKind, Count, Decoder, FeedError, Inputs, Step, Window, midnight};

const DAMAGED: &str = "all earlier records were used; get the file again: it is damaged or truncated";
const NOT_ITCH: &str = "all earlier records were used; from here on the file is not ITCH 5.0: check what wrote it";

/// Decodes ITCH 5.0 from BinaryFILE, or from MoldUDP64 in a capture.
pub struct ItchDecoder {
    translator: Translator,
    framing: Option<Framing>,
    date_status: DateStatus,
}

/// Whether the trading date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateStatus {
    /// It is known.
    Known,
    /// The first packet's time may supply it.
    Pending,
    /// Nothing supplied it.
    Unknown,
}

enum Framing {
    BinaryFile,
    Packets(Box<Packets>),
}

/// The decoding state of a capture.
struct Packets {
    capture: Capture,
    sequencer: Sequencer,
    current: Option<Current>,
    counts: PacketCounts,
}

/// The packet at the front of the window.
struct Current {
    /// Length of the packet in the capture, in bytes.
    len: usize,
    /// Offset of its next block from the front of the window.
    at: usize,
    /// Messages left to read.
    left: u16,
    /// Messages left to skip, because they are duplicates.
    skip: u16,
}

#[derive(Default)]
struct PacketCounts {
    packets: u64,
    heartbeats: u64,
    duplicates: u64,
    gaps: u64,
    foreign: u64,
    broken: u64,
    other: u64,
}

impl ItchDecoder {
    /// A decoder for messages of `date`, the trading date in New York. Without one, a capture's own time supplies it;
    /// failing that, it is 1970-01-01.
    pub fn new(date: Option<NaiveDate>) -> ItchDecoder {
        let midnight = midnight(date.unwrap_or(date::UNKNOWN), New_York);
        let date_status = if date.is_some() { DateStatus::Known } else { DateStatus::Pending };
        ItchDecoder { translator: Translator::new(midnight), framing: None, date_status }
    }

    fn fault(&self, what: String, offset: u64, next: &'static str) -> FeedError {
        FeedError { what, offset, record: self.translator.records() + 1, next }
    }

    /// Takes the date from the first packet's time. Time 0 means unknown.
    fn take_date(&mut self, seconds: u64) {
        let time = i64::try_from(seconds).ok().filter(|s| *s > 0).and_then(|s| DateTime::from_timestamp(s, 0));
        match time {
            Some(time) => {
                let day = time.with_timezone(&New_York).date_naive();
                self.translator.set_midnight(midnight(day, New_York));
                self.date_status = DateStatus::Known;
            }
            None => self.date_status = DateStatus::Unknown,
        }
    }

    fn binary_file(&mut self, window: &mut Window, to: &mut Inputs) -> Result<Step, FeedError> {
        let mut at = 0;
        let bytes = window.bytes();
        let stopped = loop {
            at += self.translator.frequent(&bytes[at..], to);
            if !to.has_room() {
                break Stopped::Full;
            }
            let Some((len, rest)) = bytes[at..].split_first_chunk::<2>() else { break Stopped::Short };
            let len = usize::from(u16::from_be_bytes(*len));
            if rest.len() < len {
                break Stopped::Short;
            }
            if len == 0 {
                break Stopped::Zero;
            }
            let message = &rest[..len];
            if !message[0].is_ascii_alphabetic() {
                break Stopped::Type(message[0]);
            }
            self.translator.message(message, to);
            at += 2 + len;
        };
        window.consume(at);
        self.stop(stopped, window)
    }

    /// The result of stopping in a BinaryFILE.
    fn stop(&self, stopped: Stopped, window: &Window) -> Result<Step, FeedError> {
        let (rest, offset) = (window.bytes(), window.offset());
        match stopped {
            Stopped::Full => Ok(Step::Full),
            Stopped::Short if !window.ended() => Ok(Step::Starved),
            Stopped::Short if rest.is_empty() => Ok(Step::Ended),
            Stopped::Short => {
                let need = rest.first_chunk().map_or(2, |len| 2 + usize::from(u16::from_be_bytes(*len)));
                let what =
                    format!("the file ends inside a message: {} of its {need} bytes are missing", need - rest.len());
                Err(self.fault(what, offset, DAMAGED))
            }
            Stopped::Zero if rest.len() > 2 => {
                let what = "a length of zero ends the session, but more bytes follow".to_owned();
                Err(self.fault(what, offset, NOT_ITCH))
            }
            Stopped::Zero => Ok(if window.ended() { Step::Ended } else { Step::Starved }),
            Stopped::Type(code) => Err(self.fault(format!("{code:#04x} is not a message type"), offset + 2, NOT_ITCH)),
        }
    }

    fn packets(&mut self, packets: &mut Packets, window: &mut Window, to: &mut Inputs) -> Result<Step, FeedError> {
        loop {
            if !to.has_room() {
                return Ok(Step::Full);
            }
            if let Some(current) = &mut packets.current {
                if self.one_message(current, window.bytes(), to) {
                    window.consume(current.len);
                    packets.current = None;
                }
                continue;
            }
            match packets.capture.next(window.bytes()) {
                Ok(Ok(Piece::Other(len))) => window.consume(len),
                Ok(Ok(Piece::Packet(packet))) => {
                    if self.date_status == DateStatus::Pending {
                        self.take_date(packet.seconds);
                    }
                    packets.current = self.open_packet(packets, &packet.content, packet.len, window.bytes(), to);
                    if packets.current.is_none() {
                        window.consume(packet.len);
                    }
                }
                Ok(Err(_)) if !window.ended() => return Ok(Step::Starved),
                Ok(Err(_)) if window.bytes().is_empty() => return Ok(Step::Ended),
                Ok(Err(missing)) => {
                    let number = packets.counts.packets + 1;
                    let what = format!("the capture ends inside packet {number}: {missing} bytes are missing");
                    return Err(self.fault(what, window.offset(), DAMAGED));
                }
                Err(Damage(what)) => return Err(self.fault(what, window.offset(), DAMAGED)),
            }
        }
    }

    /// Checks a packet; returns it if it has messages to translate.
    fn open_packet(
        &mut self,
        packets: &mut Packets,
        content: &Content,
        len: usize,
        bytes: &[u8],
        to: &mut Inputs,
    ) -> Option<Current> {
        let counts = &mut packets.counts;
        counts.packets += 1;
        let number = counts.packets;
        let mut broken = |counts: &mut PacketCounts| {
            counts.broken += 1;
            self.translator.anomaly(AnomalyKind::BadPacket, number, to);
        };
        let range = match content {
            Content::Udp(range) => range.clone(),
            Content::Broken => {
                broken(counts);
                return None;
            }
            Content::Other => {
                counts.other += 1;
                return None;
            }
        };
        let payload = &bytes[range.clone()];
        let Some(header) = Header::read(payload).filter(|h| h.is_whole(payload)) else {
            broken(counts);
            return None;
        };
        match packets.sequencer.classify(&header) {
            PacketClass::OtherSession { first } => {
                counts.foreign += 1;
                if first {
                    self.translator.anomaly(AnomalyKind::BadPacket, number, to);
                }
                None
            }
            PacketClass::ThisSession { restarted, missing, duplicates } => {
                if restarted {
                    self.translator.clear(to);
                }
                if let Some(m) = missing {
                    counts.gaps += 1;
                    let first = mold::block(&payload[Header::LEN..]).filter(|_| header.messages() > 0);
                    self.translator.gap(m.expected, m.received, first.unwrap_or(&[]), to);
                }
                if duplicates > 0 {
                    counts.duplicates += 1;
                    self.translator.anomaly(AnomalyKind::DuplicatePacket, header.sequence, to);
                }
                counts.heartbeats += u64::from(header.messages() == 0);
                let at = range.start + Header::LEN;
                (header.messages() > 0).then_some(Current { len, at, left: header.messages(), skip: duplicates })
            }
        }
    }

    /// Translates the next message of a packet; true if it was the last.
    fn one_message(&mut self, current: &mut Current, bytes: &[u8], to: &mut Inputs) -> bool {
        let message = mold::block(&bytes[current.at..]).expect("the packet was checked to be complete");
        if current.skip > 0 {
            current.skip -= 1;
            self.translator.skip();
        } else if message.is_empty() {
            self.translator.skip();
        } else {
            self.translator.message(message, to);
        }
        current.at += 2 + message.len();
        current.left -= 1;
        current.left == 0
    }
}

/// Why decoding a BinaryFILE stopped.
enum Stopped {
    Full,
    Short,
    Zero,
    Type(u8),
}

impl Decoder for ItchDecoder {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        let window = &mut windows[0];
        if self.framing.is_none() {
            if window.bytes().len() < 4 && !window.ended() {
                return Ok(Step::Starved);
            }
            self.framing = Some(if Capture::recognise(window.bytes()) {
                Framing::Packets(Box::new(Packets::new()))
            } else {
                if self.date_status == DateStatus::Pending {
                    self.date_status = DateStatus::Unknown;
                }
                Framing::BinaryFile
            });
        }
        match self.framing.take() {
            Some(Framing::Packets(mut packets)) => {
                let step = self.packets(&mut packets, window, to);
                self.framing = Some(Framing::Packets(packets));
                step
            }
            binary => {
                self.framing = binary;
                self.binary_file(window, to)
            }
        }
    }

    fn instruments(&self) -> u32 {
        INSTRUMENTS
    }

    fn counts(&self) -> Vec<Count> {
        let mut counts = self.translator.counts();
        if let Some(Framing::Packets(packets)) = &self.framing {
            counts.extend(packets.counts.list());
        }
        counts
    }

    fn records(&self) -> u64 {
        self.translator.records()
    }

    fn warnings(&self) -> Vec<String> {
        let unknown = self.date_status == DateStatus::Unknown;
        unknown.then(|| date::UNKNOWN_WARNING.to_owned()).into_iter().collect()
    }
}

impl Packets {
    fn new() -> Packets {
        Packets {
            capture: Capture::Start,
            sequencer: Sequencer::default(),
            current: None,
            counts: PacketCounts::default(),
        }
    }
}

impl PacketCounts {
    fn list(&self) -> impl Iterator<Item = Count> {
        let all = [
            ("packets", self.packets),
            ("packets without messages", self.heartbeats),
            ("packets seen before", self.duplicates),
            ("gaps", self.gaps),
            ("packets of another session", self.foreign),
            ("packets cut short or damaged", self.broken),
            ("packets that are not UDP", self.other),
        ];
        all.into_iter().map(|(name, count)| Count { name: name.to_owned(), count })
    }
}
