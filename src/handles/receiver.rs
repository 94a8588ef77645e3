//! The receiving handle.

use alloc::vec::Vec;
use core::future::Future;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::time::{Duration, Instant};

use crate::chan::Chan;
use crate::error::{RecvError, RecvTimeoutError, TryRecvError, present};
use crate::handles::both::{Standing, both_handles, too_many_handles};
#[cfg(feature = "std")]
use crate::handles::iter::Iter;
use crate::handles::iter::{Drain, TryIter};
use crate::handles::weak::WeakReceiver;
use crate::hchan::Rest;
use crate::hchan::sudog::Ticket;
use crate::mask::masked;
use crate::ops::lease::{Lease, LeaseFuture};
use crate::ops::recv::{self, NextFuture, Plainly, RecvFuture, RecvManyFuture, RecvOwnedFuture};
use crate::ops::until::RecvUntilFuture;
#[cfg(feature = "std")]
use crate::park;
use crate::sync::Arc;
use crate::wakes::{Unneeded, Wakes};
use crate::watch::{Badge, Caller, Origin, Side};

/// The receiving handle of a channel: Go's `<-chan T`. A `for` loop over it blocks the thread; in async code write
/// `while let Some(value) = rx.next().await`.
///
/// Clone it for more receivers: each value goes to one of them. When the last one is dropped, the
/// channel closes, and the values inside are dropped with it.
///
/// A receiver is also a [`Stream`](futures_core::Stream): it receives again and again, and keeps its place in line
/// from poll to poll until the handle is used in another way.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// let other = rx.clone();
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert_eq!((rx.try_recv(), other.try_recv()), (Ok(1), Ok(2)));
/// ```
#[doc(alias("Rx", "AsyncReceiver", "UnboundedReceiver", "into_stream"))]
pub struct Receiver<T> {
    pub(crate) chan: Arc<Chan<T>>,
    /// The parked receive of [`poll_recv`](Self::poll_recv).
    pub(crate) standing: Standing,
    /// The place of [`poll_closed`](Self::poll_closed) in the queue of `closed`.
    pub(crate) watch: Option<Ticket>,
    /// Whether the stream has ended.
    pub(crate) ended: bool,
    pub(crate) badge: Badge,
}

both_handles!(Receiver);

impl<T> Receiver<T> {
    pub(crate) fn new(chan: Arc<Chan<T>>, badge: Badge) -> Self {
        Self {
            chan,
            standing: Standing::new(),
            watch: None,
            ended: false,
            badge,
        }
    }

