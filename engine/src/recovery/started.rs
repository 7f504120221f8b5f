//! The configuration with which a journal was started, of one that has what commands have made of it since.
//!
//! An operator who sets a limit or a parameter while the engine runs writes it into the file as well, or leaves the file as it
//! is. Both are the run as it was: the recorded configuration and its commands. So where the file has the value in force at the
//! end of the journal, the run starts with the recorded one, and its commands set the other again. Bound: the inputs of
//! the journal are read only if a key differs; worst case once.

use super::changed::difference;
use super::definitions::Definitions;
use super::error::RecoveryError;
use super::limits::Limits;
use super::parameters::Parameters;
use super::past::Past;
use crate::build_id::build_id;
use crate::config::Settings;
use flow::Event;
use sinks::journal::Home;

/// The settings with which the run that they name was started, if it has a journal and they differ only in what commands have
/// set; otherwise the settings as they are.
///
/// # Errors
/// When a value is neither the one that the journal was started with nor the one in force at its end, or the journal cannot
/// be read.
pub fn as_started(mut settings: Settings) -> Result<Settings, RecoveryError> {
    let Some(dir) = settings.journal_dir.as_ref().filter(|dir| Home::exists(dir)) else { return Ok(settings) };
    let home = Home::open(dir)?;
    let info = &home.current().info;
    if info.build_id != build_id() || difference(&info.config_text, &settings).is_none() {
        return Ok(settings);
    }
    let (mut limits, mut params) = (Limits::of(&info.config_text), Parameters::of(&info.config_text));
    let mut definitions = Definitions::default();
    let mut take = |input: &Event| {
        limits.input(input);
        params.input(input);
        definitions.take(input);
    };
    let past = Past::of(home.journals())?;
    past.inputs.iter().for_each(&mut take);
    // A log that a kill has damaged is refused later, or goes on where it can be read to.
    past.journals.iter().for_each(|member| member.reader().inputs().map_while(Result::ok).for_each(|i| take(&i)));
    limits.restore(&mut settings)?;
    params.restore(&mut settings, &definitions.listings())?;
    Ok(settings)
}
