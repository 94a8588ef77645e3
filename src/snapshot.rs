//! What a channel looks like.

use core::fmt;

/// What a channel looked like at one instant: the fields of Go's `hchan`, and what it has counted.
///
/// The instant is one moment under the lock, so the fields belong together; by the time you read
/// them the channel may look different.
///
/// [`Display`](fmt::Display) draws the ring and both queues. Values that were put back, which need no slot,
/// are drawn in the slots that are received from next.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(3);
/// tx.try_send('a').unwrap();
/// tx.try_send('b').unwrap();
/// rx.try_recv().unwrap();
/// assert_eq!(tx.snapshot().to_string(), "\
/// buf   [ ][#][ ]  1 of 3, recvx 1, sendx 2
/// sendq 0
/// recvq 0");
/// ```
///
/// As figures for monitoring:
///
/// ```
/// let (tx, rx) = hchan::bounded(3);
/// tx.try_send('a').unwrap();
/// tx.try_send('b').unwrap();
/// rx.try_recv().unwrap();
/// let seen = rx.snapshot();
/// assert_eq!((seen.sent, seen.received, seen.peak), (2, 1, 2));
/// assert_eq!((seen.senders, seen.receivers), (1, 1));
/// ```
///
/// From Go: `runtime.hchan`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// Values inside; with values that were put back it may exceed `dataqsiz`.
    pub qcount: usize,
    /// Size of the ring, `None` if it has no limit.
    pub dataqsiz: Option<usize>,
    /// Where in the ring the next value is put; values that were put back do not count.
    pub sendx: usize,
    /// Where in the ring the next value is taken.
    pub recvx: usize,
    /// Whether the channel is closed.
    pub closed: bool,
    /// Parked sends and reservations.
    pub sendq: usize,
    /// Parked receives.
    pub recvq: usize,
    /// Senders.
    pub senders: usize,
    /// Receivers.
    pub receivers: usize,
    /// Slots that permits hold, or that were granted to reservations that have not returned yet.
    pub permits: usize,
    /// Values that receives were handed and have not returned yet. Each may still come back.
    pub unclaimed: usize,
    /// Values that were accepted, since the channel was made.
    pub sent: u64,
    /// Values that have left: `sent`, less `qcount` and `unclaimed`. They were received, except for those that
    /// [`force_send`](crate::Sender::force_send) returned and those that went with the last receiver.
    pub received: u64,
    /// The most values that were inside at once: `qcount` at its highest.
    pub peak: usize,
}

/// A ring with more slots than this, or without a limit, is described and not drawn.
const DRAWN_SLOTS: usize = 64;

impl Snapshot {
    /// Whether the slot of the ring holds a value.
    fn holds(&self, slot: usize, dataqsiz: usize) -> bool {
        let steps = (slot + dataqsiz - self.recvx % dataqsiz) % dataqsiz;
        steps < self.qcount
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("buf   ")?;
        match self.dataqsiz {
            Some(dataqsiz) => {
                if (1..=DRAWN_SLOTS).contains(&dataqsiz) {
                    for slot in 0..dataqsiz {
                        let drawn = if self.holds(slot, dataqsiz) {
                            "[#]"
                        } else {
                            "[ ]"
                        };
                        f.write_str(drawn)?;
                    }
                    f.write_str("  ")?;
                }
                write!(f, "{} of {dataqsiz}", self.qcount)?;
            }
            None => write!(f, "{} of no limit", self.qcount)?,
        }
        writeln!(f, ", recvx {}, sendx {}", self.recvx, self.sendx)?;
        draw_queue(f, "sendq", self.sendq)?;
        f.write_str("\n")?;
        draw_queue(f, "recvq", self.recvq)?;
        if self.closed {
            f.write_str("\nclosed")?;
        }
        Ok(())
    }
}

fn draw_queue(f: &mut fmt::Formatter<'_>, name: &str, parked: usize) -> fmt::Result {
    write!(f, "{name} {parked}")?;
    for place in 0..parked.min(DRAWN_SLOTS) {
        f.write_str(if place == 0 { " <-o" } else { " o" })?;
    }
    Ok(())
}
