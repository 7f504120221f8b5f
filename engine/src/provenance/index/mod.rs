//! Which events belong to an order, and what was measured last before any of them, without a pass over the logs.
//!
//! **Idea.** Both logs are append-only and their segments hold a stated number of records. So the index of a segment that is
//! full never changes, and the number of a record is its place. For each segment there is one file: its orders with the numbers
//! of their records, and its keys (kind, instrument, and what else tells values of a kind apart) with those of theirs. A
//! catalogue lists them. The files lie in the folder `why` of the run, one folder a journal; nothing but `why` reads or
//! writes them, and they can be removed at any time.
//!
//! **Trust.** An index is a hint. Each page of it has a check; each segment is known again by its last record, each closed
//! journal by its hash chains; and each record that an index leads to must be of the order. What fails any of this is made
//! again from the logs.
//!
//! Bound: about a tenth of the journal on disk, and a few pages in memory. Worst case: without an index, one pass over both logs.

mod catalogue;
mod layout;
mod member;
mod pages;
mod part;

pub(super) use layout::{Key, Layout};
pub(super) use member::{MemberIndex, Trouble};

use super::error::WhyError;
use crate::recovery::Notices;
use sinks::journal::Home;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the indexes in the folder of a run.
const FOLDER: &str = "why";

/// The journals of a run with their indexes.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) layout: Layout,
    pub(super) members: Vec<MemberIndex>,
}

/// Where the indexes of the journals in a folder are, of the folder of the run.
pub(super) fn folder_of(dir: &Path) -> PathBuf {
    run_of(dir).as_deref().unwrap_or(dir).join(FOLDER)
}

/// The folder of the run that a journal belongs to, where that is another one than the journal's own.
pub(super) fn run_of(dir: &Path) -> Option<PathBuf> {
    let rolled = dir.parent().filter(|parent| parent.file_name() == Some(OsStr::new("rolled")))?;
    rolled.parent().filter(|run| !run.as_os_str().is_empty()).map(Path::to_owned)
}

impl Index {
    /// The indexes of the journals in `home`, brought up to date. If they cannot be kept that is said, and they are held in
    /// memory.
    pub(super) fn open(home: &Home, notices: Notices) -> Result<Index, WhyError> {
        let (run, folder) = (run_of(home.dir()), folder_of(home.dir()));
        let layout = Layout::new();
        let of = |member| MemberIndex::open(member, &folder.join(format!("{:016x}", member.info.journal_id)), &layout);
        let members = home.journals().iter().map(of).collect();
        let mut index = Index { layout, members };
        index.refresh(notices)?;
        if run.is_none() {
            forget_others(home, &folder);
        }
        Ok(index)
    }

    fn refresh(&mut self, notices: Notices) -> Result<(), WhyError> {
        for member in &mut self.members {
            let mut refreshed = member.refresh(&self.layout, notices);
            if matches!(refreshed, Err(Trouble::Index)) {
                member.clear(&self.layout);
                refreshed = member.refresh(&self.layout, notices);
            }
            match refreshed {
                Ok(None) => {}
                Ok(Some(why)) => notices.say(format!("the index cannot be kept, so each call makes it anew: {why}")),
                Err(Trouble::Journal(error)) => return Err(error),
                Err(Trouble::Index) => return Err(WhyError::Changing(member.member.dir.clone())),
            }
        }
        Ok(())
    }

    /// Makes all indexes anew.
    pub(super) fn rebuild(&mut self, notices: Notices) -> Result<(), WhyError> {
        self.members.iter_mut().for_each(|member| member.clear(&self.layout));
        self.refresh(notices)
    }
}

/// Removes the indexes of journals that are gone. What cannot be removed stays, and takes room.
fn forget_others(home: &Home, folder: &Path) {
    let own: Vec<String> = home.journals().iter().map(|m| format!("{:016x}", m.info.journal_id)).collect();
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        if !own.iter().any(|own| entry.file_name() == OsStr::new(own)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
