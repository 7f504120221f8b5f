//! The memory of few instruments.

use crate::{Named, folder, path, script};
use std::process::{Command, Stdio};
use tidegate_tests::tidegate;
use wait4::Wait4;

pub(crate) const INSTRUMENTS: &[Named] = &[("memory_follows_what_is_listed", memory)];

/// What a run takes at most, in MiB.
fn taken(file: &str) -> u64 {
    let mut command = Command::new(tidegate());
    command.args(["replay", "--date", "2020-01-30", "--input", file, "--set"]);
    command.arg("pipeline.stages=pulse,book,bars,cvd,imbalance,vpin,momentum,orders,risk,router");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let end = child.wait4().expect("a child");
    assert!(end.status.success());
    end.rusage.maxrss >> 20
}

/// The whole pipeline, with room for 16,384 instruments and a million orders, takes the memory of those that there are.
fn memory() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    for (symbols, most) in [(1, 150), (100, 200)] {
        let file = format!("{symbols}.itch");
        script(dir, &format!("$1 synth --messages 100000 --symbols {symbols} --live-orders 10000 --out {file}"))
            .expect(0);
        let mib = taken(&path(&folder, &file));
        println!("{symbols} symbols: {mib} MiB");
        assert!(mib <= most, "{symbols} symbols take {mib} MiB");
    }
}
