//! Operations that own their handles: they do what the others do, and can be kept beside anything.
#![cfg(feature = "std")]

mod support;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll::{self, Ready};
use std::task::{Context, Waker};

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::{Either, FusedFuture, ready as is_ready, select};
use hchan::{
    OwnedPermit, Receiver, RecvError, RecvOwnedFuture, SendError, Sender, TrySendError, bounded,
    never, unbounded,
};

use support::{
    Drops, Wakes, each_capacity, each_with_slots, handed, lines, panic_of, parked, poll_once,
    ready, values,
};

// Send and receive.

#[test]
fn owned_sends_and_receives_do_what_the_others_do() {
    each_capacity(|_, tx, rx| {
        let mut first = parked(rx.clone().recv_owned());
        let mut second = parked(rx.recv());
        assert_eq!(ready(tx.clone().send_owned(1)), Ok(()));
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        assert_eq!(first.poll(), Ready(Ok(1)));
        assert!(first.future().is_terminated());
        assert_eq!(ready(tx.send_owned(2)), Ok(()));
        assert_eq!(second.poll(), Ready(Ok(2)));
        assert_eq!(ready(rx.clone().recv_owned()), Err(RecvError));
    });
    let (tx, rx) = bounded(0);
    let mut send = parked(tx.clone().send_owned(1));
    let mut behind = parked(tx.send(2));
    assert!(rx.drain().eq([1, 2]));
    assert_eq!((send.poll(), behind.poll()), (Ready(Ok(())), Ready(Ok(()))));
    drop(rx);
    assert_eq!(ready(tx.clone().send_owned(3)), Err(SendError(3)));
}

#[test]
fn an_owned_operation_keeps_its_side_of_the_channel_until_it_is_dropped() {
    let (tx, rx) = bounded(1);
    let send = tx.send_owned(1);
    assert!(!rx.is_closed());
    drop(send);
    assert!(rx.is_closed() && rx.is_empty());

    let (tx, rx) = bounded(1);
    let mut send = parked_full(&tx).send_owned(2).boxed_local();
    drop(tx);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll_once(&mut send), Ready(Ok(())));
    assert!(
        !rx.is_closed(),
        "the future is there, and with it the sender"
    );
    drop(send);
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Ok(2));

    let (tx, rx) = bounded(1);
    let recv = parked(rx.recv_owned());
    tx.try_send(1).unwrap();
    drop(recv);
    assert_eq!(tx.try_send(2), Err(TrySendError::Closed(2)));
}

/// Fills a channel of capacity 1, and clones its sender.
fn parked_full(tx: &Sender<i32>) -> Sender<i32> {
    tx.try_send(1).unwrap();
    tx.clone()
}

#[test]
fn a_dropped_owned_operation_leaves_its_line() {
    let (tx, rx) = bounded(0);
    let drops = Drops::default();
    let send = parked(tx.clone().send_owned(drops.value(1)));
    drop(send);
    assert_eq!((drops.count(), lines(&rx)), (1, (0, 0)));

    let (mut next, recv) = {
        let first = parked(rx.clone().recv_owned());
        (parked(rx.recv()), first)
    };
    tx.try_send(drops.value(2)).unwrap();
    assert_eq!(next.wakes(), 0);
    drop(recv);
    assert_eq!(next.wakes(), 1, "what it was handed is the next one's");
    assert!(matches!(next.poll(), Ready(Ok(value)) if value.id == 2));
}

#[test]
fn a_struct_keeps_a_pending_receive_beside_its_handle() {
    struct Mailbox<T> {
        rx: Receiver<T>,
        pending: Option<RecvOwnedFuture<T>>,
    }

    impl<T> Mailbox<T> {
        fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
            let rx = &self.rx;
            let recv = self.pending.get_or_insert_with(|| rx.clone().recv_owned());
            let received = std::task::ready!(Pin::new(recv).poll(cx));
            self.pending = None;
            Ready(received.ok())
        }
    }

    let (tx, rx) = bounded(0);
    let mut mailbox = Mailbox { rx, pending: None };
    let mut cx = Context::from_waker(Waker::noop());
    assert!(mailbox.poll(&mut cx).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(mailbox.poll(&mut cx), Ready(Some(1)));
    assert!(mailbox.poll(&mut cx).is_pending());
    drop(tx);
    assert_eq!(mailbox.poll(&mut cx), Ready(None));
}

