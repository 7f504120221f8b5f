//! An input while it is tested: polled as the ingress polls it, and what it says of itself.
//!
//! Bound: [`QUEUE`] inputs a poll, and each sentence that the feed says once.

use super::observed::Observed;
use crate::config::InputSettings;
use flow::{FeedError, Inputs, Polled, Selection, Source};
use std::time::{Duration, Instant};

/// Inputs that a poll may give.
const QUEUE: usize = 1 << 10;

/// How an input ended.
pub(super) enum Ended {
    Whole,
    Failed(FeedError),
}

/// An input that is tested.
pub(super) struct Tested {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) is_live: bool,
    pub(super) source: Box<dyn Source>,
    queue: Inputs,
    pub(super) observed: Observed,
    /// How it ended, and how long that took; of one that goes on, how long it was watched.
    pub(super) ended: Option<Ended>,
    pub(super) took: Duration,
    /// What the feed has said, and how often.
    pub(super) said: Vec<(String, u64)>,
}

impl Tested {
    /// An input that was opened: what is watched of it, and how many messages are to be shown.
    pub(super) fn new(input: &InputSettings, open: (String, Box<dyn Source>), to_show: usize) -> Tested {
        let (name, mut source) = open;
        source.watch(&Selection { symbols: input.watch.clone(), shard: None });
        let is_live = source.is_live();
        let observed = Observed::new(is_live, input.watch.clone(), to_show);
        let (key, queue) = (input.key.clone(), Inputs::with_capacity(QUEUE));
        let (ended, took, said) = (None, Duration::ZERO, Vec::new());
        Tested { key, name, is_live, source, queue, observed, ended, took, said }
    }

    /// Polls once; the lines of what is to be shown.
    pub(super) fn turn(&mut self, began: Instant, has_come: &mut bool) -> Vec<String> {
        if self.ended.is_some() {
            return Vec::new();
        }
        let polled = self.source.poll(&mut self.queue);
        self.took = began.elapsed();
        let mut lines = self.notices();
        while let Some((event, _)) = self.queue.front() {
            *has_come = true;
            lines.extend(self.observed.take(event, self.took));
            self.queue.pop();
        }
        match polled {
            Ok(Polled::Ready) => *has_come = true,
            Ok(Polled::Idle(_)) => {}
            Ok(Polled::Anew) => {
                *has_come = true;
                self.observed.begin_anew();
            }
            Ok(Polled::Ended) => self.ended = Some(Ended::Whole),
            Err(error) => self.ended = Some(Ended::Failed(error)),
        }
        lines
    }

    /// What the feed says of itself; once each.
    fn notices(&mut self) -> Vec<String> {
        let Some(notices) = self.source.notices() else { return Vec::new() };
        let mut lines = Vec::new();
        while let Some(said) = notices.take() {
            match self.said.iter().position(|(known, _)| *known == said) {
                // The last one says how it stands.
                Some(at) => {
                    let (said, count) = self.said.remove(at);
                    self.said.push((said, count + 1));
                }
                None => {
                    lines.push(format!("  {said}"));
                    self.said.push((said, 1));
                }
            }
        }
        lines
    }
}
