//! The futures that send: three ways to keep the value, one way to wait.

use alloc::collections::VecDeque;
use core::task::{Context, Poll, Waker};

use super::{renew, with_waker};
use crate::chan::{Chan, Locked};
use crate::error::{SendError, TrySendError, polled_after_ready, refused};
use crate::handles::sender::Sender;
use crate::hchan::sudog::SendTicket;
use crate::hchan::{HchanOf, Look};
use crate::mask::masked;
use crate::sync::Exclusive;
use crate::wakes::{Unneeded, Wakes};
use crate::watch::{Caller, What};

/// One poll of a send whose value is in `value`, or stands in line at `place` once it has parked.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a third fewer instructions where nothing waits; the rest is not inlined"
)]
pub(crate) fn poll_send<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    if let Some(ticket) = place {
        if chan.has_sent(ticket) {
            ticket.ticket.op.finish();
            *place = None;
            return Poll::Ready(Ok(()));
        }
        return poll_in_line(chan, place, value, cx);
    }
    if !chan.send_parks() {
        if let Some(mut hchan) = chan.try_lock() {
            match hchan.send(value) {
                Ok(waker) => {
                    hchan.unlock_and_wake(waker);
                    return Poll::Ready(Ok(()));
                }
                Err(TrySendError::Closed(())) => return Poll::Ready(Err(SendError(()))),
                Err(TrySendError::Full(())) if !hchan.is_live() => return Poll::Pending,
                Err(TrySendError::Full(())) => {}
            }
        }
    }
    send_or_park(chan, place, value, caller, cx)
}

/// A poll that will probably park.
#[inline(never)]
fn send_or_park<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    // Cloned before the lock is taken: a clone may use the channel.
    let waker = cx.waker().clone();
    let visit = caller.visit(What::Send, &waker);
    let mut hchan = chan.lock();
    if !hchan.send_parks() {
        match hchan.send_if(value) {
            Ok(next) => {
                let _unneeded = Unneeded(Some(waker));
                hchan.unlock_and_wake(next);
                return Poll::Ready(Ok(()));
            }
            Err(TrySendError::Closed(())) => return Poll::Ready(Err(SendError(()))),
            Err(TrySendError::Full(())) if !hchan.is_live() => return Poll::Pending,
            Err(TrySendError::Full(())) => {}
        }
    }
    *place = Some(hchan.park_send(value, visit, |sudog| sudog.set_task(waker)));
    Poll::Pending
}

/// A poll in line.
#[inline(never)]
pub(crate) fn poll_in_line<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    with_waker(cx, |waker| {
        let look = look(&mut chan.lock(), place, value, cx.waker(), waker);
        match look {
            Look::Done => Some(Poll::Ready(Ok(()))),
            Look::Closed => Some(Poll::Ready(Err(SendError(())))),
            Look::Parked => Some(Poll::Pending),
            Look::Elsewhere => None,
        }
    })
}

/// Looks at what became of a parked send, under the lock.
#[inline]
fn look<T>(
    hchan: &mut HchanOf<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    task: &Waker,
    waker: &mut Option<Waker>,
) -> Look {
    let look = hchan.look_send(place, value, task);
    let ticket = place.as_ref().map(|place| &place.ticket);
    renew(hchan, look, ticket, waker)
}

/// Leaves the line. The value is in `value` again, unless it was sent.
#[inline]
pub(crate) fn leave_line<T>(chan: &Chan<T>, place: &mut Option<SendTicket>, value: &mut Option<T>) {
    if let Some(ticket) = place.take() {
        if !chan.has_sent(&ticket) {
            leave(chan, ticket, value);
        }
    }
}

#[inline(never)]
fn leave<T>(chan: &Chan<T>, ticket: SendTicket, value: &mut Option<T>) {
    let mut hchan = chan.lock();
    let left = hchan.cancel_send(ticket, value);
    hchan.unlock_to_drop(left, None);
}

/// The future of [`Sender::send`](crate::Sender::send).
#[must_use = "futures do nothing unless polled"]
pub struct SendFuture<'a, T> {
    pub(crate) chan: &'a Chan<T>,
    /// The value, until it is sent or stands in line.
    pub(crate) value: Exclusive<Option<T>>,
    pub(crate) place: Option<SendTicket>,
    pub(crate) caller: Caller,
}