#[tokio::test]
async fn owned_operations_can_be_spawned() {
    let (tx, rx) = bounded(0);
    let received = tokio::spawn(rx.clone().recv_owned());
    let sent = tokio::spawn(tx.clone().send_owned("a"));
    assert_eq!(received.await.unwrap(), Ok("a"));
    assert_eq!(sent.await.unwrap(), Ok(()));
    drop(rx);
    assert!(tokio::spawn(tx.send_owned("b")).await.unwrap().is_err());
}

// Cancel.

#[test]
fn a_cancelled_receive_leaves_the_line_or_returns_what_it_was_handed() {
    each_capacity(|_, tx, rx| {
        // Not polled, in line, and handed.
        let mut fresh = rx.recv();
        assert_eq!((fresh.cancel(), fresh.is_terminated()), (None, true));
        let (mut in_line, mut next) = (parked(rx.recv()), parked(rx.recv()));
        assert_eq!((in_line.future().cancel(), lines(&rx)), (None, (0, 1)));
        assert!(in_line.future().is_terminated());
        tx.try_send(1).unwrap();
        assert_eq!(next.poll(), Ready(Ok(1)));
        let mut recv = handed(&tx, &rx, 2);
        assert_eq!(recv.future().cancel(), Some(2));
        assert_eq!(recv.future().cancel(), None);
        assert!(
            panic_of(|| recv.poll())
                .contains("`RecvFuture` polled after it was ready or cancelled")
        );

        let mut owned = parked(rx.clone().recv_owned());
        tx.try_send(3).unwrap();
        assert_eq!(owned.future().cancel(), Some(3));
        assert!(rx.is_empty());
    });
}

#[test]
fn a_cancelled_receive_was_the_last_that_others_waited_for() {
    let (tx, rx) = bounded(0);
    let mut recv = handed(&tx, &rx, 1);
    drop(tx);
    let mut other = parked(rx.recv());
    assert_eq!(recv.future().cancel(), Some(1));
    assert_eq!((other.wakes(), other.poll()), (1, Ready(Err(RecvError))));
    // One that close has ended has nothing.
    let (tx, rx) = bounded::<()>(0);
    let mut recv = parked(rx.recv());
    drop(tx);
    assert_eq!(recv.future().cancel(), None);
}

#[test]
fn a_receive_that_lost_and_is_kept_can_be_cancelled() {
    block_on(async {
        let (tx, rx) = bounded(1);
        let Either::Right(((), mut recv)) = select(rx.recv(), is_ready(())).await else {
            panic!("nothing was sent");
        };
        tx.send(1).await.unwrap();
        let mut second = parked(rx.recv());
        assert_eq!(recv.cancel(), Some(1));
        tx.send(2).await.unwrap();
        assert_eq!(second.poll(), Ready(Ok(2)));
    });
}

#[test]
fn a_cancelled_owned_send_takes_its_value_back() {
    let (tx, rx) = bounded(0);
    let mut send = parked(tx.clone().send_owned(1));
    assert_eq!(send.future().cancel(), Some(1));
    assert!(send.future().is_terminated());
    assert!(
        panic_of(|| send.poll())
            .contains("`SendOwnedFuture` polled after it was ready or cancelled")
    );
    let mut send = parked(tx.send_owned(2));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(send.future().cancel(), None);
}

// Permits.

#[test]
fn an_owned_permit_is_a_slot_that_returns_its_sender() {
    each_with_slots(|capacity, tx, rx| {
        let held = capacity.unwrap_or(3);
        let permits: Vec<_> = (0..held)
            .map(|_| ready(tx.clone().reserve_owned()).unwrap())
            .collect();
        if capacity.is_some() {
            assert!(tx.is_full() && tx.try_send(9).is_err());
            let tx = tx.clone().try_reserve_owned().unwrap_err();
            assert!(tx.is_full() && !tx.into_inner().is_closed());
        }
        assert_eq!(tx.sender_count(), held + 1);
        for (n, permit) in permits.into_iter().enumerate() {
            drop(permit.send(n).unwrap());
        }
        assert!(rx.drain().eq(0..held));
        assert_eq!(tx.sender_count(), 1);
    });
}

