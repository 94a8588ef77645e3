//! What a select asks before it parks, while it looks at several channels, and as its arms leave.

use super::Hchan;
use crate::party::{Offer, Party};
use crate::sudog::{State, Sudog, Ticket, WaitQ};
use crate::sync::Arc;
use crate::wakes::Wakes;

impl<T> Hchan<T> {
    /// Whether a send would not wait, were it not for the other arms of its own select.
    pub(crate) fn can_send(&self, select: &Offer) -> bool {
        let meets = || !self.is_faced(&self.sendq, select) && self.has_free_receiver(Some(select));
        self.closed || self.has_room() || meets()
    }

    /// Whether a receive would not wait, were it not for the other arms of its own select.
    pub(crate) fn can_recv(&self, select: &Offer) -> bool {
        let mut senders = self.sendq.iter(&self.sudogs);
        let meets = |sender: &Sudog<T>| sender.has_value() && !sender.is_of(Some(select));
        let mut meets_any = || {
            self.may_bring
                && !self.is_faced(&self.recvq, select)
                && !self.awaits_receiver()
                && !self.is_promised(Some(select), self.last_promised())
                && senders.any(meets)
        };
        !self.buf.is_empty() || self.is_over() || meets_any()
    }

    /// Whether the select stands last in that queue already. Then whoever came to the other queue since
    /// has met it, and there is no need to look past the select's own arms there.
    pub(super) fn is_faced(&self, queue: &WaitQ, select: &Offer) -> bool {
        self.reserved == 0
            && queue
                .last(&self.sudogs)
                .is_some_and(|last| last.is_of(Some(select)))
    }

    /// Turns a parked receive into an arm of a select, unless it was served.
    pub(crate) fn adopt(&mut self, place: &Ticket, party: Party, wakes: &mut Wakes) -> bool {
        let sudog = self.sudogs.get(place);
        let parked = sudog.state == State::Parked;
        if parked {
            wakes.retire(sudog.party.replace(party));
        }
        parked
    }

    /// Takes an arm's handle to its offer, before the arm goes.
    #[inline]
    pub(crate) fn take_offer(&mut self, place: Option<&Ticket>) -> Option<Arc<Offer>> {
        self.sudogs
            .get(place?)
            .party
            .take()
            .and_then(Party::into_offer)
    }

    /// What the channel's clock shows: if a later look shows the same, nothing has become possible
    /// in between that was not.
    pub(crate) const fn clock(&self) -> u64 {
        self.clock
    }
}
