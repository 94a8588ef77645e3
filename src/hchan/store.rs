//! The values outside the ring: what parked senders bring, what receivers were handed, and what came back. Each is
//! kept under the number of its sudog.
//!
//! The first places are one vector, and most channels need no others. The others are in segments, and these in
//! groups. What empties is freed, but for a spare segment and the group that has emptied last.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::slab::{first_places, places};
use crate::error::present;

/// The size of a segment.
const SEGMENT_BYTES: usize = 4 * 1024;

/// How many segments a group has.
const GROUP: usize = 64;

/// Made when the first value is outside the ring.
pub(super) struct Store<T>(Option<Box<Values<T>>>);

struct Values<T> {
    first: Places<T>,
    groups: Vec<Group<T>>,
    /// The group that has emptied last.
    idle: usize,
    /// The storage of a segment that is empty.
    spare: Places<T>,
}

type Places<T> = Vec<Option<T>>;

struct Group<T> {
    segments: Vec<Segment<T>>,
    /// How many of them are not empty.
    live: usize,
}

struct Segment<T> {
    places: Places<T>,
    taken: usize,
}

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

    /// Takes the value of a sudog.
    #[inline]
    pub(super) fn take(&mut self, number: u32, elem: &mut Option<T>) {
        let number = number as usize;
        let Some(values) = &mut self.0 else {
            unreachable!("a value with a number is in the store");
        };
        if let Some(place) = values.first.get_mut(number) {
            return move_value(elem, place);
        }
        move_value(elem, values.get_far(number));
        values.leave_far(number);
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
    const FIRST: usize = first_places(size_of::<Option<T>>()) as usize;

    /// How many places a segment has.
    const SEGMENT: usize = places(SEGMENT_BYTES, size_of::<Option<T>>()) as usize;

    /// A place for a value, beyond those that there are in `first`.
    fn make_place(&mut self, number: usize) -> &mut Option<T> {
        let Some(number) = number.checked_sub(Self::FIRST) else {
            extend(&mut self.first, (number + 1).next_power_of_two());
            return &mut self.first[number];
        };
        let (at, offset) = (number / Self::SEGMENT, number % Self::SEGMENT);
        let (number, at) = (at / GROUP, at % GROUP);
        while self.groups.len() <= number {
            let (segments, live) = (Vec::new(), 0);
            self.groups.push(Group { segments, live });
        }
        let Group { segments, live } = &mut self.groups[number];
        if segments.is_empty() {
            segments.reserve_exact(GROUP);
            for _ in 0..GROUP {
                let (places, taken) = (Vec::new(), 0);
                segments.push(Segment { places, taken });
            }
        }
        let Segment { places, taken } = &mut segments[at];
        if *taken == 0 {
            *live += 1;
            *places = mem::take(&mut self.spare);
            extend(places, Self::SEGMENT);
        }
        *taken += 1;
        &mut places[offset]
    }

    /// The place of a value that is not in `first`.
    #[inline(never)]
    fn get_far(&mut self, number: usize) -> &mut Option<T> {
        let number = number - Self::FIRST;
        let at = number / Self::SEGMENT;
        &mut self.groups[at / GROUP].segments[at % GROUP].places[number % Self::SEGMENT]
    }

    /// It has been taken.
    #[inline(never)]
    fn leave_far(&mut self, number: usize) {
        let at = (number - Self::FIRST) / Self::SEGMENT;
        let (number, at) = (at / GROUP, at % GROUP);
        let Group { segments, live } = &mut self.groups[number];
        let Segment { places, taken } = &mut segments[at];
        *taken -= 1;
        if *taken > 0 {
            return;
        }
        self.spare = mem::take(places);
        *live -= 1;
        if *live > 0 {
            return;
        }
        let idle = mem::replace(&mut self.idle, number);
        let Group { segments, live } = &mut self.groups[idle];
        if *live == 0 && idle != number {
            *segments = Vec::new();
        }
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
            idle: 0,
            spare: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
