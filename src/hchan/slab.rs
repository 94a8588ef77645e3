//! A slab: places by number, in storage that never moves a crowd, and is freed when the crowd has gone.
//!
//! The first places are one vector, and most channels need no others. A crowd gets segments, each allocated
//! at its full size. A segment that empties is freed, wherever it is in the slab, except for a spare one. So
//! a waiter that stays keeps only its own segment, and no operation walks more than one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

/// No number: the end of a list.
pub(crate) const NIL: u32 = u32::MAX;

/// The most that the first places take up, and how many they are at most.
const FIRST_BYTES: usize = 128 * 1024;
const FIRST_PLACES: u32 = 2048;

/// The size of a segment, and of the empty ones that are kept.
const SEGMENT_BYTES: usize = 16 * 1024;

/// A place of a slab. Its default is a free place, which has nothing to drop.
pub(crate) trait Place: Default {
    /// While it is free, the number of the free place to use after it.
    fn next(&mut self) -> &mut u32;
}

/// How many places of this size there are before a crowd gets segments, at most, if they may take up so many bytes.
pub(super) const fn first_places(bytes: usize, size: usize) -> u32 {
    match places(bytes, size) {
        few if few < FIRST_PLACES => few,
        _ => FIRST_PLACES,
    }
}

/// How many places of this size so many bytes are for, and at least one: a power of two, so that a number is split
/// without a division.
pub(super) const fn places(bytes: usize, size: usize) -> u32 {
    match size {
        0 => FIRST_PLACES,
        large if large > bytes => 1,
        small => 1 << (bytes / small).ilog2(),
    }
}

/// How many places may be in use.
#[derive(Clone, Copy, Default)]
pub(super) struct Extent {
    pub(super) places: usize,
    /// How many segments have those that are beyond the first ones.
    pub(super) segments: usize,
}

pub(crate) struct Slab<P> {
    first: Vec<P>,
    /// The free place of `first` to use next.
    free: u32,
    more: Option<Box<Segments<P>>>,
}

impl<P: Place> Slab<P> {
    /// How many places `first` has at most.
    const FIRST: u32 = first_places(FIRST_BYTES, size_of::<P>());

    /// How many places a segment has.
    const SEGMENT: u32 = places(SEGMENT_BYTES, size_of::<P>());

    pub(crate) const fn new() -> Self {
        Self {
            first: Vec::new(),
            free: NIL,
            more: None,
        }
    }

    /// Takes a free place, for the caller to fill.
    #[inline]
    pub(crate) fn acquire(&mut self) -> (u32, &mut P) {
        let number = self.free;
        if (number as usize) < self.first.len() {
            let place = &mut self.first[number as usize];
            self.free = *place.next();
            return (number, place);
        }
        self.acquire_new()
    }

    #[cold]
    #[inline(never)]
    fn acquire_new(&mut self) -> (u32, &mut P) {
        let len = self.first.len();
        if len == Self::FIRST as usize {
            let (number, place) = self.more.get_or_insert_default().acquire();
            return (Self::FIRST + number, place);
        }
        if len == self.first.capacity() {
            // It doubles while moving it takes no time, then it is moved once more, to its full size.
            let most = if len < Self::SEGMENT as usize {
                Self::SEGMENT.min(2 * len as u32).max(1)
            } else {
                Self::FIRST
            };
            self.first.reserve_exact(most as usize - len);
        }
        self.first.push(P::default());
        (len as u32, &mut self.first[len])
    }

