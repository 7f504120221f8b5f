//! Leave to trade, as a type.
//!
//! [`crate::Out::push`] does not compile for an `order`: the one way to make that event is [`crate::Out::push_approved`],
//! and what it takes is made by the risk stage alone. A venue takes nothing but an [`Approved`] route, which the edge of
//! its gateway makes again from the bytes of a ring. A test of the sources allows [`Approved::grant`] these two callers.

/// Something that risk let pass: an `order` on the pipeline, a `route` at the gateway's edge.
#[derive(Clone, Copy, Debug)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// Gives leave. Only for the risk stage, and for the edge of a gateway that has read a route off the pipeline.
    #[inline]
    pub const fn grant(what: T) -> Approved<T> {
        Approved(what)
    }

    /// What may leave.
    #[inline]
    pub const fn get(&self) -> &T {
        &self.0
    }
}
