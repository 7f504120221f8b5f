//! What a process shows of itself, and what every process has to show.

use super::scrape::Scrape;
use super::table::{BUILD, CPU, HEALTHY, OPEN_FILES, READY, RESIDENT, STARTED, THREADS};
use crate::build_id::build_id;
use rustix::param::{clock_ticks_per_second, page_size};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A process that shows how it does. All of this is called by the thread that answers, and waits for nobody.
pub trait Exposed: Send + Sync {
    /// What stands still, in sentences; nothing if the process is healthy.
    fn ails(&self) -> Vec<String>;

    /// What is missing until the process does its work, in sentences; nothing if it is ready.
    fn lacks(&self) -> Vec<String>;

    /// What is kept under a key, or without one the keys that there are; the error says that nothing can be. `None` if nothing is kept.
    fn last(&self, _key: Option<&str>) -> Option<Result<Value, String>> {
        None
    }

    /// Adds what the process has to show beside that.
    fn measure(&self, to: &mut Scrape);

    /// The version and the build, and what the binary was built with.
    fn version(&self) -> Value {
        json!({ "name": "tidegate", "version": env!("CARGO_PKG_VERSION"), "build": build_id() })
    }

    /// All that there is to show.
    fn scrape(&self) -> Scrape {
        let mut scrape = Scrape::default();
        scrape.info(&BUILD, &[env!("CARGO_PKG_VERSION"), &build_id()]);
        scrape.flag(&READY, &[], self.lacks().is_empty());
        scrape.flag(&HEALTHY, &[], self.ails().is_empty());
        process(&mut scrape);
        self.measure(&mut scrape);
        scrape
    }
}

/// What the system knows of the process; what it does not tell is left out.
fn process(to: &mut Scrape) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process, which may hold anything, ends with the last bracket; state, the first field behind it, is the third.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let of_ticks = |ticks: u64| Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64);
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        to.count_ns(&CPU, &[], of_ticks(user + system).as_nanos() as u64);
    }
    field(20).into_iter().for_each(|threads| to.gauge(&THREADS, &[], threads as f64));
    field(24).into_iter().for_each(|pages| to.gauge(&RESIDENT, &[], (pages * page_size() as u64) as f64));
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Less the one that reads them.
        to.gauge(&OPEN_FILES, &[], open.count().saturating_sub(1) as f64);
    }
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let uptime = uptime.split(' ').next().and_then(|up| up.parse::<f64>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    if let (Some(up), Some(now), Some(began)) = (uptime, now, field(22)) {
        to.gauge(&STARTED, &[], now.as_secs_f64() - up + of_ticks(began).as_secs_f64());
    }
}
