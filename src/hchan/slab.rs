//! A slab: places by number, in storage that never moves a crowd, and is freed when the crowd has gone.
//!
//! The first places are one vector, and most channels need no others. A crowd gets segments, each allocated
//! at its full size. A segment that empties is freed, wherever it is in the slab, except for a few spare ones. So
//! a waiter that stays keeps only its own segment, and no operation walks more than one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

/// No number: the end of a list.
pub(crate) const NIL: u32 = u32::MAX;

/// The size of a segment, and the first places' limit.
const SEGMENT_BYTES: usize = 8 * 1024;

/// The bytes that are kept in empty segments.
const SPARE_BYTES: usize = 32 * 1024;

/// A place of a slab. Its default is a free place, which has nothing to drop.
pub(crate) trait Place: Default {
    /// While it is free, the number of the free place to use after it.
    fn next(&mut self) -> &mut u32;
}

pub(crate) struct Slab<P> {
    first: Vec<P>,
    /// The free place of `first` to use next.
    free: u32,
    more: Option<Box<Segments<P>>>,
}

impl<P: Place> Slab<P> {
    /// How many places a segment has, and `first` at most.
    const SEGMENT: u32 = {
        let places = SEGMENT_BYTES / size_of::<P>();
        if places == 0 { 1 } else { places as u32 }
    };

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
        let number = if len < Self::SEGMENT as usize {
            if len == self.first.capacity() {
                let rest = Self::SEGMENT as usize - len;
                self.first.reserve_exact(rest.min(len).max(1));
            }
            self.first.push(P::default());
            len as u32
        } else {
            Self::SEGMENT + self.more.get_or_insert_default().acquire()
        };
        (number, self.get_mut(number))
    }

    /// Empties a place, which must then have nothing left to drop, and frees it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "`empty` is a few loads")]
    pub(crate) fn release<R>(&mut self, number: u32, empty: impl FnOnce(&mut P) -> R) -> R {
        if let Some(place) = self.first.get_mut(number as usize) {
            let left = empty(place);
            *place.next() = mem::replace(&mut self.free, number);
            return left;
        }
        let segments = self.segments();
        let left = empty(segments.get_mut(number - Self::SEGMENT));
        segments.release(number - Self::SEGMENT);
        left
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> &P {
        match self.first.get(number as usize) {
            Some(place) => place,
            None => match &self.more {
                Some(more) => more.get(number - Self::SEGMENT),
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
        self.segments().get_mut(number - Self::SEGMENT)
    }

    #[cold]
    #[inline(never)]
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
    /// Segments with a free place, linked to each other.
    open: u32,
    /// How many of the open ones are empty.
    spare: usize,
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
        }
    }
}

impl<P: Place> Segments<P> {
    /// How many places a segment has.
    const SIZE: u32 = Slab::<P>::SEGMENT;

    /// How many segments a group has.
    const GROUP: u32 = 256;

    /// How many empty segments are kept for the next crowd.
    const SPARE: usize = SPARE_BYTES / (Self::SIZE as usize * size_of::<P>());

    fn acquire(&mut self) -> u32 {
        if self.open == NIL {
            self.allocate();
        }
        let at = self.open;
        let segment = self.at(at);
        let offset = match segment.places.get_mut(segment.free as usize) {
            Some(place) => mem::replace(&mut segment.free, *place.next()),
            None => {
                segment.places.push(P::default());
                segment.places.len() as u32 - 1
            }
        };
        segment.taken += 1;
        let taken = segment.taken;
        self.spare -= usize::from(taken == 1);
        if taken == Self::SIZE {
            self.close(at);
        }
        at * Self::SIZE + offset
    }

    fn release(&mut self, number: u32) {
        let (at, offset) = (number / Self::SIZE, number % Self::SIZE);
        let segment = self.at(at);
        let next = mem::replace(&mut segment.free, offset);
        *segment.places[offset as usize].next() = next;
        segment.taken -= 1;
        let taken = segment.taken;
        if taken + 1 == Self::SIZE {
            self.reopen(at);
        }
        if taken == 0 {
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
                self.roomy < NIL / Self::GROUP / Self::SIZE - 2,
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
        group.live += 1;
        if group.live == Self::GROUP {
            self.roomy = group.next;
        }
        self.at(at).places.reserve_exact(Self::SIZE as usize);
        self.reopen(at);
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
        group.live -= 1;
        if group.live == 0 {
            group.segments = Vec::new();
            group.vacant = NIL;
        }
    }

    /// Puts a segment at the front of those with a free place.
    fn reopen(&mut self, at: u32) {
        let next = mem::replace(&mut self.open, at);
        let segment = self.at(at);
        segment.prev = NIL;
        segment.next = next;
        if next != NIL {
            self.at(next).prev = at;
        }
    }

    /// Takes a segment from those with a free place.
    fn close(&mut self, at: u32) {
        let &mut Segment { prev, next, .. } = self.at(at);
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
