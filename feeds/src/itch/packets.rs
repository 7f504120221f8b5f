//! A capture, packet by packet: from its frames down to messages in the order of their numbers.
//!
//! A packet of the capture becomes a datagram ([`super::capture`]), perhaps with other fragments ([`super::fragments`]);
//! the datagram is a MoldUDP64 packet ([`super::mold`]), which is used at once, or waits for its turn
//! ([`super::sequencer`]). A packet that is used at once is not copied: it stays at the front of the window until its last
//! message is translated, so decoding can stop whenever the queue is full. Bound: one packet at a time, and those of the two
//! tables. Worst case of a packet: the release of every packet that waits.

use super::capture::{Capture, Content, Fault, Packet, Piece};
use super::fragments::{Added, Fragments};
use super::mold::{self, Header};
use super::sequencer::{Missing, PacketClass, Sequencer, Turn};
use super::translate::Translator;
use flow::{AnomalyKind, Count, FeedError, Inputs, Step, Window};
use std::ops::Range;

const DAMAGED: &str =
    "all earlier records were used; from here on the file is no capture: get it again, or write it again";
const CUT: &str =
    "all earlier records were used; the capture was stopped in the middle of a packet, or its copy is not whole";
const UNREAD: &str = "write the capture with one of these";

/// The group of a packet that is no session's first.
const NO_GROUP: [u8; 4] = [0; 4];

/// The decoding state of a capture.
#[derive(Default)]
pub(super) struct Packets {
    capture: Capture,
    fragments: Fragments,
    sequencer: Sequencer,
    /// A packet of the next session: what waits of this one comes before it.
    next_session: Option<Place>,
    open: Option<Open>,
    counts: PacketCounts,
    ended: bool,
}

/// Where the payload of a datagram is.
enum Place {
    /// At these bytes of the piece at the front of the window, and the length of the piece.
    Window(Range<usize>, usize),
    /// In this place of the datagrams that were put together.
    Datagram(usize),
    /// It waited.
    Waited(Vec<u8>),
}

/// The packet whose messages are translated.
struct Open {
    place: Place,
    rest: Rest,
}

/// What is left of it.
struct Rest {
    /// Offset of its next block in the payload.
    at: usize,
    /// Messages left to read.
    left: u16,
    /// Messages left to skip: duplicates, and late ones.
    skip: u16,
}

#[derive(Default)]
struct PacketCounts {
    packets: u64,
    sequenced: u64,
    heartbeats: u64,
    waited: u64,
    duplicates: u64,
    late: u64,
    gaps: u64,
    foreign: u64,
    broken: u64,
    fragments: u64,
    fragments_lost: u64,
    other: u64,
}

/// The payload in a place.
fn payload<'a>(place: &'a Place, window: &'a [u8], fragments: &'a Fragments) -> &'a [u8] {
    match place {
        Place::Window(range, _) => &window[range.clone()],
        Place::Datagram(place) => fragments.payload(*place).map_or(&[], |(payload, _)| payload),
        Place::Waited(packet) => packet,
    }
}

impl Packets {
    pub(super) fn decode(
        &mut self,
        translator: &mut Translator,
        window: &mut Window,
        to: &mut Inputs,
    ) -> Result<Step, FeedError> {
        loop {
            if !to.has_room() {
                return Ok(Step::Full);
            }
            if let Some(Open { place, rest }) = &mut self.open {
                let payload = payload(place, window.bytes(), &self.fragments);
                if rest.message(payload, translator, to)
                    && let Some(open) = self.open.take()
                {
                    self.leave(open.place, window);
                }
                continue;
            }
            if let Some((packet, missing)) = self.sequencer.due() {
                self.waited(packet, missing, translator, window, to);
                continue;
            }
            if let Some(place) = self.next_session.take() {
                self.sequenced(place, NO_GROUP, translator, window, to);
                continue;
            }
            match self.capture.next(window.bytes()) {
                Ok(Ok(Piece::Other(len))) => window.consume(len),
                Ok(Ok(Piece::Packet(packet))) => self.packet(packet, translator, window, to),
                Ok(Err(_)) if !window.ended() => return Ok(Step::Starved),
                end => {
                    if !self.give_up(translator, to) {
                        return self.end(end, translator, window);
                    }
                }
            }
        }
    }

