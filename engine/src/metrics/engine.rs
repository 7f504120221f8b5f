//! What a run shows of itself.

use super::exposed::Exposed;
use super::scrape::Scrape;
use super::table::*;
use crate::config::Settings;
use crate::config::keys::{self, ClockKind};
use crate::drive::Control;
use crate::gateway::{SessionState, VenueStatus};
use crate::ingress::{FeedStanding, wall_now};
use crate::last_values::{LastValues, Values, keys as keys_of};
use flow::{AnomalyKind, CommandAction, CommandResult, Currency, Kind};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// A run: its atomics, and what its journal says.
pub struct EngineMetrics {
    control: Control,
    values: LastValues,
    /// Whether the clock is that of the host.
    is_wall: bool,
    max_instruments: u32,
    max_positions: usize,
}

impl EngineMetrics {
    /// Of the run with these settings, under `control`, whose last values are there.
    pub fn new(settings: &Settings, control: Control, values: LastValues) -> EngineMetrics {
        let is_wall = settings.pipeline.get(keys::CLOCK) == ClockKind::Wall;
        let max_instruments = settings.pipeline.get(keys::MAX_INSTRUMENTS);
        let max_positions = settings.pipeline.get(keys::MAX_POSITIONS);
        EngineMetrics { control, values, is_wall, max_instruments, max_positions }
    }

    fn venues(&self) -> impl Iterator<Item = &VenueStatus> {
        self.control.venues.iter().map(AsRef::as_ref).filter(|venue| !venue.venue().is_empty())
    }

    fn pipeline(&self, to: &mut Scrape) {
        let control = &self.control;
        // The watermark first: then `admitted` is never below it.
        let finished = control.watermark.load(Acquire);
        let admitted = control.admitted.load(Relaxed).max(finished);
        to.count(&ADMITTED, &[], admitted);
        to.count(&FINISHED, &[], finished);
        to.gauge(&PENDING, &[], (admitted - finished) as f64);
        to.count(&TURNS, &[], control.turns.load(Relaxed));
        to.flag(&STALLED, &[], control.stalled.load(Relaxed) > 0);
        to.flag(&RECOVERED, &[], control.recovered.load(Acquire));
        for load in control.meters.groups() {
            let group = [load.group.as_str()];
            to.count_ns(&GROUP_BUSY, &group, load.busy_ns);
            to.count_ns(&GROUP_IDLE, &group, load.idle_ns);
            to.count_ns(&GROUP_BLOCKED, &group, load.stalled_ns);
            to.count(&GROUP_TURNS, &group, load.turns);
            to.count(&GROUP_WAITS, &group, load.stalls);
            to.gauge_ns(&GROUP_LONGEST_TURN, &group, load.longest_turn_ns);
            to.gauge_ns(&GROUP_LONGEST_WAIT, &group, load.longest_stall_ns);
            to.gauge_ns(&GROUP_SINCE_TURN, &group, load.since_turn_ns);
        }
        for ring in control.meters.rings() {
            let name = [ring.ring.as_str()];
            to.gauge(&RING_CAPACITY, &name, ring.capacity as f64);
            to.gauge(&RING_OCCUPANCY, &name, ring.occupancy as f64);
            to.gauge(&RING_HIGH_WATER, &name, ring.high_water as f64);
            to.count(&RING_EVENTS, &name, ring.events);
            to.count(&RING_FULL, &name, ring.refused);
            to.count(&RING_EMPTY, &name, ring.empty);
            ring.hop_ns.into_iter().for_each(|hop| to.gauge_ns(&RING_HOP, &name, hop));
        }
        for times in control.meters.latencies() {
            match times.name.strip_prefix("group ") {
                Some(group) => to.times(&GROUP_LATENCY, &[group], &times.histogram),
                None => to.times(&STAGE_LATENCY, &[&times.name], &times.histogram),
            }
        }
    }

