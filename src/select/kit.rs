//! What a select parks with: its offer, and a handle to it for each arm.

use alloc::vec::Vec;
use core::task::Waker;
#[cfg(feature = "std")]
use std::cell::Cell;

use crate::party::{Offer, Party};
use crate::sync::Arc;

/// An offer, and handles to it that were in use and will be again.
///
/// A select that was served leaves its kit to the next one on its thread. So selects that wait one after
/// the other allocate nothing, and handles need not be counted up and down for each arm.
#[derive(Debug)]
pub struct Kit {
    offer: Arc<Offer>,
    spare: Vec<Arc<Offer>>,
}

#[cfg(feature = "std")]
std::thread_local! {
    static KIT: Cell<Option<Kit>> = const { Cell::new(None) };
}

impl Kit {
    /// How many handles are kept from one select to the next.
    #[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
    const KEPT: usize = 16;

    /// The thread's kit, or a new one if some other select has that.
    #[inline]
    pub(super) fn take() -> Self {
        #[cfg(feature = "std")]
        if let Ok(Some(kit)) = KIT.try_with(Cell::take) {
            return kit;
        }
        Self {
            offer: Arc::new(Offer::new()),
            spare: Vec::new(),
        }
    }

    /// Leaves the kit to the next select. No arm is in line any more, and the offer is closed.
    #[inline]
    pub(super) fn keep(self) {
        // A model checker makes all things anew each time. Else this fails only as the thread ends.
        #[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
        let _kept = KIT.try_with(|kept| {
            let mut kit = self;
            kit.spare.truncate(Self::KEPT);
            kit.spare.shrink_to(Self::KEPT);
            kept.set(Some(kit));
        });
    }

    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// From now on any one arm may be accepted, which wakes the task.
    #[inline]
    pub(super) fn open(&self, waker: Waker) {
        self.offer.open(waker);
    }

    /// What an arm stands in line with.
    #[inline]
    pub(super) fn party(&mut self, number: u32) -> Party {
        let offer = self.spare.pop().unwrap_or_else(|| self.offer.clone());
        Party::Arm(offer, number)
    }

    /// Puts by what an arm has stood in line with.
    #[inline]
    pub(super) fn put_by(&mut self, offer: Option<Arc<Offer>>) {
        // Without threads to keep kits for, they are counted instead.
        if cfg!(feature = "std") {
            self.spare.extend(offer);
        }
    }
}
