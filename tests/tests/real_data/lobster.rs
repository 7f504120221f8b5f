//! LOBSTER's samples: a message file, and the book after every message.

use super::{Depth, Sum, Trade, each, replay, report, rows};
use std::io::Read;
use std::path::Path;
use tidegate_tests::Case;

const GOOG: &str = "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip";
const AAPL: &str = "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip";

/// What is known of a sample.
struct Known {
    levels: &'static str,
    rows: u64,
    /// Visible, hidden and all: quantity and average price.
    sums: [(u64, &'static str); 3],
    /// Bought and sold by the aggressor.
    sides: [u64; 2],
}

const OF_GOOG: Known = Known {
    levels: "10",
    rows: 147_916,
    sums: [(492_509, "569.271693"), (213_616, "569.827603"), (706_125, "569.439866")],
    sides: [354_732, 351_393],
};

const OF_AAPL: Known = Known {
    levels: "1",
    rows: 118_497,
    sums: [(1_845_964, "582.625662"), (1_004_176, "582.906037"), (2_850_140, "582.724445")],
    sides: [1_314_336, 1_535_804],
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("lobster::every_row_of_goog", &[GOOG], |p| books(&p[0], &OF_GOOG)),
        Case::new("lobster::every_row_of_aapl", &[AAPL], |p| books(&p[0], &OF_AAPL)),
        Case::new("lobster::executions_of_goog", &[GOOG], |p| executions(&p[0], &OF_GOOG)),
        Case::new("lobster::executions_of_aapl", &[AAPL], |p| executions(&p[0], &OF_AAPL)),
    ]
}

/// One side of a row of the book file, from its fields `first`, `first + 1`, and so on in steps of four.
fn side(fields: &[i64], first: usize) -> Vec<(String, u64)> {
    let levels = fields.chunks(4).map(|level| (level[first], level[first + 1])).filter(|(_, qty)| *qty > 0);
    levels.map(|(px, qty)| (format!("{}.{:04}", px / 10_000, px % 10_000), qty as u64)).collect()
}

/// The rows of the book file, one after every message.
pub(super) fn book_rows(zip: &Path) -> Vec<String> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(zip).expect("it opens")).expect("a zip");
    let names = archive.file_names().map(|name| name.expect("names are text").into_owned());
    let name = names.into_iter().find(|name| name.contains("_orderbook_")).expect("a book file");
    let mut text = String::new();
    archive.by_name(&name).expect("it is there").read_to_string(&mut text).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// After every message the printed depth is the book file's row: that of the message, or the one before where the message
/// changed nothing that is visible. The feed explains each change by the message alone, and counts where it could not.
fn books(zip: &Path, known: &Known) {
    let mut books = book_rows(zip).into_iter();
    let (mut before, mut seen) = ((Vec::new(), Vec::new()), 0);
    let mut expect = |shown: Option<&Depth>, record: u64| {
        let line = books.next().expect("a book for every message");
        let fields: Vec<i64> = line.split(',').map(|f| f.parse().expect("a number")).collect();
        let book = (side(&fields, 2), side(&fields, 0));
        match shown {
            Some(depth) => {
                assert!((&depth.bids, &depth.asks) == (&book.0, &book.1), "record {record}: {depth:?}\n{line}")
            }
            None => assert!(before == book, "record {record} changed the book, but no depth was shown: {line}"),
        }
        before = book;
    };
    let mut arguments = replay("lobster", zip, "depth");
    arguments.extend(["--levels", known.levels]);
    each(&arguments, |depth: Depth| {
        (seen + 1..depth.record).for_each(|silent| expect(None, silent));
        seen = depth.record;
        expect(Some(&depth), seen);
    });
    (seen + 1..=known.rows).for_each(|silent| expect(None, silent));
    assert!(books.next().is_none(), "a book file longer than the messages");
    let report = report("lobster", zip);
    let counts = &report["inputs"][0]["counts"];
    assert_eq!((&counts["rows-equal"], &counts["rows-differing"]), (&(known.rows - 1).into(), &0.into()));
    assert_eq!(report["anomalies"], serde_json::json!({}));
}

fn executions(zip: &Path, known: &Known) {
    let trades: Vec<Trade> = rows(&replay("lobster", zip, "trade"));
    let of = |displayed| Sum::of(trades.iter().filter(|t| t.displayed == displayed));
    for (sum, (qty, vwap)) in [of(true), of(false), Sum::of(&trades)].iter().zip(known.sums) {
        assert_eq!((sum.qty, sum.vwap().as_str()), (qty, vwap));
    }
    let by = |side| Sum::of(trades.iter().filter(|t| t.aggressor == side)).qty;
    assert_eq!([by("buy"), by("sell")], known.sides);
}
