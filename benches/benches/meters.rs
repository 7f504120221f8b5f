//! Meters: what a pipeline pays for being looked at.
//!
//! The same numbered inputs go through the same pipeline with the meters on and off, in turn. A pipeline that does next
//! to nothing (`cvd` alone: most inputs pass it by) shows the cost itself; the usual one, book and bars, shows what share
//! that is. Turns of one event are what a trading pipeline takes, whose orders may come back in between; a full pipeline
//! takes turns of 64. `sampled` times the stages on one input in 128, as is the default. What the meter costs is the
//! difference to `off`; outcomes must be the same.

use benches::market::{Market, Numbering, decode, queue};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use feeds::itch::ItchDecoder;
use flow::Event;
use stages::Space;
use std::sync::Arc;
use std::time::Instant;
use tidegate::config::Settings;
use tidegate::drive::{Control, run_pipeline};
use tidegate::ingress::{Admitted, Head, IngressError};
use tidegate::pipeline::{Group, Tail};
use tidegate::plan::Plan;

const MESSAGES: u64 = 1_000_000;
const INSTRUMENTS: u32 = 1 << 10;

/// Numbered inputs as the head of a pipeline.
struct Numbered {
    inputs: Arc<[Event]>,
    at: usize,
    began: Option<Instant>,
}

impl Head for Numbered {
    fn begin_turn(&mut self) {
        if self.began.is_none() {
            self.began = Some(Instant::now());
        }
    }

    #[inline]
    fn admit(&mut self, to: &mut Event, _group: &Group) -> Result<Admitted, IngressError> {
        let Some(event) = self.inputs.get(self.at) else { return Ok(Admitted::Ended) };
        *to = *event;
        self.at += 1;
        Ok(Admitted::One)
    }

    fn stop(&mut self) {
        self.at = self.inputs.len();
    }

    fn seq(&self) -> u64 {
        self.at as u64
    }
}

fn numbered(market: &Market) -> Arc<[Event]> {
    let (mut decoder, mut windows, mut queue) = (ItchDecoder::new(None), market.window(), queue());
    let (mut numbering, mut inputs) = (Numbering::default(), Vec::new());
    decode(&mut decoder, &mut windows, &mut queue, |event, _| inputs.push(numbering.next(event)));
    inputs.into()
}

/// Runs the pipeline once; the check is of the outcomes' hash.
fn pipeline(inputs: &Arc<[Event]>, with: &[&str]) -> Run {
    let mut settings = Settings::default();
    with.iter().for_each(|one| settings.set(one).expect("the assignment is valid"));
    let space = Space { instruments: INSTRUMENTS, fills: 65_536, positions: 16_384 };
    let plan = Plan::build(&settings, space, Tail::READS).expect("a valid plan");
    let tail =
        Tail::new(Vec::new(), Vec::new(), plan.outcomes, (INSTRUMENTS, &plan.instances, plan.emits()), Arc::default());
    let head = Numbered { inputs: Arc::clone(inputs), at: 0, began: None };
    let done = run_pipeline(head, plan, tail, &Control::default()).expect("the pipeline runs");
    let (stats, _) = done.tail.finish();
    let hash = u64::from_str_radix(&stats.outcome_hash()[..16], 16).expect("it is hexadecimal");
    Run { time: done.ended - done.head.began.expect("it has begun"), check: hash }
}

const CVD: &str = "pipeline.stages=cvd";
const USUAL: &str = "pipeline.stages=book,bars";
const ONE: &str = "pipeline.batch=1";
const CUT: [&str; 3] = ["pipeline.preset=cuts", "pipeline.cuts=tail", "pipeline.cores=0,1"];

fn main() {
    let inputs = numbered(&Market::new(MESSAGES, 200, 20_000));
    let mut report = Report::new("meters");
    let mut groups = vec![
        ("next to nothing", vec![CVD, "pipeline.cores=0"]),
        ("a turn an event", vec![CVD, ONE, "pipeline.cores=0"]),
        ("book and bars", vec![USUAL, "pipeline.cores=0"]),
    ];
    if ring::thread::cores().len() > 1 {
        groups.push(("cut before the tail", [USUAL].into_iter().chain(CUT).collect()));
    }
    for (name, base) in groups {
        let run = |more: [&str; 2]| pipeline(&inputs, &[base.as_slice(), &more].concat());
        let mut contenders = [
            Contender::new("off", || run(["pipeline.meters=false", "pipeline.sample_every=0"])),
            Contender::new("on", || run(["pipeline.meters=true", "pipeline.sample_every=0"])),
            Contender::new("on, sampled", || run(["pipeline.meters=true", "pipeline.sample_every=128"])),
        ];
        compare(&mut report, name, inputs.len() as u64, count(31), &mut contenders);
    }
}
