//! Statements to the server, over its HTTP endpoint.
//!
//! Bound: one connection, one statement at a time, `timeout` each. Worst case: a server that is stopped costs that long.

use crate::tailer::TailerError;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use secret::Secret;
use serde_json::Value as Json;
use std::time::Duration;
use ureq::Agent;

/// Where the server is, and who asks.
pub(super) struct Server {
    agent: Agent,
    address: String,
    user: Option<(String, Secret)>,
}

/// The server's answer to a query: rows of values.
pub(super) type Answer = Vec<Vec<Json>>;

impl Server {
    pub(super) fn new(address: &str, timeout: Duration, user: Option<(String, Secret)>) -> Server {
        let config = Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).build();
        Server { agent: config.into(), address: address.to_owned(), user }
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// When the server cannot be reached (it may later), or refuses the statement (it does not pass).
    pub(super) fn run(&self, sql: &str) -> Result<Answer, TailerError> {
        let mut call = self.agent.get(format!("http://{}/exec", self.address)).query("query", sql);
        if let Some((user, password)) = &self.user {
            call = call.header("Authorization", basic(user, password));
        }
        let mut answer = call.call().map_err(|e| self.away(&e.to_string()))?;
        let (status, text) = (answer.status().as_u16(), answer.body_mut().read_to_string());
        let text = text.map_err(|e| self.away(&e.to_string()))?;
        if status == 401 || status == 403 {
            return Err(TailerError {
                what: format!("QuestDB at {} lets nobody in as {}", self.address, self.user_name()),
                next: "set `user` and `password` to those of its configuration".to_owned(),
                transient: false,
            });
        }
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        if let Some(error) = json["error"].as_str() {
            return Err(TailerError {
                what: format!("QuestDB at {} refuses `{sql}`: {error}", self.address),
                next: "see its log".to_owned(),
                transient: status >= 500,
            });
        }
        if status != 200 || !json.is_object() {
            let what = format!("it answers with HTTP status {status} and no result: is it QuestDB?");
            return Err(self.away(&what));
        }
        let rows = json["dataset"].as_array().cloned().unwrap_or_default();
        Ok(rows.into_iter().map(|row| if let Json::Array(values) = row { values } else { Vec::new() }).collect())
    }

    /// Where it is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// That it cannot be reached now.
    pub(super) fn away(&self, why: &str) -> TailerError {
        let address = &self.address;
        TailerError {
            what: format!("QuestDB at {address} cannot be reached: {why}"),
            next: "start it, with `tidegate questdb up` if there is none, or set `address`".to_owned(),
            transient: true,
        }
    }

    fn user_name(&self) -> String {
        self.user.as_ref().map_or_else(|| "a client without a name".to_owned(), |(user, _)| format!("{user:?}"))
    }

    /// What the client library of the rows is configured with.
    pub(super) fn configuration(&self, timeout: Duration) -> Result<String, TailerError> {
        // Errors are tried again from the last commit by whoever delivers, and at no other place.
        let mut text = format!(
            "http::addr={};retry_timeout=0;request_min_throughput=0;request_timeout={};",
            self.address,
            timeout.as_millis()
        );
        if let Some((user, password)) = &self.user {
            let password = std::str::from_utf8(password.bytes()).map_err(|_| TailerError {
                what: "the password is no text in UTF-8".to_owned(),
                next: "give another one".to_owned(),
                transient: false,
            })?;
            let quoted = |text: &str| text.replace(';', ";;");
            text += &format!("username={};password={};", quoted(user), quoted(password));
        }
        Ok(text)
    }
}

/// The header of basic authentication.
fn basic(user: &str, password: &Secret) -> String {
    let plain: Vec<u8> = user.bytes().chain([b':']).chain(password.bytes().iter().copied()).collect();
    format!("Basic {}", BASE64_STANDARD.encode(plain))
}
