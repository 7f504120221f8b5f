//! Requests to Alpaca, and what an answer means.
//!
//! The key goes in headers, is read anew at each start and shown nowhere. Bound: an answer of [`BODY`] bytes, a minute a request.

use super::ask::Ask;
use super::going::FetchError;
use flow::{Ns, SecretPlace};
use secret::Secret;
use std::time::Duration;
use ureq::Agent;

/// The longest answer.
const BODY: u64 = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Asking again would not help.
    Lasting(String),
    /// It is asked again, not before this time if one is said.
    Passing { why: String, until: Option<Ns> },
}

impl Trouble {
    pub(super) fn passing(why: String) -> Trouble {
        Trouble::Passing { why, until: None }
    }
}

/// An answer with rows.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// No request has room before this time.
    pub(super) rests_until: Option<Ns>,
}

/// Asks.
pub(super) struct Client {
    agent: Agent,
    key: Secret,
    secret: Secret,
}

impl Client {
    /// Reads the key; nothing is asked yet.
    pub(super) fn new(ask: &Ask) -> Result<Client, FetchError> {
        let read = |place: &SecretPlace| {
            let failed = |e| FetchError::Refused(format!("{e}; set it, or name another place"));
            Secret::read(place).map_err(failed)
        };
        let (key, secret) = (read(&ask.key)?, read(&ask.secret)?);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent("tidegate")
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(PATIENCE))
            .build();
        Ok(Client { agent: agent(config, ask)?, key, secret })
    }

    /// Asks for a page.
    pub(super) fn get(&self, target: &str) -> Result<Answer, Trouble> {
        let request = self.agent.get(target);
        let request = request.header("APCA-API-KEY-ID", self.key.bytes());
        let request = request.header("APCA-API-SECRET-KEY", self.secret.bytes());
        let passing = |e: ureq::Error| Trouble::passing(format!("asking Alpaca fails: {e}"));
        let mut answer = request.call().map_err(passing)?;
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let reset = header("X-RateLimit-Reset").and_then(|second| second.checked_mul(Ns::SECOND)).map(Ns);
        let rests_until = reset.filter(|_| header("X-RateLimit-Remaining") == Some(0));
        let body = answer.body_mut().with_config().limit(BODY).read_to_vec().map_err(passing)?;
        if status == 200 { Ok(Answer { body, rests_until }) } else { Err(refused(status, &body, reset)) }
    }
}

#[cfg(feature = "tls")]
fn agent(config: ureq::config::Config, ask: &Ask) -> Result<Agent, FetchError> {
    use ureq::unversioned::resolver::DefaultResolver;
    let connector = super::tls::connector(&ask.authorities).map_err(|e| FetchError::Refused(e.to_string()))?;
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

#[cfg(not(feature = "tls"))]
fn agent(config: ureq::config::Config, ask: &Ask) -> Result<Agent, FetchError> {
    if ask.address.starts_with("https") {
        let next = "build it with `--features tls`";
        return Err(FetchError::Refused(format!("{} needs TLS, which this build does not have; {next}", ask.address)));
    }
    Ok(config.new_agent())
}

/// What an answer without rows means.
fn refused(status: u16, body: &[u8], reset: Option<Ns>) -> Trouble {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let said = serde_json::from_slice::<Refusal>(body).map(|said| said.message);
    let said = said.unwrap_or_else(|_| "without a reason".to_owned());
    let lasting = |next: &str| Trouble::Lasting(format!("Alpaca says {status}, {said}: {next}"));
    match status {
        429 => Trouble::Passing { why: "Alpaca says 429, too many requests".to_owned(), until: reset },
        408 | 500.. => Trouble::passing(format!("Alpaca says {status}, {said}")),
        401 => lasting("see that `--key` and `--secret` are those of one pair, and of this account"),
        403 => lasting(
            "the plan of this key does not have that: use --source iex, or ask for what is older than 15 minutes",
        ),
        _ => lasting("check the symbols, the dates and the options"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_rows_says_whether_to_ask_again() {
        let body = b"{\"message\":\"forbidden.\"}";
        assert!(
            matches!(refused(403, body, None), Trouble::Lasting(why) if why.starts_with("Alpaca says 403, forbidden.: the plan"))
        );
        assert!(matches!(refused(422, b"<html>", None), Trouble::Lasting(why) if why.contains("without a reason")));
        assert!(matches!(refused(401, body, None), Trouble::Lasting(_)));
        assert_eq!(refused(503, body, Some(Ns(5))), Trouble::passing("Alpaca says 503, forbidden.".to_owned()));
        assert!(matches!(refused(429, body, Some(Ns(5))), Trouble::Passing { until: Some(Ns(5)), .. }));
    }
}
