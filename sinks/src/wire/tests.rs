//! The adapter against venues that are slow, silent, wrong or somebody else.

use super::client::{Settings, Wire};
use super::frame::Hello;
use super::framing::{Incoming, Outgoing, Payload};
use super::proof::{End, proof};
use flow::records::{Ack, Command};
use flow::{Event, EventId, Flags, Known, Ns, Opened, OrderId, Patience, SecretPlace, Venue, VenueError, VenueReply};
use secret::Secret;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const JOURNAL: u64 = 0xabcd;
const TIMEOUT: Duration = Duration::from_millis(300);

/// The other end of one connection.
struct Peer {
    stream: TcpStream,
    incoming: Incoming,
    outgoing: Outgoing,
    hello: Event,
}

impl Peer {
    /// Waits for the client's hello.
    fn greeted(stream: TcpStream) -> Peer {
        let (incoming, outgoing) = (Incoming::default(), Outgoing::default());
        let hello = Event::new(Ns(0), 0, Flags::NONE, &Command::default());
        let mut peer = Peer { stream, incoming, outgoing, hello };
        let Some(Payload::Event(hello)) = peer.read() else { panic!("no hello") };
        peer.hello = hello;
        peer
    }

    /// The next payload; `None` when the client has left.
    fn read(&mut self) -> Option<Payload> {
        loop {
            if let Some(payload) = self.incoming.next(JOURNAL).expect("the client's frames are intact") {
                return Some(payload);
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(n) if n > 0 => self.incoming.add(&chunk[..n]),
                _ => return None,
            }
        }
    }

    /// Reads until the client leaves; how many heartbeats came.
    fn heartbeats(mut self) -> usize {
        std::iter::from_fn(|| self.read()).filter(|payload| *payload == Payload::Heartbeat).count()
    }

    fn write(&mut self, payload: &[u8]) {
        self.outgoing.push(JOURNAL, payload);
        let n = self.outgoing.left().len();
        // The client may have left already.
        let _ = self.stream.write_all(self.outgoing.left());
        self.outgoing.gave(n);
    }

    fn event(&mut self, event: &Event) {
        self.write(bytemuck::bytes_of(event));
    }

    /// The venue's hello.
    fn own(answers: u64) -> Event {
        Hello { version: 3, timeout: TIMEOUT, answers: Some(answers), nonce: [7; 16] }.event()
    }

    fn answer(&mut self, number: u64) {
        let ack = Event::new(Ns(0), 1, Flags::NONE, &Ack { order_id: number, ..Ack::default() });
        self.event(&Event { id: EventId(number), ..ack });
    }
}

/// An adapter, and a venue that serves its one connection with `serve`.
fn wire<T: Send + 'static>(
    secret: Option<SecretPlace>,
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (Wire, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
    let address = listener.local_addr().expect("it is bound").to_string();
    let venue = std::thread::spawn(move || serve(listener.accept().expect("it connects").0));
    let patience = Patience { reply: TIMEOUT, answer: None, session: TIMEOUT };
    (Wire::new(Settings { address, timeout: TIMEOUT, patience, mass_cancel: true, secret }), venue)
}

