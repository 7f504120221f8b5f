//! How events cross cores: bounded single-producer single-consumer rings and pinned, named threads.
//!
//! **Idea.** A cut between two groups is one ring: one thread publishes, one thread consumes, in order, without loss or
//! duplication. Two implementations share one interface, so the same tests and benchmarks cover both: the [phase
//! ring](Kind::Phase), where an event and its publication mark travel in a single cache line, and the
//! [`disruptor`](Kind::Disruptor) crate. Rings do not interpret what they carry: a value is any 64-byte [`Slot`].
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
//! **Bounds.** A ring holds exactly its capacity. No call publishes or takes more than it was asked to, and no call
//! waits: waiting is up to the caller, with an [`Idle`] policy.
//!
//! **Worst case.** A full ring returns [`Refused::Full`] until the consumer frees slots, which it does at the end of
//! every take and after every eighth of the capacity within one. A dropped end is reported separately from full and
//! empty: [`Refused::Disconnected`], [`Taken::Closed`].

#![deny(unsafe_code)]

mod channel;
mod consumer;
mod counters;
mod disruptor;
mod idle;
mod kind;
mod liveness;
#[cfg(all(test, loom))]
mod model;
pub mod pauses;
#[allow(unsafe_code)]
mod phase;
mod producer;
mod slot;
mod sync;
pub mod thread;

pub use channel::channel;
pub use consumer::{Consumer, Taken};
pub use counters::{ConsumerCounts, Counters, ProducerCounts};
pub use idle::Idle;
pub use kind::{Kind, MAX_CAPACITY, RingError, UnknownName};
pub use producer::{Producer, Refused};
pub use slot::{MARK, Slot};
