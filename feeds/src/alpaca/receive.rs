//! The thread of the feed: connects, stays connected, hands over what comes.
//!
//! A connection that is lost is a `gap` at once, and is opened again after a pause that doubles, between half a second and half
//! a minute, with as much again by chance, so that many clients do not come back at the same moment. A connection that nothing
//! has come from for [`SILENCE`], not even an answer to a ping, is lost. What came goes its way in `handover`.
//!
//! Bound: the ring's slots. Worst case: the ring is full, and messages are a gap from there on.

use super::address::Address;
use super::connection::{Connection, Frame};
use super::handover::Handover;
use super::message::Encoding;
use super::session::{Credentials, Refused, Session, Turn};
use super::stream;
use super::subscription::Channel;
use super::translate::Manner;
use crate::live::{RingSender, arrival};
use flow::{SecretPlace, Symbols};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use secret::Secret;
use std::time::{Duration, Instant};

/// How long a step of a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A ping goes out after so long without anything.
const QUIET: Duration = Duration::from_secs(10);
/// After so long without anything the connection is lost.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the thread waits before it looks whether the run has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Counts are said so often.
const COUNTS: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a feed is told.
pub(super) struct Settings {
    pub(super) address: Address,
    pub(super) encoding: Encoding,
    pub(super) channels: Vec<Channel>,
    pub(super) key: SecretPlace,
    pub(super) secret: SecretPlace,
    pub(super) tls: stream::Settings,
    pub(super) manner: Manner,
}

/// Pauses between attempts.
pub(super) struct Pauses {
    random: Xoshiro256PlusPlus,
    next: Duration,
}

impl Pauses {
    pub(super) fn new(seed: u64) -> Pauses {
        Pauses { random: Xoshiro256PlusPlus::seed_from_u64(seed), next: FIRST_PAUSE }
    }

    pub(super) fn next(&mut self, is_lasting: bool) -> Duration {
        let base = if is_lasting { LONGEST_PAUSE } else { self.next };
        self.next = (base * 2).min(LONGEST_PAUSE);
        let share = self.random.next_u32() as f64 / f64::from(u32::MAX);
        base.mul_f64(1.0 + share)
    }
}

/// The feed's thread.
pub(super) struct Receiver {
    settings: Settings,
    handover: Handover,
    symbols: Option<Symbols>,
    /// Symbols that are still to be listed, because the ring was full.
    unlisted: Vec<String>,
    counted: Option<Instant>,
}

/// How a connection ended.
enum Ended {
    /// The run has.
    Abandoned,
    Lost {
        why: String,
        is_lasting: bool,
    },
}

impl From<Refused> for Ended {
    fn from(refused: Refused) -> Ended {
        Ended::Lost { why: refused.to_string(), is_lasting: refused.is_lasting }
    }
}

impl From<String> for Ended {
    fn from(why: String) -> Ended {
        Ended::Lost { why: format!("{why}; it is tried again"), is_lasting: false }
    }
}

impl Receiver {
    pub(super) fn new(settings: Settings, sender: RingSender) -> Receiver {
        let handover = Handover::new(settings.manner, sender);
        Receiver { settings, handover, symbols: None, unlisted: Vec::new(), counted: None }
    }

    /// Until the run ends.
    pub(super) fn run(mut self) {
        let mut pauses = Pauses::new(arrival().0);
        while !self.handover.sender.is_abandoned() {
            self.look_at_watched();
            let mut was_subscribed = false;
            match self.connection(&mut was_subscribed) {
                Ended::Abandoned => return,
                Ended::Lost { why, is_lasting } => {
                    self.handover.sender.say(&why);
                    if was_subscribed {
                        pauses = Pauses::new(arrival().0);
                        self.lost();
                    }
                    self.pause(pauses.next(is_lasting));
                }
            }
        }
    }

    /// A gap, as soon as there is room for it.
    fn lost(&mut self) {
        while !self.handover.lost(arrival()) && !self.handover.sender.is_abandoned() {
            std::thread::sleep(LOOK);
        }
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.handover.sender.is_abandoned() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }

    /// What is to be watched now, if that has changed.
    fn look_at_watched(&mut self) -> bool {
        let Some(symbols) = self.handover.sender.watched() else { return false };
        self.unlisted.extend(symbols.iter().flatten().cloned());
        self.symbols = symbols;
        self.list();
        true
    }

    /// Lists what is still to be listed.
    fn list(&mut self) {
        let due = arrival();
        while self.unlisted.pop_if(|symbol| self.handover.list(symbol, due)).is_some() {}
    }

    /// Says what came so far, once a second: a list is made for it.
    fn count(&mut self) {
        if self.counted.is_none_or(|at| at.elapsed() >= COUNTS) {
            self.counted = Some(Instant::now());
            self.handover.count();
        }
    }

    /// One connection, until its end.
    fn connection(&mut self, was_subscribed: &mut bool) -> Ended {
        match self.talk(was_subscribed) {
            Ok(()) => Ended::Abandoned,
            Err(ended) => ended,
        }
    }

    fn talk(&mut self, was_subscribed: &mut bool) -> Result<(), Ended> {
        let Settings { address, encoding, tls, channels, key, secret, .. } = &self.settings;
        let encoding = *encoding;
        let read = |place: &SecretPlace| Secret::read(place).map_err(|e| e.to_string());
        let credentials = Credentials { key: read(key)?, secret: read(secret)? };
        let mut session = Session::new(encoding, channels.clone(), credentials, self.symbols.clone());
        let mut connection = Connection::open(address, encoding, tls, PATIENCE)?;
        self.handover.begin(arrival());
        let mut heard = Instant::now();
        let mut asked = heard;
        let until = heard + PATIENCE;
        loop {
            if self.handover.sender.is_abandoned() {
                connection.close();
                return Ok(());
            }
            if self.look_at_watched() {
                let turn = session.watch(self.symbols.clone());
                self.act(&mut connection, turn)?;
            }
            self.list();
            self.count();
            while let Some(frame) = connection.read()? {
                heard = Instant::now();
                match frame {
                    Frame::Pong => {}
                    Frame::Closed(why) => return Err(why.into()),
                    Frame::Data(encoding, bytes) => {
                        let turn = self.handover.frame(&mut session, (encoding, &bytes), arrival())?;
                        *was_subscribed |= session.is_subscribed();
                        self.act(&mut connection, turn)?;
                    }
                }
            }
            let silent = heard.elapsed();
            if silent >= SILENCE || (!session.is_subscribed() && Instant::now() >= until) {
                return Err("the other side is silent".to_owned().into());
            }
            if silent >= QUIET && asked.elapsed() >= QUIET {
                connection.ping()?;
                asked = Instant::now();
            }
            connection.wait(LOOK);
        }
    }

    fn act(&mut self, connection: &mut Connection, turn: Turn) -> Result<(), Ended> {
        for request in turn.send {
            connection.send(self.settings.encoding, request)?;
        }
        if let Some(say) = turn.say {
            self.handover.sender.say(&say);
        }
        if let Some(answer) = turn.answer {
            self.handover.sender.watches(self.symbols.clone(), answer);
        }
        Ok(())
    }
}