    fn outside(&self, to: &mut Scrape) {
        let now = wall_now().0;
        let since = |at: u64| (at > 0).then(|| now.saturating_sub(at));
        for venue in self.venues() {
            let (name, found) = ([venue.venue()], venue.found().is_some());
            for session in SessionState::ALL {
                to.flag(&VENUE_SESSION, &[name[0], session.name()], session == venue.session());
            }
            since(venue.since()).into_iter().for_each(|ns| to.gauge_ns(&VENUE_SINCE, &name, ns));
            since(venue.heard()).into_iter().for_each(|ns| to.gauge_ns(&VENUE_HEARD, &name, ns));
            to.count(&VENUE_LOST, &name, venue.lost());
            to.count(&VENUE_BACK, &name, venue.back());
            to.gauge(&VENUE_OPEN_ORDERS, &name, venue.open_orders() as f64);
            to.gauge(&VENUE_UNANSWERED, &name, venue.unanswered() as f64);
            to.count(&VENUE_LATE, &name, venue.late());
            if found {
                to.count(&VENUE_UNSOLICITED, &name, venue.unsolicited());
                to.gauge(&VENUE_UNEXPLAINED, &name, venue.unexplained() as f64);
                to.gauge(&VENUE_UNKNOWN, &name, venue.unknown() as f64);
            }
        }
        to.flag(&CLOSED, &[], self.control.kill_switch.is_closed());
        to.count(&PULLS, &[], self.control.kill_switch.pulls());
        if let Some(disk) = self.control.disk.get().map(|disk| disk.state()) {
            to.gauge(&DISK_BEHIND, &[], disk.behind as f64);
            to.gauge(&DISK_BOUND, &[], disk.limit as f64);
            disk.waiting_ms.into_iter().for_each(|ms| to.gauge_ns(&DISK_WAITING, &[], ms * 1_000_000));
            to.count(&DISK_WAITS, &[], disk.waits);
        }
    }

    fn feeds(&self, values: Option<&Values>, to: &mut Scrape) {
        let newest = values.and_then(|values| values.sources().values().map(|source| source.last).max());
        let now = if self.is_wall { Some(wall_now()) } else { newest };
        for feed in self.control.feeds.all() {
            let name = [feed.name.as_str()];
            for standing in FeedStanding::ALL {
                to.flag(&FEED_STANDING, &[name[0], standing.name()], standing == feed.standing());
            }
            let Some(tally) = values.and_then(|values| values.sources().get(&feed.id)) else { continue };
            to.count(&FEED_INPUTS, &name, tally.inputs);
            to.gauge_ns(&FEED_LAST, &name, tally.last.0);
            now.into_iter().for_each(|now| to.gauge_ns(&FEED_AGE, &name, now.0.saturating_sub(tally.last.0)));
        }
    }

    fn recorded(&self, values: &Values, to: &mut Scrape) {
        if let Some(reached) = values.reached {
            to.gauge(&READ_SEQ, &[], reached.seq as f64);
            to.gauge(&READ_BEHIND, &[], self.control.watermark.load(Acquire).saturating_sub(reached.seq) as f64);
        }
        to.count(&READ_GAPS, &[], values.gaps);
        to.gauge(&STALE, &[], values.stale() as f64);
        for (kind, count) in values.counts() {
            to.count(&EVENTS, &[&kind_name(*kind)], *count);
        }
        for (code, count) in &values.stats().anomalies {
            let name = AnomalyKind::from_code(*code).map_or_else(|| code.to_string(), |kind| kind.name().to_owned());
            to.count(&ANOMALIES, &[&name], *count);
        }
        for ((action, result), count) in values.commands() {
            let action = CommandAction::from_code(*action).map_or("unknown", CommandAction::name);
            let result = CommandResult::from_code(*result).map_or("unknown", CommandResult::name);
            to.count(&COMMANDS, &[action, result], *count);
        }
        values.stats().halt().into_iter().for_each(|halt| to.flag(&HALTED, &[&halt.reason], true));
        for one in &values.followers {
            let name = [one.name.as_str()];
            to.flag(&FOLLOWER_RUNS, &name, one.is_running);
            if let Some(lag) = one.lag {
                to.gauge(&FOLLOWER_BEHIND, &name, lag.events as f64);
                lag.ns.into_iter().for_each(|ns| to.gauge_ns(&FOLLOWER_AGE, &name, ns));
            }
        }
    }

