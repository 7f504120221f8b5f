//! For how long an instrument's market data has been silent, and whether that is too long.
//!
//! A feed that dies says nothing: what it said last looks like the present. So the time of the last market data of every instrument is
//! kept, and whoever asks is told how long ago it came, by the clock of the run. Nothing is emitted and no timer runs: silence is a
//! matter of when somebody looks. It counts in market hours alone, and from their beginning, since a market that is closed has nothing
//! to say; from the beginning of this reader where nothing has come since.
//!
//! Bound: 8 bytes an instrument, 2 times a source. Worst case: one look at all instruments, with the hours of each calendar looked up once.

use flow::records::Status;
use flow::{Calendar, Calendars, Event, Hours, Kind, Kinds, Listed, MarketHours, Ns, SessionPhase};
use std::collections::BTreeMap;

/// What shows that an instrument's feed lives: that messages are missing does not.
const HEARD: Kinds = Kinds::MARKET_DATA.without(Kinds::of(&[Kind::Gap]));

/// When the feeds were last heard.
pub(super) struct Silence {
    /// By instrument; [`Ns::NONE`] where nothing was heard.
    heard: Vec<Ns>,
    /// The sources that said that market hours are over, and when.
    over: BTreeMap<u8, Ns>,
    calendars: Calendars,
    /// The first time that was seen.
    begun: Option<Ns>,
    /// How long is too long; 0 = nothing is.
    most: Ns,
}

/// How an instrument's feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it has been silent for too long; `None` where the hours of its market are not known.
    pub(super) is_stale: Option<bool>,
    /// What its market does.
    pub(super) phase: SessionPhase,
    /// When its last market data came, if any has.
    pub(super) heard: Option<Ns>,
    /// For how long there has been none in market hours; `None` outside them.
    pub(super) silent: Option<Ns>,
}

/// What a market does at an instant, and since when its hours last.
#[derive(Clone, Copy)]
struct Market {
    phase: SessionPhase,
    open: Ns,
}

impl Silence {
    /// By these calendars; silence of `most_ms` milliseconds is too long, 0 = none is.
    pub(super) fn new(calendars: Calendars, most_ms: u64) -> Silence {
        Silence { heard: Vec::new(), over: BTreeMap::new(), calendars, begun: None, most: Ns(most_ms * 1_000_000) }
    }

    /// Takes an input.
    pub(super) fn take(&mut self, input: &Event) {
        self.begun.get_or_insert(input.ts);
        let hours = input.get::<Status>().filter(|_| input.instrument == 0).and_then(MarketHours::of);
        match hours {
            Some(MarketHours::Over) => self.over.insert(input.source, input.ts),
            Some(MarketHours::On) => self.over.remove(&input.source),
            None => None,
        };
        if input.instrument != 0 && HEARD.has(input.kind) {
            let at = input.instrument as usize;
            if self.heard.len() <= at {
                self.heard.resize(at + 1, Ns::NONE);
            }
            self.heard[at] = input.ts;
        }
    }

    /// How an instrument's feed stands at an instant.
    pub(super) fn of(&self, listed: &Listed, now: Ns) -> Standing {
        self.standing(listed, self.market(Calendar::of(listed.calendar()), now), now)
    }