    /// Receives a value, waiting until there is one.
    ///
    /// Receivers are served in the order in which they began to wait, which is when the future is
    /// first polled. A receiver that waits is handed its value by the sender, whose send is complete then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a receive that is dropped after it was handed a value, and before it returned it, passes the
    /// value on to the next in line, or puts it back in its place in the channel, before everything sent later.
    ///
    /// Until then nobody else can have the value. So do not hold on to a receive that was polled, neither polling
    /// nor dropping it, while you wait for something else.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained. This is final: while another receive has a value that
    /// may still come back, this one waits.
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// One lock if it does not have to wait. A wait allocates nothing if the channel has had as many waiters
    /// before. If many waiters have large values at once, an allocation for each is possible. When a crowd has gone, its
    /// memory is freed, but for 256 KiB and the room of three values.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.send(1).await.unwrap();
    /// drop(tx);
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert_eq!(rx.recv().await, Err(hchan::RecvError));
    /// # });
    /// ```
    ///
    /// From Go: `value, ok := <-c`.
    #[doc(alias("recv_async", "receive"))]
    #[track_caller]
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(self)
    }

    /// Receives a value, as [`recv`](Self::recv), in a future that owns this receiver, and is `'static` if `T` is.
    ///
    /// The future can be stored in a struct, boxed or spawned. The receiver is dropped with it: clone the receiver
    /// first if you need it later.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv). But the receiver is dropped too; if it was the last, the channel
    /// closes, and the values inside are dropped.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// As [`recv`](Self::recv); the future is larger by the handle.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = hchan::bounded(1);
    /// let received = tokio::spawn(rx.recv_owned());
    /// tx.send("to a task").await.unwrap();
    /// assert_eq!(received.await.unwrap(), Ok("to a task"));
    /// # }
    /// ```
    ///
    /// From Go: `go func() { v := <-c; … }()`.
    #[track_caller]
    pub const fn recv_owned(self) -> RecvOwnedFuture<T> {
        RecvOwnedFuture::new(self)
    }

    /// Receives a value on lease: it leaves the channel, and goes back unless it is [taken](Lease::take).
    ///
    /// Use it for work that must not be lost when its worker panics, is aborted or times out: the value then goes
    /// to the next receiver in line, or back in its place, before everything sent later.
    ///
    /// Until it is taken, the value counts as unclaimed: on a closed channel other receivers wait for it. So a
    /// task that holds the last lease must not wait for another value.
    ///
    /// A lease borrows its receiver. For a task per job, give each task a clone of the receiver, and lease there. A
    /// value that was put back comes next: to retry it later, take it and send it to a channel for retries.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv), and what it returns can be dropped as well.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained, and nothing is leased.
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// As [`recv`](Self::recv), and a short second lock when the value is taken. To put one back takes time
    /// logarithmic in the number of values that are back.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.try_send("a job").unwrap();
    /// tx.try_send("another").unwrap();
    ///
    /// let worker = rx.clone();
    /// let failed = tokio::spawn(async move {
    ///     let job = worker.lease().await.unwrap();
    ///     assert_eq!(*job, "another", "not the one that was expected");
    ///     job.take()
    /// });
    /// assert!(failed.await.unwrap_err().is_panic());
    ///
    /// assert_eq!(rx.recv().await, Ok("a job"));
    /// # drop(tx) }
    /// ```
    ///
    /// Not in Go, where what was received is gone from the channel.
    #[track_caller]
    pub const fn lease(&self) -> LeaseFuture<'_, T> {
        LeaseFuture::new(self)
    }

    /// Receives a value on lease if there is one now: [`lease`](Self::lease) without waiting.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv). While a value is leased, it may still come back: [`TryRecvError::Empty`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.try_send(1).unwrap();
    /// tx.try_send(2).unwrap();
    /// let (first, second) = (rx.try_lease().unwrap(), rx.try_lease().unwrap());
    /// assert_eq!((*first, *second), (1, 2));
    /// drop((second, first));
    /// assert!(rx.try_iter().eq([1, 2]));
    /// ```
    ///
    /// Not in Go, as [`lease`](Self::lease).
    pub fn try_lease(&self) -> Result<Lease<'_, T>, TryRecvError> {
        Lease::attempt(self)
    }

    /// Receives a value if there is one now; never waits.
    ///
    /// On capacity 0 it succeeds only if a send is waiting already. One lock.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if there is nothing to receive now, [`TryRecvError::Closed`] if there
    /// never will be.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TryRecvError;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.try_send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    ///
    /// From Go: `select { case v, ok = <-c: default: }`.
    #[doc(alias = "try_next")]
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.leave_standing();
        masked!(recv::recv_and_unlock(self.chan.lock(), &mut Plainly))
    }

    /// Receives the next value, or `None` once the channel is closed and drained: [`recv`](Self::recv) as a
    /// stream's method.
    ///
    /// It takes precedence over the `next` of `StreamExt` and needs no import. Unlike that one it leaves the line
    /// when it is dropped, so a `next` that loses a select or a timeout leaves nothing behind.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, mut rx) = hchan::unbounded();
    /// (0..3).for_each(|n| tx.try_send(n).unwrap());
    /// drop(tx);
    /// let mut sum = 0;
    /// while let Some(n) = rx.next().await {
    ///     sum += n;
    /// }
    /// assert_eq!(sum, 3);
    /// # });
    /// ```
    ///
    /// From Go: `for v := range c`.
    #[doc(alias = "into_stream")]
    #[expect(
        clippy::should_implement_trait,
        reason = "the name is that of `StreamExt`, before which it comes"
    )]
    #[track_caller]
    pub fn next(&mut self) -> NextFuture<'_, T> {
        NextFuture::new(self)
    }

    /// Receives a value, waiting until `timer` is ready at the latest. Any future can be a timer.
    ///
    /// The receive is tried first, so with a timer that is ready already it never waits. The timer is dropped with
    /// the future. With the feature `time` there is `recv_timeout`, which brings its own.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] or [`RecvTimeoutError::Closed`].
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// use hchan::RecvTimeoutError;
    ///
    /// let (tx, rx) = hchan::bounded::<()>(0);
    /// let timer = tokio::time::sleep(Duration::from_millis(1));
    /// assert_eq!(rx.recv_until(timer).await, Err(RecvTimeoutError::Timeout));
    /// # drop(tx) });
    /// ```
    ///
    /// From Go: `select { case v := <-c: case <-time.After(d): }`.
    #[doc(alias = "timeout")]
    #[doc(alias = "deadline")]
    #[track_caller]
    pub fn recv_until<F: Future>(&self, timer: F) -> RecvUntilFuture<'_, T, F> {
        RecvUntilFuture::new(self.recv(), timer)
    }

    /// Receives up to `limit` values, waiting for the first, and appends them to `out`.
    ///
    /// When the first has come, all that is there is taken under the same lock, including the values of parked
    /// senders. Returns how many came: at least 1, unless `limit` is 0.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv): while it waits, nothing is added to `out`.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained.
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::unbounded();
    /// (0..5).for_each(|n| tx.try_send(n).unwrap());
    /// let mut out = Vec::new();
    /// assert_eq!(rx.recv_many(&mut out, 3).await, Ok(3));
    /// assert_eq!(out, [0, 1, 2]);
    /// # });
    /// ```
    ///
    /// From Go: `v := <-c`, then a loop of `select { case v := <-c: default: }`.
    #[doc(alias = "ready_chunks")]
    #[track_caller]
    pub fn recv_many<'a, 'b>(
        &'a self,
        out: &'b mut Vec<T>,
        limit: usize,
    ) -> RecvManyFuture<'a, 'b, T> {
        let limit = countable(limit, out);
        RecvManyFuture::new(self, out, limit)
    }

    /// Receives up to `limit` values without waiting, under one lock, and appends them to `out`.
    ///
    /// The same as [`try_recv`](Self::try_recv) again and again, so it includes the values of parked senders.
    /// Returns how many came: at least 1, unless `limit` is 0.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], if there is no value at all.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::unbounded();
    /// (0..5).for_each(|n| tx.try_send(n).unwrap());
    /// let mut out = Vec::new();
    /// assert_eq!(rx.try_recv_many(&mut out, 9), Ok(5));
    /// assert!(rx.try_recv_many(&mut out, 9).unwrap_err().is_empty());
    /// ```
    ///
    /// From Go: a loop of `select { case v := <-c: default: }`, in which others may come between.
    #[doc(alias = "drain_into")]
    pub fn try_recv_many(&self, out: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        let limit = countable(limit, out);
        if limit == 0 {
            return Ok(0);
        }
        self.leave_standing();
        masked!({
            let (mut hchan, mut wakes) = (self.chan.lock(), Wakes::new());
            let mut elem = None;
            let served = hchan.recv(&mut elem)?;
            wakes.extend(served.map(|served| served.waker));
            out.push(present(elem));
            let more = hchan.recv_more(out, limit - 1, &mut wakes);
            hchan.unlock_and_wake_all(wakes);
            Ok(1 + more)
        })
    }

    /// Takes all that can be received without waiting, under one lock.
    ///
    /// This includes the values of parked senders. Values that you do not iterate over are dropped.
    ///
    /// # Cost
    ///
    /// A step for each value, under one lock, and a `Vec` for all of them;
    /// [`try_recv_many`](Self::try_recv_many) fills yours.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(3);
    /// (0..3).for_each(|n| tx.try_send(n).unwrap());
    /// assert_eq!(rx.drain().sum::<i32>(), 3);
    /// assert!(rx.is_empty());
    /// ```
    ///
    /// From Go: the same loop, until `default`.
    pub fn drain(&self) -> Drain<'_, T> {
        self.leave_standing();
        masked!({
            let (mut hchan, mut wakes) = (self.chan.lock(), Wakes::new());
            let (mut values, mut ages) = (Vec::new(), Vec::new());
            loop {
                let (age, mut elem) = (hchan.next_age(), None);
                match hchan.recv(&mut elem) {
                    Ok(served) => wakes.extend(served.map(|served| served.waker)),
                    Err(_) => break,
                }
                values.push(present(elem));
                ages.push(age);
            }
            hchan.unlock_with_many(&mut values, &ages, wakes);
            Drain::new(values)
        })
    }

    /// Receives one value in each step, and ends when it would have to wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(3);
    /// (0..3).for_each(|n| tx.try_send(n).unwrap());
    /// assert!(rx.try_iter().eq([0, 1, 2]));
    /// ```
    ///
    /// From Go: a loop of `select { case v := <-c: default: }`.
    pub const fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Receives a value: the poll form of [`recv`](Self::recv), for futures of your own.
    ///
    /// The place in line is kept from poll to poll; the waker of the last poll is the one that wakes.
    ///
    /// # Cancel safety
    ///
    /// When you stop polling, the handle keeps its place and any value it is handed, which nobody else can have
    /// meanwhile. It gives both up when it is dropped or receives in another way, such as [`recv`](Self::recv) or
    /// an arm of a select: the value then goes to the next in line, or back in its place. For a wait that you may
    /// give up, as with a timeout, use [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained. Polled again, it returns the error again.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::future::poll_fn;
    ///
    /// let (tx, mut rx) = hchan::bounded(1);
    /// tx.send("polled").await.unwrap();
    /// assert_eq!(poll_fn(|cx| rx.poll_recv(cx)).await, Ok("polled"));
    /// # });
    /// ```
    ///
    /// Not in Go, whose runtime does the polling.
    #[track_caller]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        self.poll_recv_at(Caller::here(), cx)
    }

    pub(crate) fn poll_recv_at(
        &mut self,
        caller: Caller,
        cx: &Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        masked!({
            let mut standing = self.standing.borrow();
            if standing.place.is_some() {
                recv::poll_in_line(&self.chan, Plainly, &mut standing.place, cx)
            } else {
                recv::recv_or_park(&self.chan, Plainly, &mut standing.place, caller, cx)
            }
        })
    }

    /// Makes a handle that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<()>(1);
    /// let weak = rx.downgrade();
    /// drop(rx);
    /// assert!(tx.is_closed() && weak.upgrade().is_none());
    /// ```
    ///
    /// Not in Go, where a channel ends with the garbage collector.
    #[must_use]
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(self.chan.clone())
    }

    /// Gives up the place in line that polls on the handle itself have left, before it is used in another way. A
    /// value that it was handed goes to the next in line, or back.
    #[inline]
    pub(crate) fn leave_standing(&self) {
        if self.standing.is_some() {
            self.leave_line();
        }
    }

    #[cold]
    #[inline(never)]
    fn leave_line(&self) {
        masked!({
            let hchan = self.chan.lock();
            if let Some(ticket) = self.standing.take() {
                recv::leave(hchan, ticket);
            }
        });
    }
}

