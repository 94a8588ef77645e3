//! The sending handle.

use alloc::collections::VecDeque;
use core::future::Future;
use core::mem;
use core::task::{Context, Poll, ready};
#[cfg(feature = "std")]
use std::time::{Duration, Instant};

use crate::chan::Chan;
use crate::error::{SendError, SendTimeoutError, TrySendError, present, refused};
use crate::handles::both::{both_handles, too_many_handles};
use crate::handles::held::{Held, Holds};
use crate::handles::weak::WeakSender;
use crate::hchan::sudog::Ticket;
use crate::mask::masked;
use crate::ops::reserve::{self, OwnedPermit, Permit, ReserveFuture, ReserveOwnedFuture};
use crate::ops::send::{self, SendFromFuture, SendFuture, SendManyFuture, SendOwnedFuture};
use crate::ops::until::SendUntilFuture;
#[cfg(feature = "std")]
use crate::park;
use crate::sync::Arc;
use crate::wakes::Unneeded;
use crate::watch::{Badge, Caller, Origin, Side};

/// The sending handle of a channel: Go's `chan<- T`.
///
/// Clone it for more senders. When the last one is dropped, the channel closes: what is inside can
/// still be received.
///
/// A sender is also a [`Sink`](futures_sink::Sink), with the feature `sink`.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// let other = tx.clone();
/// tx.try_send(1).unwrap();
/// other.try_send(2).unwrap();
/// drop((tx, other));
/// assert!(rx.try_iter().eq([1, 2]));
/// assert!(rx.is_closed());
/// ```
#[doc(alias("Tx", "AsyncSender", "UnboundedSender"))]
pub struct Sender<T> {
    pub(crate) chan: Arc<Chan<T>>,
    /// What polls on the handle itself have left: the send of [`poll_send`](Self::poll_send), or the slot of
    /// [`poll_reserve`](Self::poll_reserve).
    pub(crate) holds: Holds,
    /// The place of [`poll_closed`](Self::poll_closed) in the queue of `closed`.
    pub(crate) watch: Option<Ticket>,
    #[cfg_attr(
        not(feature = "sink"),
        allow(dead_code, reason = "it is there to be dropped")
    )]
    pub(crate) badge: Badge,
}

both_handles!(Sender);

impl<T> Sender<T> {
    pub(crate) fn new(chan: Arc<Chan<T>>, badge: Badge) -> Self {
        Self {
            chan,
            holds: Holds::new(),
            watch: None,
            badge,
        }
    }

