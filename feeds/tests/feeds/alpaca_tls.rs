//! The feed of Alpaca over TLS, with an authority of this test.

use crate::alpaca::{Client, SYMBOLS, publish};
use feeds::alpaca::FEED;
use feeds::alpaca::fake::{Fake, Market, Settings};
use feeds::alpaca::history::{Ask, Channel, FetchError, Watcher, fetch};
use flow::{Kind, Ns, Params, SecretPlace};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A server of TLS in front of a plain one, for one client after the other; the PEM of its authority.
fn in_front_of(to: SocketAddr, name: &str) -> (SocketAddr, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .expect("its key");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            forward(StreamOwned::new(session, tcp), TcpStream::connect(to).expect("it listens"));
        }
    });
    (address, authority.pem())
}

/// Both ways, until one of them ends.
fn forward(mut secure: StreamOwned<ServerConnection, TcpStream>, mut plain: TcpStream) {
    secure.sock.set_nonblocking(true).expect("a socket");
    plain.set_nonblocking(true).expect("a socket");
    let mut buffer = [0; 1 << 14];
    loop {
        let mut is_idle = true;
        for towards_plain in [true, false] {
            let read = if towards_plain { secure.read(&mut buffer) } else { plain.read(&mut buffer) };
            match read {
                Ok(0) => return,
                Ok(count) => {
                    is_idle = false;
                    let to: &mut dyn Write = if towards_plain { &mut plain } else { &mut secure };
                    if to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_err() {
                        return;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        if is_idle {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn it_connects_to_whom_its_authority_has_signed() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let (address, authority) = in_front_of(fake.address(), "localhost");
    let url = format!("wss://localhost:{}", address.port());
    let settings = [("address", url.as_str()), ("authorities", authority.as_str())];
    let mut client = Client::new(&fake, "fake-secret", &settings);
    client.watch(&SYMBOLS);
    client.until(|c| c.said.iter().any(|said| said.contains("subscribed to trades (3)")));
    publish(&fake, &mut Market::new(&SYMBOLS, 5), 200);
    client.until(|c| c.count(Kind::Trade) > 50);
}

#[test]
fn it_does_not_connect_to_whom_another_authority_has_signed() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let (address, _) = in_front_of(fake.address(), "localhost");
    let (_, other) = in_front_of(fake.address(), "localhost");
    let url = format!("wss://localhost:{}", address.port());
    let settings = [("address", url.as_str()), ("authorities", other.as_str())];
    let mut client = Client::new(&fake, "canary-8", &settings);
    client.watch(&SYMBOLS);
    client.until(|c| !c.said.is_empty());
    let said = client.said.remove(0);
    assert!(said.contains("certificate") && !said.contains("canary"), "{said}");
    assert_eq!(fake.tally().requests.load(std::sync::atomic::Ordering::Acquire), 0, "it was told nothing");
}

/// Says nothing and stops for nobody.
struct Quiet;

impl Watcher for Quiet {
    fn stops(&self) -> bool {
        false
    }

    fn has(&self, _: u64) {}

    fn say(&self, _: &str) {}
}

#[test]
fn the_past_comes_over_tls_too_from_whom_its_authority_has_signed() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let (address, authority) = in_front_of(fake.address(), "localhost");
    let (_, other) = in_front_of(fake.address(), "localhost");
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("fake-{name}")).expect("the folder is writable");
        SecretPlace::File(path.display().to_string())
    };
    let mut ask = Ask {
        address: format!("https://localhost:{}", address.port()),
        key: place("key"),
        secret: place("secret"),
        authorities: authority,
        symbols: SYMBOLS.map(str::to_owned).into(),
        from: Ns(1_767_571_200_000_000_000),
        to: Ns(1_767_657_600_000_000_000),
        adjustment: "raw".to_owned(),
        page: 1_000,
        params: Params::defaults(FEED.params),
    };
    let rows = folder.path().join("rows");
    assert!(fetch(&ask, Channel::Bars, &rows, &Quiet).is_ok_and(|rows| rows > 500));
    let asked = fake.tally().asked.load(Ordering::Acquire);
    ask.authorities = other;
    let refused = fetch(&ask, Channel::Trades, &folder.path().join("other"), &Stopping(Instant::now()));
    assert!(matches!(refused, Err(FetchError::Stopped | FetchError::GaveUp(_))));
    assert_eq!(fake.tally().asked.load(Ordering::Acquire), asked, "it was told nothing");
}

/// Stops after a while.
struct Stopping(Instant);

impl Watcher for Stopping {
    fn stops(&self) -> bool {
        self.0.elapsed() > Duration::from_secs(3)
    }

    fn has(&self, _: u64) {}

    fn say(&self, sentence: &str) {
        assert!(sentence.contains("certificate"), "{sentence}");
    }
}
