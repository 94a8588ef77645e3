//! Batches that block the thread.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use std::time::{Duration, Instant};

use crate::error::{RecvError, RecvTimeoutError, SendError, SendTimeoutError};
use crate::handles::receiver::Receiver;
use crate::handles::sender::Sender;
use crate::park;

/// Batches of sends that block the thread.
impl<T> Sender<T> {
    /// Sends the values in `items`, from the front, putting the thread to sleep while
    /// [`send_many`](Self::send_many) would wait.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`SendError`], if the channel is closed; what was not sent is in `items`, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::VecDeque;
    ///
    /// let (tx, rx) = hchan::bounded(1);
    /// let thread = std::thread::spawn(move || rx.iter().sum::<i32>());
    /// tx.send_many_blocking(&mut VecDeque::from([1, 2, 3])).unwrap();
    /// drop(tx);
    /// assert_eq!(thread.join().unwrap(), 6);
    /// ```
    ///
    /// From Go: a loop of `c <- value`.
    #[track_caller]
    pub fn send_many_blocking(&self, items: &mut VecDeque<T>) -> Result<(), SendError<()>> {
        park::block_on(&mut self.send_many(items))
    }

    /// Sends the values in `items`, from the front, sleeping for at most `timeout`; `Duration::MAX` means forever.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`]; what was not sent is in `items`, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::VecDeque;
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded(2);
    /// let mut items = VecDeque::from([1, 2, 3]);
    /// let sent = tx.send_many_blocking_timeout(&mut items, Duration::from_millis(1));
    /// assert!(sent.unwrap_err().is_timeout());
    /// assert_eq!((items, rx.len()), (VecDeque::from([3]), 2));
    /// ```
    ///
    /// From Go: a loop of `select`s of `c <- value` and one `<-time.After(timeout)`.
    #[track_caller]
    pub fn send_many_blocking_timeout(
        &self,
        items: &mut VecDeque<T>,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<()>> {
        self.send_many_in_time(items, park::deadline(timeout))
    }

    /// Sends the values in `items`, from the front, sleeping until `deadline` at the latest.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`]; what was not sent is in `items`, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::VecDeque;
    /// use std::time::Instant;
    ///
    /// let (tx, rx) = hchan::bounded(2);
    /// let mut items = VecDeque::from([1, 2]);
    /// assert_eq!(tx.send_many_blocking_deadline(&mut items, Instant::now()), Ok(()));
    /// assert_eq!(rx.len(), 2);
    /// ```
    ///
    /// From Go: a loop of `select`s of `c <- value` and `<-ctx.Done()`, with a deadline.
    #[track_caller]
    pub fn send_many_blocking_deadline(
        &self,
        items: &mut VecDeque<T>,
        deadline: Instant,
    ) -> Result<(), SendTimeoutError<()>> {
        self.send_many_in_time(items, Some(deadline))
    }

    #[track_caller]
    fn send_many_in_time(
        &self,
        items: &mut VecDeque<T>,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<()>> {
        let sent = park::block_on_until(&mut self.send_many(items), deadline);
        match sent {
            Some(sent) => sent.map_err(SendTimeoutError::from),
            // The last was taken after time ran out, before the send was given up.
            None if items.is_empty() => Ok(()),
            None => Err(SendTimeoutError::Timeout(())),
        }
    }
}

/// Batches of receives that block the thread.
impl<T> Receiver<T> {
    /// Receives up to `limit` values and appends them to `out`, putting the thread to sleep while
    /// [`recv_many`](Self::recv_many) would wait for the first.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// Returns how many came: at least 1, unless `limit` is 0.
    ///
    /// # Errors
    ///
    /// [`RecvError`], if the channel is closed and drained.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::unbounded();
    /// let thread = std::thread::spawn(move || (0..5).for_each(|n| tx.try_send(n).unwrap()));
    /// let mut out = Vec::new();
    /// while rx.recv_many_blocking(&mut out, 3).is_ok() {}
    /// assert_eq!(out, [0, 1, 2, 3, 4]);
    /// # thread.join().unwrap();
    /// ```
    ///
    /// From Go: `v := <-c`, then a loop of `select { case v := <-c: default: }`.
    #[track_caller]
    pub fn recv_many_blocking(&self, out: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
        park::block_on(&mut self.recv_many(out, limit))
    }

    /// Receives up to `limit` values and appends them to `out`, sleeping for at most `timeout` until the first;
    /// `Duration::MAX` means forever.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] or [`RecvTimeoutError::Closed`], if there was no value at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = hchan::bounded::<u8>(1);
    /// let received = rx.recv_many_blocking_timeout(&mut Vec::new(), 9, Duration::from_millis(1));
    /// assert!(received.unwrap_err().is_timeout());
    /// # drop(tx);
    /// ```
    ///
    /// From Go: a `select` of `<-c` and `<-time.After(timeout)`, then a loop.
    #[track_caller]
    pub fn recv_many_blocking_timeout(
        &self,
        out: &mut Vec<T>,
        limit: usize,
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        self.recv_many_in_time(out, limit, park::deadline(timeout))
    }

    /// Receives up to `limit` values and appends them to `out`, sleeping for the first until `deadline` at the
    /// latest.
    ///
    /// Blocks the thread; never call it from async code.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] or [`RecvTimeoutError::Closed`], if there was no value at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Instant;
    ///
    /// let (tx, rx) = hchan::bounded(2);
    /// tx.try_send(1).unwrap();
    /// let mut out = Vec::new();
    /// assert_eq!(rx.recv_many_blocking_deadline(&mut out, 9, Instant::now()), Ok(1));
    /// ```
    ///
    /// From Go: a `select` of `<-c` and `<-ctx.Done()`, with a deadline, then a loop.
    #[track_caller]
    pub fn recv_many_blocking_deadline(
        &self,
        out: &mut Vec<T>,
        limit: usize,
        deadline: Instant,
    ) -> Result<usize, RecvTimeoutError> {
        self.recv_many_in_time(out, limit, Some(deadline))
    }

    #[track_caller]
    fn recv_many_in_time(
        &self,
        out: &mut Vec<T>,
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<usize, RecvTimeoutError> {
        let received = park::block_on_until(&mut self.recv_many(out, limit), deadline);
        received.map_or(Err(RecvTimeoutError::Timeout), |received| {
            received.map_err(RecvTimeoutError::from)
        })
    }
}
