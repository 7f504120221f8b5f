//! Starts a new journal with what an old one left, so that another build or configuration can take over.
//!
//! Nothing of the old journal is replayed through the pipeline, which may now compute something else. Its inputs show
//! what was filled and busted, its outcomes which orders left. The new journal starts with a command that records the
//! carry-over, the listings that were traded, order counters far enough ahead, and every fill with its cost and every
//! bust, so positions and fees come out as they were. An instrument is the same by its key, symbol and venue, so the inputs
//! of the new run may be others. Orders that may be open are cancelled and queried at the venue before anything new is sent.
//! What is sealed of the old journal is checked first. Limits and parameters set by commands stay in force; so does a halt.
//!
//! Which orders may be open is in the old journal alone. So the first command says at which venues there are some, and each
//! gateway says in the new journal when it has settled them (a `sent` of a cancel of all that follows from no route). A run that
//! was killed before that reads the old journal again, with what the venues have said of its orders since.
//! Bound: the old logs are read twice; fills and orders are held in memory meanwhile.

use super::actors::Actors;
use super::counters::{SKIPPED, skip_counters};
use super::definitions::Definitions;
use super::halt_note::HaltNote;
use super::limits::Limits;
use super::memory::{Owners, Remembered};
use super::notices::Notices;
use super::parameters::Parameters;
use super::past::{Past, Routed, order_of, route_of};
use super::snapshot_error::SnapshotError;
use crate::config::{Draft, Settings};
use crate::gateway::is_numbered;
use crate::ingress::{Asker, OperatorCommand};
use flow::records::{
    Ack, Bust, Cancelled, Command, DropCopy, Fill, OrderStatus, Reject, ReplaceRequest, Request, Sent,
};
use flow::{
    Action, CommandAction, CopyOf, Event, EventId, Flags, Gateway, Kind, KnownOrder, Ns, OpenOrder, OrderId,
    OrderState, Qty, SOURCE_OPERATOR,
};
use sinks::journal::{Home, Journal, JournalError, JournalReader, LogKind, Member};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Why a journal cannot be carried over.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// It cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// It traded more instruments than the new run may have.
    #[error("{}: {traded} instruments were traded, and pipeline.max_instruments is {limit}: raise it", dir.display())]
    Instruments {
        /// The journal.
        dir: PathBuf,
        /// How many were traded.
        traded: usize,
        /// How many there may be.
        limit: u32,
    },
    /// What its stages have learned is not written as of its end.
    #[error(
        "{}: what its measures and strategies have learned is not written as of its end (input {last}), because the run was killed: let the build that wrote it derive it (tidegate snapshot --journal {}), or leave it out with --without-memory",
        dir.display(), dir.display()
    )]
    Forgotten {
        /// The journal.
        dir: PathBuf,
        /// Its last input.
        last: u64,
    },
    /// Orders may be open at a venue that the new run does not open.
    #[error(
        "{}: {orders} orders may be open at the venue {venue}, to which no order of this configuration goes: name it there, or cancel them and carry over what is then left",
        dir.display()
    )]
    Venue {
        /// The journal.
        dir: PathBuf,
        /// The venue.
        venue: String,
        /// How many there are.
        orders: usize,
    },
    /// What its stages have learned cannot be read.
    #[error("{0}")]
    Memory(#[from] SnapshotError),
    /// The new journal was started, but lacks a part of what was to be carried over.
    #[error("{}: this journal holds only a part of what it was to carry over; start it again with --carry-over and the earlier journal", .0.display())]
    Incomplete(PathBuf),
}

/// What a new journal starts with.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Its first inputs, in order.
    pub first: Vec<Event>,
    /// Orders that may be open at the venues of gateways.
    pub open: BTreeMap<Gateway, Vec<KnownOrder>>,
}

/// An earlier journal, from which a new one carries over.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Its folder.
    pub dir: PathBuf,
    /// What its measures and strategies have learned is left out.
    pub without_memory: bool,
}

