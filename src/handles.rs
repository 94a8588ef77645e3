//! The public face of a channel: its handles, and what they are as streams, sinks and iterators.

#[cfg(feature = "std")]
mod batches;
pub(crate) mod both;
pub(crate) mod every;
pub(crate) mod held;
pub(crate) mod iter;
pub(crate) mod receiver;
pub(crate) mod sender;
#[cfg(feature = "sink")]
mod sink;
mod stream;
pub(crate) mod weak;
