//! The risk stage: requests in, orders and refusals out.

use super::breach::{Breach, Refusal};
use super::checks::{CHECKS, Flaw, GROUP, Limits, REDUCE_COLLAR, RESERVED, SANITY, SUMMED, first_breach};
use super::exposures::{Exposures, MAX_POSITIONS};
use super::gate::{Gate, lost_bit};
use super::group::{self, Held, Leg, MAX_LEGS};
use super::ids::{Ids, MAX_PAIRS};
use super::levels::{Levels, MAX_HOLDINGS, Setup};
use super::limits;
use super::market::Market;
use super::messages::{MAX_MESSAGES, Messages, WINDOW_MS};
use super::open::{OpenOrders, SLOTS};
use super::proposal::Proposal;
use super::rates::{MAX_RATE_AGE_MS, Rates};
use super::tables;
use super::unexplained::Unexplained;
use crate::Space;
use crate::router::Routing;
use flow::records::{
    Ack, Anomaly, Cancelled, Command, CommandOutcome, Listing, Order, Refused, Reject, ReplaceRequest, Request,
};
use flow::{
    AnomalyKind, Approved, CommandAction, CommandResult, Event, Flags, GrowingTable, Kind, Kinds, Ns, Out, ParamError,
    Params, Scope, Side, Stage, StateError, StateReader, StateWriter, TradingState, Trust,
};
use std::hint::black_box;

/// Approves or refuses orders.
pub struct RiskStage {
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    /// As configured.
    configured: Limits,
    /// The most that a command may set each limit to.
    pub(super) ceilings: Limits,
    pub(super) held: Held,
    /// The request that passed last, its instrument and its side; no state, as only [`RiskStage::warm`] reads it.
    passed: (Request, u32, Side),
}

impl RiskStage {
    /// A gate for every instrument of the space.
    ///
    /// # Errors
    /// When a ceiling is below its configured limit, or tables of limits cannot stand together.
    pub fn new(params: &Params, space: Space) -> Result<RiskStage, ParamError> {
        limits::check_ceilings(params)?;
        let gate = Gate {
            halted: false,
            lost: 0,
            routing: Routing::of(params),
            markets: GrowingTable::new((space.instruments as usize).max(1), Market::UNKNOWN),
            exposures: Exposures::new(params.get(MAX_POSITIONS)),
            levels: levels(params, space)?,
            rates: rates(params, space)?,
            trust: Trust::new(space.instruments.max(1)),
            open: OpenOrders::new(params.get(SLOTS)),
            unexplained: Unexplained::new(params.get(SLOTS)),
            messages: Messages::new(params.get(WINDOW_MS), 2 * MAX_MESSAGES),
            reduce_messages: params.get(RESERVED) as i64,
            reduce_collar_bps: params.get(REDUCE_COLLAR) as i64,
            ids: Ids::new(params.get(MAX_PAIRS)),
        };
        let (configured, ceilings) = (limits::configured(params), limits::ceilings(params));
        Ok(RiskStage {
            gate,
            limits: configured,
            configured,
            ceilings,
            held: Held::new(),
            passed: (Request::default(), 0, Side::None),
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`RiskStage::new`].
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(RiskStage::new(params, space)?))
    }

    /// A new input begins: legs still held from the last one are refused.
    #[cold]
    fn fall(&mut self, out: &mut Out) {
        let missing = self.held.incomplete();
        for leg in self.held.legs() {
            refuse(leg, &of(GROUP, missing), out);
        }
        self.held.fallen = self.held.group();
        self.held.clear();
    }

    #[inline]
    fn request(&mut self, event: &Event, out: &mut Out) {
        let request: &Request = event.record();
        if request.group != 0 {
            return self.leg(event, request, out);
        }
        let proposal = self.gate.propose(request, event.instrument, event.side(), event.ts);
        self.decide(&proposal, out);
    }

    /// The checks, as code of its own that [`RiskStage::warm`] keeps in the cache.
    #[inline(never)]
    fn verdict(&self, proposal: &Proposal) -> Option<Refusal> {
        first_breach(&self.gate, proposal, &self.limits)
    }

    #[inline]
    fn decide(&mut self, proposal: &Proposal, out: &mut Out) {
        match self.verdict(proposal) {
            None => {
                self.gate.approve(proposal);
                self.passed = (proposal.request, proposal.instrument, proposal.side);
                pass(proposal.instrument, proposal.side, &proposal.request, proposal.replaces, out);
            }
            Some(refusal) => {
                let leg = Leg { request: proposal.request, instrument: proposal.instrument, side: proposal.side };
                refuse(&leg, &refusal, out);
            }
        }
    }

