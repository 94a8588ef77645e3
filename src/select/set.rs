//! A set of receivers to receive from, again and again.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::time::Duration;

use futures_core::future::FusedFuture;

use super::any::Receives;
use crate::error::{RecvError, polled_after_ready};
use crate::handles::receiver::Receiver;
#[cfg(feature = "std")]
use crate::park;

/// A set of receivers of one type, to receive from again and again: a fan-in.
///
/// Each [`next`](Self::next) is a select over all of them, in which one receives; between two calls the set stands
/// in no line, and holds no value. If several can receive, each is equally likely. Receivers may be added and
/// removed; what a wait needs is allocated once for all rounds.
///
/// A receiver whose channel is closed and drained can always "receive": it gets the error, again and again, until
/// it is [removed](Self::remove).
///
/// The set owns its receivers. To go on using one elsewhere, add a clone.
///
/// # Cost
///
/// A round takes a step for each receiver, to see whether it has something, and one lock for the one that has. If
/// it has to wait: one lock for each receiver to park, and one to leave. The rounds allocate nothing.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use hchan::RecvSet;
///
/// let mut set = RecvSet::new();
/// for worker in 0..3 {
///     let (results, rx) = hchan::bounded(2);
///     set.add(rx);
///     for n in 0..2 {
///         results.send(10 * worker + n).await.unwrap();
///     }
/// }
///
/// let mut sum = 0;
/// while !set.is_empty() {
///     match set.next().await {
///         (_, Ok(result)) => sum += result,
///         (worker, Err(hchan::RecvError)) => drop(set.remove(worker)),
///     }
/// }
/// assert_eq!(sum, 63);
/// # });
/// ```
///
/// It may be an arm of a select, beside what stops it:
///
/// ```
/// # futures::executor::block_on(async {
/// # let (stop, stopped) = hchan::bounded::<()>(0);
/// # let (tx, rx) = hchan::bounded(1);
/// # tx.try_send(1).unwrap();
/// let mut set = hchan::RecvSet::from_iter([rx]);
/// let mut received = vec![];
/// loop {
///     hchan::select! {
///         recv(stopped) -> _ => break,
///         future(set.next()) -> (_, value) => received.push(value.unwrap()),
///     }
/// #   stop.close();
/// }
/// # assert!(received.len() <= 1); drop(tx) });
/// ```
///
/// From Go: `reflect.Select` in a loop; from crossbeam: a `Select` that is used again, with nothing but `recv`.
pub struct RecvSet<T> {
    receives: Receives<Receiver<T>>,
    next_index: usize,
}

