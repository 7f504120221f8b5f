//! Questions over HTTP, each over a connection of its own, without a library: so a server is asked by another program than the
//! one that it was written with.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a server may take for an answer.
const LIMIT: Duration = Duration::from_secs(60);

/// A text as a part of an address.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        // Writing to a text cannot fail.
        let _ = write!(escaped, "%{byte:02x}");
        escaped
    })
}

/// Asks `HOST:PORT` for a page, of the kinds that `accept` names; the status and the body.
///
/// # Errors
/// That it does not answer.
pub fn get(at: &str, path: &str, accept: &str) -> Result<(u16, String), String> {
    ask(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nAccept: {accept}\r\n\r\n"))
}

/// Sends a whole request; the status and the body of the answer.
///
/// # Errors
/// That it does not answer.
pub fn ask(at: &str, request: &str) -> Result<(u16, String), String> {
    let failed = |e: std::io::Error| format!("{at}: {e}");
    let mut connection = TcpStream::connect(at).map_err(failed)?;
    connection.set_read_timeout(Some(LIMIT)).map_err(failed)?;
    connection.write_all(request.as_bytes()).map_err(failed)?;
    answer(&mut BufReader::new(connection)).map_err(failed)
}

/// Reads an answer of HTTP, whose body has a length or comes in chunks.
fn answer(from: &mut impl BufRead) -> std::io::Result<(u16, String)> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap_or(0);
        }
        chunked |= header == "transfer-encoding: chunked";
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    while chunked {
        line.clear();
        from.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16).unwrap_or(0);
        let mut piece = vec![0; size + "\r\n".len()];
        from.read_exact(&mut piece)?;
        body.extend_from_slice(&piece[..size]);
        chunked = size > 0;
    }
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
