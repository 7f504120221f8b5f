//! The sink that keeps a day for its page.

use super::bars::{Bars, Full};
use super::marks::Marks;
use super::sessions::Sessions;
use super::{MOST_BARS, MOST_ROWS};
use crate::pipeline::Quality;
use flow::{Calendar, Event, Kind, Kinds, Listed, Listings, Sink, SinkError};
use std::sync::{Arc, OnceLock};

/// Why an input makes no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The input has several symbols.
    #[error("the input has {} symbols: {}; name one with --symbol", .0.len(), first(.0))]
    Several(Vec<String>),
    /// Several venues list the symbol.
    #[error("the symbol is listed at several venues, {}; give the input of one", first(.0))]
    Venues(Vec<String>),
    /// The input has more than a page holds.
    #[error(
        "a page holds {MOST_BARS} bars and {MOST_ROWS} rows of footprints; give fewer days, longer bars (--interval 5m) or higher rows (--set footprint.row_ticks=5)"
    )]
    TooLong,
}

/// The first twenty of these names, and how many more there are.
pub(crate) fn first(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let first = names[..names.len().min(SHOWN)].join(", ");
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { first } else { format!("{first} and {rest} more") }
}

/// Where the sink leaves the day at its end, or why there is none.
pub(crate) type Kept = Arc<OnceLock<Result<Day, Refusal>>>;

/// What a page shows.
pub(crate) struct Day {
    /// The instrument; `None` = the input did not list it.
    pub(crate) listed: Option<Listed>,
    pub(super) bars: Bars,
    pub(super) sessions: Sessions,
    pub(super) marks: Marks,
    pub(super) quality: Quality,
}

impl Day {
    /// Whether there is anything to draw.
    pub(crate) fn has_bars(&self) -> bool {
        self.bars.closed().next().is_some()
    }

    /// The calendar of the instrument.
    pub(super) fn calendar(&self) -> Calendar {
        self.listed.as_ref().map_or(Calendar::Utc, |listed| Calendar::of(listed.calendar()))
    }

    fn take(&mut self, event: &Event, listings: &Listings) -> Result<(), Full> {
        self.quality.take(event);
        self.marks.take(event, listings);
        let calendar = self.calendar();
        let profile = Sessions::READS.has(event.kind).then(|| self.sessions.take(event, calendar.code())).flatten();
        let day = |ts| self.sessions.day(calendar, ts);
        if let Some(profile) = profile {
            self.bars.stands(&profile, event.ts, day);
        }
        self.bars.take(event, day)
    }
}

/// Keeps what a page shows of one symbol.
pub(crate) struct DaySink {
    symbol: Option<String>,
    listings: Listings,
    /// How many instruments are listed.
    count: usize,
    day: Option<Day>,
    kept: Kept,
}

impl DaySink {
    /// Keeps the day of `symbol`, or of the only one that the input has, in bars of this length; `kept` has it at the end.
    pub(crate) fn new(symbol: Option<String>, interval_s: u32, kept: Kept) -> DaySink {
        let (sessions, quality) = Default::default();
        let day = Day { listed: None, bars: Bars::new(interval_s), sessions, marks: Marks::new(), quality };
        DaySink { symbol, listings: Listings::default(), count: 0, day: Some(day), kept }
    }

    /// The run need not go on: `kept` says why.
    fn refuse(&mut self, why: Refusal) -> SinkError {
        let what = why.to_string();
        self.day = None;
        // Nobody else sets it.
        let _ = self.kept.set(Err(why));
        SinkError { what, next: "no page is written", closed: true }
    }

    /// An instrument is listed: the one that is wanted, or another.
    fn listing(&mut self, instrument: u32) -> Result<(), SinkError> {
        self.count = self.listings.iter().count();
        let Some(listed) = self.listings.get(instrument).cloned() else { return Ok(()) };
        let wanted = self.symbol.as_ref().is_none_or(|symbol| *symbol == listed.symbol);
        let Some(day) = self.day.as_mut().filter(|_| wanted) else { return Ok(()) };
        match &day.listed {
            Some(known) if known.instrument != instrument && self.symbol.is_some() => {
                let venues = [known, &listed].map(|listed| listed.venue().as_str().to_owned()).to_vec();
                Err(self.refuse(Refusal::Venues(venues)))
            }
            Some(known) if known.instrument != instrument => Ok(()),
            _ => {
                day.listed = Some(listed);
                Ok(())
            }
        }
    }
}

impl Sink for DaySink {
    fn kinds(&self) -> Kinds {
        let own = Kinds::of(&[Kind::Name, Kind::Listing, Kind::Session]).or(Quality::READS);
        let marks = self.day.as_ref().map_or(Kinds::NONE, |day| day.marks.reads());
        own.or(Bars::READS).or(Sessions::READS).or(marks)
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.listings.observe(event);
        match event.kind {
            Kind::Name => return Ok(()),
            Kind::Listing => return self.listing(event.instrument),
            _ => {}
        }
        let (several, Some(day)) = (self.symbol.is_none() && self.count > 1, &mut self.day) else { return Ok(()) };
        if event.kind == Kind::Session {
            day.sessions.learn(event.record());
            return Ok(());
        }
        if several && matches!(event.kind, Kind::Trade | Kind::Bar) {
            let names = self.listings.iter().map(|listed| listed.symbol.clone()).collect();
            return Err(self.refuse(Refusal::Several(names)));
        }
        let is_ours = |listed: &Listed| event.instrument == listed.instrument || event.instrument == 0;
        if !day.listed.as_ref().is_some_and(is_ours) {
            return Ok(());
        }
        day.take(event, &self.listings).map_err(|Full| self.refuse(Refusal::TooLong))
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        if let Some(day) = self.day.take() {
            // Nobody else sets it.
            let _ = self.kept.set(Ok(day));
        }
        Ok(())
    }
}
