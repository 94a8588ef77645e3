//! The lock around the channel, and the three ways to make one: Go's `makechan`.
//!
//! [`Chan::with`] and its two sisters are the only doors to the state. They unlock before they wake,
//! so no code of a user's ever runs under the lock, whatever the rest of the crate does.

use core::fmt;
use core::task::{Context, Poll};

use crate::hchan::{Hchan, Kind};
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::sync::{Arc, Mutex};
use crate::wakes::{Panic, Visitor, Wakes};

pub(crate) struct Chan<T> {
    hchan: Mutex<Hchan<T>>,
}

impl<T> Chan<T> {
    fn pair(kind: Kind, dataqsiz: usize) -> (Sender<T>, Receiver<T>) {
        let chan = Arc::new(Self {
            hchan: Mutex::new(Hchan::new(kind, dataqsiz)),
        });
        (Sender::new(chan.clone()), Receiver::new(chan))
    }

    /// Works on the channel under its lock, unlocks, and wakes those whom that concerns.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R) -> R {
        let (result, woken) = self.visit(work);
        if let Err(panic) = woken {
            panic.resume();
        }
        result
    }

    /// Like [`with`](Self::with), for work that takes a value out: where a waker panics, so that the
    /// caller never sees the value, the value goes back in its place.
    #[inline]
    pub(crate) fn take<E>(
        &self,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> Result<T, E>,
    ) -> Result<T, E> {
        let ((result, age), woken) = self.visit(|hchan, wakes| {
            let age = hchan.next_age();
            (work(hchan, wakes), age)
        });
        if let Err(panic) = woken {
            if let Ok(value) = result {
                self.with(|hchan, wakes| hchan.put_back(value, age, wakes));
            }
            panic.resume();
        }
        result
    }

    /// One poll: works on the channel as often as it takes, which is twice if the task has to park.
    #[inline]
    pub(crate) fn poll<R>(
        &self,
        cx: &Context<'_>,
        mut work: impl FnMut(&mut Hchan<T>, &mut Visitor<'_>, &mut Wakes) -> Poll<R>,
    ) -> Poll<R> {
        let mut visitor = Visitor::new(cx.waker());
        loop {
            let polled = self.with(|hchan, wakes| {
                let polled = work(hchan, &mut visitor, wakes);
                wakes.retire(visitor.leftover());
                polled
            });
            if polled.is_ready() || !visitor.fetch_waker() {
                return polled;
            }
        }
    }

    /// One poll of work that takes a value out: [`poll`](Self::poll) with the care of
    /// [`take`](Self::take).
    #[inline]
    pub(crate) fn poll_take<E>(
        &self,
        cx: &Context<'_>,
        mut work: impl FnMut(&mut Hchan<T>, &mut Visitor<'_>, &mut Wakes) -> Poll<Result<T, E>>,
    ) -> Poll<Result<T, E>> {
        let mut visitor = Visitor::new(cx.waker());
        loop {
            let taken = self.take(|hchan, wakes| {
                let polled = work(hchan, &mut visitor, wakes);
                wakes.retire(visitor.leftover());
                match polled {
                    Poll::Ready(result) => result.map_err(Some),
                    Poll::Pending => Err(None),
                }
            });
            match taken {
                Ok(value) => return Poll::Ready(Ok(value)),
                Err(Some(error)) => return Poll::Ready(Err(error)),
                Err(None) if visitor.fetch_waker() => {}
                Err(None) => return Poll::Pending,
            }
        }
    }

    #[inline]
    fn visit<R>(
        &self,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R,
    ) -> (R, Result<(), Panic>) {
        let mut wakes = Wakes::new();
        let result = {
            let mut hchan = self.hchan.lock();
            let result = work(&mut hchan, &mut wakes);
            #[cfg(debug_assertions)]
            hchan.check();
            result
        };
        (result, wakes.wake_all())
    }

    /// Where the channel stands among all channels.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// What the channel's clock shows.
    pub(crate) fn clock(&self) -> u64 {
        self.look(Hchan::clock)
    }

    /// Looks at the channel under its lock.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Hchan<T>) -> R) -> R {
        look(&self.hchan.lock())
    }

    /// Looks at the channel unless someone is at it just now.
    pub(crate) fn glance<R>(&self, look: impl FnOnce(&Hchan<T>) -> R) -> Option<R> {
        self.hchan.try_lock().map(|hchan| look(&hchan))
    }
}

/// Makes a channel that holds up to `capacity` values; with 0, none: Go's unbuffered channel.
///
/// On capacity 0 a send and a receive meet: each waits for the other, and the value goes straight
/// from one to the other. On any other capacity `n`, sends wait only while `n` values are inside.
///
/// Storage grows as values arrive, up to the capacity, so that a large capacity costs nothing until
/// it is used; `bounded(usize::MAX)` works.
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
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Bounded, capacity)
}

/// Makes a channel that is never full: every send is ready when it is first polled.
///
/// Storage grows with the values inside; when the last is received, a large one is given back.
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
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Unbounded, usize::MAX)
}

/// Makes a channel on which nothing ever happens: Go's nil channel.
///
/// Sends and receives wait forever, and keep no waker. `try_send` answers `Full` and `try_recv`
/// `Empty`; `close` is `false`, and the loss of all handles on a side ends nothing. A select never
/// picks it, so it serves to switch an arm off.
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
#[must_use]
pub fn never<T>() -> (Sender<T>, Receiver<T>) {
    Chan::pair(Kind::Never, 0)
}

impl<T> fmt::Debug for Chan<T> {
    /// Never waits for the lock: a channel that someone is at shows no state.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.glance(Hchan::snapshot) {
            Some(snapshot) => snapshot.fmt(f),
            None => f.write_str("<locked>"),
        }
    }
}
