//! Leases: values that were received and may come back.

use super::Hchan;
use super::sudog::Ticket;

impl Hchan {
    /// The age of the value that a receive would get now: the one it was handed, or else the one that leaves next.
    #[inline]
    pub(crate) fn due_age(&mut self, place: Option<&Ticket>) -> u64 {
        match place {
            Some(ticket) => self.sudogs().get_mut(ticket.number()).age,
            None => self.next_age(),
        }
    }

    /// A value that has left may come back, and is unclaimed meanwhile; false if there are too many to count.
    #[inline]
    pub(crate) fn lease(&mut self) -> bool {
        // The other half is for values that were handed, each of which has a sudog.
        let counts = self.unclaimed < u32::MAX / 2;
        self.unclaimed += u32::from(counts);
        counts
    }

    /// A value that was leased will not come back.
    ///
    /// On a closed channel that may have been the last: [`settle`](Self::settle) then.
    #[inline]
    pub(crate) fn end_lease(&mut self) {
        self.unclaimed -= 1;
    }
}
