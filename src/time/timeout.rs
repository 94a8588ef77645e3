//! Operations with a timeout: [`until`](crate::ops::until) with a timer of the crate's own.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::task::Wake;
use std::time::{Duration, Instant};

use futures_timer::Delay;

use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
use crate::mask::masked;
use crate::ops::until::{RecvUntilFuture, SendUntilFuture};
use crate::sync::Mutex;
use crate::wakes::{contain, wake_and_drop};

/// The timer of [`Sender::send_timeout`] and [`Receiver::recv_timeout`], so that their futures can be named.
///
/// It works on any executor or none, and runs from the call on. It is set only when the operation has to wait.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let (_tx, rx) = hchan::bounded::<u8>(0);
/// let recv: hchan::RecvUntilFuture<'_, u8, hchan::Timer> = rx.recv_timeout(Duration::from_millis(1));
/// assert!(futures::executor::block_on(recv).unwrap_err().is_timeout());
/// ```
///
/// From Go: `time.Timer`.
#[must_use = "futures do nothing unless polled"]
pub struct Timer {
    /// `None` if it ends beyond the clock's range.
    due: Option<Instant>,
    /// Set by the first poll before it is due.
    alarm: Option<Alarm>,
}

struct Alarm {
    delay: Delay,
    relay: Arc<Relay>,
}

/// What the thread of the timers wakes, so that a task's waker that panics stops no timer.
struct Relay(Mutex<Option<Waker>>);

impl Relay {
    /// Passes the wake on to this task.
    fn set(&self, task: &Waker) {
        if !self.wakes(task) {
            let waker = task.clone();
            let _dropped_unlocked = masked!(self.0.lock().replace(waker));
        }
    }

    fn wakes(&self, task: &Waker) -> bool {
        masked!({
            let waker = self.0.lock();
            waker.as_ref().is_some_and(|waker| waker.will_wake(task))
        })
    }

    fn take(&self) -> Option<Waker> {
        masked!(self.0.lock().take())
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.take() {
            contain(|| waker.wake());
        }
    }
}

impl Alarm {
    fn new(left: Duration) -> Self {
        Self {
            delay: Delay::new(left),
            relay: Arc::new(Relay(Mutex::new(None))),
        }
    }
}

impl Drop for Alarm {
    /// The thread of the timers may keep the relay for a while, but not the task's waker.
    fn drop(&mut self) {
        wake_and_drop(None, self.relay.take());
    }
}

impl Timer {
    fn new(timeout: Duration) -> Self {
        Self {
            due: Instant::now().checked_add(timeout),
            alarm: None,
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due else {
            return Poll::Pending;
        };
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        let alarm = self.alarm.get_or_insert_with(|| Alarm::new(left));
        alarm.relay.set(cx.waker());
        let waker = Waker::from(alarm.relay.clone());
        Pin::new(&mut alarm.delay).poll(&mut Context::from_waker(&waker))
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("due", &self.due).finish()
    }
}

impl<T> Sender<T> {
    /// Sends a value, waiting for at most `timeout`; `Duration::MAX` means forever.
    ///
    /// [`send_until`](Self::send_until) with a [`Timer`] that runs on any executor or none. The time runs from this
    /// call. The send is tried first, so with `Duration::ZERO` it never waits.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send): dropped, it has sent the value or drops it.
    ///
    /// # Errors
    ///
    /// The value comes back in [`SendTimeoutError::Timeout`](crate::SendTimeoutError::Timeout) or
    /// [`SendTimeoutError::Closed`](crate::SendTimeoutError::Closed).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready; and, if it must wait, in the cases of
    /// [`after`](fn@crate::after).
    ///
    /// # Cost
    ///
    /// A look at the clock. If it must wait, two allocations, and one thread for all timers of the process.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::time::Duration;
    /// use hchan::SendTimeoutError;
    ///
    /// let (tx, rx) = hchan::bounded(0);
    /// let sent = tx.send_timeout("now?", Duration::from_millis(1)).await;
    /// assert_eq!(sent, Err(SendTimeoutError::Timeout("now?")));
    /// # drop(rx) });
    /// ```
    ///
    /// From Go: `select { case c <- value: case <-time.After(timeout): }`.
    #[doc(alias = "deadline")]
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> SendUntilFuture<'_, T, Timer> {
        self.send_until(value, Timer::new(timeout))
    }
}

impl<T> Receiver<T> {
    /// Receives a value, waiting for at most `timeout`; `Duration::MAX` means forever.
    ///
    /// [`recv_until`](Self::recv_until) with a [`Timer`] that runs on any executor or none. The time runs from this
    /// call. The receive is tried first, so with `Duration::ZERO` it never waits.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`](crate::RecvTimeoutError::Timeout) or
    /// [`RecvTimeoutError::Closed`](crate::RecvTimeoutError::Closed).
    ///
    /// # Panics
    ///
    /// The future panics when polled after it was ready; and, if it must wait, in the cases of
    /// [`after`](fn@crate::after).
    ///
    /// # Cost
    ///
    /// A look at the clock. If it must wait, two allocations, and one thread for all timers of the process.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.send(1).await.unwrap();
    /// assert_eq!(rx.recv_timeout(Duration::from_secs(1)).await, Ok(1));
    /// assert!(rx.recv_timeout(Duration::from_millis(1)).await.unwrap_err().is_timeout());
    /// # });
    /// ```
    ///
    /// From Go: `select { case v := <-c: case <-time.After(timeout): }`.
    #[doc(alias = "deadline")]
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> RecvUntilFuture<'_, T, Timer> {
        self.recv_until(Timer::new(timeout))
    }
}