/// What an earlier journal carries over to a new one with `settings`, of whose stages `owners` have something that lasts; `since`
/// is that new one, if it has begun.
///
/// # Errors
/// When it is in use, damaged, cannot be read, or traded more instruments than there may be now; or when it was stopped.
pub(super) fn carry_over(
    earlier: &Earlier,
    settings: &Settings,
    owners: &Owners,
    since: Option<&JournalReader>,
    (stop, notices): (&AtomicBool, Notices),
) -> Result<Carried, CarryError> {
    let dir = earlier.dir.as_path();
    let home = Home::open(dir)?;
    // Nobody goes on with it while it is read.
    let _lock = Journal::lock(&home.current().dir)?;
    notices.lost_memory(dir, home.current().reader().lost_memory());
    let mut left = Left::of(home.journals(), settings, stop)?;
    left.halted |= HaltNote::outstanding(dir)?.is_some();
    let memory = if earlier.without_memory || owners.is_empty() { None } else { Some(left.remembered(dir)?) };
    let (traded, limit) = (left.known(memory.as_ref(), owners), settings.instrument_bound() - 1);
    if traded.len() > limit as usize {
        return Err(CarryError::Instruments { dir: dir.to_owned(), traded: traded.len(), limit });
    }
    let memory = memory.map(|memory| memory.inputs(owners, |key| traded.get(left.keys.get(key)?).copied()));
    let now = venues_of(settings);
    left.check_venues(dir, &now)?;
    since.into_iter().for_each(|new| left.answered_since(new, &now));
    Ok(left.carried(&traded, memory.unwrap_or_default(), settings, &now))
}

/// What these journals of a run leave, the oldest first, as inputs and the routes of orders that may be open; read in their
/// place, they leave the same.
///
/// # Errors
/// When one of them is damaged or cannot be read, or it was stopped.
pub(super) fn left_before(
    journals: &[Member],
    settings: &Settings,
    stop: &AtomicBool,
) -> Result<[Vec<Event>; 2], CarryError> {
    let left = Left::of(journals, settings, stop)?;
    let known = left.definitions.instruments().chain(left.known(None, &Owners::new()).into_keys());
    let same = venues_of(settings);
    let Carried { first, open } = left.carried(&known.map(|i| (i, i)).collect(), Vec::new(), settings, &same);
    let mut again = Left::default();
    first.iter().for_each(|input| again.input(input));
    let filled = |order: &OpenOrder| again.filled.get(&order.order_id.0).copied().unwrap_or(0);
    let open = open.iter().flat_map(|(gateway, orders)| orders.iter().map(move |open| (gateway.venue(), open)));
    let routes = open.map(|(venue, known)| {
        let KnownOrder { order, qty, executed, .. } = known;
        Routed { venue, order: *order, qty: qty.0 - executed.0 + filled(order) }
    });
    Ok([first, routes.map(|routed| route_of(&routed)).collect()])
}

/// How many inputs the journal carries over, as its first command states, 0 when it carries nothing over; and the gateways
/// that have yet to settle the orders of the earlier one.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn yet_to_carry(reader: &JournalReader) -> Result<(u64, Vec<Gateway>), JournalError> {
    let mut inputs = reader.inputs();
    let first = inputs.next().transpose()?;
    let Some(begins) = first.as_ref().and_then(Event::get::<Command>).filter(|c| is_carried_over(c)) else {
        return Ok((0, Vec::new()));
    };
    let mut left = gateways(begins.new);
    while !left.is_empty()
        && let Some(Ok(input)) = inputs.next()
    {
        left.retain(|gateway| !settles_earlier(&input, *gateway));
    }
    Ok((begins.target.into(), left))
}

/// Whether a gateway says that the orders of the earlier journal are settled.
fn settles_earlier(input: &Event, gateway: Gateway) -> bool {
    let is_last = |sent: &Sent| sent.action == Action::CancelAll.code() && sent.cause == 0;
    input.source == gateway.source() && input.get::<Sent>().is_some_and(is_last)
}

/// A set of gateways as a number, one bit each.
fn number_of<'a>(gateways: impl Iterator<Item = &'a Gateway>) -> i64 {
    gateways.fold(0, |set, gateway| set | 1 << gateway.number())
}

fn gateways(set: i64) -> Vec<Gateway> {
    (0..Gateway::MOST).filter(|number| set >> number & 1 == 1).map(Gateway::new).collect()
}

fn is_carried_over(command: &Command) -> bool {
    command.action == CommandAction::CarriedOver.code()
}

