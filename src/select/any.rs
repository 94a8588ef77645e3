//! A receive from any of several channels of one type.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::future::FusedFuture;

use super::arm::{Arm, ChannelArm};
use super::operation::{Handle, Lent, Receive};
use super::pollorder::{self, Lots};
use super::{Arms, Bias, Otherwise, Race};
use crate::error::{RecvError, polled_after_ready};
use crate::handles::receiver::Receiver;
#[cfg(feature = "std")]
use crate::park;
use crate::sync::Exclusive;
use crate::watch::Caller;

/// A select over receives alone, for one round after another.
pub(super) struct Receives<H: Handle> {
    // Before the members: it closes the offer when it is dropped.
    race: Race,
    members: Members<H>,
    order: Vec<u32>,
}

/// The arms. They are made for each step, of what their members keep.
struct Members<H: Handle> {
    list: Vec<Member<H>>,
    /// Whether the list is in the order of the lines.
    is_lined_up: bool,
    /// What the arm that has won has received.
    won: Exclusive<Option<Received<H::Value>>>,
    /// Where the round was asked for.
    caller: Caller,
}

struct Member<H: Handle> {
    index: usize,
    receive: Receive<H>,
    /// What the clock showed at the last attempt.
    seen: u64,
}

type Received<T> = Result<T, RecvError>;

impl<H: Handle> Member<H> {
    #[inline]
    fn new((index, handle): (usize, H)) -> Self {
        let caller = handle.receiver().badge.caller();
        Self {
            index,
            receive: Receive::at(handle, caller),
            seen: 0,
        }
    }

    #[inline]
    fn line(&self) -> usize {
        self.receive.chan().address()
    }
}

impl<H: Handle> Arms for Members<H> {
    #[inline]
    fn len(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn show<R>(&mut self, index: u32, to: impl FnOnce(&mut dyn Arm) -> R) -> R {
        let member = &mut self.list[index as usize];
        member.receive.caller = self.caller;
        let mut arm = ChannelArm::resumed(Lent(&mut member.receive), member.seen);
        let shown = to(&mut arm);
        member.seen = arm.seen;
        if let Some(won) = arm.won() {
            *self.won.get_mut() = Some(won);
        }
        shown
    }

    /// Sorts the members, again only when they change. Then only those for one line need a random choice.
    fn line_up(&mut self, _: Bias, order: &mut [u32]) {
        if !self.is_lined_up {
            self.list.sort_unstable_by_key(Member::line);
            self.is_lined_up = true;
        }
        pollorder::number(order);
        let mut left = order;
        for in_line in self.list.chunk_by(|one, next| one.line() == next.line()) {
            let (drawn, others) = left.split_at_mut(in_line.len());
            Lots::new().draw(drawn);
            left = others;
        }
    }
}

// Nothing is ever pinned.
impl<H: Handle> Unpin for Members<H> {}

impl<H: Handle> Receives<H> {
    #[track_caller]
    pub(super) const fn new() -> Self {
        Self {
            race: Race::new(Bias::Fair, Otherwise::Wait),
            members: Members {
                list: Vec::new(),
                is_lined_up: true,
                won: Exclusive::new(None),
                caller: Caller::here(),
            },
            order: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.list.len()
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.members.list.reserve(more);
        self.order.reserve(more);
    }

    pub(super) fn add(&mut self, index: usize, handle: H) {
        // So it is, unless a future was forgotten.
        self.leave();
        self.members.list.push(Member::new((index, handle)));
        self.members.is_lined_up = false;
        self.order.push(0);
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<H> {
        self.leave();
        let list = &mut self.members.list;
        let place = list.iter().position(|member| member.index == index)?;
        self.order.pop();
        // The others stay in order.
        list.remove(place).receive.end()
    }

    /// Begins a round.
    #[track_caller]
    pub(super) const fn begin(&mut self) {
        self.members.caller = Caller::here();
    }

    /// Ends a round that nobody has won.
    pub(super) fn leave(&mut self) {
        self.race.leave(&mut self.members);
    }

    /// Goes on with the round.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(usize, Received<H::Value>)> {
        match self.poll_or(Otherwise::Wait, cx) {
            Poll::Ready(Some(won)) => Poll::Ready(won),
            Poll::Ready(None) => unreachable!("a select without a default ends with an arm"),
            Poll::Pending => Poll::Pending,
        }
    }

    /// A round that ends at once.
    pub(super) fn try_once(&mut self) -> Option<(usize, Received<H::Value>)> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.poll_or(Otherwise::Default, &mut cx) {
            Poll::Ready(won) => won,
            Poll::Pending => unreachable!("a select with a default does not wait"),
        }
    }

