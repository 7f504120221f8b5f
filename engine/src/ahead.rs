//! Touches memory ahead of use.
//!
//! Tables are reserved for their bounds and taken as they fill ([`flow::Reserve`]). A thread of its own looks at their marks
//! every `PAUSE` and has the kernel give the pages in front of them, so that no event waits for one. A pipeline that sleeps
//! has chosen an idle core over microseconds: there it looks less often (`ASLEEP`). Bound: one look at each reserve. Worst
//! case: a table that fills faster than the thread gets to run takes its pages itself.

use crate::os::touch;
use ring::Idle;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// The same beside groups that sleep while there is nothing to do.
const ASLEEP: Duration = Duration::from_millis(20);

/// The thread; it ends when this is dropped.
pub struct Ahead {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread, for groups that wait in that way.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(idle: Idle) -> io::Result<Ahead> {
        let pause = if idle == Idle::Park { ASLEEP } else { PAUSE };
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let work = move || {
            while !seen.load(Ordering::Relaxed) {
                flow::touch_ahead(touch);
                std::thread::park_timeout(pause);
            }
        };
        Ok(Ahead { ended, thread: Some(Builder::new().name("ahead".to_owned()).spawn(work)?) })
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does nothing that panics.
            let _ = thread.join();
        }
    }
}
