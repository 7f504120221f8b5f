//! Named, pinned threads: where they run, the errors when they cannot start, and how a panic is returned.

use ring::thread::{Panicked, SpawnError, cores, spawn_pinned};

#[test]
fn a_pinned_thread_has_its_name_and_runs_on_its_core_alone() {
    for core in cores() {
        let worker = spawn_pinned("pinned", Some(core), || {
            let alone: Vec<usize> = core_affinity::get_core_ids().unwrap().into_iter().map(|core| core.id).collect();
            (std::thread::current().name().map(str::to_owned), alone)
        });
        let worker = worker.expect("a core that is listed can be used");
        assert_eq!((worker.name(), worker.core()), ("pinned", Some(core)));
        assert_eq!(worker.join(), Ok((Some("pinned".to_owned()), vec![core])));
    }
}

#[test]
fn all_cores_are_listed_and_usable_from_a_pinned_thread() {
    let all = cores();
    assert!(!all.is_empty() && all.is_sorted());
    let last = *all.last().unwrap();
    let inner = move || spawn_pinned("inner", Some(last), || ()).map(|worker| worker.join());
    let outer = spawn_pinned("outer", Some(all[0]), move || (cores(), inner().is_ok()));
    assert_eq!(outer.unwrap().join(), Ok((all, true)));
}

#[test]
fn a_core_that_does_not_exist_is_refused_with_those_that_do() {
    for absent in [cores().len() + 1000, 1 << 40] {
        let error = spawn_pinned("lost", Some(absent), || unreachable!("it must not start")).unwrap_err();
        let known = cores().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let expected = format!("thread `lost`: core {absent} is not available; available cores: {known}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_panic_is_a_value_with_the_thread_and_the_message() {
    let panics: [(fn(), &str); 3] = [
        (|| panic!("plain"), "plain"),
        (|| panic!("with {}", "arguments"), "with arguments"),
        (|| std::panic::panic_any(7), "(panic payload is not a string)"),
    ];
    for (panic, message) in panics {
        let worker = spawn_pinned("doomed", None, panic).unwrap();
        let panicked = Panicked { thread: "doomed".to_owned(), message: message.to_owned() };
        assert_eq!(panicked.to_string(), format!("thread `doomed` panicked: {message}"));
        assert_eq!(worker.join(), Err(panicked));
    }
}

#[test]
fn a_worker_reports_when_it_is_finished() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let worker = spawn_pinned("waiting", None, move || wait.recv().is_err()).unwrap();
    assert!(!worker.is_finished());
    drop(go);
    while !worker.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(worker.join(), Ok(true));
}

#[test]
fn a_name_with_a_zero_byte_is_refused() {
    let error = spawn_pinned("a\0b", None, || ()).unwrap_err();
    assert!(matches!(error, SpawnError::BadName { .. }), "{error}");
}