    #[inline]
    fn poll_or(
        &mut self,
        otherwise: Otherwise,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(usize, Received<H::Value>)>> {
        let members = &mut self.members;
        self.race.set_otherwise(otherwise);
        let polled = self.race.poll(members, &mut self.order, cx);
        polled.map(|winner| {
            let index = members.list[winner? as usize].index;
            members.won.get_mut().take().map(|won| (index, won))
        })
    }
}

impl<'a, T> Receives<&'a Receiver<T>> {
    /// A round over these.
    #[track_caller]
    fn over(receivers: impl IntoIterator<Item = &'a Receiver<T>>) -> Self {
        let mut receives = Self::new();
        let members = receivers.into_iter().enumerate().map(Member::new);
        receives.members.list = members.collect();
        receives.members.is_lined_up = false;
        receives.order = vec![0; receives.len()];
        receives
    }
}

/// Receives from whichever receiver has a value first, and returns its position and what it got.
///
/// A select over receivers of one type: it waits in all their lines, and one of them receives. If several can,
/// each is equally likely. One that is closed and drained can, and gets the error: leave it out of the next call,
/// or use a [`RecvSet`](crate::RecvSet), which also saves making the select again for each value. A receiver of
/// [`never`](crate::never) never can. Without receivers it waits forever.
///
/// # Cancel safety
///
/// Cancel safe: when it is dropped, it leaves all lines. A value that it was handed but has not returned goes to
/// the next in line, or back in its place.
///
/// # Errors
///
/// The result of the receive is a [`RecvError`] if that receiver's channel is closed and drained.
///
/// # Panics
///
/// The future panics when polled after it was ready.
///
/// # Cost
///
/// One lock for the receiver that has a value; if it has to wait, one for each receiver to park, and one to leave.
/// Some 40 bytes are allocated for each receiver.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (txs, rxs): (Vec<_>, Vec<_>) = (0..3).map(|_| hchan::bounded(1)).unzip();
/// txs[1].send("from the second").await.unwrap();
/// assert_eq!(hchan::recv_any(&rxs).await, (1, Ok("from the second")));
///
/// let (first, last) = (&rxs[0], &rxs[2]);
/// txs[2].send("from the third").await.unwrap();
/// assert_eq!(hchan::recv_any([first, last]).await, (1, Ok("from the third")));
/// # });
/// ```
///
/// From Go: `reflect.Select`, with a `SelectRecv` for each channel; from crossbeam: `Select`, with nothing but
/// `recv`.
#[track_caller]
pub fn recv_any<'a, T: 'a>(
    receivers: impl IntoIterator<Item = &'a Receiver<T>>,
) -> RecvAnyFuture<'a, T> {
    RecvAnyFuture {
        receives: Receives::over(receivers),
        done: false,
    }
}

/// Receives from any of the receivers without waiting: [`recv_any`] with Go's `default`.
///
/// `None` means that there was an instant at which none of their channels had anything to receive.
///
/// # Errors
///
/// The result of the receive is a [`RecvError`] if that receiver's channel is closed and drained.
///
/// # Cost
///
/// One lock for each receiver that is tried, and a second one for each if there is nothing.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(1);
/// let (_quiet, other) = hchan::bounded(1);
/// assert_eq!(hchan::try_recv_any([&other, &rx]), None);
/// tx.try_send(1).unwrap();
/// assert_eq!(hchan::try_recv_any([&other, &rx]), Some((1, Ok(1))));
/// ```
///
/// From Go: `reflect.Select`, with a `SelectDefault`.
pub fn try_recv_any<'a, T: 'a>(
    receivers: impl IntoIterator<Item = &'a Receiver<T>>,
) -> Option<(usize, Result<T, RecvError>)> {
    Receives::over(receivers).try_once()
}

/// Receives from any of the receivers, putting the thread to sleep while [`recv_any`] would wait.
///
/// Blocks the thread; never call it from async code.
///
/// # Errors
///
/// The result of the receive is a [`RecvError`] if that receiver's channel is closed and drained.
///
/// # Cost
///
/// As [`recv_any`].
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(0);
/// let (_quiet, other) = hchan::bounded(0);
/// let thread = std::thread::spawn(move || hchan::recv_any_blocking([&rx, &other]));
/// tx.send_blocking(1).unwrap();
/// assert_eq!(thread.join().unwrap(), (0, Ok(1)));
/// ```
///
/// From Go: `reflect.Select`; what a goroutine is there, a thread is here.
#[cfg(feature = "std")]
#[track_caller]
pub fn recv_any_blocking<'a, T: 'a>(
    receivers: impl IntoIterator<Item = &'a Receiver<T>>,
) -> (usize, Result<T, RecvError>) {
    park::block_on(recv_any(receivers))
}

/// The future of [`recv_any`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvAnyFuture<'a, T> {
    receives: Receives<&'a Receiver<T>>,
    done: bool,
}

impl<T> Future for RecvAnyFuture<'_, T> {
    type Output = (usize, Result<T, RecvError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.done {
            polled_after_ready("RecvAnyFuture");
        }
        let polled = self.receives.poll(cx);
        self.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for RecvAnyFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<H: Handle> fmt::Debug for Receives<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receives").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RecvAnyFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvAnyFuture")
            .field("receivers", &self.receives.len())
            .finish_non_exhaustive()
    }
}