    /// A packet of the capture, at the front of the window.
    fn packet(&mut self, packet: Packet, translator: &mut Translator, window: &mut Window, to: &mut Inputs) {
        self.counts.packets += 1;
        let number = self.counts.packets;
        translator.take_date(packet.seconds);
        match packet.content {
            Content::Udp { payload, group } => {
                return self.sequenced(Place::Window(payload, packet.len), group, translator, window, to);
            }
            Content::Fragment(fragment) => {
                self.counts.fragments += 1;
                let (added, lost) = self.fragments.add(&fragment, &window.bytes()[fragment.data.clone()], number);
                window.consume(packet.len);
                if let Some(first) = lost {
                    self.lost(first, translator, to);
                }
                match added {
                    Added::Waiting => {}
                    Added::Broken => self.broken(number, translator, to),
                    Added::Whole(place) => match self.fragments.payload(place) {
                        Some((_, group)) => self.sequenced(Place::Datagram(place), group, translator, window, to),
                        None => self.broken(number, translator, to),
                    },
                }
                return;
            }
            Content::Broken => self.broken(number, translator, to),
            Content::Other => self.counts.other += 1,
        }
        window.consume(packet.len);
    }

    /// A datagram that should be a MoldUDP64 packet: opens it, lets it wait, or leaves it. The group of the first one names
    /// the market.
    fn sequenced(
        &mut self,
        place: Place,
        group: [u8; 4],
        translator: &mut Translator,
        window: &mut Window,
        to: &mut Inputs,
    ) {
        let payload = payload(&place, window.bytes(), &self.fragments);
        let Some(header) = Header::read(payload).filter(|h| h.is_whole(payload)) else {
            self.broken(self.counts.packets, translator, to);
            return self.leave(place, window);
        };
        translator.take_group(group);
        match self.sequencer.classify(&header) {
            PacketClass::Now(turn) => return self.turn(place, &header, turn, translator, window, to),
            PacketClass::NextSession => {
                self.next_session = Some(place);
                return;
            }
            PacketClass::Early if self.sequencer.hold(&header, payload) => self.counts.waited += 1,
            PacketClass::Early => {
                translator.skip(header.messages().into());
                self.counts.duplicates += 1;
                translator.anomaly(AnomalyKind::DuplicatePacket, header.sequence, to);
            }
            PacketClass::OtherSession { first } => {
                self.counts.foreign += 1;
                if first {
                    translator.anomaly(AnomalyKind::BadPacket, self.counts.packets, to);
                }
            }
        }
        self.leave(place, window);
    }

    /// A packet that waited, and what is missing before it.
    fn waited(
        &mut self,
        packet: Vec<u8>,
        missing: Option<Missing>,
        translator: &mut Translator,
        window: &mut Window,
        to: &mut Inputs,
    ) {
        if let Some(m) = missing {
            self.counts.gaps += 1;
            let messages = Header::read(&packet).is_some_and(|h| h.messages() > 0);
            let first = mold::block(&packet[Header::LEN..]).filter(|_| messages);
            translator.gap(m.expected, m.received, first.unwrap_or(&[]), to);
        }
        self.sequenced(Place::Waited(packet), NO_GROUP, translator, window, to);
    }

    /// A packet whose turn it is.
    fn turn(
        &mut self,
        place: Place,
        header: &Header,
        turn: Turn,
        translator: &mut Translator,
        window: &mut Window,
        to: &mut Inputs,
    ) {
        self.counts.sequenced += 1;
        if turn.restarted {
            translator.clear(to);
        }
        if turn.repeats {
            self.counts.duplicates += 1;
            translator.anomaly(AnomalyKind::DuplicatePacket, header.sequence, to);
        }
        if turn.late {
            self.counts.late += 1;
            translator.anomaly(AnomalyKind::LatePacket, header.sequence, to);
        }
        if header.messages() == 0 {
            self.counts.heartbeats += 1;
            return self.leave(place, window);
        }
        translator.settle_date();
        let rest = Rest { at: Header::LEN, left: header.messages(), skip: turn.skip };
        self.open = Some(Open { place, rest });
    }

