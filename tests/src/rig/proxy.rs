//! A proxy that does to a connection what networks and middle boxes do, and what they should not.
//!
//! Bytes pass in both directions, and at moments that a seed draws a piece is cut off in the middle and the connection with
//! it, held back, sent byte by byte, sent twice, spoiled, preceded by garbage, or everything falls silent.

use crate::draw;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The longest piece that is passed on at once: a few frames.
const PIECE: usize = 320;

/// How hostile a proxy is.
#[derive(Clone, Copy, Debug)]
pub struct Hostility {
    /// One piece in so many is cut, doubled or spoiled; 0: none.
    pub spoils: u64,
    /// One piece in so many is late or dripped; 0: none.
    pub delays: u64,
    /// How long a silence lasts before the connection is cut.
    pub silence: Duration,
}

impl Hostility {
    /// Bytes pass as they come.
    pub const NONE: Hostility = Hostility { spoils: 0, delays: 0, silence: Duration::ZERO };
}

/// What was done, by kind.
const KINDS: [&str; 7] = ["cut", "doubled", "spoiled", "garbage", "silence", "late", "dripped"];

struct Shared {
    hostility: Hostility,
    calm: AtomicBool,
    over: AtomicBool,
    done: [AtomicU64; KINDS.len()],
}

impl Shared {
    fn count(&self, kind: usize) {
        self.done[kind].fetch_add(1, Ordering::Relaxed);
    }
}

/// A running proxy. It ends when it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a port of the loopback, in front of another one.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(to: u16, seed: u64, hostility: Hostility) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let (calm, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let shared = Arc::new(Shared { hostility, calm, over, done: Default::default() });
        let through = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut random = seed | 1;
            for near in listener.incoming().map_while(Result::ok) {
                if through.over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let seed = draw(&mut random, u64::MAX) | 1;
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                    let pass = Pass { from, to, random: seed, shared: Arc::clone(&through) };
                    std::thread::spawn(move || pass.run());
                }
            }
        });
        Proxy { port, shared }
    }

    /// From now on bytes pass as they come, or no more.
    pub fn set_calm(&self, calm: bool) {
        self.shared.calm.store(calm, Ordering::Relaxed);
    }

    /// What was done so far, for people.
    pub fn done(&self) -> String {
        let count = |(kind, n): (&&str, &AtomicU64)| format!("{} {kind}", n.load(Ordering::Relaxed));
        KINDS.iter().zip(&self.shared.done).map(count).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that listens.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One direction of a connection.
struct Pass {
    from: TcpStream,
    to: TcpStream,
    random: u64,
    shared: Arc<Shared>,
}

impl Pass {
    fn run(mut self) {
        let _ = self.to.set_nodelay(true);
        let mut piece = vec![0; PIECE];
        while let Ok(n) = self.from.read(&mut piece) {
            if n == 0 || !self.pass(&piece[..n]) {
                break;
            }
        }
        // Either end may have closed it already.
        let _ = (self.from.shutdown(Shutdown::Both), self.to.shutdown(Shutdown::Both));
    }

    fn is_time(&mut self, one_in: u64) -> bool {
        one_in > 0 && !self.shared.calm.load(Ordering::Relaxed) && draw(&mut self.random, one_in) == 0
    }

    /// Passes a piece on, somehow; whether the connection lives.
    fn pass(&mut self, piece: &[u8]) -> bool {
        let Hostility { spoils, delays, silence } = self.shared.hostility;
        if self.is_time(spoils) {
            let at = draw(&mut self.random, piece.len() as u64) as usize;
            return match draw(&mut self.random, 5) {
                0 => self.cut(&piece[..at]),
                1 => self.doubled(piece, at),
                2 => self.spoiled(piece, at),
                3 => self.after_garbage(piece),
                _ => self.fall_silent(silence),
            };
        }
        if self.is_time(delays) {
            return if draw(&mut self.random, 2) == 0 { self.late(piece) } else { self.dripped(piece) };
        }
        self.to.write_all(piece).is_ok()
    }

    fn cut(&mut self, rest: &[u8]) -> bool {
        self.shared.count(0);
        let _ = self.to.write_all(rest);
        false
    }

    fn doubled(&mut self, piece: &[u8], at: usize) -> bool {
        self.shared.count(1);
        let again = if draw(&mut self.random, 2) == 0 { piece } else { &piece[at..] };
        self.to.write_all(piece).is_ok() && self.to.write_all(again).is_ok()
    }

    fn spoiled(&mut self, piece: &[u8], at: usize) -> bool {
        self.shared.count(2);
        let mut piece = piece.to_vec();
        piece[at] ^= 1 << draw(&mut self.random, 8);
        self.to.write_all(&piece).is_ok()
    }

    fn after_garbage(&mut self, piece: &[u8]) -> bool {
        self.shared.count(3);
        let len = 1 + draw(&mut self.random, 200);
        let garbage: Vec<u8> = (0..len).map(|_| draw(&mut self.random, 256) as u8).collect();
        self.to.write_all(&garbage).is_ok() && self.to.write_all(piece).is_ok()
    }

    fn fall_silent(&mut self, silence: Duration) -> bool {
        self.shared.count(4);
        std::thread::sleep(silence);
        false
    }

    fn late(&mut self, piece: &[u8]) -> bool {
        self.shared.count(5);
        std::thread::sleep(Duration::from_micros(draw(&mut self.random, 50_000)));
        self.to.write_all(piece).is_ok()
    }

    fn dripped(&mut self, piece: &[u8]) -> bool {
        self.shared.count(6);
        for byte in piece {
            if self.to.write_all(&[*byte]).is_err() {
                return false;
            }
            std::thread::sleep(Duration::from_micros(draw(&mut self.random, 60)));
        }
        true
    }
}
