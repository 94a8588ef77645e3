//! The lock around the channel, and the three ways to make one: Go's `makechan`.
//!
//! The lock is a guard, [`Locked`], and each rule of [`Hchan`](crate::hchan::Hchan) is called under it. No user
//! code runs there: what a rule returns to be woken, dropped or received leaves by one of the guard's methods,
//! which consume it.
//!
//! A waker that panics keeps nobody else from being woken. A value that is on its way to its receiver meanwhile is
//! [`Unseen`] until it arrives, and goes back, unless others may have been told by then that none will come.

use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::task::Waker;

use crate::error::{TryRecvError, TrySendError};
use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
use crate::hchan::{HchanOf, Kind, Served};
use crate::mask::masked;
use crate::outside::Outside;
use crate::sync::{Arc, Mutex, MutexGuard};
use crate::trace::Told;
use crate::wakes::{Wakes, contain, wake_and_drop};
use crate::watch::{Caller, Watch};

pub(crate) struct Chan<T> {
    hchan: Mutex<HchanOf<T>>,
    outside: Outside,
}

/// The channel under its lock. Dropped, it is unlocked.
pub(crate) struct Locked<'a, T> {
    // Dropped in this order: what has happened is told outside the lock.
    hchan: MutexGuard<'a, HchanOf<T>>,
    told: Told,
    chan: &'a Chan<T>,
}

impl<T> Chan<T> {
    pub(crate) fn pair(kind: Kind, dataqsiz: usize, caller: Caller) -> (Sender<T>, Receiver<T>) {
        let mut hchan = HchanOf::new(kind, dataqsiz);
        let (watch, sender, receiver) = Watch::pair::<T>(kind, hchan.capacity(), caller);
        *hchan.trace() = watch.trace();
        let chan = Arc::new(Self {
            outside: Outside::new(&hchan, watch),
            hchan: Mutex::new(hchan),
        });
        (
            Sender::new(chan.clone(), sender),
            Receiver::new(chan, receiver),
        )
    }

    /// Takes the lock, waiting for it.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        self.guard(self.lock_hchan())
    }

    #[inline]
    fn lock_hchan(&self) -> MutexGuard<'_, HchanOf<T>> {
        self.hchan.lock_in_turn(&self.outside.turns)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
        self.hchan
            .try_lock_in_turn(&self.outside.turns)
            .map(|hchan| self.guard(hchan))
    }

    #[inline]
    fn guard<'a>(&'a self, hchan: MutexGuard<'a, HchanOf<T>>) -> Locked<'a, T> {
        self.watch.begin();
        Locked {
            hchan,
            told: Told::new(),
            chan: self,
        }
    }

    /// A value that was leased is taken.
    #[inline]
    pub(crate) fn end_lease(&self) {
        // What the outlook says stays true, so there is nothing to publish but what `inspect` shows.
        let mut hchan = self.lock_hchan();
        hchan.end_lease();
        if cfg!(feature = "inspect") || hchan.is_closed() {
            self.guard(hchan).unlock_and_settle();
        }
    }
}

impl<T> Deref for Chan<T> {
    type Target = Outside;

    #[inline]
    fn deref(&self) -> &Outside {
        &self.outside
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = HchanOf<T>;

    #[inline]
    fn deref(&self) -> &HchanOf<T> {
        &self.hchan
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut HchanOf<T> {
        &mut self.hchan
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.chan.publish(&mut self.hchan);
        self.hchan.hand_out(&mut self.told, self.chan.address());
    }
}

impl<T> Locked<'_, T> {
    /// Unlocks. What has happened is told when the result is dropped.
    #[inline]
    fn unlock(mut self) -> Told {
        let mut told = Told::new();
        self.hchan.hand_out(&mut told, self.chan.address());
        told
    }

    /// Sends, if that can be done at once, unlocks, and wakes. Otherwise the value stays in `elem`.
    pub(crate) fn send_and_unlock(mut self, elem: &mut Option<T>) -> Result<(), TrySendError<()>> {
        let waker = self.send_if(elem)?;
        self.unlock_and_wake(waker);
        Ok(())
    }

    /// Receives where somebody else is to be served, unlocks, and wakes. The value is in `elem`.
    #[inline(never)]
    pub(crate) fn serve_and_unlock(mut self, elem: &mut Option<T>) -> Result<(), TryRecvError> {
        let served = self.recv_and_serve(elem)?;
        self.unlock_with(elem, served);
        Ok(())
    }

    /// Unlocks, then wakes.
    #[inline]
    pub(crate) fn unlock_and_wake(self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            let _told_last = self.unlock();
            waker.wake();
        }
    }

    /// Unlocks, then wakes, and drops a waker: for an operation that is being dropped.
    #[inline]
    pub(crate) fn unlock_to_drop(self, left: Option<Waker>, next: Option<Waker>) {
        let _told_last = self.unlock();
        wake_and_drop(next, left);
    }

    /// Unlocks, then wakes them all.
    pub(crate) fn unlock_and_wake_all(self, wakes: Wakes) {
        self.chan.publish_served(&self.hchan);
        let _told_last = self.unlock();
        wakes.wake_all();
    }

