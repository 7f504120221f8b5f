//! Approval to trade, as a type.
//!
//! [`crate::Out::push`] does not compile for an `order`: the only way to emit one is [`crate::Out::push_approved`], and only
//! the risk stage makes its argument. A venue accepts nothing but an [`Approved`] route, which the edge of its gateway
//! restores from the bytes of a ring. A test of the sources allows [`Approved::grant`] these two callers.

/// Something that risk approved: an `order` in the pipeline, a `route` at the gateway's edge.
#[derive(Clone, Copy, Debug)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// Approves it. Only for the risk stage, and for the edge of a gateway that has read a route off the pipeline.
    #[inline]
    pub const fn grant(what: T) -> Approved<T> {
        Approved(what)
    }

    /// What was approved.
    #[inline]
    pub const fn get(&self) -> &T {
        &self.0
    }
}
