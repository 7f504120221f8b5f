//! Creates a ring and its two ends.
//!
//! **Shutdown.** Dropping the producer closes the ring: the consumer first drains everything published, then gets
//! [`Taken::Closed`](crate::Taken::Closed). Dropping the consumer discards what is in the ring, and every later publish
//! returns [`Refused::Disconnected`](crate::Refused::Disconnected). Both also happen when a thread unwinds, so a chain
//! of rings never hangs on a panic.

use std::sync::Arc;

use crate::consumer::{Consumer, Receiver};
use crate::counters::{ConsumerMeter, Counters, ProducerMeter};
use crate::kind::{Kind, RingError, checked_capacity};
use crate::liveness::Liveness;
use crate::producer::{Producer, Sender};
use crate::slot::Slot;
use crate::{disruptor, phase};

/// Creates a ring of `capacity` slots, a power of two from 1 to [`MAX_CAPACITY`](crate::MAX_CAPACITY).
///
/// # Errors
///
/// [`RingError::Capacity`] for any other capacity.
pub fn channel<T: Slot>(kind: Kind, capacity: usize) -> Result<(Producer<T>, Consumer<T>), RingError> {
    const {
        assert!(size_of::<T>() == 64 && align_of::<T>() == 64, "a slot is exactly one cache line of 64 bytes");
    }
    let capacity = checked_capacity(capacity)?;
    let (sender, receiver) = match kind {
        Kind::Phase => {
            let (sender, receiver) = phase::ring(capacity);
            (Sender::Phase(sender), Receiver::Phase(receiver))
        }
        Kind::Disruptor => {
            let (sender, receiver) = disruptor::ring(capacity);
            (Sender::Disruptor(sender), Receiver::Disruptor(receiver))
        }
    };
    let liveness = Arc::new(Liveness::new());
    let counters = Counters::new();
    let meter = ProducerMeter::new(counters.clone(), capacity);
    let producer = Producer::new(sender, Arc::clone(&liveness), meter, kind, capacity);
    let consumer = Consumer::new(receiver, liveness, ConsumerMeter::new(counters), kind, capacity);
    Ok((producer, consumer))
}
