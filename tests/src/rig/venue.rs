//! A venue that misbehaves.
//!
//! It speaks the protocol of `sinks/docs/wire.md`: it acknowledges every order, fills nothing, ends orders when it is asked
//! to, and does the one wrong thing that [`Adverse`] names. It has a thread a connection, which reads as bytes come, so
//! the moments that it notes are those at which the system had them. It serves one engine: a second connection of the same
//! journal takes the place of the first, which is read to its end before; another journal is refused.

use crate::{Inlet, Outlet};
use flow::records::{Ack, Cancelled, Command, Fill, Reject, Route, Sent};
use flow::{Action, CancelReason, Event, EventId, Flags, Kind, Ns, Px, Qty, Record, RejectReason, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Version of the protocol.
const VERSION: u32 = 3;
/// How long a read waits before the thread looks around.
const GLANCE: Duration = Duration::from_millis(20);
/// How often the venue says that it lives.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// The one thing that the venue does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adverse {
    /// Nothing.
    #[default]
    Nothing,
    /// After so many routes it answers nothing any more; a later session gets a hello and nothing else.
    SilentAfter(u64),
    /// As [`Adverse::SilentAfter`], but its heartbeats go on.
    HeartbeatsAfter(u64),
    /// It accepts a connection and says nothing.
    NoHello,
    /// A byte of its hello each half second.
    DrippingHello,
    /// A fill for an instrument that no listing has, once, after the hello.
    StrangeInstrument(u32),
    /// After so many answers, the last one again; once.
    RepeatedNumber(u64),
    /// After so many answers, bytes that are no frame; once.
    Garbage(u64),
    /// After so many answers, a frame with one bit flipped; once.
    WrongChecksum(u64),
    /// Every answer so late.
    Slow(Duration),
    /// It never answers this order: the k-th, from 1.
    Forgets(u64),
}

/// An open order.
#[derive(Clone, Copy)]
struct Open {
    instrument: u32,
    side: Side,
    qty: Qty,
}

/// What the venue has seen, and what it is to do.
#[derive(Default)]
pub struct Seen {
    /// What it does wrong.
    pub adverse: Adverse,
    /// Whether it refuses to end or change a single order: what is open then stays open.
    pub holds: bool,
    /// Every answer, in the order of their numbers.
    pub answers: Vec<Event>,
    /// The journal of each hello.
    pub hellos: Vec<u64>,
    /// Sessions refused, because another engine is served.
    pub refused: u64,
    /// Routes that came.
    pub routes: u64,
    /// Orders that came twice.
    pub twice: u64,
    /// Questions about orders.
    pub questions: u64,
    /// When each cancel-all came.
    pub cancel_alls: Vec<Instant>,
    /// When each order came last that was new to the venue or replaced another.
    pub last_order: Option<Instant>,
    /// When each order ended, by order id.
    pub ended: BTreeMap<u64, Instant>,
    open: BTreeMap<u64, Open>,
    known: BTreeSet<u64>,
    done_once: bool,
    current: Option<Served>,
}

/// The connection that is served.
struct Served {
    stream: TcpStream,
    journal: u64,
    done: Arc<AtomicBool>,
}

