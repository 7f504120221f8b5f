//! What can be known about a run without starting it.
//!
//! `validate`, `run`, `replay` and `demo` decide here, so what one of them accepts the others start: the text of the
//! configuration, the plan, the inputs (each is found, opened and recognised by its first bytes), the venue, the
//! journal's folder, and the memory that all of it takes. Every fault comes at once, each with its key. Bound: reads the
//! start of every input, and files of definitions beside the data that they define; allocates no tables and starts no
//! thread.

use super::error::RunError;
use crate::assembly::{Need, Proof};
use crate::config::keys::{self, ClockKind};
use crate::config::{Draft, Fault, Faults, InputSettings, Settings};
use crate::plan::Plan;
use crate::recovery::{RollTime, begun};
use feeds::{Input, Request};
use flow::{Gateway, Kinds, ParamType, SecretPlace, Source};
use secret::Secret;
use sinks::journal::{Home, ROLL, check_place};

/// Open sources, each with its name.
pub type Sources = Vec<(String, Box<dyn Source>)>;

/// The most inputs: their numbers stand below those of gateways.
const MOST_INPUTS: usize = Gateway::LEAST_SOURCE as usize - 1;

/// A run that can start.
pub struct Preflight {
    /// Its plan, whose stages are without tables.
    pub plan: Plan,
    /// The memory that it takes.
    pub need: Need,
    inputs: Vec<Input>,
}

impl Preflight {
    /// Looks at everything that the settings name.
    ///
    /// # Errors
    /// All faults.
    pub fn of(settings: &Settings) -> Result<Preflight, Faults> {
        let (inputs, mut faults) = found(settings, 0);
        faults.extend(journal_fault(settings));
        faults.extend(secret_faults(settings));
        faults.extend(settings.metrics_address().err());
        let mut faults = settings.placed(faults).0;
        match Proof::of(settings, settings.instrument_bound(), Kinds::NONE) {
            Ok(Proof { plan, mut need }) if faults.is_empty() => {
                need.inputs = inputs.iter().map(Input::memory).sum();
                Ok(Preflight { plan, need, inputs })
            }
            proof => {
                faults.extend(proof.err().into_iter().flat_map(|f| f.0));
                faults.sort_by(|a, b| a.place.cmp(&b.place));
                Err(Faults(faults))
            }
        }
    }

    /// Opens the inputs from that one on, counted from 0, each with its name.
    ///
    /// # Errors
    /// All their faults; or the system cannot give their memory.
    pub(super) fn added(settings: &Settings, from: usize) -> Result<Sources, RunError> {
        let (inputs, faults) = found(settings, from);
        if !faults.is_empty() {
            return Err(settings.placed(faults).into());
        }
        let memory = inputs.iter().map(Input::memory).sum();
        Need { inputs: memory, ..Need::default() }.fits()?;
        Ok(started(inputs))
    }

    /// Looks at a draft: its own faults come with the others.
    ///
    /// # Errors
    /// All faults.
    pub fn of_draft(draft: Draft) -> Result<(Settings, Preflight), Faults> {
        let looked_at = draft.readable().then(|| Preflight::of(&draft.settings));
        match (draft.faults.is_empty(), looked_at) {
            (true, Some(looked_at)) => Ok((draft.settings, looked_at?)),
            (_, looked_at) => {
                let more = looked_at.and_then(Result::err).into_iter().flat_map(|f| f.0);
                // An input that could not be read is no missing input.
                let unread = draft.faults.iter().any(|f| f.key.starts_with("input"));
                let more: Vec<_> = more.filter(|f| !(unread && f.key == "input")).collect();
                let mut faults: Vec<_> = draft.faults.into_iter().chain(more).collect();
                faults.sort_by(|a, b| a.place.cmp(&b.place));
                Err(Faults(faults))
            }
        }
    }

    /// Opens the inputs of a draft alone, without a plan, a journal or a venue, in the order of the configuration.
    ///
    /// # Errors
    /// All faults that keep them from a run.
    pub fn inputs_of_draft(draft: Draft) -> Result<(Settings, Sources), Faults> {
        let settings = draft.finish()?;
        let (inputs, mut faults) = found(&settings, 0);
        faults.extend(secret_faults(&settings).into_iter().filter(|fault| fault.key.starts_with("input")));
        if faults.is_empty() { Ok((settings, started(inputs))) } else { Err(settings.placed(faults)) }
    }

