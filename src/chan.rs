//! The lock around the channel, and the three ways to make one: Go's `makechan`.
//!
//! These are the only doors to the state. They unlock before they wake, and before they tell a subscriber
//! what happened, so no code of a user's runs under the lock.
//!
//! | door | the lock | whom its work may concern |
//! |---|---|---|
//! | `quick` | taken if it is free | nobody else: the ordinary cases of `hchan/quick.rs` |
//! | `step` | waited for | nobody else |
//! | `meet` | held, or waited for | one counterpart; if its waker panics, the value goes back |
//! | `with`, `with_held` | held, or waited for | anybody |
//! | `take`, `take_aged` | the same | anybody; if a waker panics, the values go back |
//! | `poll`, `poll_take` | the same; once more for whoever parks without a waker at hand | as `with`, as `take` |
//! | `look`, `glance` | waited for; taken if it is free | nobody: they change nothing |
//!
//! An operation tries `quick`. What that declines goes on under the same lock ([`Held`]), with `meet` if it
//! may, or else with the rules of [`Hchan`] in full. So in `send.rs` and `recv.rs` a poll that is not
//! over at once is a `poll_slowly`, which becomes a `poll_to_park` or in the end a `poll_in_full`.

use core::fmt;
use core::task::{Poll, Waker};

use crate::closed::Closeq;
use crate::forecast::Forecast;
use crate::hchan::{Hchan, Kind};
use crate::party::Party;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::sync::{Arc, Mutex, MutexGuard};
use crate::trace::Trace;
use crate::wakes::{Panic, Visitor, Wakes};

pub(crate) struct Chan<T> {
    hchan: Mutex<Hchan<T>>,
    pub(crate) forecast: Forecast,
    pub(crate) closeq: Closeq,
}

/// The lock, if [`Chan::quick`] got it and its work declined: passed on, so that nobody comes in between.
pub(crate) type Held<'a, T> = Option<MutexGuard<'a, Hchan<T>>>;

impl<T> Chan<T> {
    fn pair(kind: Kind, dataqsiz: usize) -> (Sender<T>, Receiver<T>) {
        let chan = Arc::new(Self {
            hchan: Mutex::new(Hchan::new(kind, dataqsiz)),
            forecast: Forecast::new(),
            closeq: Closeq::new(kind != Kind::Never),
        });
        (Sender::new(chan.clone()), Receiver::new(chan))
    }

