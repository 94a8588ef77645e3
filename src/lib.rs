//! Go's channels for async Rust, on any executor.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

extern crate alloc;

mod chan;
mod closed;
mod error;
mod handle;
mod hchan;
mod iter;
#[cfg(feature = "std")]
mod park;
mod party;
mod receiver;
mod recv;
mod reserve;
mod select;
mod send;
mod sender;
#[cfg(feature = "sink")]
mod sink;
mod snapshot;
mod stream;
mod sudog;
mod sync;
mod until;
mod wakes;
mod weak;

pub use self::chan::{bounded, never, unbounded};
pub use self::closed::ClosedFuture;
pub use self::error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use self::iter::{Drain, TryIter};
#[cfg(feature = "std")]
pub use self::iter::{IntoIter, Iter};
pub use self::receiver::Receiver;
pub use self::recv::{RecvFuture, RecvManyFuture};
pub use self::reserve::{Permit, ReserveFuture};
pub use self::select::Select;
pub use self::send::{SendFromFuture, SendFuture, SendManyFuture};
pub use self::sender::Sender;
pub use self::snapshot::Snapshot;
pub use self::weak::{WeakReceiver, WeakSender};

#[doc(hidden)]
pub use self::select::macros::support as __support;
