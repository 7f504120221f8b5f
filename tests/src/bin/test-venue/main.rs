//! A small venue in a process of its own, with a ledger of its own, for the tests that kill the engine.
//!
//! It speaks the protocol of `sinks/docs/wire.md`, with a secret if one is its second argument, on a port of the loopback that it prints, survives whatever its client does, and
//! takes commands on its standard input, one a pipeline: `ledger`, `answers FILE`, `hang-up`, `quiet`, `loud`, `kill PID AFTER POINT`,
//! `disarm`. It kills its client itself on command, since it alone knows when a route has just come. One thread
//! serves the socket; nothing here is shared with the engine but the layout of events.

#![forbid(unsafe_code)]

mod exchange;
mod session;

use exchange::Exchange;
use flow::records::Command;
use session::{Armed, Point, Refusal, Session};
use std::io::BufRead;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

fn main() {
    let seed = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
    listener.set_nonblocking(true).expect("a socket can be asked");
    println!("{}", listener.local_addr().expect("it is bound").port());
    let (sender, commands) = channel();
    std::thread::spawn(move || {
        for pipeline in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(pipeline).is_err() {
                return;
            }
        }
    });
    let secret = std::env::args().nth(2);
    serve(&listener, &commands, Exchange::new(seed), secret.as_deref());
}

fn serve(listener: &TcpListener, commands: &Receiver<String>, mut exchange: Exchange, secret: Option<&str>) {
    let mut session: Option<Session> = None;
    // Connections whose hello has not come yet.
    let mut greeting: Vec<Session> = Vec::new();
    let mut armed = None;
    loop {
        match commands.try_recv() {
            Ok(pipeline) => obey(&pipeline, &mut exchange, &mut armed),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        if let Ok((stream, _)) = listener.accept() {
            greeting.push(Session::new(stream));
        }
        if std::mem::take(&mut exchange.hangs_up) {
            session = None;
        }
        let mut busy = exchange.turn();
        for new in &mut greeting {
            new.read(&mut exchange, &mut armed);
        }
        greeting.retain(|new| !new.is_over());
        while let Some(at) = greeting.iter().position(|new| new.hello.is_some()) {
            greet(greeting.remove(at), &mut session, &mut exchange, &mut armed, secret);
        }
        if let Some(open) = &mut session {
            busy |= open.read(&mut exchange, &mut armed);
            busy |= open.write(&exchange, &mut armed);
            if open.is_over() {
                session = None;
            }
        }
        if !busy {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

/// A hello has come: it replaces the session of the same journal, and is refused while another engine has one.
fn greet(
    mut new: Session,
    session: &mut Option<Session>,
    exchange: &mut Exchange,
    armed: &mut Option<Armed>,
    secret: Option<&str>,
) {
    if new.hello.is_some_and(|hello| hello.record::<Command>().target != 3) {
        return new.refuse(&Refusal::Version);
    }
    // The old connection is read to its end before the new one is answered.
    if let Some(old) = session {
        old.read(exchange, armed);
        if old.journal != new.journal && !old.is_over() {
            return new.refuse(&Refusal::AnotherEngine(old.journal));
        }
    }
    new.welcome(exchange, secret);
    *session = Some(new);
}

fn obey(pipeline: &str, exchange: &mut Exchange, armed: &mut Option<Armed>) {
    let words: Vec<&str> = pipeline.split_whitespace().collect();
    match words[..] {
        ["ledger"] => println!("{}", exchange.ledger()),
        ["answers", path] => {
            let bytes: &[u8] = bytemuck::cast_slice(exchange.answers());
            std::fs::write(path, bytes).expect("the test's folder is writable");
            println!("written");
        }
        ["hang-up"] => exchange.hangs_up = true,
        ["quiet"] => exchange.quiet = true,
        ["loud"] => exchange.quiet = false,
        ["kill", pid, after, point] => {
            let point = Point::named(point).unwrap_or_else(|| panic!("no point is called {point}"));
            *armed = Some(Armed { pid: pid.parse().expect("a pid"), after: after.parse().expect("a number"), point });
        }
        ["disarm"] => *armed = None,
        _ => panic!("not understood: {pipeline}"),
    }
}