/// The future of [`Sender::send_owned`](crate::Sender::send_owned).
#[must_use = "futures do nothing unless polled"]
pub struct SendOwnedFuture<T> {
    sender: Sender<T>,
    value: Exclusive<Option<T>>,
    place: Option<SendTicket>,
    pub(crate) caller: Caller,
}

// Never pinned: the channel knows the place in line, not the future's address.
impl<T> Unpin for SendFuture<'_, T> {}
impl<T> Unpin for SendOwnedFuture<T> {}

impl<'a, T> SendFuture<'a, T> {
    #[track_caller]
    pub(crate) fn new(sender: &'a Sender<T>, value: T) -> Self {
        sender.leave_standing();
        Self {
            chan: &sender.chan,
            value: Exclusive::new(Some(value)),
            place: None,
            caller: Caller::here(),
        }
    }

    /// Takes the value back, if no one has taken it, and ends the future.
    ///
    /// `None` means that the value was sent, or was returned earlier. O(1).
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
    /// let mut send = tx.send("undecided");
    /// assert!((&mut send).now_or_never().is_none());
    /// assert_eq!(send.cancel(), Some("undecided"));
    /// # drop(rx);
    /// ```
    ///
    /// Not in Go, where a goroutine that waits to send cannot be called back.
    pub fn cancel(&mut self) -> Option<T> {
        masked!(cancel(self.chan, &mut self.place, self.value.get_mut()))
    }
}

impl<T> SendOwnedFuture<T> {
    #[track_caller]
    pub(crate) fn new(sender: Sender<T>, value: T) -> Self {
        sender.leave_standing();
        Self {
            sender,
            value: Exclusive::new(Some(value)),
            place: None,
            caller: Caller::here(),
        }
    }

    /// Takes the value back, if no one has taken it, and ends the future: as [`SendFuture::cancel`].
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
    /// let mut send = tx.send_owned("undecided");
    /// assert!((&mut send).now_or_never().is_none());
    /// assert_eq!(send.cancel(), Some("undecided"));
    /// # drop(rx);
    /// ```
    ///
    /// Not in Go, as [`SendFuture::cancel`].
    pub fn cancel(&mut self) -> Option<T> {
        let chan = &self.sender.chan;
        masked!(cancel(chan, &mut self.place, self.value.get_mut()))
    }
}

/// Leaves the line, and takes the value back, unless it was sent.
fn cancel<T>(chan: &Chan<T>, place: &mut Option<SendTicket>, value: &mut Option<T>) -> Option<T> {
    leave_line(chan, place, value);
    value.take()
}

