//! `tidegate questdb up`: what it starts, what it says, and how it ends.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tidegate_tests::{Case, Outcome, QuestDb, run, tidegate};

const TABLE: &str = "create table fills (ts timestamp_ns, sym symbol, seq long) timestamp(ts) partition by day wal \
                     dedup upsert keys(ts, sym, seq)";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("a_server_takes_only_what_fits_and_a_second_start_finds_it", &[], |_| serves()).with_questdb(),
        Case::new("a_stop_is_clean_and_the_next_start_has_the_rows", &[], |_| stops()).with_questdb(),
        Case::new("settings_of_the_user_stay_and_the_addresses_are_ours", &[], |_| settings()).with_questdb(),
        Case::new("a_kill_of_the_server_is_told_and_takes_no_row", &[], |_| dies()).with_questdb(),
        Case::new("a_kill_of_the_command_stops_the_server", &[], |_| killed()).with_questdb(),
        Case::new("a_jar_that_is_none_shows_its_log", &[], |_| bad_jar()).with_questdb(),
        Case::new("a_missing_jar_says_which", &[], |_| no_jar()).with_questdb(),
        Case::new("a_port_of_another_program_is_named", &[], |_| taken()),
        Case::new("without_java_it_says_what_to_install", &[], |_| no_java()),
    ]
}

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// `questdb up` on free ports, which is to fail.
fn up(dir: &Path, change: impl FnOnce(&mut Command)) -> Outcome {
    let mut command = Command::new(tidegate());
    command.args(["questdb", "up", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--health", "127.0.0.1:0"]);
    command.arg("--dir").arg(dir).stdin(Stdio::null());
    change(&mut command);
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[track_caller]
fn says(outcome: Outcome, parts: &[&str]) {
    let outcome = outcome.expect(1);
    let missing = parts.iter().find(|part| !outcome.stderr.contains(**part));
    assert_eq!(missing, None, "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
}

fn serves() {
    let folder = scratch();
    let server = QuestDb::start(&folder.path().join("data"));
    assert_eq!(server.version, "9.3.4");
    assert_eq!(server.query("select 1"), Ok(vec![vec![1.into()]]));
    let wrong = server.query("selct 1").expect_err("it is no statement");
    assert!(wrong.contains("selct"), "{wrong}");
    let unknown = server.write("fills,sym=a seq=1i 1700000000000000000\n").expect_err("there is no such table");
    assert!(unknown.contains("creating new tables is disabled"), "{unknown}");
    server.query(TABLE).expect("it can be made");
    server.write("fills,sym=a seq=1i 1700000000000000000\n").expect("it fits");
    let wide = server.write("fills,sym=a seq=2i,px=3i 1700000000000000001\n").expect_err("there is no such column");
    assert!(wide.contains("creating new columns is disabled"), "{wide}");
    server.wait_applied("fills").expect("it is applied");
    assert_eq!(server.query("select seq from fills"), Ok(vec![vec![1.into()]]));
    let tcp = "select value from (show parameters) where property_path = 'line.tcp.enabled'";
    assert_eq!(server.query(tcp), Ok(vec![vec!["false".into()]]));

    let again = run(["questdb", "up", "--http", &server.http, "--json"]).expect(0);
    assert!(again.stderr.contains("QuestDB 9.3.4 is already up at"), "{}", again.stderr);
    let known = format!("{{\"version\":\"9.3.4\",\"http\":\"{}\",\"pg\":null", server.http);
    assert!(again.stdout.starts_with(&known), "{}", again.stdout);
    assert!(!Path::new("questdb").exists(), "nothing is made for a server that is up");
}

fn stops() {
    let folder = scratch();
    let mut server = QuestDb::start(folder.path());
    server.query(TABLE).expect("it can be made");
    server.write("fills,sym=a seq=1i 1700000000000000000\n").expect("it fits");
    assert_eq!(server.terminate().code(), Some(0));
    assert!(!server.runs());
    let said = server.said();
    for part in ["QuestDB 9.3.4 is up", &server.http, "feed it", "stop it", "stopping the server\nstopped\n"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    server.restart();
    server.wait_applied("fills").expect("it is applied");
    assert_eq!(server.query("select seq from fills"), Ok(vec![vec![1.into()]]));
}

/// The settings name addresses that are taken, under both names that the server knows, and a password.
fn settings() {
    let folder = scratch();
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("it listens");
    let names = ["http.net.bind.to", "http.bind.to", "pg.net.bind.to", "http.min.net.bind.to", "http.min.bind.to"];
    let written = names.iter().map(|name| format!("{name}={taken}\n")).collect::<String>()
        + "http.user=me\nhttp.password=mine\nline.tcp.enabled=false\n";
    let conf = folder.path().join("conf");
    fs::create_dir(&conf).expect("a folder");
    fs::write(conf.join("server.conf"), &written).expect("it can be written");
    let server = QuestDb::start(folder.path());
    let refused = server.query("select 1").expect_err("it wants a password");
    assert!(refused.contains("nauthorized"), "{refused}");
    assert_eq!(fs::read_to_string(conf.join("server.conf")).expect("it is there"), written);
}

fn dies() {
    let folder = scratch();
    let mut server = QuestDb::start(folder.path());
    server.query(TABLE).expect("it can be made");
    server.write("fills,sym=a seq=1i 1700000000000000000\n").expect("it fits");
    assert_eq!(server.kill().code(), Some(1));
    let said = server.said();
    let parts = ["the server ended by itself (signal: 9", "the last lines of its log", "listening on", "questdb.log"];
    let missing = parts.iter().find(|part| !said.contains(**part));
    assert_eq!(missing, None, "{said}");
    server.restart();
    server.wait_applied("fills").expect("it is applied");
    assert_eq!(server.query("select seq from fills"), Ok(vec![vec![1.into()]]), "it was acknowledged");
}

fn killed() {
    let folder = scratch();
    let mut server = QuestDb::start(folder.path());
    assert!(server.runs());
    server.kill_command();
    let began = Instant::now();
    while server.runs() {
        assert!(began.elapsed() < Duration::from_secs(30), "the server stays");
        sleep(Duration::from_millis(20));
    }
    let log = fs::read_to_string(folder.path().join("questdb.log")).expect("it is there");
    assert!(log.contains("QuestDB is shutdown."), "it was stopped in order: {log}");
}

fn bad_jar() {
    let folder = scratch();
    let jar = folder.path().join("none.jar");
    fs::write(&jar, "no jar").expect("it can be written");
    let data = folder.path().join("data");
    let outcome = up(&data, |command| {
        command.arg("--jar").arg(&jar);
    });
    says(outcome, &["the server ended before it answered", "the last lines of its log", "none.jar"]);
}

fn no_jar() {
    let folder = scratch();
    let data = folder.path().join("data");
    let outcome = up(&data, |command| {
        command.args(["--jar", "/no/such.jar"]);
    });
    says(outcome, &["--jar /no/such.jar: there is no such file; get org.questdb:questdb:9.3.4 from Maven Central"]);
    assert!(!data.exists(), "nothing is made before everything is there");
}

fn taken() {
    let folder = scratch();
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("it listens").to_string();
    for option in ["--pg", "--health"] {
        let mut command = Command::new(tidegate());
        let command = command.args(["questdb", "up", "--http", "127.0.0.1:0", option, &address]);
        let output = command.arg("--dir").arg(folder.path().join("data")).output().expect("it starts");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{said}");
        let wanted = format!("{option} {address}: another program listens there");
        assert!(said.contains(&wanted) && said.contains("with a free port"), "{said}");
    }
}

fn no_java() {
    let folder = scratch();
    let outcome = up(&folder.path().join("data"), |command| {
        command.env("PATH", folder.path()).env_remove("JAVA_HOME");
    });
    says(outcome, &["there is no java on the PATH; QuestDB needs Java 17 or newer: install one"]);
    let outcome = up(&folder.path().join("data"), |command| {
        command.env("JAVA_HOME", folder.path());
    });
    says(outcome, &["JAVA_HOME is ", "where there is no bin/java; correct or unset it"]);
}
