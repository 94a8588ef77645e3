//! What a select parks with: its offer, and a handle to it for each arm.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;
#[cfg(feature = "std")]
use std::cell::Cell;

use crate::party::{Offer, Party};
use crate::sync::Arc;

/// An offer, and handles to it that were in use and will be again.
///
/// A select leaves its kit to the next one on its thread. So selects that wait one after the other
/// allocate nothing, and, where they are served, handles need not be counted up and down for each arm.
#[derive(Debug)]
pub struct Kit {
    offer: Arc<Offer>,
    spare: Vec<Arc<Offer>>,
    places: Places,
    /// The channel on which the last receive arm was parked.
    receives_at: usize,
}

/// Whether arms take over the places that their handles have in line: only when no arm could proceed, for
/// who leaves such a place again has lost it.
#[derive(Debug, PartialEq, Eq)]
enum Places {
    NotYet,
    /// There is one.
    Soon,
    Now,
}

#[cfg(feature = "std")]
std::thread_local! {
    static KIT: Cell<Option<Box<Kit>>> = const { Cell::new(None) };
}

impl Kit {
    /// How many handles are kept from one select to the next.
    #[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
    const KEPT: usize = 16;

    /// The thread's kit, or a new one if some other select has that.
    #[inline]
    pub(super) fn take() -> Box<Self> {
        #[cfg(feature = "std")]
        if let Some(kit) = KIT
            .try_with(Cell::take)
            .ok()
            .flatten()
            .filter(|kit| kit.is_idle())
        {
            return kit;
        }
        Box::new(Self {
            offer: Arc::new(Offer::new()),
            spare: Vec::new(),
            places: Places::NotYet,
            receives_at: 0,
        })
    }

    /// Whether no arm is in line any more. The arms of a select that was given up leave after it, and in
    /// between anything may happen.
    #[cfg(feature = "std")]
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.offer) == 1 + self.spare.len()
    }

    /// Leaves the kit, with its offer closed, to the next select.
    #[inline]
    pub(super) fn keep(kit: Option<Box<Self>>) {
        let Some(kit) = kit else {
            return;
        };
        // A model checker makes all things anew each time. Else this fails only as the thread ends.
        #[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
        let _kept = KIT.try_with(|kept| {
            let mut kit = kit;
            if kit.spare.capacity() > Self::KEPT {
                kit.spare.truncate(Self::KEPT);
                kit.spare.shrink_to(Self::KEPT);
            }
            kept.set(Some(kit));
        });
        #[cfg(not(all(feature = "std", not(any(hchan_loom, hchan_shuttle)))))]
        drop(kit);
    }

    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// From now on any one arm may be accepted, which wakes the task.
    #[inline]
    pub(super) fn open(&mut self, waker: Waker) {
        self.places = Places::NotYet;
        self.receives_at = 0;
        self.offer.open(waker);
    }

    /// Whether the arm of a handle that has a place in line is to park later.
    pub(super) fn puts_off(&mut self) -> bool {
        let now = self.places == Places::Now;
        if !now {
            self.places = Places::Soon;
        }
        !now
    }

    /// Whether the arms that were put off are parking.
    #[inline]
    pub(super) fn is_late(&self) -> bool {
        self.places == Places::Now
    }

    /// Whether there are arms that were put off. They are to park now.
    #[inline]
    pub(super) fn goes_on(&mut self) -> bool {
        let goes_on = self.places == Places::Soon;
        if goes_on {
            self.places = Places::Now;
        }
        goes_on
    }

    /// What an arm stands in line with.
    #[inline]
    pub(super) fn party(&mut self, number: u32, again: bool) -> Party {
        let offer = self.spare.pop().unwrap_or_else(|| self.offer.clone());
        Party::Arm {
            offer,
            number,
            rank: again.into(),
        }
    }

    /// Whether a receive arm was parked on this channel before; now one is. Arms park channel by channel.
    #[inline]
    pub(super) fn receives_again(&mut self, address: usize) -> bool {
        mem::replace(&mut self.receives_at, address) == address
    }

    /// Puts by what an arm has stood in line with.
    #[inline]
    pub(super) fn put_by(&mut self, offer: Option<Arc<Offer>>) {
        // Without `std` no kit is kept, so spare handles would serve nobody.
        if cfg!(feature = "std") {
            self.spare.extend(offer);
        }
    }
}
