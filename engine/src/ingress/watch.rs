//! Which symbols of a source are watched.
//!
//! The idea: an input of the configuration may name the symbols that it is to bring. What a source gives of others is left out
//! between its poll and its queue, so it is the same for every feed, and an input of which all is watched pays nothing. The
//! source learns it as well and may spare itself the work; what it leaves out itself it counts, so a place among its inputs is the
//! same either way. Of what is watched a run may read one part in many ([`Shard`]). The choice can change while the run goes on: what is newly watched is
//! listed then, from the definition that was put by, and a `gap` of its instrument says that it begins in the middle; what is
//! watched no more gets one too, since nothing that comes later is seen of it.
//!
//! A change takes effect between two inputs of the source and begins with an input `watching`, which has their place. So a
//! source that is read again after a restart is left out from, and lists, what it did. Bound: one definition put by for each
//! instrument that is not watched. Worst case: a change looks at every instrument of the source.

use super::directory::{Naming, symbol_piece};
use flow::records::{Gap, Watching};
use flow::{Event, FeedError, Flags, Inputs, Kind, LOCAL_INSTRUMENTS, Ns, Polled, Shard, Source, StateError};
use flow::{Selection, StateReader, StateWriter, Symbols};
use std::collections::{BTreeMap, VecDeque};

/// The symbols that are watched; `None` = all.
pub type WatchList = Option<Symbols>;

/// How often a source is polled in a row if all that it gives is left out.
const ROUNDS: usize = 16;

/// The choices for one source.
pub(super) struct Choices {
    /// Each with the count of the source's inputs before it. The first holds from the start.
    made: Vec<(u64, WatchList)>,
    /// Commanded, and not in force yet.
    commanded: VecDeque<WatchList>,
    /// The part of it that this run reads.
    shard: Option<Shard>,
    /// What the source has given, until some of it was left out for the first time.
    polled: u64,
    filter: Option<Box<Filter>>,
}

impl Default for Choices {
    fn default() -> Choices {
        Choices { made: vec![(0, None)], commanded: VecDeque::new(), shard: None, polled: 0, filter: None }
    }
}

/// Leaves out what is not watched.
struct Filter {
    /// The choice in force.
    at: usize,
    watched: Selection,
    /// Inputs of the source that have passed or were left out.
    taken: u64,
    /// Those that it left out itself beside what it gave last.
    left_out: u64,
    given: Inputs,
    ended: bool,
    known: BTreeMap<u32, Known>,
    /// By local number.
    out: Vec<bool>,
    /// What a change puts before the source's next input.
    first: VecDeque<Vec<Event>>,
}

/// An instrument of the source.
#[derive(Default)]
struct Known {
    symbol: String,
    /// Its definition, if that was left out.
    put_by: Vec<Event>,
}

impl Choices {
    /// From the start.
    pub(super) fn begin_with(&mut self, watched: WatchList) {
        self.made = vec![(0, watched)];
    }

    /// Of all that, only this part, in the whole run.
    pub(super) fn read_part(&mut self, shard: Shard) {
        self.shard = Some(shard);
    }

    /// From the next input on that has not been looked at yet.
    pub(super) fn command(&mut self, watched: WatchList) {
        self.commanded.push_back(watched);
    }

    /// The last choice, in force or not.
    pub(super) fn last(&self) -> &WatchList {
        self.commanded.back().unwrap_or_else(|| &self.made[self.made.len() - 1].1)
    }

    /// Whether all is watched and always was.
    pub(super) fn is_everything(&self) -> bool {
        self.made.len() == 1 && self.made[0].1.is_none() && self.shard.is_none() && self.commanded.is_empty()
    }

    /// The symbols of the source's instruments so far that are left out.
    pub(super) fn unwatched(&self) -> impl Iterator<Item = &str> {
        let filter = self.filter.iter();
        filter.flat_map(|filter| {
            filter.known.iter().filter(|(local, _)| filter.is_out(**local)).map(|(_, known)| &*known.symbol)
        })
    }

    /// Learns from the record that a change took effect.
    pub(super) fn learn(&mut self, watching: &Watching) {
        let watched = self.commanded.pop_front().unwrap_or_default();
        self.made.push((watching.from, watched));
    }

    /// The source begins anew and gives what happens now: only the last choice counts.
    pub(super) fn begin_anew(&mut self) {
        self.made.drain(..self.made.len() - 1);
        self.made[0].0 = 0;
    }

