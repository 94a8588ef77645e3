//! Handles that do not keep the channel open.

use core::fmt;

use crate::chan::Chan;
use crate::handles::every::every_handle;
use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
use crate::mask::masked;
use crate::sync::Arc;
use crate::watch::{Caller, Origin, Side};

/// A sender that does not keep the channel open; made by [`Sender::downgrade`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// let weak: hchan::WeakSender<_> = tx.downgrade();
/// drop(tx);
/// assert!(rx.is_closed());
/// # assert!(weak.upgrade().is_none());
/// ```
///
/// Not in Go, where a channel ends with the garbage collector.
pub struct WeakSender<T> {
    chan: Arc<Chan<T>>,
}

impl<T> WeakSender<T> {
    pub(crate) const fn new(chan: Arc<Chan<T>>) -> Self {
        Self { chan }
    }

    /// Makes a sender from it, unless the channel is closed or has no sender left.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let weak = tx.downgrade();
    /// weak.upgrade().unwrap().try_send(1).unwrap();
    /// drop(tx);
    /// assert!(weak.upgrade().is_none());
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    ///
    /// Not in Go, where a channel ends with the garbage collector.
    #[must_use]
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let caller = Caller::here();
        masked!({
            let mut hchan = self.chan.lock();
            if !hchan.revive_sender() {
                return None;
            }
            // Under the lock, so that it is listed before the other handles can go.
            let badge = self.chan.watch.join(Side::Send, Origin::Upgraded, caller);
            drop(hchan);
            Some(Sender::new(self.chan.clone(), badge))
        })
    }
}

/// A receiver that does not keep the channel open; made by [`Receiver::downgrade`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// let weak: hchan::WeakReceiver<_> = rx.downgrade();
/// drop(rx);
/// assert!(tx.is_closed());
/// # assert!(weak.upgrade().is_none());
/// ```
///
/// Not in Go, where a channel ends with the garbage collector.
pub struct WeakReceiver<T> {
    chan: Arc<Chan<T>>,
}

impl<T> WeakReceiver<T> {
    pub(crate) const fn new(chan: Arc<Chan<T>>) -> Self {
        Self { chan }
    }

    /// Makes a receiver from it, unless no receiver is left.
    ///
    /// It works on a closed channel too: there may be values left to receive.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let weak = rx.downgrade();
    /// tx.try_send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(weak.upgrade().unwrap().try_recv(), Ok(1));
    /// drop(rx);
    /// assert!(weak.upgrade().is_none());
    /// ```
    ///
    /// Not in Go, where a channel ends with the garbage collector.
    #[must_use]
    #[track_caller]
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        let caller = Caller::here();
        masked!({
            let mut hchan = self.chan.lock();
            if !hchan.revive_receiver() {
                return None;
            }
            // Under the lock, so that it is listed before the other handles can go.
            let badge = self.chan.watch.join(Side::Recv, Origin::Upgraded, caller);
            drop(hchan);
            Some(Receiver::new(self.chan.clone(), badge))
        })
    }
}

every_handle!(WeakSender);
every_handle!(WeakReceiver);

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self::new(self.chan.clone())
    }
}

impl<T> Clone for WeakReceiver<T> {
    fn clone(&self) -> Self {
        Self::new(self.chan.clone())
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakSender { .. }")
    }
}

impl<T> fmt::Debug for WeakReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakReceiver { .. }")
    }
}
