//! What a sender keeps from one poll to the next.

use core::ops::{Deref, DerefMut};
use core::task::Waker;

use crate::hchan::HchanOf;
use crate::hchan::sudog::{SendTicket, Ticket};
use crate::sync::{AtomicU32, Ordering};
use crate::trace::OpCell;

/// A staged send, a place in line for a slot, or a slot.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) staged: Option<SendTicket>,
    /// Never while a send is staged.
    pub(crate) place: Option<Ticket>,
    pub(crate) slot: bool,
}

impl Held {
    pub(crate) const SLOT: Self = Self {
        staged: None,
        place: None,
        slot: true,
    };

    /// Gives all of it up. A value that was staged and not sent is in `staged`. Returns a waker to drop, and one
    /// to wake.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_up<T>(
        self,
        hchan: &mut HchanOf<T>,
        staged: &mut Option<T>,
    ) -> (Option<Waker>, Option<Waker>) {
        let (mut left, mut next) = (None, None);
        if let Some(ticket) = self.staged {
            left = hchan.cancel_send(ticket, staged);
        }
        if let Some(ticket) = self.place {
            (left, next) = hchan.cancel_reserve(ticket);
        }
        if self.slot {
            next = hchan.release_permit();
        }
        (left, next)
    }
}

/// [`Held`] in a handle that may be shared. It takes no more room than a staged send alone.
///
/// Through a shared handle, a slot or a place in line is taken only under the channel's lock. A staged send is
/// taken only through `&mut`.
pub(crate) struct Holds {
    /// What it has, as bits.
    what: AtomicU32,
    /// The number of the place in line, of a staged send or for a slot.
    number: AtomicU32,
    /// When the staged send parked.
    since: u64,
    /// What is told of the place.
    op: OpCell,
}

impl Holds {
    const STAGED: u32 = 1;
    const PLACE: u32 = 2;
    const SLOT: u32 = 4;

    pub(crate) fn new() -> Self {
        Self {
            what: AtomicU32::new(0),
            number: AtomicU32::new(0),
            since: 0,
            op: OpCell::new(),
        }
    }

    #[inline]
    fn has(&self, bits: u32) -> bool {
        self.what.load(Ordering::Relaxed) & bits != 0
    }

    pub(crate) fn is_staged(&self) -> bool {
        self.has(Self::STAGED)
    }

    pub(crate) fn has_slot(&self) -> bool {
        self.has(Self::SLOT)
    }

    /// Whether it has nothing.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.what.load(Ordering::Relaxed) == 0
    }

    /// Whether it has a slot, or stands in line for one.
    #[inline]
    pub(crate) fn is_standing(&self) -> bool {
        self.has(Self::PLACE | Self::SLOT)
    }

    /// Takes what it has of the slots.
    pub(crate) fn take_standing(&self) -> Held {
        let place = self.has(Self::PLACE).then(|| self.ticket()).flatten();
        let slot = self.has_slot();
        let staged = self.what.load(Ordering::Relaxed) & Self::STAGED;
        self.what.store(staged, Ordering::Relaxed);
        Held {
            staged: None,
            place,
            slot,
        }
    }

    /// Takes all of it.
    pub(crate) fn take(&mut self) -> Held {
        let mut held = self.take_standing();
        if self.is_staged() {
            let since = self.since;
            held.staged = self.ticket().map(|ticket| SendTicket { ticket, since });
            self.what.store(0, Ordering::Relaxed);
        }
        held
    }

    fn ticket(&self) -> Option<Ticket> {
        let number = self.number.load(Ordering::Relaxed);
        let number = core::num::NonZero::new(number)?;
        Some(Ticket::from_parts(number, self.op.take()))
    }

    fn keep_ticket(&self, ticket: Ticket) {
        let (number, op) = ticket.into_parts();
        self.number.store(number.get(), Ordering::Relaxed);
        self.op.keep(op);
    }

    /// Keeps this as well.
    pub(crate) fn keep(&mut self, held: Held) {
        let mut what = self.what.load(Ordering::Relaxed);
        if let Some(SendTicket { ticket, since }) = held.staged {
            what |= Self::STAGED;
            self.since = since;
            self.keep_ticket(ticket);
        }
        if let Some(ticket) = held.place {
            debug_assert!(what & Self::STAGED == 0);
            what |= Self::PLACE;
            self.keep_ticket(ticket);
        }
        if held.slot {
            what |= Self::SLOT;
        }
        self.what.store(what, Ordering::Relaxed);
    }

    /// Takes all of it for a poll. It is kept again afterwards, even if a waker panics.
    pub(crate) fn borrow(&mut self) -> Borrowed<'_> {
        Borrowed {
            held: self.take(),
            holds: self,
        }
    }
}

/// What a sender has, during a poll.
pub(crate) struct Borrowed<'a> {
    held: Held,
    holds: &'a mut Holds,
}

impl Deref for Borrowed<'_> {
    type Target = Held;

    fn deref(&self) -> &Held {
        &self.held
    }
}

impl DerefMut for Borrowed<'_> {
    fn deref_mut(&mut self) -> &mut Held {
        &mut self.held
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.holds.keep(core::mem::take(&mut self.held));
    }
}
