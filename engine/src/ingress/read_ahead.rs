//! Reads recorded inputs ahead on a thread of its own, so that the head neither reads files nor checks records.
//!
//! Bound: [`DEPTH`] blocks of [`BLOCK`] inputs, whose memory goes round. Worst case: a head that is faster than the reader waits
//! for it.

use super::IngressError;
use flow::Event;
use sinks::journal::HomeLog;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Inputs of a block.
const BLOCK: usize = 1024;
/// Blocks that may wait.
const DEPTH: usize = 8;

/// A block of inputs, or why there is none.
type Block = Result<Vec<Event>, String>;

/// Recorded inputs, block by block.
pub struct ReadAhead {
    blocks: Receiver<Block>,
    used: Sender<Vec<Event>>,
}

impl ReadAhead {
    /// Reads `inputs` up to and including the input `through`.
    ///
    /// # Errors
    /// When the thread does not start.
    pub fn start(inputs: HomeLog, through: u64) -> io::Result<ReadAhead> {
        let (to, blocks) = sync_channel(DEPTH);
        let (used, free) = channel();
        std::thread::Builder::new().name("recorded".to_owned()).spawn(move || read(inputs, through, &to, &free))?;
        Ok(ReadAhead { blocks, used })
    }

    /// Takes the next block in place of one that is used up; an empty one is the end.
    pub(super) fn next(&mut self, used: Vec<Event>) -> Result<Vec<Event>, IngressError> {
        // Once everything is read nobody takes it back.
        let _ = self.used.send(used);
        // A reader that is gone has read everything.
        self.blocks.recv().unwrap_or(Ok(Vec::new())).map_err(IngressError::Recorded)
    }
}

fn read(mut inputs: HomeLog, through: u64, to: &SyncSender<Block>, free: &Receiver<Vec<Event>>) {
    loop {
        let mut block = free.try_recv().unwrap_or_default();
        block.clear();
        block.reserve(BLOCK);
        let mut is_over = false;
        while block.len() < BLOCK && !is_over {
            match inputs.next().transpose() {
                Ok(Some(event)) if event.id.seq() <= through => block.push(event),
                Ok(_) => is_over = true,
                Err(error) => {
                    // A head that is gone needs no reason.
                    let _ = to.send(Err(error.to_string()));
                    return;
                }
            }
        }
        if block.is_empty() || to.send(Ok(block)).is_err() || is_over {
            return;
        }
    }
}
