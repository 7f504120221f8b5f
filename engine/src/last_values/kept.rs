//! The last rows of every kind, by instrument: what is asked for by key.
//!
//! **Idea.** Of a kind as many rows are kept as somebody can ask for: the last trades, the last bars of each interval; of all
//! else the last one, of each measure, strategy or account that says it. What tells the rows of a kind apart follows from the
//! types of its fields, so a kind that comes later brings its own. Messages about single orders of the market are not kept: the
//! [books](super::books) are what they come to.
//!
//! Bound: [`ROW`] bytes a row. Worst case: an instrument with as many trades as are kept, 0.2 MB with 1,000 of them.

use crate::ingress::FeedStatuses;
use flow::{Event, Field, FieldType, KINDS, Kind, Ns};
use std::collections::VecDeque;

/// Rows that are kept of what happens now and then: signals, orders, fills, commands, anomalies.
const SOME: usize = 100;

/// Bytes of a row.
const ROW: usize = 192;
const _: () = assert!(size_of::<Row>() == ROW);

/// How much is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Trades of each instrument.
    pub trades: usize,
    /// Bars of each interval of each instrument.
    pub bars: usize,
}

/// What is kept for those who ask by key.
#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// How many rows.
    pub amounts: Amounts,
    /// The symbols, or `SYMBOL@MIC`, whose books are kept.
    pub books: Vec<String>,
    /// For how many milliseconds an instrument may be silent in market hours before it is stale; 0 = for ever.
    pub stale_ms: u64,
    /// How the sources stand.
    pub feeds: FeedStatuses,
}

/// A row: its event, and the one that completes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) first: Event,
    pub(super) second: Option<Event>,
}

impl Row {
    pub(super) fn events(&self) -> Vec<Event> {
        [self.first].into_iter().chain(self.second).collect()
    }
}

/// The last rows of a kind that are told apart from others of it.
struct Series {
    kind: Kind,
    told_by: u64,
    /// The event that another one is to complete.
    waiting: Option<Event>,
    rows: VecDeque<Row>,
}

/// What becomes of the events of a kind.
#[derive(Clone, Default)]
struct Rule {
    /// The most rows.
    most: usize,
    /// The fields that tell the rows apart.
    told_by: Vec<&'static Field>,
    /// The kind whose rows its events complete.
    completes: Option<Kind>,
    is_completed: bool,
}

/// The last rows.
pub(super) struct Kept {
    rules: Vec<Rule>,
    /// By instrument.
    of: Vec<Vec<Series>>,
    /// The last anomalies, of whatever instrument.
    anomalies: VecDeque<Row>,
    newest: Ns,
}

/// Whether a kind is neither a message about a single order of the market nor one that only drives the pipeline.
fn is_kept(kind: Kind) -> bool {
    let not = [
        Kind::Add,
        Kind::Exec,
        Kind::Cancel,
        Kind::Delete,
        Kind::Replace,
        Kind::Clear,
        Kind::Level,
        Kind::TradeVenue,
        Kind::Name,
        Kind::Cursor,
        Kind::Tick,
        Kind::Pulse,
        Kind::Watching,
        Kind::Memory,
    ];
    !not.contains(&kind)
}

impl Kept {
    pub(super) fn new(amounts: &Amounts) -> Kept {
        let mut rules = vec![Rule::default(); Kind::COUNT];
        for info in KINDS.iter().filter(|info| is_kept(info.kind)) {
            let rule = &mut rules[usize::from(info.kind.0)];
            rule.most = match info.kind {
                Kind::Trade => amounts.trades,
                Kind::Bar => amounts.bars,
                Kind::Signal | Kind::Order | Kind::Fill | Kind::Refused | Kind::Command | Kind::CommandOutcome => SOME,
                _ => 1,
            };
            let tells = |field: &&Field| match field.ty {
                FieldType::Instance | FieldType::Interval | FieldType::Account | FieldType::Strategy => true,
                _ => info.kind == Kind::Status && field.name == "what",
            };
            rule.told_by = if rule.most == 1 || info.kind == Kind::Bar {
                info.fields.iter().filter(tells).collect()
            } else {
                Vec::new()
            };
            if let Some(follows) = info.follows.filter(|follows| follows.times.is_none()) {
                (rule.completes, rule.most) = (Some(follows.first), 0);
                rules[usize::from(follows.first.0)].is_completed = true;
            }
        }
        Kept { rules, of: Vec::new(), anomalies: VecDeque::with_capacity(SOME), newest: Ns(0) }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &Event) {
        self.newest = self.newest.max(event.ts);
        if event.kind == Kind::Anomaly {
            push(&mut self.anomalies, Row { first: *event, second: None }, SOME);
        }
        let rule = &self.rules[usize::from(event.kind.0)];
        if let Some(first) = rule.completes {
            let most = self.rules[usize::from(first.0)].most;
            let waits = |series: &&mut Series| {
                series.kind == first && series.waiting.is_some_and(|waiting| waiting.source == event.source)
            };
            let of = self.of.get_mut(event.instrument as usize);
            if let Some(series) = of.and_then(|all| all.iter_mut().find(waits))
                && let Some(first) = series.waiting.take()
            {
                push(&mut series.rows, Row { first, second: Some(*event) }, most);
            }
            return;
        }
        if rule.most == 0 {
            return;
        }
        let told_by = rule.told_by.iter().fold(0, |all, field| all << 20 | field.number(&event.body));
        let (most, is_completed) = (rule.most, rule.is_completed);
        let series = self.series(event, told_by);
        if is_completed {
            series.waiting = Some(*event);
        } else {
            push(&mut series.rows, Row { first: *event, second: None }, most);
        }
    }

    fn series(&mut self, event: &Event, told_by: u64) -> &mut Series {
        let at = event.instrument as usize;
        if self.of.len() <= at {
            self.of.resize_with(at + 1, Vec::new);
        }
        let all = &mut self.of[at];
        let found = all.iter().position(|series| series.kind == event.kind && series.told_by == told_by);
        let place = found.unwrap_or_else(|| {
            all.push(Series { kind: event.kind, told_by, waiting: None, rows: VecDeque::new() });
            all.len() - 1
        });
        &mut all[place]
    }

    /// The time of the newest event.
    pub(super) fn newest(&self) -> Ns {
        self.newest
    }

    /// The last anomalies.
    pub(super) fn anomalies(&self) -> impl Iterator<Item = &Row> {
        self.anomalies.iter()
    }

    /// The rows of an instrument and kind, those of each that says it together and oldest first.
    pub(super) fn rows(&self, instrument: u32, kind: Kind) -> impl Iterator<Item = &VecDeque<Row>> {
        let of = self.of.get(instrument as usize).into_iter().flatten();
        of.filter(move |series| series.kind == kind).map(|series| &series.rows)
    }

    /// The kinds of which an instrument has rows.
    pub(super) fn kinds(&self, instrument: u32) -> Vec<Kind> {
        let of = self.of.get(instrument as usize).into_iter().flatten();
        let mut kinds: Vec<Kind> = of.filter(|series| !series.rows.is_empty()).map(|series| series.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Whether rows of a kind are kept at all; of one that completes another, they are that one's.
    pub(super) fn keeps(&self, kind: Kind) -> bool {
        self.rules[usize::from(kind.0)].most > 0
    }
}

fn push(rows: &mut VecDeque<Row>, row: Row, most: usize) {
    if rows.len() >= most {
        rows.pop_front();
    }
    rows.push_back(row);
}