#[test]
fn an_owned_permit_that_is_dropped_or_released_gives_its_slot_to_the_next() {
    let (tx, rx) = bounded(1);
    let permit = tx.clone().try_reserve_owned().unwrap();
    let mut send = parked(tx.send(1));
    let released = permit.release();
    assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
    assert_eq!(rx.try_recv(), Ok(1));

    let permit = released.try_reserve_owned().unwrap();
    let mut send = parked(tx.send(2));
    drop(permit);
    assert_eq!(send.poll(), Ready(Ok(())));
    assert_eq!((tx.sender_count(), rx.try_recv()), (1, Ok(2)));
}

#[test]
fn an_owned_permit_of_the_last_sender_keeps_the_channel_open() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve_owned().unwrap();
    assert!(!rx.is_closed());
    let mut recv = parked(rx.recv());
    let tx = permit.send(1).unwrap();
    assert_eq!(recv.poll(), Ready(Ok(1)));
    let permit = ready(tx.reserve_owned()).unwrap();
    drop(permit);
    assert!(rx.is_closed());
}

#[test]
fn a_closed_channel_refuses_owned_permits_and_their_values() {
    let (tx, rx) = bounded(1);
    let permit = tx.clone().try_reserve_owned().unwrap();
    let mut reserve = parked(tx.clone().reserve_owned());
    rx.close();
    assert_eq!(permit.send(1).unwrap_err(), SendError(1));
    assert_eq!(reserve.poll().map(|it| it.is_err()), Ready(true));
    assert!(reserve.future().is_terminated());
    assert!(ready(tx.clone().reserve_owned()).is_err());
    let refused = tx.clone().try_reserve_owned().unwrap_err();
    assert!(refused.is_closed() && refused.into_inner().same_channel(&tx));
    assert_eq!(tx.sender_count(), 1);
}

