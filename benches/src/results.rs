//! The page of results: what was measured, on what, against whom, from result files alone.
//!
//! A section for each file, in the order given; a table for each set of figures that belong together. Nothing is written by
//! hand in it, so it can be made again on any host: `cargo run -p tidegate-benches --bin results -- FILE… > RESULTS.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use tidegate::bench::compare::{Figure, ResultFile};

/// The text of a section, by name.
const ABOUT: &[(&str, &str)] = &[
    ("hop", "One way between two cores, with every wait that spins; ratios to bare atomics with their best."),
    (
        "ring",
        "Streams of slots by capacity and batch. The phase ring waits as a pipeline does, and in two rows as named; the others as suits them best. A copy on one core is the limit.",
    ),
    ("decode", "ITCH bytes to inputs. `itch5` casts and reads in place, `itchy` copies."),
    ("book", "Decoding, the L3 book and the best bid and offer."),
    (
        "l2",
        "Pre-decoded rows by level through the book, and through a pipeline that trades; `hftbacktest` has the same rows.",
    ),
    ("gate", "One order through every check of risk."),
    ("growth", "How the book grows with the symbols and with the orders at rest; ratios to the first of a series."),
    (
        "pipeline",
        "The whole pipeline on bytes in memory, fused and split; `stages` adds one stage after the other, `cuts` puts all of them on one core and on two.",
    ),
    ("stages", "Stages of analytics and the strategy, alone; the loop alone is beside."),
    (
        "families",
        "What the families of measures cost alone, in the fused pipeline (one family more each time), beside the same measures of \
         `wickra-core`, and in memory. A trade's nanoseconds are those of all events of the day by its trades.",
    ),
    (
        "journal",
        "Lateness of appends at a million events a second, open loop; a plain store and `BufWriter` are beside.",
    ),
    ("meters", "A pipeline with its meters off and on."),
    ("tick-to-order", "Open loop: from the intended time of a message to the bytes of the order that it caused."),
    (
        "tick-to-write",
        "Open loop, loopback: from the intended time of a message until `write` had returned on the gateway's thread. `sleep` is the default, `spin` has a core.",
    ),
];

/// Against whom, as the rows name them.
const RIVALS: &[&str] =
    &["rtrb", "crossbeam", "itch5", "itchy", "hftbacktest", "std collections", "by hand", "wickra-core"];

fn is_beside(result: &ResultFile, rival: &str) -> bool {
    result.figures.iter().any(|figure| figure.row.contains(rival))
}

/// The page.
pub fn markdown(results: &[ResultFile]) -> String {
    let mut page = String::from(
        "# Results\n\nGenerated from result files; [README.md](README.md) describes how. Medians of interleaved rounds with their\n\
         intervals of about 95 %. Ratios are of the same round and can be trusted; nanoseconds are those of the host.\n",
    );
    for result in results {
        let _ = writeln!(page, "\n## {}\n", result.bench);
        if let Some((_, about)) = ABOUT.iter().find(|(bench, _)| *bench == result.bench) {
            let _ = writeln!(page, "{about}\n");
        }
        let beside: Vec<&str> = RIVALS.iter().copied().filter(|r| is_beside(result, r)).collect();
        if !beside.is_empty() {
            let _ = writeln!(page, "Beside: {}.\n", beside.join(", "));
        }
        if let Some(subject) = &result.subject {
            let _ = writeln!(page, "On {subject}.\n");
        }
        let commit = result.commit.as_ref().map_or_else(String::new, |commit| format!("; commit {commit}"));
        let _ = writeln!(page, "{}; {:.1} % of the time stolen{commit}.\n", result.host(), result.steal_percent);
        if let Some(note) = &result.note {
            let _ = writeln!(page, "{note}.\n");
        }
        page += &tables(&result.figures);
        page += &presets(&result.figures);
    }
    page
}

