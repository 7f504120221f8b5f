//! `tidegate questdb up`: the options, and what is said of a server that is up.
//!
//! What can be found wrong is found before anything is started: a server that is up already, addresses, Java, jar, folder.

use super::address::{Addresses, Claim, exposure, version_at};
use super::folder::Folder;
use super::server::{Server, Started};
use super::{jar, java};
use crate::cli::console;
use crate::cli::exit::{Exit, Failure, output};
use crate::cli::signals::Signals;
use clap::Args;
use serde::Serialize;
use std::io::{self, Write};
use std::net::SocketAddrV4;
use std::path::PathBuf;

/// Options of `questdb up`.
#[derive(Args)]
#[command(after_help = "Example: tidegate questdb up --dir questdb\n\n\
    Needs Java 17 or newer. Ctrl-C or SIGTERM stops the server in order. Settings\n\
    are in DIR/conf/server.conf, the log is DIR/questdb.log.")]
pub(crate) struct UpArgs {
    /// Folder of its data, settings and log; created if it is not there.
    #[arg(long, default_value = "questdb")]
    dir: PathBuf,
    /// The server's jar; else the one that Maven has, or fetches.
    #[arg(long, value_name = "PATH", env = "TIDEGATE_QUESTDB_JAR")]
    jar: Option<PathBuf>,
    /// Address of SQL, web console and incoming rows; port 0: a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    http: SocketAddrV4,
    /// Address for clients of Postgres.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8812")]
    pg: SocketAddrV4,
    /// Address of /status and /metrics.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9003")]
    health: SocketAddrV4,
    /// Print one JSON object to standard output once it answers.
    #[arg(long)]
    json: bool,
}

/// A server that answers; of one that was up already only the first two are known.
#[derive(Serialize)]
struct Up {
    version: String,
    http: String,
    pg: Option<String>,
    health: Option<String>,
    dir: Option<String>,
    pid: Option<u32>,
}

impl Up {
    /// Its line on standard output.
    fn print(&self) -> Result<Exit, Failure> {
        let line = serde_json::to_string(self).expect("text and numbers are JSON");
        let mut out = io::stdout().lock();
        output(writeln!(out, "{line}").and_then(|()| out.flush()), Exit::Done)
    }
}

/// Starts a server and stays until it is stopped.
pub(super) fn up(args: &UpArgs) -> Result<Exit, Failure> {
    if args.http.port() != 0
        && let Some(version) = version_at(args.http)
    {
        console::say(format!("QuestDB {version} is already up at http://{}; nothing was started", args.http));
        let up = Up { version, http: args.http.to_string(), pg: None, health: None, dir: None, pid: None };
        return if args.json { up.print() } else { Ok(Exit::Done) };
    }
    let claim = Claim::take(Addresses { http: args.http, pg: args.pg, health: args.health })?;
    let java = java::find()?;
    let jar = jar::find(args.jar.as_deref())?;
    let folder = Folder::prepare(&args.dir)?;
    let signals = Signals::take()?;
    let addresses = claim.release();
    if let Some(exposure) = exposure(&addresses) {
        console::say(exposure);
    }
    console::say(format!("starting {}", jar.display()));
    let mut server = Server::start(&java, &jar, &folder, addresses)?;
    if let Started::Ready(version) = server.wait_until_ready(&signals)? {
        console::show(shown(&version, &addresses, &folder));
        if args.json {
            let (http, pg, health) =
                (addresses.http.to_string(), addresses.pg.to_string(), addresses.health.to_string());
            let dir = Some(folder.dir.to_string_lossy().into_owned());
            let up = Up { version, http, pg: Some(pg), health: Some(health), dir, pid: Some(server.pid) };
            if let Err(failure) = up.print() {
                server.stop(&signals)?;
                return Err(failure);
            }
        }
        server.wait(&signals)?;
    }
    console::say("stopping the server");
    server.stop(&signals)?;
    console::say("stopped");
    Ok(Exit::Done)
}

/// What is said once it answers.
fn shown(version: &str, addresses: &Addresses, folder: &Folder) -> String {
    let Addresses { http, pg, health } = addresses;
    let (dir, log) = (folder.dir.display(), folder.log.display());
    format!(
        "QuestDB {version} is up\n\
         console   http://{http}\n\
         postgres  {pg}\n\
         meters    http://{health}/metrics\n\
         data      {dir}\n\
         log       {log}\n\
         feed it   tidegate sink questdb --journal DIR --set address={http}\n\
         stop it   Ctrl-C, or SIGTERM to this command"
    )
}
