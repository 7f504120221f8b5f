//! How a command ends: its exit code, and the message of a failure.

use super::screen::wrapped;
use crate::config::{Fault, Faults};
use crate::recovery::RecoveryError;
use crate::run::RunError;
use std::io;
use std::process::ExitCode;

/// The documented exit codes, part of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Bad usage or configuration.
    Usage = 2,
    /// A verification failed.
    Check = 3,
}

impl Exit {
    /// The code for the operating system.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// A command that failed: the message and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Message for standard error.
    pub message: String,
    /// Exit code.
    pub exit: Exit,
}

impl Failure {
    /// The command failed while it ran.
    pub(crate) fn failed(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), exit: Exit::Failed }
    }

    /// The arguments or the configuration are not valid.
    pub(crate) fn usage(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), exit: Exit::Usage }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        match error {
            RunError::Config(faults) => faults.into(),
            RunError::NotReady(why) => Failure::usage(why),
            other @ RunError::Recovery(RecoveryError::Changed(_) | RecoveryError::Ended(_)) => Failure::usage(other),
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
        let lines: Vec<_> = faults.0.iter().map(|f| wrapped(&f.to_string(), "    ")).collect();
        Failure::usage(format!("{count} {noun} in the configuration\n{}", lines.join("\n")))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Faults(vec![fault]).into()
    }
}

/// The end of a command that has written its result to standard output. A closed pipe means that nobody wants it: the
/// command ends with `exit` all the same.
pub(crate) fn output(written: io::Result<()>, exit: Exit) -> Result<Exit, Failure> {
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe && exit == Exit::Done => {
            Err(Failure::failed(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(exit),
    }
}
