//! The event: one cache line.
//!
//! `#[repr(C, align(64))]` and [`Pod`]: the same bytes cross a ring, are written to the journal and make up a fixture. The
//! body holds one record of the event's kind ([`crate::records`]). The layout is little-endian, like the host, which the
//! build asserts.

use crate::{EventId, Flags, Kind, Ns, Record, Side};
use bytemuck::{Pod, Zeroable};

/// One thing that happened. The table of kinds says what the body holds.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Event {
    /// Place in the sequence; a ring borrows bit 63, which is 0 everywhere else.
    pub id: EventId,
    /// Ingress time, the only "now" that a stage sees; never decreases. Before the ingress: the due time.
    pub ts: Ns,
    /// Dense index of a listing; 0 = none.
    pub instrument: u32,
    /// Which record the body holds.
    pub kind: Kind,
    /// The feed, venue or operator it came from: the source's number in the plan, from 1; 0 = none.
    pub source: u8,
    /// Side and qualifiers.
    pub flags: Flags,
    /// One record of 40 bytes.
    pub body: [u8; 40],
}

const _: () = {
    assert!(size_of::<Event>() == 64 && align_of::<Event>() == 64);
    assert!(std::mem::offset_of!(Event, ts) == 8 && std::mem::offset_of!(Event, instrument) == 16);
    assert!(std::mem::offset_of!(Event, kind) == 20 && std::mem::offset_of!(Event, source) == 21);
    assert!(std::mem::offset_of!(Event, flags) == 22 && std::mem::offset_of!(Event, body) == 24);
    assert!(cfg!(target_endian = "little"), "events are little-endian on every medium");
};

impl Event {
    /// An event without a number yet: the ingress or [`crate::Out`] assigns its id.
    #[inline]
    pub fn new<R: Record>(due: Ns, instrument: u32, flags: Flags, record: &R) -> Event {
        Event {
            id: EventId(0),
            ts: due,
            instrument,
            kind: R::KIND,
            source: 0,
            flags,
            body: *bytemuck::cast_ref::<R, [u8; 40]>(record),
        }
    }

    /// An event of `kind` whose body is these words: for decoders that fill records by a table.
    #[inline(always)]
    pub fn from_words(due: Ns, instrument: u32, kind: Kind, flags: Flags, words: [u64; 5]) -> Event {
        Event { id: EventId(0), ts: due, instrument, kind, source: 0, flags, body: bytemuck::cast(words) }
    }

    /// The body as a record. The caller has checked the kind; debug builds check it again.
    #[inline]
    pub fn record<R: Record>(&self) -> &R {
        debug_assert!(self.kind == R::KIND, "body of {:?} read as {}", self.kind, R::NAME);
        bytemuck::from_bytes(&self.body)
    }

    /// The body as a mutable record.
    #[inline]
    pub fn record_mut<R: Record>(&mut self) -> &mut R {
        debug_assert!(self.kind == R::KIND, "body of {:?} changed as {}", self.kind, R::NAME);
        bytemuck::from_bytes_mut(&mut self.body)
    }

    /// The body as a record if the kind matches.
    #[inline]
    pub fn get<R: Record>(&self) -> Option<&R> {
        (self.kind == R::KIND).then(|| bytemuck::from_bytes(&self.body))
    }

    /// Side of the order, level or aggressor.
    #[inline]
    pub fn side(&self) -> Side {
        self.flags.side()
    }

    /// Whether it is a refusal that returns to the head: the pipeline emitted it before.
    #[inline]
    pub fn is_echo(&self) -> bool {
        self.kind == Kind::Refused && self.id.position() == 0
    }

    /// Exchange time, if the kind has one; it is then the first word of the body.
    pub fn exchange_ts(&self) -> Option<Ns> {
        let carries =
            crate::kind_info(self.kind).is_some_and(|k| k.fields.first().is_some_and(|f| f.name == "exchange_ts"));
        carries.then(|| Ns(u64::from_le_bytes(self.body[..8].try_into().expect("eight bytes")))).and_then(Ns::known)
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = crate::kind_info(self.kind).map(|k| k.debug_body(&self.body)).unwrap_or_default();
        write!(
            f,
            "{} {:?} ts={} instrument={} source={} flags={:#06x} {body}",
            self.id, self.kind, self.ts.0, self.instrument, self.source, self.flags.0
        )
    }
}