    /// Sends a value, waiting for a free slot or, on capacity 0, for a receiver.
    ///
    /// Senders are served in the order in which they began to wait, which is when the future is first
    /// polled; nobody overtakes. A value goes straight to a receiver that waits for one. On capacity 0, `Ok` means
    /// that a receive has the value; if that receive is dropped before it returns, the value stays in the channel
    /// for the next.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped has either sent its value, or drops it. [`cancel`](SendFuture::cancel) tells which;
    /// [`send_from`](Self::send_from) and [`reserve`](Self::reserve) lose nothing. To send again is to join the
    /// end of the line.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value, if the channel is closed, or is closed while it waits.
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
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send("hello").await?;
    /// assert_eq!(rx.recv().await, Ok("hello"));
    ///
    /// drop(rx);
    /// assert_eq!(tx.send("anyone?").await, Err(hchan::SendError("anyone?")));
    /// # Ok::<(), hchan::SendError<&str>>(()) }).unwrap();
    /// ```
    ///
    /// From Go: `c <- value`, which panics on a closed channel.
    #[doc(alias = "send_async")]
    #[track_caller]
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture::new(self, value)
    }

    /// Sends a value if it can be sent at once; never waits.
    ///
    /// On capacity 0 it succeeds only if a receive is waiting already. One lock.
    ///
    /// # Errors
    ///
    /// The value comes back in [`TrySendError::Full`] or [`TrySendError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TrySendError;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(tx.try_send(1), Ok(()));
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// drop(rx);
    /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    ///
    /// From Go: `select { case c <- value: default: }`.
    #[doc(alias("unbounded_send", "start_send"))]
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.leave_standing();
        let mut elem = Some(value);
        masked!({
            let sent = self.chan.lock().send_and_unlock(&mut elem);
            sent.map_err(|error| error.map(|()| present(elem)))
        })
    }

    /// Sends a value, as [`send`](Self::send), in a future that owns this sender, and is `'static` if `T` is.
    ///
    /// The future can be stored in a struct, boxed or spawned. The sender is dropped with it: clone the sender
    /// first if you need it later.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send): dropped, it has sent the value or drops it, and
    /// [`cancel`](SendOwnedFuture::cancel) tells which.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Cost
    ///
    /// As [`send`](Self::send); the future is larger by the handle.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = hchan::bounded(0);
    /// let sent = tokio::spawn(tx.send_owned("from a task"));
    /// assert_eq!(rx.recv().await, Ok("from a task"));
    /// assert_eq!(sent.await.unwrap(), Ok(()));
    /// # }
    /// ```
    ///
    /// From Go: `go func() { c <- value }()`.
    #[track_caller]
    pub fn send_owned(self, value: T) -> SendOwnedFuture<T> {
        SendOwnedFuture::new(self, value)
    }

    /// Sends the value in `slot`, and puts it back there if it is not sent.
    ///
    /// Waits as [`send`](Self::send) does. The value leaves `slot` when the future is first polled,
    /// and comes back when the send fails, or when the future is dropped before the value was taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: after a drop, `slot` is `None` if the value was sent, `Some` if not. So a send that
    /// loses a `tokio::select!` or a timeout loses nothing.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed; the value is in `slot`.
    ///
    /// # Panics
    ///
    /// If `slot` is `None`. The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut slot = Some("precious");
    /// futures::select_biased! {
    ///     _ = tx.send_from(&mut slot) => unreachable!("nobody receives"),
    ///     default => {}
    /// }
    /// assert_eq!(slot, Some("precious"));
    /// # drop(rx) });
    /// ```
    ///
    /// From Go: `c <- value` in a `select`: if another case is chosen, the value is still yours.
    #[doc(alias = "send_ref")]
    #[track_caller]
    pub fn send_from<'a, 'b>(&'a self, slot: &'b mut Option<T>) -> SendFromFuture<'a, 'b, T> {
        assert!(slot.is_some(), "`send_from` needs a value in its slot");
        SendFromFuture::new(self, slot)
    }

    /// Sends a value, waiting until `timer` is ready at the latest. Any future can be a timer.
    ///
    /// The send is tried first, so with a timer that is ready already it never waits. The timer is dropped with
    /// the future. With the feature `time` there is `send_timeout`, which brings its own.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send): dropped, it has sent the value or drops it.
    ///
    /// # Errors
    ///
    /// The value comes back in [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`].
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
    /// use hchan::SendTimeoutError;
    ///
    /// let (tx, rx) = hchan::bounded(0);
    /// let timer = tokio::time::sleep(Duration::from_millis(1));
    /// assert_eq!(tx.send_until("now?", timer).await, Err(SendTimeoutError::Timeout("now?")));
    /// # drop(rx) });
    /// ```
    ///
    /// From Go: `select { case c <- value: case <-time.After(d): }`.
    #[doc(alias = "timeout")]
    #[doc(alias = "deadline")]
    #[track_caller]
    pub fn send_until<F: Future>(&self, value: T, timer: F) -> SendUntilFuture<'_, T, F> {
        SendUntilFuture::new(self.send(value), timer)
    }

    /// Sends the values in `items`, from the front, as soon as there is room.
    ///
    /// All that fit go in under one lock; then the next one waits in line like a single send. If `items` is empty
    /// it is ready at once with `Ok`, on a closed channel too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not sent is in `items`, in order, also after a drop.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed; what was not sent is in `items`.
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::collections::VecDeque;
    ///
    /// let (tx, rx) = hchan::bounded(3);
    /// let mut items = VecDeque::from([1, 2, 3]);
    /// tx.send_many(&mut items).await?;
    /// assert!(items.is_empty());
    /// assert_eq!(rx.drain().collect::<Vec<_>>(), [1, 2, 3]);
    /// # Ok::<(), hchan::SendError<()>>(()) }).unwrap();
    /// ```
    ///
    /// From Go: a loop of `c <- value`.
    #[doc(alias = "send_all")]
    #[track_caller]
    pub fn send_many<'a, 'b>(&'a self, items: &'b mut VecDeque<T>) -> SendManyFuture<'a, 'b, T> {
        SendManyFuture::new(self, items)
    }

    /// Sends a value without waiting: if the ring is full, its oldest value makes room.
    ///
    /// Returns the value that was removed, if any. The new one goes to the tail of the ring, ahead of parked
    /// senders, which stay parked: it overtakes them. On capacity 0 without a waiting receiver, and if permits
    /// hold every slot, the value itself comes back.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value, if the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// assert_eq!(tx.force_send(1), Ok(None));
    /// assert_eq!(tx.force_send(2), Ok(None));
    /// assert_eq!(tx.force_send(3), Ok(Some(1)));
    /// assert_eq!(rx.drain().collect::<Vec<_>>(), [2, 3]);
    /// ```
    ///
    /// From Go: `select { case c <- v: default: <-c; c <- v }`, in which others may come between.
    #[doc(alias("overwrite", "push"))]
    pub fn force_send(&self, value: T) -> Result<Option<T>, SendError<T>> {
        self.leave_standing();
        let mut elem = Some(value);
        masked!({
            let mut hchan = self.chan.lock();
            match hchan.force_send(&mut elem) {
                Ok(waker) => {
                    hchan.unlock_and_wake(waker);
                    Ok(elem)
                }
                Err(_) => {
                    drop(hchan);
                    Err(SendError(present(elem)))
                }
            }
        })
    }

    /// Waits for a free slot and holds it for a value that comes later.
    ///
    /// Reservations stand in line with the sends, first come, first served.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: when it is dropped, its place, or a permit that it was granted but has not returned, goes to
    /// the next in line.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed.
    ///
    /// # Panics
    ///
    /// On capacity 0, which has no slot to hold; there [`send_from`](Self::send_from) keeps a value that is not
    /// sent. The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.reserve().await.unwrap();
    /// assert!(tx.try_send("me first").unwrap_err().is_full());
    /// permit.send("made when sure of its place").unwrap();
    /// # drop(rx) });
    /// ```
    ///
    /// Not in Go, where the value comes before the wait.
    #[doc(alias = "permit")]
    #[track_caller]
    pub fn reserve(&self) -> ReserveFuture<'_, T> {
        self.check_slots();
        ReserveFuture::new(self)
    }

    /// Holds a slot for a value that comes later, if one is free now; never waits.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] or [`TrySendError::Closed`], as [`try_send`](Self::try_send).
    ///
    /// # Panics
    ///
    /// On capacity 0, as [`reserve`](Self::reserve).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_reserve().unwrap_err().is_full());
    /// permit.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    ///
    /// Not in Go, as [`reserve`](Self::reserve).
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.check_slots();
        self.leave_standing();
        let reserved = masked!(self.chan.lock().reserve());
        reserved.map(|()| Permit::new(&self.chan))
    }

    /// Waits for a free slot and holds it, as [`reserve`](Self::reserve), in a permit that owns this sender:
    /// future and permit are `'static` if `T` is.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`reserve`](Self::reserve). The sender goes with the future.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed; the sender is dropped.
    ///
    /// # Panics
    ///
    /// On capacity 0, as [`reserve`](Self::reserve). The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.reserve_owned().await.unwrap();
    /// let tx = permit.send("made when sure of its place").unwrap();
    /// # drop((tx, rx)) });
    /// ```
    ///
    /// Not in Go, as [`reserve`](Self::reserve).
    #[track_caller]
    pub fn reserve_owned(self) -> ReserveOwnedFuture<T> {
        self.check_slots();
        ReserveOwnedFuture::new(self)
    }

    /// Holds a slot, if one is free now, in a permit that owns this sender; never waits.
    ///
    /// # Errors
    ///
    /// The sender comes back in [`TrySendError::Full`] or [`TrySendError::Closed`].
    ///
    /// # Panics
    ///
    /// On capacity 0, as [`reserve`](Self::reserve).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.clone().try_reserve_owned().unwrap();
    /// let tx = tx.try_reserve_owned().unwrap_err().into_inner();
    /// permit.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// # drop(tx);
    /// ```
    ///
    /// Not in Go, as [`reserve`](Self::reserve).
    #[track_caller]
    pub fn try_reserve_owned(mut self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        self.check_slots();
        self.leave_standing();
        let reserved = masked!(self.chan.lock().reserve());
        match reserved {
            Ok(()) => {
                self.holds.keep(Held::SLOT);
                Ok(OwnedPermit::new(self))
            }
            Err(error) => Err(error.map(|()| self)),
        }
    }

    /// Waits for a free slot and holds it: the poll form of [`reserve_owned`](Self::reserve_owned), for futures
    /// and services of your own. The permit has a clone of this sender.
    ///
    /// The place in line is kept from poll to poll; the waker of the last poll is the one that wakes. A value that
    /// [`poll_send`](Self::poll_send) has staged is sent first.
    ///
    /// # Cancel safety
    ///
    /// When you stop polling, the handle keeps its place, or the slot that it was granted, until it is dropped or
    /// sends or reserves in another way.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed; a value that was staged is dropped then. Polled again, it returns
    /// the error again.
    ///
    /// # Panics
    ///
    /// On capacity 0, as [`reserve`](Self::reserve).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::future::poll_fn;
    ///
    /// let (mut tx, rx) = hchan::bounded(1);
    /// let permit = poll_fn(|cx| tx.poll_reserve(cx)).await?;
    /// permit.send("a request").unwrap();
    /// assert_eq!(rx.recv().await, Ok("a request"));
    /// # Ok::<(), hchan::SendError<()>>(()) }).unwrap();
    /// ```
    ///
    /// Not in Go, as [`reserve`](Self::reserve).
    #[track_caller]
    pub fn poll_reserve(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<OwnedPermit<T>, SendError<()>>> {
        self.check_slots();
        if let Err(SendError(_staged)) = ready!(self.poll_slot(Caller::here(), cx)) {
            return Poll::Ready(Err(SendError(())));
        }
        let mut sender = self.clone();
        sender.holds.keep(self.holds.take());
        Poll::Ready(Ok(OwnedPermit::new(sender)))
    }

    /// Waits for a slot and keeps it; what is staged is sent first. If the channel is closed, the error has what
    /// was staged.
    pub(crate) fn poll_slot(
        &mut self,
        caller: Caller,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError<Option<T>>>> {
        if let Err(SendError(staged)) = ready!(self.poll_staged(caller, cx)) {
            return Poll::Ready(Err(SendError(Some(staged))));
        }
        let mut held = self.holds.borrow();
        if !held.slot {
            let place = &mut held.place;
            let reserved = ready!(masked!(reserve::poll_reserve(
                &self.chan, place, caller, cx
            )));
            held.slot = reserved.map(mem::forget).is_ok();
        }
        Poll::Ready(if held.slot {
            Ok(())
        } else {
            Err(SendError(None))
        })
    }

    /// Waits until what is staged was sent.
    pub(crate) fn poll_staged(
        &mut self,
        caller: Caller,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if !self.holds.is_staged() {
            return Poll::Ready(Ok(()));
        }
        let (mut held, mut staged) = (self.holds.borrow(), None);
        let (place, value) = (&mut held.staged, &mut staged);
        let polled = masked!(send::poll_send(&self.chan, place, value, caller, cx));
        polled.map(|sent| refused(sent, &mut staged))
    }

    /// Sends into the slot that it holds.
    pub(crate) fn send_held(&mut self, value: T) -> Result<(), SendError<T>> {
        let held = self.holds.take_standing();
        debug_assert!(held.slot);
        masked!(reserve::send_reserved(&self.chan, value))
    }

    /// Gives up the slot that a poll on the handle itself has left, or the place in line for one, before something
    /// else is sent.
    #[inline]
    pub(crate) fn leave_standing(&self) {
        if self.holds.is_standing() {
            self.leave_line();
        }
    }

    #[cold]
    #[inline(never)]
    fn leave_line(&self) {
        masked!({
            let mut hchan = self.chan.lock();
            let held = self.holds.take_standing();
            let (left, next) = held.give_up(&mut hchan, &mut None);
            hchan.unlock_to_drop(left, next);
        });
    }

    #[track_caller]
    fn check_slots(&self) {
        assert!(
            self.chan.has_slots(),
            "a channel of capacity 0 has no slots to reserve: `send_from` keeps a value that is not sent"
        );
    }

    /// Sends the value in `item`: the poll form of [`send`](Self::send), for futures of your own.
    ///
    /// If it must wait, the value is staged: it leaves `item` and stands in line in the channel, and
    /// the place is kept from poll to poll. So poll until ready, with `item` empty from the second
    /// poll on; a value that is in `item` by then is sent after the staged one. With nothing staged
    /// and nothing in `item` it is ready. On a `never` channel nothing is staged, and `item` keeps its
    /// value.
    ///
    /// # Cancel safety
    ///
    /// A staged value stays in line when you stop polling; other sends on this handle go behind it.
    /// Dropping the handle drops it.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the staged value, or else the one in `item`, if the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::future::poll_fn;
    ///
    /// let (mut tx, rx) = hchan::bounded(1);
    /// let mut item = Some("polled");
    /// poll_fn(|cx| tx.poll_send(cx, &mut item)).await?;
    /// assert_eq!(rx.recv().await, Ok("polled"));
    /// # Ok::<(), hchan::SendError<&str>>(()) }).unwrap();
    /// ```
    ///
    /// Not in Go, whose runtime does the polling.
    #[doc(alias = "poll_ready")]
    #[track_caller]
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        item: &mut Option<T>,
    ) -> Poll<Result<(), SendError<T>>> {
        self.poll_send_at(Caller::here(), cx, item)
    }

    pub(crate) fn poll_send_at(
        &mut self,
        caller: Caller,
        cx: &Context<'_>,
        item: &mut Option<T>,
    ) -> Poll<Result<(), SendError<T>>> {
        self.leave_standing();
        ready!(self.poll_staged(caller, cx))?;
        if item.is_none() {
            return Poll::Ready(Ok(()));
        }
        let mut held = self.holds.borrow();
        let place = &mut held.staged;
        let polled = masked!(send::poll_send(&self.chan, place, item, caller, cx));
        polled.map(|sent| refused(sent, item))
    }

    /// Makes a handle that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<()>(1);
    /// let weak = tx.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// ```
    ///
    /// Not in Go, where a channel ends with the garbage collector.
    #[must_use]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(self.chan.clone())
    }
}

