//! What a channel must do to take part.

use std::collections::VecDeque;
use std::future::Future;

/// A value that is sent.
pub trait Value: Clone + Default + Send + Sync + Unpin + 'static {
    fn new(number: u64) -> Self;
    fn number(&self) -> u64;
}

impl Value for u64 {
    fn new(number: u64) -> Self {
        number
    }

    fn number(&self) -> u64 {
        *self
    }
}

/// 256 bytes.
impl Value for [u64; 32] {
    fn new(number: u64) -> Self {
        [number; 32]
    }

    fn number(&self) -> u64 {
        assert_eq!(self[0], self[31], "a torn value");
        self[0]
    }
}

impl Value for Box<u64> {
    fn new(number: u64) -> Self {
        Self::new(number)
    }

    fn number(&self) -> u64 {
        **self
    }
}

/// What a send says.
pub trait Sent {
    fn is_sent(&self) -> bool;
}

impl<E> Sent for Result<(), E> {
    fn is_sent(&self) -> bool {
        self.is_ok()
    }
}

/// What a receive says.
pub trait Received<V> {
    fn value(self) -> Option<V>;
}

impl<V> Received<V> for Option<V> {
    fn value(self) -> Option<V> {
        self
    }
}

impl<V, E> Received<V> for Result<V, E> {
    fn value(self) -> Option<V> {
        self.ok()
    }
}

/// How many values fit; `None` means no limit.
pub type Capacity = Option<usize>;

/// A kind of channel. The futures are its own, so that nothing comes between.
pub trait Rival: 'static {
    const NAME: &str;

    type Tx<V: Value>: Send + 'static;
    type Rx<V: Value>: Send + 'static;

    /// `None` if there is no such channel.
    fn channel<V: Value>(capacity: Capacity) -> Option<(Self::Tx<V>, Self::Rx<V>)>;

    fn clone_tx<V: Value>(tx: &Self::Tx<V>) -> Self::Tx<V>;

    /// `None` if there can be but one.
    fn clone_rx<V: Value>(_: &Self::Rx<V>) -> Option<Self::Rx<V>> {
        None
    }

    fn send<V: Value>(tx: &mut Self::Tx<V>, value: V) -> impl Future<Output: Sent + Send> + Send;

    fn recv<V: Value>(rx: &mut Self::Rx<V>) -> impl Future<Output: Received<V> + Send> + Send;

    /// A value that is there; `None` if there is none, or no such call.
    fn try_recv<V: Value>(_: &mut Self::Rx<V>) -> Option<V> {
        None
    }

    /// Sends all of `items`.
    fn send_many<V: Value>(
        tx: &mut Self::Tx<V>,
        items: &mut VecDeque<V>,
    ) -> impl Future<Output = ()> + Send {
        async {
            while let Some(value) = items.pop_front() {
                assert!(Self::send(tx, value).await.is_sent());
            }
        }
    }

    /// Receives at least one value into `out`, unless the channel is closed, and at most `max`.
    fn recv_many<V: Value>(
        rx: &mut Self::Rx<V>,
        out: &mut Vec<V>,
        max: usize,
    ) -> impl Future<Output = ()> + Send {
        async move {
            out.extend(Self::recv(rx).await.value());
            while !out.is_empty() && out.len() < max {
                match Self::try_recv(rx) {
                    Some(value) => out.push(value),
                    None => break,
                }
            }
        }
    }
}
