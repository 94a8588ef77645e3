//! The promise about values: of any type and size, each is moved and dropped once, by its owner.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::future::poll_fn;
use std::marker::PhantomPinned;
use std::panic::panic_any;
use std::rc::Rc;
use std::task::Poll::Ready;
use std::thread;

use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, WeakReceiver, bounded, never, unbounded,
};
use support::{
    Drops, Task, each_capacity, each_limit, handed, panic_of, parked, poll_once, ready, values,
};

// Each value is dropped once, whichever way it goes.

/// Sends values until the channel is full, or holds ten of them.
fn stuff<T>(tx: &Sender<T>, make: impl Fn() -> T) -> usize {
    while tx.len() < 10 && tx.try_send(make()).is_ok() {}
    tx.len()
}

#[test]
fn a_received_value_is_dropped_by_whoever_received_it() {
    each_capacity(|_, tx, rx| {
        let drops = Drops::default();
        let mut recv = handed(&tx, &rx, drops.value(1));
        assert_eq!(drops.count(), 0);
        let Ready(Ok(value)) = recv.poll() else {
            panic!("the receive was handed a value");
        };
        drop(recv);
        drop((tx, rx));
        assert_eq!((value.id, drops.count()), (1, 0));
        drop(value);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_refused_value_is_dropped_with_its_error() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        let inside = stuff(&tx, || drops.value(0));
        let refused_before = drops.count();
        let full = tx.try_send(drops.value(1));
        assert_eq!(drops.count(), refused_before);
        drop(full);
        assert_eq!(drops.count(), refused_before + 1);
        rx.close();
        drop((tx.try_send(drops.value(2)), tx.force_send(drops.value(3))));
        drop(ready(tx.send(drops.value(4))));
        assert_eq!(drops.count(), refused_before + 4);
        drop(values(&rx));
        assert_eq!(drops.count(), refused_before + 4 + inside);
    });
}

#[test]
fn a_value_in_a_future_goes_with_the_future() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        let inside = stuff(&tx, || drops.value(0));
        let before = drops.count();
        drop(tx.send(drops.value(1)));
        drop(parked(tx.send(drops.value(2))));
        let mut cancelled = tx.send(drops.value(3));
        drop(cancelled.cancel());
        assert_eq!(drops.count(), before + 3);

        let refused = parked(tx.send(drops.value(4)));
        rx.close();
        assert_eq!(drops.count(), before + 3);
        drop((refused, rx));
        assert_eq!(drops.count(), before + 4 + inside);
    });
}

#[test]
fn a_value_in_a_slot_or_a_list_stays_with_its_owner() {
    each_limit(|_, tx, _rx| {
        let drops = Drops::default();
        stuff(&tx, || drops.value(0));
        let before = drops.count();
        let mut slot = Some(drops.value(1));
        let mut items = VecDeque::from([drops.value(2), drops.value(3)]);
        drop(parked(tx.send_from(&mut slot)));
        drop(parked(tx.send_many(&mut items)));
        assert_eq!(drops.count(), before);
        drop((slot, items));
        assert_eq!(drops.count(), before + 3);
    });
}

#[test]
fn a_value_in_a_handle_goes_with_the_handle() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        stuff(&tx, || drops.value(0));
        let before = drops.count();
        let (mut handle, mut item) = (tx.clone(), Some(drops.value(1)));
        assert!(poll_once(poll_fn(|cx| handle.poll_send(cx, &mut item))).is_pending());
        drop(handle);
        assert_eq!((item.is_none(), drops.count()), (true, before + 1));
        drop(values(&rx));
    });
}

