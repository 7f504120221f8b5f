//! Connecting without waiting: look the name up, then try its addresses in turn.
//!
//! A numeric address needs no lookup. A name is looked up by a thread of its own, because the system's lookup waits for
//! servers. Bound: one lookup thread per adapter, which is asked again only after it has answered. Worst case: a name server
//! that never answers costs that one thread; the greeting's deadline ends the attempt.

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// The state of an attempt.
enum Stage {
    /// Not begun.
    Idle,
    /// The name is being looked up.
    Lookup,
    /// The socket is connecting; the other addresses are tried if it fails.
    Connecting(TcpStream, Vec<SocketAddr>),
}

/// Connects to one address, attempt after attempt.
pub(super) struct Connector {
    address: String,
    stage: Stage,
    lookup: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
}

impl Connector {
    pub(super) fn new(address: String) -> Connector {
        Connector { address, stage: Stage::Idle, lookup: None }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Gives the attempt up; the next step begins another.
    pub(super) fn reset(&mut self) {
        self.stage = Stage::Idle;
    }

    /// One step of an attempt: the connected socket, once it is. It never blocks.
    pub(super) fn step(&mut self) -> io::Result<Option<TcpStream>> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => match self.address.parse::<SocketAddr>() {
                Ok(address) => self.try_next(vec![address]),
                Err(_) => {
                    if self.lookup.is_none() {
                        self.lookup = Some(look_up(self.address.clone())?);
                    }
                    self.stage = Stage::Lookup;
                    Ok(None)
                }
            },
            Stage::Lookup => match self.lookup.as_ref().map(Receiver::try_recv) {
                Some(Err(TryRecvError::Empty)) => {
                    self.stage = Stage::Lookup;
                    Ok(None)
                }
                Some(Ok(found)) => {
                    self.lookup = None;
                    self.try_next(found?)
                }
                Some(Err(TryRecvError::Disconnected)) | None => {
                    self.lookup = None;
                    Err(io::Error::other("the lookup of the name ended without an answer"))
                }
            },
            Stage::Connecting(stream, rest) => match is_connected(&stream) {
                Ok(true) => Ok(Some(stream)),
                Ok(false) => {
                    self.stage = Stage::Connecting(stream, rest);
                    Ok(None)
                }
                Err(_) if !rest.is_empty() => self.try_next(rest),
                Err(e) => Err(e),
            },
        }
    }

    /// Begins to connect to the first address that can be tried.
    fn try_next(&mut self, mut addresses: Vec<SocketAddr>) -> io::Result<Option<TcpStream>> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the host name has no address");
        while !addresses.is_empty() {
            match begin(addresses.remove(0)) {
                Ok(stream) => {
                    self.stage = Stage::Connecting(stream, addresses);
                    return Ok(None);
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }
}

fn look_up(address: String) -> io::Result<Receiver<io::Result<Vec<SocketAddr>>>> {
    let (sender, found) = channel();
    let thread = std::thread::Builder::new().name("lookup".to_owned());
    thread.spawn(move || {
        // Nobody may wait for it any more.
        let _ = sender.send(address.to_socket_addrs().map(Iterator::collect));
    })?;
    Ok(found)
}

fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(e) = stream.take_error()? {
        return Err(e);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotConnected => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    fn connected(address: String) -> io::Result<TcpStream> {
        let (mut connector, begun) = (Connector::new(address), Instant::now());
        loop {
            if let Some(stream) = connector.step()? {
                return Ok(stream);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it neither connects nor fails");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn numbers_and_names_connect_and_a_closed_port_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost"] {
            assert_eq!(connected(format!("{host}:{port}")).unwrap().peer_addr().unwrap().port(), port);
        }
        drop(listener);
        assert!(connected(format!("127.0.0.1:{port}")).is_err());
    }
}
