//! What can be known without running is a fault of the configuration, at `validate` and at every command that runs.

use std::process::{Command, Stdio};
use tidegate_tests::rig::Service;
use tidegate_tests::{run, tidegate};

/// `validate` and `replay` of a configuration.
#[track_caller]
fn both_refuse(config: &str) {
    let service = Service::new(config);
    let path = service.config();
    for command in ["validate", "replay"] {
        let outcome = run([command.as_ref(), path.as_os_str()]);
        assert_eq!(outcome.code, Some(2), "{command} of {config:?}: {outcome:?}");
    }
}

#[test]
fn what_cannot_start_is_not_valid() {
    let other = Service::new("# Not what is asked for.\n[pipeline]\n");
    let (file, folder) = (other.config(), other.path("."));
    let (file, folder) = (file.display(), folder.display());
    let latency = "[pipeline]\nstages = [\"book\", \"random\", \"orders\", \"risk\", \"router\"]\n[sim]\nlatency = \"recorded\"\n";
    let day = "[[input]]\nfeed = \"synthetic\"\nmessages = 20000\n";
    both_refuse("[[input]]\nfeed = \"synthetic\"\nmessages = 100\n");
    both_refuse("[[input]]\nfeed = \"itch\"\nfiles = []\n");
    both_refuse("[[input]]\nfeed = \"itch\"\nfiles = [\"no-such-file\"]\ndate = \"2020-01-30\"\n");
    both_refuse(&format!("[[input]]\nfeed = \"itch\"\nfiles = [\"{folder}\"]\ndate = \"2020-01-30\"\n"));
    both_refuse(&format!("{latency}latency_file = \"{file}\"\n{day}"));
    both_refuse(&format!("{latency}latency_file = \"no-such-file\"\n{day}"));
    both_refuse(&format!("[pipeline]\ncores = [4096]\n{day}"));
}

/// Every table at its largest.
const LARGE: &str = "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"imbalance\", \"vpin\", \"momentum\", \"random\", \"orders\", \"risk\", \
    \"router\"]\nring_capacity = 16777216\nmax_returns = 4194304\nmax_fills = 4194304\nmax_positions = 1048576\npreset = \"split\"\n\
    [book]\nmax_orders = 16777216\nmax_levels = 16777216\n\
    [orders]\nmax_orders = 1048576\nmax_in_flight = 1048576\n\
    [[input]]\nfeed = \"synthetic\"\nmessages = 20000\nsymbols = 4\n";

/// A command under a limit of memory, in KiB.
fn limited(kib: u64, command: &str, service: &Service) -> (Option<i32>, String) {
    let script = format!("ulimit -v {kib}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(tidegate()).arg(command).arg(service.config());
    let output = shell.stdin(Stdio::null()).output().expect("a shell");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn validating_needs_no_memory_and_a_run_says_how_much_it_needs() {
    let service = Service::new(LARGE);
    let (code, said) = limited(1_000_000, "validate", &service);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = limited(3_000_000, "replay", &service);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("memory")
            && (said.contains("MB") || said.contains("GB") || said.contains("MiB") || said.contains("GiB")),
        "{said}"
    );
}