/// Receives that block the thread: never call them from async code, where they would stop all tasks on the thread.
#[cfg(feature = "std")]
impl<T> Receiver<T> {
    /// Receives a value, putting the thread to sleep while [`recv`](Self::recv) would wait.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let thread = std::thread::spawn(move || rx.recv_blocking());
    /// tx.send_blocking("to a thread").unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok("to a thread"));
    /// ```
    ///
    /// From Go: `v, ok := <-c`; what a goroutine is there, a thread is here.
    #[doc(alias = "blocking_recv")]
    #[track_caller]
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        // A try first, before the thread prepares to sleep.
        if !self.chan.recv_parks() {
            match self.try_recv() {
                Ok(value) => return Ok(value),
                Err(TryRecvError::Closed) => return Err(RecvError),
                Err(TryRecvError::Empty) => {}
            }
        }
        park::block_on(&mut self.recv())
    }

    /// Receives a value on lease, putting the thread to sleep while [`lease`](Self::lease) would wait.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// As [`lease`](Self::lease).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let thread = std::thread::spawn(move || rx.lease_blocking().map(hchan::Lease::take));
    /// tx.send_blocking("to a thread").unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok("to a thread"));
    /// ```
    ///
    /// Not in Go, as [`lease`](Self::lease).
    #[track_caller]
    pub fn lease_blocking(&self) -> Result<Lease<'_, T>, RecvError> {
        park::block_on(&mut self.lease())
    }

    /// Receives a value, sleeping for at most `timeout`; `Duration::MAX` means forever.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] or [`RecvTimeoutError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded::<()>(0);
    /// assert!(rx.recv_blocking_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// # drop(tx);
    /// ```
    ///
    /// From Go: a `select` of `<-c` and `<-time.After(timeout)`.
    #[doc(alias = "recv_timeout")]
    #[track_caller]
    pub fn recv_blocking_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_in_time(park::deadline(timeout))
    }

    /// Receives a value, sleeping until `deadline` at the latest.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] or [`RecvTimeoutError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(rx.recv_blocking_deadline(std::time::Instant::now()), Ok(1));
    /// ```
    ///
    /// From Go: a `select` of `<-c` and `<-ctx.Done()`, with a deadline.
    #[doc(alias = "recv_deadline")]
    #[track_caller]
    pub fn recv_blocking_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_in_time(Some(deadline))
    }

    #[track_caller]
    fn recv_in_time(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let mut recv = self.recv();
        let received = park::block_on_until(&mut recv, deadline);
        in_time(&mut recv, received)
    }

    /// Blocks the thread for each value until the channel is closed and drained; in async code write
    /// `while let Some(value) = rx.next().await`.
    ///
    /// Each step receives as [`recv_blocking`](Self::recv_blocking) does. [`try_iter`](Self::try_iter) never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let thread = std::thread::spawn(move || rx.iter().sum::<i32>());
    /// (0..4).for_each(|n| tx.send_blocking(n).unwrap());
    /// drop(tx);
    /// assert_eq!(thread.join().unwrap(), 6);
    /// ```
    ///
    /// From Go: `for v := range c`.
    pub const fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }
}