#[test]
fn a_value_that_is_put_back_and_passed_on_is_dropped_once() {
    each_capacity(|_, tx, rx| {
        let drops = Drops::default();
        let first = handed(&tx, &rx, drops.value(1));
        let second = parked(rx.recv());
        drop(first);
        drop(second);
        assert_eq!((rx.len(), drops.count()), (1, 0));
        drop(rx.try_recv());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_value_that_is_forced_out_belongs_to_the_sender() {
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    drop(tx.force_send(drops.value(1)));
    let forced_out = tx.force_send(drops.value(2));
    assert_eq!(drops.count(), 0);
    drop(forced_out);
    assert_eq!(drops.count(), 1);
    drop(tx.try_reserve().map(|permit| permit.send(drops.value(3))));
    drop(rx);
    assert_eq!(drops.count(), 2);
}

#[test]
fn a_permit_that_fails_gives_its_value_back() {
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    rx.close();
    let refused = permit.send(drops.value(1));
    assert_eq!(drops.count(), 0);
    drop(refused);
    assert_eq!(drops.count(), 1);
}

#[test]
fn what_a_drain_has_not_given_out_is_dropped_with_it() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        let inside = stuff(&tx, || drops.value(0));
        let sends = [(); 3].map(|()| parked(tx.send(drops.value(1))));
        let before = drops.count();
        let mut drain = rx.drain();
        let kept = drain.next();
        assert_eq!((drain.len(), drops.count()), (inside + 2, before));
        drop(drain);
        assert_eq!(drops.count(), before + inside + 2);
        drop((kept, sends));
        assert_eq!(drops.count(), before + inside + 3);
    });
}

#[test]
fn what_is_inside_at_the_end_is_dropped_once() {
    each_capacity(|_, tx, rx| {
        let drops = Drops::default();
        let came_back = handed(&tx, &rx, drops.value(0));
        let inside = stuff(&tx, || drops.value(1));
        let refused = drops.count();
        drop(came_back);
        drop(tx);
        assert_eq!(drops.count(), refused);
        drop(rx);
        assert_eq!(drops.count(), refused + inside + 1);
    });
}

// A destructor may come back to the channel.

/// Makes a call when dropped.
struct OnDrop(Option<Box<dyn FnOnce()>>);

impl OnDrop {
    fn new(call: impl FnOnce() + 'static) -> Self {
        Self(Some(Box::new(call)))
    }

