//! Builds a merge: its sources first, then whatever else the run needs (log, replies, commands, replay).

use super::{Ingress, Phase};
use crate::gateway::{KillSwitch, LiveVenueReplies};
use crate::ingress::commands::Concerned;
use crate::ingress::directory::Directory;
use crate::ingress::joining::{Joining, StandIn};
use crate::ingress::rolling::Rolling;
use crate::ingress::{
    Clock, Commands, FeedStatuses, NextJournal, Origin, Refusals, Retrace, RollRequests, SimVenueReplies, SourceQueue,
    TickSource,
};
use crate::pipeline::{Handover, HeadState};
use flow::{Gateway, Ns};
use sinks::journal::InputLog;
use std::sync::Arc;
use std::sync::mpsc::Sender;

impl Ingress {
    /// Merges `feeds`; gives their instruments indices below `instruments`.
    pub fn new(mut feeds: Vec<SourceQueue>, ticks: TickSource, clock: Clock, instruments: u32) -> Ingress {
        // One that joins later needs no memory then.
        feeds.reserve(usize::from(Gateway::LEAST_SOURCE).saturating_sub(feeds.len()));
        Ingress {
            feeds,
            directory: Directory::new(instruments),
            ticks,
            clock,
            commands: Commands::default(),
            concerned: Concerned::default(),
            joining: Joining::default(),
            returns: None,
            refusals: None,
            live_replies: Vec::new(),
            next_gateway: 0,
            retrace: None,
            now: Ns(0),
            seq: 0,
            phase: Phase::Open,
            resting: false,
            stopping: None,
            complete: false,
            cancel_at_end: None,
            fast_path: false,
            last_feed: 0,
            activity: flow::table(instruments as usize, 0),
            log: None,
            rolling: None,
            origins: None,
        }
    }

    /// Cancels what is open at a venue outside the process when the run ends.
    pub fn with_cancel_at_end(mut self, kill_switch: Option<Arc<KillSwitch>>) -> Ingress {
        self.cancel_at_end = kill_switch;
        self
    }

    /// Logs every input before the pipeline sees it.
    pub fn with_log(mut self, log: Option<InputLog>) -> Ingress {
        self.log = log;
        self
    }

    /// Rolls the journal, the current one of which began at `begun`, if an input is in it.
    pub fn roll(
        &mut self,
        next: Box<dyn NextJournal>,
        (handover, requests): (Arc<Handover>, Arc<RollRequests>),
        begun: Option<Ns>,
    ) {
        self.rolling = Some(Rolling::new(next, handover, requests, begun));
    }

    /// Sends the origin of each input (file and record) to the rows.
    pub fn with_origins(mut self, origins: Option<Sender<Origin>>) -> Ingress {
        self.origins = origins;
        self
    }

    /// Merges returns from the pipeline and answers of the simulated venue.
    pub fn with_returns(mut self, returns: Option<SimVenueReplies>) -> Ingress {
        if returns.is_some() {
            self.ticks.add_sweeps();
        }
        self.returns = returns;
        self
    }

    /// Merges refusals from the pipeline, where no order goes to the simulated exchange.
    pub fn with_refusals(mut self, refusals: Option<Refusals>) -> Ingress {
        self.refusals = refusals;
        self
    }

    /// Merges what gateways say, in the order of their numbers.
    pub fn with_live_replies(mut self, live_replies: Vec<LiveVenueReplies>) -> Ingress {
        self.live_replies = live_replies;
        self
    }

    /// Queries the venue of a gateway about orders of an earlier journal.
    pub fn ask(&mut self, gateway: Gateway, orders: Vec<flow::KnownOrder>) {
        if let Some(replies) = self.live_replies.get_mut(gateway.number()) {
            replies.ask(orders);
        }
    }

    /// Merges operator commands.
    pub fn with_commands(mut self, commands: Commands) -> Ingress {
        self.commands = commands;
        self
    }

    /// Publishes how the sources stand, also those that join later.
    pub fn with_statuses(mut self, statuses: FeedStatuses) -> Ingress {
        self.feeds.iter().for_each(|feed| statuses.add(feed.status()));
        self.joining.publish(statuses);
        self
    }

    /// Sources that join where the record says so, or after it.
    pub fn with_joining(mut self, sources: Vec<SourceQueue>) -> Ingress {
        self.joining.wait(sources);
        self
    }

    /// Stand-ins join in their place.
    pub fn with_stand_ins(mut self, stand_in: StandIn) -> Ingress {
        self.joining.stand_in(stand_in);
        self
    }

    /// Replays recorded inputs first.
    pub fn with_retrace(mut self, retrace: Option<Retrace>) -> Ingress {
        self.retrace = retrace;
        self
    }

    /// The sources.
    pub fn feeds(&self) -> &[SourceQueue] {
        &self.feeds
    }

    /// Says where it stands.
    pub(super) fn say(&self, to: &mut HeadState) {
        (to.seq, to.now, to.clock, to.replaying) = (self.seq, self.now, self.clock.wall(), self.is_replaying());
        to.instruments = self.directory.room();
        to.feeds.extend(self.feeds.iter().map(SourceQueue::trading_state));
    }

    /// The time of its last input.
    pub fn now(&self) -> Ns {
        self.now
    }

    /// Inputs by instrument.
    pub fn activity(&self) -> &[u64] {
        &self.activity
    }

    /// Whether all sources have ended and all that they caused has come back, so that nothing can follow.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether its state is that of the record: no route is in doubt at a venue outside the process, and no source is ahead with
    /// other symbols.
    pub fn is_settled(&self) -> bool {
        self.live_replies.iter().all(LiveVenueReplies::is_settled) && self.feeds.iter().all(SourceQueue::is_level)
    }

    /// Number of the last input.
    pub fn last_seq(&self) -> u64 {
        self.seq
    }

    /// Whether recorded inputs are still to be replayed.
    pub fn is_replaying(&self) -> bool {
        self.retrace.is_some()
    }

    /// Takes the returns out, with what waits there and the state of the simulated venue.
    pub fn take_returns(&mut self) -> Option<SimVenueReplies> {
        self.returns.take()
    }

    /// Takes the input log out, to be closed and sealed.
    pub fn take_log(&mut self) -> Option<InputLog> {
        self.log.take()
    }
}
