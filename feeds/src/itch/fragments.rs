//! Datagrams that came in fragments of IP packets, put together.
//!
//! RFC 791 and RFC 8200: the fragments of a datagram share source, destination and identification; each says where its
//! bytes belong, in units of eight, and the last one that no more follow. They come in any order, and some come twice. The
//! datagrams stand in a ring of [`DATAGRAMS`] places, in the order of their first fragments: one that is not whole when its
//! place is needed again is lost. A whole one stays until then, so that a second copy of its fragments is known as such.
//! Bound: 64 KiB and a byte for each unit in each place, taken as they are needed. Worst case of a fragment: one look at
//! every place, and a copy of its bytes.

use std::ops::Range;

/// How many datagrams are put together at a time.
const DATAGRAMS: usize = 64;

/// The length of every fragment but the last is a multiple of this.
const UNIT: usize = 8;

/// The most bytes of a datagram.
const LONGEST: usize = 0xffff;

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    source: [u8; 16],
    destination: [u8; 16],
    identification: u32,
}

impl Key {
    pub(super) fn v4(source: [u8; 4], destination: [u8; 4], identification: u16) -> Key {
        let wide = |address: [u8; 4]| std::net::Ipv4Addr::from(address).to_ipv6_mapped().octets();
        Key { source: wide(source), destination: wide(destination), identification: identification.into() }
    }

    pub(super) fn v6(source: [u8; 16], destination: [u8; 16], identification: u32) -> Key {
        Key { source, destination, identification }
    }

    /// Where the datagram was sent; zero over IPv6.
    fn group(&self) -> [u8; 4] {
        std::net::Ipv6Addr::from(self.destination).to_ipv4_mapped().map_or([0; 4], |v4| v4.octets())
    }
}

/// A fragment of a UDP datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) key: Key,
    /// Where its bytes belong.
    pub(super) at: usize,
    /// Whether more follow.
    pub(super) more: bool,
    /// Its bytes in the piece of the capture.
    pub(super) data: Range<usize>,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Its datagram is not whole yet, or was before.
    Waiting,
    /// Its datagram is whole, and is in this place.
    Whole(usize),
    /// It cannot be a part of any datagram.
    Broken,
}

/// The datagrams that are being put together.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    datagrams: Vec<Datagram>,
    /// The place that the next datagram takes.
    next: usize,
}

/// A datagram of which some bytes are there.
#[derive(Debug)]
struct Datagram {
    key: Key,
    /// The number of the packet with its first fragment.
    packet: u64,
    /// Its length, once the last fragment is there.
    len: Option<usize>,
    bytes: Vec<u8>,
    /// Which units of it are there, and how many.
    there: Vec<bool>,
    units: usize,
}

impl Fragments {
    /// Adds the fragment of packet number `packet`. Also says which datagram was given up for it, by the number of its first
    /// packet.
    pub(super) fn add(&mut self, fragment: &Fragment, data: &[u8], packet: u64) -> (Added, Option<u64>) {
        let (at, more) = (fragment.at, fragment.more);
        if data.is_empty() || at + data.len() > LONGEST || more && !data.len().is_multiple_of(UNIT) {
            return (Added::Broken, None);
        }
        let known = self.datagrams.iter().position(|d| d.key == fragment.key);
        let (place, lost) = match known {
            Some(place) if self.datagrams[place].repeats(at, more, data) => return (Added::Waiting, None),
            Some(place) if self.datagrams[place].fits(at, more, data) => (place, None),
            // Another datagram of the same number: the sender counts in a circle.
            Some(place) => (place, self.begin(place, fragment.key, packet)),
            None => {
                let place = self.next;
                self.next = (place + 1) % DATAGRAMS;
                (place, self.begin(place, fragment.key, packet))
            }
        };
        let datagram = &mut self.datagrams[place];
        datagram.put(at, more, data);
        (if datagram.is_whole() { Added::Whole(place) } else { Added::Waiting }, lost)
    }

    /// Begins a datagram; returns the one that was given up for it.
    fn begin(&mut self, place: usize, key: Key, packet: u64) -> Option<u64> {
        if place == self.datagrams.len() {
            let (bytes, there) = (Vec::new(), Vec::new());
            self.datagrams.push(Datagram { key, packet, len: None, bytes, there, units: 0 });
            return None;
        }
        let datagram = &mut self.datagrams[place];
        let lost = (!datagram.is_whole()).then_some(datagram.packet);
        (datagram.key, datagram.packet, datagram.len, datagram.units) = (key, packet, None, 0);
        datagram.bytes.clear();
        datagram.there.clear();
        lost
    }

    /// Gives up a datagram that is not whole, because nothing follows; returns the number of its first packet.
    pub(super) fn give_up(&mut self) -> Option<u64> {
        self.next = 0;
        while let Some(datagram) = self.datagrams.pop() {
            if !datagram.is_whole() {
                return Some(datagram.packet);
            }
        }
        None
    }

    /// The payload of the whole datagram in a place, and where it was sent; `None` if its UDP header is wrong.
    pub(super) fn payload(&self, place: usize) -> Option<(&[u8], [u8; 4])> {
        const HEADER: usize = 8;
        let Datagram { key, bytes, .. } = &self.datagrams[place];
        let len = usize::from(u16::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?]));
        Some((bytes.get(HEADER..len)?, key.group()))
    }
}

