//! The receiving handle.

use alloc::vec::Vec;
use core::future::Future;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::time::{Duration, Instant};

use crate::chan::{Chan, Held};
use crate::error::{RecvError, RecvTimeoutError, TryRecvError, present};
use crate::handle::{Standing, both_handles, too_many_handles};
use crate::hchan::Hchan;
#[cfg(feature = "std")]
use crate::iter::Iter;
use crate::iter::{Drain, TryIter};
#[cfg(feature = "std")]
use crate::park;
use crate::recv::{RecvFuture, RecvManyFuture};
use crate::sync::Arc;
use crate::until::until;
use crate::wakes::{Visitor, Wakes};
use crate::weak::WeakReceiver;

/// The receiving handle of a channel: Go's `<-chan T`.
///
/// Clone it for more receivers: each value goes to one of them. When the last one is dropped, the
/// channel closes, and the values inside are dropped with it.
///
/// A receiver is also a [`Stream`](futures_core::Stream): a receive that is repeated, and keeps its
/// place in line from poll to poll. Whatever receives on the handle meanwhile takes over that place.
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
pub struct Receiver<T> {
    pub(crate) chan: Arc<Chan<T>>,
    /// The parked receive of [`poll_recv`](Self::poll_recv).
    pub(crate) standing: Standing,
    /// Whether the stream has ended.
    pub(crate) ended: bool,
}

both_handles!(Receiver);

impl<T> Receiver<T> {
    pub(crate) fn new(chan: Arc<Chan<T>>) -> Self {
        Self {
            chan,
            standing: Standing::new(),
            ended: false,
        }
    }

    /// Receives a value, waiting for one to come.
    ///
    /// Receivers are served in the order in which they began to wait, which is when the future is
    /// first polled. One that waits is handed its value by the sender, who is done with it then.
    ///
    /// # Cancel safety
    ///
    /// Strict: a receive that is dropped with a value it was handed but has not returned passes it on
    /// to the next in line, or back into its place in the channel, before all that was sent later.
    ///
    /// Until then the value is spoken for: so do not keep a receive that was polled, without polling
    /// or dropping it, while you wait for something else.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained. It is final: as long as a value may still
    /// come back from another receive that was handed it, this one waits.
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// One lock if it need not wait. A wait allocates nothing once the channel has had as many waiters
    /// before; what a crowd took beyond 128 KiB is given back when it has gone.
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
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(self)
    }

    /// Receives a value if that takes no waiting.
    ///
    /// On capacity 0 that is when a send waits already; a reservation that waits in front of it is passed
    /// by. One lock.
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
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut elem = None;
        match self.quick(&mut elem) {
            Ok(()) => Ok(present(elem)),
            Err(held) => self.try_recv_from(held),
        }
    }

    /// Receives a value, waiting until `timer` is ready at most. Any future is a timer.
    ///
    /// The receive is tried first, so a timer that is ready already makes it a try.
    ///
    /// # Cancel safety
    ///
    /// Strict, as [`recv`](Self::recv).
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
    pub async fn recv_until(&self, timer: impl Future) -> Result<T, RecvTimeoutError> {
        in_time(until(&mut self.recv(), timer).await)
    }

    /// Receives up to `limit` values, waiting for the first, and appends them to `out`.
    ///
    /// What is there when the first has come is taken under one lock, the values of parked senders
    /// included. Returns how many came: at least 1, unless `limit` is 0.
    ///
    /// # Cancel safety
    ///
    /// Strict, as [`recv`](Self::recv): while it waits nothing is in `out`.
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
    /// The same as [`try_recv`](Self::try_recv) again and again, so the values of parked senders are
    /// among them. Returns how many came: at least 1, unless `limit` is 0.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`], if not one value came.
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
    pub fn try_recv_many(&self, out: &mut Vec<T>, limit: usize) -> Result<usize, TryRecvError> {
        let limit = countable(limit, out);
        if limit == 0 {
            return Ok(0);
        }
        self.chan.with(|hchan, wakes| {
            out.push(self.attempt(hchan, wakes)?);
            Ok(1 + hchan.recv_more(out, limit - 1, wakes))
        })
    }

    /// Takes all that can be received without waiting, under one lock.
    ///
    /// The values of parked senders are among them. What is not iterated over is dropped.
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
        let take_all = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            let attempts = core::iter::from_fn(|| {
                let age = hchan.next_age();
                match self.claim(hchan, wakes) {
                    Some(claimed) => Some(claimed),
                    None => hchan.recv(wakes).ok().map(|value| (value, age)),
                }
            });
            attempts.collect::<Vec<_>>()
        };
        let values = self.chan.take_aged(None, take_all, |values| values);
        Drain::new(values)
    }

    /// Receives one value for each step, until that would take waiting.
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
    /// Strict: the handle keeps its place, and what it was handed, when you stop polling. The next
    /// receive on the handle, of whatever kind, takes both over; dropping the handle passes them on.
    /// Until then others do not get what it is handed, so for a wait that may be given up, as in a timeout,
    /// there is [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained. It may be polled again, and says so again.
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
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let visitor = Visitor::new(cx);
        let receive = |hchan: &mut Hchan<T>, visitor: &mut Visitor<'_>, wakes: &mut Wakes| {
            let mut place = self.standing.take(hchan);
            let polled = hchan.poll_recv(&mut place, visitor, wakes);
            self.standing.keep(place);
            polled
        };
        self.chan.poll_take(None, visitor, receive, Result::ok)
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

    /// Receives if that concerns nobody else, and this handle does not stand in line.
    #[inline]
    pub(crate) fn quick(&self, elem: &mut Option<T>) -> Result<(), Held<'_, T>> {
        self.chan.quick(|hchan, forecast| {
            if self.standing.is_some() {
                return None;
            }
            hchan.recv_quick(elem, forecast)
        })
    }

    /// Receives from the sender who stands first, if this handle does not stand in line.
    #[inline]
    pub(crate) fn meet<'a>(
        &'a self,
        held: Held<'a, T>,
        elem: &mut Option<T>,
    ) -> Result<(), Held<'a, T>> {
        self.chan.meet(held, elem, |hchan, elem, forecast| {
            if self.standing.is_some() {
                return None;
            }
            hchan.recv_meet(elem, forecast)
        })
    }

    /// Receives without waiting, by the rules in full unless it meets a sender.
    #[inline(never)]
    fn try_recv_from<'a>(&'a self, held: Held<'a, T>) -> Result<T, TryRecvError> {
        let mut elem = None;
        let held = match self.meet(held, &mut elem) {
            Ok(()) => return Ok(present(elem)),
            Err(held) => held,
        };
        let attempt = |hchan: &mut Hchan<T>, wakes: &mut Wakes| self.attempt(hchan, wakes);
        self.chan.take(held, attempt, Result::ok)
    }

    /// Receives without waiting: first what this handle was handed while it stood in line.
    pub(crate) fn attempt(
        &self,
        hchan: &mut Hchan<T>,
        wakes: &mut Wakes,
    ) -> Result<T, TryRecvError> {
        match self.claim(hchan, wakes) {
            Some((value, _)) => Ok(value),
            None => hchan.recv(wakes),
        }
    }

    /// Takes what this handle was handed while it stood in line, and tells the value's age.
    pub(crate) fn claim(&self, hchan: &mut Hchan<T>, wakes: &mut Wakes) -> Option<(T, u64)> {
        let mut place = self.standing.take(hchan);
        let claimed = hchan.try_claim(&mut place, wakes);
        self.standing.keep(place);
        claimed
    }
}

