//! The operations as futures. Each is a thin front on the rules of [`Hchan`](crate::hchan::Hchan): it keeps
//! a place in line from poll to poll, and gives it up when it is dropped.

pub(crate) mod closed;
pub(crate) mod recv;
pub(crate) mod reserve;
pub(crate) mod send;
pub(crate) mod until;
