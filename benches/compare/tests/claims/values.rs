//! Values and turns.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};

use super::{Cloned, Is, No, panics, poll};

mod receivers {
    use super::*;

    macro_rules! many {
        ($receiver:expr) => {
            (&Is(&$receiver)).is_clone()
        };
    }

    #[test]
    fn of_most_are_many() {
        assert!(many!(hchan::bounded::<u8>(1).1));
        assert!(many!(async_channel::bounded::<u8>(1).1));
        assert!(many!(flume::bounded::<u8>(1).1));
        assert!(many!(kanal::bounded_async::<u8>(1).1));
        assert!(many!(loole::bounded::<u8>(1).1));
    }

    #[test]
    fn of_crossfire_depend_on_the_type() {
        assert!(many!(crossfire::mpmc::bounded_async::<u8>(1).1));
        assert!(!many!(crossfire::mpsc::bounded_async::<u8>(1).1));
    }

    #[test]
    fn of_tokio_and_futures_are_one() {
        assert!(!many!(tokio::sync::mpsc::channel::<u8>(1).1));
        assert!(!many!(futures::channel::mpsc::channel::<u8>(1).1));
    }
}

mod capacity_0 {
    use super::*;

    /// A receive waits, a send is accepted, and the receive is dropped: is the value still inside, in a
    /// channel without room?
    macro_rules! keeps_a_value_inside {
        ($tx:ident, $parked:expr, $receive:expr) => {{
            {
                let mut parked = pin!($parked);
                assert!(poll(parked.as_mut()).is_pending());
                assert!($tx.try_send(1).is_ok());
            }
            $receive.is_ok()
        }};
    }

    #[test]
    fn hchan_meets_and_keeps_what_came_back() {
        let (tx, rx) = hchan::bounded(0);
        assert!(tx.try_send(1).is_err());
        assert!(poll(pin!(tx.send(1))).is_pending());
        // A put back is not a slot: the value was accepted while a receive waited.
        assert!(keeps_a_value_inside!(tx, rx.recv(), rx.try_recv()));
    }