/// Sends that block the thread: never call them from async code, where they would stop all tasks on the thread.
#[cfg(feature = "std")]
impl<T> Sender<T> {
    /// Sends a value, putting the thread to sleep while [`send`](Self::send) would wait.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value, if the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let thread = std::thread::spawn(move || tx.send_blocking("from a thread"));
    /// assert_eq!(rx.recv_blocking(), Ok("from a thread"));
    /// assert_eq!(thread.join().unwrap(), Ok(()));
    /// ```
    ///
    /// From Go: `c <- value`; what a goroutine is there, a thread is here.
    #[doc(alias = "blocking_send")]
    #[track_caller]
    pub fn send_blocking(&self, mut value: T) -> Result<(), SendError<T>> {
        // A try first, before the thread prepares to sleep.
        if !self.chan.send_parks() {
            match self.try_send(value) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(back)) => return Err(SendError(back)),
                Err(TrySendError::Full(back)) => value = back,
            }
        }
        park::block_on(&mut self.send(value))
    }

    /// Sends a value, sleeping for at most `timeout`; `Duration::MAX` means forever.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// The value comes back in [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded(0);
    /// let error = tx.send_blocking_timeout(1, Duration::from_millis(1)).unwrap_err();
    /// assert!(error.is_timeout());
    /// # drop(rx);
    /// ```
    ///
    /// From Go: a `select` of `c <- value` and `<-time.After(timeout)`.
    #[doc(alias = "send_timeout")]
    #[track_caller]
    pub fn send_blocking_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut send = self.send(value);
        let sent = park::block_on_until(&mut send, park::deadline(timeout));
        in_time(&mut send, sent)
    }

    /// Sends a value, sleeping until `deadline` at the latest.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// The value comes back in [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(tx.send_blocking_deadline(1, std::time::Instant::now()), Ok(()));
    /// # drop(rx);
    /// ```
    ///
    /// From Go: a `select` of `c <- value` and `<-ctx.Done()`, with a deadline.
    #[doc(alias = "send_deadline")]
    #[track_caller]
    pub fn send_blocking_deadline(
        &self,
        value: T,
        deadline: Instant,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut send = self.send(value);
        let sent = park::block_on_until(&mut send, Some(deadline));
        in_time(&mut send, sent)
    }
}