#[test]
fn owned_reservations_stand_in_line_and_leave_it() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let first = parked(tx.clone().reserve_owned());
    let mut second = parked(tx.clone().reserve_owned());
    let mut send = parked(tx.send(2));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((first.wakes(), second.wakes(), send.wakes()), (1, 0, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    let Ready(Ok(permit)) = second.poll() else {
        panic!("it was granted");
    };
    assert!(
        panic_of(|| second.poll())
            .contains("`ReserveOwnedFuture` polled after it was ready or cancelled")
    );
    drop(permit);
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn each_form_of_reserve_panics_on_capacity_0_and_names_what_to_use() {
    let (mut tx, _rx) = bounded::<()>(0);
    let mut cx = Context::from_waker(Waker::noop());
    let messages = [
        panic_of(|| drop(tx.clone().reserve_owned())),
        panic_of(|| drop(tx.clone().try_reserve_owned())),
        panic_of(|| drop(tx.poll_reserve(&mut cx))),
    ];
    assert!(messages.iter().all(|it| it.contains("`send_from`")));
}

#[test]
fn a_never_channel_grants_no_permit() {
    let (mut tx, _rx) = never::<()>();
    assert!(tx.clone().try_reserve_owned().unwrap_err().is_full());
    let reserve = parked(tx.clone().reserve_owned());
    assert_eq!(reserve.wakers(), 0);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(tx.poll_reserve(&mut cx).is_pending());
}

// A permit by polls on the handle.

/// Polls for a permit, with a waker that counts.
fn poll_reserve<T>(tx: &mut Sender<T>, wakes: &Arc<Wakes>) -> Poll<Result<OwnedPermit<T>, ()>> {
    let waker = Waker::from(wakes.clone());
    let polled = tx.poll_reserve(&mut Context::from_waker(&waker));
    polled.map_err(|SendError(())| ())
}

#[test]
fn a_polled_reservation_keeps_its_place_from_poll_to_poll() {
    let (mut tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let other = tx.clone();
    let wakes = Arc::default();
    assert!(poll_reserve(&mut tx, &wakes).is_pending());
    let mut behind = parked(other.send(2));
    assert!(poll_reserve(&mut tx, &wakes).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((wakes.count(), behind.wakes()), (1, 0));
    let Ready(Ok(permit)) = poll_reserve(&mut tx, &wakes) else {
        panic!("it was granted");
    };
    assert!(permit.send(3).is_ok());
    assert!(rx.drain().eq([3, 2]));
    assert_eq!(behind.poll(), Ready(Ok(())));
    // And again.
    assert!(poll_reserve(&mut tx, &wakes).is_ready());
    drop(rx);
    assert!(matches!(poll_reserve(&mut tx, &wakes), Ready(Err(()))));
    assert!(matches!(poll_reserve(&mut tx, &wakes), Ready(Err(()))));
}

#[test]
fn the_task_that_polled_a_reservation_last_is_woken() {
    let (mut tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let (first, second) = (Arc::default(), Arc::default());
    assert!(poll_reserve(&mut tx, &first).is_pending());
    assert!(poll_reserve(&mut tx, &second).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((first.count(), second.count()), (0, 1));
}

/// What a sender may do instead of going on to poll for its permit.
type Use = fn(&Sender<i32>);

const USES: [(&str, Use); 8] = [
    ("try_send", |tx| _ = tx.try_send(7)),
    ("send", |tx| drop(tx.send(7))),
    ("send_from", |tx| drop(tx.send_from(&mut Some(7)))),
    ("send_many", |tx| drop(tx.send_many(&mut [7].into()))),
    ("force_send", |tx| _ = tx.force_send(7)),
    ("reserve", |tx| drop(tx.reserve())),
    ("try_reserve", |tx| drop(tx.try_reserve())),
    ("select", |tx| {
        _ = Box::pin(async {
            hchan::select! { send(tx, 7) -> _ => {} }
        })
        .now_or_never();
    }),
];

#[test]
fn whatever_else_sends_gives_up_the_place_or_the_slot() {
    for (name, other_use) in USES {
        // In line, and granted.
        for is_granted in [false, true] {
            let (mut tx, rx) = bounded(1);
            tx.try_send(1).unwrap();
            let other = tx.clone();
            assert!(poll_reserve(&mut tx, &Arc::default()).is_pending());
            let mut behind = parked(other.reserve());
            if is_granted {
                assert_eq!(rx.try_recv(), Ok(1));
            }
            assert_eq!(behind.wakes(), 0, "{name}");
            other_use(&tx);
            _ = rx.try_recv();
            assert_eq!(behind.wakes(), 1, "{name}");
            assert!(behind.poll().is_ready(), "{name}");
        }
    }
}

#[test]
fn looking_at_a_handle_gives_nothing_up() {
    let (mut tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let wakes = Arc::default();
    assert!(poll_reserve(&mut tx, &wakes).is_pending());
    let _looks = (
        tx.len(),
        tx.is_full(),
        tx.snapshot(),
        tx.clone(),
        tx.downgrade(),
    );
    assert_eq!((tx.snapshot().sendq, rx.try_recv()), (1, Ok(1)));
    assert_eq!(wakes.count(), 1);
    assert!(tx.is_full(), "the slot is held");
    drop(tx);
    assert!(!rx.is_full());
}

#[test]
fn what_poll_send_has_staged_goes_before_a_reservation() {
    let (mut tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut item = Some(2);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(tx.poll_send(&mut cx, &mut item).is_pending());
    let wakes = Arc::default();
    assert!(poll_reserve(&mut tx, &wakes).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 1);
    assert!(poll_reserve(&mut tx, &wakes).is_pending());
    assert_eq!(rx.try_recv(), Ok(2));
    assert!(poll_reserve(&mut tx, &wakes).is_ready());

    // A try leaves it where it is.
    let (mut tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    item = Some(2);
    assert!(tx.poll_send(&mut cx, &mut item).is_pending());
    assert_eq!(values(&rx), [1, 2]);
    let tx = tx.try_reserve_owned().unwrap().release();
    assert!(tx.is_empty() && !tx.is_full());
}

#[tokio::test]
async fn a_polled_permit_can_be_kept_and_used_in_another_task() {
    let (mut tx, rx) = bounded(1);
    let mut sum = 0;
    for n in 0..100 {
        let permit = poll_fn(|cx| tx.poll_reserve(cx)).await.unwrap();
        let sent = tokio::spawn(async move { permit.send(n).map(drop) });
        sum += rx.recv().await.unwrap();
        sent.await.unwrap().unwrap();
    }
    assert_eq!((sum, tx.sender_count()), (99 * 50, 1));
}

#[test]
fn unbounded_channels_always_grant() {
    let (mut tx, rx) = unbounded();
    let wakes = Arc::default();
    let permits: Vec<_> = (0..10)
        .map(|_| match poll_reserve(&mut tx, &wakes) {
            Ready(Ok(permit)) => permit,
            _ => panic!("there is room"),
        })
        .collect();
    for (n, permit) in permits.into_iter().enumerate() {
        permit.send(n).map(drop).unwrap();
    }
    assert!(rx.drain().eq(0..10));
}
