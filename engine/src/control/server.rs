//! The engine's end of the control socket: one thread for all clients.

use super::answer::{Submitted, kills};
use super::client::{Client, LOADING, Question, ROLLING, State};
use super::in_force::{self, InForce};
use super::intake::{Entering, Intake, MOST};
use super::message::{ControlReply, ControlRequest, LAST, RELOAD, ROLL};
use super::outcomes::Outcomes;
use super::reloading::{Step, Steps};
use super::socket;
use super::status::{self, Status};
use super::watching::{WATCHING, WatchAction};
use crate::drive::Control;
use crate::ingress::{Submission, halt, wall_now};
use crate::last_values::LastValues;
use crate::run::Reloader;
use flow::{CommandAction, HaltReason};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use stages::Instances;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most clients at once.
pub(super) const CLIENTS: usize = 64;
/// Most clients that are accepted before those that are there are looked at again.
const ACCEPTED: usize = 16;
/// How often the gateway is looked at while nothing but its cancels is missing.
const GLANCE: Duration = Duration::from_millis(2);
/// How long nobody is accepted after an accept failed, for lack of a file descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// The control socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}; without its control socket the engine does not trade", path.display())]
pub struct ControlError {
    path: PathBuf,
    error: io::Error,
}

/// What the control thread must know of the pipeline.
#[derive(Clone, Default)]
pub struct Pipeline {
    /// The instances of strategies and measures, which have names.
    pub instances: Arc<Instances>,
    /// The names that run.
    pub running: Vec<String>,
    /// It has a risk stage, which carries out commands and says what became of them.
    pub trades: bool,
    /// Its orders leave through a gateway, which watches the kill switch.
    pub has_gateway: bool,
    /// Opens what is added to its configuration.
    pub reloader: Option<Arc<Reloader>>,
    /// What is kept for those who ask by key; empty if nothing is.
    pub last: LastValues,
}

/// The listening end; it listens until it is dropped.
pub struct Server {
    path: PathBuf,
    outcomes: Arc<Outcomes>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens in a journal's folder, hands commands to `intake`, and answers with their `outcomes` and with the status of
    /// the run under `control`.
    ///
    /// # Errors
    /// When the socket cannot be created.
    pub fn start(
        journal: &Path,
        intake: &Arc<Intake>,
        control: Control,
        outcomes: &Arc<Outcomes>,
        pipeline: Pipeline,
    ) -> Result<Server, ControlError> {
        let path = socket::path(journal);
        let failed = |error| ControlError { path: path.clone(), error };
        let listener = socket::listening(journal).map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let guard = Guard { intake: Arc::clone(intake), control: control.clone() };
        let dispatcher = Dispatcher { intake: Arc::clone(intake), control, pipeline, bell: Arc::clone(outcomes) };
        let mut turns = Turns {
            listener,
            dispatcher,
            outcomes: Arc::clone(outcomes),
            stop: Arc::clone(&stop),
            clients: Vec::with_capacity(CLIENTS),
            accepts_from: Instant::now(),
        };
        let listen = move || {
            let _guard = guard;
            turns.run();
        };
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(listen);
        Ok(Server { outcomes: Arc::clone(outcomes), stop, thread: Some(thread.map_err(failed)?), path })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.outcomes.ring();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread sends no command, and the run is over.
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Halts if the control thread panics: nobody could halt any more.
pub(super) struct Guard {
    pub(super) intake: Arc<Intake>,
    pub(super) control: Control,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let admitted = self.control.admitted.load(Ordering::Relaxed);
            self.intake.halt(vec![halt(HaltReason::Panic, admitted, wall_now())]);
        }
    }
}

/// Carries out requests.
pub(super) struct Dispatcher {
    pub(super) intake: Arc<Intake>,
    pub(super) control: Control,
    pub(super) pipeline: Pipeline,
    /// Wakes the control thread.
    pub(super) bell: Arc<Outcomes>,
}

