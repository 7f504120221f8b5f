//! What the book does about messages that are missing.
//!
//! After a `gap` the book goes on, since most of it is right and a part of a book is better than none; but what it emits for the
//! instruments of that gap has the flag doubtful, and a `data-state` says so once to all who act. The doubt ends where the whole
//! state is known again: with a `clear`, at the end of the snapshot that it begins; with each quote, in a book of quotes, which
//! is all there is to know; or because an operator says so. Where one `clear` is for all instruments of a source, it ends the
//! doubt of all.
//!
//! Bound: none of its own. Worst case: a gap of a source, once over all instruments.

use super::books::Place;
use super::stage::BookStage;
use flow::records::{Command, DataState, Gap};
use flow::{BookKind, CommandAction, DataTrust, Event, Flags, Kind, Ns, Out};

impl BookStage {
    /// Before an input is applied, while some instrument is doubtful: what ends the doubt of its own.
    #[cold]
    #[inline(never)]
    pub(super) fn before_in_doubt(&mut self, event: &Event, out: &mut Out) {
        if !self.trust.is_doubtful(event.instrument) || !changes_book(event.kind) {
            return;
        }
        if event.kind == Kind::Clear || self.is_all_there_is(event) {
            self.trust.rebuild(event.instrument);
        }
        if self.trust.is_rebuilding(event.instrument) && event.flags.has(Flags::LAST_OF_GROUP) {
            self.restore(event, event.source, out);
        }
    }

    /// Marks what an input made, if its instrument is doubtful still.
    #[cold]
    #[inline(never)]
    pub(super) fn after_in_doubt(&mut self, event: &Event, out: &mut Out) {
        if self.trust.is_doubtful(event.instrument) {
            out.flag_all_but(Kind::DataState, Flags::DOUBTFUL);
        }
    }

    /// Whether the input is the whole state of its book.
    fn is_all_there_is(&self, event: &Event) -> bool {
        let Place::Book(book) = self.books.place(event.instrument) else { return false };
        event.kind == Kind::Quote && self.books.kind(book) == BookKind::Quotes
    }

    /// A gap, or a command that ends the doubt.
    #[cold]
    pub(super) fn data_state(&mut self, event: &Event, out: &mut Out) {
        if let Some(gap) = event.get::<Gap>() {
            self.trust.doubt(event.instrument, event.source);
            return push(event, gap.exchange_ts, DataTrust::Doubtful, event.source, out);
        }
        if event.record::<Command>().action == CommandAction::Trust.code() {
            self.restore(event, 0, out);
        }
    }

    pub(super) fn restore(&mut self, event: &Event, source: u8, out: &mut Out) {
        if self.trust.restore(event.instrument, source) {
            let exchange_ts = if event.kind == Kind::Command { Ns::NONE } else { super::stage::exchange_ts(event) };
            push(event, exchange_ts, DataTrust::Trusted, source, out);
        }
    }
}

fn changes_book(kind: Kind) -> bool {
    !matches!(kind, Kind::Gap | Kind::Command | Kind::Listing | Kind::Trade | Kind::Break)
}

fn push(event: &Event, exchange_ts: Ns, state: DataTrust, source: u8, out: &mut Out) {
    let of = if event.instrument == 0 { source } else { 0 };
    let cause = u16::from(event.kind.0);
    let record = DataState { exchange_ts, cause, state: state.code(), of, ..DataState::default() };
    out.push(event.instrument, Flags::LAST_OF_GROUP, &record);
}