    #[test]
    fn flume_and_loole_have_a_hidden_slot() {
        // The value is taken by another than the receive that waited, while that still waits.
        let (tx, rx) = flume::bounded(0);
        let mut parked = pin!(rx.recv_async());
        assert!(poll(parked.as_mut()).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(poll(parked).is_pending());

        let (tx, rx) = loole::bounded(0);
        let mut parked = pin!(rx.recv_async());
        assert!(poll(parked.as_mut()).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(poll(parked).is_pending());

        // And here it is not.
        let (tx, rx) = hchan::bounded(0);
        let mut parked = rx.recv();
        assert!(poll(Pin::new(&mut parked)).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert!(rx.try_recv().is_err());
        assert_eq!(poll(Pin::new(&mut parked)), Poll::Ready(Ok(1)));
    }

    #[test]
    fn async_channel_and_tokio_panic() {
        assert!(panics(|| async_channel::bounded::<u8>(0)));
        assert!(panics(|| tokio::sync::mpsc::channel::<u8>(0)));
    }

    #[test]
    fn crossfire_makes_it_1() {
        let (tx, _rx) = crossfire::mpmc::bounded_async::<u8>(0);
        assert!(tx.try_send(1).is_ok());
        assert!(tx.try_send(2).is_err());
    }

    #[test]
    fn futures_has_a_slot_for_each_sender() {
        let (mut tx, _rx) = futures::channel::mpsc::channel::<u8>(0);
        let mut other = tx.clone();
        assert!(tx.try_send(1).is_ok());
        assert!(other.try_send(2).is_ok());
        assert!(other.try_send(3).is_err());
    }
}

/// Two sends wait on a full channel, the first of them is served, and before its task runs another comes.
mod senders {
    use super::*;

    /// Whether the newcomer, who sends 3, gets in, and in which order all are received.
    macro_rules! served {
        ($tx:ident.$send:ident, $newcomer:expr, $receive:expr) => {{
            assert!($tx.try_send(0).is_ok());
            let (mut first, mut second) = (pin!($tx.$send(1)), pin!($tx.$send(2)));
            assert!(poll(first.as_mut()).is_pending());
            assert!(poll(second.as_mut()).is_pending());
            let mut receive: Box<dyn FnMut() -> Option<u32>> = Box::new($receive);
            let mut got = Vec::from_iter(receive());
            let overtakes = $newcomer;
            let mut done = [false; 2];
            loop {
                // The second is polled before the first: only its turn can hold it back.
                done[1] = done[1] || poll(second.as_mut()).is_ready();
                done[0] = done[0] || poll(first.as_mut()).is_ready();
                let Some(value) = receive() else { break };
                got.push(value);
            }
            assert_eq!(done, [true; 2]);
            (overtakes, got)
        }};
    }

    #[test]
    fn of_hchan_flume_kanal_loole_and_tokio_are_served_in_turn() {
        let in_turn = (false, vec![0, 1, 2]);
        let (tx, rx) = hchan::bounded(1);
        let got = served!(tx.send, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert_eq!(got, in_turn);
        let (tx, rx) = flume::bounded(1);
        let got = served!(tx.send_async, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert_eq!(got, in_turn);
        let (tx, rx) = kanal::bounded_async(1);
        let got = served!(tx.send, tx.try_send(3).unwrap(), || rx.try_recv().unwrap());
        assert_eq!(got, in_turn);
        let (tx, rx) = loole::bounded(1);
        let got = served!(tx.send_async, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert_eq!(got, in_turn);
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        let got = served!(tx.send, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert_eq!(got, in_turn);
    }

    #[test]
    fn of_async_channel_and_crossfire_are_overtaken() {
        let (tx, rx) = async_channel::bounded(1);
        let (overtakes, got) = served!(tx.send, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert!(overtakes, "{got:?}");
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        let (overtakes, got) = served!(tx.send, tx.try_send(3).is_ok(), || rx.try_recv().ok());
        assert!(overtakes, "{got:?}");
    }

    #[test]
    fn of_futures_each_have_a_slot_of_their_own() {
        let (mut tx, mut rx) = futures::channel::mpsc::channel(0);
        let mut newcomer = tx.clone();
        tx.try_send(1).unwrap();
        assert!(poll(pin!(tx.send(2))).is_pending());
        // One of its clones waits, another one does not.
        newcomer.try_send(3).unwrap();
        assert_eq!(rx.next().now_or_never(), Some(Some(1)));
        assert_eq!(rx.next().now_or_never(), Some(Some(3)));
    }
}

/// Two receives wait, a value is sent, and before a task runs another one asks for it.
mod receivers_turns {
    use super::*;

    /// Who gets it: 0 for the newcomer, or 1 or 2.
    macro_rules! served {
        ($tx:expr, $first:expr, $second:expr, $newcomer:expr) => {{
            let (mut first, mut second) = (pin!($first), pin!($second));
            assert!(poll(first.as_mut()).is_pending());
            assert!(poll(second.as_mut()).is_pending());
            assert!($tx.try_send(7).is_ok());
            if $newcomer {
                0
            } else if poll(second).is_ready() {
                2
            } else {
                assert!(poll(first).is_ready());
                1
            }
        }};
    }

    #[test]
    fn of_hchan_and_kanal_are_kept() {
        let (tx, rx) = hchan::bounded(1);
        assert_eq!(served!(tx, rx.recv(), rx.recv(), rx.try_recv().is_ok()), 1);
        let (tx, rx) = kanal::bounded_async(1);
        assert_eq!(
            served!(tx, rx.recv(), rx.recv(), rx.try_recv().unwrap().is_some()),
            1
        );
    }

    #[test]
    fn of_async_channel_crossfire_flume_and_loole_are_not() {
        let (tx, rx) = async_channel::bounded(1);
        assert_eq!(served!(tx, rx.recv(), rx.recv(), rx.try_recv().is_ok()), 0);
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        assert_eq!(served!(tx, rx.recv(), rx.recv(), rx.try_recv().is_ok()), 0);
        let (tx, rx) = flume::bounded(1);
        assert_eq!(
            served!(tx, rx.recv_async(), rx.recv_async(), rx.try_recv().is_ok()),
            0
        );
        let (tx, rx) = loole::bounded(1);
        assert_eq!(
            served!(tx, rx.recv_async(), rx.recv_async(), rx.try_recv().is_ok()),
            0
        );
    }

    /// Whether a thread that waits gets a value, and not one that comes later.
    macro_rules! thread_is_served {
        ($tx:expr, $rx:expr) => {{
            let (tx, rx) = ($tx, $rx);
            let waiting = rx.clone();
            let waits = thread::spawn(move || waiting.recv());
            // Nothing shows whether it waits yet.
            thread::sleep(Duration::from_millis(300));
            tx.try_send(7).unwrap();
            let overtaken = rx.try_recv().is_ok();
            drop(tx);
            waits.join().unwrap().is_ok() && !overtaken
        }};
    }

    #[test]
    fn of_threads_are_kept_by_flume_and_loole() {
        let (tx, rx) = flume::bounded(1);
        assert!(thread_is_served!(tx, rx));
        let (tx, rx) = loole::bounded(1);
        assert!(thread_is_served!(tx, rx));
    }
}

/// A receive waits, is served, and is dropped.
mod dropped_receive {
    use super::*;

    macro_rules! finds_it_again {
        ($tx:expr, $parked:expr, $again:expr) => {{
            {
                let mut parked = pin!($parked);
                assert!(poll(parked.as_mut()).is_pending());
                assert!($tx.try_send(7).is_ok());
            }
            matches!(poll(pin!($again)), Poll::Ready(Ok(7)))
        }};
    }

    #[test]
    fn kanal_loses_the_value() {
        let (tx, rx) = kanal::bounded_async(1);
        assert!(!finds_it_again!(tx, rx.recv(), rx.recv()));
    }

    #[test]
    fn the_others_keep_it() {
        let (tx, rx) = hchan::bounded(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
        let (tx, rx) = async_channel::bounded(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
        let (tx, rx) = flume::bounded(1);
        assert!(finds_it_again!(tx, rx.recv_async(), rx.recv_async()));
        let (tx, rx) = loole::bounded(1);
        assert!(finds_it_again!(tx, rx.recv_async(), rx.recv_async()));
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
    }

    #[test]
    fn so_do_tokio_and_futures() {
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        assert!(poll(pin!(rx.recv())).is_pending());
        assert!(tx.try_send(7).is_ok());
        assert_eq!(rx.recv().now_or_never(), Some(Some(7)));
        let (mut tx, mut rx) = futures::channel::mpsc::channel(1);
        assert!(poll(pin!(rx.next())).is_pending());
        assert!(tx.try_send(7).is_ok());
        assert_eq!(rx.next().now_or_never(), Some(Some(7)));
    }
}

/// A send waits, and is given up.
mod dropped_send {
    use super::*;

    /// Whether the value is destroyed with the future.
    macro_rules! is_lost {
        ($tx:expr, $value:ident => $send:expr) => {{
            let value = Arc::new(());
            assert!($tx.try_send(Arc::default()).is_ok());
            {
                let $value = value.clone();
                let mut parked = pin!($send);
                assert!(poll(parked.as_mut()).is_pending());
                assert_eq!(Arc::strong_count(&value), 2);
            }
            Arc::strong_count(&value) == 1
        }};
    }

    #[test]
    fn its_value_is_lost_with_a_plain_send() {
        let (tx, _rx) = hchan::bounded(1);
        assert!(is_lost!(tx, value => tx.send(value)));
        let (tx, _rx) = async_channel::bounded(1);
        assert!(is_lost!(tx, value => tx.send(value)));
        let (tx, _rx) = flume::bounded(1);
        assert!(is_lost!(tx, value => tx.send_async(value)));
        let (tx, _rx) = kanal::bounded_async(1);
        assert!(is_lost!(tx, value => tx.send(value)));
        let (tx, _rx) = loole::bounded(1);
        assert!(is_lost!(tx, value => tx.send_async(value)));
        let (tx, _rx) = crossfire::mpmc::bounded_async(1);
        assert!(is_lost!(tx, value => tx.send(value)));
        let (tx, _rx) = tokio::sync::mpsc::channel(1);
        assert!(is_lost!(tx, value => tx.send(value)));
    }

    #[test]
    fn hchan_can_keep_it() {
        let (tx, _rx) = hchan::bounded(0);
        let mut send = tx.send(1);
        assert!(poll(Pin::new(&mut send)).is_pending());
        assert_eq!(send.cancel(), Some(1));
        let mut slot = Some(2);
        assert!(poll(pin!(tx.send_from(&mut slot))).is_pending());
        assert_eq!(slot, Some(2));
        let late = async {};
        let sent = tx.send_until(3, late).now_or_never();
        assert_eq!(sent.unwrap().unwrap_err().into_inner(), 3);
    }

    #[test]
    fn crossfire_keeps_it_if_there_is_a_timer() {
        let (tx, _rx) = crossfire::mpmc::bounded_async(1);
        tx.try_send(1).unwrap();
        let sent = tx.send_with_timer(2, async {}).now_or_never().unwrap();
        assert_eq!(sent, Err(crossfire::SendTimeoutError::Timeout(2)));
    }

    #[test]
    fn tokio_and_futures_ask_for_room_first() {
        let (tx, _rx) = tokio::sync::mpsc::channel(1);
        let permit = tx.reserve().now_or_never().unwrap().unwrap();
        assert!(poll(pin!(tx.reserve())).is_pending());
        permit.send(1);
        let (mut tx, _rx) = futures::channel::mpsc::channel(0);
        tx.try_send(1).unwrap();
        let ready = std::future::poll_fn(|cx| tx.poll_ready(cx));
        assert!(poll(pin!(ready)).is_pending());
    }
}

/// What is inside, after the channel was closed.
mod after_close {
    use super::*;

    #[test]
    fn hchan_async_channel_loole_tokio_and_futures_keep_it() {
        let (tx, rx) = hchan::bounded(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.try_recv(), Ok(1));
        let (tx, rx) = async_channel::bounded(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.try_recv(), Ok(1));
        let (tx, rx) = loole::bounded(1);
        tx.try_send(1).unwrap();
        tx.close();
        assert_eq!(rx.try_recv(), Ok(1));
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.try_recv(), Ok(1));
        let (mut tx, mut rx) = futures::channel::mpsc::channel(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.next().now_or_never(), Some(Some(1)));
    }

    #[test]
    fn kanal_discards_it() {
        let (tx, rx) = kanal::bounded_async(1);
        assert_eq!(tx.try_send(1), Ok(true));
        rx.close().unwrap();
        assert!(!matches!(rx.try_recv(), Ok(Some(1))));
    }
}