    /// Those of these instruments that are stale at an instant.
    pub(super) fn stale<'a>(&self, listed: impl Iterator<Item = &'a Listed>, now: Ns) -> Vec<(&'a Listed, Standing)> {
        let markets: Vec<Market> = Calendar::ALL.iter().map(|calendar| self.market(*calendar, now)).collect();
        let market = |one: &Listed| markets[usize::from(Calendar::of(one.calendar()).code())];
        let of = |one: &'a Listed| (one, self.standing(one, market(one), now));
        listed.map(of).filter(|(_, standing)| standing.is_stale == Some(true)).collect()
    }

    fn market(&self, calendar: Calendar, now: Ns) -> Market {
        let (day, hours) = self.calendars.day(calendar, now);
        let open = if let Hours::Open(hours) = hours { hours.open } else { day.start };
        Market { phase: hours.phase(now), open }
    }

    fn standing(&self, listed: &Listed, market: Market, now: Ns) -> Standing {
        let heard = self.heard.get(listed.instrument as usize).copied().filter(|ts| *ts != Ns::NONE);
        // What the venue says of its hours goes before the calendar, on the date on which it says so.
        let is_over = self.over.get(&listed.source).is_some_and(|ts| *ts >= market.open);
        let phase = if is_over && market.phase == SessionPhase::Open { SessionPhase::Closed } else { market.phase };
        let since = market.open.max(heard.or(self.begun).unwrap_or(now));
        let silent = (phase == SessionPhase::Open).then(|| Ns(now.0.saturating_sub(since.0)));
        let is_stale = match phase {
            SessionPhase::Unknown => None,
            _ => Some(self.most.0 > 0 && silent.is_some_and(|silent| silent >= self.most)),
        };
        Standing { is_stale, phase, heard, silent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::{Gap, Listing, Quote, Trade};
    use flow::{Flags, Record, StatusKind};

    /// Friday 2026-11-27, a half-day: 09:30 and 13:00 in New York, and a second.
    const OPEN: u64 = 1_795_789_800;
    const CLOSE: u64 = OPEN + 3 * 3_600 + 1_800;

    fn at(second: u64) -> Ns {
        Ns(second * Ns::SECOND)
    }

    fn listed(instrument: u32, calendar: [u8; 4]) -> Listed {
        let terms = Listing { calendar, ..Listing::default() };
        Listed { instrument, source: 1, symbol: format!("S{instrument}"), terms }
    }

    fn told<R: Record>(second: u64, instrument: u32, record: &R) -> Event {
        Event { source: 1, ..Event::new(at(second), instrument, Flags::NONE, record) }
    }

    fn silence() -> Silence {
        Silence::new(Calendars::of_this_build(), 5_000)
    }

    #[track_caller]
    fn is_stale(silence: &Silence, calendar: &[u8; 4], second: u64) -> Option<bool> {
        silence.of(&listed(7, *calendar), at(second)).is_stale
    }

    #[test]
    fn five_seconds_without_data_are_stale_and_the_next_message_ends_it() {
        let mut silence = silence();
        silence.take(&told(OPEN + 100, 7, &Trade::default()));
        let of = |silence: &Silence, second| is_stale(silence, b"XNYS", second);
        assert_eq!((of(&silence, OPEN + 104), of(&silence, OPEN + 105)), (Some(false), Some(true)));
        silence.take(&told(OPEN + 110, 8, &Trade::default()));
        assert_eq!(of(&silence, OPEN + 110), Some(true), "another instrument's");
        silence.take(&told(OPEN + 111, 7, &Gap::default()));
        assert_eq!(of(&silence, OPEN + 111), Some(true), "a gap is no data");
        silence.take(&told(OPEN + 112, 7, &Quote::default()));
        let standing = silence.of(&listed(7, *b"XNYS"), at(OPEN + 113));
        let wanted = Standing {
            is_stale: Some(false),
            phase: SessionPhase::Open,
            heard: Some(at(OPEN + 112)),
            silent: Some(at(1)),
        };
        assert_eq!(standing, wanted);
    }

    #[test]
    fn a_closed_market_is_not_stale_and_an_open_one_is_five_seconds_after_it_opened() {
        let mut silence = silence();
        silence.take(&told(OPEN - 4_000, 7, &Trade::default()));
        let of = |second| is_stale(&silence, b"XNYS", second);
        assert_eq!([OPEN - 1, OPEN + 4, OPEN + 5, CLOSE - 1].map(of), [false, false, true, true].map(Some));
        assert_eq!([CLOSE, CLOSE + 9_999, CLOSE + 86_400].map(of), [Some(false); 3], "a half-day, and a Saturday");
        assert_eq!(silence.of(&listed(7, *b"XNYS"), at(CLOSE)).silent, None);
    }

    #[test]
    fn hours_that_are_not_known_are_not_judged_and_a_market_without_hours_always_is() {
        let mut silence = silence();
        silence.take(&told(OPEN, 7, &Trade::default()));
        assert_eq!(is_stale(&silence, b"XEUR", OPEN + 999), None);
        assert_eq!(is_stale(&silence, b"----", CLOSE + 86_400), Some(true));
    }

    #[test]
    fn what_was_never_heard_is_stale_from_where_reading_began() {
        let mut silence = silence();
        assert_eq!(is_stale(&silence, b"XNYS", OPEN + 50), Some(false), "nothing was read");
        silence.take(&told(OPEN + 50, 8, &Trade::default()));
        let of = |second| is_stale(&silence, b"XNYS", second);
        assert_eq!([OPEN + 54, OPEN + 55].map(of), [Some(false), Some(true)]);
        let all = [7, 8, 9].map(|instrument| listed(instrument, *b"XNYS"));
        let stale = |second| -> Vec<u32> {
            silence.stale(all.iter(), at(second)).iter().map(|(one, _)| one.instrument).collect()
        };
        assert_eq!((stale(OPEN + 54), stale(OPEN + 55)), (vec![], vec![7, 8, 9]));
        silence.take(&told(OPEN + 55, 8, &Trade::default()));
        let stale: Vec<u32> = silence.stale(all.iter(), at(OPEN + 56)).iter().map(|(one, _)| one.instrument).collect();
        assert_eq!(stale, [7, 9]);
    }

    #[test]
    fn a_venue_that_closes_early_is_believed_until_it_opens_again() {
        let mut silence = silence();
        let say = |second, code| {
            let status = Status { code, what: StatusKind::Session.code(), ..Status::default() };
            told(second, 0, &status)
        };
        silence.take(&told(OPEN, 7, &Trade::default()));
        silence.take(&say(OPEN + 60, *b"M\0\0\0"));
        let of = |silence: &Silence, second| is_stale(silence, b"XNYS", second);
        assert_eq!(of(&silence, OPEN + 600), Some(false));
        let monday = OPEN + 3 * 86_400;
        assert_eq!(of(&silence, monday + 5), Some(true), "that it was over on Friday says nothing of Monday");
        silence.take(&say(OPEN + 700, *b"Q\0\0\0"));
        assert_eq!(of(&silence, OPEN + 701), Some(true));
    }

    #[test]
    fn without_a_limit_nothing_is_stale() {
        let mut silence = Silence::new(Calendars::of_this_build(), 0);
        silence.take(&told(OPEN, 7, &Trade::default()));
        let standing = silence.of(&listed(7, *b"XNYS"), at(OPEN + 900));
        assert_eq!((standing.is_stale, standing.silent), (Some(false), Some(at(900))));
    }
}
