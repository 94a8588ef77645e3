//! The dynamic form of a select, whose arms are added one by one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
#[cfg(feature = "std")]
use std::time::Duration;

use futures_core::future::FusedFuture;

use super::arm::{Arm, ChannelArm, FutureArm, Wins};
use super::operation::Receive;
use super::{Arms, Bias, Otherwise, Race};
use crate::error::{RecvError, SendError, polled_after_ready};
use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
#[cfg(feature = "std")]
use crate::park;

/// A select whose arms are added one by one, each with a closure that maps its result to an `O`.
///
/// It is a future, which returns the `O` of the one arm that commits. The others leave no trace: their values are
/// dropped, or, with [`send_from`](Self::send_from), put back. A future that is ready when it is polled wins, so
/// no output is dropped. If several arms can proceed, each is equally likely to win. Without arms it waits
/// forever.
///
/// Values and closures must be `Send`, so that the select is; [`select!`](crate::select!) does not need that.
///
/// [`select!`](crate::select!) is the same for a fixed number of arms, without a box for each, and its
/// arms may wait. For receivers of one type there is [`recv_any`](crate::recv_any), and for a loop over them
/// [`RecvSet`](crate::RecvSet), which is made once.
///
/// # Cancel safety
///
/// Cancel safe but for the values of [`send`](Self::send) arms, which are dropped with the select unless
/// they were sent, and for what a [`future`](Self::future) loses by being dropped; if a destructor panics then,
/// what the select has won is lost.
///
/// # Panics
///
/// If polled after it was ready.
///
/// # Cost
///
/// One lock for each channel's arm that is tried; a box for each arm, and one for each future. If it has to
/// wait, as [`select!`](crate::select!).
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use hchan::Select;
///
/// let mirrors = [hchan::bounded(1), hchan::bounded(1), hchan::bounded(1)];
/// mirrors[2].0.try_send("page").unwrap();
///
/// let mut select = Select::new();
/// for (n, (_, rx)) in mirrors.iter().enumerate() {
///     select = select.recv(rx, move |page| (n, page));
/// }
/// assert_eq!(select.await, (2, Ok("page")));
/// # });
/// ```
///
/// It may itself be an arm of another select. Lend it, so that it can still be asked whether it has committed
/// when another arm has won:
///
/// ```
/// # futures::executor::block_on(async {
/// # let (tx, rx) = hchan::bounded::<u8>(1);
/// # let timeout = std::future::ready(());
/// let mut select = hchan::Select::new().recv(&rx, |n| n);
/// let got = hchan::select! {
///     future(&mut select) -> n => Some(n),
///     future(timeout) -> () => select.try_select(),
/// };
/// assert_eq!(got, None);
/// # drop(tx) });
/// ```
///
/// From Go: `reflect.Select`; from crossbeam: `Select`, with a closure for each arm instead of an index.
#[doc(alias("Selector", "Multiplex", "select_all"))]
#[must_use = "futures do nothing unless polled"]
pub struct Select<'a, O> {
    // Before the arms: it closes the offer when it is dropped.
    race: Race,
    arms: Vec<Box<dyn Choice<O> + Send + 'a>>,
    order: Vec<u32>,
    done: bool,
}

/// An arm and what to make of its outcome.
trait Choice<O> {
    fn as_arm(&mut self) -> &mut (dyn Arm + '_);

    fn outcome(&mut self) -> Option<O>;
}

struct Mapped<A, M> {
    arm: A,
    map: Option<M>,
}

impl<A, M, O> Choice<O> for Mapped<A, M>
where
    A: Wins,
    M: FnOnce(A::Won) -> O,
{
    fn as_arm(&mut self) -> &mut (dyn Arm + '_) {
        &mut self.arm
    }

    fn outcome(&mut self) -> Option<O> {
        let won = self.arm.take_won()?;
        self.map.take().map(|map| map(won))
    }
}

impl<O> Arms for Vec<Box<dyn Choice<O> + Send + '_>> {
    fn len(&self) -> u32 {
        u32::try_from(<[_]>::len(self)).unwrap_or(u32::MAX)
    }