    /// Polls the source into the empty queue `to`. `symbols` are those of its instruments that have entered. A commanded choice
    /// takes effect if it `may_change`; what it makes enter is due at `now`.
    pub(super) fn poll(
        &mut self,
        source: &mut dyn Source,
        to: &mut Inputs,
        symbols: &BTreeMap<u32, String>,
        may_change: bool,
        now: Ns,
    ) -> Result<Polled, FeedError> {
        if self.is_everything() {
            let polled = source.poll(to);
            self.polled += to.waiting().len() as u64;
            return polled;
        }
        let Choices { made, commanded, shard, polled, filter } = self;
        let filter = filter.get_or_insert_with(|| {
            let mut filter = Filter::new(*polled, symbols);
            filter.choose((&made[0].1, *shard), made.len() == 1, source);
            Box::new(filter)
        });
        for _ in 0..ROUNDS {
            if filter.put_first(to) {
                return Ok(Polled::Ready);
            }
            let is_last = filter.at + 1 == made.len();
            // What the source has left out was counted when it gave the inputs behind it.
            if may_change
                && is_last
                && filter.given.is_empty()
                && let Some(watched) = commanded.pop_front()
            {
                made.push((filter.taken, watched));
            }
            if let Some((from, watched)) = made.get(filter.at + 1).filter(|(from, _)| *from == filter.taken) {
                filter.at += 1;
                filter.choose((watched, *shard), filter.at + 1 == made.len(), source);
                filter.change(*from, now);
                continue;
            }
            if filter.given.is_empty() {
                let polled = if filter.ended { Polled::Ended } else { source.poll(&mut filter.given)? };
                filter.left_out = filter.given.take_left_out();
                filter.ended = polled == Polled::Ended;
                if polled == Polled::Anew {
                    filter.list_anew();
                }
                if filter.given.is_empty() {
                    filter.taken += std::mem::take(&mut filter.left_out);
                    return Ok(polled);
                }
            }
            let until = made.get(filter.at + 1).map_or(u64::MAX, |(from, _)| *from);
            filter.pass(to, until);
            if !to.is_empty() {
                return Ok(Polled::Ready);
            }
        }
        Ok(Polled::Idle(Ns::NONE))
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&(&self.made, &self.commanded));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        (self.made, self.commanded) = from.get()?;
        if self.made.is_empty() { Err(StateError::Inconsistent("no choice of symbols")) } else { Ok(()) }
    }
}

impl Filter {
    fn new(taken: u64, symbols: &BTreeMap<u32, String>) -> Filter {
        let known = |(local, symbol): (&u32, &String)| (*local, Known { symbol: symbol.clone(), ..Known::default() });
        Filter {
            at: 0,
            watched: Selection::default(),
            left_out: 0,
            taken,
            given: Inputs::with_capacity(0),
            ended: false,
            known: symbols.iter().map(known).collect(),
            out: Vec::new(),
            first: VecDeque::new(),
        }
    }

    /// The source lists its instruments again, under other numbers.
    fn list_anew(&mut self) {
        self.known.clear();
        self.out.clear();
    }

    /// Puts what a change makes enter into the queue; whether there was anything.
    fn put_first(&mut self, to: &mut Inputs) -> bool {
        while to.has_room()
            && let Some(group) = self.first.pop_front()
        {
            group.into_iter().for_each(|event| to.push(event, 0));
        }
        !to.is_empty()
    }

    fn is_out(&self, local: u32) -> bool {
        self.out.get(local as usize).copied().unwrap_or(false)
    }

    fn leave_out(&mut self, local: u32, is_out: bool) {
        if local < LOCAL_INSTRUMENTS && (is_out || self.is_out(local)) {
            self.out.resize(self.out.len().max(local as usize + 1), false);
            self.out[local as usize] = is_out;
        }
    }

    /// Has a choice in force. The source is told of one behind which no other is known: what it leaves out does not come again, and
    /// where it was not told it gives all.
    fn choose(&mut self, (symbols, shard): (&WatchList, Option<Shard>), is_last: bool, source: &mut dyn Source) {
        self.watched = Selection { symbols: symbols.clone(), shard };
        if is_last {
            source.watch(&self.watched);
        }
    }

    /// Other symbols are watched, after `from` inputs of the source.
    fn change(&mut self, from: u64, now: Ns) {
        let watching = Watching { from, ..Watching::default() };
        self.first.push_back(vec![Event::new(now, 0, Flags::LAST_OF_GROUP, &watching)]);
        let mut changed = Vec::new();
        for (local, known) in &mut self.known {
            let was_out = self.out.get(*local as usize).copied().unwrap_or(false);
            if was_out == self.watched.has(&known.symbol) {
                changed.push((*local, !was_out));
                let mut definition = std::mem::take(&mut known.put_by);
                definition.iter_mut().for_each(|event| event.ts = now);
                if let Some(last) = definition.last_mut() {
                    last.flags = last.flags.with(Flags::LAST_OF_GROUP);
                    self.first.push_back(definition);
                }
                let (expected, received) = (Gap::UNKNOWN, Gap::UNKNOWN);
                let gap = Gap { exchange_ts: Ns::NONE, expected, received, ..Gap::default() };
                self.first.push_back(vec![Event::new(now, *local, Flags::LAST_OF_GROUP, &gap)]);
            }
        }
        changed.into_iter().for_each(|(local, is_out)| self.leave_out(local, is_out));
    }

