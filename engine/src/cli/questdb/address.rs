//! The three addresses of a server: what answers there already, and a claim on them until it takes them itself.
//!
//! A claim listens at each address, so a port that is taken is found before anything is started, and nobody else takes one
//! meanwhile. It ends just before the server begins. Worst case: another program takes the port in that moment; then the
//! server ends with an error of its own, which is shown.

use super::http::get;
use crate::cli::exit::Failure;
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::time::Duration;

/// How long a server may take to answer a question.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    /// SQL, the web console and rows over HTTP.
    pub(super) http: SocketAddrV4,
    /// The wire of Postgres.
    pub(super) pg: SocketAddrV4,
    /// Health and meters.
    pub(super) health: SocketAddrV4,
}

/// The addresses, held.
pub(super) struct Claim {
    held: [TcpListener; 3],
    addresses: Addresses,
}

impl Claim {
    /// Takes the addresses; a port 0 becomes a free one.
    pub(super) fn take(wanted: Addresses) -> Result<Claim, Failure> {
        let (http, http_at) = listen("--http", wanted.http)?;
        let (pg, pg_at) = listen("--pg", wanted.pg)?;
        let (health, health_at) = listen("--health", wanted.health)?;
        let addresses = Addresses { http: http_at, pg: pg_at, health: health_at };
        Ok(Claim { held: [http, pg, health], addresses })
    }

    /// Gives the addresses free for the server.
    pub(super) fn release(self) -> Addresses {
        drop(self.held);
        self.addresses
    }
}

fn listen(option: &str, wanted: SocketAddrV4) -> Result<(TcpListener, SocketAddrV4), Failure> {
    let listener = TcpListener::bind(wanted).map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => Failure::failed(format!(
            "{option} {wanted}: another program listens there; stop it, or pass {option} {}:PORT with a free port (0 chooses one)",
            wanted.ip()
        )),
        _ => Failure::failed(format!("{option} {wanted}: {e}; pass {option} with an address of this machine")),
    })?;
    let port = listener.local_addr().map_err(|e| Failure::failed(format!("{option} {wanted}: {e}")))?.port();
    Ok((listener, SocketAddrV4::new(*wanted.ip(), port)))
}

/// Where this machine reaches a server that listens at `address`.
pub(super) fn reached(address: SocketAddrV4) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST } else { *address.ip() };
    SocketAddr::from((ip, address.port()))
}

/// The version of the QuestDB that answers there.
pub(super) fn version_at(address: SocketAddrV4) -> Option<String> {
    let answer = get(reached(address), "/settings", PATIENCE).ok().filter(|answer| answer.status == 200)?;
    let settings: Value = serde_json::from_str(&answer.body).ok()?;
    settings["config"]["release.version"].as_str().map(str::to_owned)
}

/// What to say of an address that others reach.
pub(super) fn exposure(addresses: &Addresses) -> Option<String> {
    let open: Vec<_> = [("--http", addresses.http), ("--pg", addresses.pg)]
        .into_iter()
        .filter(|(_, address)| !address.ip().is_loopback())
        .map(|(option, address)| format!("{option} {address}"))
        .collect();
    (!open.is_empty()).then(|| {
        format!("{}: anyone who reaches it can read and write, unless server.conf sets passwords", open.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(address: &str) -> Addresses {
        let address = address.parse().expect("an address");
        Addresses { http: address, pg: address, health: address }
    }

    #[test]
    fn port_0_becomes_three_free_ones_and_a_taken_one_names_its_option() {
        let claim = Claim::take(all("127.0.0.1:0")).expect("there are free ports");
        let Addresses { http, pg, health } = claim.addresses;
        assert!(http.port() != 0 && http != pg && pg != health && health != http);
        let wanted = Addresses { pg, ..all("127.0.0.1:0") };
        let message = Claim::take(wanted).err().expect("it is held").message;
        assert!(message.starts_with(&format!("--pg {pg}: another program listens there")), "{message}");
        let released = claim.release();
        assert_eq!(Claim::take(released).expect("they are free").addresses, released);
    }

    #[test]
    fn what_others_reach_is_said() {
        assert_eq!(exposure(&all("127.0.0.1:9000")), None);
        let said = exposure(&all("0.0.0.0:9000")).expect("everyone reaches it");
        assert!(said.starts_with("--http 0.0.0.0:9000, --pg 0.0.0.0:9000: anyone"), "{said}");
        assert_eq!(reached("0.0.0.0:9000".parse().expect("an address")), "127.0.0.1:9000".parse().expect("an address"));
    }

    #[test]
    fn silence_is_no_server() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let SocketAddr::V4(address) = listener.local_addr().expect("it listens") else { panic!("it is IPv4") };
        drop(listener);
        assert_eq!(version_at(address), None);
    }
}