    fn trading(&self, values: &Values, to: &mut Scrape) {
        for (check, refusals) in values.stats().trades.refused() {
            to.count(&REFUSALS, &[stages::risk::check_name(*check)], refusals.count);
        }
        let has_gateway = self.venues().next().is_some();
        for limit in values.limits() {
            let (check, table) = (stages::risk::check_name(limit.target.check), limit.target.table);
            let table = values.instances.limit(table).map_or_else(|| table.to_string(), str::to_owned);
            let labels = [check, table.as_str()];
            to.gauge(&LIMIT, &labels, limit.limit as f64);
            to.gauge(&LIMIT_CEILING, &labels, limit.ceiling as f64);
            let used = match (check, limit.target.table) {
                ("position", 0) if values.records(Kind::Position) => Some(values.largest_position()),
                ("open-orders", 0) if has_gateway => Some(self.control.open_orders()),
                _ => None,
            };
            used.into_iter().for_each(|used| to.gauge(&LIMIT_USED, &labels, used as f64));
        }
        let positions = values.positions();
        let listed = values.stats().listings.iter().count();
        let held = Some(positions.len()).filter(|_| values.records(Kind::Position));
        let tables = [
            ("instruments", f64::from(self.max_instruments), Some(listed)),
            ("positions", self.max_positions as f64, held),
        ];
        for (what, bound, used) in tables {
            to.gauge(&BOUND, &[what], bound);
            used.into_iter().for_each(|used| to.gauge(&BOUND_USED, &[what], used as f64));
        }
        let mut accounts: Vec<u8> = positions.keys().map(|(account, ..)| account.0).collect();
        accounts.dedup();
        for account in accounts {
            let of = positions.iter().filter(|((of, ..), _)| of.0 == account);
            let open = of.filter(|(_, (position, _))| position.qty != 0).count();
            to.gauge(&POSITIONS, &[&account.to_string()], open as f64);
        }
        for ((account, currency), money) in values.money() {
            let (account, currency) = (account.0.to_string(), Currency::listed(currency).to_string());
            let labels = [account.as_str(), currency.as_str()];
            to.gauge(&REALISED, &labels, money.realised as f64 / 1e9);
            to.gauge(&FEES, &labels, money.fees as f64 / 1e9);
        }
    }
}

fn kind_name(kind: Kind) -> String {
    flow::kind_info(kind).map_or_else(|| kind.0.to_string(), |info| info.name.to_owned())
}

impl Exposed for EngineMetrics {
    fn ails(&self) -> Vec<String> {
        let stalled = self.control.stalled.load(Relaxed);
        let stands = (stalled > 0).then(|| format!("input {stalled} is not finished: the pipeline stands still"));
        let waits = self.control.disk.get().and_then(|disk| disk.state().waiting_ms);
        let waits = waits.map(|ms| format!("inputs have been waiting for the journal's disk for {ms} ms"));
        stands.into_iter().chain(waits).collect()
    }

    fn lacks(&self) -> Vec<String> {
        let control = &self.control;
        if control.stop.load(Relaxed) || control.ended.load(Acquire) {
            return vec!["the run ends".to_owned()];
        }
        if !control.recovered.load(Acquire) {
            return vec!["what is recorded is still checked and replayed".to_owned()];
        }
        let feeds = control.feeds.all();
        let feeds = feeds.iter().filter_map(|feed| match feed.standing() {
            FeedStanding::Opening => Some(format!("the feed {} has not been reached", feed.name)),
            FeedStanding::Failed => Some(format!("the feed {} brings nothing more", feed.name)),
            FeedStanding::Up | FeedStanding::Ended => None,
        });
        let venues = self.venues().filter(|venue| venue.session() != SessionState::Open);
        let venues = venues.map(|venue| {
            format!("the session with the venue {} is not open: {}", venue.venue(), venue.session().name())
        });
        feeds.chain(venues).chain(self.ails()).collect()
    }

    fn last(&self, key: Option<&str>) -> Option<Result<Value, String>> {
        let answer = |values: &Values| match key {
            Some(key) => values.answer(key).map(|answer| json!(answer)).map_err(|e| e.to_string()),
            None => Ok(keys_of(values)),
        };
        self.values.read(answer)
    }

    fn measure(&self, to: &mut Scrape) {
        self.pipeline(to);
        self.outside(to);
        let with_values = self.values.read(|values| {
            self.feeds(Some(values), to);
            self.recorded(values, to);
            self.trading(values, to);
        });
        if with_values.is_none() {
            self.feeds(None, to);
        }
    }
}