    /// On a closed channel, after a value was claimed: ends the receives that waited for it to come back.
    #[cold]
    pub(crate) fn unlock_and_settle(mut self) {
        let mut wakes = Wakes::new();
        self.settle(&mut wakes);
        self.unlock_and_wake_all(wakes);
    }

    /// Unlocks, then wakes the task that a receive has served, while the value is on its way to its receiver.
    #[inline]
    pub(crate) fn unlock_with(self, value: &mut Option<T>, served: Option<Served>) {
        if let Some(Served { waker, age }) = served {
            self.unlock_and_wake_with(value, age, waker);
        }
    }

    #[inline(never)]
    fn unlock_and_wake_with(self, value: &mut Option<T>, age: u64, waker: Waker) {
        let unseen = Unseen {
            chan: self.chan,
            values: value,
            ages: &[age],
        };
        self.unlock_and_wake_served(waker);
        mem::forget(unseen);
    }

    /// Unlocks, then wakes the task that a receive has served.
    pub(crate) fn unlock_and_wake_served(self, waker: Waker) {
        self.chan.publish_served(&self.hchan);
        self.unlock_and_wake(Some(waker));
    }

    /// The same for several values.
    pub(crate) fn unlock_with_many(self, values: &mut Vec<T>, ages: &[u64], wakes: Wakes) {
        let unseen = Unseen {
            chan: self.chan,
            values,
            ages,
        };
        self.unlock_and_wake_all(wakes);
        mem::forget(unseen);
    }
}

/// Values that have left the channel, and that nobody has seen: if a waker or a subscriber panics, they go
/// back in their place.
struct Unseen<'a, T, V: Default + IntoIterator<Item = T>> {
    chan: &'a Chan<T>,
    values: &'a mut V,
    ages: &'a [u64],
}

impl<T, V: Default + IntoIterator<Item = T>> Unseen<'_, T, V> {
    /// Once a receive may have been told that no value can come, none comes: then they are dropped.
    #[cold]
    fn put_back(&mut self) {
        let mut values = mem::take(self.values).into_iter();
        let (mut hchan, mut wakes) = (self.chan.lock(), Wakes::new());
        if !hchan.is_over() {
            let aged = values.by_ref().zip(self.ages);
            aged.for_each(|(value, age)| wakes.extend(hchan.put_back(value, *age)));
        }
        hchan.unlock_and_wake_all(wakes);
        contain(|| drop(values));
    }
}

impl<T, V: Default + IntoIterator<Item = T>> Drop for Unseen<'_, T, V> {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// Makes a channel that holds up to `capacity` values; with 0, none: Go's unbuffered channel.
///
/// On capacity 0 a send and a receive meet: each waits for the other, and the value goes straight
/// from one to the other. On any other capacity `n`, sends wait only while `n` values are inside.
///
/// Storage grows as values arrive, up to the capacity. So a large capacity costs nothing until it is used;
/// `bounded(usize::MAX)` works.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(1);
/// tx.try_send('a').unwrap();
/// assert!(tx.try_send('b').unwrap_err().is_full());
/// assert_eq!(rx.try_recv(), Ok('a'));
/// ```
///
/// From Go: `make(chan T, capacity)`, split into its two directions `chan<- T` and `<-chan T`.
#[doc(alias("channel", "bounded_async", "rendezvous", "make", "chan"))]
#[must_use]
#[track_caller]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Bounded, capacity, Caller::here())
}

/// Makes a channel that is never full: every send is ready when it is first polled.
///
/// Storage grows with the number of values inside; when the last is received, large storage is freed. Only values
/// without a size come to an end: `usize::MAX / 2` of them are inside at most.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::unbounded();
/// for n in 0..1000 {
///     tx.try_send(n).unwrap();
/// }
/// assert_eq!((rx.len(), rx.capacity()), (1000, None));
/// ```
///
/// Not in Go, where every channel has a capacity.
#[doc(alias("unbounded_channel", "unbounded_async"))]
#[must_use]
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Unbounded, usize::MAX, Caller::here())
}

/// Makes a channel on which nothing ever happens: Go's nil channel.
///
/// Sends and receives wait forever, and keep no waker. `try_send` returns `Full` and `try_recv` `Empty`; `close`
/// returns `false`, and dropping all handles of a side closes nothing. A select never picks it, so it can be used
/// to switch an arm off.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::never();
/// assert!(tx.try_send(1).unwrap_err().is_full());
/// assert!(!tx.close());
/// drop(tx);
/// assert!(rx.try_recv().unwrap_err().is_empty());
/// ```
///
/// From Go: the nil channel, on which every operation blocks forever.
#[doc(alias("nil", "null"))]
#[must_use]
#[track_caller]
pub fn never<T>() -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Never, 0, Caller::here())
}

impl<T> Chan<T> {
    /// Shows a handle: what is useful in a log about its channel. Never waits for the lock: while it is taken, no
    /// state is shown.
    pub(crate) fn debug(&self, handle: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct(handle);
        let Some(snapshot) = masked!(self.try_lock().map(|hchan| hchan.snapshot())) else {
            return out.finish_non_exhaustive();
        };
        out.field("len", &snapshot.qcount)
            .field("capacity", &snapshot.dataqsiz)
            .field("closed", &snapshot.closed)
            .field("sendq", &snapshot.sendq)
            .field("recvq", &snapshot.recvq)
            .finish()
    }
}
