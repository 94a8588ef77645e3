//! What tells channels apart.

/// Tells one channel from all others that exist: two handles have the same id exactly if they are of the same
/// channel.
///
/// It may stand in sets and maps and logs, and is the `channel` of the events of the feature `tracing`. It is
/// where the channel is in memory: once all handles are gone, weak ones too, a later channel may get the same id.
/// So keep a [`WeakSender`](crate::WeakSender) or a [`WeakReceiver`](crate::WeakReceiver) along with an id that is
/// to outlive the other handles. The order of ids means nothing.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
///
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// let names = HashMap::from([(tx.id(), "jobs")]);
/// assert_eq!(names[&rx.id()], "jobs");
/// ```
///
/// From Go: a channel as the key of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(usize);

impl ChannelId {
    pub(crate) const fn new(address: usize) -> Self {
        Self(address)
    }
}
