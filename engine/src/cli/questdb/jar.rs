//! The jar of the server: the one that is named, else that of the local Maven repository, else Maven fetches it.
//!
//! One version, which is the one that the tests run against; a jar that is named may be another.

use super::java::on_path;
use crate::cli::console;
use crate::cli::exit::Failure;
use std::env::var_os;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What Maven calls it.
const ARTIFACT: &str = "org.questdb:questdb:9.3.4";
/// Where it lies below the user's home once Maven has it.
const STORED: &str = ".m2/repository/org/questdb/questdb/9.3.4/questdb-9.3.4.jar";

/// The jar to start; `named` is what the user passed.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(jar) = named {
        let missing = || {
            let jar = jar.display();
            Failure::failed(format!("--jar {jar}: there is no such file; get {ARTIFACT} from Maven Central"))
        };
        return jar.is_file().then(|| jar.to_owned()).ok_or_else(missing);
    }
    let stored = var_os("HOME").map(|home| Path::new(&home).join(STORED));
    let is_stored = || stored.clone().filter(|jar| jar.is_file());
    if let Some(jar) = is_stored() {
        return Ok(jar);
    }
    let Some(maven) = on_path("mvn") else {
        return Err(Failure::failed(format!(
            "the server's jar is not in the local Maven repository, and there is no mvn on the PATH to fetch it: get \
             {ARTIFACT} from Maven Central, one file of 30 MB, and pass it with --jar"
        )));
    };
    fetch(&maven)?;
    is_stored().ok_or_else(|| {
        Failure::failed(format!("Maven has fetched {ARTIFACT}, but not to ~/{STORED}: pass the file with --jar"))
    })
}

fn fetch(maven: &Path) -> Result<(), Failure> {
    let artifact = format!("-Dartifact={ARTIFACT}");
    console::say(format!("fetching the server, 30 MB: mvn dependency:get {artifact}"));
    // The jar needs none of what it names as its dependencies to run as a server.
    let arguments = ["-q", "-B", "dependency:get", &artifact, "-Dtransitive=false"];
    let output = Command::new(maven).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|e| Failure::failed(format!("{} does not start: {e}", maven.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let said = said.lines().find(|line| line.contains("ERROR")).unwrap_or("it says nothing");
    Err(Failure::failed(format!(
        "mvn cannot fetch {ARTIFACT} ({}): {said}\nget it another way and pass it with --jar",
        output.status
    )))
}
