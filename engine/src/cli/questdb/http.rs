//! One question over HTTP and its answer: enough to see whether a server is there.
//!
//! QuestDB keeps a connection open whatever is asked of it, so an answer is read up to the length that it gives, or chunk
//! by chunk. Bound: [`MOST`] bytes, and a wait of `patience` for each piece of them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest answer that is read, with its head.
const MOST: u64 = 1 << 20;

/// What a server answered.
pub(super) struct Answer {
    /// The status, 200 if all is well.
    pub(super) status: u16,
    /// The body as text.
    pub(super) body: String,
}

/// Asks for `path`, which is encoded already.
pub(super) fn get(address: SocketAddr, path: &str, patience: Duration) -> io::Result<Answer> {
    let mut connection = TcpStream::connect_timeout(&address, patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.set_write_timeout(Some(patience))?;
    connection.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    read(&mut BufReader::new(connection).take(MOST))
}

fn read(from: &mut impl BufRead) -> io::Result<Answer> {
    let status = line(from)?;
    let status = status.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| odd("no answer of HTTP"))?;
    let (mut length, mut chunked) = (None, false);
    loop {
        let header = line(from)?.to_ascii_lowercase();
        match header.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("content-length", value)) => length = value.parse().ok(),
            Some(("transfer-encoding", value)) => chunked = value == "chunked",
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if chunked {
        read_chunks(from, &mut body)?;
    } else {
        from.take(length.unwrap_or(MOST)).read_to_end(&mut body)?;
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = u64::from_str_radix(&line(from)?, 16).map_err(|_| odd("a chunk without its size"))?;
        if size == 0 {
            return Ok(());
        }
        if from.take(size).read_to_end(body)? as u64 != size {
            return Err(odd("a chunk that ends early"));
        }
        line(from)?;
    }
}

/// The next line without its end; empty at the end of a head.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Option<(u16, String)> {
        read(&mut text.as_bytes()).ok().map(|answer| (answer.status, answer.body))
    }

    #[test]
    fn answers_are_read_to_their_end_and_no_further() {
        let sized = "HTTP/1.1 200 OK\r\nServer: questDB/1.0\r\nContent-Length: 2\r\n\r\n{}more";
        assert_eq!(answer(sized), Some((200, "{}".to_owned())));
        let chunked = "HTTP/1.1 400 Bad request\r\nTransfer-Encoding: chunked\r\n\r\n0f\r\nStatus: Healthy\r\n\
                       2\r\nab\r\n00\r\n\r\n";
        assert_eq!(answer(chunked), Some((400, "Status: Healthyab".to_owned())));
        assert_eq!(answer("HTTP/1.0 204 OK\r\n\r\n"), Some((204, String::new())));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 no\r\n\r\n"] {
            assert_eq!(answer(text), None, "{text:?}");
        }
        let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0f\r\nStatus";
        assert_eq!(answer(cut), None);
    }
}
