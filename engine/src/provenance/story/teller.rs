//! Collects the steps of an order.

use super::book::{Book, with_follower_of_order};
use super::cause::cause;
use super::model::{Chapter, Relative, Step, Story};
use super::moment::Moment;
use super::outcome::{outcome, terms};
use super::relatives::{MOST_RELATIVES, named, relative};
use crate::config::Settings;
use crate::provenance::deep::Deep;
use crate::provenance::index::{Index, Layout, Trouble};
use crate::provenance::name::name;
use flow::records::{Ack, CancelRequest, Cancelled, Order, Position, Reject, ReplaceRequest, Request, Route};
use flow::{Action, Event, EventId, Kind, Listings, OrderId};
use sinks::journal::{HomeGaps, LogKind};
use std::collections::BTreeMap;

/// What an event is to its order; `None` if it is of another one that names it.
fn chapter(event: &Event, order: OrderId) -> Option<Chapter> {
    let is_own = |id: u64| id == order.0;
    match event.kind {
        Kind::Intent => Some(Chapter::Change),
        Kind::Request => is_own(event.record::<Request>().order_id).then_some(Chapter::Request),
        Kind::ReplaceRequest if is_own(event.record::<ReplaceRequest>().new_id) => Some(Chapter::Request),
        Kind::ReplaceRequest | Kind::CancelRequest => Some(Chapter::Change),
        Kind::Order => is_own(event.record::<Order>().order_id).then_some(Chapter::Check),
        Kind::Refused => Some(Chapter::Check),
        Kind::Route => {
            let Route { order_id, action, .. } = *event.record();
            let makes = Action::makes_an_order(action);
            is_own(order_id).then_some(if makes { Chapter::Route } else { Chapter::Change })
        }
        Kind::Sent | Kind::Arrival => Some(Chapter::Route),
        Kind::Ack | Kind::Fill | Kind::Reject | Kind::Cancelled | Kind::Bust => Some(Chapter::Answer),
        Kind::Booked => Some(Chapter::Position),
        // What follows another event shares its row.
        _ => None,
    }
}

/// Whether an event is the first that an order has.
fn is_request(event: &Event, order: OrderId) -> bool {
    event.get::<Request>().is_some_and(|request| request.order_id == order.0)
        || event.get::<ReplaceRequest>().is_some_and(|replace| replace.new_id == order.0)
}

/// What is collected of one order.
struct Teller<'a> {
    index: &'a mut Index,
    book: &'a Book,
    order: OrderId,
    listings: Listings,
    steps: Vec<Step>,
    /// The outcomes of inputs that were needed, by journal and seq.
    moments: BTreeMap<(usize, u64), Vec<(u64, Event)>>,
    missing: Vec<String>,
}

