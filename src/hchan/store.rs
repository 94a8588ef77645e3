//! The values outside the ring: what parked senders bring, what receivers were handed, and what came back. Each is
//! kept under the number of its sudog.
//!
//! The first places are one vector, which is kept, and most channels need no others. The others are in segments, and
//! these in groups. However many wait, few of them may have a value, so the storage of a segment that empties serves
//! another. It is freed if there is more than the values and the waiters need, and so are the groups' lists.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::slab::{Extent, first_places, places};
use super::usage::{At, GROUP, Usage};
use crate::error::present;

/// The most that the first places take up.
const FIRST_BYTES: usize = 96 * 1024;

/// The size of a segment, and of the empty ones that are kept.
const SEGMENT_BYTES: usize = 4 * 1024;
const SPARE_BYTES: usize = 16 * 1024;

/// How many more empty segments are kept at most, while values are in others.
const MOST_SPARE: usize = 1024;

/// How many segments, and groups, are freed in one go.
const STEPS: usize = 2;

/// Made when the first value is outside the ring.
pub(super) struct Store<T>(Option<Box<Values<T>>>);

struct Values<T> {
    first: Places<T>,
    /// The segments, group by group. One that is empty has no storage, and a group that is not listed no segments.
    groups: Vec<Vec<Places<T>>>,
    usage: Usage,
    /// The storage of segments that have emptied.
    spare: Vec<Places<T>>,
}

type Places<T> = Vec<Option<T>>;

impl<T> Store<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Keeps the value with a sudog that has none.
    #[inline]
    pub(super) fn keep(&mut self, number: u32, elem: &mut Option<T>) {
        let number = number as usize;
        let place = match &mut self.0 {
            Some(values) if number < values.first.len() => &mut values.first[number],
            _ => self.make_place(number),
        };
        move_value(place, elem);
    }

    #[inline(never)]
    fn make_place(&mut self, number: usize) -> &mut Option<T> {
        self.0.get_or_insert_default().make_place(number)
    }

    /// Takes the value of a sudog. True if it was beyond the first places: then [`leave_far`](Self::leave_far) follows.
    #[inline]
    pub(super) fn take(&mut self, number: u32, elem: &mut Option<T>) -> bool {
        let Some(values) = &mut self.0 else {
            unreachable!("a value with a number is in the store");
        };
        if let Some(place) = values.first.get_mut(number as usize) {
            move_value(elem, place);
            return false;
        }
        move_value(elem, values.get_far(number as usize));
        true
    }

    pub(super) fn leave_far(&mut self, number: u32) {
        if let Some(values) = &mut self.0 {
            values.leave_far(number as usize);
        }
    }

    /// After a sudog beyond the first places was freed.
    pub(super) fn fit(&mut self, crowd: Extent) {
        if let Some(values) = &mut self.0 {
            values.fit(crowd);
        }
    }
}

/// Moves a value to a place where there is none.
#[inline]
fn move_value<T>(to: &mut Option<T>, from: &mut Option<T>) {
    debug_assert!(to.is_none());
    // Forgotten, so that the compiler need not look for what there is to drop.
    mem::forget(to.replace(present(from.take())));
}

impl<T> Values<T> {
    /// How many places `first` has at most.
    const FIRST: usize = first_places(FIRST_BYTES, size_of::<Option<T>>()) as usize;

    /// How many places a segment has.
    const SEGMENT: usize = places(SEGMENT_BYTES, size_of::<Option<T>>()) as usize;

    /// How many empty segments are kept for the next crowd, and at least one.
    const SPARE: usize = match Self::SEGMENT * size_of::<Option<T>>() {
        0..=SEGMENT_BYTES => SPARE_BYTES / SEGMENT_BYTES,
        large if large > SPARE_BYTES => 1,
        size => SPARE_BYTES / size,
    };

    /// Where the place with this number is, beyond the first ones.
    #[inline]
    const fn spot(number: usize) -> (At, usize) {
        let number = number - Self::FIRST;
        let (segment, offset) = (number / Self::SEGMENT, number % Self::SEGMENT);
        let (group, segment) = (segment / GROUP, segment % GROUP);
        (At { group, segment }, offset)
    }

    /// A place for a value, beyond those that there are in `first`.
    fn make_place(&mut self, number: usize) -> &mut Option<T> {
        if number < Self::FIRST {
            extend(&mut self.first, (number + 1).next_power_of_two());
            return &mut self.first[number];
        }
        let (at, offset) = Self::spot(number);
        let was_empty = self.usage.take(at);
        while self.groups.len() <= at.group {
            self.groups.push(Vec::new());
        }
        let segments = &mut self.groups[at.group];
        if segments.is_empty() {
            segments.reserve_exact(GROUP);
            (0..GROUP).for_each(|_| segments.push(Vec::new()));
        }
        let places = &mut segments[at.segment];
        if was_empty {
            *places = self.spare.pop().unwrap_or_default();
            extend(places, Self::SEGMENT);
        }
        &mut places[offset]
    }

    /// The place of a value that is not in `first`.
    #[inline(never)]
    fn get_far(&mut self, number: usize) -> &mut Option<T> {
        let (at, offset) = Self::spot(number);
        &mut self.groups[at.group][at.segment][offset]
    }

    /// It has been taken.
    fn leave_far(&mut self, number: usize) {
        let (at, _) = Self::spot(number);
        if self.usage.leave(at) {
            let places = mem::take(&mut self.groups[at.group][at.segment]);
            self.spare.push(places);
        }
    }

    /// Frees storage that the values and the waiters do not need: a few steps for each sudog that was freed.
    fn fit(&mut self, crowd: Extent) {
        let beyond = crowd.places.saturating_sub(Self::FIRST);
        let near = beyond.div_ceil(Self::SEGMENT * GROUP);
        let likely = self.usage.live.max(beyond * Self::SPARE / 1024);
        let spare = Self::SPARE + likely.min(MOST_SPARE);
        if self.spare.len() > spare {
            let fewer = self.spare.len().saturating_sub(STEPS);
            shorten(&mut self.spare, spare.max(fewer));
        }
        if crowd.segments == 0 && self.usage.forget_if_idle(near) {
            while let Some(mut segments) = self.groups.pop() {
                shorten(&mut segments, 0);
                // It has no storage; a drop would be code for each type of message.
                mem::forget(segments);
            }
            self.groups.shrink_to_fit();
        }
        // Each segment of sudogs may be far from the others.
        let needed = 1 + crowd.segments + near;
        for _ in 0..STEPS.min(self.usage.listed.saturating_sub(needed)) {
            if let Some(group) = self.usage.next_idle() {
                shorten(&mut self.groups[group], 0);
            }
        }
    }
}

/// Frees the last segments, and most of the list if few are left.
#[inline(never)]
fn shorten<T>(segments: &mut Vec<Places<T>>, len: usize) {
    while segments.len() > len {
        segments.pop();
    }
    let (len, capacity) = (segments.len(), segments.capacity());
    if len == 0 || capacity > GROUP && len <= capacity / 4 {
        segments.shrink_to(2 * len);
    }
}

/// Adds empty places, up to so many.
#[inline(never)]
fn extend<T>(places: &mut Places<T>, many: usize) {
    places.reserve_exact(many - places.len());
    while places.len() < many {
        places.push(None);
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self {
            first: Vec::new(),
            groups: Vec::new(),
            usage: Usage::default(),
            spare: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
