//! The public surface keeps its shape: names, signatures, sizes, and what each type may do where.
#![cfg(all(feature = "std", feature = "sink"))]

mod support;

use std::cell::Cell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::future::{Future, Pending, Ready, pending};
use std::hash::Hash;
use std::iter::FusedIterator;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::MutexGuard;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::FusedFuture;
use futures::stream::FusedStream;
use futures::{Sink, Stream};
use hchan::{
    ChannelId, ClosedFuture, Drain, IntoIter, Iter, Lease, LeaseFuture, NextFuture, OwnedPermit,
    Permit, Receiver, RecvAnyFuture, RecvError, RecvFuture, RecvManyFuture, RecvOwnedFuture,
    RecvSet, RecvTimeoutError, RecvUntilFuture, ReserveFuture, ReserveOwnedFuture, Select,
    SendError, SendFromFuture, SendFuture, SendManyFuture, SendOwnedFuture, SendTimeoutError,
    SendUntilFuture, Sender, SetNextFuture, Snapshot, TryIter, TryRecvError, TrySendError,
    WeakReceiver, WeakSender, bounded, never, recv_any, recv_any_blocking, try_recv_any, unbounded,
};

#[cfg(feature = "time")]
use hchan::Timer;
use support::{parked, poll_once, ready, values};

// What is written here is checked by the compiler; there is nothing to run.

/// Each type is all of these.
macro_rules! assert_impl {
    ($($type:ty),+ $(,)?: $($bound:tt)+) => {
        const _: () = {
            const fn check<T: ?Sized + $($bound)+>() {}
            $(check::<$type>();)+
        };
    };
}

/// Each type is none of these: if it were, there would be two ways to read `pick`.
macro_rules! assert_not_impl {
    ($($type:ty),+ $(,)?: $trait:path) => {
        const _: () = {
            struct Other;
            trait Pick<Reading> {
                fn pick() {}
            }
            impl<T: ?Sized> Pick<()> for T {}
            impl<T: ?Sized + $trait> Pick<Other> for T {}
            $(let _: fn() = <$type as Pick<_>>::pick;)+
        };
    };
}

