//! What a select asks before it parks, while it looks at several channels, and as its arms leave.

use super::Hchan;
use crate::party::{Offer, Party, Terms};
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
        let mut senders = self.sendq.iter(&self.sudogs, Terms::Final);
        let meets =
            |sender: &Sudog<T>| !sender.is_of(Some(select)) && self.has_value_for_newcomers(sender);
        let mut meets_any = || {
            self.may_bring
                && !self.is_faced(&self.recvq, select)
                && !self.awaits_receiver()
                && !self.is_promised(select)
                && senders.any(meets)
        };
        !self.buf.is_empty() || self.is_over() || meets_any()
    }

    /// Whether a send in line could proceed now that its select does not hold it any more. Whoever came past
    /// it meanwhile still counts, so all who are there do, but for the other arms of its own select.
    pub(crate) fn was_passed_by(&mut self, select: &Offer) -> bool {
        // As others see it, only now it is in line again.
        self.clock += 1;
        self.closed || self.has_room() || self.has_free_receiver(Some(select))
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
    pub(crate) fn adopt(&mut self, place: &Ticket, mut party: Party, wakes: &mut Wakes) -> bool {
        let &mut Sudog { state, age, .. } = self.sudogs.get(place);
        if state != State::Parked {
            return false;
        }
        // Of the select's arms in this line the oldest is the first.
        let first = self.receiver_of(party.select());
        if let Some((other, is_older)) = first.map(|(other, first)| (other, first.age < age)) {
            party.set_rank(is_older);
            if let Some(other) = &mut self.sudogs.at_mut(other).party {
                other.set_rank(!is_older);
            }
        }
        wakes.retire(self.sudogs.get(place).party.replace(party));
        true
    }

    /// Whether the select receives in this line already.
    pub(crate) fn receives(&self, select: &Offer) -> bool {
        self.receiver_of(Some(select)).is_some()
    }

    /// The first of the select's arms in this line, and where it is.
    fn receiver_of(&self, select: Option<&Offer>) -> Option<(u32, &Sudog<T>)> {
        let mut receivers = self.receivers();
        receivers.find(|(_, receiver)| receiver.is_of(select))
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
