//! Files that a configuration includes: `include = ["levels.toml"]`, its first line.
//!
//! What an included file sets stands as if it were written above the sections of the including file, in the order of the list; so a later
//! file overrides an earlier one, and the configuration itself overrides all of them. An included file has sections of parameters and
//! `[instrument."SYMBOL"]` only. Tables that add something each time they are written (inputs, limits, instances) override nothing, and
//! read from several places it would be left to chance which of them is the first; they stand in the configuration itself. For the same
//! reason an included file includes none, so there is no cycle.
//!
//! The settings hold the values and not the names of the files: a journal records them with the others, and a replay needs no file. Bound:
//! each file is read once, [`MOST_BYTES`](super::data_file::MOST_BYTES) of it at most.

use super::data_file::text_in;
use super::keys::{INCLUDE, RETIRED, VENUE};
use super::read::{Found, Reading, folder_of};
use stages::{Instanced, risk};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// What is valid for the list.
const LIST: &str = "valid: [\"path\", …], each from the folder of this file on";

impl<'i> Reading<'i> {
    /// Reads the files of the list, each on top of those before it.
    pub(super) fn includes(&mut self, span: &Range<usize>, value: Found<'i>) {
        self.stands(INCLUDE, span);
        let DeValue::Array(list) = value.get_ref() else {
            return self.fault(&value.span(), INCLUDE, "not a list of texts", LIST);
        };
        let mut before: Vec<PathBuf> = Vec::new();
        for entry in list {
            let at = entry.span();
            let Some(name) = entry.get_ref().as_str().filter(|name| !name.is_empty()) else {
                self.fault(&at, INCLUDE, self.shown(&at), LIST);
                continue;
            };
            let path = self.base.unwrap_or(Path::new("")).join(name);
            // One file may have several names.
            let same =
                |other: &Path| path.canonicalize().is_ok_and(|path| other.canonicalize().is_ok_and(|o| o == path));
            if same(self.path) {
                self.fault(&at, INCLUDE, &format!("{name} is this file itself"), "take it out of the list");
            } else if before.iter().any(|other| same(other)) {
                self.fault(&at, INCLUDE, &format!("{name} is in the list twice"), "take one of them out of the list");
            } else {
                self.include(&at, &path);
                before.push(path);
            }
        }
        // A section of an included file takes no name from an instance that the configuration names as the section.
        self.draft.settings.places.retain(|key, _| key.is_empty() || key == INCLUDE || key.contains(['.', '[']));
    }

    fn include(&mut self, at: &Range<usize>, path: &Path) {
        let text = match text_in(path) {
            Ok(text) => text,
            Err(found) => {
                let found = format!("{}: {found}", path.display());
                return self.fault(at, INCLUDE, &found, "write that file, or take it out of the list");
            }
        };
        let draft = std::mem::take(&mut self.draft);
        let mut included = Reading { path, base: Some(folder_of(path)), text: &text, draft };
        let (root, errors) = DeTable::parse_recoverable(&text);
        included.syntax(errors);
        for (name, value) in root.into_inner() {
            let in_configuration = [INCLUDE, "input", RETIRED, VENUE, risk::LIMIT, risk::ACCOUNT];
            let of_instances = Instanced::ALL.map(Instanced::table);
            if in_configuration.iter().chain(&of_instances).any(|other| *other == name.get_ref()) {
                let valid = format!("write it in {}, which includes this file", self.path.display());
                included.fault(&name.span(), name.get_ref(), "not in an included file", &valid);
            } else {
                included.top(name, value);
            }
        }
        self.draft = included.draft;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Draft, Settings};
    use crate::registries::Registries;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("learned")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn load(folder: &tempfile::TempDir) -> Draft {
        Draft::load(&folder.path().join("desk.toml"), &Registries::default())
    }

    fn bucket(settings: &Settings, symbol: &str) -> String {
        settings.stages["vpin"].of_symbol(symbol).value("bucket_qty").expect("a parameter").to_string()
    }

