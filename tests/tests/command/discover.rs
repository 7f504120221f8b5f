//! What is learned from recorded days: the file is the same each time, a configuration includes it and runs, a replay needs it no more,
//! and what cannot be learned is said.

use crate::{Named, call, finish, folder, path, says, script, write};
use std::fs;
use std::process::Command;
use tidegate_tests::tidegate;

pub(crate) const DISCOVER: &[Named] = &[
    ("what_is_learned_is_included_and_recorded", included),
    ("what_is_learned_is_the_same_each_time", same),
    ("what_cannot_be_learned_is_said", refused),
    ("a_wrong_include_names_the_file", wrong_include),
];

/// Four hours of minutes of a symbol on each of two days, whose prices go to and fro.
fn minutes(seed: u32, volume: u32) -> String {
    let mut text = String::from("datetime,open,high,low,close,volume\n");
    let mut random = seed;
    for at in 0..480 {
        let (day, minute) = (11 + at / 240, at % 240);
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let close = 10_000 + (random >> 16) % 50;
        let px = format!("{}.{:02}", close / 100, close % 100);
        let time = format!("2019-02-{day} {:02}:{:02}:00", 10 + minute / 60, minute % 60);
        text += &format!("{time},{px},{px},{px},{px},{}\n", volume + at % 7);
    }
    text
}

const CSV: [&str; 4] = ["--set", "csv.zone=America/New_York", "--set", "csv.stamp=start"];

fn included() {
    let (folder, _) = folder();
    let files = [("AAA", 1, 900), ("BBB", 5, 0)]
        .map(|(symbol, seed, volume)| write(&folder, &format!("{symbol}_1min.csv"), minutes(seed, volume).as_bytes()));
    let out = path(&folder, "learned.toml");
    let command = [&["discover", "--input", &files[0], &files[1], "--out", &out][..], &CSV].concat();
    says(call(&command), 0, &["learned 2 symbols and 1 correlations in", "include = [\"learned.toml\"]"]);
    let learned = fs::read_to_string(&out).expect("it was written");
    for part in [
        "# rows: 960 bars of 1m, 0 trades, 2 symbols",
        "# days: 2, 2019-02-11 to 2019-02-12",
        "[vpin.symbol.AAA]\nbucket_qty = 4334\n",
    ] {
        assert!(learned.contains(part), "{part}\n{learned}");
    }
    says(call(&command), 2, &["learned.toml exists; --force overwrites it"]);
    let config = format!(
        "include = [\"learned.toml\"]\n[pipeline]\nstages = [\"vpin\", \"regime\"]\n[vpin]\nmode = \"bulk\"\nwindow = 2\nsigma_bars = 2\n\
         [vpin.symbol.BBB]\nbucket_qty = 7\n[csv]\nzone = \"America/New_York\"\nstamp = \"start\"\n\
         [[input]]\nfeed = \"csv\"\nfiles = [\"AAA_1min.csv\", \"BBB_1min.csv\"]\n[journal]\ndir = \"{}\"\n",
        path(&folder, "run")
    );
    let config = write(&folder, "desk.toml", config.as_bytes());
    assert!(call(&["validate", &config]).expect(0).stdout.contains("is valid"));
    let ran = call(&["replay", &config, "--emit", "vpin,regime", "--symbols", "AAA,BBB"]).expect(0);
    let rows: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let of = |kind: &str, symbol: &str| {
        rows.iter().filter(|r| r["kind"] == kind && r["symbol"] == symbol).cloned().collect::<Vec<_>>()
    };
    let bucket = |symbol: &str| of("vpin", symbol).first().map(|row| row["bucket_qty"].as_u64());
    assert_eq!((bucket("AAA"), bucket("BBB")), (Some(Some(4_334)), Some(Some(7))), "the configuration goes first");
    // The limits decide from the first value on, long before there is a percentile.
    let regimes = of("regime", "AAA");
    let known = regimes.iter().filter(|row| row["regime"] != "unknown").count();
    assert!(known == 480 - 60 && regimes.len() == 480, "{known} of {}", regimes.len());
    let thirds = ["low", "normal", "high"].map(|name| regimes.iter().filter(|row| row["regime"] == name).count());
    assert!(thirds.iter().all(|count| count.abs_diff(140) <= 1), "{thirds:?}");
    // The journal has the values and needs no file.
    fs::remove_file(&out).expect("it was there");
    let recorded = fs::read_to_string(folder.path().join("run/journal.toml")).expect("the settings of the run");
    assert!(!recorded.contains("learned.toml"), "{recorded}");
    says(call(&["replay", "--journal", &path(&folder, "run"), "--verify"]), 0, &[]);
    says(call(&["validate", &config]), 2, &[]);
}

