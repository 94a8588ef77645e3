//! Receivers as iterators.

use alloc::vec::{self, Vec};
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use crate::handles::receiver::Receiver;

/// The values that were inside; made by [`Receiver::drain`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert!(rx.drain().eq([1, 2]));
/// ```
///
/// From Go: a loop of `select { case v := <-c: default: }`.
#[must_use = "the values have left the channel, and are dropped with this"]
pub struct Drain<'a, T> {
    values: vec::IntoIter<T>,
    receiver: PhantomData<&'a Receiver<T>>,
}

impl<T> Drain<'_, T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self {
            values: values.into_iter(),
            receiver: PhantomData,
        }
    }
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.values.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.values.size_hint()
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}
impl<T> FusedIterator for Drain<'_, T> {}

/// Receives until it would have to wait; made by [`Receiver::try_iter`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// assert!(rx.try_iter().eq([1]));
/// assert!(!rx.is_closed());
/// ```
///
/// From Go: a loop of `select { case v := <-c: default: }`.
#[must_use = "iterators do nothing unless consumed"]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<'a, T> TryIter<'a, T> {
    pub(crate) const fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver }
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// Blocks the thread for each value until the channel is closed and drained; made by [`Receiver::iter`].
///
/// In async code write `while let Some(value) = rx.next().await`. Each step receives as
/// [`Receiver::recv_blocking`] does.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// drop(tx);
/// assert!(rx.iter().eq([1]));
/// ```
///
/// From Go: `for v := range c`.
#[cfg(feature = "std")]
#[must_use = "iterators do nothing unless consumed"]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

#[cfg(feature = "std")]
impl<'a, T> Iter<'a, T> {
    pub(crate) const fn new(receiver: &'a Receiver<T>) -> Self {
        Self { receiver }
    }
}

#[cfg(feature = "std")]
impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_blocking().ok()
    }
}

#[cfg(feature = "std")]
impl<T> FusedIterator for Iter<'_, T> {}

/// Blocks the thread for each value until the channel is closed and drained; made from a [`Receiver`].
///
/// In async code write `while let Some(value) = rx.next().await`. Each step receives as
/// [`Receiver::recv_blocking`] does.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(2);
/// tx.try_send(1).unwrap();
/// drop(tx);
/// for value in rx {
///     assert_eq!(value, 1);
/// }
/// ```
///
/// From Go: `for v := range c`.
#[cfg(feature = "std")]
#[must_use = "iterators do nothing unless consumed"]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

#[cfg(feature = "std")]
impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_blocking().ok()
    }
}

#[cfg(feature = "std")]
impl<T> FusedIterator for IntoIter<T> {}

/// Blocks the thread for each value; in async code write `while let Some(value) = rx.next().await`.
#[cfg(feature = "std")]
impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    /// Makes an iterator that blocks the thread for each value; in async code write
    /// `while let Some(value) = rx.next().await`.
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Blocks the thread for each value; in async code write `while let Some(value) = rx.next().await`.
#[cfg(feature = "std")]
impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    /// Makes an iterator that blocks the thread for each value; in async code write
    /// `while let Some(value) = rx.next().await`.
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("left", &self.values.len())
            .finish()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryIter").field(self.receiver).finish()
    }
}

#[cfg(feature = "std")]
impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(self.receiver).finish()
    }
}

#[cfg(feature = "std")]
impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.receiver).finish()
    }
}