    /// Works on the channel under its lock, unlocks, and wakes those whom that concerns.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R) -> R {
        self.with_held(None, work)
    }

    /// The same under a lock that may be held already.
    #[inline]
    pub(crate) fn with_held<R>(
        &self,
        held: Held<'_, T>,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R,
    ) -> R {
        self.take(held, work, |_| None)
    }

    /// The short way: takes the lock if it is free, and returns what `work` answers, which concerns nobody
    /// else. Otherwise an error, with the lock if it was free and `work` has declined.
    #[inline]
    pub(crate) fn quick<R>(
        &self,
        work: impl FnOnce(&mut Hchan<T>, &Forecast) -> Option<R>,
    ) -> Result<R, Held<'_, T>> {
        let Some(mut hchan) = self.hchan.try_lock() else {
            return Err(None);
        };
        let Some(result) = work(&mut hchan, &self.forecast) else {
            return Err(Some(hchan));
        };
        self.leave(hchan);
        Ok(result)
    }

    /// Does what concerns nobody else, even if it has to wait for the lock.
    #[inline]
    pub(crate) fn step<R>(&self, work: impl FnOnce(&mut Hchan<T>) -> R) -> R {
        let mut hchan = self.or_lock(self.hchan.try_lock());
        let result = work(&mut hchan);
        self.leave(hchan);
        result
    }

    /// Does what serves one waiter and concerns nobody else, with the care of [`take`](Self::take) for the
    /// value that it takes out, into `elem`. What is more than that is left to do, under the same lock.
    #[inline]
    pub(crate) fn meet<'a>(
        &'a self,
        held: Held<'a, T>,
        elem: &mut Option<T>,
        work: impl FnOnce(&mut Hchan<T>, &mut Option<T>, &Forecast) -> Option<Waker>,
    ) -> Result<(), Held<'a, T>> {
        let mut hchan = self.or_lock(held);
        let age = hchan.next_age();
        let Some(waker) = work(&mut hchan, elem, &self.forecast) else {
            return Err(Some(hchan));
        };
        let trace = Self::unlock(hchan);
        if let Err(panic) = trace.tell(self.address(), Panic::catch(|| waker.wake())) {
            self.undo(elem.take().map(|value| (value, age)), panic);
        }
        Ok(())
    }

    /// Like [`with`](Self::with), for work that takes values out: where a waker panics, so that nobody
    /// ever sees the result, the values in it go back in their place.
    #[inline]
    pub(crate) fn take<R, V>(
        &self,
        held: Held<'_, T>,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R,
        values: impl FnOnce(R) -> V,
    ) -> R
    where
        V: IntoIterator<Item = T>,
    {
        let work = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            let age = hchan.next_age();
            (work(hchan, wakes), age)
        };
        let aged = |(result, age)| values(result).into_iter().map(move |value| (value, age));
        self.take_aged(held, work, aged).0
    }

    /// The same for work that takes values of several ages out.
    #[inline]
    pub(crate) fn take_aged<R, V>(
        &self,
        held: Held<'_, T>,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R,
        values: impl FnOnce(R) -> V,
    ) -> R
    where
        V: IntoIterator<Item = (T, u64)>,
    {
        let (result, woken) = self.visit(self.or_lock(held), work);
        if let Err(panic) = woken {
            self.undo(values(result), panic);
        }
        result
    }

    /// One poll by a visitor who may park. If it has to fetch a waker first, it comes twice.
    #[inline]
    pub(crate) fn poll<R>(
        &self,
        held: Held<'_, T>,
        visitor: Visitor<'_>,
        work: impl FnMut(&mut Hchan<T>, &mut Visitor<'_>, &mut Wakes) -> Poll<R>,
    ) -> Poll<R> {
        self.poll_take(held, visitor, work, |_| None)
    }

    /// One poll of work that takes values out, with the care of [`take`](Self::take).
    #[inline]
    pub(crate) fn poll_take<R, V>(
        &self,
        mut held: Held<'_, T>,
        mut visitor: Visitor<'_>,
        mut work: impl FnMut(&mut Hchan<T>, &mut Visitor<'_>, &mut Wakes) -> Poll<R>,
        values: impl Fn(R) -> V,
    ) -> Poll<R>
    where
        V: IntoIterator<Item = T>,
    {
        loop {
            let work = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
                let polled = work(hchan, &mut visitor, wakes);
                wakes.retire(visitor.leftover().map(Party::Task));
                polled
            };
            let polled = self.take(held, work, |polled| match polled {
                Poll::Ready(result) => Some(values(result)).into_iter().flatten(),
                Poll::Pending => None.into_iter().flatten(),
            });
            if !visitor.fetch_waker() {
                return polled;
            }
            held = None;
        }
    }

    /// Where the channel stands among all channels.
    pub(crate) fn address(&self) -> usize {
        self.closeq.address()
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

    #[inline]
    fn or_lock<'a>(&'a self, held: Held<'a, T>) -> MutexGuard<'a, Hchan<T>> {
        match held {
            Some(hchan) => hchan,
            None => self.hchan.lock(),
        }
    }

    /// Works on the channel, unlocks, wakes, and tells.
    #[inline]
    fn visit<R>(
        &self,
        mut hchan: MutexGuard<'_, Hchan<T>>,
        work: impl FnOnce(&mut Hchan<T>, &mut Wakes) -> R,
    ) -> (R, Result<(), Panic>) {
        let mut wakes = Wakes::new();
        let result = work(&mut hchan, &mut wakes);
        hchan.foretell(&self.forecast);
        let trace = Self::unlock(hchan);
        (result, trace.tell(self.address(), wakes.wake_all()))
    }

    /// Unlocks; what is returned is to be told.
    #[inline]
    fn unlock(mut hchan: MutexGuard<'_, Hchan<T>>) -> Trace {
        hchan.check();
        hchan.take_trace()
    }

    /// Unlocks after what concerns nobody else, and tells. A panic of the subscriber's loses no value,
    /// for of such work only a park is told.
    #[inline]
    fn leave(&self, hchan: MutexGuard<'_, Hchan<T>>) {
        let trace = Self::unlock(hchan);
        if let Err(panic) = trace.tell(self.address(), Ok(())) {
            panic.resume();
        }
    }

    /// Puts values back that nobody has seen, since a waker or a subscriber has panicked; then that panic
    /// goes on.
    ///
    /// Once a receive may have been told that no value can come, none comes: then they are dropped.
    #[cold]
    fn undo(&self, values: impl IntoIterator<Item = (T, u64)>, panic: Panic) -> ! {
        let mut values = values.into_iter();
        let put_back = || {
            let (_, woken) = self.visit(self.hchan.lock(), |hchan, wakes| {
                if !hchan.is_over() {
                    values
                        .by_ref()
                        .for_each(|(value, age)| hchan.put_back(value, age, wakes));
                }
            });
            drop(values);
            woken
        };
        panic.hold(put_back).resume()
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
///
/// Not in Go, where every channel has a capacity.
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