fn same() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    let learn = "$1 discover --date 2026-01-05 --input day.itch";
    let one = script(dir, &format!("{learn} --out a.toml && {learn}")).expect(0);
    let file = fs::read_to_string(folder.path().join("a.toml")).expect("it was written");
    assert_eq!(one.stdout, file, "printed as it is written");
    assert!(file.contains("# the median trade is ") || file.contains("times the median trade, "), "{file}");
    assert!(file.contains("# no look-back: "), "{file}");
    let split = script(dir, &format!("{learn} --preset split")).expect(0);
    assert_eq!(split.stdout, file, "however the pipeline is cut");
    assert!(one.stderr.lines().all(|line| line.chars().count() <= 80), "{}", one.stderr);
}

fn refused() {
    let (folder, _) = folder();
    let five = "datetime,open,high,low,close,volume\n".to_owned()
        + &(0..5).map(|n| format!("2019-02-11 10:0{n}:00,1,1,1,1,0\n")).collect::<String>();
    let file = write(&folder, "AAA_1min.csv", five.as_bytes());
    let learn = |more: &[&str]| {
        let mut command = Command::new(tidegate());
        command.args(["discover", "--input", &file]).args(CSV).args(more);
        finish(command)
    };
    let why = "too little to learn from: AAA: no bar has a volume; 4 returns, and it takes 120; \
               4 returns of bars that follow each other, and it takes 120. Give more days, or shorter bars";
    says(learn(&[]), 2, &[why]);
    says(learn(&["--interval", "5x"]), 2, &["--interval 5x"]);
    says(learn(&["--symbols", "ZZZ"]), 2, &["ZZZ"]);
    says(
        call(&["discover", "--input", folder.path().to_str().expect("UTF-8")]),
        2,
        &["is a folder; name the files in it"],
    );
    says(call(&["discover", "--input", &path(&folder, "no.csv")]), 2, &["no.csv"]);
    says(call(&["discover"]), 2, &["--input"]);
}

fn wrong_include() {
    let (folder, _) = folder();
    write(&folder, "a.toml", b"[vpin]\nbukcet_qty = 3\n");
    write(&folder, "b.toml", b"include = [\"a.toml\"]\n");
    let config = |list: &str| write(&folder, "desk.toml", format!("include = {list}\n").as_bytes());
    let no_parameter = ["a.toml:2:1: vpin.bukcet_qty: no such parameter; did you mean bucket_qty?"];
    says(call(&["validate", &config("[\"a.toml\"]")]), 2, &no_parameter);
    let nested = ["b.toml:1:1: include: not in an included file; write it in", "desk.toml, which includes this file"];
    says(call(&["validate", &config("[\"b.toml\"]")]), 2, &nested);
    let own = ["desk.toml:1:12: include: desk.toml is this file itself; take it out of the list"];
    says(call(&["replay", &config("[\"desk.toml\"]")]), 2, &own);
    let missing = ["none.toml: No such file or directory", "write that file, or take it out of the list"];
    says(call(&["validate", &config("[\"none.toml\"]")]), 2, &missing);
}