impl Served {
    /// Waits until everything that it still holds was taken.
    fn finish(self) {
        // The other end may have closed it already.
        let _ = self.stream.shutdown(Shutdown::Both);
        while !self.done.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Seen {
    /// Ids of the orders that are open.
    pub fn open(&self) -> Vec<u64> {
        self.open.keys().copied().collect()
    }

    /// How many orders came.
    pub fn orders(&self) -> usize {
        self.known.len()
    }

    fn is_silent(&self) -> bool {
        match self.adverse {
            Adverse::SilentAfter(n) | Adverse::HeartbeatsAfter(n) => self.routes > n,
            _ => false,
        }
    }

    fn beats(&self) -> bool {
        !matches!(self.adverse, Adverse::NoHello | Adverse::DrippingHello)
            && (!self.is_silent() || matches!(self.adverse, Adverse::HeartbeatsAfter(_)))
    }

    fn answer<R: Record>(&mut self, instrument: u32, side: Side, record: &R) {
        let mut event = Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP.with_side(side), record);
        event.id = EventId(self.answers.len() as u64 + 1);
        self.answers.push(event);
    }

    fn end(&mut self, order_id: u64, cause: u64, reason: CancelReason) {
        let Some(Open { instrument, side, qty }) = self.open.remove(&order_id) else { return };
        self.ended.insert(order_id, Instant::now());
        let cancelled = Cancelled { order_id, qty, cause, reason: reason.code(), ..Cancelled::default() };
        self.answer(instrument, side, &cancelled);
    }

    fn refuse(&mut self, route: &Event, reason: RejectReason) {
        let Route { order_id, action, .. } = *route.record();
        let reject = Reject { order_id, cause: route.id.0, reason: reason.code(), action, ..Reject::default() };
        self.answer(route.instrument, route.side(), &reject);
    }

    fn route(&mut self, route: &Event) {
        let Route { order_id, qty, replaces, action, .. } = *route.record();
        self.routes += 1;
        match Action::from_code(action) {
            Some(Action::New | Action::Replace) => {
                self.last_order = Some(Instant::now());
                self.twice += u64::from(!self.known.insert(order_id));
                if self.adverse == Adverse::Forgets(self.known.len() as u64) {
                    return;
                }
                if replaces != 0 && (self.holds || !self.open.contains_key(&replaces)) {
                    return self.refuse(route, RejectReason::TooLate);
                }
                self.open.remove(&replaces);
                self.open.insert(order_id, Open { instrument: route.instrument, side: route.side(), qty });
                let venue_order = order_id ^ 1 << 63;
                let ack = Ack { order_id, venue_order, cause: route.id.0, replaces, ..Ack::default() };
                self.answer(route.instrument, route.side(), &ack);
            }
            Some(Action::Cancel) if self.holds || !self.open.contains_key(&order_id) => {
                self.refuse(route, RejectReason::TooLate);
            }
            Some(Action::Cancel) => self.end(order_id, route.id.0, CancelReason::Requested),
            Some(Action::CancelAll) => {
                self.cancel_alls.push(Instant::now());
                for order_id in self.open() {
                    self.end(order_id, route.id.0, CancelReason::MassCancel);
                }
            }
            None => panic!("a route without an action: {route:?}"),
        }
    }
}

/// The running venue. It ends when it is dropped.
pub struct HostileVenue {
    /// Where it listens.
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
}

impl HostileVenue {
    /// Listens on a port of the loopback.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(adverse: Adverse) -> HostileVenue {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let seen = Arc::new(Mutex::new(Seen { adverse, ..Seen::default() }));
        let over = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (Arc::clone(&seen), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (seen, over) = (Arc::clone(&shared), Arc::clone(&ended));
                std::thread::spawn(move || Session::new(stream, seen, over).serve());
            }
        });
        HostileVenue { port, seen, over }
    }

    /// What it has seen; it waits meanwhile.
    ///
    /// # Panics
    /// When one of its threads has panicked: the engine sent what the page does not allow.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("a thread of the venue panicked")
    }

    /// Orders that came twice, and hellos.
    pub fn counts(&self) -> (u64, usize) {
        let seen = self.seen();
        (seen.twice, seen.hellos.len())
    }

    /// From now on it does this wrong. A session in which it was silent ends: questions in it stay unanswered.
    pub fn becomes(&self, adverse: Adverse) {
        let mut seen = self.seen();
        let was_silent = seen.is_silent();
        (seen.adverse, seen.done_once) = (adverse, false);
        drop(seen);
        if was_silent {
            self.hang_up();
        }
    }

    /// Hangs up.
    pub fn hang_up(&self) {
        if let Some(served) = self.seen().current.take() {
            // The other end may have closed it already.
            let _ = served.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for HostileVenue {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that listens.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection.
struct Session {
    stream: TcpStream,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    /// Set once everything that came was taken.
    done: Arc<AtomicBool>,
    outlet: Outlet,
    /// The journal of the engine; `None` before its hello.
    journal: Option<u64>,
    /// Answers given so far.
    given: usize,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
    }
}

impl Session {
    fn new(stream: TcpStream, seen: Arc<Mutex<Seen>>, over: Arc<AtomicBool>) -> Session {
        Session { stream, seen, over, done: Arc::default(), outlet: Outlet::default(), journal: None, given: 0 }
    }

    fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
        seen.lock().expect("no thread of the venue panics")
    }

    fn serve(mut self) {
        let asked = self.stream.set_nodelay(true).and_then(|()| self.stream.set_read_timeout(Some(GLANCE)));
        asked.expect("a socket can be asked");
        let (mut inlet, mut chunk, mut beat) = (Inlet::default(), vec![0; 64 << 10], Instant::now());
        while !self.over.load(Ordering::Relaxed) {
            match self.stream.read(&mut chunk) {
                Ok(0) => return,
                Ok(n) => inlet.add(&chunk[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return,
            }
            loop {
                match inlet.take() {
                    Ok(Some((journal, payload))) => {
                        if payload.len() == size_of::<Event>() && !self.take(journal, &payload) {
                            return;
                        }
                    }
                    Ok(None) => break,
                    // What is no frame ends the session: it is the engine that is attacked here.
                    Err(_) => return,
                }
            }
            let shared = Arc::clone(&self.seen);
            let mut seen = Session::lock(&shared);
            self.give(&mut seen);
            if let Some(journal) = self.journal.filter(|_| seen.beats() && beat.elapsed() > HEARTBEAT) {
                beat = Instant::now();
                self.outlet.push(journal, &[]);
            }
            let adverse = seen.adverse;
            drop(seen);
            self.write(adverse);
        }
    }

    /// Sends what is to be sent. What cannot be sent is lost, but what came is still read.
    fn write(&mut self, adverse: Adverse) {
        let out = std::mem::take(&mut self.outlet.bytes);
        match adverse {
            Adverse::Slow(late) if !out.is_empty() => std::thread::sleep(late),
            Adverse::DrippingHello => {
                for byte in out {
                    if self.over.load(Ordering::Relaxed) || self.stream.write_all(&[byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(500));
                }
                return;
            }
            _ => {}
        }
        let _ = self.stream.write_all(&out);
    }

    /// An event has come; whether the connection lives on.
    fn take(&mut self, journal: u64, payload: &[u8]) -> bool {
        let event: Event = bytemuck::pod_read_unaligned(payload);
        if self.journal.is_none() {
            return self.greet(journal, &event);
        }
        let shared = Arc::clone(&self.seen);
        let mut seen = Session::lock(&shared);
        if let Some(question) = event.get::<Sent>() {
            seen.questions += u64::from(question.order_id != 0);
            if !seen.is_silent() {
                let known = seen.known.contains(&question.order_id);
                let answer = Sent { action: if known { 1 } else { 2 }, ..*question };
                self.give(&mut seen);
                self.outlet.event(journal, &Event::new(Ns(0), 0, Flags::NONE, &answer));
            }
        } else if event.kind == Kind::Route {
            seen.route(&event);
        }
        true
    }

    /// The first event of a connection; whether it lives on.
    fn greet(&mut self, journal: u64, event: &Event) -> bool {
        let Some(hello) = event.get::<Command>().filter(|c| c.action == 0) else { return false };
        assert_eq!(hello.target, VERSION, "version of the hello");
        let mut seen = Session::lock(&self.seen);
        seen.hellos.push(journal);
        if seen.adverse == Adverse::NoHello {
            return true;
        }
        let mut reply = *event;
        let said = reply.record_mut::<Command>();
        let served = seen.current.take().filter(|served| !served.done.load(Ordering::Acquire));
        if let Some(other) = served.as_ref().filter(|served| served.journal != journal) {
            *said = Command { action: 0, target: 0, actor: 1, new: other.journal as i64, ..*said };
            self.outlet.event(journal, &reply);
            (seen.current, seen.refused) = (served, seen.refused + 1);
            let _ = self.stream.write_all(&self.outlet.bytes);
            return false;
        }
        if let Some(old) = served {
            drop(seen);
            old.finish();
            seen = Session::lock(&self.seen);
        }
        self.given = usize::try_from(hello.new).unwrap_or(seen.answers.len());
        said.new = seen.answers.len() as i64;
        self.outlet.event(journal, &reply);
        seen.current =
            self.stream.try_clone().ok().map(|stream| Served { stream, journal, done: Arc::clone(&self.done) });
        self.journal = Some(journal);
        if let (Adverse::StrangeInstrument(instrument), false) = (seen.adverse, seen.done_once) {
            seen.done_once = true;
            let fill = Fill { order_id: 1, px: Px(Px::ONE), qty: Qty(1), match_id: 1, cause: 0 };
            seen.answer(instrument, Side::Buy, &fill);
        }
        true
    }

    /// Queues the answers that were not given yet, spoilt if it is time.
    fn give(&mut self, seen: &mut Seen) {
        let Some(journal) = self.journal.filter(|_| !seen.is_silent()) else { return };
        let new = &seen.answers[self.given..];
        new.iter().for_each(|answer| self.outlet.event(journal, answer));
        self.given += new.len();
        let (Some(last), false) = (new.last(), seen.done_once) else { return };
        let count = seen.answers.len() as u64;
        match seen.adverse {
            Adverse::RepeatedNumber(n) if count > n => self.outlet.event(journal, last),
            Adverse::Garbage(n) if count > n => self.outlet.bytes.extend((0..320_u32).map(|i| (i * 37 + 11) as u8)),
            Adverse::WrongChecksum(n) if count > n => *self.outlet.bytes.last_mut().expect("an answer") ^= 1,
            _ => return,
        }
        seen.done_once = true;
    }
}