    #[inline(never)]
    fn leg(&mut self, event: &Event, request: &Request, out: &mut Out) {
        let leg = Leg { request: *request, instrument: event.instrument, side: event.side() };
        if event.id.seq() != self.held.seq {
            (self.held.seq, self.held.fallen) = (event.id.seq(), 0);
        }
        let wanted = usize::from(request.legs);
        if request.group == self.held.fallen {
            return refuse(&leg, &of(GROUP, Breach { limit: wanted as i64, value: 0 }), out);
        }
        if !self.held.is_empty() && request.group != self.held.group() {
            self.fall(out);
        }
        let agrees = self.held.is_empty() || wanted == self.held.wanted();
        if !agrees || wanted == 0 || wanted > MAX_LEGS {
            self.fall(out);
            self.held.fallen = request.group;
            return refuse(&leg, &of(SANITY, Breach { limit: 0, value: Flaw::Legs as i64 }), out);
        }
        self.held.push(leg);
        if self.held.legs().len() == wanted {
            self.whole(event.ts, out);
        }
    }

    /// All legs have arrived.
    fn whole(&mut self, now: Ns, out: &mut Out) {
        let verdict = group::decide(&mut self.gate, &self.limits, self.held.legs(), now);
        let others = self.held.incomplete();
        for (i, leg) in self.held.legs().iter().enumerate() {
            match verdict {
                Ok(()) => pass(leg.instrument, leg.side, &leg.request, 0, out),
                Err((culprit, refusal)) if culprit == i => refuse(leg, &refusal, out),
                Err((culprit, ..)) => {
                    refuse(leg, &of(GROUP, Breach { limit: others.limit, value: culprit as i64 }), out);
                }
            }
        }
        self.held.fallen = if verdict.is_err() { self.held.group() } else { 0 };
        self.held.clear();
    }

    /// Only an event from the head is a command; no stage can issue one.
    #[cold]
    fn command(&mut self, event: &Event, out: &mut Out) {
        let command: &Command = event.record();
        if event.id.position() != flow::POSITION_INGRESS {
            return;
        }
        let before = i64::from(self.gate.halted);
        let outcome = match CommandAction::from_code(command.action) {
            Some(CommandAction::Halt) => {
                self.gate.halted = true;
                limits::outcome(command, CommandResult::Applied, before, 1)
            }
            Some(CommandAction::Resume) => {
                self.gate.halted = false;
                let result = if before == 1 { CommandResult::Applied } else { CommandResult::NotHalted };
                limits::outcome(command, result, before, 0)
            }
            Some(CommandAction::CancelAll) => limits::outcome(command, CommandResult::Applied, 0, 0),
            Some(CommandAction::SetLimit) => {
                limits::set(&mut self.limits, &self.ceilings, &mut self.gate.levels, command)
            }
            Some(CommandAction::Trust) => self.trust(event, command),
            // Others carry it out.
            Some(CommandAction::Flatten | CommandAction::SkipCounters | CommandAction::CarriedOver) => return,
            Some(CommandAction::Received | CommandAction::Reload | CommandAction::Watch) => return,
            Some(CommandAction::SetParam) | None => return,
        };
        out.push(0, Flags::NONE, &outcome);
    }

    /// The book restores the data; here is said what that changes: 1 for doubtful, 0 for trusted.
    fn trust(&self, event: &Event, command: &Command) -> CommandOutcome {
        let is_known = event.instrument == 0 || self.gate.markets[self.gate.place(event.instrument)].listed;
        let result = if is_known { CommandResult::Applied } else { CommandResult::UnknownTarget };
        let trust = &self.gate.trust;
        let doubtful = if event.instrument == 0 { trust.any_doubtful() } else { trust.is_doubtful(event.instrument) };
        limits::outcome(command, result, i64::from(doubtful), 0)
    }

    /// What the gateway finds out about the venue enters at the head; and the portfolio may have no room for a fill.
    #[cold]
    fn anomaly(&mut self, event: &Event) {
        if event.record::<Anomaly>().what == AnomalyKind::PositionsFull.code() {
            self.gate.exposures.lose();
        }
        if event.id.position() != flow::POSITION_INGRESS || !flow::is_returned(event.source) {
            return;
        }
        let anomaly: &Anomaly = event.record();
        match AnomalyKind::from_code(anomaly.what) {
            Some(AnomalyKind::SessionLost) => self.gate.lost |= lost_bit(event.source),
            Some(AnomalyKind::SessionBack) => self.gate.lost &= !lost_bit(event.source),
            Some(AnomalyKind::UnansweredOrder) => self.gate.open.unanswered(anomaly.detail),
            _ => {}
        }
    }

    /// Of the whole market (instrument 0) a status says nothing about one instrument.
    fn status(&mut self, event: &Event) {
        if let Some(market) = self.gate.market_mut(event.instrument) {
            market.halts.take(event.record());
        }
    }

    #[inline(never)]
    fn answer(&mut self, event: &Event) {
        if let Some(ack) = event.get::<Ack>() {
            self.gate.ack(ack);
        } else if let Some(reject) = event.get::<Reject>() {
            self.gate.reject(reject);
        } else if let Some(cancelled) = event.get::<Cancelled>() {
            self.gate.cancelled(cancelled);
        } else {
            self.gate.booked(event);
        }
    }

    #[inline(never)]
    fn define(&mut self, event: &Event) {
        let listing: &Listing = event.record();
        if let Some(market) = self.gate.market_mut(event.instrument) {
            market.list(listing, event.source);
            self.gate.trust.belongs(event.instrument, event.source);
            self.gate.levels.list(event.instrument, listing);
            self.gate.rates.list(event.instrument, listing);
        }
    }
}