impl Datagram {
    fn is_whole(&self) -> bool {
        self.len.is_some_and(|len| self.units == len.div_ceil(UNIT))
    }

    /// The units that bytes at `at` take.
    fn span(at: usize, data: &[u8]) -> Range<usize> {
        at / UNIT..(at + data.len()).div_ceil(UNIT)
    }

    /// Whether these very bytes are there already.
    fn repeats(&self, at: usize, more: bool, data: &[u8]) -> bool {
        let there = self.there.get(Datagram::span(at, data)).is_some_and(|units| units.iter().all(|there| *there));
        there && self.bytes.get(at..at + data.len()) == Some(data) && (more || self.len == Some(at + data.len()))
    }

    /// Whether these bytes can belong to it: none of them is there, and its end stays where it is.
    fn fits(&self, at: usize, more: bool, data: &[u8]) -> bool {
        let end = at + data.len();
        let free = self.there.iter().skip(at / UNIT).take(data.len().div_ceil(UNIT)).all(|there| !there);
        let ends =
            if more { self.len.is_none_or(|len| end <= len) } else { self.len.is_none() && end >= self.bytes.len() };
        free && ends
    }

    fn put(&mut self, at: usize, more: bool, data: &[u8]) {
        let (end, units) = (at + data.len(), Datagram::span(at, data));
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
            self.there.resize(end.div_ceil(UNIT), false);
        }
        self.bytes[at..end].copy_from_slice(data);
        self.units += units.len();
        self.there[units].fill(true);
        if !more {
            self.len = Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identification: u16) -> Key {
        Key::v4([10, 0, 0, 1], [233, 54, 12, 111], identification)
    }

    /// A UDP datagram with `len` bytes of payload.
    fn datagram(len: usize, first: u8) -> Vec<u8> {
        let header = [0, 1, 0, 2, ((len + 8) >> 8) as u8, (len + 8) as u8, 0, 0];
        [header.to_vec(), (0..len).map(|i| first.wrapping_add(i as u8)).collect()].concat()
    }

    /// Adds bytes `range` of a datagram.
    fn add(f: &mut Fragments, id: u16, bytes: &[u8], range: Range<usize>, packet: u64) -> (Added, Option<u64>) {
        let fragment = Fragment { key: key(id), at: range.start, more: range.end < bytes.len(), data: 0..0 };
        f.add(&fragment, &bytes[range], packet)
    }

    #[test]
    fn fragments_come_in_any_order_and_twice() {
        let bytes = datagram(50, 7);
        let parts = [0..16, 16..40, 40..58];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut f = Fragments::default();
            for (n, i) in order.into_iter().enumerate() {
                let want = if n == 2 { Added::Whole(0) } else { Added::Waiting };
                assert_eq!(add(&mut f, 1, &bytes, parts[i].clone(), 1), (want, None), "{order:?}");
                assert_eq!(add(&mut f, 1, &bytes, parts[i].clone(), 1), (Added::Waiting, None), "{order:?}");
            }
            assert_eq!(f.payload(0), Some((&bytes[8..], [233, 54, 12, 111])));
            assert_eq!(f.give_up(), None);
        }
    }

    #[test]
    fn a_number_that_comes_again_begins_another_datagram() {
        let (one, two) = (datagram(24, 1), datagram(24, 99));
        let mut f = Fragments::default();
        assert_eq!(add(&mut f, 1, &one, 0..16, 1), (Added::Waiting, None));
        assert_eq!(add(&mut f, 1, &two, 0..16, 9), (Added::Waiting, Some(1)), "the first is lost");
        assert_eq!(add(&mut f, 1, &two, 16..32, 10), (Added::Whole(0), None));
        assert_eq!(add(&mut f, 1, &one, 16..32, 11), (Added::Waiting, None), "a whole one is not lost");
        assert_eq!(add(&mut f, 1, &one, 0..16, 12), (Added::Whole(0), None));
        assert_eq!(f.payload(0).unwrap().0, &one[8..]);
    }

    #[test]
    fn what_is_not_whole_is_lost_when_its_place_is_needed_or_nothing_follows() {
        let bytes = datagram(24, 1);
        let mut f = Fragments::default();
        for id in 0..DATAGRAMS as u16 {
            assert_eq!(add(&mut f, id, &bytes, 0..16, id.into()), (Added::Waiting, None));
        }
        assert_eq!(add(&mut f, 5, &bytes, 16..32, 99), (Added::Whole(5), None));
        let lost: Vec<_> = (100..107).map(|id| add(&mut f, id, &bytes, 16..32, 200).1).collect();
        assert_eq!(lost, [Some(0), Some(1), Some(2), Some(3), Some(4), None, Some(6)]);
        assert_eq!(std::iter::from_fn(|| f.give_up()).count(), DATAGRAMS);
    }

    #[test]
    fn what_cannot_be_a_part_is_broken() {
        let mut f = Fragments::default();
        let mut add = |at, more, data: &[u8]| f.add(&Fragment { key: key(1), at, more, data: 0..0 }, data, 1).0;
        assert_eq!(add(0, true, &[0; 12]), Added::Broken, "no multiple of eight");
        assert_eq!(add(65_528, false, &[0; 8]), Added::Broken, "past the longest datagram");
        assert_eq!(add(0, true, &[]), Added::Broken);
        assert_eq!(add(65_528, false, &[0; 7]), Added::Waiting);
        assert_eq!(f.payload(0), None, "its header is wrong");
    }
}