    /// Opens the inputs, each with its name.
    ///
    /// # Errors
    /// When the system cannot give the memory that the run takes.
    pub(super) fn start(self) -> Result<Sources, RunError> {
        self.need.fits()?;
        Ok(started(self.inputs))
    }
}

fn started(inputs: Vec<Input>) -> Sources {
    inputs.into_iter().map(|input| (input.name(), input.start())).collect()
}

/// The inputs from that one on that were found, and the faults of the others. Those that the journal was started with may define
/// each other's instruments; one that was added later stands alone, as it did when it was added.
fn found(settings: &Settings, from: usize) -> (Vec<Input>, Vec<Fault>) {
    let count = settings.inputs.len();
    if count == 0 || count > MOST_INPUTS {
        let valid = format!("1 to {MOST_INPUTS}: name files with --input, or write [[input]]");
        let found = if count == 0 { "no input".to_owned() } else { format!("{count} inputs") };
        return (Vec::new(), vec![Fault::of_settings("input", &found, &valid)]);
    }
    let (mut inputs, mut faults) = (Vec::new(), Vec::from_iter(clock_fault(settings)));
    let request = |input: &InputSettings| {
        let request = Request { paths: input.files.clone(), date: input.date, params: input.params.clone() };
        (input.feed, request)
    };
    let begun = begun(settings).unwrap_or(count).max(from);
    let together = std::iter::once(from..begun).chain((begun..count).map(|alone| alone..alone + 1));
    for some in together.map(|some| &settings.inputs[some]) {
        let requests: Vec<_> = some.iter().map(request).collect();
        for (input, found) in some.iter().zip(feeds::found(&requests, settings.registries.feeds())) {
            match found {
                Ok(opened) => inputs.push(opened),
                Err(e) => {
                    let part = if input.files.is_empty() { "" } else { ".files" };
                    faults.push(Fault::of_settings(&format!("{}{part}", input.key), &e.what, &e.next));
                }
            }
        }
    }
    (inputs, faults)
}

/// Under the event clock the merge waits until each source has shown its next input, and a live one may have none for hours.
fn clock_fault(settings: &Settings) -> Option<Fault> {
    let live = settings.inputs.iter().find(|input| input.feed.is_live())?;
    let is_wall = settings.pipeline.get(keys::CLOCK) == ClockKind::Wall;
    let valid = format!("valid with the live feed {}: wall", live.feed.name);
    (!is_wall).then(|| Fault::of_settings("pipeline.clock", "event", &valid))
}

/// A journal needs a folder of its own, or a place where one can be made.
fn journal_fault(settings: &Settings) -> Option<Fault> {
    let dir = settings.journal_dir.as_ref()?;
    if let Some(file) = dir.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir()) {
        let found = format!("{} is no folder", file.display());
        return Some(Fault::of_settings("journal.dir", &found, "valid: the path of a folder"));
    }
    let roll = settings.sinks["journal"].get(ROLL);
    if RollTime::parse(roll).is_none() {
        return Some(Fault::of_settings("journal.roll", roll, RollTime::VALID));
    }
    let error = check_place(dir).err().filter(|_| !Home::exists(dir))?;
    let valid = "valid: the path of a journal, or of a folder that is empty or not there yet";
    Some(Fault::of_settings("journal.dir", &error.to_string(), valid))
}

/// A secret is read when it is used, but what cannot be read at the start is a fault. Nothing else here reads it, so a
/// recorded run is replayed without it.
fn secret_faults(settings: &Settings) -> Vec<Fault> {
    let routing = settings.order_routing().map(|routing| routing.gateways).unwrap_or_default();
    let of_venues = routing.iter().flat_map(|gateway| {
        settings.venues[&gateway.name].iter().map(move |set| (gateway.name.as_str(), gateway.entry.params, set))
    });
    let of_inputs = settings
        .inputs
        .iter()
        .flat_map(|input| input.params.iter().map(move |set| (input.key.as_str(), input.feed.params, set)));
    let unread = of_venues.chain(of_inputs).filter_map(|(section, params, (name, value))| {
        let param = params.iter().find(|p| p.name == name && matches!(p.ty, ParamType::Secret))?;
        let place = SecretPlace::parse(&value.to_string())?;
        let error = Secret::read(&place).err()?;
        let key = format!("{section}.{}", param.name);
        Some(Fault::of_settings(&key, &place.to_string(), &format!("{error}; set it, or name another place")))
    });
    unread.collect()
}