/// What became of a receive whose time may have run out before it ended.
pub(crate) fn in_time<T>(
    recv: &mut RecvFuture<'_, T>,
    received: Option<Result<T, RecvError>>,
) -> Result<T, RecvTimeoutError> {
    match received {
        Some(received) => received.map_err(RecvTimeoutError::from),
        None => recv.cancel().ok_or(RecvTimeoutError::Timeout),
    }
}

/// The limit, but no more than the `Vec` can still count.
fn countable<T>(limit: usize, out: &[T]) -> usize {
    limit.min(usize::MAX - out.len())
}

impl<T> Clone for Receiver<T> {
    /// Makes another receiver, which waits in line on its own.
    ///
    /// Aborts the process, or without `std` panics, if there are more than `u32::MAX`.
    #[track_caller]
    fn clone(&self) -> Self {
        let counted = masked!(self.chan.lock().add_receiver());
        if !counted {
            too_many_handles();
        }
        let badge = self
            .chan
            .watch
            .join(Side::Recv, Origin::Cloned, Caller::here());
        Self::new(self.chan.clone(), badge)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // What may panic as it is dropped is dropped last, including the values that nobody can receive any more.
        let watcher = self
            .watch
            .take()
            .and_then(|place| masked!(self.chan.leave_closeq(&place)));
        let (_watcher, mut _left) = (Unneeded(watcher), Unneeded(None));
        let (mut next, mut _values) = (None, Rest::new());
        masked!({
            let mut hchan = self.chan.lock();
            if let Some(ticket) = self.standing.take() {
                (_left.0, next) = hchan.cancel_recv(ticket);
            }
            let wakes = hchan.remove_receiver(&self.chan, next, &mut _values);
            hchan.unlock_and_wake_all(wakes);
        });
    }
}