    /// Passes on what is watched, until `until` inputs of the source have been taken.
    fn pass(&mut self, to: &mut Inputs, until: u64) {
        while self.taken < until
            && let Some((event, record)) = self.given.front()
        {
            let (event, local) = (*event, event.instrument);
            if symbol_piece(&event).is_some_and(|name| name.part == 0) {
                let symbol = symbol_of(self.given.waiting());
                self.leave_out(local, !self.watched.has(&symbol));
                self.known.insert(local, Known { symbol, put_by: Vec::new() });
            }
            match self.is_out(local) {
                false => to.push(event, record),
                true if matches!(event.kind, Kind::Name | Kind::Listing | Kind::Contract) => {
                    self.known.entry(local).or_default().put_by.push(event);
                }
                // What is left out may end a group whose beginning was not.
                true => to.flag_last(Flags(event.flags.0 & (Flags::LAST_OF_GROUP.0 | Flags::LAST_OF_PACKET.0))),
            }
            self.given.pop();
            self.taken += 1;
        }
        if self.given.is_empty() {
            self.taken += std::mem::take(&mut self.left_out);
        }
    }
}

/// The symbol that the first of these inputs begins to name.
fn symbol_of(inputs: &[Event]) -> String {
    let mut naming = Naming::default();
    let of = inputs.first().map_or(0, |event| event.instrument);
    inputs.iter().take_while(|e| e.kind == Kind::Name && e.instrument == of).for_each(|e| naming.observe(e));
    naming.symbol()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Trade;
    use flow::{Count, Definition, Px, Qty};

    const NAMES: [&str; 4] = ["AA", "BB", "A_SYMBOL_THAT_IS_LONGER_THAN_ONE_PIECE", "DD"];

    fn draw(random: &mut u64, below: u64) -> u64 {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % below
    }

    /// Four instruments, one after the other, among trades that count; every message has a trade of two of them. It gives
    /// whole messages, as many at once as chance has it. One that spares itself work leaves out those of which no trade is
    /// watched, as soon as it is told.
    struct Tape {
        messages: VecDeque<Vec<Event>>,
        random: u64,
        spares: bool,
        told: Vec<WatchList>,
    }

    impl Tape {
        fn new(random: u64) -> Tape {
            let mut messages = VecDeque::new();
            for number in 0..600_u64 {
                let at = Ns(1_000 + number);
                if number % 100 == 0 && number < 400 {
                    let mut definition = Inputs::with_capacity(0);
                    let symbol = NAMES[number as usize / 100].to_owned();
                    Definition { symbol, ..Definition::default() }.push(
                        &mut definition,
                        at,
                        1 + number as u32 / 100,
                        0,
                    );
                    messages.push_back(definition.waiting().to_vec());
                }
                let listed = 1 + (number / 100).min(3);
                let trade = |local: u64, flags| {
                    let trade = Trade { match_id: number, px: Px(1), qty: Qty(1), ..Trade::default() };
                    Event::new(at, local as u32, flags, &trade)
                };
                let [first, second] = [1 + number % listed, 1 + number / 3 % listed];
                messages.push_back(vec![trade(first, Flags::NONE), trade(second, Flags::LAST_OF_GROUP)]);
            }
            Tape { messages, random, spares: random.is_multiple_of(2), told: Vec::new() }
        }
    }

    impl Source for Tape {
        fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
            if draw(&mut self.random, 8) == 0 {
                return Ok(Polled::Idle(Ns::NONE));
            }
            for _ in 0..=draw(&mut self.random, 40) {
                let Some(message) = self.messages.front().filter(|_| to.has_room()) else { break };
                let watched = self.told.last().filter(|_| self.spares).cloned().unwrap_or_default();
                let is_foreign = |event: &Event| {
                    let name = NAMES[event.instrument as usize - 1];
                    event.kind == Kind::Trade && watched.as_ref().is_some_and(|symbols| !symbols.contains(name))
                };
                if message.iter().all(is_foreign) {
                    to.leave_out(message.len() as u64);
                } else {
                    message.iter().for_each(|event| to.push(*event, event.ts.0));
                }
                self.messages.pop_front();
            }
            Ok(match (to.is_empty(), self.messages.is_empty()) {
                (true, true) => Polled::Ended,
                (true, false) => Polled::Idle(Ns::NONE),
                _ => Polled::Ready,
            })
        }
        fn watch(&mut self, watched: &Selection) {
            self.told.push(watched.symbols.clone());
        }
        fn instruments(&self) -> u32 {
            5
        }
        fn counts(&self) -> Vec<Count> {
            Vec::new()
        }
    }

    /// The instruments whose definitions have come, as `Locals` knows them.
    fn known(symbols: &mut BTreeMap<u32, String>, events: &[Event]) {
        for (i, event) in events.iter().enumerate() {
            if symbol_piece(event).is_some_and(|name| name.part == 0) {
                symbols.insert(event.instrument, symbol_of(&events[i..]));
            }
        }
    }

    /// Reads to the end, or until `stop` inputs have come, with a change before each poll that `change` gives one for.
    fn read(
        choices: &mut Choices,
        tape: &mut Tape,
        stop: usize,
        mut change: impl FnMut() -> Option<WatchList>,
    ) -> Vec<Event> {
        let (mut all, mut symbols) = (Vec::new(), BTreeMap::new());
        let mut queue = Inputs::with_capacity(256);
        while all.len() < stop {
            change().into_iter().for_each(|watched| choices.command(watched));
            let polled = choices.poll(tape, &mut queue, &symbols, true, Ns(9)).unwrap();
            known(&mut symbols, queue.waiting());
            all.extend_from_slice(queue.waiting());
            if queue.is_empty() && polled == Polled::Ended {
                break;
            }
            while !queue.is_empty() {
                queue.pop();
            }
        }
        all
    }

    fn has(watched: &WatchList, symbol: &str) -> bool {
        watched.as_ref().is_none_or(|symbols| symbols.contains(symbol))
    }

    fn some(random: &mut u64) -> WatchList {
        let mask = draw(random, 17);
        let symbols = NAMES.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, name)| (*name).to_owned());
        (mask < 16).then(|| symbols.collect())
    }

    /// What came must be the tape with the changes in their places, whoever reads it and in whatever pieces.
    fn check(all: &[Event], made: &[(u64, WatchList)]) {
        let (mut listed, mut doubtful, mut open, mut at) = ([false; 5], [false; 5], false, 0);
        let mut names = BTreeMap::new();
        known(&mut names, all);
        for event in all {
            let local = event.instrument as usize;
            match event.kind {
                Kind::Watching => {
                    at += 1;
                    assert_eq!(event.record::<Watching>().from, made[at].0);
                }
                Kind::Listing => listed[local] = true,
                Kind::Gap => doubtful[local] = true,
                Kind::Trade => {
                    assert!(listed[local], "{event:?} before its listing");
                    assert!(has(&made[at].1, &names[&event.instrument]), "{event:?} is not watched");
                    open = !event.flags.has(Flags::LAST_OF_GROUP);
                }
                _ => {}
            }
            assert!(!open || event.kind == Kind::Trade, "a group stays open before {event:?}");
        }
        assert!(!open && at + 1 == made.len());
        let given: Vec<Event> = Tape::new(0).messages.into_iter().flatten().collect();
        known(&mut names, &given);
        let in_force = |place: usize| &made.iter().rfind(|(from, _)| *from <= place as u64).expect("the first").1;
        let trades = given.iter().enumerate().filter(|(_, event)| event.kind == Kind::Trade);
        let expected = trades.filter(|(place, event)| has(in_force(*place), &names[&event.instrument]));
        let came = all.iter().filter(|event| event.kind == Kind::Trade).map(|event| (event.instrument, event.body));
        assert!(came.eq(expected.map(|(_, event)| (event.instrument, event.body))), "not all that is watched came");
        assert!(!doubtful[0], "no gap of the whole source");
    }

    #[test]
    fn what_is_watched_comes_and_comes_again_after_a_restart() {
        for seed in 0..200 {
            let mut random = seed;
            let mut choices = Choices::default();
            choices.begin_with(if seed % 3 == 0 { None } else { some(&mut random) });
            let first = choices.made[0].clone();
            let mut tape = Tape::new(seed);
            let mut chance = seed;
            let all =
                read(&mut choices, &mut tape, usize::MAX, || (draw(&mut chance, 6) == 0).then(|| some(&mut chance)));
            let made = choices.made.clone();
            check(&all, &made);
            if !(made.len() == 1 && made[0].1.is_none()) {
                assert_eq!(tape.told, made.iter().map(|(_, watched)| watched.clone()).collect::<Vec<_>>());
            }
            // The record ends anywhere: what was commanded and is not in it takes effect later.
            let end = draw(&mut random, all.len() as u64 + 1) as usize;
            let mut again = Choices { made: vec![first], ..Choices::default() };
            made.iter().skip(1).for_each(|(_, watched)| again.command(watched.clone()));
            all[..end].iter().filter_map(Event::get).for_each(|watching| again.learn(watching));
            again.commanded.clear();
            let repeated = read(&mut again, &mut Tape::new(seed + 1_001 + seed % 3), end, || None);
            assert!(repeated.len() >= end && repeated[..end] == all[..end], "seed {seed}");
        }
    }
}
