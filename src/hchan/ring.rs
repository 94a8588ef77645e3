//! The ring of a channel: the values inside, oldest first.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Storage is kept up to this size, or for [`FEW`] values.
const KEPT_BYTES: usize = 16 * 1024;
const FEW: usize = 4;

/// It grows with the number of the values inside.
pub(super) struct Ring<T>(VecDeque<T>);

impl<T> Ring<T> {
    /// For how many values storage is kept, even if empty.
    const KEPT: usize = match size_of::<T>() {
        0 => usize::MAX,
        size if KEPT_BYTES / size > FEW => KEPT_BYTES / size,
        _ => FEW,
    };

    /// For how many values the first storage is. Large ones may come one by one.
    const LEAST: usize = if Self::KEPT > FEW { FEW } else { 1 };

    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Puts a value at the tail. Never reserves storage for more than `most`.
    #[inline]
    pub(super) fn push(&mut self, value: T, most: usize) {
        if self.0.len() == self.0.capacity() {
            self.grow(1, most);
        }
        self.0.push_back(value);
    }

    /// Puts the first `many` of the values at the tail.
    pub(super) fn push_many(&mut self, many: usize, values: &mut VecDeque<T>, most: usize) {
        if self.0.capacity() - self.0.len() < many {
            self.grow(many, most);
        }
        if many == values.len() {
            self.0.append(values);
        } else {
            self.0.extend(values.drain(..many));
        }
    }

    /// Doubles the storage, or makes room for so many.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, many: usize, most: usize) {
        let len = self.0.len();
        let most = most.saturating_sub(len).max(1);
        self.0
            .reserve_exact(len.max(Self::LEAST).max(many).min(most));
    }

    /// Takes the value at the head.
    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        if self.0.capacity() > Self::KEPT {
            self.fit();
        }
        // Last, so that the value moves only once.
        self.0.pop_front()
    }

    /// Takes so many values at the head.
    pub(super) fn take_many(&mut self, many: usize, out: &mut Vec<T>) {
        out.extend(self.0.drain(..many));
        self.fit();
    }

    /// Frees most of the storage once three quarters of it are unused: a step for each value that left.
    #[inline(never)]
    fn fit(&mut self) {
        let len = self.0.len();
        if self.0.capacity() > Self::KEPT && len <= self.0.capacity() / 4 {
            self.0.shrink_to(Self::KEPT.max(2 * len));
        }
    }

    /// Takes all values, and frees the storage.
    pub(super) fn take_all(&mut self) -> VecDeque<T> {
        core::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests;
