//! What a run that mostly waits costs: a hundred symbols at the pace of the clock, asleep while there is nothing to do.

use crate::held::{Held, free_port, threads, told};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::Duration;
use tidegate_tests::rig::Service;

const MESSAGES: u64 = 5_000_000;
const SYMBOLS: u32 = 100;

pub(crate) fn measure(seconds: u64) {
    let port = free_port();
    let service = Service::paper_from_the_open_on(MESSAGES, SYMBOLS)
        .with("pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router")
        .with("pipeline.idle=park")
        .with("journal.segment_records=262144")
        .with(format!("metrics.listen=127.0.0.1:{port}"));
    let mut life = service.start("1x");
    life.until("the open", || service.listens() && told(port, "tidegate_ready") == 1.0);
    std::thread::sleep(Duration::from_secs(10));
    let (before, used) = (Held::now(&life, port, &service.journal()), threads(life.child.id()));
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, now) = (Held::now(&life, port, &service.journal()), threads(life.child.id()));
    let took = (after.at - before.at).as_secs_f64();
    let part = |used: Duration| 100.0 * used.as_secs_f64() / took;
    let [own, log] = after.memory;
    println!("{SYMBOLS} symbols, {:.0} inputs a second over {took:.0} s", (after.inputs - before.inputs) / took);
    println!(
        "processor {:.1} % of a core, memory {own:.0} MiB and {log:.0} MiB of newest segments",
        part(after.cpu - before.cpu)
    );
    let mut by_name = BTreeMap::<_, Duration>::new();
    now.into_iter().for_each(|(name, used)| *by_name.entry(name).or_default() += used);
    for (name, used) in used {
        by_name.entry(name).and_modify(|now| *now = now.saturating_sub(used));
    }
    let mut rows: Vec<_> = by_name.into_iter().collect();
    rows.sort_by_key(|(_, used)| std::cmp::Reverse(*used));
    rows.iter().for_each(|(name, used)| println!("  {name:<18} {:>5.2} %", part(*used)));
    println!("stopped: {}", life.stop(Signal::TERM).0);
}