/// What the old logs leave.
#[derive(Default)]
struct Left {
    last_seq: u64,
    /// The gateways of that run, by their numbers, and how many messages of each of their venues are recorded.
    venues: Vec<String>,
    answers: BTreeMap<Gateway, u64>,
    halted: bool,
    limits: Limits,
    params: Parameters,
    /// The operators who gave commands.
    actors: Actors,
    /// The highest order id counter.
    counter: u64,
    /// How far counters were skipped.
    skipped: u64,
    /// Name and listing by instrument.
    definitions: Definitions,
    /// Instruments by key.
    keys: BTreeMap<String, u32>,
    /// Fills, their costs and busts, in input order.
    fills: Vec<Event>,
    filled: BTreeMap<u64, u64>,
    /// Fills by order and match id; one that is reported twice counts once.
    executed: BTreeSet<(u64, u64)>,
    /// Fills that were busted and not corrected.
    busted: BTreeSet<(u64, u64)>,
    /// Orders that are no longer live at the venue.
    ended: BTreeSet<u64>,
    /// The sources of the venues that number nothing.
    unnumbered: BTreeSet<u8>,
    /// Orders that left.
    left: BTreeMap<u64, Routed>,
}

impl Left {
    /// Of these journals of a run, the oldest first.
    fn of(journals: &[Member], settings: &Settings, stop: &AtomicBool) -> Result<Left, CarryError> {
        let config = journals.first().map_or("", |first| &first.info.config_text);
        let venues = venues_of(&Draft::recorded(config, Path::new("journal.toml"), &settings.registries).settings);
        let mut left = Left { venues, limits: Limits::of(config), params: Parameters::of(config), ..Left::default() };
        let past = Past::of(journals)?;
        past.inputs.iter().for_each(|input| left.input(input));
        past.routes.iter().for_each(|route| left.outcome(route));
        left.last_seq = past.through;
        for member in past.journals {
            let reader = member.reader();
            reader.check(&LogKind::BOTH, stop)?;
            for input in reader.inputs() {
                left.input(&input?);
            }
            for outcome in reader.outcomes() {
                left.outcome(&outcome?);
            }
        }
        Ok(left)
    }

    fn count(&mut self, input: &Event) {
        if let Some(gateway) = Gateway::of_source(input.source).filter(|_| is_numbered(input)) {
            *self.answers.entry(gateway).or_default() += 1;
        }
    }

    fn input(&mut self, input: &Event) {
        self.last_seq = input.id.seq();
        self.count(input);
        self.limits.input(input);
        self.params.input(input);
        self.actors.input(input);
        self.answer(input);
        match input.kind {
            Kind::Name | Kind::Listing => self.definitions.take(input),
            Kind::Halt => self.halted = true,
            Kind::Command => self.command(input.record()),
            _ => {}
        }
    }

    /// What a venue says.
    fn answer(&mut self, input: &Event) {
        match input.kind {
            Kind::Sent => self.seen(input.record::<Sent>().order_id),
            Kind::Fill => {
                let fill: &Fill = input.record();
                self.seen(fill.order_id);
                // A correction does not fill any more of the order, nor does a fill that is reported twice.
                let name = (fill.order_id, fill.match_id);
                if !self.busted.remove(&name) && (fill.match_id == 0 || self.executed.insert(name)) {
                    *self.filled.entry(fill.order_id).or_default() += fill.qty.0;
                }
                self.fills.push(*input);
            }
            Kind::FillCost => self.fills.push(*input),
            Kind::DropCopy if input.record::<DropCopy>().what == CopyOf::Execution.code() => {
                // Of what is not listed here nothing was booked.
                self.fills.extend(Some(*input).filter(|copy| copy.instrument != 0));
            }
            Kind::Reconciled => drop(self.unnumbered.insert(input.source)),
            Kind::OrderStatus => {
                self.unnumbered.insert(input.source);
                let OrderStatus { order_id, missing, state, .. } = *input.record();
                let is_over = OrderState::from_code(state).is_some_and(|state| state != OrderState::Open);
                if is_over && missing.0 == 0 {
                    self.ended.insert(order_id);
                }
            }
            Kind::Bust => {
                let bust: &Bust = input.record();
                self.busted.insert((bust.order_id, bust.match_id));
                self.fills.push(*input);
            }
            Kind::Ack => {
                let ack: &Ack = input.record();
                if ack.replaces != 0 {
                    let inherited = self.filled.get(&ack.replaces).copied().unwrap_or(0);
                    *self.filled.entry(ack.order_id).or_default() += inherited;
                    self.ended.insert(ack.replaces);
                }
            }
            Kind::Reject => {
                let reject: &Reject = input.record();
                if reject.action != Action::Cancel.code() {
                    self.ended.insert(reject.order_id);
                }
            }
            // Executions may be missing of what a venue that numbers nothing has not been asked for since.
            Kind::Cancelled if self.unnumbered.contains(&input.source) => {}
            Kind::Cancelled => {
                self.ended.insert(input.record::<Cancelled>().order_id);
            }
            _ => {}
        }
    }