/// Receives on a thread that may sleep: on one that runs tasks it stops them all.
#[cfg(feature = "std")]
impl<T> Receiver<T> {
    /// Receives a value, putting the thread to sleep while [`recv`](Self::recv) would wait.
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
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        let mut recv = self.recv();
        match recv.at_once() {
            Some(value) => Ok(value),
            None => park::block_on(&mut recv),
        }
    }

    /// Receives a value, sleeping for `timeout` at most; `Duration::MAX` is for ever.
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
    pub fn recv_blocking_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        in_time(park::block_on_until(
            &mut self.recv(),
            park::deadline(timeout),
        ))
    }

    /// Receives a value, sleeping until `deadline` at most.
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
    pub fn recv_blocking_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        in_time(park::block_on_until(&mut self.recv(), Some(deadline)))
    }

    /// Receives one value for each step, sleeping as needed, until the channel is closed and drained.
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
fn in_time<T>(received: Option<Result<T, RecvError>>) -> Result<T, RecvTimeoutError> {
    match received {
        Some(received) => received.map_err(RecvTimeoutError::from),
        None => Err(RecvTimeoutError::Timeout),
    }
}

/// The limit, or as many more as a `Vec` of these can count.
fn countable<T>(limit: usize, out: &[T]) -> usize {
    limit.min(usize::MAX - out.len())
}

impl<T> Clone for Receiver<T> {
    /// Makes another receiver, with a place of its own in line.
    ///
    /// Aborts the process, or without `std` panics, if there are more than `u32::MAX`.
    fn clone(&self) -> Self {
        if !self.chan.with(|hchan, _| hchan.add_receiver()) {
            too_many_handles();
        }
        Self::new(self.chan.clone())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // The values that nobody can receive any more are dropped last, outside the lock.
        let _values = self.chan.with(|hchan, wakes| {
            if let Some(ticket) = self.standing.take(hchan) {
                hchan.cancel_recv(ticket, wakes);
            }
            hchan.remove_receiver(&self.chan.closeq, wakes)
        });
    }
}
