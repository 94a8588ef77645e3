//! What operations return when they fail; each error of a send brings the value back.

use core::error::Error;
use core::fmt;

/// The channel is closed. The value comes back.
///
/// From Go: "send on closed channel", which panics there.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(1);
/// drop(rx);
/// let error = tx.send("late").await.unwrap_err();
/// assert_eq!(error.into_inner(), "late");
/// # });
/// ```
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// The channel is closed and drained: no value will ever come.
///
/// From Go: the `false` of `v, ok := <-c`.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(1);
/// tx.try_send(1).unwrap();
/// drop(tx);
/// assert_eq!(rx.recv().await, Ok(1));
/// assert_eq!(rx.recv().await, Err(hchan::RecvError));
/// # });
/// ```
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError;

/// The value could not be sent without waiting. It comes back.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(0);
/// let error = tx.try_send(1).unwrap_err();
/// assert!(error.is_full() && !error.is_closed());
/// drop(rx);
/// let error = tx.try_send(2).unwrap_err();
/// assert!(error.is_closed());
/// assert_eq!(error.into_inner(), 2);
/// ```
///
/// From Go: the `default` of a `select`, taken, and the panic of a send on a closed channel.
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// No slot is free, or, on capacity 0, no receiver waits. A later try may succeed.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

/// No value could be received without waiting.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded::<()>(0);
/// assert!(rx.try_recv().unwrap_err().is_empty());
/// drop(tx);
/// assert!(rx.try_recv().unwrap_err().is_closed());
/// ```
///
/// From Go: the `default` of a `select`, taken, and the `false` of `v, ok := <-c`.
#[doc(alias = "Disconnected")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is there now. A later try may succeed.
    Empty,
    /// The channel is closed and drained.
    Closed,
}

/// The value was not sent in time. It comes back.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use std::future::ready;
///
/// let (tx, rx) = hchan::bounded(0);
/// let error = tx.send_until(1, ready(())).await.unwrap_err();
/// assert!(error.is_timeout());
/// assert_eq!(error.into_inner(), 1);
/// drop(rx);
/// assert!(tx.send_until(2, ready(())).await.unwrap_err().is_closed());
/// # });
/// ```
///
/// From Go: the `case <-time.After(d)` of a `select`, taken, and the panic of a send on a closed channel.
#[doc(alias = "Elapsed")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// Time ran out before anyone took the value.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
}

/// No value was received in time.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use std::future::ready;
///
/// let (tx, rx) = hchan::bounded::<()>(0);
/// assert!(rx.recv_until(ready(())).await.unwrap_err().is_timeout());
/// drop(tx);
/// assert!(rx.recv_until(ready(())).await.unwrap_err().is_closed());
/// # });
/// ```
///
/// From Go: the `case <-time.After(d)` of a `select`, taken, and the `false` of `v, ok := <-c`.
#[doc(alias = "Elapsed")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// Time ran out before a value came.
    Timeout,
    /// The channel is closed and drained.
    Closed,
}