/// What became of a send whose time may have run out before it ended.
pub(crate) fn in_time<T>(
    send: &mut SendFuture<'_, T>,
    sent: Option<Result<(), SendError<T>>>,
) -> Result<(), SendTimeoutError<T>> {
    match sent {
        Some(sent) => sent.map_err(SendTimeoutError::from),
        None => send
            .cancel()
            .map_or(Ok(()), |value| Err(SendTimeoutError::Timeout(value))),
    }
}

impl<T> Clone for Sender<T> {
    /// Makes another sender, which waits in line on its own.
    ///
    /// Aborts the process, or without `std` panics, if there are more than `u32::MAX`.
    #[track_caller]
    fn clone(&self) -> Self {
        let counted = masked!(self.chan.lock().add_sender());
        if !counted {
            too_many_handles();
        }
        let badge = self
            .chan
            .watch
            .join(Side::Send, Origin::Cloned, Caller::here());
        Self::new(self.chan.clone(), badge)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // What may panic as it is dropped is dropped last.
        let watcher = self
            .watch
            .take()
            .and_then(|place| masked!(self.chan.leave_closeq(&place)));
        let (_watcher, mut _left) = (Unneeded(watcher), Unneeded(None));
        let (mut next, mut _staged) = (None, None);
        masked!({
            let mut hchan = self.chan.lock();
            if !self.holds.is_empty() {
                (_left.0, next) = self.holds.take().give_up(&mut hchan, &mut _staged);
            }
            let wakes = hchan.remove_sender(&self.chan, next);
            hchan.unlock_and_wake_all(wakes);
        });
    }
}
