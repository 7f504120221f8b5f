//! Where a connection goes.

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) url: String,
}

impl Address {
    /// Reads `ws://HOST[:PORT]` or `wss://HOST[:PORT]`, to which `path` is added.
    pub(super) fn parse(base: &str, path: &str) -> Option<Address> {
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        let uri: tungstenite::http::Uri = url.parse().ok()?;
        let is_secure = match uri.scheme_str()? {
            "ws" => false,
            "wss" => true,
            _ => return None,
        };
        let host = uri.host()?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        (!host.is_empty()).then_some(Address { is_secure, host, port, url })
    }
}