#[inline]
fn pass(instrument: u32, side: Side, request: &Request, replaces: u64, out: &mut Out) {
    let Request { order_id, px, qty, group, order_type, tif, legs, .. } = *request;
    let order = Order { order_id, px, qty, replaces, group, order_type, tif, legs, reserved: [0; 1] };
    out.push_approved(instrument, Flags::side_only(side), &Approved::grant(order));
}

/// The levels of the tables beside the section.
fn levels(params: &Params, space: Space) -> Result<Levels, ParamError> {
    let (levels, faults) = tables::levels(params);
    let setup = Setup {
        checks: CHECKS.len(),
        summed: SUMMED,
        instruments: space.instruments.max(1),
        holdings: params.get(MAX_HOLDINGS),
        window_ms: params.get(WINDOW_MS),
        beyond: params.get(RESERVED) + MAX_LEGS as u64 + 1,
    };
    faults.into_iter().next().map_or_else(|| Ok(Levels::new(levels, tables::modes(params), &setup)), Err)
}

/// The currencies of the limits and the pairs between them.
fn rates(params: &Params, space: Space) -> Result<Rates, ParamError> {
    let (firm, by_account) = tables::currencies(params)?;
    let max_age_ms = params.get(MAX_RATE_AGE_MS);
    Ok(Rates::new(firm, by_account, tables::pairs(params), space.instruments.max(1), max_age_ms))
}

/// A refusal by a check that no level makes.
fn of(check: u16, breach: Breach) -> Refusal {
    Refusal { check, level: 0, breach }
}

#[cold]
fn refuse(leg: &Leg, refusal: &Refusal, out: &mut Out) {
    let Request { order_id, group, .. } = leg.request;
    let Refusal { check, level, breach: Breach { limit, value } } = *refusal;
    let refused = Refused { order_id, limit, value, group, check, level, reserved: [0; 8] };
    out.push(leg.instrument, Flags::side_only(leg.side), &refused);
}

impl Stage for RiskStage {
    fn reads(&self) -> Kinds {
        let reads_names = self.gate.levels.name_symbols() || self.gate.rates.name_symbols();
        let names = if reads_names { Kinds::of(&[Kind::Name]) } else { Kinds::NONE };
        names.or(Kinds::of(&[
            Kind::Listing,
            Kind::Status,
            Kind::DataState,
            Kind::Clear,
            Kind::BookTop,
            Kind::Trade,
            Kind::Request,
            Kind::ReplaceRequest,
            Kind::Ack,
            Kind::Reject,
            Kind::Cancelled,
            Kind::Booked,
            Kind::OrderStatus,
            Kind::Command,
            Kind::Halt,
            Kind::Anomaly,
            Kind::EndOfInput,
        ]))
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Order, Kind::Refused, Kind::CommandOutcome])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    /// A complete group; or the legs of an incomplete one, with the request that found it incomplete.
    fn fan_out(&self) -> usize {
        MAX_LEGS
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if !self.held.is_empty() && event.id.seq() != self.held.seq {
            self.fall(out);
        }
        match event.kind {
            Kind::BookTop => {
                self.gate.open.prefetch_next();
                self.gate.top(event);
            }
            Kind::Trade if !event.flags.has(Flags::SNAPSHOT) => {
                if let Some(market) = self.gate.market_mut(event.instrument) {
                    market.last_update = event.ts;
                }
            }
            Kind::Request => self.request(event, out),
            Kind::ReplaceRequest => {
                let proposal = self.gate.propose_replace(event.record::<ReplaceRequest>(), event);
                self.decide(&proposal, out);
            }
            Kind::Ack | Kind::Reject | Kind::Cancelled | Kind::Booked => self.answer(event),
            Kind::Command => self.command(event, out),
            Kind::Halt => self.gate.halted = true,
            Kind::Anomaly => self.anomaly(event),
            Kind::OrderStatus => self.gate.accounted(event),
            Kind::Listing => self.define(event),
            Kind::Name => {
                self.gate.levels.name(event);
                self.gate.rates.name(event);
            }
            Kind::Status => self.status(event),
            Kind::DataState => self.gate.trust.take(event),
            Kind::Clear => self.gate.clear(event),
            _ => {}
        }
    }

    /// Asks again what was asked last; nobody hears the answer.
    fn warm(&self) {
        let (request, instrument, side) = self.passed;
        let request = Request { order_id: request.order_id.wrapping_add(1), ..request };
        let now = self.gate.markets[self.gate.place(instrument)].last_update;
        let proposal = self.gate.propose(&request, instrument, side, now);
        black_box((self.verdict(&proposal), self.gate.routing.venue(proposal.id())));
        self.gate.open.prefetch_next();
        self.gate.messages.prefetch_next();
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.halted = Some(self.gate.halted);
        limits::say(&self.limits, &self.configured, &self.ceilings, to);
        to.levels.extend(self.gate.levels.limits(|place| CHECKS[place].number));
        to.valuation = self.gate.rates.valuation();
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.save_state(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.load_state(from)
    }
}