/// Opens a session; the number of answers given.
fn open(wire: &mut Wire, received: u64) -> Result<u64, VenueError> {
    let how = Known { journal: JOURNAL, received: Some(received), orders: Vec::new() };
    loop {
        let begun = Instant::now();
        if let Some(opened) = wire.resume(&how)? {
            let Opened::Numbered(given) = opened else { panic!("its answers are numbered") };
            return Ok(given);
        }
        assert!(begun.elapsed() < TIMEOUT / 2, "a step waited");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Polls until a reply or an error comes.
fn poll(wire: &mut Wire) -> Result<VenueReply, VenueError> {
    loop {
        wire.flush()?;
        if let Some(reply) = wire.poll()? {
            return Ok(reply);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn answers_come_in_order_and_heartbeats_both_ways_keep_the_session() {
    let (mut wire, venue) = wire(None, |stream| {
        let mut peer = Peer::greeted(stream);
        peer.event(&Peer::own(2));
        (1..=2).for_each(|n| peer.answer(n));
        for _ in 0..8 {
            std::thread::sleep(TIMEOUT / 4);
            peer.write(&[]);
        }
        peer.answer(3);
        peer.heartbeats()
    });
    assert_eq!(open(&mut wire, 0), Ok(2));
    for number in 1..=3 {
        let Ok(VenueReply::Answer(answer)) = poll(&mut wire) else { panic!("no answer {number}") };
        assert_eq!(answer.id.0, number);
    }
    drop(wire);
    assert!(venue.join().expect("the venue works") >= 4, "too few heartbeats");
}

/// One deadline for the whole greeting: a byte now and then does not stretch it.
#[test]
fn a_greeting_that_drips_or_does_not_come_is_given_up() {
    for drips in [true, false] {
        let (mut wire, venue) = wire(None, move |stream| {
            let mut peer = Peer::greeted(stream);
            peer.outgoing.push(JOURNAL, bytemuck::bytes_of(&Peer::own(0)));
            let bytes = peer.outgoing.left().to_vec();
            for byte in bytes.iter().filter(|_| drips) {
                if peer.stream.write_all(&[*byte]).is_err() {
                    break;
                }
                std::thread::sleep(TIMEOUT / 10);
            }
            peer.heartbeats();
        });
        let begun = Instant::now();
        let error = open(&mut wire, 0).expect_err("nobody greets");
        assert!(error.transient && error.what.contains("greeting"), "{error}");
        assert!(begun.elapsed() < TIMEOUT * 3);
        venue.join().expect("the venue works");
    }
}

#[test]
fn silence_in_a_session_breaks_it() {
    let (mut wire, venue) = wire(None, |stream| {
        let mut peer = Peer::greeted(stream);
        peer.event(&Peer::own(0));
        peer.heartbeats();
    });
    assert_eq!(open(&mut wire, 0), Ok(0));
    let begun = Instant::now();
    let error = poll(&mut wire).expect_err("it says nothing");
    assert!(error.transient && error.what.contains("heartbeat"), "{error}");
    assert!(begun.elapsed() < TIMEOUT * 3);
    venue.join().expect("the venue works");
}

#[test]
fn a_venue_that_takes_nothing_or_too_little_breaks_the_session_and_no_call_waits() {
    for takes in [0, 256 << 10] {
        let (mut wire, venue) = wire(None, move |stream| {
            let mut peer = Peer::greeted(stream);
            peer.event(&Peer::own(0));
            let mut some = vec![0; takes];
            for _ in 0..30 {
                std::thread::sleep(TIMEOUT / 10);
                peer.write(&[]);
                // The client may have left already.
                let _ = peer.stream.read_exact(&mut some);
            }
        });
        assert_eq!(open(&mut wire, 0), Ok(0));
        let error = loop {
            let begun = Instant::now();
            (0..5_000).for_each(|n| wire.ask(OrderId(n)));
            match wire.flush() {
                Ok(_) => assert!(begun.elapsed() < TIMEOUT / 2, "a flush waited"),
                Err(e) => break e,
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(error.transient && error.what.contains("did not take"), "{error}");
        venue.join().expect("the venue works");
    }
}

/// Damaged bytes can be mended by another session, a wrong number and another engine cannot.
#[test]
fn what_is_wrong_is_told_apart() {
    type Wrong = fn(&mut Peer);
    let wrongs: [(Wrong, bool, &str); 5] = [
        (|peer| (1..=2).for_each(|_| peer.answer(1)), false, "answer 1 came after answer 1"),
        (|peer| peer.answer(2), false, "answer 2 came after answer 0"),
        (|peer| peer.stream.write_all(&[9; 80]).expect("it connects"), true, "damaged"),
        (|peer| peer.event(&Peer::own(0)), false, "not an answer"),
        (|peer| drop(peer.stream.shutdown(std::net::Shutdown::Both)), true, "closed"),
    ];
    for (wrong, transient, words) in wrongs {
        let (mut wire, venue) = wire(None, move |stream| {
            let mut peer = Peer::greeted(stream);
            peer.event(&Peer::own(0));
            wrong(&mut peer);
            peer.heartbeats();
        });
        assert_eq!(open(&mut wire, 0), Ok(0));
        let error = loop {
            if let Err(e) = poll(&mut wire) {
                break e;
            }
        };
        assert!(error.transient == transient && error.what.contains(words), "{error}");
        venue.join().expect("the venue works");
    }
}

#[test]
fn a_refusal_is_said_in_words() {
    for (reason, detail, words) in
        [(1, 0x77, "another engine trades there, with the journal 0000000000000077"), (3, 9, "version 9")]
    {
        let (mut wire, venue) = wire(None, move |stream| {
            let mut peer = Peer::greeted(stream);
            let refusal = Command { actor: reason, new: detail, ..Command::default() };
            peer.event(&Event::new(Ns(0), 0, Flags::NONE, &refusal));
            peer.heartbeats();
        });
        let error = open(&mut wire, 0).expect_err("it is refused");
        assert!(!error.transient && error.what.contains(words), "{error}");
        venue.join().expect("the venue works");
    }
}

#[test]
fn a_venue_with_fewer_answers_is_not_the_one() {
    let (mut wire, venue) = wire(None, |stream| {
        let mut peer = Peer::greeted(stream);
        peer.event(&Peer::own(3));
        peer.heartbeats();
    });
    let error = open(&mut wire, 4).expect_err("it is another");
    assert!(!error.transient && error.what.contains("gave 3 answers, but 4 are recorded"), "{error}");
    venue.join().expect("the venue works");
}

/// Both prove that they have the secret; a venue that does not, or has another one, gets nothing.
#[test]
fn a_venue_without_our_secret_is_not_the_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).expect("the folder is writable");
        SecretPlace::File(path.display().to_string())
    };
    let (ours, others) = (place("ours", "one"), place("others", "another"));
    for (theirs, opens) in [(Some(ours.clone()), true), (Some(others), false), (None, false)] {
        let (mut wire, venue) = wire(Some(ours.clone()), move |stream| {
            let (mut peer, own) = (Peer::greeted(stream), Peer::own(0));
            let hello = peer.hello;
            peer.event(&own);
            let secret = theirs.map(|place| Secret::read(&place).expect("it was written"));
            let of = |end| secret.as_ref().map(|secret| proof(secret, end, JOURNAL, &hello, &own));
            match of(End::Venue) {
                Some(proof) => peer.write(proof.as_bytes()),
                None => peer.answer(1),
            }
            match peer.read() {
                Some(Payload::Proof(found)) => of(End::Engine).is_some_and(|proof| *proof.as_bytes() == found),
                other => {
                    assert_eq!(other, None, "something was sent to a stranger");
                    false
                }
            }
        });
        let opened = open(&mut wire, 0);
        assert_eq!(opened.is_ok(), opens, "{opened:?}");
        if let Err(e) = opened {
            assert!(!e.transient && e.what.contains("our secret"), "{e}");
        }
        wire.flush().ok();
        drop(wire);
        assert_eq!(venue.join().expect("the venue works"), opens);
    }
}
