//! The operations as futures. Each is a thin front on the rules of [`Hchan`](crate::hchan::Hchan): it keeps a
//! place in line from poll to poll, and gives it up when it is dropped. A future that borrows its handle and one
//! that owns it share their polls.

use core::task::{Context, Waker};

use crate::hchan::sudog::Ticket;
use crate::hchan::{HchanOf, Look};
use crate::wakes::Unneeded;

/// Makes futures of structs: fused, shown by name, and out of line once they are dropped.
///
/// `once` is polled until it is ready, which `done` keeps; with `poll`, a future tells by itself whether it
/// `is_done`.
macro_rules! operation {
    (
        impl $params:tt for [$($Future:ident $args:tt),+] -> $Output:ty;
        once($this:ident, $cx:ident) $once:expr;
        leave $leave:expr;
    ) => {
        operation! {
            impl $params for [$($Future $args),+] -> $Output;
            poll($this, $cx) {
                if $this.done {
                    $crate::error::polled_after_ready(NAME);
                }
                let polled = $once;
                $this.done = polled.is_ready();
                polled
            };
            is_done $this.done;
            leave $leave;
        }
    };
    (
        impl $params:tt for [$($Future:ident $args:tt),+] -> $Output:ty;
        poll($this:ident, $cx:ident) $poll:expr;
        is_done $is_done:expr;
        leave $leave:expr;
    ) => {$(
        operation!(@ $params $Future $args $Output, $this, $cx, $poll, $is_done, $leave);
    )+};
    (
        @ [$($param:tt),*] $Future:ident [$($arg:tt),+]
        $Output:ty, $this:ident, $cx:ident, $poll:expr, $is_done:expr, $leave:expr
    ) => {
        #[allow(single_use_lifetimes, reason = "an output may name them")]
        #[allow(clippy::needless_borrow, reason = "one may own what another borrows")]
        const _: () = {
            const NAME: &str = stringify!($Future);

            impl<$($param),*> core::future::Future for $Future<$($arg),+> {
                type Output = $Output;

                // A third fewer instructions where nothing waits; the rest is not inlined.
                #[inline(always)]
                fn poll(
                    mut self: core::pin::Pin<&mut Self>,
                    $cx: &mut core::task::Context<'_>,
                ) -> core::task::Poll<Self::Output> {
                    let $this = &mut *self;
                    $crate::mask::masked!($poll)
                }
            }

            impl<$($param),*> futures_core::future::FusedFuture for $Future<$($arg),+> {
                fn is_terminated(&self) -> bool {
                    let $this = self;
                    $is_done
                }
            }

            impl<$($param),*> Drop for $Future<$($arg),+> {
                #[inline]
                fn drop(&mut self) {
                    let $this = self;
                    $crate::mask::masked!($leave)
                }
            }

            impl<$($param),*> core::fmt::Debug for $Future<$($arg),+> {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    let is_done = futures_core::future::FusedFuture::is_terminated(self);
                    let mut out = f.debug_struct(NAME);
                    out.field("done", &is_done).finish_non_exhaustive()
                }
            }
        };
    };
}

/// Tries under the lock, first without the task's waker. If the try needs that, the waker is cloned outside the
/// lock, since a clone may use the channel, and the try is repeated.
#[inline(always)]
#[expect(clippy::inline_always, reason = "its callers are not inlined")]
fn with_waker<R>(cx: &Context<'_>, mut attempt: impl FnMut(&mut Option<Waker>) -> Option<R>) -> R {
    match attempt(&mut None) {
        Some(answer) => answer,
        None => with_waker_there(cx, attempt),
    }
}

/// The second try, which has the waker.
#[inline(never)]
fn with_waker_there<R>(
    cx: &Context<'_>,
    mut attempt: impl FnMut(&mut Option<Waker>) -> Option<R>,
) -> R {
    let mut waker = Unneeded(Some(cx.waker().clone()));
    let answer = attempt(&mut waker.0);
    // If this panics, the answer is dropped, and what it holds goes back.
    drop(waker);
    match answer {
        Some(answer) => answer,
        None => unreachable!("a try that has a waker has an answer"),
    }
}

/// After a look at a parked operation: if another task would be woken, from now on this one is, provided that its
/// waker is there. The waker that is not needed takes its place.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "one comparison, where the task is the same"
)]
fn renew<T>(
    hchan: &mut HchanOf<T>,
    look: Look,
    ticket: Option<&Ticket>,
    waker: &mut Option<Waker>,
) -> Look {
    match look {
        Look::Elsewhere => renew_waker(hchan, ticket, waker),
        look => look,
    }
}

#[cold]
fn renew_waker<T>(
    hchan: &mut HchanOf<T>,
    ticket: Option<&Ticket>,
    waker: &mut Option<Waker>,
) -> Look {
    match (ticket, waker.take()) {
        (Some(ticket), Some(new)) => {
            *waker = hchan.renew(ticket, new).1;
            Look::Parked
        }
        _ => Look::Elsewhere,
    }
}

pub(crate) mod closed;
pub(crate) mod lease;
pub(crate) mod recv;
pub(crate) mod reserve;
pub(crate) mod send;
pub(crate) mod until;
