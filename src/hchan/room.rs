//! What is inside, what room there is, and what would happen now.

use super::{Hchan, Kind};

impl Hchan {
    /// How many values are inside.
    #[inline]
    pub(crate) const fn qcount(&self) -> usize {
        (self.sent - self.left) as usize
    }

    /// How many values have left their slots.
    #[inline]
    pub(super) const fn received(&self) -> u64 {
        self.left.wrapping_sub(self.beside)
    }

    /// Says in [`outlook`](Self::outlook) that a receive would park.
    pub(crate) const RECV_PARKS: u8 = 1;
    /// Says that a send would park.
    pub(crate) const SEND_PARKS: u8 = 2;

    /// Which operations would surely park if they came now.
    #[inline]
    pub(crate) const fn outlook(&self) -> u8 {
        self.outlook
    }

    #[inline]
    pub(super) fn look_out(&mut self) {
        self.outlook = self.foresee();
    }

    /// What the outlook is.
    ///
    /// Where there is room, what is still in `sendq` waits for nothing here: arms of selects that are held, or were
    /// served elsewhere. On a closed channel it says that nothing parks, though a receive may while a value is
    /// unclaimed.
    #[inline]
    pub(super) fn foresee(&self) -> u8 {
        let nothing_inside = self.qcount() == 0;
        let outlook = if self.has_room() {
            u8::from(nothing_inside)
        } else {
            u8::from(nothing_inside && self.sendq.is_empty()) | u8::from(self.recvq.is_empty()) << 1
        };
        outlook & self.open
    }

    /// Whether a send would park if it came now.
    #[inline]
    pub(crate) fn send_parks(&self) -> bool {
        self.outlook() & Self::SEND_PARKS != 0
    }

    /// Whether a receive would park if it came now.
    #[inline]
    pub(crate) fn recv_parks(&self) -> bool {
        self.outlook() & Self::RECV_PARKS != 0
    }

    /// Whether anything may ever happen on the channel.
    #[inline]
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.kind, Kind::Never)
    }

    /// A reservation may stand in `reserveq`.
    pub(super) const RESERVING: u8 = 1;
    /// Values that were put back are inside.
    pub(super) const RETURNED: u8 = 2;

    #[inline]
    pub(super) const fn is_aside(&self, what: u8) -> bool {
        self.aside & what != 0
    }

    // The ring, as far as permits and what was put back leave it free.

    /// How many slots there are: half as many as can be counted at most, so that values that come back can be
    /// counted as well.
    pub(super) const fn slots_of(dataqsiz: usize) -> usize {
        const MOST: usize = usize::MAX / 2;

        match dataqsiz {
            MOST.. => MOST,
            few => few,
        }
    }

    /// How many slots permits hold.
    pub(super) const fn reserved(&self) -> usize {
        Self::slots_of(self.dataqsiz) - self.slots
    }

    #[inline]
    pub(super) const fn has_room(&self) -> bool {
        self.qcount() < self.slots
    }

    /// How many slots are free.
    pub(super) const fn room(&self) -> usize {
        self.slots.saturating_sub(self.qcount())
    }

    /// Whether someone may wait for a slot.
    #[inline]
    pub(super) const fn is_awaited(&self) -> bool {
        !self.sendq.is_empty() || self.is_aside(Self::RESERVING)
    }
}
