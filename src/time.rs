//! Channels that the clock sends to: Go's `time.After` and `time.Tick`. Operations with a timeout are in a file of
//! their own.
//!
//! The sender is a [`Task`] that no executor runs. It waits for a timer, and for its channel to close, and is
//! polled by the thread that wakes it: usually the thread of the timers, and in the end the one that drops the
//! last receiver.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Waker};
use std::task::Wake;
use std::time::{Duration, Instant};

use futures_timer::Delay;

use crate::chan::{bounded, never};
use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
use crate::mask::masked;
use crate::ops::until::poll_until;
use crate::sync::{AtomicU32, Mutex, Ordering};
use crate::wakes::contain;

/// Makes a channel that receives one value once `duration` has passed: the time at which it was sent.
///
/// The time runs from this call, whether or not anyone receives. The value never comes early, and stays inside
/// until it is received. The channel then stays open and empty, so that the arm of a `select!` in a loop fires
/// once, and not in each round. A second receive waits forever.
///
/// A `duration` that ends beyond the clock's range, such as [`Duration::MAX`], gives a [`never`](fn@never)
/// channel.
///
/// # Panics
///
/// If the thread that runs all timers cannot be started, or has died because another crate's waker panicked on it;
/// this crate's wakers never do that.
///
/// # Cost
///
/// A few allocations, and one thread for all timers of the process. The timer ends when the last
/// receiver is dropped, or the channel is closed.
///
/// # Examples
///
/// As the arm that limits a wait:
///
/// ```
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let (_tx, rx) = hchan::bounded::<&str>(0); // and nobody sends
/// let timeout = hchan::after(Duration::from_millis(5));
/// let outcome = hchan::select! {
///     recv(rx) -> value => value.ok(),
///     recv(timeout) -> _ => None,
/// };
/// assert_eq!(outcome, None);
/// # });
/// ```
///
/// Made before a loop, it limits all rounds together; made inside, each round by itself.
///
/// From Go: `time.After(d)`.
#[doc(alias("sleep", "timeout"))]
#[must_use]
#[track_caller]
pub fn after(duration: Duration) -> Receiver<Instant> {
    schedule(duration, None)
}

/// Makes a channel that receives the time again and again, once in each `period`.
///
/// The first tick comes when one `period` has passed. The channel holds one tick; the next is dropped if that one
/// has not been received. So a slow receiver never finds a queue of ticks, and delays nobody. Ticks keep to their
/// schedule: if one is late, the next is not.
///
/// A `period` of zero gives a [`never`](fn@never) channel, and so does one that ends beyond the clock's range,
/// such as [`Duration::MAX`].
///
/// # Panics
///
/// As [`after`].
///
/// # Cost
///
/// A few allocations, and one thread for all timers of the process, which wakes for each tick. The
/// timer ends when the last receiver is dropped, or the channel is closed.
///
/// # Examples
///
/// As a ticker beside other arms:
///
/// ```
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let (_tx, jobs) = hchan::bounded::<u32>(1); // and nobody sends
/// let ticker = hchan::tick(Duration::from_millis(1));
/// let mut ticks = 0;
/// while ticks < 3 {
///     hchan::select! {
///         recv(jobs) -> job => println!("a job: {job:?}"),
///         recv(ticker) -> _ => ticks += 1,
///     }
/// }
/// # });
/// ```
///
/// A thread takes ticks in a loop, which ends when someone closes the channel:
///
/// ```
/// use std::time::Duration;
///
/// let ticker = hchan::tick(Duration::from_millis(1));
/// for _now in &ticker {
///     ticker.close();
/// }
/// ```
///
/// From Go: `time.Tick(d)`, which is nil where `d` is not positive; dropping the receiver is
/// `Ticker.Stop`.
#[doc(alias("interval", "Ticker"))]
#[must_use]
#[track_caller]
pub fn tick(period: Duration) -> Receiver<Instant> {
    if period.is_zero() {
        never().1
    } else {
        schedule(period, Some(period))
    }
}

/// Makes a channel that receives the time after `first`, and after each period from then on.
#[track_caller]
fn schedule(first: Duration, period: Option<Duration>) -> Receiver<Instant> {
    let Some(due) = Instant::now().checked_add(first) else {
        return never().1;
    };
    let (tx, rx) = bounded(1);
    rx.chan.watch.set_timer(true);
    Task::start(send_times(tx, due, period));
    rx
}

/// Sends the time when it is due, and after each period from then on, until the channel has ended.
async fn send_times(tx: Sender<Instant>, first: Instant, period: Option<Duration>) {
    let mut end = tx.closed();
    let mut delay = Delay::new(first.saturating_duration_since(Instant::now()));
    let mut due = Some(first);
    while let Some(time) = due {
        let ended = poll_fn(|cx| poll_until(&mut end, Pin::new(&mut delay), cx)).await;
        if ended.is_some() {
            return;
        }
        let now = Instant::now();
        // A receiver's waker that panics must not stop the clock. A tick that is not received is dropped.
        contain(|| {
            let _dropped = tx.try_send(now);
        });
        due = period.and_then(|period| next_tick(time, period, now));
        if let Some(next) = due {
            delay.reset(next.saturating_duration_since(Instant::now()));
        }
    }
    drop(delay);
    tx.chan.watch.set_timer(false);
    // The sender lives as long as a receiver does, so that the channel does not close.
    end.await;
}

/// The first tick after `now`, on the schedule on which one was due at `due`.
fn next_tick(due: Instant, period: Duration, now: Instant) -> Option<Instant> {
    let late = now.saturating_duration_since(due).as_nanos() % period.as_nanos();
    let late = Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX));
    now.checked_add(period.saturating_sub(late))
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future that is polled by the thread that wakes it.
struct Task {
    /// `None` while it is polled, and once it has ended.
    future: Mutex<Option<BoxFuture>>,
    /// The wakes since the last poll began. The first one polls; those that come meanwhile, from other
    /// threads or out of the poll itself, leave their number, and the poll is repeated.
    wakes: AtomicU32,
}

impl Task {
    /// Polls a future for the first time, and then whenever it is woken.
    fn start(future: impl Future<Output = ()> + Send + 'static) {
        let task = Arc::new(Self {
            future: Mutex::new(Some(Box::pin(future))),
            wakes: AtomicU32::new(1),
        });
        task.poll();
    }

    /// Polls until no wake is left. Called only by the thread that counted the first wake.
    fn poll(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            // Ordering: what was done before a wake comes before the poll that it asks for.
            let heard = self.wakes.load(Ordering::Acquire);
            // Taken out, since a poll runs user code, which must not run under a lock.
            let Some(mut future) = self.take() else {
                return;
            };
            if future.as_mut().poll(&mut cx).is_ready() {
                // The wakes stay counted, so that none is the first again, and nobody polls any more.
                return;
            }
            masked!(*self.future.lock() = Some(future));
            // Ordering: the future is in its place before anyone else can be the first.
            let done = self
                .wakes
                .compare_exchange(heard, 0, Ordering::Release, Ordering::Relaxed);
            if done.is_ok() {
                return;
            }
        }
    }

    fn take(&self) -> Option<BoxFuture> {
        masked!(self.future.lock().take())
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: see `poll`.
        if self.wakes.fetch_add(1, Ordering::AcqRel) == 0 {
            // The thread of the timers must not die of a panic; a timer that does is dropped, which closes
            // its channel.
            contain(|| self.poll());
        }
    }
}

#[cfg(test)]
mod tests;
mod timeout;

pub use self::timeout::Timer;