impl Dispatcher {
    /// Carries out a request that was read whole.
    fn serve(&self, client: &mut Client, line: &[u8], is_gone: bool) {
        let asked: ControlRequest = match serde_json::from_slice(line) {
            Ok(asked) => asked,
            Err(e) => return client.answer(&ControlReply::Refused { why: format!("this is no request: {e}") }),
        };
        let question = match asked.action.as_str() {
            status::ACTION => Some(Question::Status),
            in_force::ACTION => Some(Question::InForce),
            _ => None,
        };
        if let Some(question) = question {
            client.inquire(question);
            return self.settle(client, false);
        }
        if asked.action == LAST {
            return self.last(client, asked.key.as_deref().unwrap_or_default());
        }
        if asked.action == RELOAD && !is_gone {
            return match self.reloading(asked, client.uid()) {
                Ok(loading) => client.load(loading, LOADING),
                Err(why) => client.answer(&ControlReply::Refused { why }),
            };
        }
        if let Some(action) = WatchAction::of(&asked.action).filter(|_| !is_gone) {
            return match self.watching(action, asked, client.uid()) {
                Ok(loading) => client.load(loading, WATCHING),
                Err(why) => client.answer(&ControlReply::Refused { why }),
            };
        }
        if asked.action == ROLL && !is_gone {
            return match self.pipeline.reloader {
                Some(_) => client.roll(self.control.rolls.ask()),
                None => client.answer(&ControlReply::Refused { why: "this run does not roll its journal".to_owned() }),
            };
        }
        if is_gone && !asked.command().is_some_and(kills) {
            return client.leave();
        }
        match self.submitted(&asked, client.uid()) {
            Ok(command) => client.submit(command),
            Err(reply) => client.answer(&reply),
        }
        if is_gone {
            client.leave();
        }
    }

    /// Answers what is kept under a key: it is in memory, and the pipeline is not asked.
    fn last(&self, client: &mut Client, key: &str) {
        match self.pipeline.last.read(|values| values.answer(key)) {
            Some(Ok(answer)) => client.answer(&answer),
            Some(Err(no)) => client.answer(&ControlReply::Refused { why: no.to_string() }),
            None => {
                let why =
                    "no last values are kept: metrics.listen turns them on, and they begin once the record is read";
                client.answer(&ControlReply::NotKnown { why: why.to_owned() });
            }
        }
    }

    /// Hands the command over; a halt and a cancel-all pull the kill switch.
    fn submitted(&self, asked: &ControlRequest, uid: u32) -> Result<Submitted, ControlReply> {
        let events = asked
            .events(&self.pipeline.instances, uid, wall_now())
            .map_err(|e| ControlReply::Refused { why: e.to_string() })?;
        let instance = asked.param.as_deref().and_then(|key| key.rsplit_once('.')).map(|(name, _)| name);
        if let Some(name) = instance.filter(|name| !self.pipeline.running.iter().any(|one| one == name)) {
            let running = self.pipeline.running.join(", ");
            let why = format!("{name} does not run here; valid: {running}");
            return Err(ControlReply::Refused { why });
        }
        if !self.pipeline.trades {
            let why = "this pipeline does not trade: it has no risk stage".to_owned();
            return Err(ControlReply::Refused { why });
        }
        let action = asked.command().expect("a request without one has no events");
        let Entering { ticket, pull } = match action {
            CommandAction::Halt => self.intake.halt(events),
            CommandAction::CancelAll => self.intake.cancel_all(events),
            _ => self.intake.command(Submission::new(events, None)).ok_or_else(full)?,
        };
        let pull = pull.filter(|_| self.pipeline.has_gateway);
        let instances = Arc::clone(&self.pipeline.instances);
        let (wanted, joins, steps) = (asked.to.unwrap_or(0), false, None);
        Ok(Submitted { ticket, pull, action, instances, wanted, outcome: None, joins, steps })
    }

    /// Hands over the next step of what a configuration brings, or answers that all is done; the last one was stored as `seq`.
    pub(super) fn step(&self, client: &mut Client, mut steps: Box<Steps>, seq: Option<u64>) {
        let (submitted, joins) = match steps.next() {
            None => return client.answer(&steps.reply(seq)),
            Some(Step::Set(change)) => (self.submitted(&steps.request(&change), client.uid()), false),
            Some(Step::Join(joining)) => (self.joining(joining.submission), true),
        };
        match submitted {
            Ok(command) => client.submit(Submitted { joins, steps: Some(steps), ..command }),
            Err(reply) => client.answer(&steps.failed(reply)),
        }
    }

