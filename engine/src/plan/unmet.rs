//! Measures that would know nothing: what they go on is emitted by no stage. They run, and emit nothing, so a run says so when it starts.
//!
//! A measure names sets of kinds, and of each at least one must come. Bars it wants of one length, and feeds may bring them too: what is
//! said of bars is advice, what is said of other kinds is certain.

use super::parts::Planned;
use crate::config::Settings;
use flow::{Interval, Kind, Kinds, Params, TextParam};
use stages::measures::{MEASURES, MeasureEntry, any_bars};
use stages::{Part, Running, bars};

/// What a measure calls the length of the bars that it reads.
const INTERVAL: TextParam = TextParam::new("interval", "", "");

/// What such measures want, in words.
pub(super) fn unmet(settings: &Settings, parts: &[Part], stages: &[Planned]) -> Vec<String> {
    let emitted = stages.iter().fold(Kinds::NONE, |all, planned| all.or(planned.stage.emits()));
    let measures = parts.iter().filter_map(|part| match part {
        Part::Measures(_, measures) => Some(measures),
        _ => None,
    });
    let measures: Vec<&Running<MeasureEntry>> = measures.flatten().collect();
    let wanted = measures.iter().flat_map(|one| one.entry.build.wants.iter().map(move |set| (*one, *set)));
    let says = |(one, set): (&Running<MeasureEntry>, &[Kind])| match set {
        [Kind::Bar] => no_such_bar(one, settings, emitted.has(Kind::Bar)),
        [Kind::Bar, Kind::EventBar] => match any_bars::instance(&settings.stages[one.name.as_str()]) {
            Some(number) => no_such_event_bars(one, number, &measures),
            None => no_such_bar(one, settings, emitted.has(Kind::Bar)),
        },
        _ if set.iter().any(|kind| emitted.has(*kind)) => None,
        _ => Some(format!("{} has nothing to go on: add {} to pipeline.stages", one.name, emitters(set))),
    };
    wanted.filter_map(says).collect()
}

/// The measures that emit one of these kinds; what no measure emits is the book's.
fn emitters(set: &[Kind]) -> String {
    let emits = |entry: &&MeasureEntry| set.iter().any(|kind| entry.build.emits.contains(kind));
    let names: Vec<_> = MEASURES.iter().filter(emits).map(|entry| entry.name).collect();
    if names.is_empty() { "book".to_owned() } else { names.join(" or ") }
}

/// What is missing if the instance of `event-bars` with this number does not run.
fn no_such_event_bars(one: &Running<MeasureEntry>, number: u8, running: &[&Running<MeasureEntry>]) -> Option<String> {
    let is_it = |other: &&Running<MeasureEntry>| {
        other.number == u16::from(number) && other.entry.build.emits.contains(&Kind::EventBar)
    };
    let what = if number == 0 { "event-bars".to_owned() } else { format!("instance {number} of event-bars") };
    (!running.iter().any(is_it)).then(|| format!("{} has nothing to go on: add {what} to pipeline.stages", one.name))
}

/// What is missing if no bars of the length that a measure reads are built.
fn no_such_bar(one: &Running<MeasureEntry>, settings: &Settings, are_built: bool) -> Option<String> {
    let params: &Params = &settings.stages[one.name.as_str()];
    let wanted = params.get(INTERVAL);
    if !are_built {
        return Some(format!(
            "{} reads bars of {wanted}: add bars to pipeline.stages, unless a feed brings them",
            one.name
        ));
    }
    let length = |text: &str| text.parse::<Interval>().ok();
    let built = settings.stages["bars"].get(bars::INTERVALS);
    let has = built.iter().any(|text| length(text) == length(wanted));
    let say = || {
        let built = built.join(",");
        format!("{} reads bars of {wanted}: add that to bars.intervals ({built}), unless a feed brings them", one.name)
    };
    (!has).then(say)
}
