//! What takes longer than the control thread may: reading the configuration again, and asking a venue for a symbol.
//!
//! Each is a thread of its own, which rings when it is done; its client waits, and no other. Bound: a thread a client. Worst case: it
//! takes longer than its client may wait; then that is the answer, and what it opened is closed.

use super::client::{Client, LOADING, Loaded, Loading, State};
use super::message::{ControlReply, ControlRequest};
use super::reloading::{Steps, answered};
use super::server::Dispatcher;
use super::watching::{WatchAction, Watcher};
use crate::ingress::wall_now;
use crate::run::Reloader;
use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};

impl Dispatcher {
    /// Reads the configuration again on a thread of its own, since opening files takes time.
    pub(super) fn reloading(&self, asked: ControlRequest, uid: u32) -> Result<Loading, String> {
        let by = asked.asker(uid, wall_now()).map_err(|e| e.to_string())?;
        let (reloader, control) = (self.reloader()?, self.control.clone());
        let why = format!("nothing was opened within {} s, or the run has ended", LOADING.as_secs());
        // If nobody waits any more, what was opened is closed and nothing has happened.
        self.beside("reload", ControlReply::NotCarriedOut { why }, move || {
            let asker = (asked.actor.as_str(), by);
            let reload = |answer| reloader.reload(asked.file.as_deref(), asker, &answer, &control.feeds);
            match answered(&control).and_then(reload) {
                Ok(reloaded) => Loaded::Opened(Box::new(Steps::new(asked.actor.clone(), reloaded))),
                Err(why) => Loaded::Done(ControlReply::Refused { why }),
            }
        })
    }

    /// Changes what is watched of an input on a thread of its own, since a venue takes its time.
    pub(super) fn watching(&self, action: WatchAction, asked: ControlRequest, uid: u32) -> Result<Loading, String> {
        let by = asked.asker(uid, wall_now()).map_err(|e| e.to_string())?;
        let (reloader, intake, control) = (self.reloader()?, Arc::clone(&self.intake), self.control.clone());
        let late = ControlReply::NotKnown { why: "the run has ended, or the venue has not answered".to_owned() };
        let watcher = Watcher { reloader, intake, control };
        self.beside("watch", late, move || Loaded::Done(watcher.carry_out(action, &asked, by)))
    }

    fn reloader(&self) -> Result<Arc<Reloader>, String> {
        self.pipeline.reloader.clone().ok_or_else(|| "this run was started without a configuration file".to_owned())
    }

    /// Does this on a thread of that name; `late` is the answer if it takes too long.
    fn beside(
        &self,
        name: &str,
        late: ControlReply,
        work: impl FnOnce() -> Loaded + Send + 'static,
    ) -> Result<Loading, String> {
        let ((sender, from), bell) = (channel(), Arc::clone(&self.bell));
        let work = move || {
            // Nobody may wait any more.
            let _ = sender.send(work());
            bell.ring();
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        thread.map(|_| Loading { from, late }).map_err(|e| format!("its thread does not start: {e}"))
    }

    /// Hands over what was opened, or answers why nothing was.
    pub(super) fn settle_loading(&self, client: &mut Client, is_due: bool) {
        let State::Loading(loading) = &client.state else { return };
        match loading.from.try_recv() {
            Ok(Loaded::Opened(steps)) => self.step(client, steps, None),
            Ok(Loaded::Done(reply)) => client.answer(&reply),
            Err(TryRecvError::Empty) if !is_due => {}
            Err(TryRecvError::Empty) => {
                let late = loading.late.clone();
                client.answer(&late);
            }
            Err(TryRecvError::Disconnected) => {
                client.answer(&ControlReply::NotKnown { why: "its thread panicked".to_owned() });
            }
        }
    }
}
