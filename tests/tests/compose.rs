//! The files that start everything in containers fit together. No container runs here: what runs in them is tested elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use tidegate_tests::{root, run};

fn folder() -> PathBuf {
    root().join("tuning/compose")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn each_file_that_a_service_mounts_is_there() {
    let compose = text(&folder().join("compose.yaml"));
    let mounts: Vec<_> = compose.lines().filter_map(|line| line.trim().strip_prefix("- .")).collect();
    assert!(mounts.len() >= 6, "{mounts:?}");
    for mount in mounts {
        let (from, _) = mount.split_once(':').expect("what it is in the container");
        let from = folder().join(format!(".{from}"));
        assert!(from.exists(), "{} is not there", from.display());
    }
    let (_, file) = compose.split_once("dockerfile: ").expect("a file to build from");
    let containerfile = text(&root().join(file.lines().next().expect("a line")));
    let toolchain = text(&root().join("Cargo.toml"));
    let (_, rust) = toolchain.split_once("rust-version = \"").expect("a version of Rust");
    let rust = rust.split_once('"').expect("its end").0;
    assert!(containerfile.contains(&format!("FROM rust:{rust}-")), "the image is not that of Rust {rust}");
}

#[test]
fn the_engine_takes_its_configuration() {
    let config = folder().join("desk.toml");
    run(["graph".as_ref(), config.as_os_str()]).expect(0);
    let (config, compose) = (text(&config), text(&folder().join("compose.yaml")));
    let (_, journal) = config.split_once("dir = \"").expect("a journal");
    let journal = journal.split_once('"').expect("its end").0;
    assert_eq!(compose.matches(journal).count(), 2, "the sink and the check of health look at {journal}");
    assert!(config.contains("listen = \"0.0.0.0:9464\"") && compose.contains("127.0.0.1:9464:9464"));
}

#[test]
fn prometheus_scrapes_the_services_as_it_scrapes_a_host() {
    let [of_host, of_compose] = ["tuning/prometheus/prometheus.yml", "tuning/compose/prometheus.yml"]
        .map(|path| text(&root().join(path)).replace("127.0.0.1:9465", "sink:9465").replace("127.0.0.1", "engine"));
    let rules = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rules(&of_compose), rules(&of_host));
}
