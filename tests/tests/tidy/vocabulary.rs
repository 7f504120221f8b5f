//! Words that the project gave up, so that they do not come back.
//!
//! `GLOSSARY.md` has the words in use: a noun of the market keeps its market meaning, machinery takes the words of queues
//! and databases. Identifiers are compared token by token, phrases in every text file, upper and lower case alike.

use crate::tokens::{parse, words};
use crate::tree::{Text, files, rust};

/// Identifiers, and what took their place.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("StageLine", "StageEntry"),
    ("SinkLine", "SinkEntry"),
    ("GatewayLine", "GatewayEntry"),
    ("VenueLine", "VenueEntry"),
    ("CheckLine", "CheckEntry"),
    ("run_line", "run_pipeline"),
    ("relieve", "on_backpressure"),
    ("foresee", "prefetch"),
    ("foresees", "prefetches"),
    ("Foresight", "Prefetcher"),
    ("unworded", "unannounced"),
    ("judge", "first_breach"),
    ("Feeding", "SourceQueue"),
    ("wish", "intent"),
    ("Away", "LiveVenueReplies"),
    ("Chosen", "Universe"),
    ("Watched", "InstrumentState"),
    ("Way", "GroupOutput or BookPath"),
    ("Ways", "VenueWiring"),
    ("Takens", "ConsumedDepth"),
    ("unheard", "discarded"),
    ("Desk", "VenueSession or SimInstrument"),
    ("Said", "Emitted"),
    ("Told", "LevelUpdate"),
    ("tell_level", "apply_level"),
    ("twin", "reference"),
    ("Twin", "Reference"),
];

/// Phrases, and what took their place.
const PHRASES: &[(&str, &str)] = &[
    ("registry line", "registry entry"),
    ("progress word", "watermark"),
    ("line of stages", "pipeline of stages"),
    ("whole line", "whole pipeline"),
    ("uncut line", "uncut pipeline"),
    ("trading line", "trading pipeline"),
    ("along the line", "along the pipeline"),
    ("on the line", "on the pipeline"),
    ("of the line", "of the pipeline"),
    ("[line]", "[pipeline]"),
    ("line.stages", "pipeline.stages"),
    ("--ring line", "--ring phase"),
    ("line ring", "phase ring"),
    ("a wish", "an intent"),
    ("leave to trade", "approval"),
    ("gives leave", "approves"),
    ("naive twin", "naive reference"),
    ("what is told", "what is emitted"),
    ("tells of", "describes, reports"),
    ("hears of", "receives"),
    ("the venue's word", "the venue's reply"),
    ("where the feed tells", "where the feed provides it"),
    ("folio", "writeback unit"),
];

/// Where a phrase may stand: here, and in results that were measured before.
const EXEMPT: &[&str] = &["tests/tests/tidy/vocabulary.rs", "tests/results/"];

fn identifier_faults(file: &Text) -> Vec<String> {
    let retired = |word: &str| IDENTIFIERS.iter().find(|(old, _)| *old == word);
    let found = words(parse(file)).into_iter().filter_map(|w| retired(&w.word).map(|(old, new)| (w.line, *old, *new)));
    found.map(|(line, old, new)| format!("{}:{line}: `{old}` is retired: {new}", file.path)).collect()
}

/// Whether `text` has the phrase, neither side of which goes on as a word.
fn has(text: &str, phrase: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].chars().next_back().filter(|_| phrase.starts_with(in_word));
        let after = text[at + phrase.len()..].chars().next().filter(|_| phrase.ends_with(in_word));
        !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

fn phrase_faults(file: &Text) -> Vec<String> {
    let mut faults = Vec::new();
    for (n, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        let found = PHRASES.iter().filter(|(old, _)| has(&line, old));
        faults.extend(found.map(|(old, new)| format!("{}:{}: \"{old}\" is retired: {new}", file.path, n + 1)));
    }
    faults
}

#[test]
fn retired_words_stay_retired() {
    crate::none(rust().iter().filter(|f| !f.is_in(EXEMPT)).flat_map(identifier_faults).collect());
    crate::none(files().iter().filter(|f| !f.is_in(EXEMPT)).flat_map(phrase_faults).collect());
}

#[test]
fn the_glossary_is_linked() {
    let files = files();
    let links = |path: &str| files.iter().any(|f| f.path == path && f.text.contains("GLOSSARY.md"));
    assert!(files.iter().any(|f| f.path == "GLOSSARY.md") && links("README.md") && links("ARCHITECTURE.md"));
}

#[test]
fn retired_words_are_found() {
    assert_eq!(identifier_faults(&Text::new("a.rs", "fn relieve(w: &mut Ways) {} // Twin")).len(), 2);
    let phrases = |text: &str| phrase_faults(&Text::new("a.md", text)).len();
    assert_eq!(phrases("A Registry line, the whole\nline; online, of the lines"), 1);
    assert_eq!(phrases("`[line]` and `--ring line`"), 2);
}
