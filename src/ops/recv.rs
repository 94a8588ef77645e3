//! The futures that receive.

use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use crate::chan::{Chan, Locked};
use crate::error::{RecvError, TryRecvError, polled_after_ready, present};
use crate::handles::receiver::Receiver;
use crate::hchan::sudog::Ticket;
use crate::hchan::{HchanOf, Look, Served};
use crate::mask::masked;
use crate::sync::Exclusive;
use crate::wakes::{Surplus, Wakes};
use crate::watch::{Caller, What};

/// What happens to a value that a receive gets: it is returned, or leased. All else is the same for both.
pub(crate) trait Way<T>: Sized {
    type Got;

    /// The age of the value that the receive would get now, if it is needed later.
    fn age(&self, hchan: &mut HchanOf<T>, place: Option<&Ticket>) -> u64;

    /// The receive got a value at once, and served nobody.
    fn take_alone(&mut self, hchan: Locked<'_, T>, value: T, age: u64) -> Self::Got;

    /// The receive got a value, and perhaps served `next`.
    fn take(
        &mut self,
        hchan: Locked<'_, T>,
        elem: &mut Option<T>,
        next: Option<Served>,
        age: u64,
    ) -> Self::Got;

    /// The receive may get a value at once, and serves somebody else.
    fn serve(&mut self, mut hchan: Locked<'_, T>, age: u64) -> Result<Self::Got, TryRecvError> {
        let mut elem = None;
        let next = hchan.recv_and_serve(&mut elem)?;
        Ok(self.take(hchan, &mut elem, next, age))
    }

    /// The receive claimed a value that it was handed.
    fn claim(&mut self, hchan: Locked<'_, T>, elem: &mut Option<T>, age: u64) -> Self::Got;
}

/// The value is returned.
pub(crate) struct Plainly;

impl<T> Way<T> for Plainly {
    type Got = T;

    #[inline]
    fn age(&self, _: &mut HchanOf<T>, _: Option<&Ticket>) -> u64 {
        0
    }

    #[inline]
    fn take_alone(&mut self, hchan: Locked<'_, T>, value: T, _: u64) -> T {
        drop(hchan);
        value
    }

    #[inline]
    fn serve(&mut self, hchan: Locked<'_, T>, _: u64) -> Result<T, TryRecvError> {
        let mut elem = None;
        hchan.serve_and_unlock(&mut elem)?;
        Ok(present(elem))
    }

    #[inline]
    fn take(
        &mut self,
        hchan: Locked<'_, T>,
        elem: &mut Option<T>,
        next: Option<Served>,
        _: u64,
    ) -> T {
        hchan.unlock_with(elem, next);
        present(elem.take())
    }

    #[inline]
    fn claim(&mut self, hchan: Locked<'_, T>, elem: &mut Option<T>, _: u64) -> T {
        if hchan.is_closed() {
            hchan.unlock_and_settle();
        } else {
            drop(hchan);
        }
        present(elem.take())
    }
}

/// One poll of a receive, which stands in line at `place` once it has parked.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a third fewer instructions where nothing waits; the rest is not inlined"
)]
pub(super) fn poll_recv<T, W: Way<T>>(
    receiver: &Receiver<T>,
    mut way: W,
    place: &mut Option<Ticket>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<W::Got, RecvError>> {
    if place.is_some() {
        return poll_in_line(&receiver.chan, way, place, cx);
    }
    receiver.leave_standing();
    if !receiver.chan.recv_parks() {
        if let Some(mut hchan) = receiver.chan.try_lock() {
            let age = way.age(&mut hchan, None);
            match hchan.recv_alone() {
                Ok(Some(value)) => return Poll::Ready(Ok(way.take_alone(hchan, value, age))),
                Ok(None) => {
                    if let Ok(got) = way.serve(hchan, age) {
                        return Poll::Ready(Ok(got));
                    }
                }
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
                Err(TryRecvError::Empty) if !hchan.is_live() => return Poll::Pending,
                Err(TryRecvError::Empty) => {}
            }
        }
    }
    recv_or_park(&receiver.chan, way, place, caller, cx)
}

/// Receives, if that can be done at once, unlocks, and wakes.
#[inline]
pub(crate) fn recv_and_unlock<T, W: Way<T>>(
    mut hchan: Locked<'_, T>,
    way: &mut W,
) -> Result<W::Got, TryRecvError> {
    let age = way.age(&mut hchan, None);
    match hchan.recv_alone()? {
        Some(value) => Ok(way.take_alone(hchan, value, age)),
        None => way.serve(hchan, age),
    }
}

/// A poll that will probably park.
#[inline(never)]
pub(crate) fn recv_or_park<T, W: Way<T>>(
    chan: &Chan<T>,
    mut way: W,
    place: &mut Option<Ticket>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<W::Got, RecvError>> {
    // Cloned before the lock is taken: a clone may use the channel.
    let waker = cx.waker().clone();
    let visit = caller.visit(What::Recv, &waker);
    let mut hchan = chan.lock();
    if !hchan.recv_parks() {
        let (age, mut elem) = (way.age(&mut hchan, None), None);
        match hchan.recv(&mut elem) {
            Ok(next) => {
                let _surplus = Surplus(Some(waker));
                return Poll::Ready(Ok(way.take(hchan, &mut elem, next, age)));
            }
            Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
            Err(TryRecvError::Empty) if !hchan.is_live() => return Poll::Pending,
            Err(TryRecvError::Empty) => {}
        }
    }
    *place = Some(hchan.park_recv(visit, |sudog| sudog.set_task(waker)));
    Poll::Pending
}

/// A poll in line: claims what the receive was handed.
#[inline(never)]
pub(crate) fn poll_in_line<T, W: Way<T>>(
    chan: &Chan<T>,
    mut way: W,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<W::Got, RecvError>> {
    let (mut hchan, mut elem) = (chan.lock(), None);
    let age = way.age(&mut hchan, place.as_ref());
    match hchan.claim(place, &mut elem, cx.waker()) {
        Look::Done => Poll::Ready(Ok(way.claim(hchan, &mut elem, age))),
        Look::Closed => Poll::Ready(Err(RecvError)),
        Look::Parked => Poll::Pending,
        Look::Elsewhere => {
            drop(hchan);
            if is_renewed(chan, place.as_ref(), cx) {
                Poll::Pending
            } else {
                poll_in_line(chan, way, place, cx)
            }
        }
    }
}

/// From now on a parked receive wakes this task: false if it was completed while the waker was cloned. The waker
/// that is not needed is dropped before the value is claimed, since that drop may panic.
#[cold]
fn is_renewed<T>(chan: &Chan<T>, ticket: Option<&Ticket>, cx: &Context<'_>) -> bool {
    let waker = cx.waker().clone();
    let (is_parked, _left) = match ticket {
        Some(ticket) => chan.lock().renew(ticket, waker),
        None => (false, None),
    };
    is_parked
}

/// Leaves the line. A value that the receive was handed goes to the next, or back.
#[inline]
pub(crate) fn leave_line<T>(chan: &Chan<T>, place: &mut Option<Ticket>) {
    if let Some(ticket) = place.take() {
        leave(chan.lock(), ticket);
    }
}

#[inline(never)]
pub(crate) fn leave<T>(mut hchan: Locked<'_, T>, ticket: Ticket) {
    match hchan.cancel_recv(ticket) {
        // By itself, so that the compiler sees that there is nobody to wake.
        (left, None) => hchan.unlock_to_drop(left, None),
        (left, next) => hchan.unlock_to_drop(left, next),
    }
}

/// Leaves the line, or claims what the receive was handed.
fn cancel<T>(chan: &Chan<T>, place: &mut Option<Ticket>) -> Option<T> {
    place.as_ref()?;
    let (mut hchan, mut elem) = (chan.lock(), None);
    match hchan.claim(place, &mut elem, Waker::noop()) {
        Look::Done => return Some(Plainly.claim(hchan, &mut elem, 0)),
        Look::Closed => {}
        Look::Parked | Look::Elsewhere => {
            if let Some(ticket) = place.take() {
                leave(hchan, ticket);
            }
        }
    }
    None
}

/// The future of [`Receiver::recv`](crate::Receiver::recv).
#[must_use = "futures do nothing unless polled"]
pub struct RecvFuture<'a, T> {
    pub(crate) receiver: &'a Receiver<T>,
    pub(crate) place: Option<Ticket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<'a, T> RecvFuture<'a, T> {
    #[track_caller]
    pub(crate) const fn new(receiver: &'a Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }

    /// Leaves the line, or returns the value that the receive was handed, and ends the future.
    ///
    /// Use it for a receive that you keep after it lost a race. A receive in line is served before all later ones,
    /// even those of the same task: if you keep it, and await another on the same channel, the next value goes to
    /// the one that nobody polls, and the task waits forever. Dropping the receive does as well: a value that it
    /// was handed goes to the next in line, or back in its place.
    ///
    /// # Panics
    ///
    /// The future panics when polled after this.
    ///
    /// # Cost
    ///
    /// One lock, if it was polled before.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use futures::future::{Either, ready, select};
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// if let Either::Right(((), mut recv)) = select(rx.recv(), ready(())).await {
    ///     // `recv` is the first in line, so a second receive would wait behind it.
    ///     tx.send("a message").await.unwrap();
    ///     let message = match recv.cancel() {
    ///         Some(message) => message,
    ///         None => rx.recv().await.unwrap(),
    ///     };
    ///     assert_eq!(message, "a message");
    /// }
    /// # });
    /// ```
    ///
    /// Not in Go, where a goroutine that waits to receive cannot be called back.
    pub fn cancel(&mut self) -> Option<T> {
        self.done = true;
        masked!(cancel(&self.receiver.chan, &mut self.place))
    }
}

/// The future of [`Receiver::recv_owned`](crate::Receiver::recv_owned).
#[must_use = "futures do nothing unless polled"]
pub struct RecvOwnedFuture<T> {
    receiver: Receiver<T>,
    place: Option<Ticket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<T> RecvOwnedFuture<T> {
    #[track_caller]
    pub(crate) const fn new(receiver: Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }

    /// Leaves the line, or returns the value that the receive was handed, and ends the future: as
    /// [`RecvFuture::cancel`].
    ///
    /// # Panics
    ///
    /// The future panics when polled after this.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::FutureExt;
    ///
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut recv = rx.recv_owned();
    /// assert!((&mut recv).now_or_never().is_none());
    /// tx.try_send("handed").unwrap();
    /// assert_eq!(recv.cancel(), Some("handed"));
    /// ```
    ///
    /// Not in Go, as [`RecvFuture::cancel`].
    pub fn cancel(&mut self) -> Option<T> {
        self.done = true;
        masked!(cancel(&self.receiver.chan, &mut self.place))
    }
}

operation! {
    impl [T] for [RecvFuture['_, T], RecvOwnedFuture[T]] -> Result<T, RecvError>;
    once(this, cx) poll_recv(&this.receiver, Plainly, &mut this.place, this.caller, cx);
    leave leave_line(&this.receiver.chan, &mut this.place);
}

/// The future of [`Receiver::next`](crate::Receiver::next).
#[must_use = "futures do nothing unless polled"]
pub struct NextFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: Option<Ticket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<'a, T> NextFuture<'a, T> {
    #[track_caller]
    pub(crate) const fn new(receiver: &'a mut Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl [T] for [NextFuture['_, T]] -> Option<T>;
    poll(this, cx) {
        if this.done {
            polled_after_ready(NAME);
        }
        let polled = poll_recv(this.receiver, Plainly, &mut this.place, this.caller, cx).map(Result::ok);
        this.done = polled.is_ready();
        this.receiver.ended |= matches!(polled, Poll::Ready(None));
        polled
    };
    // Also if the stream has ended, as `select!` with `complete` expects of a stream's `next`.
    is_done this.done || this.receiver.ended;
    leave leave_line(&this.receiver.chan, &mut this.place);
}

/// The future of [`Receiver::recv_many`](crate::Receiver::recv_many).
#[must_use = "futures do nothing unless polled"]
pub struct RecvManyFuture<'a, 'b, T> {
    receiver: &'a Receiver<T>,
    out: Exclusive<&'b mut Vec<T>>,
    limit: usize,
    place: Option<Ticket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<'a, 'b, T> RecvManyFuture<'a, 'b, T> {
    #[track_caller]
    pub(crate) const fn new(receiver: &'a Receiver<T>, out: &'b mut Vec<T>, limit: usize) -> Self {
        Self {
            receiver,
            out: Exclusive::new(out),
            limit,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl [T] for [RecvManyFuture['_, '_, T]] -> Result<usize, RecvError>;
    once(this, cx) match this.limit {
        0 => Poll::Ready(Ok(0)),
        limit => {
            let many = Many { out: this.out.get_mut(), limit, done: &mut this.done };
            poll_recv(this.receiver, many, &mut this.place, this.caller, cx)
        }
    };
    leave leave_line(&this.receiver.chan, &mut this.place);
}

/// The value goes to `out`, and more with it, up to the limit.
struct Many<'a, T> {
    out: &'a mut Vec<T>,
    limit: usize,
    done: &'a mut bool,
}

impl<T> Way<T> for Many<'_, T> {
    type Got = usize;

    #[inline]
    fn age(&self, _: &mut HchanOf<T>, _: Option<&Ticket>) -> u64 {
        0
    }

    fn take_alone(&mut self, hchan: Locked<'_, T>, value: T, age: u64) -> usize {
        self.take(hchan, &mut Some(value), None, age)
    }

    fn take(
        &mut self,
        mut hchan: Locked<'_, T>,
        elem: &mut Option<T>,
        next: Option<Served>,
        _: u64,
    ) -> usize {
        // Before the wakes: what is in `out` stays there, even if one panics.
        *self.done = true;
        let mut wakes = Wakes::new();
        self.out.push(present(elem.take()));
        wakes.extend(next.map(|served| served.waker));
        let more = hchan.recv_more(self.out, self.limit - 1, &mut wakes);
        hchan.settle(&mut wakes);
        hchan.unlock_and_wake_all(wakes);
        1 + more
    }

    fn claim(&mut self, hchan: Locked<'_, T>, elem: &mut Option<T>, age: u64) -> usize {
        self.take(hchan, elem, None, age)
    }
}
