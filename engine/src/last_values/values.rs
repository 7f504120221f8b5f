//! What is kept of the events of a run.
//!
//! Totals are those of a [copy of the tail](crate::pipeline::TailCopy); a journal that follows another begins with the state that
//! its tail had, so they are those of the whole run. Counts of events begin where the reader does: with the current journal. Bound: one entry a listing, position, source and kind.

use super::books::Books;
use super::follower_lag::FollowerLag;
use super::kept::{Keeping, Kept};
use super::silence::Silence;
use crate::config::Draft;
use crate::config::keys::{self, ClockKind};
use crate::ingress::FeedStatuses;
use crate::pipeline::{Holder, Pnl, Purse, TailCopy, TailStats};
use crate::recovery::{LimitNow, Limits, Notices, Past, RecoveryError, Snapshot};
use crate::registries::Registries;
use crate::report::sums;
use flow::records::{CommandOutcome, Position, PositionMoney};
use flow::{Account, Event, Kind, Kinds, Ns, StateReader, TradingState};
use sinks::journal::{Followed, Home};
use stages::Instances;
use std::collections::BTreeMap;
use std::path::Path;

/// What came of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceTally {
    /// Its inputs since this reader began.
    pub inputs: u64,
    /// When the last one entered, by the clock of the run.
    pub last: Ns,
}

/// The last values of a run; see the module.
pub struct Values {
    /// The names of strategies, measures and tables of limits.
    pub instances: Instances,
    /// Behind what has been read; `None` before the first look.
    pub reached: Option<sinks::journal::Position>,
    /// The followers of the run.
    pub followers: Vec<FollowerLag>,
    /// Pieces of the journal that this reader found missing.
    pub gaps: u64,
    tail: TailCopy,
    limits: Limits,
    sources: BTreeMap<u8, SourceTally>,
    commands: BTreeMap<(u32, u16), u64>,
    counts: BTreeMap<Kind, u64>,
    recorded: Kinds,
    pub(super) kept: Kept,
    pub(super) books: Option<Books>,
    pub(super) feeds: FeedStatuses,
    pub(super) silence: Silence,
    /// Whether the clock is that of the host.
    pub(super) is_wall: bool,
}

impl Values {
    /// Those where the current journal of a run begins.
    ///
    /// # Errors
    /// When what it begins with cannot be read.
    pub(super) fn begin(home: &Home, keeping: &Keeping, notices: Notices) -> Result<Values, RecoveryError> {
        let member = home.current();
        let (text, instruments) = (&member.info.config_text, member.info.instruments);
        let settings = Draft::recorded(text, Path::new("journal.toml"), &Registries::default()).settings;
        let instances = settings.instances.clone();
        let mut tail = TailCopy::new(instruments, &instances);
        let start = Snapshot::start(member, Past::Left, notices)?;
        let mut books = Books::new(&keeping.books, &settings, instruments, start.is_none());
        if let Some(start) = start {
            for event in start.defined() {
                tail.take(&event);
                books.iter_mut().for_each(|books| books.take(&event, &tail.stats().listings));
            }
            tail.load(&mut StateReader::new(&start.listings(), start.tail()?))?;
        }
        Ok(Values {
            instances,
            reached: None,
            followers: Vec::new(),
            gaps: 0,
            tail,
            limits: Limits::at_beginning(home)?,
            sources: BTreeMap::new(),
            commands: BTreeMap::new(),
            counts: BTreeMap::new(),
            recorded: member.info.outcome_kinds,
            kept: Kept::new(&keeping.amounts),
            books,
            feeds: keeping.feeds.clone(),
            silence: Silence::new(settings.calendars().0, keeping.stale_ms),
            is_wall: settings.pipeline.get(keys::CLOCK) == ClockKind::Wall,
        })
    }

    /// Takes what the journal gave.
    pub(super) fn take(&mut self, found: &Followed) {
        let event = match found {
            Followed::Event(event) => event,
            Followed::Gap(_) => {
                self.gaps += 1;
                self.books.iter_mut().for_each(Books::miss);
                return;
            }
        };
        self.tail.take(event);
        if !event.is_echo() {
            *self.counts.entry(event.kind).or_default() += 1;
            self.kept.take(event);
        }
        if event.id.position() == flow::POSITION_INGRESS {
            self.input(event);
        }
        if let Some(outcome) = event.get::<CommandOutcome>() {
            *self.commands.entry((outcome.action, outcome.result)).or_default() += 1;
        }
    }

    fn input(&mut self, input: &Event) {
        let tally = self.sources.entry(input.source).or_insert(SourceTally { inputs: 0, last: input.ts });
        (tally.inputs, tally.last) = (tally.inputs + 1, input.ts);
        self.silence.take(input);
        self.books.iter_mut().for_each(|books| books.take(input, &self.tail.stats().listings));
        if input.kind == Kind::Command {
            self.limits.input(input);
        }
    }

    /// The totals of the run.
    pub fn stats(&self) -> &TailStats {
        self.tail.stats()
    }

    /// Events by kind since this reader began, each once: what comes back to the head is not counted again. Those that never came are
    /// left out.
    pub fn counts(&self) -> &BTreeMap<Kind, u64> {
        &self.counts
    }

    /// Whether outcomes of that kind are recorded; of others nothing is known here.
    pub fn records(&self, kind: Kind) -> bool {
        self.recorded.has(kind)
    }

    /// What came of each source since this reader began, by its number.
    pub fn sources(&self) -> &BTreeMap<u8, SourceTally> {
        &self.sources
    }

    /// The results of commands since this reader began, by the codes of action and result.
    pub fn commands(&self) -> &BTreeMap<(u32, u16), u64> {
        &self.commands
    }

    /// How many instruments are stale: without market data for too long, in market hours.
    pub fn stale(&self) -> usize {
        self.silence.stale(self.stats().listings.iter(), self.now()).len()
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> impl Iterator<Item = LimitNow> + '_ {
        self.limits.in_force()
    }

    /// The positions, with their money as of the last change.
    pub fn positions(&self) -> BTreeMap<Holder, (Position, PositionMoney)> {
        self.stats().trades.positions(&TradingState::default())
    }

    /// Profit and fees of all positions, by account and currency; what is unrealised as of the last change of each.
    pub fn money(&self) -> BTreeMap<Purse, Pnl> {
        sums(&self.positions(), &self.stats().listings)
    }

    /// The largest size of a position, in smallest units, of one account in one instrument; 0 if there is none.
    pub fn largest_position(&self) -> u64 {
        let mut held = BTreeMap::<(Account, u32), i64>::new();
        for ((account, _, instrument), (position, _)) in self.positions() {
            *held.entry((account, instrument)).or_default() += position.qty;
        }
        held.values().map(|qty| qty.unsigned_abs()).max().unwrap_or(0)
    }
}