operation! {
    impl [T] for [SendFuture['_, T]] -> Result<(), SendError<T>>;
    poll(this, cx) poll_own(NAME, this.chan, &mut this.place, this.value.get_mut(), this.caller, cx);
    is_done this.place.is_none() && this.value.look(Option::is_none);
    leave leave_line(this.chan, &mut this.place, this.value.get_mut());
}

operation! {
    impl [T] for [SendOwnedFuture[T]] -> Result<(), SendError<T>>;
    poll(this, cx) {
        let chan = &this.sender.chan;
        poll_own(NAME, chan, &mut this.place, this.value.get_mut(), this.caller, cx)
    };
    is_done this.place.is_none() && this.value.look(Option::is_none);
    leave leave_line(&this.sender.chan, &mut this.place, this.value.get_mut());
}

/// One poll of a send that has its own value.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as `poll_send`")]
fn poll_own<T>(
    name: &str,
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<T>>> {
    if value.is_none() && place.is_none() {
        polled_after_ready(name);
    }
    match poll_send(chan, place, value, caller, cx) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
        Poll::Ready(Err(refusal)) => Poll::Ready(refused(Err(refusal), value)),
    }
}

/// The future of [`Sender::send_from`](crate::Sender::send_from).
#[must_use = "futures do nothing unless polled"]
pub struct SendFromFuture<'a, 'b, T> {
    pub(crate) chan: &'a Chan<T>,
    pub(crate) slot: Exclusive<&'b mut Option<T>>,
    pub(crate) place: Option<SendTicket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<'a, 'b, T> SendFromFuture<'a, 'b, T> {
    #[track_caller]
    pub(crate) fn new(sender: &'a Sender<T>, slot: &'b mut Option<T>) -> Self {
        sender.leave_standing();
        Self {
            chan: &sender.chan,
            slot: Exclusive::new(slot),
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl [T] for [SendFromFuture['_, '_, T]] -> Result<(), SendError<()>>;
    poll(this, cx) {
        let slot = this.slot.get_mut();
        if this.done || slot.is_none() && this.place.is_none() {
            polled_after_ready(NAME);
        }
        let polled = poll_send(this.chan, &mut this.place, slot, this.caller, cx);
        this.done = polled.is_ready();
        polled
    };
    is_done this.done || this.place.is_none() && this.slot.look(|slot| slot.is_none());
    leave leave_line(this.chan, &mut this.place, this.slot.get_mut());
}

/// The future of [`Sender::send_many`](crate::Sender::send_many).
#[must_use = "futures do nothing unless polled"]
pub struct SendManyFuture<'a, 'b, T> {
    chan: &'a Chan<T>,
    items: Exclusive<&'b mut VecDeque<T>>,
    place: Option<SendTicket>,
    done: bool,
    pub(crate) caller: Caller,
}

impl<'a, 'b, T> SendManyFuture<'a, 'b, T> {
    #[track_caller]
    pub(crate) fn new(sender: &'a Sender<T>, items: &'b mut VecDeque<T>) -> Self {
        sender.leave_standing();
        Self {
            chan: &sender.chan,
            items: Exclusive::new(items),
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }

    fn poll_many(&mut self, cx: &Context<'_>) -> Poll<Result<(), SendError<()>>> {
        let (items, place) = (self.items.get_mut(), &mut self.place);
        with_waker(cx, |waker| {
            let mut hchan = self.chan.lock();
            if place.is_some() {
                let mut first = None;
                let look = look(&mut hchan, place, &mut first, cx.waker(), waker);
                if let Some(first) = first {
                    items.push_front(first);
                }
                match look {
                    Look::Done => {}
                    Look::Closed => return Some(Poll::Ready(Err(SendError(())))),
                    Look::Parked => return Some(Poll::Pending),
                    Look::Elsewhere => return None,
                }
            }
            send_all_or_park(hchan, place, items, self.caller, waker)
        })
    }

    fn leave_line(&mut self) {
        if let Some(ticket) = self.place.take() {
            let (mut hchan, mut first) = (self.chan.lock(), None);
            let left = hchan.cancel_send(ticket, &mut first);
            if let Some(first) = first {
                self.items.get_mut().push_front(first);
            }
            hchan.unlock_to_drop(left, None);
        }
    }
}

operation! {
    impl [T] for [SendManyFuture['_, '_, T]] -> Result<(), SendError<()>>;
    once(this, cx) this.poll_many(cx);
    leave this.leave_line();
}

/// Sends as many items as there is room or receivers for, and parks with the next, if there is a waker.
fn send_all_or_park<T>(
    mut hchan: Locked<'_, T>,
    place: &mut Option<SendTicket>,
    items: &mut VecDeque<T>,
    caller: Caller,
    waker: &mut Option<Waker>,
) -> Option<Poll<Result<(), SendError<()>>>> {
    let mut wakes = Wakes::new();
    let answer = loop {
        hchan.send_more(items);
        let mut item = items.pop_front();
        if item.is_none() {
            break Some(Poll::Ready(Ok(())));
        }
        let refusal = match hchan.send(&mut item) {
            Ok(receiver) => {
                wakes.extend(receiver);
                continue;
            }
            Err(refusal) => refusal,
        };
        let answer = match refusal {
            TrySendError::Closed(()) => Some(Poll::Ready(Err(SendError(())))),
            TrySendError::Full(()) if !hchan.is_live() => Some(Poll::Pending),
            TrySendError::Full(()) => waker.take().map(|waker| {
                let visit = caller.visit(What::Send, &waker);
                *place = Some(hchan.park_send(&mut item, visit, |sudog| sudog.set_task(waker)));
                Poll::Pending
            }),
        };
        if let Some(item) = item {
            items.push_front(item);
        }
        break answer;
    };
    hchan.unlock_and_wake_all(wakes);
    answer
}