    /// Frees a place if this empties it: then it must have nothing left to drop.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "`empty` is a few loads")]
    pub(crate) fn release_if<R, E>(
        &mut self,
        number: u32,
        empty: impl FnOnce(&mut P) -> Result<R, E>,
    ) -> Result<R, E> {
        if let Some(place) = self.first.get_mut(number as usize) {
            let emptied = empty(place);
            if emptied.is_ok() {
                *place.next() = mem::replace(&mut self.free, number);
            }
            return emptied;
        }
        let emptied = empty(self.get_far(number));
        if emptied.is_ok() {
            self.release_far(number);
        }
        emptied
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> &P {
        match self.first.get(number as usize) {
            Some(place) => place,
            None => match &self.more {
                Some(more) => more.get(number - Self::FIRST),
                None => no_such_place(),
            },
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> &mut P {
        // Not `get_mut(…)` with a `match`: what is returned would borrow the slab in both branches.
        if (number as usize) < self.first.len() {
            return &mut self.first[number as usize];
        }
        self.get_far(number)
    }

    #[cold]
    #[inline(never)]
    fn get_far(&mut self, number: u32) -> &mut P {
        self.segments().get_mut(number - Self::FIRST)
    }

    #[cold]
    #[inline(never)]
    fn release_far(&mut self, number: u32) {
        self.segments().release(number - Self::FIRST);
    }

    /// The place with this number, if it is one of the first.
    #[inline]
    pub(super) fn get_first(&self, number: u32) -> Option<&P> {
        self.first.get(number as usize)
    }

    /// Whether a place with this number is beyond the first ones, so that its storage may be freed.
    #[inline]
    pub(super) const fn is_far(number: u32) -> bool {
        number >= Self::FIRST
    }

    /// How much of it may be in use.
    pub(super) fn extent(&self) -> Extent {
        let segments = self.more.as_ref().map_or(0, |more| more.live - more.spare);
        Extent {
            places: self.first.len() + segments * Self::SEGMENT as usize,
            segments,
        }
    }

    fn segments(&mut self) -> &mut Segments<P> {
        match &mut self.more {
            Some(more) => more,
            None => no_such_place(),
        }
    }
}

#[cold]
pub(crate) fn no_such_place() -> ! {
    unreachable!("a number is used between acquire and release")
}

/// The places beyond the first ones, in segments.
struct Segments<P> {
    /// The segments in groups, so that a crowd never moves the list of all of them.
    groups: Vec<Group<P>>,
    /// Groups with room for a segment, linked to each other.
    roomy: u32,
    /// The open segments, linked to each other: those with a free place, and perhaps the first, which is left open
    /// when it fills, as a place of its own is often the next to be freed.
    open: u32,
    /// How many of them are empty.
    spare: usize,
    /// How many segments are allocated.
    live: usize,
}

struct Group<P> {
    segments: Vec<Segment<P>>,
    /// How many of them are allocated.
    live: u32,
    /// Those that were freed, linked to each other.
    vacant: u32,
    next: u32,
}

struct Segment<P> {
    places: Vec<P>,
    taken: u32,
    free: u32,
    is_open: bool,
    prev: u32,
    next: u32,
}

impl<P> Default for Segments<P> {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            roomy: NIL,
            open: NIL,
            spare: 0,
            live: 0,
        }
    }
}

impl<P: Place> Segments<P> {
    /// How many places a segment has.
    const SIZE: u32 = Slab::<P>::SEGMENT;

    /// How many segments a group has.
    const GROUP: u32 = 64;

    /// How many empty segments are kept for the next crowd.
    const SPARE: usize = SEGMENT_BYTES / (Self::SIZE as usize * size_of::<P>());

    fn acquire(&mut self) -> (u32, &mut P) {
        self.close_if_full();
        if self.open == NIL {
            self.allocate();
        }
        let at = self.open;
        self.spare -= usize::from(self.at(at).taken == 0);
        let segment = self.at(at);
        segment.taken += 1;
        let mut offset = segment.free;
        if offset == NIL {
            offset = segment.places.len() as u32;
            segment.places.push(P::default());
        }
        let place = &mut segment.places[offset as usize];
        segment.free = mem::replace(place.next(), NIL);
        (at * Self::SIZE + offset, place)
    }