impl Teller<'_> {
    fn moment(&mut self, member: usize, seq: u64) -> Result<Moment, Trouble> {
        if !self.moments.contains_key(&(member, seq)) {
            let found = self.index.members[member].outcomes_of(seq)?;
            self.moments.insert((member, seq), found);
        }
        Ok(Moment(self.moments[&(member, seq)].clone()))
    }

    fn push(&mut self, chapter: Chapter, place: (usize, LogKind, u64), events: Vec<Event>) {
        let (member, log, record) = place;
        let id = events[0].id;
        if self.steps.iter().any(|step| step.member == member && step.id() == id) {
            return;
        }
        match self.book.row(&events, &self.listings) {
            Some(row) => self.steps.push(Step { chapter, member, log, record, events, row, because: None }),
            None => self.missing.push(format!("what follows {} {id}", kind_name(&events[0]))),
        }
    }

    /// The events that name the order.
    fn own(&mut self, all: &[(usize, LogKind, u64, Event)]) -> Result<(), Trouble> {
        for (place, (member, log, record, event)) in all.iter().enumerate() {
            let Some(chapter) = chapter(event, self.order) else { continue };
            let behind = all[place + 1..].iter().map(|(.., event)| event);
            let events = match with_follower_of_order(event, behind) {
                Some(events) => events,
                None => self.book.with_followers(&mut self.index.members[*member], *log, *record, event)?,
            };
            self.push(chapter, (*member, *log, *record), events);
            if event.kind == Kind::Booked {
                let found = self.moment(*member, event.id.seq())?.position_of(*record, event, self.order);
                if let Some((at, position)) = found {
                    let of = &mut self.index.members[*member];
                    let events = self.book.with_followers(of, LogKind::Outcomes, at, &position)?;
                    self.push(Chapter::Position, (*member, LogKind::Outcomes, at), events);
                }
            }
        }
        Ok(())
    }

    /// Intent, signal and reasons; returns the record of the decision.
    fn decision(&mut self, member: usize, at: u64, request: &Event) -> Result<u64, Trouble> {
        let moment = self.moment(member, request.id.seq())?;
        let Some((record, intent)) = moment.intent_of(at, request, self.order) else { return Ok(at) };
        self.push(Chapter::Decision, (member, LogKind::Outcomes, record), vec![intent]);
        if let Some((place, events)) = moment.signal_of(record, &intent) {
            // The signal of a group is of one of its legs, which may be of another instrument.
            let other = events[0].instrument;
            if self.listings.get(other).is_none() {
                let of = &mut self.index.members[member];
                let through = of.record_of(request.id.seq());
                of.define(&mut self.listings, other, through)?;
            }
            for reason in &events[1..] {
                let found = moment.0.iter().find(|(_, event)| event.id == reason.id);
                let place = found.map_or(place, |(record, _)| *record);
                self.push(Chapter::Decision, (member, LogKind::Outcomes, place), vec![*reason]);
            }
            self.push(Chapter::Decision, (member, LogKind::Outcomes, place), events);
        }
        Ok(record)
    }

    /// The routes that ended the order and name no order: cancels of everything.
    fn causes(&mut self) -> Result<(), Trouble> {
        let cause = |step: &Step| {
            let event = step.event();
            let cancelled = event.get::<Cancelled>().map(|c| c.cause);
            cancelled.or(event.get::<Reject>().map(|r| r.cause)).or(event.get::<Ack>().map(|a| a.cause))
        };
        let wanted: Vec<_> = self.steps.iter().filter_map(|s| Some((s.member, EventId(cause(s)?)))).collect();
        for (member, id) in wanted.into_iter().filter(|(_, id)| id.0 != 0) {
            if self.steps.iter().any(|step| step.id() == id) {
                continue;
            }
            let moment = self.moment(member, id.seq())?;
            if let Some((record, event)) = moment.0.iter().find(|(_, event)| event.id == id) {
                self.push(Chapter::Change, (member, LogKind::Outcomes, *record), vec![*event]);
                let is_all = |(_, event): &&(u64, Event)| {
                    event.get::<CancelRequest>().is_some_and(|request| request.order_id == 0)
                };
                if let Some((record, event)) = moment.0.iter().find(is_all) {
                    self.push(Chapter::Change, (member, LogKind::Outcomes, *record), vec![*event]);
                }
            }
        }
        Ok(())
    }

    /// Says of each outcome which input caused it, where that is another one than the order's.
    fn because(&mut self, own: Option<u64>) -> Result<(), Trouble> {
        for step in &mut self.steps {
            if step.log == LogKind::Outcomes && Some(step.id().seq()) != own {
                let member = &mut self.index.members[step.member];
                let record = member.record_of(step.id().seq());
                step.because = Some(kind_name(&member.event(LogKind::Inputs, record)?));
            }
        }
        Ok(())
    }

    /// What other orders have to do with it.
    fn relatives(
        &mut self,
        all: &[(usize, LogKind, u64, Event)],
        own: &[Event],
        cause: Option<&Event>,
    ) -> Result<Vec<Relative>, Trouble> {
        let booked = all.iter().filter(|(.., event)| event.kind == Kind::Booked);
        let seqs: Vec<_> = booked.map(|(member, .., event)| (*member, event.id.seq())).take(MOST_RELATIVES).collect();
        let fills = seqs.into_iter().map(|(member, seq)| self.moment(member, seq)).collect::<Result<Vec<_>, _>>()?;
        let request = all.iter().find(|(.., event)| is_request(event, self.order));
        let asked = request.map(|(member, .., event)| self.moment(*member, event.id.seq())).transpose()?;
        let found = named(self.order, own, asked.as_slice(), &fills, cause);
        found.into_iter().map(|of| relative(&mut self.index.members, of)).collect()
    }

    /// The last values of the measures of an instrument before a record of a journal's outcomes.
    fn known(&mut self, member: usize, instrument: u32, before: (u64, u64)) -> Result<Vec<Step>, Trouble> {
        let (outcome, input) = before;
        let mut found = BTreeMap::new();
        let last = (LogKind::Outcomes, outcome.saturating_sub(1), member);
        let mut looks = vec![last, (LogKind::Inputs, input, member)];
        if let Some(earlier) = member.checked_sub(1) {
            looks.extend(LogKind::BOTH.map(|log| (log, u64::MAX, earlier)));
        }
        for (log, through, at) in looks {
            let of = &mut self.index.members[at];
            for last in of.last_of_all(log, instrument, through)? {
                let kind = last.key.kind();
                let is_shown = kind.is_measure() || kind == Kind::Trade || kind == Kind::Position;
                if !is_shown {
                    continue;
                }
                let event = of.event(log, last.record)?;
                let place = (at, event.id.seq(), log == LogKind::Outcomes, last.record);
                if found.get(&last.key).is_none_or(|(known, _)| *known < place) {
                    found.insert(last.key, (place, event));
                }
            }
        }
        let mut known = Vec::new();
        for ((at, _, is_outcome, record), event) in found.into_values() {
            let owner = event.get::<Position>().map(|p| (p.account, p.strategy));
            if owner.is_some_and(|owner| owner != (self.order.account(), self.order.strategy())) {
                continue;
            }
            let log = if is_outcome { LogKind::Outcomes } else { LogKind::Inputs };
            let events = self.book.with_followers(&mut self.index.members[at], log, record, &event)?;
            if let Some(row) = self.book.row(&events, &self.listings) {
                known.push(Step { chapter: Chapter::Known, member: at, log, record, events, row, because: None });
            }
        }
        Ok(known)
    }
}

