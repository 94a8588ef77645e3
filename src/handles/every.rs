//! What all four handles have in common, including the weak ones.

/// The methods of every handle.
macro_rules! every_handle {
    ($Handle:ident) => {
        impl<T> $Handle<T> {
            /// Gives the channel a name, for `inspect`; without that feature it does nothing.
            ///
            /// All handles share the name, and the last one given counts. Only the first 128 bytes of a long name
            /// are kept.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<u8>(1);
            /// tx.set_name("jobs");
            /// # drop(rx);
            /// ```
            ///
            /// Not in Go, where a channel has no name.
            pub fn set_name(&self, name: &str) {
                self.chan.watch.set_name(name);
            }

            /// Whether the channel is closed. Once true, true forever.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(0);
            /// let weak = tx.downgrade();
            /// assert!(!rx.is_closed() && !weak.is_closed());
            /// drop(tx);
            /// assert!(rx.is_closed() && weak.is_closed());
            /// ```
            ///
            /// From Go: `closed(c)`, which early versions had; see [`closed`](Self::closed) to wait for it.
            #[doc(alias = "is_disconnected")]
            #[must_use]
            pub fn is_closed(&self) -> bool {
                $crate::mask::masked!(self.chan.lock().is_closed())
            }

            /// Waits until the channel is closed, by a call or because all handles of a side are gone.
            ///
            /// Values may still be inside. On a `never` channel it waits forever.
            ///
            /// Waiting with a [`WeakSender`](crate::WeakSender) or a [`WeakReceiver`](crate::WeakReceiver) does not
            /// keep the channel open.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: a dropped wait leaves no trace.
            ///
            /// # Panics
            ///
            /// The future panics when polled after it was ready.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            /// let (tx, rx) = hchan::bounded::<()>(0);
            /// let weak = rx.downgrade();
            /// drop(rx);
            /// tx.closed().await;
            /// weak.closed().await;
            /// # });
            /// ```
            ///
            /// From Go: what a second channel named `done` is for.
            #[doc(alias = "cancelled")]
            #[track_caller]
            pub fn closed(&self) -> $crate::ops::closed::ClosedFuture<'_> {
                $crate::ops::closed::ClosedFuture::new(&self.chan)
            }

            /// Whether both handles belong to the same channel.
            ///
            /// [`id`](Self::id) compares handles of different kinds.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(1);
            /// assert!(tx.same_channel(&tx.clone()));
            /// assert!(rx.downgrade().same_channel(&rx.downgrade()));
            /// assert!(!rx.same_channel(&hchan::bounded(1).1));
            /// ```
            ///
            /// From Go: `==` on channels.
            #[must_use]
            pub fn same_channel(&self, other: &Self) -> bool {
                $crate::sync::Arc::ptr_eq(&self.chan, &other.chan)
            }

            /// Identifies the channel: different from all others, and the same for all its handles.
            ///
            /// Takes no lock.
            ///
            /// # Examples
            ///
            /// ```
            /// let (tx, rx) = hchan::bounded::<()>(1);
            /// assert_eq!(tx.id(), rx.id());
            /// assert_eq!(tx.id(), rx.downgrade().id());
            /// assert_ne!(tx.id(), hchan::bounded::<()>(1).0.id());
            /// ```
            ///
            /// From Go: the channel itself, as the key of a map.
            #[must_use]
            pub fn id(&self) -> $crate::id::ChannelId {
                $crate::id::ChannelId::new(self.chan.address())
            }
        }
    };
}

pub(crate) use every_handle;