    fn show<R>(&mut self, index: u32, to: impl FnOnce(&mut dyn Arm) -> R) -> R {
        to(self[index as usize].as_arm())
    }
}

impl<'a, O> Select<'a, O> {
    /// Makes a select without arms.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(hchan::Select::<()>::new().try_select(), None);
    /// ```
    ///
    /// From Go: `select {}`, until there are arms.
    pub const fn new() -> Self {
        Self {
            race: Race::new(Bias::Fair, Otherwise::Wait),
            arms: Vec::new(),
            order: Vec::new(),
            done: false,
        }
    }

    /// Tries the arms in the order in which they were added, instead of a random one.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.try_send(1).unwrap();
    /// let select = hchan::Select::new().recv(&rx, |_| "first").recv(&rx, |_| "second");
    /// assert_eq!(select.biased().try_select(), Some("first"));
    /// ```
    ///
    /// Not in Go, whose `select` is always random.
    pub const fn biased(mut self) -> Self {
        self.race.set_bias(Bias::Source);
        self
    }

    /// Adds an arm that receives.
    ///
    /// It is ready when a value is there, or the channel is closed and drained.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send(1).unwrap();
    /// let select = hchan::Select::new().recv(&rx, |value| value);
    /// assert_eq!(select.try_select(), Some(Ok(1)));
    /// ```
    ///
    /// From Go: a `reflect.SelectCase` with the direction `SelectRecv`.
    #[track_caller]
    pub fn recv<T, M>(self, receiver: &'a Receiver<T>, map: M) -> Self
    where
        T: Send + 'a,
        M: FnOnce(Result<T, RecvError>) -> O + Send + 'a,
    {
        self.arm(ChannelArm::new(Receive::new(receiver)), map)
    }

    /// Adds an arm that sends.
    ///
    /// It is ready when there is room or a receiver, or the channel is closed: then the error has the
    /// value. If another arm wins, the value is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let select = hchan::Select::new().send(&tx, 1, |sent| sent);
    /// assert_eq!((select.try_select(), rx.try_recv()), (Some(Ok(())), Ok(1)));
    /// ```
    ///
    /// From Go: a `reflect.SelectCase` with the direction `SelectSend`.
    #[track_caller]
    pub fn send<T, M>(self, sender: &'a Sender<T>, value: T, map: M) -> Self
    where
        T: Send + 'a,
        M: FnOnce(Result<(), SendError<T>>) -> O + Send + 'a,
    {
        self.arm(ChannelArm::new(sender.send(value)), map)
    }

    /// Adds an arm that sends the value in `slot`, and puts it back there unless this arm sends it.
    ///
    /// # Panics
    ///
    /// If `slot` is `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut slot = Some("kept");
    /// assert_eq!(hchan::Select::new().send_from(&tx, &mut slot, |_| ()).try_select(), None);
    /// assert_eq!(slot, Some("kept"));
    /// # drop(rx);
    /// ```
    ///
    /// From Go: as [`send`](Self::send), where the value is copied, and so never lost.
    #[track_caller]
    pub fn send_from<T, M>(self, sender: &'a Sender<T>, slot: &'a mut Option<T>, map: M) -> Self
    where
        T: Send + 'a,
        M: FnOnce(Result<(), SendError<()>>) -> O + Send + 'a,
    {
        self.arm(ChannelArm::new(sender.send_from(slot)), map)
    }

    /// Adds an arm over any future.
    ///
    /// The future wins in the poll in which it is ready, so its output is never dropped. One that is lent as
    /// `&mut` can go on in the next select, unless it has ended: the select reports that, and then it must not be
    /// polled again.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use std::pin::pin;
    ///
    /// let (progress, reports) = hchan::bounded(8);
    /// let mut job = pin!(async {
    ///     progress.send(50).await.unwrap();
    ///     "the result".to_owned()
    /// });
    /// loop {
    ///     let select = hchan::Select::new()
    ///         .recv(&reports, |percent| format!("{} %", percent.unwrap()))
    ///         .future(&mut job, |result| result);
    ///     match select.await.as_str() {
    ///         "the result" => break,
    ///         report => assert_eq!(report, "50 %"),
    ///     }
    /// }
    /// # });
    /// ```
    ///
    /// Not in Go, where a `select` waits for channels only.
    pub fn future<F, M>(self, future: F, map: M) -> Self
    where
        F: Future + Send + 'a,
        F::Output: Send,
        M: FnOnce(F::Output) -> O + Send + 'a,
    {
        self.arm(FutureArm::new(Box::pin(future)), map)
    }

    fn arm<A, M>(mut self, arm: A, map: M) -> Self
    where
        A: Wins + Send + 'a,
        M: FnOnce(A::Won) -> O + Send + 'a,
    {
        self.arms.push(Box::new(Mapped {
            arm,
            map: Some(map),
        }));
        self.order.push(0);
        self.race.restart();
        self
    }

    /// Selects if an arm can proceed at once: Go's `default`.
    ///
    /// `None` means that each future was pending when it was polled, and that there was an instant at which no
    /// other arm could proceed.
    ///
    /// # Panics
    ///
    /// If the select was polled before and was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// assert_eq!(hchan::Select::new().recv(&rx, |n| n).try_select(), None);
    /// tx.try_send(1).unwrap();
    /// assert_eq!(hchan::Select::new().recv(&rx, |n| n).try_select(), Some(Ok(1)));
    /// ```
    ///
    /// From Go: a `reflect.SelectCase` with the direction `SelectDefault`.
    #[must_use]
    pub fn try_select(mut self) -> Option<O> {
        self.race.set_otherwise(Otherwise::Default);
        let mut cx = Context::from_waker(Waker::noop());
        match self.poll_arms(&mut cx) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => unreachable!("a select with a default does not wait"),
        }
    }

    /// Selects, putting the thread to sleep until an arm commits.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Panics
    ///
    /// If the select was polled before and was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(0);
    /// let thread = std::thread::spawn(move || tx.send_blocking(1));
    /// assert_eq!(hchan::Select::new().recv(&rx, |n| n).wait(), Ok(1));
    /// # thread.join().unwrap().unwrap();
    /// ```
    ///
    /// From Go: `reflect.Select`.
    #[cfg(feature = "std")]
    #[expect(
        clippy::must_use_candidate,
        reason = "the closures may have done all there is to do"
    )]
    pub fn wait(self) -> O {
        park::block_on(self)
    }

    /// Selects, sleeping for at most `timeout` until an arm commits.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Panics
    ///
    /// If the select was polled before and was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded::<()>(0);
    /// let select = hchan::Select::new().recv(&rx, |n| n);
    /// assert_eq!(select.wait_timeout(Duration::from_millis(1)), None);
    /// # drop(tx);
    /// ```
    ///
    /// From Go: `reflect.Select`, with a case of `time.After(timeout)`.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Option<O> {
        match park::block_on_until(&mut self, park::deadline(timeout)) {
            Some(outcome) => Some(outcome),
            // Its arms are still in line, and one may just have been served.
            None => self.try_select(),
        }
    }

    fn poll_arms(&mut self, cx: &mut Context<'_>) -> Poll<Option<O>> {
        if self.done {
            polled_after_ready("Select");
        }
        let polled = self.race.poll(&mut self.arms, &mut self.order, cx);
        polled.map(|winner| {
            self.done = true;
            // The losers' values are dropped before the closure runs, which may do anything.
            let winner = winner.map(|index| self.arms.swap_remove(index as usize));
            self.arms.clear();
            winner.and_then(|mut arm| arm.outcome())
        })
    }
}

impl<O> Future for Select<'_, O> {
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        self.poll_arms(cx).map(|outcome| match outcome {
            Some(outcome) => outcome,
            None => unreachable!("a select without a default ends with an arm"),
        })
    }
}

impl<O> FusedFuture for Select<'_, O> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<O> Default for Select<'_, O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<O> fmt::Debug for Select<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("arms", &self.arms.len())
            .finish_non_exhaustive()
    }
}
