//! The values outside the ring: what parked senders bring, what receivers were handed, and what came back.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::mem;

use super::slab::{NIL, Place, Slab};
use crate::error::present;

/// Made when the first value is outside the ring. A number stands for each value.
pub(super) struct Store<T>(Option<Box<Values<T>>>);

struct Values<T> {
    kept: Slab<Kept<T>>,
    /// The ages and numbers of those that were put back and are inside.
    returned: BinaryHeap<Reverse<(u64, u32)>>,
}

struct Kept<T> {
    value: Option<T>,
    next: u32,
}

impl<T> Store<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    #[inline]
    pub(super) fn keep(&mut self, value: T) -> u32 {
        let (number, kept) = self.0.get_or_insert_default().kept.acquire();
        // Forgotten, so that the compiler need not look for what there is to drop.
        mem::forget(kept.value.replace(value));
        number
    }

    #[inline]
    pub(super) fn take(&mut self, number: u32) -> T {
        let Some(values) = &mut self.0 else {
            unreachable!("a value with a number is in the store");
        };
        present({ &mut values.kept }.release(number, |kept| kept.value.take()))
    }

    /// A value in the store is inside the channel again.
    pub(super) fn put_back(&mut self, number: u32, age: u64) {
        let values = self.0.get_or_insert_default();
        values.returned.push(Reverse((age, number)));
    }

    /// Takes the oldest of what was put back, and its age.
    pub(super) fn take_returned(&mut self) -> Option<(T, u64)> {
        const SPARE: usize = 1024;

        let returned = &mut self.0.as_mut()?.returned;
        let Reverse((age, number)) = returned.pop()?;
        if returned.is_empty() && returned.capacity() > SPARE {
            *returned = BinaryHeap::new();
        }
        Some((self.take(number), age))
    }

    /// The age of the oldest of what was put back.
    pub(super) fn oldest_returned(&self) -> Option<u64> {
        let Reverse((age, _)) = self.0.as_ref()?.returned.peek()?;
        Some(*age)
    }

    /// How many were put back and are inside.
    pub(super) fn returned(&self) -> usize {
        self.0.as_ref().map_or(0, |values| values.returned.len())
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self {
            kept: Slab::new(),
            returned: BinaryHeap::new(),
        }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            value: None,
            next: NIL,
        }
    }
}

impl<T> Place for Kept<T> {
    #[inline]
    fn next(&mut self) -> &mut u32 {
        &mut self.next
    }
}
