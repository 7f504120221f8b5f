//! The Java that the server runs on: `JAVA_HOME`, else the first on the `PATH`, and new enough.

use crate::cli::exit::Failure;
use std::env::{split_paths, var_os};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest release of Java that runs the server.
const OLDEST: u32 = 17;

/// How to get one.
const HOW: &str = "install one (on Debian: openjdk-17-jre-headless or newer), or let JAVA_HOME name its folder";

/// The program `name` on the `PATH`.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = var_os("PATH")?;
    split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The `java` to use.
pub(super) fn find() -> Result<PathBuf, Failure> {
    let java = match var_os("JAVA_HOME").filter(|home| !home.is_empty()) {
        Some(home) => {
            let java = Path::new(&home).join("bin/java");
            let missing = || {
                let home = Path::new(&home).display();
                Failure::failed(format!("JAVA_HOME is {home}, where there is no bin/java; correct or unset it"))
            };
            java.is_file().then_some(java).ok_or_else(missing)?
        }
        None => on_path("java").ok_or_else(|| {
            Failure::failed(format!("there is no java on the PATH; QuestDB needs Java {OLDEST} or newer: {HOW}"))
        })?,
    };
    let shown = java.display();
    let output = Command::new(&java).arg("-version").output();
    let output = output.map_err(|e| Failure::failed(format!("{shown} does not start: {e}; {HOW}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match release(&said) {
        Some(release) if release >= OLDEST => Ok(java),
        Some(release) => {
            Err(Failure::failed(format!("{shown} is Java {release}; QuestDB needs {OLDEST} or newer: {HOW}")))
        }
        None => {
            let first = said.lines().next().unwrap_or("nothing");
            Err(Failure::failed(format!("{shown} -version says no version, but: {first}; {HOW}")))
        }
    }
}

/// The release in what `java -version` says: 17 of `"17.0.15"`, 8 of `"1.8.0_292"`.
fn release(said: &str) -> Option<u32> {
    let quoted = said.lines().find_map(|line| line.split_once(" version \"")?.1.split('"').next())?;
    let mut parts = quoted.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match parts.next()?.ok()? {
        1 => parts.next()?.ok(),
        release => Some(release),
    }
}

#[cfg(test)]
mod tests {
    use super::release;

    #[test]
    fn releases_old_and_new_are_understood() {
        assert_eq!(release("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(release("Picked up _JAVA_OPTIONS: -Xmx1g\njava version \"1.8.0_292\""), Some(8));
        assert_eq!(release("openjdk version \"25-ea\" 2025-09-16"), Some(25));
        assert_eq!(release("Segmentation fault"), None);
    }
}
