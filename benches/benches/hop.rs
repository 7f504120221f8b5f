//! One hop: how long an event takes from one core to another, over both rings and bare atomics, beside `rtrb` and
//! crossbeam, each with every wait. How it is measured stands in [`tidegate::bench::hop`].

use benches::report::Report;
use benches::rounds::count;
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use ring::Idle;
use ring::thread::cores;
use serde_json::{Value, json};
use std::convert::Infallible;
use tidegate::bench::hop::{CAPACITY, End, LINKS, Link, OneWay, Parcel, Trips, crossed, measure, one_way, own_wait};

const TRIPS: Trips = Trips { timed: 10_000, warm: 2_000 };

struct Rtrb(rtrb::Producer<Parcel>, rtrb::Consumer<Parcel>);

impl End for Rtrb {
    fn send(&mut self, number: u64) {
        self.0.push(Parcel([number; 8])).expect("one message in flight fits");
    }

    fn poll(&mut self) -> Option<u64> {
        self.1.pop().ok().map(|parcel| parcel.0[7])
    }
}

struct Crossbeam(Sender<Parcel>, Receiver<Parcel>);

impl End for Crossbeam {
    fn send(&mut self, number: u64) {
        self.0.try_send(Parcel([number; 8])).expect("one message in flight fits");
    }

    fn poll(&mut self) -> Option<u64> {
        match self.1.try_recv() {
            Ok(parcel) => Some(parcel.0[7]),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the other side is gone"),
        }
    }
}

fn over_rtrb(trips: Trips, idle: Idle) -> OneWay {
    let Ok((ping, pong)) = crossed(|| Ok::<_, Infallible>(rtrb::RingBuffer::new(CAPACITY)));
    one_way((Rtrb(ping.0, ping.1), Rtrb(pong.0, pong.1)), trips, idle)
}

fn over_crossbeam(trips: Trips, idle: Idle) -> OneWay {
    let Ok((ping, pong)) = crossed(|| Ok::<_, Infallible>(crossbeam_channel::bounded(CAPACITY)));
    one_way((Crossbeam(ping.0, ping.1), Crossbeam(pong.0, pong.1)), trips, idle)
}

fn main() {
    let mut report = Report::new("hop");
    if cores().len() < 2 {
        println!("  a hop needs two cores");
        return;
    }
    let rivals = [Link { name: "rtrb", one_way: over_rtrb }, Link { name: "crossbeam", one_way: over_crossbeam }];
    let links: Vec<Link> = LINKS.into_iter().chain(rivals).collect();
    let rounds = count(21);
    let hops = measure(&links, own_wait(), rounds, TRIPS, || ());
    let trips = TRIPS.timed * rounds as u64;
    let mut row = |mut row: Value, group: &str| {
        (row["group"], row["rounds"], row["trips"]) = (json!(group), json!(rounds), json!(trips));
        report.row(row);
    };
    for hop in &hops.rows {
        row(serde_json::to_value(hop).expect("a hop is plain values"), "one way");
    }
    for beside in [&hops.standing.to_raw, &hops.standing.to_best_rival] {
        row(serde_json::to_value(beside).expect("a ratio is plain values"), "phase as a pipeline waits, to");
    }
    report.note(&hops.placement.words(hops.rows[0].p50_ns));
}
