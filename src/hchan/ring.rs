//! The ring of a channel: the values inside, oldest first.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Storage is kept up to this size, or for [`FEW`] values.
const KEPT_BYTES: usize = 16 * 1024;
const FEW: usize = 4;

pub(crate) struct Ring<T> {
    values: VecDeque<T>,
    /// The number of slots. Storage grows towards it as needed.
    dataqsiz: usize,
    /// How many values have left their slots. 64 bits on every target: a slot is the remainder of a division, so a
    /// count that wraps around would jump to another slot.
    received: u64,
}

impl<T> Ring<T> {
    /// For how many values storage is kept, even if empty.
    const KEPT: usize = match size_of::<T>() {
        0 => usize::MAX,
        size if KEPT_BYTES / size > FEW => KEPT_BYTES / size,
        _ => FEW,
    };

    /// For how many values the first storage is. Large ones may come one by one.
    const LEAST: usize = if Self::KEPT > FEW { FEW } else { 1 };

    pub(crate) const fn new(dataqsiz: usize) -> Self {
        Self {
            values: VecDeque::new(),
            dataqsiz,
            received: 0,
        }
    }

    /// A ring that so many values have left.
    #[cfg(test)]
    pub(crate) const fn used(dataqsiz: usize, received: u64) -> Self {
        let mut ring = Self::new(dataqsiz);
        ring.received = received;
        ring
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[inline]
    pub(crate) const fn dataqsiz(&self) -> usize {
        self.dataqsiz
    }

    /// How many values may be sent into it. For values of no size that is half of what a `usize` can count at
    /// most, so that those that come back can be counted as well.
    #[inline]
    pub(crate) const fn slots(&self) -> usize {
        const HALF: usize = usize::MAX / 2;

        match size_of::<T>() == 0 && self.dataqsiz > HALF {
            true => HALF,
            false => self.dataqsiz,
        }
    }

    /// How many values have left their slots, in all.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// The slot that the next value is received from.
    pub(crate) fn recvx(&self) -> usize {
        self.slot(self.received)
    }

    /// The slot that the next value is sent to.
    pub(crate) fn sendx(&self) -> usize {
        self.slot(self.received + self.len() as u64)
    }

    fn slot(&self, number: u64) -> usize {
        let slot = number.checked_rem(self.dataqsiz as u64).unwrap_or(0);
        slot as usize
    }

    /// Puts a value at the tail.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.values.len() == self.values.capacity() {
            self.grow(1);
        }
        self.values.push_back(value);
    }

    /// Puts the first `many` of the values at the tail.
    pub(crate) fn push_many(&mut self, many: usize, values: &mut VecDeque<T>) {
        if self.values.capacity() - self.len() < many {
            self.grow(many);
        }
        match many == values.len() {
            true => self.values.append(values),
            false => self.values.extend(values.drain(..many)),
        }
    }

    /// Doubles the storage, or makes room for so many, but not beyond the slots.
    #[cold]
    fn grow(&mut self, many: usize) {
        let len = self.len();
        let slots = self.dataqsiz.saturating_sub(len).max(1);
        self.values
            .reserve_exact(len.max(Self::LEAST).max(many).min(slots));
    }

    /// Takes the value at the head.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        if self.values.capacity() > Self::KEPT {
            self.fit();
        }
        self.received += u64::from(!self.is_empty());
        // Last, so that the value moves only once.
        self.values.pop_front()
    }

    /// Takes values at the head, at most so many.
    pub(crate) fn take_many(&mut self, limit: usize, out: &mut Vec<T>) {
        let many = limit.min(self.len());
        out.extend(self.values.drain(..many));
        self.received += many as u64;
        self.fit();
    }

    /// Frees most of the storage once three quarters of it are unused: a step for each value that left.
    fn fit(&mut self) {
        let len = self.len();
        if self.values.capacity() > Self::KEPT && len <= self.values.capacity() / 4 {
            self.values.shrink_to(Self::KEPT.max(2 * len));
        }
    }

    /// Takes all values, and frees the storage.
    pub(crate) fn take_all(&mut self) -> VecDeque<T> {
        core::mem::take(&mut self.values)
    }
}

#[cfg(test)]
mod tests;
