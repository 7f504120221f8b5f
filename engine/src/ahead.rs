//! Touches memory ahead of use.
//!
//! Tables are reserved for their bounds and taken as they fill ([`flow::Reserve`]). A thread of its own looks at their marks
//! every `PAUSE` and has the kernel give the pages in front of them, so that no event waits for one. Bound: one look at each
//! reserve. Worst case: a table that fills faster than the thread gets to run takes its pages itself.

use crate::os::touch;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// The thread; it ends when this is dropped.
pub struct Ahead {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Ahead> {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let work = move || {
            while !seen.load(Ordering::Relaxed) {
                flow::touch_ahead(touch);
                std::thread::park_timeout(PAUSE);
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