    /// A value whose destructor uses both handles in every way, if they still live.
    fn meddling(tx: &Sender<Self>, rx: &Receiver<Self>, dropped: &Rc<Cell<u32>>) -> Self {
        let (tx, rx) = (tx.downgrade(), rx.downgrade());
        let dropped = dropped.clone();
        Self::new(move || {
            dropped.set(dropped.get() + 1);
            if let Some(tx) = tx.upgrade() {
                drop(tx.try_send(Self(None)));
                drop(poll_once(tx.send(Self(None))));
                drop(tx.force_send(Self(None)));
                drop((tx.len(), tx.snapshot(), format!("{tx:?}")));
                if tx.capacity() != Some(0) {
                    drop(tx.try_reserve());
                }
            }
            if let Some(rx) = rx.upgrade() {
                drop((rx.try_recv(), poll_once(rx.recv()), rx.drain()));
                assert!(rx.close() || rx.is_closed());
            }
        })
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

#[test]
fn a_destructor_may_use_the_channel_that_drops_its_value() {
    type Part = fn(&Sender<OnDrop>, &Receiver<OnDrop>, OnDrop);
    let ways: [Part; 12] = [
        |tx, _, value| drop(tx.send(value)),
        |tx, _, value| drop(parked(tx.send(value))),
        |tx, _, value| drop(tx.send(value).cancel()),
        |tx, _, value| drop(parked(tx.send(value)).future().cancel()),
        |tx, _, value| drop(tx.try_send(value)),
        |tx, _, value| drop(tx.force_send(value)),
        |tx, rx, value| drop((parked(tx.send(value)), rx.try_recv())),
        |tx, rx, value| drop((parked(tx.send(value)), rx.drain())),
        |tx, rx, value| drop((handed(tx, rx, value), rx.clone()).0.poll()),
        |tx, rx, value| {
            drop(handed(tx, rx, value));
            drop(rx.try_recv());
        },
        |tx, _, value| {
            let (mut handle, mut item) = (tx.clone(), Some(value));
            assert!(poll_once(poll_fn(|cx| handle.poll_send(cx, &mut item))).is_pending());
        },
        |tx, rx, value| {
            let send = parked(tx.send(value));
            rx.close();
            drop(send);
        },
    ];
    for part in ways {
        let dropped = Rc::new(Cell::new(0));
        let (tx, rx) = bounded(0);
        part(&tx, &rx, OnDrop::meddling(&tx, &rx, &dropped));
        assert_eq!(dropped.get(), 1);
    }
}

#[test]
fn a_destructor_may_use_the_channel_that_ends() {
    each_capacity(|capacity, tx, rx| {
        let dropped = Rc::new(Cell::new(0));
        let inside = u32::try_from(capacity.unwrap_or(10)).unwrap();
        for _ in 0..inside {
            let (tx_of_value, dropped) = (tx.clone(), dropped.clone());
            let value = OnDrop::new(move || {
                dropped.set(dropped.get() + 1);
                assert!(tx_of_value.try_send(OnDrop(None)).unwrap_err().is_closed());
                assert!(poll_once(tx_of_value.send(OnDrop(None))).is_ready());
                assert!(tx_of_value.is_closed() && tx_of_value.is_empty());
                assert!(!tx_of_value.close());
            });
            tx.try_send(value).unwrap();
        }
        drop(rx);
        assert_eq!((dropped.get(), tx.sender_count()), (inside, 1));
    });
}

#[test]
fn a_destructor_may_drop_the_last_handles() {
    let (tx, rx) = bounded(1);
    let (other_tx, other_rx) = bounded(1);
    other_tx.try_send(OnDrop::new(move || drop(tx))).unwrap();
    let watch = rx.clone();
    let mut closed = parked(watch.closed());
    let mut recv: Task<_> = parked(rx.recv());
    drop(other_rx);
    assert_eq!(closed.poll(), Ready(()));
    assert_eq!(
        recv.poll().map(|value: Result<u8, _>| value),
        Ready(Err(RecvError))
    );
}

#[test]
fn a_destructor_that_panics_at_the_end_does_not_keep_the_rest() {
    for capacity in [1, 2, 3, 7] {
        for bad in 0..capacity {
            // The ring is turned so that it wraps in memory, too.
            for turned in 0..capacity {
                let dropped = Rc::new(Cell::new(0));
                let (tx, rx) = bounded(capacity);
                for _ in 0..turned {
                    tx.try_send(OnDrop(None)).unwrap();
                    drop(rx.try_recv().unwrap());
                }
                for index in 0..capacity {
                    let dropped = dropped.clone();
                    let value = OnDrop::new(move || {
                        dropped.set(dropped.get() + 1);
                        if index == bad {
                            panic_any("a value's");
                        }
                    });
                    tx.try_send(value).unwrap();
                }
                let watch = parked(tx.closed());
                assert_eq!(panic_of(|| drop(rx)), "a value's");
                assert_eq!((dropped.get(), watch.wakes()), (capacity, 1));
                assert!(tx.is_closed() && tx.is_empty());
            }
        }
    }
}

#[test]
fn a_destructor_that_panics_leaves_the_channel_usable() {
    type Part = fn(&Sender<OnDrop>, &Receiver<OnDrop>, OnDrop);
    let ways: [Part; 5] = [
        |tx, _, value| drop(tx.send(value)),
        |tx, _, value| drop(parked(tx.send(value))),
        |tx, rx, value| drop((parked(tx.send(value)), rx.try_recv())),
        |tx, rx, value| drop((parked(tx.send(value)), rx.drain())),
        |tx, _, value| {
            let (mut handle, mut item) = (tx.clone(), Some(value));
            assert!(poll_once(poll_fn(|cx| handle.poll_send(cx, &mut item))).is_pending());
        },
    ];
    for part in ways {
        let (tx, rx) = bounded(0);
        let value = OnDrop::new(|| panic_any("a value's"));
        assert_eq!(panic_of(|| part(&tx, &rx, value)), "a value's");
        let left = rx.snapshot();
        assert_eq!((left.qcount, left.sendq, left.recvq), (0, 0, 0));
        assert_eq!((tx.sender_count(), rx.receiver_count()), (1, 1));
        assert!(handed(&tx, &rx, OnDrop(None)).poll().is_ready());
    }
}

#[test]
fn the_last_sender_closes_even_if_its_staged_value_panics() {
    let (mut tx, rx) = bounded(0);
    let mut item = Some(OnDrop::new(|| panic_any("a value's")));
    assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut item))).is_pending());
    let watch = parked(rx.closed());
    assert_eq!(panic_of(|| drop(tx)), "a value's");
    assert_eq!((watch.wakes(), rx.sender_count()), (1, 0));
    assert!(rx.is_closed());
}

