//! What both handles have in common, written once; and the place in line that a handle may keep.

use core::num::NonZero;

use crate::hchan::sudog::Ticket;
use crate::sync::{AtomicU32, Ordering};
use crate::trace::OpCell;

/// The place in line of a poll on a handle itself, kept between one poll and the next.
///
/// Through a shared handle it is taken only under the channel's lock.
pub(crate) struct Standing {
    number: AtomicU32,
    /// What is told of it.
    op: OpCell,
}

impl Standing {
    const NONE: u32 = 0;

    pub(crate) fn new() -> Self {
        Self {
            number: AtomicU32::new(Self::NONE),
            op: OpCell::new(),
        }
    }

    /// Whether the handle stands in line.
    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        self.number.load(Ordering::Relaxed) != Self::NONE
    }

    pub(crate) fn take(&self) -> Option<Ticket> {
        let number = NonZero::new(self.number.load(Ordering::Relaxed))?;
        self.number.store(Self::NONE, Ordering::Relaxed);
        Some(Ticket::from_parts(number, self.op.take()))
    }

    /// Takes the place for a poll, which has the handle to itself. It is kept again afterwards, even if a waker
    /// panics.
    pub(crate) fn borrow(&mut self) -> Borrowed<'_> {
        Borrowed {
            place: self.take(),
            standing: self,
        }
    }
}

/// The place of a handle during a poll.
pub(crate) struct Borrowed<'a> {
    pub(crate) place: Option<Ticket>,
    standing: &'a Standing,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            let (number, op) = ticket.into_parts();
            self.standing.number.store(number.get(), Ordering::Relaxed);
            self.standing.op.keep(op);
        }
    }
}

/// Ends the process: the handles outnumber what can be counted, so the count would lie.
#[cold]
pub(crate) fn too_many_handles() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    panic!("too many handles");
}

/// The methods of both handles.
macro_rules! both_handles {
    ($Handle:ident) => {
        impl<T> $Handle<T> {
            /// Closes the channel; false if it is closed already, or a `never` channel, which nobody can close.
            ///
            /// Sends fail from now on, parked ones included, each with its value. What is inside can
            /// still be received; then receives fail too. A closed channel cannot be opened again. Dropping the
            /// last handle of a side closes it too.
            ///
            /// Never waits. Costs a step for each parked operation that it ends.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded(1);
            /// tx.try_send(1).unwrap();
            /// assert!(rx.close());
            /// assert!(!tx.close());
            /// assert!(tx.try_send(2).unwrap_err().is_closed());
            /// assert_eq!(rx.try_recv(), Ok(1));
            /// assert!(rx.try_recv().unwrap_err().is_closed());
            /// ```
            ///
            /// From Go: `close(c)`, which panics the second time and on a nil channel.
            #[doc(alias("disconnect", "close_channel"))]
            pub fn close(&self) -> bool {
                $crate::mask::masked!({
                    let (mut hchan, mut wakes) = (self.chan.lock(), $crate::wakes::Wakes::new());
                    let closed = hchan.close(&self.chan, &mut wakes);
                    hchan.unlock_and_wake_all(wakes);
                    closed
                })
            }

            /// How many values are inside, at this instant.
            ///
            /// Values of parked sends do not count, nor does one that a receive was handed and has not returned
            /// yet. Values that were put back do, so there may be more than the capacity for a while.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded(2);
            /// tx.try_send('a').unwrap();
            /// assert_eq!((tx.len(), rx.len()), (1, 1));
            /// ```
            ///
            /// From Go: `len(c)`.
            #[must_use]
            pub fn len(&self) -> usize {
                $crate::mask::masked!(self.chan.lock().qcount())
            }

            /// Whether no value is inside, at this instant.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(2);
            /// assert!(tx.is_empty() && rx.is_empty());
            /// ```
            ///
            /// From Go: `len(c) == 0`.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether every slot holds a value or is reserved, at this instant.
            ///
            /// Always true on capacity 0, never on an unbounded channel.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded(1);
            /// tx.try_send(()).unwrap();
            /// assert!(tx.is_full() && rx.is_full());
            /// ```
            ///
            /// From Go: `len(c) == cap(c)`.
            #[must_use]
            pub fn is_full(&self) -> bool {
                $crate::mask::masked!(self.chan.lock().is_full())
            }

            /// How many values the channel holds at most; `None` if it has no limit.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(7);
            /// assert_eq!((tx.capacity(), rx.capacity()), (Some(7), Some(7)));
            /// assert_eq!(hchan::unbounded::<()>().0.capacity(), None);
            /// ```
            ///
            /// From Go: `cap(c)`.
            #[doc(alias = "max_capacity")]
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                $crate::mask::masked!(self.chan.lock().capacity())
            }

            /// How many senders there are, at this instant.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(1);
            /// let other = tx.clone();
            /// assert_eq!((tx.sender_count(), rx.sender_count()), (2, 2));
            /// # drop(other);
            /// ```
            ///
            /// Not in Go, which does not count the references to a channel.
            #[must_use]
            pub fn sender_count(&self) -> usize {
                $crate::mask::masked!(self.chan.lock().sender_count())
            }

            /// How many receivers there are, at this instant.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(1);
            /// drop(rx);
            /// assert_eq!(tx.receiver_count(), 0);
            /// ```
            ///
            /// Not in Go, which does not count the references to a channel.
            #[must_use]
            pub fn receiver_count(&self) -> usize {
                $crate::mask::masked!(self.chan.lock().receiver_count())
            }

            /// What the channel looks like at this instant, under one lock.
            ///
            /// # Cost
            ///
            /// A step for each parked operation, under the lock.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded(3);
            /// tx.try_send("one").unwrap();
            /// assert_eq!((rx.snapshot().qcount, rx.snapshot().sendx), (1, 1));
            /// ```
            ///
            /// From Go: the fields of `runtime.hchan`, which no program can see there.
            #[must_use]
            pub fn snapshot(&self) -> $crate::snapshot::Snapshot {
                $crate::mask::masked!(self.chan.lock().snapshot())
            }

            /// Waits until the channel is closed: the poll form of [`closed`](Self::closed), for futures of your
            /// own.
            ///
            /// The handle keeps its place in the queue from poll to poll; the waker of the last poll is the one
            /// that wakes. Once ready, ready forever.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: a handle that is no longer polled keeps nobody waiting. It gives up its place when it
            /// is dropped.
            ///
            /// # Cost
            ///
            /// It does not take the channel's lock, only that of the queue of `closed`. The first wait on a
            /// channel allocates.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            /// use std::future::poll_fn;
            ///
            /// let (mut tx, rx) = hchan::bounded::<()>(0);
            /// drop(rx);
            /// poll_fn(|cx| tx.poll_closed(cx)).await;
            /// # });
            /// ```
            ///
            /// Not in Go, whose runtime does the polling.
            #[track_caller]
            pub fn poll_closed(
                &mut self,
                cx: &mut core::task::Context<'_>,
            ) -> core::task::Poll<()> {
                let (chan, caller) = (&self.chan, $crate::watch::Caller::here());
                $crate::mask::masked!(chan.poll_end(&mut self.watch, caller, cx))
            }
        }

        $crate::handles::every::every_handle!($Handle);

        impl<T> core::fmt::Debug for $Handle<T> {
            /// Shows what is useful in a log: length, capacity, whether it is closed, and how many wait.
            ///
            /// Never waits: while the lock is taken, the state is not shown.
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.chan.debug(stringify!($Handle), f)
            }
        }
    };
}

pub(crate) use both_handles;
