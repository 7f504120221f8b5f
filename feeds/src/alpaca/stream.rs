//! The bytes of a connection: of the socket itself, or of TLS over it.
//!
//! TLS is `rustls` with its `ring` provider, which each connection names, so nothing need be installed in the process. A build
//! without the feature `tls` connects to `ws://` alone. Bound: the records of TLS, 16 KiB each way.

use super::address::Address;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SOCKET: Token = Token(0);

/// Whom TLS trusts.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Certificates of authorities in PEM; empty = those of the system.
    #[cfg(feature = "tls")]
    authorities: String,
}

impl Settings {
    /// Trusts these authorities.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing is to be trusted without TLS"))]
    pub(super) fn trusting(authorities: &str) -> Settings {
        Settings {
            #[cfg(feature = "tls")]
            authorities: authorities.to_owned(),
        }
    }
}

/// A stream of bytes that does not block.
pub(super) enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, address: &Address, settings: &Settings) -> io::Result<Stream> {
        if address.is_secure { Stream::secure(tcp, address, settings) } else { Ok(Stream::Plain(tcp)) }
    }

    #[cfg(feature = "tls")]
    fn secure(tcp: TcpStream, address: &Address, settings: &Settings) -> io::Result<Stream> {
        let config = client_config(&settings.authorities)?;
        let name = rustls::pki_types::ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let session = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(rustls::StreamOwned::new(session, tcp))))
    }

    #[cfg(not(feature = "tls"))]
    fn secure(_: TcpStream, _: &Address, _: &Settings) -> io::Result<Stream> {
        Err(io::Error::other("this build has no TLS: build it with `--features tls`"))
    }
}

/// Trusts these authorities, in PEM; empty = those of the system.
#[cfg(feature = "tls")]
pub(super) fn client_config(authorities: &str) -> io::Result<std::sync::Arc<rustls::ClientConfig>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use std::sync::Arc;
    let mut roots = rustls::RootCertStore::empty();
    if authorities.is_empty() {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    } else {
        for one in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
            roots.add(one.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.read(to),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => tls.read(to),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.write(from),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => tls.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(tcp) => tcp.flush(),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

/// Connects to an address, and has `poll` watch the socket.
pub(super) fn connect(
    to: SocketAddr,
    poll: &mut Poll,
    events: &mut Events,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let mut tcp = TcpStream::connect(to)?;
    registered(&mut tcp, poll)?;
    loop {
        if let Some(error) = tcp.take_error()? {
            return Err(error);
        }
        match tcp.peer_addr() {
            Ok(_) => break,
            Err(_) if Instant::now() >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            // It is still on its way.
            Err(_) => wait(poll, events, Duration::from_millis(20)),
        }
    }
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

pub(super) fn wait(poll: &mut Poll, events: &mut Events, time: Duration) {
    // A signal may end it early; whoever waits looks again anyway.
    let _ = poll.poll(events, Some(time));
}

fn registered(tcp: &mut mio::net::TcpStream, poll: &Poll) -> std::io::Result<()> {
    poll.registry().register(tcp, SOCKET, Interest::READABLE | Interest::WRITABLE)
}