/// For each number of cores the cheapest way to cut the pipeline, where a result has several (`cuts, 2 cores, …`).
fn presets(figures: &[Figure]) -> String {
    let mut best: BTreeMap<u32, (&str, f64)> = BTreeMap::new();
    for figure in figures.iter().filter(|f| f.key == "ratio") {
        let Some((cores, cut)) = figure.row.strip_prefix("cuts, ").and_then(|row| row.split_once(" core")) else {
            continue;
        };
        let Ok(cores) = cores.parse() else { continue };
        let own = (cut.trim_start_matches('s').trim_start_matches(", "), figure.value);
        let known = best.entry(cores).or_insert(own);
        *known = if own.1 < known.1 { own } else { *known };
    }
    if best.len() < 2 {
        return String::new();
    }
    let mut page = String::from(
        "\nWhich cut for how many cores, by these figures:\n\n| cores | cheapest | time, to fused |\n|---|---|---|\n",
    );
    for (cores, (cut, ratio)) in &best {
        let _ = writeln!(page, "| {cores} | {cut} | {ratio:.2} |");
    }
    let pays = best.values().any(|(_, ratio)| *ratio < 0.95);
    page += if pays {
        "\nA cut pays here: what it separates takes longer than the hop between.\n"
    } else {
        "\nNo cut pays here: a hop costs as much as what it separates. `fused` is the preset for any number of cores; a core more\n\
         is for what must not hold the pipeline up (a gateway, a writer), not for the pipeline.\n"
    };
    page
}

/// Rows with the same figures are one table.
fn tables(figures: &[Figure]) -> String {
    let mut rows: Vec<(&str, Vec<&Figure>)> = Vec::new();
    for figure in figures {
        match rows.iter_mut().find(|(row, _)| *row == figure.row) {
            Some((_, own)) => own.push(figure),
            None => rows.push((&figure.row, vec![figure])),
        }
    }
    let mut page = String::new();
    let mut heading: Vec<&str> = Vec::new();
    for (row, own) in rows {
        let keys: Vec<&str> = own.iter().map(|f| f.key.as_str()).collect();
        if keys != heading {
            let end = if heading.is_empty() { "" } else { "\n" };
            let _ = writeln!(page, "{end}| | {} |\n|---|{}", keys.join(" | "), "---|".repeat(keys.len()));
            heading = keys;
        }
        let cells: Vec<String> = own.iter().map(|f| cell(f)).collect();
        let _ = writeln!(page, "| {} | {} |", if row.is_empty() { "all" } else { row }, cells.join(" | "));
    }
    page
}

fn cell(figure: &Figure) -> String {
    let text = |value: f64| if value.abs() >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    match figure.interval {
        Some((low, high)) => format!("{} ({} to {})", text(figure.value), text(low), text(high)),
        None => text(figure.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_the_same_figures_share_a_table() {
        let text = "{\"bench\":\"hop\",\"host\":{\"cpu\":\"C\",\"cores\":2,\"kernel\":\"6\"},\
            \"file\":\"a/b.itch\",\"messages\":7,\"commit\":\"abc\"}\n\
            {\"group\":\"g\",\"name\":\"a\",\"p50_ns\":1.5,\"ratio\":1,\"ratio_low\":1,\"ratio_high\":1}\n\
            {\"group\":\"g\",\"name\":\"b\",\"p50_ns\":12345,\"ratio\":2,\"ratio_low\":1.9,\"ratio_high\":2.1}\n";
        let page = markdown(&[ResultFile::parse(text).unwrap()]);
        assert!(!page.contains("Which cut"));
        let table = "| | p50_ns | ratio |\n|---|---|---|\n| g, a | 1.50 | 1.00 (1.00 to 1.00) |\n| g, b | 12345 | 2.00 (1.90 to 2.10) |\n";
        assert!(
            page.contains("## hop\n")
                && page.contains("C, 2 cores, bare metal, Linux 6; 0.0 % of the time stolen; commit abc.\n"),
            "{page}"
        );
        assert!(page.contains(table) && page.contains("On `b.itch`, 7 messages.\n"), "{page}");
    }
    #[test]
    fn the_cheapest_cut_is_told_for_every_number_of_cores() {
        let mut text = "{\"bench\":\"pipeline\",\"host\":{\"cpu\":\"C\"}}\n".to_owned();
        for (name, ratio) in [("1 core, fused", 1.0), ("2 cores, cut before a", 0.7), ("2 cores, cut before b", 0.6)] {
            text += &format!("{{\"group\":\"cuts\",\"name\":\"{name}\",\"ratio\":{ratio}}}\n");
        }
        let page = markdown(&[ResultFile::parse(&text).unwrap()]);
        assert!(page.contains("| 1 | fused | 1.00 |\n| 2 | cut before b | 0.60 |\n\nA cut pays here"), "{page}");
    }
}