    /// Hands over the command by which inputs join.
    fn joining(&self, submission: Submission) -> Result<Submitted, ControlReply> {
        let Entering { ticket, pull } = self.intake.command(submission).ok_or_else(full)?;
        let (action, instances) = (CommandAction::Reload, Arc::clone(&self.pipeline.instances));
        Ok(Submitted { ticket, pull, action, instances, wanted: 0, outcome: None, joins: true, steps: None })
    }

    /// Answers a question once the pipeline has. The status is shown as it was last known, values never are.
    fn settle_question(&self, client: &mut Client, question: Question, since: Instant, is_due: bool) {
        let (inquiry, names) = (&self.control.inquiry, &self.pipeline.instances);
        let is_answered = inquiry.is_answered_since(since);
        if !is_answered && !is_due {
            return;
        }
        if question == Question::Status {
            return client.answer(&Status::of(&self.control, names));
        }
        let why = match inquiry.answer().filter(|_| is_answered) {
            Some((_, answer)) if !answer.head.replaying => return client.answer(&InForce::of(&answer, names)),
            Some(_) if !is_due => {
                client.state = State::Inquiring(question, Instant::now());
                return;
            }
            Some(_) => "the engine still repeats its record".to_owned(),
            None => "the pipeline does not answer".to_owned(),
        };
        client.answer(&ControlReply::NotKnown { why });
    }

    /// Answers once the run has gone on in a new journal, or cannot.
    fn settle_rolling(&self, client: &mut Client, is_due: bool) {
        let State::Rolling(request) = client.state else { return };
        match self.control.rolls.answer(request) {
            Some(Ok(after)) => client.answer(&ControlReply::Rolled { after }),
            Some(Err(why)) => client.answer(&ControlReply::NotCarriedOut { why }),
            None if is_due => {
                let why = format!("not within {} s, or the run has ended; it may still roll", ROLLING.as_secs());
                client.answer(&ControlReply::NotKnown { why });
            }
            None => {}
        }
    }

    /// Answers a command, if everything is known or the answer is due.
    fn settle(&self, client: &mut Client, is_due: bool) {
        if let State::Inquiring(question, since) = client.state {
            return self.settle_question(client, question, since, is_due);
        }
        self.settle_loading(client, is_due);
        self.settle_rolling(client, is_due);
        let State::Commanded(command) = &mut client.state else { return };
        let Some(reply) = command.answer(&self.control.kill_switch, is_due) else { return };
        let joined = command.joins;
        match (command.steps.take(), reply) {
            (Some(mut steps), ControlReply::Applied { seq, .. }) => {
                steps.done(seq);
                self.step(client, steps, joined.then_some(seq));
            }
            (Some(steps), reply) => client.answer(&steps.failed(reply)),
            (None, reply) => client.answer(&reply),
        }
    }
}

fn full() -> ControlReply {
    ControlReply::NotCarriedOut { why: format!("{MOST} commands wait for the engine already") }
}

/// The control thread.
struct Turns {
    listener: UnixListener,
    dispatcher: Dispatcher,
    outcomes: Arc<Outcomes>,
    stop: Arc<AtomicBool>,
    clients: Vec<Client>,
    /// Nobody is accepted before this.
    accepts_from: Instant,
}