fn kind_name(event: &Event) -> &'static str {
    flow::kind_info(event.kind).map_or("unknown", |info| info.name)
}

/// All events that refer to an order, each with its journal. An event that does not is of another index.
fn collected(index: &mut Index, order: OrderId) -> Result<Vec<(usize, LogKind, u64, Event)>, Trouble> {
    let Index { layout, members } = index;
    let layout: &Layout = layout;
    let mut all = Vec::new();
    for (at, member) in members.iter_mut().enumerate() {
        for (log, record, event) in member.of_order(order)? {
            if !layout.orders(&event).any(|id| id == order.0) {
                return Err(Trouble::Index);
            }
            all.push((at, log, record, event));
        }
    }
    Ok(all)
}

/// The story of an order; `None` if no journal has an event of it.
pub(in crate::provenance) fn tell(
    index: &mut Index,
    order: OrderId,
    settings: &Settings,
    book: &Book,
) -> Result<Option<Story>, Trouble> {
    let all = collected(index, order)?;
    let Some((first_member, .., first)) = all.first().copied() else { return Ok(None) };
    let request = all.iter().find(|(.., event)| is_request(event, order)).copied();
    let last = all.iter().rev().find(|(member, ..)| *member == first_member).map_or(0, |(.., e)| e.id.seq());
    let of = &mut index.members[first_member];
    let listings = of.listings(first.instrument, of.record_of(last))?;
    let (steps, moments, missing) = Default::default();
    let mut teller = Teller { index, book, order, listings, steps, moments, missing };
    teller.own(&all)?;
    let (mut cause_of, mut known) = (None, Vec::new());
    match request {
        Some((member, _, record, event)) => {
            let decided = teller.decision(member, record, &event)?;
            let input = teller.index.members[member].record_of(event.id.seq());
            known = teller.known(member, event.instrument, (decided, input))?;
            cause_of = Some(cause(&mut teller.index.members[member], event.id.seq(), settings, book)?);
        }
        None => teller.missing.push("its request: it is of an earlier journal, or was left out".to_owned()),
    }
    teller.causes()?;
    teller.because(request.map(|(.., event)| event.id.seq()))?;
    let own: Vec<Event> = all.iter().map(|(.., event)| *event).collect();
    let relatives = teller.relatives(&all, &own, cause_of.as_ref().map(|cause| &cause.event))?;
    let Teller { index, listings, mut steps, mut missing, .. } = teller;
    steps.sort_by_key(told_at);
    missing.extend(gaps(index, &all)?);
    let at = request.map_or(first_member, |(member, ..)| member);
    let (journal, listed) = (&index.members[at].member, listings.get(first.instrument));
    Ok(Some(Story {
        order,
        name: name(order, &book.names),
        symbol: listed.map(|listed| listed.symbol.clone()),
        terms: terms(order, &own, listed),
        outcome: outcome(order, &own, listed),
        journal: (journal.dir.clone(), journal.info.number),
        cause: cause_of,
        known,
        steps,
        relatives,
        missing,
        listings,
        deep: None,
    }))
}

/// The place of a step in a story: that of its event, but that the signal and its reasons come before the intent. A strategy
/// emits the intent first, because its order has a way to go.
fn told_at(step: &Step) -> (usize, u64, bool, usize, u64) {
    let (seq, is_outcome, record) = step.place();
    let decision = [Kind::Signal, Kind::Reason, Kind::Intent];
    let rank = decision.iter().position(|kind| *kind == step.event().kind);
    let rank = rank.filter(|_| step.chapter == Chapter::Decision).unwrap_or(decision.len());
    (step.member, seq, is_outcome, rank, record)
}

impl Story {
    /// Adds what a repetition gave.
    pub(in crate::provenance) fn deepen(&mut self, mut deep: Deep, book: &Book) {
        for events in std::mem::take(&mut deep.known) {
            if let Some(row) = book.row(&events, &self.listings) {
                let (member, log) = (0, LogKind::Outcomes);
                self.known.push(Step {
                    chapter: Chapter::Repeated,
                    member,
                    log,
                    record: 0,
                    events,
                    row,
                    because: None,
                });
            }
        }
        self.deep = Some(deep);
    }
}

/// What of an order's inputs the outcome log does not have, in words.
fn gaps(index: &Index, all: &[(usize, LogKind, u64, Event)]) -> Result<Vec<String>, Trouble> {
    let members: Vec<_> = index.members.iter().map(|member| member.member.clone()).collect();
    let gaps = HomeGaps::of(&members)?;
    let mut inputs: Vec<u64> = all.iter().map(|(.., event)| event.id.seq()).filter(|seq| gaps.has(*seq)).collect();
    inputs.dedup();
    Ok(inputs.into_iter().map(|seq| format!("outcomes of input {seq}: they were left out or dropped")).collect())
}
