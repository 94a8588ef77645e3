//! The ring of a channel: the values inside, oldest first.
//!
//! A value that had left and was put back is older than all that stayed, so what was put back stands
//! at the head, in the order of its ages. While it does, there may be more values than slots.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The storage of a ring that empties is kept if it is no larger than this, or than the ring.
const KEPT_BYTES: usize = 16 * 1024;

pub(crate) struct Ring<T> {
    values: VecDeque<T>,
    /// The ages of the values that were put back, oldest first; made when the first one is.
    #[expect(
        clippy::box_collection,
        reason = "every channel would pay for what few ever use"
    )]
    put_back: Option<Box<VecDeque<u64>>>,
    /// The number of slots. Storage grows towards it as needed.
    dataqsiz: usize,
    /// How many values have been received out of their slots.
    received: usize,
}

impl<T> Ring<T> {
    pub(crate) const fn new(dataqsiz: usize) -> Self {
        Self {
            values: VecDeque::new(),
            put_back: None,
            dataqsiz,
            received: 0,
        }
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

    /// How many values may be sent into it. Of those of no size, for which a ring may have more slots than
    /// can be counted with what comes back, it takes half as many.
    #[inline]
    pub(crate) const fn slots(&self) -> usize {
        const HALF: usize = usize::MAX / 2;

        match size_of::<T>() == 0 && self.dataqsiz > HALF {
            true => HALF,
            false => self.dataqsiz,
        }
    }

    /// The slot that the next value is received from.
    pub(crate) fn recvx(&self) -> usize {
        self.received.checked_rem(self.dataqsiz).unwrap_or(0)
    }

    /// The slot that the next value is sent to.
    pub(crate) fn sendx(&self) -> usize {
        let sent = self.received.wrapping_add(self.len() - self.returned());
        sent.checked_rem(self.dataqsiz).unwrap_or(0)
    }

    /// Puts a value at the tail.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.values.len() == self.values.capacity() {
            self.grow(1);
        }
        self.values.push_back(value);
    }

    /// Puts so many values from the front of others at the tail.
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
        self.values.reserve_exact(len.max(4).max(many).min(slots));
    }

    /// Takes the value at the head.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        if self.oldest_age().is_some() || self.len() <= 1 && self.is_oversized() {
            return self.take_rare();
        }
        self.received = self.received.wrapping_add(usize::from(!self.is_empty()));
        // Last of all, so that the value moves once.
        self.values.pop_front()
    }

    /// Takes a value that was put back, or the last of a burst.
    #[cold]
    fn take_rare(&mut self) -> Option<T> {
        let value = self.values.pop_front();
        match &mut self.put_back {
            Some(ages) if !ages.is_empty() => {
                ages.pop_front();
                if ages.is_empty() && ages.capacity() > KEPT_BYTES / size_of::<u64>() {
                    self.put_back = None;
                }
            }
            _ => self.received = self.received.wrapping_add(usize::from(value.is_some())),
        }
        self.fit();
        value
    }

    /// Takes the values at the head, so many at most.
    pub(crate) fn take_many(&mut self, limit: usize, out: &mut Vec<T>) {
        let put_back = self.returned().min(limit);
        out.extend((0..put_back).map_while(|_| self.take()));
        let more = (limit - put_back).min(self.len());
        out.extend((0..more).map(|_| self.values.pop_front().expect("there are so many")));
        self.received = self.received.wrapping_add(more);
        self.fit();
    }

    /// How many values any empty ring keeps storage for.
    const FEW: usize = match size_of::<T>() {
        0 => usize::MAX,
        size => KEPT_BYTES / size,
    };

    /// Whether there is storage that only a burst needs; but a ring may need that of all its slots again.
    #[inline]
    fn is_oversized(&self) -> bool {
        let capacity = self.values.capacity();
        capacity > Self::FEW && (capacity > self.dataqsiz || self.dataqsiz == usize::MAX)
    }

    /// Gives the storage of a burst up when it is over.
    fn fit(&mut self) {
        if self.is_empty() && self.is_oversized() {
            self.take_all();
        }
    }

    /// Puts a value back in its place, by the age that it had when it left.
    pub(crate) fn put_back(&mut self, value: T, age: u64) {
        let ages = self.put_back.get_or_insert_default();
        let place = ages.partition_point(|&other| other <= age);
        ages.insert(place, age);
        self.values.insert(place, value);
    }

    /// The age of the value at the head, if it was put back.
    #[inline]
    pub(crate) fn oldest_age(&self) -> Option<u64> {
        self.put_back.as_ref()?.front().copied()
    }

    /// How many values were put back and are here.
    fn returned(&self) -> usize {
        self.put_back.as_ref().map_or(0, |ages| ages.len())
    }

    /// Takes all values, and gives the storage up.
    pub(crate) fn take_all(&mut self) -> VecDeque<T> {
        self.put_back = None;
        core::mem::take(&mut self.values)
    }

    /// What the head of this file says.
    pub(crate) fn check(&self) {
        assert!(self.returned() <= self.len());
        assert!(self.put_back.iter().all(|ages| ages.iter().is_sorted()));
    }
}

#[cfg(test)]
mod tests;