// Values of no size, of great size, and of odd types.

thread_local! {
    static MADE: Cell<usize> = const { Cell::new(0) };
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

/// A value of no size, at an address of its liking.
trait Nothing {
    fn make() -> Self;
}

struct Plain(());

#[repr(align(256))]
struct Aligned(());

impl Nothing for Plain {
    fn make() -> Self {
        MADE.set(MADE.get() + 1);
        Self(())
    }
}

impl Nothing for Aligned {
    fn make() -> Self {
        MADE.set(MADE.get() + 1);
        Self(())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        assert_eq!(std::ptr::from_mut(self).addr() % 256, 0);
        DROPPED.set(DROPPED.get() + 1);
    }
}

/// Sends values of no size on every path, and counts them all the way.
fn count_nothings<T: Nothing>() {
    assert_eq!(size_of::<T>(), 0);
    for (tx, rx) in [bounded(usize::MAX), unbounded()] {
        (0..1000).for_each(|_| tx.try_send(T::make()).unwrap());
        assert_eq!((rx.len(), rx.is_full()), (1000, false));
        assert_eq!(values(&rx).len(), 1000);
    }
    each_limit(|capacity, tx, rx| {
        let came_back = handed(&tx, &rx, T::make());
        (0..capacity).for_each(|_| tx.try_send(T::make()).unwrap());
        assert!(tx.try_send(T::make()).unwrap_err().is_full());
        let mut send = parked(tx.send(T::make()));
        drop(came_back);
        assert_eq!((rx.len(), rx.snapshot().sendq), (capacity + 1, 1));
        assert_eq!(values(&rx).len(), capacity + 2);
        assert!(send.poll().is_ready());

        let mut items: VecDeque<_> = (0..capacity + 2).map(|_| T::make()).collect();
        drop(parked(tx.send_many(&mut items)));
        assert_eq!((rx.len(), items.len()), (capacity, 2));
        assert_eq!(rx.drain().len(), capacity);

        let mut slot = items.pop_front();
        let forgotten = parked(rx.recv());
        assert_eq!(ready(tx.send_from(&mut slot)), Ok(()));
        std::mem::forget(forgotten.into_inner());
        while tx.try_send(T::make()).is_ok() {}
    });
    assert_eq!(DROPPED.get(), MADE.get());
}

#[test]
fn values_of_no_size_are_counted_and_dropped_once() {
    count_nothings::<Plain>();
}

#[test]
fn values_of_no_size_come_back_however_many_there_are() {
    const MANY: usize = usize::MAX / 2;
    let (tx, rx) = bounded(usize::MAX);
    let recv = handed(&tx, &rx, ());
    let mut items = VecDeque::from(Vec::from([(); MANY]));
    assert_eq!(poll_once(tx.send_many(&mut items)), Ready(Ok(())));
    assert_eq!(
        (tx.len(), tx.try_send(())),
        (MANY, Err(TrySendError::Full(())))
    );
    drop(recv);
    assert_eq!(tx.len(), MANY + 1);
}

#[test]
fn more_than_a_vec_can_count_is_not_received() {
    let (tx, rx) = bounded(0);
    let mut send = parked(tx.send(()));
    let mut full = Vec::from([(); usize::MAX]);
    assert_eq!(rx.try_recv_many(&mut full, 1), Ok(0));
    assert_eq!(poll_once(rx.recv_many(&mut full, 1)), Ready(Ok(0)));
    assert!(send.poll().is_pending());
}

#[test]
fn values_of_no_size_keep_their_alignment() {
    count_nothings::<Aligned>();
}

/// Sends values of this size on every path.
fn send_large<const SIZE: usize>() {
    fn first_and_last<const SIZE: usize>(value: [u8; SIZE]) -> (u8, u8) {
        (value[0], value[SIZE - 1])
    }
    let value = |byte| [byte; SIZE];

    let (tx, rx) = bounded(1);
    let recv = handed(&tx, &rx, value(1));
    assert!(tx.try_send(value(2)).is_ok());
    let mut send = parked(tx.send(value(3)));
    drop(recv);
    assert_eq!(rx.len(), 2);
    assert_eq!(rx.try_recv().map(first_and_last), Ok((1, 1)));
    assert_eq!(ready(rx.recv()).map(first_and_last), Ok((2, 2)));
    assert!(send.poll().is_ready());
    assert_eq!(
        tx.force_send(value(4)).unwrap().map(first_and_last),
        Some((3, 3))
    );
    let mut send = parked(tx.send(value(5)));
    let given_back = send.future().cancel().map(first_and_last);
    assert_eq!(given_back, Some((5, 5)));
    let refused = tx.try_send(value(6)).unwrap_err().into_inner();
    assert_eq!(first_and_last(refused), (6, 6));
    assert_eq!(rx.recv_blocking().map(first_and_last), Ok((4, 4)));
}

/// Runs a test on a thread with a stack of this size.
fn with_stack(bytes: usize, test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(bytes).spawn(test);
    thread.unwrap().join().unwrap();
}

// A value is moved from frame to frame. In an unoptimised build each frame keeps its copies: to send
// and to receive one value takes a stack of some 17 times its size, and the whole test, which is one
// frame, takes 60 times. Optimised it is 6 and 20 times.

#[test]
fn values_of_a_hundred_kibibytes_need_some_room_on_the_stack() {
    with_stack(64 << 20, send_large::<{ 100 << 10 }>);
}

#[test]
fn values_of_a_mebibyte_need_much_room_on_the_stack() {
    with_stack(256 << 20, send_large::<{ 1 << 20 }>);
}

#[test]
fn a_ring_of_large_values_takes_memory_only_as_they_come() {
    with_stack(256 << 20, || {
        let (tx, rx) = bounded::<[u8; 1 << 20]>(usize::MAX);
        for byte in 0..10 {
            tx.try_send([byte; 1 << 20]).unwrap();
        }
        assert!(rx.try_iter().map(|value| value[7]).eq(0..10));
    });
}

#[test]
fn values_need_not_be_send_nor_live_forever() {
    let text = String::from("borrowed");
    let (tx, rx) = bounded::<(&str, Rc<Cell<u8>>)>(0);
    let shared = Rc::new(Cell::new(1));
    let mut recv = handed(&tx, &rx, (text.as_str(), shared.clone()));
    shared.set(2);
    let Ready(Ok((borrowed, received))) = recv.poll() else {
        panic!("the receive was handed a value");
    };
    assert_eq!((borrowed, received.get()), ("borrowed", 2));
    assert_eq!(Rc::strong_count(&shared), 2);
}

#[test]
fn values_may_be_pinned_unsized_behind_a_box_or_never_there_at_all() {
    let (tx, rx) = bounded(1);
    tx.try_send(PhantomPinned).unwrap();
    assert_eq!(rx.try_recv(), Ok(PhantomPinned));

    let (tx, rx) = bounded::<Box<dyn FnOnce() -> u8>>(1);
    tx.try_send(Box::new(|| 7)).unwrap();
    assert_eq!(rx.try_recv().map(|call| call()), Ok(7));

    let (tx, rx) = bounded::<Option<Option<()>>>(3);
    for value in [None, Some(None), Some(Some(()))] {
        tx.try_send(value).unwrap();
    }
    assert_eq!(values(&rx), [None, Some(None), Some(Some(()))]);

    let (tx, rx) = bounded::<Infallible>(0);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    let recv = parked(rx.recv());
    drop(tx);
    assert_eq!(recv.wakes(), 1);
}

#[test]
fn a_channel_may_hold_a_borrow_of_what_lives_longer_only() {
    let values_outside = [1, 2, 3].map(RefCell::new);
    let (tx, rx) = unbounded();
    values_outside
        .iter()
        .for_each(|value| tx.try_send(value).unwrap());
    rx.try_iter().for_each(|value| *value.borrow_mut() *= 10);
    assert_eq!(values_outside.each_ref().map(RefCell::take), [10, 20, 30]);
}

// Channels through channels.

/// A message that brings handles of its own channel.
#[expect(dead_code, reason = "some are held for their drop only")]
#[derive(Default)]
struct Envelope {
    tx: Option<Sender<Envelope>>,
    rx: Option<Receiver<Envelope>>,
    counted: Option<support::Counted>,
}

#[test]
fn a_request_may_bring_the_way_back() {
    let (tx, rx) = bounded(0);
    let (reply_tx, reply_rx) = bounded(0);
    let mut request = parked(tx.send((20, reply_tx)));
    let (question, reply_tx) = rx.try_recv().unwrap();
    assert!(request.poll().is_ready());
    let mut answer = parked(reply_rx.recv());
    assert_eq!(reply_tx.try_send(question + 1), Ok(()));
    assert_eq!(answer.poll(), Ready(Ok(21)));
}

#[test]
fn a_sender_inside_its_own_channel_keeps_it_open_until_the_last_receiver_goes() {
    each_capacity(|capacity, tx, rx| {
        if capacity == Some(0) {
            return;
        }
        let drops = Drops::default();
        let inside = Envelope {
            tx: Some(tx.clone()),
            counted: Some(drops.value(0)),
            ..Envelope::default()
        };
        assert!(tx.try_send(inside).is_ok());
        let weak = tx.downgrade();
        drop(tx);
        assert_eq!((rx.is_closed(), rx.sender_count()), (false, 1));
        drop(rx);
        assert_eq!(drops.count(), 1);
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn a_sender_that_was_sent_through_its_own_channel_works() {
    each_capacity(|_, tx, rx| {
        let mut recv = parked(rx.recv());
        let (other, inside) = (tx.clone(), tx);
        let envelope = Envelope {
            tx: Some(inside),
            ..Envelope::default()
        };
        assert!(other.try_send(envelope).is_ok());
        drop(other);
        let Ready(Ok(envelope)) = recv.poll() else {
            panic!("the receive was handed the sender");
        };
        let tx = envelope.tx.unwrap();
        assert!(handed(&tx, &rx, Envelope::default()).poll().is_ready());
        drop(tx);
        assert!(rx.is_closed());
    });
}

#[test]
fn a_receiver_inside_its_own_channel_is_freed_through_a_weak_one() {
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    let weak: WeakReceiver<Envelope> = rx.downgrade();
    let inside = Envelope {
        rx: Some(rx),
        counted: Some(drops.value(0)),
        ..Envelope::default()
    };
    assert!(tx.try_send(inside).is_ok());
    drop(tx);
    assert_eq!(drops.count(), 0);
    let rx = weak.upgrade().unwrap();
    assert_eq!((rx.is_closed(), rx.receiver_count()), (true, 2));
    drop(rx.drain());
    assert_eq!((drops.count(), rx.receiver_count()), (1, 1));
}

/// Drops a receiver in which there is a receiver in which there is a receiver, and so on.
fn drop_nested(depth: usize) -> usize {
    let drops = Drops::default();
    let mut outermost: Option<Receiver<Envelope>> = None;
    for id in 0..depth {
        let (tx, rx) = bounded(1);
        let envelope = Envelope {
            rx: outermost.take(),
            counted: Some(drops.value(id)),
            ..Envelope::default()
        };
        assert!(tx.try_send(envelope).is_ok());
        outermost = Some(rx);
    }
    assert_eq!(drops.count(), 0);
    drop(outermost);
    drops.count()
}

#[test]
fn channels_may_be_nested_as_deep_as_the_stack_allows() {
    // Dropping recurses, as it does for nested boxes: a level takes about a kilobyte.
    assert_eq!(drop_nested(500), 500);
    with_stack(64 << 20, || assert_eq!(drop_nested(10_000), 10_000));
}

// Errors.

/// A type that can do nothing.
struct Mute;

#[test]
fn errors_are_shown_whatever_their_value_is() {
    fn shown(error: &impl Error) -> (String, String) {
        (error.to_string(), format!("{error:?}"))
    }
    let closed = "sending on a closed channel";
    let over = "receiving on a closed and drained channel";
    let both = |display: &str, debug: &str| (display.to_owned(), debug.to_owned());
    assert_eq!(shown(&SendError(Mute)), both(closed, "SendError(..)"));
    assert_eq!(
        shown(&TrySendError::Closed(Mute)),
        both(closed, "Closed(..)")
    );
    assert_eq!(
        shown(&SendTimeoutError::Closed(Mute)),
        both(closed, "Closed(..)")
    );
    let full = both("sending on a full channel", "Full(..)");
    assert_eq!(shown(&TrySendError::Full(Mute)), full);
    let late = both("timed out sending", "Timeout(..)");
    assert_eq!(shown(&SendTimeoutError::Timeout(Mute)), late);
    assert_eq!(shown(&RecvError), both(over, "RecvError"));
    assert_eq!(shown(&TryRecvError::Closed), both(over, "Closed"));
    assert_eq!(shown(&RecvTimeoutError::Closed), both(over, "Closed"));
    let empty = both("receiving on an empty channel", "Empty");
    assert_eq!(shown(&TryRecvError::Empty), empty);
    let late = both("timed out receiving", "Timeout");
    assert_eq!(shown(&RecvTimeoutError::Timeout), late);
}

#[test]
fn errors_tell_their_kind_and_give_the_value_back() {
    assert_eq!(SendError(1).into_inner(), 1);
    let (full, closed) = (TrySendError::Full(2), TrySendError::Closed(3));
    assert!(full.is_full() && !full.is_closed());
    assert!(closed.is_closed() && !closed.is_full());
    assert_eq!((full.into_inner(), closed.into_inner()), (2, 3));
    let (late, closed) = (SendTimeoutError::Timeout(4), SendTimeoutError::Closed(5));
    assert!(late.is_timeout() && !late.is_closed());
    assert!(closed.is_closed() && !closed.is_timeout());
    assert_eq!((late.into_inner(), closed.into_inner()), (4, 5));
    assert!(TryRecvError::Empty.is_empty() && !TryRecvError::Empty.is_closed());
    assert!(TryRecvError::Closed.is_closed() && !TryRecvError::Closed.is_empty());
    assert!(RecvTimeoutError::Timeout.is_timeout() && !RecvTimeoutError::Timeout.is_closed());
    assert!(RecvTimeoutError::Closed.is_closed() && !RecvTimeoutError::Closed.is_timeout());
}

#[test]
fn errors_are_equal_where_their_values_are_and_copied_where_they_can_be() {
    let error = TrySendError::Full(1);
    let copy = error;
    assert_eq!(error, copy);
    assert_ne!(error, TrySendError::Closed(1));
    assert_ne!(error, TrySendError::Full(2));
    assert_eq!(SendError("a").clone(), SendError("a"));
    assert_ne!(SendTimeoutError::Timeout(1), SendTimeoutError::Closed(1));
    let moved = SendError(String::from("b"));
    assert_eq!(moved.clone(), moved);
}

#[test]
fn narrower_errors_become_wider_ones() {
    assert_eq!(TrySendError::from(SendError(1)), TrySendError::Closed(1));
    assert_eq!(
        SendTimeoutError::from(SendError(1)),
        SendTimeoutError::Closed(1)
    );
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Closed);
}

#[test]
fn handles_and_futures_are_shown_whatever_their_value_is() {
    for (tx, rx) in [bounded::<Mute>(2), unbounded(), never()] {
        let (mut slot, mut items, mut out) = (Some(Mute), VecDeque::new(), Vec::new());
        let shown = [
            (format!("{tx:?}"), "Sender"),
            (format!("{rx:?}"), "Receiver"),
            (format!("{:?}", tx.downgrade()), "WeakSender"),
            (format!("{:?}", rx.downgrade()), "WeakReceiver"),
            (format!("{:?}", tx.send(Mute)), "SendFuture"),
            (format!("{:?}", tx.send_from(&mut slot)), "SendFromFuture"),
            (format!("{:?}", tx.send_many(&mut items)), "SendManyFuture"),
            (format!("{:?}", tx.reserve()), "ReserveFuture"),
            (format!("{:?}", rx.recv()), "RecvFuture"),
            (format!("{:?}", rx.clone().next()), "NextFuture"),
            (format!("{:?}", rx.recv_many(&mut out, 1)), "RecvManyFuture"),
            (format!("{:?}", rx.closed()), "ClosedFuture"),
            (format!("{:?}", rx.drain()), "Drain"),
            (format!("{:?}", rx.try_iter()), "TryIter"),
            (format!("{:?}", rx.iter()), "Iter"),
        ];
        for (text, name) in shown {
            assert!(text.starts_with(name), "{text}");
        }
    }
}
