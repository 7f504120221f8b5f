//! The decoder: from framing down to messages.
//!
//! The first bytes identify the framing. BinaryFILE prefixes each message with a 16-bit length; a zero length ends it. A
//! capture is read packet by packet ([`super::packets`]). The inputs do not depend on how the bytes are cut. Bound: that of
//! a capture; no state grows with the file.

use super::capture::Capture;
use super::packets::Packets;
use super::stocks::INSTRUMENTS;
use super::translate::Translator;
use crate::reader::date;
use chrono::NaiveDate;
use flow::{Count, Decoder, FeedError, Inputs, Mic, Selection, Step, Window};

const CUT: &str = "all earlier records were used; unless it was cut on purpose, get the file again";
const JOINED: &str = "all earlier records were used; check what wrote it, or give what follows as a file of its own";
const NOT_ITCH: &str = "all earlier records were used; from here on the file is not ITCH 5.0: check what wrote it";

/// Decodes ITCH 5.0 from BinaryFILE, or from MoldUDP64 in a capture.
pub struct ItchDecoder {
    translator: Translator,
    framing: Option<Framing>,
}

enum Framing {
    BinaryFile,
    Packets(Box<Packets>),
}

impl ItchDecoder {
    /// A decoder for messages of `date`, the trading date in New York. Without one, a capture's own time supplies it;
    /// failing that, it is 1970-01-01.
    pub fn new(date: Option<NaiveDate>) -> ItchDecoder {
        ItchDecoder { translator: Translator::new(date), framing: None }
    }

    /// Names the market that the messages come from; without it, a capture's multicast group says, and a file is Nasdaq's.
    #[must_use]
    pub fn at_venue(mut self, venue: Option<Mic>) -> ItchDecoder {
        self.translator.set_venue(venue);
        self
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
                Err(self.translator.fault(what, offset, CUT))
            }
            Stopped::Zero if rest.len() > 2 => {
                let what = "a length of zero ends the session, but more bytes follow".to_owned();
                Err(self.translator.fault(what, offset, JOINED))
            }
            Stopped::Zero => Ok(if window.ended() { Step::Ended } else { Step::Starved }),
            Stopped::Type(code) => {
                Err(self.translator.fault(format!("{code:#04x} is not a message type"), offset + 2, NOT_ITCH))
            }
        }
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
                Framing::Packets(Box::default())
            } else {
                self.translator.settle_date();
                Framing::BinaryFile
            });
        }
        match &mut self.framing {
            Some(Framing::Packets(packets)) => packets.decode(&mut self.translator, window, to),
            _ => self.binary_file(window, to),
        }
    }

    fn watch(&mut self, watched: &Selection) {
        self.translator.watch(watched);
    }

    fn instruments(&self) -> u32 {
        INSTRUMENTS
    }

    fn counts(&self) -> Vec<Count> {
        let mut counts = self.translator.counts();
        if let Some(Framing::Packets(packets)) = &self.framing {
            counts.extend(packets.counts());
        }
        counts
    }

    fn records(&self) -> u64 {
        self.translator.records()
    }

    fn warnings(&self) -> Vec<String> {
        let unread = if let Some(Framing::Packets(packets)) = &self.framing { packets.warning() } else { None };
        let unknown = self.translator.date_is_unknown().then(|| date::UNKNOWN_WARNING.to_owned());
        unread.into_iter().chain(unknown).collect()
    }
}