impl Turns {
    fn run(&mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.wait();
            self.turn(false);
        }
        // The run is over: whoever has asked is answered, and so is whoever asks at this moment.
        let end = Instant::now() + PAUSE;
        self.turn(true);
        while !self.clients.is_empty() && Instant::now() < end {
            self.wait();
            self.turn(true);
        }
    }

    fn turn(&mut self, is_over: bool) {
        self.outcomes.quiet();
        while let Some((seq, outcome)) = self.outcomes.next() {
            for client in &mut self.clients {
                if let State::Commanded(command) = &mut client.state
                    && command.ticket.stored() == Some(seq)
                {
                    command.outcome = Some(outcome);
                }
            }
        }
        let now = Instant::now();
        for client in &mut self.clients {
            let is_due = is_over || client.deadline <= now;
            self.dispatcher.settle(client, is_due);
            if client.deadline <= now {
                client.is_late();
            }
        }
        self.clients.retain(|client| !matches!(client.state, State::Left));
        if now >= self.accepts_from {
            self.accept(now);
        }
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTED {
            match self.listener.accept() {
                // A client that is gone already has asked for nothing.
                Ok((stream, _)) => drop(Client::new(stream).map(|client| self.admit(client))),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    self.accepts_from = now + PAUSE;
                    return;
                }
            }
        }
    }

    /// With too many clients one makes room: the oldest that has not asked for anything whole, or else that has its
    /// answer, or else that asks for the status, or else whose inputs are being opened, or else whose command is no halt and
    /// no cancel-all. If there is none, the new one is turned away.
    fn admit(&mut self, mut client: Client) {
        let in_turn: [fn(&State) -> bool; 5] = [
            |state| matches!(state, State::Asking(_)),
            |state| matches!(state, State::Answered(_)),
            |state| matches!(state, State::Inquiring(..)),
            |state| matches!(state, State::Loading(_) | State::Rolling(_)),
            |state| matches!(state, State::Commanded(command) if !command.kills()),
        ];
        if self.clients.len() == CLIENTS {
            let leaves = in_turn.iter().find_map(|leaves| self.clients.iter().position(|c| leaves(&c.state)));
            let Some(at) = leaves else { return client.answer(&ControlReply::Busy) };
            let mut left = self.clients.remove(at);
            match left.state {
                State::Asking(_) => left.answer(&ControlReply::Busy),
                _ => self.dispatcher.settle(&mut left, true),
            }
        }
        self.clients.push(client);
    }

    /// Waits until a client speaks, an outcome comes or a deadline passes; then reads and writes what is possible.
    fn wait(&mut self) {
        let now = Instant::now();
        let accepts = now >= self.accepts_from;
        let mut until = if accepts { None } else { Some(self.accepts_from) };
        for client in &self.clients {
            let glances = match &client.state {
                State::Inquiring(..) | State::Rolling(_) => true,
                // What the head alone carries out is not said by the tail.
                State::Commanded(c) => c.joins || c.waits_for_gateway(&self.dispatcher.control.kill_switch),
                _ => false,
            };
            let next = if glances { client.deadline.min(now + GLANCE) } else { client.deadline };
            until = Some(until.map_or(next, |least: Instant| least.min(next)));
        }
        let over = self.stop.load(Ordering::Acquire).then_some(now + GLANCE);
        let timeout = over.or(until).map(|at| at.saturating_duration_since(now));
        let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
        let listening = if accepts { PollFlags::IN } else { PollFlags::empty() };
        let bell = self.outcomes.bell();
        let mut fds = vec![PollFd::from_borrowed_fd(bell, PollFlags::IN)];
        fds.push(PollFd::new(&self.listener, listening));
        let asking: Vec<usize> = (0..self.clients.len()).filter(|at| self.clients[*at].stream().is_some()).collect();
        for at in &asking {
            let client = &self.clients[*at];
            // That a client has left is always reported.
            let events = match client.state {
                State::Asking(_) => PollFlags::IN,
                State::Answered(_) => PollFlags::OUT,
                State::Loading(_) | State::Rolling(_) | State::Commanded(_) | State::Inquiring(..) | State::Left => {
                    PollFlags::empty()
                }
            };
            fds.push(PollFd::from_borrowed_fd(client.stream().expect("it has one"), events));
        }
        // An interrupted wait is a short one.
        let ready = poll(&mut fds, timeout.as_ref()).is_ok();
        let found: Vec<PollFlags> = fds[2..].iter().map(PollFd::revents).collect();
        drop(fds);
        for (at, found) in asking.into_iter().zip(found).filter(|_| ready) {
            self.look(at, found);
        }
    }

    fn look(&mut self, at: usize, found: PollFlags) {
        let client = &mut self.clients[at];
        let is_gone = found.intersects(PollFlags::HUP | PollFlags::ERR);
        match client.state {
            State::Asking(_) if !found.is_empty() => {
                if let Some(line) = client.request() {
                    self.dispatcher.serve(client, &line, is_gone);
                }
            }
            State::Answered(_) if found.contains(PollFlags::OUT) => client.write(),
            _ if is_gone => client.leave(),
            _ => {}
        }
    }
}
