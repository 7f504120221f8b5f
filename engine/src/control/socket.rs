//! The file of the control socket: for the engine's user alone, in a folder whose path may have any length.
//!
//! The address of a Unix socket holds 107 bytes. So both ends open the folder and name the socket in it through
//! `/proc/self/fd`, however long the path is.

use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with, sockopt,
};
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// The path of the socket in a journal's folder.
pub(super) fn path(journal: &Path) -> PathBuf {
    journal.join("control.sock")
}

/// Creates the socket and listens. Connections are accepted without waiting.
///
/// # Errors
/// When something else has its name, or the file system has no sockets.
pub(super) fn listening(journal: &Path) -> io::Result<UnixListener> {
    let folder = File::open(journal)?;
    let place = path(journal);
    match place.symlink_metadata() {
        // A killed run left it; the journal's lock proves that no other run listens on it.
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&place)?,
        Ok(found) if found.is_dir() => return Err(io::Error::other("a folder has its name: move it away")),
        Ok(_) => return Err(io::Error::other("a file that is no socket has its name: move it away")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let own = Permissions::from_mode(0o600);
    let socket = File::from(unix(SocketFlags::NONBLOCK)?);
    // The kernel gives the file the mode of the socket without the bits of the umask: it is never open to others.
    socket.set_permissions(own.clone())?;
    let socket = OwnedFd::from(socket);
    bind(&socket, &address(&folder)?)?;
    std::fs::set_permissions(&place, own)?;
    listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Connects to the socket in a journal's folder, within `patience`.
///
/// # Errors
/// When nobody listens there.
pub(super) fn connected(journal: &Path, patience: Duration) -> io::Result<UnixStream> {
    let folder = File::open(journal)?;
    let socket = unix(SocketFlags::empty())?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
    connect(&socket, &address(&folder)?)?;
    Ok(UnixStream::from(socket))
}

fn unix(flags: SocketFlags) -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::STREAM, flags | SocketFlags::CLOEXEC, None)?)
}

fn address(folder: &File) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(path(Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd()))))?)
}
