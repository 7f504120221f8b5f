//! How a command ends.

use super::screen::wrapped;
use crate::config::{Fault, Faults};
use crate::recovery::RecoveryError;
use crate::run::RunError;
use std::io;
use std::process::ExitCode;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Bad usage or configuration.
    Usage = 2,
    /// A check did not hold.
    Check = 3,
}

impl Exit {
    /// As the process returns it.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// A command that did not do what it was asked: what is said, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For standard error.
    pub message: String,
    /// The code.
    pub exit: Exit,
}

impl Failure {
    /// Something went wrong while it ran.
    pub(crate) fn failed(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), exit: Exit::Failed }
    }

    /// It was asked for something that cannot be.
    pub(crate) fn usage(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), exit: Exit::Usage }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        match error {
            RunError::Config(faults) => faults.into(),
            changed @ RunError::Recovery(RecoveryError::Changed(_)) => Failure::usage(changed),
            other => Failure::failed(other),
        }
    }
}

impl From<RecoveryError> for Failure {
    fn from(error: RecoveryError) -> Failure {
        RunError::from(error).into()
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Failure {
        let count = faults.0.len();
        let noun = if count == 1 { "fault" } else { "faults" };
        let pipelines: Vec<_> = faults.0.iter().map(|f| wrapped(&f.to_string(), "    ")).collect();
        Failure::usage(format!("{count} {noun} in the configuration\n{}", pipelines.join("\n")))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Faults(vec![fault]).into()
    }
}

/// Writing to standard output failed; a closed pipe is a request to stop, not a failure.
pub(crate) fn output(error: &io::Error) -> Result<Exit, Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        _ => Err(Failure::failed(format!("standard output cannot be written: {error}"))),
    }
}
