//! A disk of our own that can be frozen: a file, a loop device, a file system on it.
//!
//! `fsfreeze` stops every write to it, as a dead disk does: whoever writes waits, and cannot be killed while it does. It needs
//! root, so a test asks whether there is one.

use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A mounted file system. It is thawed and unmounted when it is dropped.
pub struct Disk {
    /// Goes after the disk was unmounted.
    _folder: TempDir,
    at: String,
}

/// Whether the command did what it should.
fn done(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Disk {
    /// A disk of so many MiB, or `None` where the system allows none.
    ///
    /// # Panics
    /// When there is no room for its file.
    pub fn new(mib: u64) -> Option<Disk> {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("image");
        std::fs::File::create(&image).and_then(|file| file.set_len(mib << 20)).expect("room for a file");
        let at = folder.path().join("disk").into_os_string().into_string().expect("UTF-8");
        std::fs::create_dir(&at).expect("the folder is writable");
        let disk = Disk { _folder: folder, at };
        let image = image.to_str().expect("UTF-8");
        let made = done("mkfs.ext4", &["-q", "-F", image]) && done("mount", &["-o", "loop", image, &disk.at]);
        // Only a disk that can be frozen is one.
        (made && disk.freeze() && disk.thaw()).then_some(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        Path::new(&self.at)
    }

    /// Stops every write; whether it did.
    pub fn freeze(&self) -> bool {
        done("fsfreeze", &["--freeze", &self.at])
    }

    /// Lets writes go on; whether it did.
    pub fn thaw(&self) -> bool {
        done("fsfreeze", &["--unfreeze", &self.at])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.thaw();
        done("umount", &["--lazy", &self.at]);
    }
}