    fn command(&mut self, command: &Command) {
        match CommandAction::from_code(command.action) {
            Some(CommandAction::Halt) => self.halted = true,
            Some(CommandAction::Resume) => self.halted = false,
            Some(CommandAction::SkipCounters) => self.skipped += u64::try_from(command.new).unwrap_or(0),
            Some(CommandAction::Received) if (command.target as usize) < Gateway::MOST => {
                let count = u64::try_from(command.new).unwrap_or(0);
                *self.answers.entry(Gateway::new(command.target as usize)).or_default() += count;
            }
            _ => {}
        }
    }

    fn seen(&mut self, order_id: u64) {
        self.counter = self.counter.max(OrderId(order_id).counter());
    }

    /// `orders` assigns ids, so they appear in its requests; orders that left appear in routes.
    fn outcome(&mut self, outcome: &Event) {
        if let Some(request) = outcome.get::<Request>() {
            self.seen(request.order_id);
        } else if let Some(request) = outcome.get::<ReplaceRequest>() {
            self.seen(request.new_id);
        } else if let Some(routed) = order_of(outcome) {
            self.seen(routed.order.order_id.0);
            self.left.insert(routed.order.order_id.0, routed);
        }
    }

    /// The orders that may be open at venues outside the process, or may have executions that were not told.
    fn open(&self) -> impl Iterator<Item = (Gateway, Routed)> {
        let filled = |id: &u64| self.filled.get(id).copied().unwrap_or(0);
        let open = self.left.iter().filter(move |(id, routed)| !self.ended.contains(id) && filled(id) < routed.qty);
        open.filter_map(|(_, routed)| Some((Gateway::of_venue(routed.venue)?, *routed)))
    }

    /// The gateway of the new run whose venue has the name of this one.
    fn gateway_now(&self, before: Gateway, now: &[String]) -> Option<Gateway> {
        let name = self.venues.get(before.number())?;
        now.iter().position(|venue| venue == name).map(Gateway::new)
    }

    /// Whether every order that may be open is at a venue that the new run opens.
    fn check_venues(&self, dir: &Path, now: &[String]) -> Result<(), CarryError> {
        let gone = |(gateway, _): &(Gateway, Routed)| self.gateway_now(*gateway, now).is_none();
        let Some((gateway, _)) = self.open().find(gone) else { return Ok(()) };
        let venue = self.venues.get(gateway.number()).cloned().unwrap_or_default();
        let orders = self.open().filter(|(at, _)| *at == gateway).count();
        Err(CarryError::Venue { dir: dir.to_owned(), venue, orders })
    }

    /// Takes what the venues, whose gateways are `now` these, have said of its orders in the journal that carries it over.
    fn answered_since(&mut self, new: &JournalReader, now: &[String]) {
        let (fills, counter) = (self.fills.len(), self.counter);
        for input in new.inputs().map_while(Result::ok) {
            let venue = Gateway::of_source(input.source).and_then(|gateway| now.get(gateway.number()));
            let before = venue.and_then(|name| self.venues.iter().position(|venue| venue == name));
            before.into_iter().for_each(|at| self.answer(&Event { source: Gateway::new(at).source(), ..input }));
        }
        // These are in the new journal, whose orders count for themselves.
        self.fills.truncate(fills);
        self.counter = counter;
    }