    #[test]
    fn a_later_file_overrides_an_earlier_one_and_the_configuration_overrides_both() {
        let folder = folder(&[
            (
                "a.toml",
                "[vpin]\nwindow = 20\nbucket_qty = 1\n[vpin.symbol.A]\nbucket_qty = 2\n[vpin.symbol.B]\nbucket_qty = 3\n",
            ),
            (
                "learned/b.toml",
                "[vpin]\nbucket_qty = 4\n[sim]\nlatency_file = \"rows.csv\"\n[instrument.A]\ntick = 0.5\n",
            ),
            ("learned/rows.csv", "ts_ns,order_ns,reply_ns\n1,20,30\n"),
            ("desk.toml", "include = [\"a.toml\", \"learned/b.toml\"]\n[vpin.symbol.A]\nbucket_qty = 5\n"),
        ]);
        let draft = load(&folder);
        assert_eq!(draft.faults, []);
        let read = |settings: &Settings| ["A", "B", "C"].map(|symbol| bucket(settings, symbol));
        assert_eq!(read(&draft.settings), ["5", "3", "4"]);
        let text = draft.settings.to_toml();
        assert!(!text.contains("a.toml") && text.contains("1,20,30"), "{text}");
        drop(folder);
        let again = Draft::recorded(&text, Path::new("journal.toml"), &Registries::default());
        assert_eq!(
            (again.faults, read(&again.settings), again.settings.to_toml()),
            (vec![], ["5", "3", "4"].map(str::to_owned), text)
        );
    }

    #[test]
    fn an_instance_may_have_the_name_of_a_section_that_is_included() {
        let folder = folder(&[
            ("a.toml", "[momentum]\nqty = 7\n"),
            ("desk.toml", "include = [\"a.toml\"]\n[[strategy]]\nuse = \"momentum\"\nlookback = 9\n"),
        ]);
        let draft = load(&folder);
        assert_eq!(draft.faults, []);
        let value = |name| draft.settings.stages["momentum"].value(name).expect("a parameter").to_string();
        assert_eq!((value("qty"), value("lookback")), ("7".into(), "9".into()));
    }

    #[test]
    fn each_fault_names_the_file_that_it_is_in() {
        let folder = folder(&[
            ("a.toml", "[vpin]\nbukcet_qty = 1\n[[input]]\nfeed = \"itch\"\n"),
            ("b.toml", "include = [\"a.toml\"]\n[vpin\n"),
            ("desk.toml", "include = [\"a.toml\", \"b.toml\", \"./a.toml\", \"desk.toml\", \"no.toml\", \"\", 3]\n"),
        ]);
        let draft = load(&folder);
        let at = format!("{}/", folder.path().display());
        let found: Vec<_> = draft.faults.iter().map(|fault| fault.to_string().replace(&at, "")).collect();
        let wanted = [
            "a.toml:2:1: vpin.bukcet_qty: no such parameter; did you mean bucket_qty? valid: ",
            "a.toml:3:3: input: not in an included file; write it in desk.toml, which includes this file",
            "b.toml:1:1: include: not in an included file; write it in desk.toml, which includes this file",
            "b.toml:2:6: ",
            "desk.toml:1:32: include: ./a.toml is in the list twice; take one of them out of the list",
            "desk.toml:1:44: include: desk.toml is this file itself; take it out of the list",
            "desk.toml:1:57: include: no.toml: No such file or directory (os error 2); write that file, or take it out of the list",
            "desk.toml:1:68: include: \"\"; valid: ",
            "desk.toml:1:72: include: 3; valid: ",
        ];
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{found}\n{wanted}");
        }
        assert!(!draft.readable());
        let faults = Draft::parse("include = \"a.toml\"\n", Path::new("x.toml")).faults;
        assert_eq!(faults[0].to_string(), format!("x.toml:1:11: include: not a list of texts; {LIST}"));
    }
}