    fn release(&mut self, number: u32) {
        let (at, offset) = (number / Self::SIZE, number % Self::SIZE);
        let segment = self.at(at);
        *segment.places[offset as usize].next() = mem::replace(&mut segment.free, offset);
        segment.taken -= 1;
        let (is_open, is_empty) = (segment.is_open, segment.taken == 0);
        if !is_open {
            self.close_if_full();
            self.open(at);
        }
        if is_empty {
            self.spare += 1;
            if self.spare > Self::SPARE {
                self.give_back(at);
            }
        }
    }

    /// Opens an empty segment.
    fn allocate(&mut self) {
        if self.roomy == NIL {
            self.roomy = self.groups.len() as u32;
            assert!(
                self.roomy < NIL / 2 / Self::GROUP / Self::SIZE - 2,
                "more operations parked than a channel can count"
            );
            self.groups.push(Group {
                segments: Vec::new(),
                live: 0,
                vacant: NIL,
                next: NIL,
            });
        }
        let group = &mut self.groups[self.roomy as usize];
        let at = match group.vacant {
            NIL => {
                if group.segments.is_empty() {
                    group.segments.reserve_exact(Self::GROUP as usize);
                }
                group.segments.push(Segment {
                    places: Vec::new(),
                    taken: 0,
                    free: NIL,
                    is_open: false,
                    prev: NIL,
                    next: NIL,
                });
                self.roomy * Self::GROUP + group.segments.len() as u32 - 1
            }
            at => {
                group.vacant = group.segments[(at % Self::GROUP) as usize].next;
                at
            }
        };
        self.live += 1;
        group.live += 1;
        if group.live == Self::GROUP {
            self.roomy = group.next;
        }
        self.at(at).places.reserve_exact(Self::SIZE as usize);
        self.open(at);
        self.spare += 1;
    }

    /// Frees an empty segment, and with the last its group.
    fn give_back(&mut self, at: u32) {
        self.spare -= 1;
        self.close(at);
        let number = at / Self::GROUP;
        let group = &mut self.groups[number as usize];
        let segment = &mut group.segments[(at % Self::GROUP) as usize];
        segment.places = Vec::new();
        segment.free = NIL;
        segment.next = mem::replace(&mut group.vacant, at);
        if group.live == Self::GROUP {
            group.next = mem::replace(&mut self.roomy, number);
        }
        self.live -= 1;
        group.live -= 1;
        if group.live == 0 {
            group.segments = Vec::new();
            group.vacant = NIL;
        }
    }

    /// Puts a segment at the front of the open ones.
    fn open(&mut self, at: u32) {
        let next = mem::replace(&mut self.open, at);
        let segment = self.at(at);
        segment.is_open = true;
        segment.prev = NIL;
        segment.next = next;
        if next != NIL {
            self.at(next).prev = at;
        }
    }

    /// Takes the first from the open ones if it is full.
    fn close_if_full(&mut self) {
        if self.open != NIL && self.at(self.open).taken == Self::SIZE {
            self.close(self.open);
        }
    }

    /// Takes a segment from the open ones.
    fn close(&mut self, at: u32) {
        let segment = self.at(at);
        segment.is_open = false;
        let (prev, next) = (segment.prev, segment.next);
        match prev {
            NIL => self.open = next,
            _ => self.at(prev).next = next,
        }
        if next != NIL {
            self.at(next).prev = prev;
        }
    }

    fn at(&mut self, at: u32) -> &mut Segment<P> {
        &mut self.groups[(at / Self::GROUP) as usize].segments[(at % Self::GROUP) as usize]
    }

    #[inline(never)]
    fn get(&self, number: u32) -> &P {
        let at = number / Self::SIZE;
        let group = &self.groups[(at / Self::GROUP) as usize];
        &group.segments[(at % Self::GROUP) as usize].places[(number % Self::SIZE) as usize]
    }

    fn get_mut(&mut self, number: u32) -> &mut P {
        let segment = self.at(number / Self::SIZE);
        &mut segment.places[(number % Self::SIZE) as usize]
    }
}

#[cfg(test)]
mod tests;
