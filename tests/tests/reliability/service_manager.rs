//! What a service manager is told: ready after recovery, pings while the pipeline moves, stopping; and that nobody waits for it.

use rustix::process::Signal;
use sinks::journal::Home;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex, MutexGuard};
use tidegate_tests::rig::{Life, Service};

/// A manager: the socket that it listens on, and what it has been told, in order.
pub(crate) struct Manager {
    told: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    /// Listens, and tells the process of the service where, with a watchdog of so many milliseconds.
    pub(crate) fn of(service: Service, watchdog_ms: u64) -> (Manager, Service) {
        let (socket, service) = deaf(service, watchdog_ms);
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let to = Arc::clone(&told);
        std::thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(bytes) = socket.recv(&mut message) {
                to.lock().expect("nothing panics here").push(String::from_utf8_lossy(&message[..bytes]).into_owned());
            }
        });
        (Manager { told }, service)
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Vec<String>> {
        self.told.lock().expect("nothing panics here")
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.told().iter().filter(|told| told.lines().any(|one| one == line)).count()
    }

    /// Whether a status was told that begins like that.
    pub(crate) fn has_status(&self, begin: &str) -> bool {
        self.told().iter().any(|told| told.lines().any(|line| line.starts_with(&format!("STATUS={begin}"))))
    }
}

/// A socket, and the service that is told of it.
fn deaf(service: Service, watchdog_ms: u64) -> (UnixDatagram, Service) {
    let path = service.path("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let service = service.with_variable("NOTIFY_SOCKET", path.to_str());
    (socket, service.with_variable("WATCHDOG_USEC", Some(&(watchdog_ms * 1_000).to_string())))
}

/// The last input that the journal holds.
fn recorded(service: &Service) -> u64 {
    let home = Home::open(&service.journal());
    home.map_or(0, |home| home.current().reader().last_input_seq().expect("it can be read"))
}

/// The input that the status beside READY names.
fn ready_at(manager: &Manager) -> u64 {
    let told = manager.told();
    let ready = told.iter().find(|told| told.starts_with("READY=1\n")).expect("it was told");
    let status = ready.lines().find_map(|line| line.strip_prefix("STATUS=running, input ")).expect("with a status");
    status.parse().expect("a number")
}

fn until_ready(life: &mut Life, manager: &Manager) {
    life.until("READY", || manager.count("READY=1") > 0);
}

#[test]
fn ready_comes_after_recovery_pings_go_on_and_a_stop_is_told() {
    let service = Service::paper(4_000_000);
    let mut life = service.start("max");
    life.until("a record", || recorded(&service) > 200_000);
    life.kill();
    let before = recorded(&service);
    let (manager, service) = Manager::of(service, 2_000);
    let mut life = service.start("600x");
    until_ready(&mut life, &manager);
    assert!(ready_at(&manager) >= before, "the journal of {before} inputs was not repeated: {:?}", manager.told());
    assert!(manager.has_status("starting: "), "{:?}", manager.told());
    let pings = manager.count("WATCHDOG=1");
    life.until("pings", || manager.count("WATCHDOG=1") > pings + 3);
    assert_eq!(manager.count("STOPPING=1"), 0);
    life.signal(Signal::TERM);
    assert_eq!(life.end().code(), Some(0));
    assert_eq!((manager.count("READY=1"), manager.count("STOPPING=1")), (1, 1), "{:?}", manager.told());
}

#[test]
fn a_manager_that_takes_nothing_holds_up_neither_run_nor_stop() {
    let (_socket, service) = deaf(Service::paper(4_000_000), 20);
    let mut life = service.start("600x");
    life.until("inputs", || recorded(&service) > 20_000);
    let (status, took) = life.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(took < crate::AT_ONCE, "{took:?}");
}