    /// What its stages have learned, as of its end.
    fn remembered(&mut self, dir: &Path) -> Result<Remembered, CarryError> {
        let memory = Remembered::latest(dir)?.filter(|memory| memory.seq == self.last_seq);
        let listings = self.definitions.listings();
        self.keys = listings.iter().map(|listed| (listings.key(listed.instrument), listed.instrument)).collect();
        memory.ok_or(CarryError::Forgotten { dir: dir.to_owned(), last: self.last_seq })
    }

    /// The instruments that matter in the new journal, which numbers them anew: the first to be listed there, from 1.
    fn known(&self, memory: Option<&Remembered>, owners: &Owners) -> BTreeMap<u32, u32> {
        let filled = self.fills.iter().map(|fill| fill.instrument);
        let learned = memory.iter().flat_map(|memory| memory.of(owners));
        let learned = learned.filter_map(|(_, row)| self.keys.get(&row.instrument).copied());
        let open = self.open().map(|(_, routed)| routed.order.instrument);
        let all: BTreeSet<u32> = filled.chain(open).chain(learned).chain(self.params.instruments()).collect();
        all.into_iter().zip(1..).collect()
    }

    /// What a run with these `settings` and gateways begins with.
    fn carried(
        &self,
        traded: &BTreeMap<u32, u32>,
        memory: Vec<Event>,
        settings: &Settings,
        venues: &[String],
    ) -> Carried {
        let mut open = BTreeMap::<Gateway, Vec<KnownOrder>>::new();
        for (before, Routed { order, qty, .. }) in self.open() {
            let id = order.order_id.0;
            let known = KnownOrder {
                order: OpenOrder { instrument: traded[&order.instrument], ..order },
                qty: Qty(qty),
                // What the venue acknowledged is in the earlier journal.
                acknowledged: false,
                executed: Qty(self.filled.get(&id).copied().unwrap_or(0)),
                matches: self.executed.range((id, 0)..=(id, u64::MAX)).map(|(_, name)| *name).collect(),
            };
            let gateway = self.gateway_now(before, venues);
            gateway.into_iter().for_each(|gateway| open.entry(gateway).or_default().push(known.clone()));
        }
        let anew = |event: &Event| Event { instrument: traded[&event.instrument], ..*event };
        let listings = traded.keys().flat_map(|i| self.definitions.get(*i)).map(anew);
        let fills = self.fills.iter().map(anew).map(|f| Event { flags: f.flags.with(Flags::SNAPSHOT), ..f });
        let mut first = self.received(venues);
        first.extend(listings);
        first.push(skip_counters(self.counter.max(self.skipped) + SKIPPED));
        first.extend(self.limits.commands(settings, &self.actors));
        let set = self.params.commands(settings, &self.definitions.listings(), &self.actors);
        first.extend(set.iter().map(|event| if event.instrument == 0 { *event } else { anew(event) }));
        first.extend(fills);
        // Behind the fills: a stop price is that of the position that they make.
        first.extend(memory);
        if self.halted {
            first.push(OperatorCommand::plain(CommandAction::Halt, Asker::ENGINE).event());
        }
        let begins = OperatorCommand {
            target: u32::try_from(first.len() + 1).unwrap_or(u32::MAX),
            old: clip(self.last_seq),
            new: number_of(open.keys()),
            ..OperatorCommand::plain(CommandAction::CarriedOver, Asker::ENGINE)
        };
        let first = std::iter::once(begins.event()).chain(first);
        // They enter as the engine's own commands, so no source counts them as its inputs.
        let own = |event| Event { id: EventId(0), ts: Ns(0), source: SOURCE_OPERATOR, ..event };
        Carried { first: first.map(own).collect(), open }
    }

    /// How many messages of each venue are recorded.
    fn received(&self, venues: &[String]) -> Vec<Event> {
        let received = self.answers.iter().filter_map(|(before, count)| {
            let target = self.gateway_now(*before, venues)?.number() as u32;
            let plain = OperatorCommand::plain(CommandAction::Received, Asker::ENGINE);
            Some(OperatorCommand { target, new: clip(*count), ..plain }.event())
        });
        received.collect()
    }
}

/// The names of the venues of gateways, by their numbers.
fn venues_of(settings: &Settings) -> Vec<String> {
    let routing = settings.order_routing().unwrap_or_default();
    routing.gateways.into_iter().map(|gateway| gateway.name).collect()
}

fn clip(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