    /// Is done with a place.
    fn leave(&mut self, place: Place, window: &mut Window) {
        match place {
            Place::Window(_, len) => window.consume(len),
            Place::Waited(packet) => self.sequencer.reuse(packet),
            Place::Datagram(_) => {}
        }
    }

    fn broken(&mut self, number: u64, translator: &Translator, to: &mut Inputs) {
        self.counts.broken += 1;
        translator.anomaly(AnomalyKind::BadPacket, number, to);
    }

    /// The datagram whose first fragment was packet `first` is lost.
    fn lost(&mut self, first: u64, translator: &Translator, to: &mut Inputs) {
        self.counts.fragments_lost += 1;
        translator.anomaly(AnomalyKind::BadPacket, first, to);
    }

    /// Nothing follows: gives up a datagram that is not whole, or what the packets that wait are waiting for. Returns whether
    /// there was anything.
    fn give_up(&mut self, translator: &Translator, to: &mut Inputs) -> bool {
        match self.fragments.give_up() {
            Some(first) => {
                self.lost(first, translator, to);
                true
            }
            None => self.sequencer.give_up(),
        }
    }

    /// The result of the end of the capture.
    fn end(
        &mut self,
        end: Result<Result<Piece, usize>, Fault>,
        translator: &Translator,
        window: &Window,
    ) -> Result<Step, FeedError> {
        let (what, next) = match end {
            Ok(_) if window.bytes().is_empty() => {
                self.ended = true;
                return Ok(Step::Ended);
            }
            Ok(end) => {
                let (number, missing) = (self.counts.packets + 1, end.err().unwrap_or(0));
                (format!("the capture ends inside packet {number}: {missing} bytes are missing"), CUT)
            }
            Err(Fault::Damage(what)) => (what, DAMAGED),
            Err(Fault::Unread(what)) => (what, UNREAD),
        };
        Err(translator.fault(what, window.offset(), next))
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = Count> {
        self.counts.list()
    }

    /// What a user must know of a capture from which nothing came.
    pub(super) fn warning(&self) -> Option<String> {
        let PacketCounts { packets, sequenced, foreign, .. } = self.counts;
        let nothing = self.ended && packets > 0 && sequenced + foreign == 0;
        nothing.then(|| format!("no packet of the capture is MoldUDP64 over UDP; it has {packets} packets"))
    }
}

impl Rest {
    /// Translates the next message; true if it was the last.
    fn message(&mut self, payload: &[u8], translator: &mut Translator, to: &mut Inputs) -> bool {
        let message = mold::block(&payload[self.at..]).expect("the packet was checked to be complete");
        if self.skip > 0 {
            self.skip -= 1;
            translator.skip(1);
        } else if message.is_empty() {
            translator.skip(1);
        } else {
            translator.message(message, to);
        }
        self.at += 2 + message.len();
        self.left -= 1;
        self.left == 0
    }
}

impl PacketCounts {
    fn list(&self) -> impl Iterator<Item = Count> {
        let all = [
            ("packets", self.packets),
            ("packets without messages", self.heartbeats),
            ("packets that waited for others", self.waited),
            ("packets seen before", self.duplicates),
            ("packets after their gap", self.late),
            ("gaps", self.gaps),
            ("packets of another session", self.foreign),
            ("packets cut short or damaged", self.broken),
            ("fragments", self.fragments),
            ("datagrams with fragments missing", self.fragments_lost),
            ("packets that are not UDP", self.other),
        ];
        all.into_iter().map(|(name, count)| Count { name: name.to_owned(), count })
    }
}