/// All handles, futures and guards of a channel of this `T`.
macro_rules! for_all_types {
    ($assert:ident, $T:ty: $($bound:tt)+) => {
        for_handles!($assert, $T: $($bound)+);
        for_futures!($assert, $T: $($bound)+);
        $assert!(Permit<'static, $T>, OwnedPermit<$T>, RecvSet<$T>: $($bound)+);
    };
}

macro_rules! for_handles {
    ($assert:ident, $T:ty: $($bound:tt)+) => {
        $assert!(Sender<$T>, Receiver<$T>, WeakSender<$T>, WeakReceiver<$T>: $($bound)+);
    };
}

macro_rules! for_futures {
    ($assert:ident, $T:ty: $($bound:tt)+) => {
        $assert!(
            SendFuture<'static, $T>,
            SendFromFuture<'static, 'static, $T>,
            SendManyFuture<'static, 'static, $T>,
            SendOwnedFuture<$T>,
            ReserveFuture<'static, $T>,
            ReserveOwnedFuture<$T>,
            RecvFuture<'static, $T>,
            RecvOwnedFuture<$T>,
            LeaseFuture<'static, $T>,
            NextFuture<'static, $T>,
            RecvAnyFuture<'static, $T>,
            SetNextFuture<'static, $T>,
            RecvManyFuture<'static, 'static, $T>: $($bound)+
        );
    };
}

/// A timer that is pinned, and stays on its thread.
struct Pinned(PhantomPinned, PhantomData<NotSend>);

impl Future for Pinned {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

type NotSync = Cell<u32>;
type NotSend = Rc<()>;
type NotSendButSync = MutexGuard<'static, ()>;

// A value has to be `Send`, and nothing else, for everything to be `Send` and `Sync`.
for_all_types!(assert_impl, u64: Send + Sync);
for_all_types!(assert_impl, NotSync: Send + Sync);
for_all_types!(assert_not_impl, NotSend: Send);
for_all_types!(assert_not_impl, NotSend: Sync);
for_all_types!(assert_not_impl, NotSendButSync: Send);
for_all_types!(assert_not_impl, NotSendButSync: Sync);

// A lease shows its value, so that is shared as the value is.
assert_impl!(Lease<'static, u64>: Send + Sync + Unpin + Debug);
assert_impl!(Lease<'static, NotSync>: Send);
assert_not_impl!(Lease<'static, NotSync>: Sync);
assert_not_impl!(Lease<'static, NotSend>, Lease<'static, NotSendButSync>: Send);

// What owns its handle is of its own.
assert_impl!(
    SendOwnedFuture<String>,
    RecvOwnedFuture<String>,
    ReserveOwnedFuture<String>,
    OwnedPermit<String>: 'static
);

// The end of a channel has nothing to do with values.
assert_impl!(ClosedFuture<'static>: Send + Sync + Unpin + Debug + Future + FusedFuture);

// What has until a timer is ready is all of that as far as the timer is.
assert_impl!(
    SendUntilFuture<'static, NotSync, Pending<()>>,
    RecvUntilFuture<'static, NotSync, Pending<()>>: Send + Sync + Unpin + Debug + Future + FusedFuture
);
assert_impl!(
    SendUntilFuture<'static, PhantomPinned, Pending<NotSend>>,
    RecvUntilFuture<'static, PhantomPinned, Pending<NotSend>>: Unpin + Debug + FusedFuture
);
assert_not_impl!(
    SendUntilFuture<'static, NotSend, Pending<()>>,
    RecvUntilFuture<'static, NotSend, Pending<()>>,
    SendUntilFuture<'static, u64, Pinned>,
    RecvUntilFuture<'static, u64, Pinned>: Send
);
assert_not_impl!(
    SendUntilFuture<'static, u64, Pinned>,
    RecvUntilFuture<'static, u64, Pinned>: Unpin
);

// Nothing is ever pinned but a timer.
for_all_types!(assert_impl, PhantomPinned: Unpin);

// No user code runs under the lock, so a panic breaks no handle.
for_handles!(assert_impl, u64: UnwindSafe + RefUnwindSafe);
for_handles!(assert_impl, NotSync: UnwindSafe + RefUnwindSafe);
for_handles!(assert_impl, &'static mut NotSend: UnwindSafe + RefUnwindSafe);

// `Clone` and `Debug` ask nothing of a value.
for_handles!(assert_impl, PhantomPinned: Clone + Debug);
for_all_types!(assert_impl, PhantomPinned: Debug);
for_futures!(assert_impl, PhantomPinned: Future + FusedFuture);
assert_impl!(
    Drain<'static, PhantomPinned>,
    TryIter<'static, PhantomPinned>,
    Iter<'static, PhantomPinned>,
    IntoIter<PhantomPinned>: Iterator<Item = PhantomPinned> + Debug
);
assert_impl!(
    Drain<'static, ()>,
    Iter<'static, ()>,
    IntoIter<()>: FusedIterator
);
assert_impl!(Receiver<PhantomPinned>: Stream<Item = PhantomPinned> + FusedStream);
assert_impl!(Receiver<PhantomPinned>: IntoIterator<Item = PhantomPinned, IntoIter = IntoIter<PhantomPinned>>);
assert_impl!(&'static Receiver<()>: IntoIterator<Item = (), IntoIter = Iter<'static, ()>>);
assert_impl!(Sender<PhantomPinned>: Sink<PhantomPinned, Error = SendError<PhantomPinned>>);

// Errors are errors whatever the value is, and compare and copy as it does.
assert_impl!(
    SendError<NotSync>,
    TrySendError<NotSync>,
    SendTimeoutError<NotSync>: Error + Debug + Display + Send
);
assert_impl!(
    SendError<PhantomPinned>,
    TrySendError<PhantomPinned>,
    SendTimeoutError<PhantomPinned>: Error + Debug + Display
);
assert_impl!(
    SendError<u8>,
    TrySendError<u8>,
    SendTimeoutError<u8>,
    RecvError,
    TryRecvError,
    RecvTimeoutError: Error + Debug + Display + Clone + Copy + PartialEq + Eq + Send + Sync
);
assert_impl!(SendError<String>, TrySendError<String>, SendTimeoutError<String>: Clone + PartialEq + Eq);
assert_not_impl!(SendError<String>, TrySendError<String>, SendTimeoutError<String>: Copy);
assert_impl!(TrySendError<NotSend>, SendTimeoutError<NotSend>: From<SendError<NotSend>>);
assert_impl!(TryRecvError, RecvTimeoutError: From<RecvError>);
assert_impl!(ChannelId: Copy + Eq + Ord + Hash + Debug + Send + Sync + Unpin);
assert_impl!(Snapshot: Clone + Debug + Display + PartialEq + Eq + Send + Sync);

// Small enough to stand in a future of a user's without being noticed.
// What is inspected also knows where it was called, or made.
#[cfg(not(feature = "inspect"))]
const _: () = {
    assert!(size_of::<RecvFuture<'static, u64>>() <= 24);
    assert!(size_of::<SendFuture<'static, u64>>() <= 48);
    assert!(size_of::<SendUntilFuture<'static, u64, u64>>() <= 64);
    assert!(size_of::<RecvUntilFuture<'static, u64, u64>>() <= 40);
    assert!(size_of::<Sender<u64>>() <= 32);
    assert!(size_of::<Receiver<u64>>() <= 24);
    assert!(size_of::<WeakSender<u64>>() == size_of::<usize>());
    // What owns its handle is larger by the handle and the place in line that it may keep.
    let owned = size_of::<RecvOwnedFuture<u64>>();
    assert!(owned <= size_of::<RecvFuture<'static, u64>>() + size_of::<Receiver<u64>>());
    let owned = size_of::<SendOwnedFuture<u64>>();
    assert!(
        owned
            <= size_of::<SendFuture<'static, u64>>() + size_of::<Sender<u64>>()
                - size_of::<usize>()
    );
    assert!(size_of::<ReserveOwnedFuture<u64>>() <= size_of::<Sender<u64>>());
    assert!(size_of::<OwnedPermit<u64>>() <= size_of::<Sender<u64>>());
    assert!(size_of::<Lease<'static, u64>>() <= 32);
};

/// The functions and methods, each by its whole signature.
#[allow(clippy::type_complexity, reason = "signatures are the point")]
const fn signatures<'held, T: 'held>() {
    let _: fn(usize) -> (Sender<T>, Receiver<T>) = bounded;
    let _: fn() -> (Sender<T>, Receiver<T>) = unbounded;
    let _: fn() -> (Sender<T>, Receiver<T>) = never;

    let _: fn(&Sender<T>, T) -> SendFuture<'_, T> = Sender::send;
    let _: fn(&Sender<T>, T) -> Result<(), TrySendError<T>> = Sender::try_send;
    let _: for<'a, 'b> fn(&'a Sender<T>, &'b mut Option<T>) -> SendFromFuture<'a, 'b, T> =
        Sender::send_from;
    let _: for<'a, 'b> fn(&'a Sender<T>, &'b mut VecDeque<T>) -> SendManyFuture<'a, 'b, T> =
        Sender::send_many;
    let _: fn(&Sender<T>, T) -> Result<Option<T>, SendError<T>> = Sender::force_send;
    let _: fn(&Sender<T>) -> ReserveFuture<'_, T> = Sender::reserve;
    let _: fn(&Sender<T>) -> Result<Permit<'_, T>, TrySendError<()>> = Sender::try_reserve;
    let _: fn(&Sender<T>, T) -> Result<(), SendError<T>> = Sender::send_blocking;
    let _: fn(&Sender<T>, T, Duration) -> Result<(), SendTimeoutError<T>> =
        Sender::send_blocking_timeout;
    let _: fn(&Sender<T>, T, Instant) -> Result<(), SendTimeoutError<T>> =
        Sender::send_blocking_deadline;
    let _: fn(&Sender<T>, T, Ready<()>) -> SendUntilFuture<'_, T, Ready<()>> = Sender::send_until;
    let _: fn(&Sender<T>, &mut VecDeque<T>) -> Result<(), SendError<()>> =
        Sender::send_many_blocking;
    let _: fn(&Sender<T>, &mut VecDeque<T>, Duration) -> Result<(), SendTimeoutError<()>> =
        Sender::send_many_blocking_timeout;
    let _: fn(&Sender<T>, &mut VecDeque<T>, Instant) -> Result<(), SendTimeoutError<()>> =
        Sender::send_many_blocking_deadline;
    let _: fn(&mut Sender<T>, &mut Context<'_>, &mut Option<T>) -> Poll<Result<(), SendError<T>>> =
        Sender::poll_send;
    let _: fn(&Sender<T>) -> WeakSender<T> = Sender::downgrade;
    let _: fn(&WeakSender<T>) -> Option<Sender<T>> = WeakSender::upgrade;
    let _: fn(Permit<'held, T>, T) -> Result<(), SendError<T>> = Permit::send;
    let _: fn(&mut SendFuture<'held, T>) -> Option<T> = SendFuture::cancel;
    let _: fn(Sender<T>, T) -> SendOwnedFuture<T> = Sender::send_owned;
    let _: fn(&mut SendOwnedFuture<T>) -> Option<T> = SendOwnedFuture::cancel;
    let _: fn(Sender<T>) -> ReserveOwnedFuture<T> = Sender::reserve_owned;
    let _: fn(Sender<T>) -> Result<OwnedPermit<T>, TrySendError<Sender<T>>> =
        Sender::try_reserve_owned;
    let _: fn(&mut Sender<T>, &mut Context<'_>) -> Poll<Result<OwnedPermit<T>, SendError<()>>> =
        Sender::poll_reserve;
    let _: fn(OwnedPermit<T>, T) -> Result<Sender<T>, SendError<T>> = OwnedPermit::send;
    let _: fn(OwnedPermit<T>) -> Sender<T> = OwnedPermit::release;

    let _: fn(&Receiver<T>) -> RecvFuture<'_, T> = Receiver::recv;
    let _: fn(&mut RecvFuture<'held, T>) -> Option<T> = RecvFuture::cancel;
    let _: fn(Receiver<T>) -> RecvOwnedFuture<T> = Receiver::recv_owned;
    let _: fn(&mut RecvOwnedFuture<T>) -> Option<T> = RecvOwnedFuture::cancel;
    let _: fn(&Receiver<T>) -> LeaseFuture<'_, T> = Receiver::lease;
    let _: fn(&Receiver<T>) -> Result<Lease<'_, T>, TryRecvError> = Receiver::try_lease;
    let _: fn(&Receiver<T>) -> Result<Lease<'_, T>, RecvError> = Receiver::lease_blocking;
    let _: fn(Lease<'held, T>) -> T = Lease::take;
    let _: fn(&mut Receiver<T>) -> NextFuture<'_, T> = Receiver::next;
    let _: fn(&Receiver<T>) -> Result<T, TryRecvError> = Receiver::try_recv;
    let _: for<'a, 'b> fn(&'a Receiver<T>, &'b mut Vec<T>, usize) -> RecvManyFuture<'a, 'b, T> =
        Receiver::recv_many;
    let _: fn(&Receiver<T>, &mut Vec<T>, usize) -> Result<usize, TryRecvError> =
        Receiver::try_recv_many;
    let _: fn(&Receiver<T>) -> Drain<'_, T> = Receiver::drain;
    let _: fn(&Receiver<T>) -> TryIter<'_, T> = Receiver::try_iter;
    let _: fn(&Receiver<T>) -> Result<T, RecvError> = Receiver::recv_blocking;
    let _: fn(&Receiver<T>, Duration) -> Result<T, RecvTimeoutError> =
        Receiver::recv_blocking_timeout;
    let _: fn(&Receiver<T>, Instant) -> Result<T, RecvTimeoutError> =
        Receiver::recv_blocking_deadline;
    let _: fn(&Receiver<T>, Ready<()>) -> RecvUntilFuture<'_, T, Ready<()>> = Receiver::recv_until;
    let _: fn(&Receiver<T>, &mut Vec<T>, usize) -> Result<usize, RecvError> =
        Receiver::recv_many_blocking;
    let _: fn(&Receiver<T>, &mut Vec<T>, usize, Duration) -> Result<usize, RecvTimeoutError> =
        Receiver::recv_many_blocking_timeout;
    let _: fn(&Receiver<T>, &mut Vec<T>, usize, Instant) -> Result<usize, RecvTimeoutError> =
        Receiver::recv_many_blocking_deadline;
    let _: fn(&Receiver<T>) -> Iter<'_, T> = Receiver::iter;
    let _: fn(&mut Receiver<T>, &mut Context<'_>) -> Poll<Result<T, RecvError>> =
        Receiver::poll_recv;
    let _: fn(&Receiver<T>) -> WeakReceiver<T> = Receiver::downgrade;
    let _: fn(&WeakReceiver<T>) -> Option<Receiver<T>> = WeakReceiver::upgrade;

    let _: for<'a> fn(&'a [Receiver<T>]) -> RecvAnyFuture<'a, T> = |rxs| recv_any(rxs);
    let _: fn(&[Receiver<T>]) -> Option<(usize, Result<T, RecvError>)> = |rxs| try_recv_any(rxs);
    let _: fn(&[Receiver<T>]) -> (usize, Result<T, RecvError>) = |rxs| recv_any_blocking(rxs);
    let _: fn() -> RecvSet<T> = RecvSet::new;
    let _: fn(&mut RecvSet<T>, Receiver<T>) -> usize = RecvSet::add;
    let _: fn(&mut RecvSet<T>, usize) -> Option<Receiver<T>> = RecvSet::remove;
    let _: fn(&RecvSet<T>) -> usize = RecvSet::len;
    let _: fn(&RecvSet<T>) -> bool = RecvSet::is_empty;
    let _: fn(&mut RecvSet<T>) -> SetNextFuture<'_, T> = RecvSet::next;
    let _: fn(&mut RecvSet<T>) -> Option<(usize, Result<T, RecvError>)> = RecvSet::try_next;
    let _: fn(&mut RecvSet<T>) -> (usize, Result<T, RecvError>) = RecvSet::wait;
    let _: fn(&mut RecvSet<T>, Duration) -> Option<(usize, Result<T, RecvError>)> =
        RecvSet::wait_timeout;

    macro_rules! both {
        ($($Handle:ident),+) => {$(
            let _: fn(&$Handle<T>) -> bool = $Handle::close;
            let _: fn(&$Handle<T>) -> usize = $Handle::len;
            let _: fn(&$Handle<T>) -> bool = $Handle::is_empty;
            let _: fn(&$Handle<T>) -> bool = $Handle::is_full;
            let _: fn(&$Handle<T>) -> Option<usize> = $Handle::capacity;
            let _: fn(&$Handle<T>) -> usize = $Handle::sender_count;
            let _: fn(&$Handle<T>) -> usize = $Handle::receiver_count;
            let _: fn(&$Handle<T>) -> Snapshot = $Handle::snapshot;
            let _: fn(&mut $Handle<T>, &mut Context<'_>) -> Poll<()> = $Handle::poll_closed;
        )+};
    }
    both!(Sender, Receiver);

    macro_rules! every {
        ($($Handle:ident),+) => {$(
            let _: fn(&$Handle<T>) -> bool = $Handle::is_closed;
            let _: fn(&$Handle<T>) -> ClosedFuture<'_> = $Handle::closed;
            let _: fn(&$Handle<T>, &$Handle<T>) -> bool = $Handle::same_channel;
            let _: fn(&$Handle<T>) -> ChannelId = $Handle::id;
        )+};
    }
    every!(Sender, Receiver, WeakSender, WeakReceiver);

    macro_rules! bring_back {
        ($($Error:ident),+) => {$(
            let _: fn($Error<T>) -> T = $Error::into_inner;
            let _: fn(&$Error<T>) -> &T = $Error::as_inner;
            let _: fn($Error<T>, fn(T) -> u8) -> $Error<u8> = $Error::map;
        )+};
    }
    bring_back!(SendError, TrySendError, SendTimeoutError);
    let _: fn(&TrySendError<T>) -> bool = TrySendError::is_full;
    let _: fn(&TrySendError<T>) -> bool = TrySendError::is_closed;
    let _: fn(&SendTimeoutError<T>) -> bool = SendTimeoutError::is_timeout;
    let _: fn(&SendTimeoutError<T>) -> bool = SendTimeoutError::is_closed;
    let _: fn(&TryRecvError) -> bool = TryRecvError::is_empty;
    let _: fn(&TryRecvError) -> bool = TryRecvError::is_closed;
    let _: fn(&RecvTimeoutError) -> bool = RecvTimeoutError::is_timeout;
    let _: fn(&RecvTimeoutError) -> bool = RecvTimeoutError::is_closed;
}
const _: () = signatures::<NotSend>();

/// What the futures resolve to.
fn outputs<T>(tx: &Sender<T>, rx: &mut Receiver<T>, value: impl Fn() -> T) {
    fn resolves_to<O>(_: impl Future<Output = O>) {}
    let mut slot = Some(value());
    resolves_to::<Result<(), SendError<T>>>(tx.send(value()));
    resolves_to::<Result<(), SendError<()>>>(tx.send_from(&mut slot));
    resolves_to::<Result<(), SendError<()>>>(tx.send_many(&mut VecDeque::new()));
    resolves_to::<Result<(), SendTimeoutError<T>>>(tx.send_until(value(), pending::<()>()));
    resolves_to::<Result<Permit<'_, T>, SendError<()>>>(tx.reserve());
    resolves_to::<()>(tx.closed());
    resolves_to::<Result<(), SendError<T>>>(tx.clone().send_owned(value()));
    resolves_to::<Result<OwnedPermit<T>, SendError<()>>>(tx.clone().reserve_owned());
    resolves_to::<Result<T, RecvError>>(rx.recv());
    resolves_to::<Result<T, RecvError>>(rx.clone().recv_owned());
    resolves_to::<Result<Lease<'_, T>, RecvError>>(rx.lease());
    resolves_to::<Option<T>>(rx.next());
    resolves_to::<(usize, Result<T, RecvError>)>(recv_any([&*rx]));
    resolves_to::<(usize, Result<T, RecvError>)>(RecvSet::from_iter([rx.clone()]).next());
    resolves_to::<Result<usize, RecvError>>(rx.recv_many(&mut Vec::new(), 1));
    resolves_to::<Result<T, RecvTimeoutError>>(rx.recv_until(pending::<u8>()));
    resolves_to::<()>(rx.closed());
}

/// Each future is `#[must_use]`: the build fails if one of these lines is not warned about.
#[deny(unfulfilled_lint_expectations)]
fn futures_must_be_used(tx: &Sender<()>, rx: &mut Receiver<()>) {
    macro_rules! warned {
        ($($future:expr),+ $(,)?) => {$(
            #[expect(unused_must_use, reason = "the warning is what is tested")]
            {
                $future;
            }
        )+};
    }
    warned!(
        tx.send(()),
        tx.send_from(&mut Some(())),
        tx.send_many(&mut VecDeque::new()),
        tx.send_until((), pending::<()>()),
        tx.reserve(),
        tx.closed(),
        tx.clone().send_owned(()),
        tx.clone().reserve_owned(),
        rx.recv(),
        rx.clone().recv_owned(),
        rx.lease(),
        rx.next(),
        recv_any([&*rx]),
        RecvSet::from_iter([rx.clone()]).next(),
        rx.recv_many(&mut Vec::new(), 1),
        rx.recv_until(pending::<()>()),
        rx.closed(),
    );
}

// What is left to run.

#[test]
fn dropped_futures_leave_no_trace() {
    let (tx, mut rx) = bounded(1);
    outputs(&tx, &mut rx, || ());
    futures_must_be_used(&tx, &mut rx);
    assert_eq!((tx.snapshot().sendq, rx.snapshot().recvq), (0, 0));
}

#[test]
fn values_and_futures_may_borrow() {
    let text = String::from("on the stack");
    let (tx, rx) = bounded::<&str>(1);
    let mut slot = Some(text.as_str());
    assert_eq!(ready(tx.send_from(&mut slot)), Ok(()));
    assert_eq!(ready(rx.recv()), Ok("on the stack"));
}

#[test]
fn timed_futures_are_send_if_their_values_are() {
    fn is_send<F: Send>(_: F) {}
    let (tx, rx) = bounded::<NotSync>(1);
    is_send(tx.send_until(Cell::new(1), pending::<()>()));
    is_send(rx.recv_until(pending::<()>()));
    is_send(async {
        tx.send(Cell::new(1)).await.unwrap();
        rx.recv().await
    });
}

#[test]
fn futures_are_terminated_only_after_they_were_ready() {
    fn check(mut future: impl FusedFuture + Unpin) {
        assert!(!future.is_terminated());
        while poll_once(&mut future).is_pending() {
            assert!(!future.is_terminated());
        }
        assert!(future.is_terminated());
    }
    let (tx, mut rx) = bounded(8);
    check(tx.send(1));
    check(tx.send_from(&mut Some(2)));
    check(tx.send_many(&mut VecDeque::from([3, 4])));
    check(tx.reserve());
    check(tx.clone().reserve_owned());
    check(tx.clone().send_owned(5));
    check(rx.recv());
    check(rx.clone().recv_owned());
    check(rx.lease());
    check(rx.next());
    check(rx.recv_many(&mut Vec::new(), 2));
    check(tx.send_until(5, pending::<()>()));
    check(rx.recv_until(pending::<()>()));
    check(rx.recv_until(std::future::ready(())));
}

#[test]
fn parked_and_cancelled_futures_know_whether_they_are_terminated() {
    let (tx, rx) = bounded(0);
    let mut recv = parked(rx.recv());
    assert!(!recv.future().is_terminated());
    tx.try_send(1).unwrap();
    assert!(!recv.future().is_terminated(), "handed, but not polled");
    assert_eq!(recv.poll(), Poll::Ready(Ok(1)));
    assert!(recv.future().is_terminated());

    let mut send = parked(tx.send(2));
    assert!(!send.future().is_terminated());
    assert_eq!(send.future().cancel(), Some(2));
    assert!(send.future().is_terminated());
    assert_eq!(send.future().cancel(), None);

    let mut closed = parked(tx.closed());
    rx.close();
    assert!(!closed.future().is_terminated());
    assert!(closed.poll().is_ready());
    assert!(closed.future().is_terminated());
}

#[test]
fn debug_shows_futures_and_handles_of_any_value() {
    struct Opaque;
    let (tx, rx) = bounded(1);
    let (other_tx, other_rx) = bounded(1);
    tx.try_send(Opaque).ok().unwrap();
    let lease_shown = format!("{:?}", rx.try_lease().ok().unwrap());
    drop(values(&rx));
    let select = Select::default()
        .recv(&other_rx, drop)
        .send(&other_tx, Opaque, drop);
    let shown = [
        (format!("{select:?}"), "Select { arms: 2, .. }"),
        (
            format!("{:?}", recv_any([&other_rx])),
            "RecvAnyFuture { receivers: 1, .. }",
        ),
        (
            format!("{:?}", RecvSet::from_iter([rx.clone()])),
            "RecvSet { receivers: 1, .. }",
        ),
        (
            format!("{:?}", RecvSet::from_iter([rx.clone()]).next()),
            "SetNextFuture { .. }",
        ),
        (format!("{tx:?}"), "Sender"),
        (format!("{rx:?}"), "Receiver"),
        (format!("{:?}", tx.downgrade()), "WeakSender"),
        (format!("{:?}", rx.downgrade()), "WeakReceiver"),
        (format!("{:?}", tx.send(Opaque)), "SendFuture"),
        (
            format!("{:?}", tx.send_from(&mut Some(Opaque))),
            "SendFromFuture",
        ),
        (
            format!("{:?}", tx.send_many(&mut VecDeque::new())),
            "SendManyFuture",
        ),
        (format!("{:?}", tx.reserve()), "ReserveFuture"),
        (format!("{:?}", tx.try_reserve().unwrap()), "Permit"),
        (
            format!("{:?}", tx.clone().try_reserve_owned().ok()),
            "Some(OwnedPermit",
        ),
        (
            format!("{:?}", tx.clone().reserve_owned()),
            "ReserveOwnedFuture",
        ),
        (
            format!("{:?}", tx.clone().send_owned(Opaque)),
            "SendOwnedFuture",
        ),
        (format!("{:?}", rx.clone().recv_owned()), "RecvOwnedFuture"),
        (
            format!("{:?}", rx.lease()),
            "LeaseFuture { done: false, .. }",
        ),
        (format!("{:?}", tx.closed()), "ClosedFuture"),
        (
            format!("{:?}", tx.send_until(Opaque, pending::<Opaque>())),
            "SendUntilFuture",
        ),
        (
            format!("{:?}", rx.recv_until(pending::<Opaque>())),
            "RecvUntilFuture",
        ),
        (format!("{:?}", rx.recv()), "RecvFuture"),
        (format!("{:?}", rx.clone().next()), "NextFuture"),
        (
            format!("{:?}", rx.recv_many(&mut Vec::new(), 1)),
            "RecvManyFuture",
        ),
        (lease_shown, "Lease"),
        (format!("{:?}", rx.drain()), "Drain"),
        (format!("{:?}", rx.try_iter()), "TryIter"),
        (format!("{:?}", rx.iter()), "Iter"),
        (format!("{:?}", rx.into_iter()), "IntoIter"),
    ];
    for (shown, name) in shown {
        assert!(shown.starts_with(name), "{shown}");
    }
}

#[test]
fn errors_say_what_happened_without_their_value() {
    struct Opaque;
    fn say(error: impl Error) -> String {
        format!("{error}, {error:?}")
    }
    let said = [
        say(SendError(Opaque)),
        say(TrySendError::Full(Opaque)),
        say(TrySendError::Closed(Opaque)),
        say(SendTimeoutError::Timeout(Opaque)),
        say(SendTimeoutError::Closed(Opaque)),
        say(RecvError),
        say(TryRecvError::Empty),
        say(TryRecvError::Closed),
        say(RecvTimeoutError::Timeout),
        say(RecvTimeoutError::Closed),
    ];
    for said in said {
        let first = said.chars().next();
        assert!(first.is_some_and(char::is_lowercase), "{said}");
        assert!(!said.contains('.') || said.ends_with("(..)"), "{said}");
    }
}

#[test]
fn narrow_errors_turn_into_wide_ones() {
    fn all() -> Result<(), Box<dyn Error>> {
        let (tx, rx) = bounded(1);
        tx.try_send(1)?;
        rx.try_recv()?;
        tx.send_blocking(2)?;
        rx.recv_blocking_timeout(Duration::ZERO)?;
        Ok(())
    }
    all().unwrap();
    assert_eq!(TrySendError::from(SendError(1)), TrySendError::Closed(1));
    let timeout = SendTimeoutError::from(SendError(1));
    assert_eq!(timeout, SendTimeoutError::Closed(1));
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Closed);
    assert_eq!(SendError(1).0, 1);
}

#[test]
fn errors_give_a_look_at_their_value_and_exchange_it() {
    fn check<E: Debug + PartialEq + Copy, U: Debug + PartialEq>(
        error: E,
        (as_inner, map, changed): (impl Fn(&E) -> &i32, impl Fn(E) -> U, U),
    ) {
        assert_eq!((as_inner(&error), map(error)), (&1, changed));
    }
    let text = |value: i32| value.to_string();
    let new = String::from("1");
    let send = (SendError::as_inner, |error: SendError<_>| error.map(text));
    check(SendError(1), (send.0, send.1, SendError(new.clone())));
    let map = |error: TrySendError<_>| error.map(text);
    for (error, changed) in [
        (TrySendError::Full(1), TrySendError::Full(new.clone())),
        (TrySendError::Closed(1), TrySendError::Closed(new.clone())),
    ] {
        check(error, (TrySendError::as_inner, map, changed));
    }
    let map = |error: SendTimeoutError<_>| error.map(text);
    for (error, changed) in [
        (
            SendTimeoutError::Timeout(1),
            SendTimeoutError::Timeout(new.clone()),
        ),
        (
            SendTimeoutError::Closed(1),
            SendTimeoutError::Closed(new.clone()),
        ),
    ] {
        check(error, (SendTimeoutError::as_inner, map, changed));
    }
}

#[test]
fn without_its_value_an_error_goes_anywhere() {
    fn all(tx: &Sender<NotSync>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut values = (1..).map(Cell::new);
        let mut value = || values.next().unwrap();
        ready(tx.send(value())).map_err(|error| error.map(drop))?;
        tx.try_send(value()).map_err(|error| error.map(drop))?;
        tx.send_blocking_timeout(value(), Duration::ZERO)
            .map_err(|error| error.map(drop))?;
        Ok(())
    }
    for capacity in 1..3 {
        let (tx, _rx) = bounded(capacity);
        assert!(all(&tx).is_err());
    }
}

#[test]
fn a_snapshot_has_the_fields_of_gos_hchan() {
    let (tx, _rx) = bounded(2);
    tx.try_send(()).unwrap();
    let Snapshot {
        qcount,
        dataqsiz,
        sendx,
        recvx,
        closed,
        sendq,
        recvq,
        senders,
        receivers,
        permits,
        unclaimed,
        sent,
        received,
        peak,
        ..
    } = tx.snapshot();
    assert_eq!((qcount, dataqsiz, sendx, recvx), (1, Some(2), 1, 0));
    assert_eq!((closed, sendq, recvq), (false, 0, 0));
    assert_eq!((senders, receivers, permits, unclaimed), (1, 1, 0, 0));
    assert_eq!((sent, received, peak), (1, 0, 1));
}

/// Each operation is a bare arm of `futures::select!`: no `fuse()`, no `pin!`.
#[test]
fn operations_are_bare_arms_of_the_select_of_futures() {
    let (tx, mut rx) = bounded(1);
    let (mut sent, mut received) = (0, 0);
    let mut out = Vec::new();
    futures::executor::block_on(async {
        while sent < 3 || received < 3 {
            let watched = rx.clone();
            let mut slot = Some(2);
            let mut items = VecDeque::from([3]);
            futures::select! {
                result = tx.send(1) => sent += usize::from(result.is_ok()),
                result = tx.send_from(&mut slot) => sent += usize::from(result.is_ok()),
                result = tx.send_many(&mut items) => sent += usize::from(result.is_ok()),
                result = tx.send_until(4, pending::<()>()) => sent += usize::from(result.is_ok()),
                permit = tx.reserve() => drop(permit),
                value = watched.recv_until(pending::<()>()) => received += usize::from(value.is_ok()),
                value = rx.next() => received += usize::from(value.is_some()),
                value = watched.recv() => received += usize::from(value.is_ok()),
                count = watched.recv_many(&mut out, 9) => received += count.unwrap(),
                () = tx.closed() => unreachable!("the channel is open"),
                () = watched.closed() => unreachable!("the channel is open"),
            }
        }
    });
}

/// Each operation is a bare arm of `tokio::select!`.
#[tokio::test]
async fn operations_are_bare_arms_of_the_select_of_tokio() {
    let (tx, mut rx) = bounded(1);
    let (mut sent, mut received) = (0, 0);
    while sent < 3 || received < 3 {
        let watched = rx.clone();
        tokio::select! {
            result = tx.send(1) => sent += usize::from(result.is_ok()),
            permit = tx.reserve() => drop(permit),
            value = rx.next() => received += usize::from(value.is_some()),
            value = watched.recv() => received += usize::from(value.is_ok()),
            () = tx.closed() => unreachable!("the channel is open"),
        }
    }
}

/// What the feature `time` adds.
#[cfg(feature = "time")]
const fn timed_signatures<T>() {
    let _: fn(&Sender<T>, T, Duration) -> SendUntilFuture<'_, T, Timer> = Sender::send_timeout;
    let _: fn(&Receiver<T>, Duration) -> RecvUntilFuture<'_, T, Timer> = Receiver::recv_timeout;
}
#[cfg(feature = "time")]
const _: () = timed_signatures::<NotSend>();
#[cfg(feature = "time")]
assert_impl!(Timer: Send + Sync + Unpin + Debug + Future<Output = ()>);
