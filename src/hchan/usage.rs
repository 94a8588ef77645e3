//! How many values each segment of the [`store`](super::store) has. It knows nothing of the values.

use alloc::vec::Vec;

/// How many segments a group has.
pub(super) const GROUP: usize = 64;

/// Where a segment is.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) group: usize,
    pub(super) segment: usize,
}

#[derive(Default)]
pub(super) struct Usage {
    groups: Vec<Group>,
    /// How many segments are not empty.
    pub(super) live: usize,
    /// How many groups are listed.
    pub(super) listed: usize,
    /// The group to look at next for one that nothing is in.
    next: usize,
}

#[derive(Default)]
struct Group {
    /// How many segments are not empty.
    live: usize,
    /// How many places of each segment are taken, if the group is listed.
    taken: Vec<u32>,
}

impl Usage {
    /// A place is taken. Whether its segment was empty.
    pub(super) fn take(&mut self, at: At) -> bool {
        if self.groups.len() <= at.group {
            self.groups.resize_with(at.group + 1, Group::default);
        }
        let group = &mut self.groups[at.group];
        if group.taken.is_empty() {
            group.taken.resize(GROUP, 0);
            self.listed += 1;
        }
        let taken = &mut group.taken[at.segment];
        *taken += 1;
        let was_empty = *taken == 1;
        group.live += usize::from(was_empty);
        self.live += usize::from(was_empty);
        was_empty
    }

    /// A place is free again. Whether its segment is empty.
    pub(super) fn leave(&mut self, at: At) -> bool {
        let group = &mut self.groups[at.group];
        let taken = &mut group.taken[at.segment];
        *taken -= 1;
        let is_empty = *taken == 0;
        group.live -= usize::from(is_empty);
        self.live -= usize::from(is_empty);
        is_empty
    }

    /// After the last of a crowd has gone: forgets all groups, if nothing is in any and there are many more than so
    /// many. Whether it did.
    pub(super) fn forget_if_idle(&mut self, near: usize) -> bool {
        const FEW: usize = 8;

        // A value may still be on its way from a sudog that was freed.
        let is_idle = self.live == 0 && self.groups.len() > near + FEW;
        if is_idle {
            *self = Self::default();
        }
        is_idle
    }

    /// Looks at one group after another, one with each call. If nothing is in it, it is listed no more.
    pub(super) fn next_idle(&mut self) -> Option<usize> {
        if self.next >= self.groups.len() {
            self.next = 0;
        }
        let at = self.next;
        self.next += 1;
        let group = &mut self.groups[at];
        if group.live > 0 || group.taken.is_empty() {
            return None;
        }
        group.taken = Vec::new();
        self.listed -= 1;
        Some(at)
    }
}
