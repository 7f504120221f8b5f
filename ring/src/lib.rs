//! How events cross cores: bounded single-producer single-consumer rings and pinned, named threads.
//!
//! **Idea.** A cut between two groups is one ring: one thread publishes, one thread takes, in order, nothing lost and
//! nothing twice. Two rings stand behind one interface, so that the same tests and the same bench judge both: our own
//! [phase ring](Kind::Phase), where the whole event and the mark that publishes it cross in a single cache line, and
//! the crate [`disruptor`](Kind::Disruptor). Neither knows what it carries: a value is any 64-byte [`Slot`].
//!
//! ```
//! # use ring::{channel, Kind, Refused, Slot, Taken};
//! #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
//! #[repr(C, align(64))]
//! struct Event([u64; 8]);
//! impl Slot for Event {}
//!
//! let (mut producer, mut consumer) = channel::<Event>(Kind::Phase, 2)?;
//! assert_eq!(producer.try_publish(&Event([1; 8])), Ok(()));
//! assert_eq!(producer.try_publish(&Event([2; 8])), Ok(()));
//! assert_eq!(producer.try_publish(&Event([3; 8])), Err(Refused::Full));
//! drop(producer);
//! assert_eq!(consumer.take(64, |event| assert!(event.0[0] < 3)), Taken::Events(2));
//! assert_eq!(consumer.take(64, |_| ()), Taken::Closed);
//! # Ok::<(), ring::RingError>(())
//! ```
//!
//! **Bounds.** A ring holds exactly its capacity; a call publishes or takes at most what it was asked to and then
//! returns: nothing in this crate waits. Waiting is the caller's, with an [`Idle`] policy.
//!
//! **Worst case.** A full ring refuses ([`Refused::Full`]) until the consumer has given room back, which it does at
//! the end of every take and after every eighth of the capacity inside one. An end that is gone is told to the other
//! end apart from full and empty: [`Refused::Disconnected`], [`Taken::Closed`].

mod counters;
mod disruptor;
mod ends;
mod idle;
mod kind;
mod life;
#[cfg(all(test, loom))]
mod model;
mod phase;
mod slot;
mod sync;
pub mod thread;

pub use counters::{ConsumerCounts, Counters, ProducerCounts};
pub use ends::{Consumer, Producer, Refused, Taken, channel};
pub use idle::Idle;
pub use kind::{Kind, MAX_CAPACITY, RingError, UnknownName};
pub use slot::{MARK, Slot};
