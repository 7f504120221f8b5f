//! What a plug-in costs: the files and lines that adding one touches.
//!
//! A dummy measure of two kinds, a dummy check and a dummy strategy stand in `tests/plug_ins` with the lines that enter
//! them. Their cost is counted always; with the full counts they are put into a copy of the tree, which must compile and
//! know the new kinds.

use crate::tree::files;
use std::path::Path;
use std::process::Command;

/// A line of the tree, and what is put after it.
struct Edit {
    file: &'static str,
    after: &'static str,
    text: &'static str,
}

/// A plug-in as somebody would add it.
struct PlugIn {
    name: &'static str,
    /// Its file.
    file: &'static str,
    text: &'static str,
    /// Its page, unless it has a paragraph of another's.
    page: Option<&'static str>,
    edits: &'static [Edit],
    /// The most files that it may touch, page included.
    files: usize,
}

const PLUG_INS: &[PlugIn] = &[
    PlugIn {
        name: "measure of two kinds",
        file: "engine/stages/src/measures/dummy.rs",
        text: include_str!("../../plug_ins/measure.rs"),
        page: Some("engine/stages/docs/dummy-measure.md"),
        edits: &[
            Edit { file: "engine/stages/src/measures/mod.rs", after: "pub mod cvd;", text: "pub mod dummy;\n" },
            Edit {
                file: "engine/stages/src/measures/mod.rs",
                after: "pub const MEASURES: &[MeasureEntry] = &[",
                text: "    MeasureEntry {
        name: \"dummy\",
        doc: \"engine/stages/docs/dummy-measure.md\",
        about: \"Trades of a session.\",
        params: dummy::PARAMS,
        family: Family::Flow,
        summary: &[(Kind::Dummy, \"trades\")],
        build: Build::of::<dummy::Dummy>(),
    },\n",
            },
            Edit {
                file: "engine/flow/src/records/measures.rs",
                after: "records! {",
                text: "    /// Trades of a session.
    Dummy = 238 \"dummy\" {
        trades: u64 as Uint \"trades since the session began\",
    } reserved 32
    /// The largest of them; follows `dummy`.
    DummySize = 239 \"dummy-size\" follows Dummy {
        largest: Qty as Qty \"quantity of the largest trade\",
    } reserved 32\n",
            },
        ],
        files: 4,
    },
    PlugIn {
        name: "risk check",
        file: "engine/stages/src/risk/checks/dummy.rs",
        text: include_str!("../../plug_ins/check.rs"),
        page: None,
        edits: &[
            Edit { file: "engine/stages/src/risk/checks/mod.rs", after: "mod collar;", text: "mod dummy;\n" },
            Edit { file: "engine/stages/src/risk/checks/mod.rs", after: "checks! {", text: "    dummy\n" },
        ],
        files: 2,
    },
    PlugIn {
        name: "strategy",
        file: "engine/stages/src/strategies/dummy.rs",
        text: include_str!("../../plug_ins/strategy.rs"),
        page: Some("engine/stages/docs/dummy-strategy.md"),
        edits: &[
            Edit { file: "engine/stages/src/strategies/mod.rs", after: "mod common;", text: "pub mod dummy;\n" },
            Edit {
                file: "engine/stages/src/strategies/mod.rs",
                after: "pub const STRATEGIES: &[StrategyEntry] = &[",
                text: "    StrategyEntry {
        name: \"dummy-strategy\",
        doc: \"engine/stages/docs/dummy-strategy.md\",
        about: \"Never trades.\",
        number: dummy::DUMMY,
        params: dummy::PARAMS,
        build: dummy::DummyStage::build,
    },\n",
            },
        ],
        files: 3,
    },
];

impl PlugIn {
    /// Every file that it touches.
    fn files(&self) -> Vec<&'static str> {
        let mut files: Vec<_> = self.edits.iter().map(|e| e.file).chain([self.file]).chain(self.page).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Lines beside its own file and page.
    fn entered(&self) -> usize {
        self.edits.iter().map(|e| e.text.lines().count()).sum()
    }
}

/// `text` with the edit, whose line stands there once.
fn edited(text: &str, edit: &Edit) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let places: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].starts_with(edit.after)).collect();
    let [place] = places[..] else { panic!("{}: {:?} stands there {} times", edit.file, edit.after, places.len()) };
    let (head, rest) = (lines[..=place].join("\n"), lines[place + 1..].join("\n"));
    // A list that begins in the line itself begins on the next one then.
    match lines[place].strip_prefix(edit.after).filter(|tail| !tail.is_empty()) {
        None => format!("{head}\n{}{rest}\n", edit.text),
        Some(tail) => format!("{}\n{}\n{}{tail}\n{rest}\n", lines[..place].join("\n"), edit.after, edit.text),
    }
}

#[test]
fn a_plug_in_is_one_file_one_entry_and_one_page() {
    let files = files();
    for plug_in in PLUG_INS {
        for edit in plug_in.edits {
            let text = &files.iter().find(|f| f.path == edit.file).expect("it is there").text;
            assert!(edited(text, edit).len() > text.len());
        }
        let touched = plug_in.files();
        println!(
            "{}: {} files ({}), {} lines of its own, {} entered",
            plug_in.name,
            touched.len(),
            touched.join(", "),
            plug_in.text.lines().count(),
            plug_in.entered()
        );
        assert!(touched.len() <= plug_in.files, "{}: touches {touched:?}", plug_in.name);
        assert!(plug_in.text.lines().count() <= 60, "{}: a file of about 60 lines", plug_in.name);
    }
}

/// Writes the tree with all plug-ins to `to`.
fn write_copy(to: &Path) {
    let write = |path: &str, text: &str| {
        let path = to.join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    for file in files() {
        let edits = PLUG_INS.iter().flat_map(|p| p.edits).filter(|e| e.file == file.path);
        write(&file.path, &edits.fold(file.text.clone(), |text, edit| edited(&text, edit)));
    }
    for plug_in in PLUG_INS {
        write(plug_in.file, plug_in.text);
        plug_in.page.iter().for_each(|page| write(page, "# dummy\n"));
    }
}

fn cargo(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let done = command.args(args).current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target")).output();
    let done = done.expect("cargo can be started");
    assert!(done.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn a_tree_with_a_plug_in_of_each_kind_compiles() {
    if tidegate_tests::amount(0, 1) == 0 {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    write_copy(folder.path());
    cargo(folder.path(), &["check", "--locked", "--workspace"]);
    let run = |args: &[&str]| cargo(folder.path(), &[&["run", "--locked", "--quiet", "--"], args].concat());
    assert!(run(&["schema", "dummy"]).contains("largest"), "a follower's fields stand in the row of the first");
    let stages = "pipeline.stages=book,cvd,dummy,dummy-strategy,orders,risk,router";
    let rows = run(&["demo", "--events", "20000", "--set", stages, "--set", "risk.min_quantity=1", "--emit", "dummy"]);
    assert!(rows.lines().count() > 100 && rows.contains("\"trades\":"), "{rows}");
}

#[test]
fn an_edit_goes_where_its_line_is() {
    let edit = |after| Edit { file: "f", after, text: "new\n" };
    assert_eq!(edited("a\nb\n", &edit("a")), "a\nnew\nb\n");
    assert_eq!(edited("m! { a b }\nc\n", &edit("m! {")), "\nm! {\nnew\n a b }\nc\n");
}