impl<T> RecvSet<T> {
    /// Makes a set without receivers.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::RecvSet::<u8>::new().is_empty());
    /// ```
    ///
    /// From Go: an empty list of `reflect.SelectCase`s.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            receives: Receives::new(),
            next_index: 0,
        }
    }

    /// Adds a receiver, and returns its index.
    ///
    /// The first is 0, each later one is one more, and none is used twice, whatever is removed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let mut set = hchan::RecvSet::new();
    /// assert_eq!((set.add(rx.clone()), set.add(rx)), (0, 1));
    /// # drop(tx);
    /// ```
    ///
    /// From Go: one more `reflect.SelectCase`.
    pub fn add(&mut self, receiver: Receiver<T>) -> usize {
        let index = self.next_index;
        self.receives.add(index, receiver);
        self.next_index += 1;
        index
    }

    /// Removes the receiver with this index, and returns it; `None` if there is none.
    ///
    /// # Cost
    ///
    /// A step for each receiver.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let mut set = hchan::RecvSet::from_iter([rx.clone()]);
    /// assert!(set.remove(0).is_some_and(|removed| removed.same_channel(&rx)));
    /// assert!(set.remove(0).is_none());
    /// # drop(tx);
    /// ```
    ///
    /// From Go: a `reflect.SelectCase` whose channel is set to `nil`.
    pub fn remove(&mut self, index: usize) -> Option<Receiver<T>> {
        self.receives.remove(index)
    }

    /// How many receivers there are.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// assert_eq!(hchan::RecvSet::from_iter([rx.clone(), rx]).len(), 2);
    /// # drop(tx);
    /// ```
    ///
    /// From Go: the `len` of the list of `reflect.SelectCase`s.
    #[must_use]
    pub fn len(&self) -> usize {
        self.receives.len()
    }

    /// Whether there are no receivers, so that [`next`](Self::next) would wait forever.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// assert!(!hchan::RecvSet::from_iter([rx]).is_empty());
    /// # drop(tx);
    /// ```
    ///
    /// From Go: a `select` without cases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Receives from whichever receiver has a value first, and returns its index and what it got.
    ///
    /// Without receivers it waits forever.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: when it is dropped, it leaves all lines. A value that it was handed but has not returned goes
    /// to the next in line, or back in its place.
    ///
    /// # Errors
    ///
    /// The result of the receive is a [`RecvError`] if that receiver's channel is closed and drained; and again in
    /// later rounds, until the receiver is [removed](Self::remove).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = hchan::bounded(1);
    /// let (_quiet, other) = hchan::bounded(1);
    /// let mut set = hchan::RecvSet::from_iter([other, rx]);
    /// tx.send(1).await.unwrap();
    /// assert_eq!(set.next().await, (1, Ok(1)));
    /// # });
    /// ```
    ///
    /// From Go: `chosen, value, ok := reflect.Select(cases)`.
    #[track_caller]
    pub const fn next(&mut self) -> SetNextFuture<'_, T> {
        self.receives.begin();
        SetNextFuture {
            set: self,
            done: false,
        }
    }

    /// Receives from any of the receivers without waiting: Go's `default`.
    ///
    /// `None` means that there was an instant at which none of their channels had anything to receive.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cost
    ///
    /// One lock for each receiver that is tried, and a second one for each if there is nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let mut set = hchan::RecvSet::from_iter([rx]);
    /// assert_eq!(set.try_next(), None);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(set.try_next(), Some((0, Ok(1))));
    /// ```
    ///
    /// From Go: `reflect.Select`, with a `SelectDefault`.
    pub fn try_next(&mut self) -> Option<(usize, Result<T, RecvError>)> {
        self.receives.try_once()
    }

    /// Receives from any of the receivers, putting the thread to sleep while [`next`](Self::next) would wait.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut set = hchan::RecvSet::from_iter([rx]);
    /// let thread = std::thread::spawn(move || set.wait());
    /// tx.send_blocking(1).unwrap();
    /// assert_eq!(thread.join().unwrap(), (0, Ok(1)));
    /// ```
    ///
    /// From Go: `reflect.Select`; what a goroutine is there, a thread is here.
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn wait(&mut self) -> (usize, Result<T, RecvError>) {
        park::block_on(self.next())
    }

    /// Receives from any of the receivers, sleeping for at most `timeout`.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded::<u8>(0);
    /// let mut set = hchan::RecvSet::from_iter([rx]);
    /// assert_eq!(set.wait_timeout(Duration::from_millis(1)), None);
    /// # drop(tx);
    /// ```
    ///
    /// From Go: `reflect.Select`, with a case of `time.After(timeout)`.
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<(usize, Result<T, RecvError>)> {
        let received = park::block_on_until(&mut self.next(), park::deadline(timeout));
        // A value that came as time ran out has gone back.
        received.or_else(|| self.try_next())
    }
}

impl<T> Default for RecvSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<Receiver<T>> for RecvSet<T> {
    /// Adds the receivers, one after the other.
    fn extend<I: IntoIterator<Item = Receiver<T>>>(&mut self, receivers: I) {
        let receivers = receivers.into_iter();
        self.receives.reserve(receivers.size_hint().0);
        receivers.for_each(|receiver| {
            self.add(receiver);
        });
    }
}

impl<T> FromIterator<Receiver<T>> for RecvSet<T> {
    /// Makes a set of the receivers, whose indexes are their positions.
    fn from_iter<I: IntoIterator<Item = Receiver<T>>>(receivers: I) -> Self {
        let mut set = Self::new();
        set.extend(receivers);
        set
    }
}

/// The future of [`RecvSet::next`].
#[must_use = "futures do nothing unless polled"]
pub struct SetNextFuture<'a, T> {
    set: &'a mut RecvSet<T>,
    done: bool,
}

impl<T> Future for SetNextFuture<'_, T> {
    type Output = (usize, Result<T, RecvError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.done {
            polled_after_ready("SetNextFuture");
        }
        let polled = self.set.receives.poll(cx);
        self.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for SetNextFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for SetNextFuture<'_, T> {
    fn drop(&mut self) {
        self.set.receives.leave();
    }
}

impl<T> fmt::Debug for RecvSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvSet")
            .field("receivers", &self.len())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SetNextFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetNextFuture").finish_non_exhaustive()
    }
}