impl<T> SendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendError(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A reference to the value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendError(1).as_inner(), &1);
    /// ```
    #[must_use]
    pub const fn as_inner(&self) -> &T {
        &self.0
    }

    /// The same error, with the value that was not sent mapped to another.
    ///
    /// # Examples
    ///
    /// `map(drop)` leaves the value out, so that `?` works where an error must be `Send + Sync + 'static`,
    /// whatever the value is:
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::error::Error;
    ///
    /// # futures::executor::block_on(async {
    /// async fn report(tx: hchan::Sender<Cell<u8>>) -> Result<(), Box<dyn Error + Send + Sync>> {
    ///     tx.send(Cell::new(1)).await.map_err(|error| error.map(drop))?;
    ///     Ok(())
    /// }
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// drop(rx);
    /// let error = report(tx).await.unwrap_err();
    /// assert_eq!(error.to_string(), "sending on a closed channel");
    /// # });
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> SendError<U> {
        SendError(change(self.0))
    }
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::TrySendError::Full(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }

    /// A reference to the value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::TrySendError::Full(1).as_inner(), &1);
    /// ```
    #[must_use]
    pub const fn as_inner(&self) -> &T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }

    /// The same error, with the value that was not sent mapped to another.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::TrySendError;
    ///
    /// assert_eq!(TrySendError::Full("late").map(str::len), TrySendError::Full(4));
    /// assert_eq!(TrySendError::Closed("late").map(drop), TrySendError::Closed(()));
    /// ```
    #[inline]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> TrySendError<U> {
        match self {
            Self::Full(value) => TrySendError::Full(change(value)),
            Self::Closed(value) => TrySendError::Closed(change(value)),
        }
    }

    /// Whether a later try may succeed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TrySendError::Full(1).is_full());
    /// ```
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TrySendError::Closed(1).is_closed());
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl TryRecvError {
    /// Whether a later try may succeed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TryRecvError::Empty.is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the channel is closed and drained.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::TryRecvError::Closed.is_closed());
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl<T> SendTimeoutError<T> {
    /// The value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendTimeoutError::Timeout(1).into_inner(), 1);
    /// ```
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(value) | Self::Closed(value) => value,
        }
    }

    /// A reference to the value that was not sent.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::SendTimeoutError::Timeout(1).as_inner(), &1);
    /// ```
    #[must_use]
    pub const fn as_inner(&self) -> &T {
        match self {
            Self::Timeout(value) | Self::Closed(value) => value,
        }
    }

    /// The same error, with the value that was not sent mapped to another.
    ///
    /// # Examples
    ///
    /// ```
    /// use hchan::SendTimeoutError;
    ///
    /// assert_eq!(SendTimeoutError::Timeout("late").map(str::len), SendTimeoutError::Timeout(4));
    /// assert_eq!(SendTimeoutError::Closed("late").map(drop), SendTimeoutError::Closed(()));
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> SendTimeoutError<U> {
        match self {
            Self::Timeout(value) => SendTimeoutError::Timeout(change(value)),
            Self::Closed(value) => SendTimeoutError::Closed(change(value)),
        }
    }

    /// Whether time ran out.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::SendTimeoutError::Timeout(1).is_timeout());
    /// ```
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::SendTimeoutError::Closed(1).is_closed());
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl RecvTimeoutError {
    /// Whether time ran out.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::RecvTimeoutError::Timeout.is_timeout());
    /// ```
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// Whether the channel is closed and drained.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(hchan::RecvTimeoutError::Closed.is_closed());
    /// ```
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(SendError(value): SendError<T>) -> Self {
        Self::Closed(value)
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(SendError(value): SendError<T>) -> Self {
        Self::Closed(value)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

const SEND_CLOSED: &str = "sending on a closed channel";
const RECV_CLOSED: &str = "receiving on a closed and drained channel";

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SEND_CLOSED)
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RECV_CLOSED)
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "sending on a full channel",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "receiving on an empty channel",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "timed out sending",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timed out receiving",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl<T> Error for SendError<T> {}
impl Error for RecvError {}
impl<T> Error for TrySendError<T> {}
impl Error for TryRecvError {}
impl<T> Error for SendTimeoutError<T> {}
impl Error for RecvTimeoutError {}

#[cold]
pub(crate) fn polled_after_ready(future: &str) -> ! {
    panic!("`{future}` polled after it was ready or cancelled");
}

/// Unwraps a value whose presence the outcome guarantees.
#[inline]
pub(crate) fn present<T>(elem: Option<T>) -> T {
    match elem {
        Some(value) => value,
        None => unreachable!("a receive gets its value, and a refused send has it back"),
    }
}

/// What a send returns, with its value if it was refused.
pub(crate) fn refused<T>(
    sent: Result<(), SendError<()>>,
    value: &mut Option<T>,
) -> Result<(), SendError<T>> {
    sent.map_err(|SendError(())| SendError(present(value.take())))
}
