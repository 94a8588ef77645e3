//! The promise of a select's `future` arms: a future that is ready wins in that very poll, and the other arms
//! have done nothing.

mod support;

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::task::Poll::{self, Pending, Ready};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use hchan::{Receiver, RecvError, Select, Sender, TrySendError, bounded, select, unbounded};
use smol::future::yield_now;
use support::{
    Drops, Task, assert_fair, fill, lines, now, on_wake, panic_of, parked, parked_with, poll_once,
    values, waiting,
};

/// A future that is pending, but for its `n`th poll, counted from 0, in which it makes this call.
fn at<O, C: FnOnce() -> Poll<O>>(n: usize, call: C) -> impl Future<Output = O> + use<O, C> {
    let (mut polls, mut call) = (0, Some(call));
    poll_fn(move |_| {
        polls += 1;
        let call = call.take_if(|_| polls > n);
        call.map_or(Pending, |call| call())
    })
}

/// What a select comes to: what its future says, or as an error what the channel's arm does.
type Either<O, A> = Result<O, A>;

/// The two ways to write a select.
#[derive(Clone, Copy, Debug)]
enum Form {
    Macro,
    Dynamic,
}

/// The two ways to send.
#[derive(Clone, Copy, Debug)]
enum How {
    Send,
    SendFrom,
}

/// Receives, or waits for the future.
async fn recv_or<O: Send>(
    form: Form,
    rx: &Receiver<usize>,
    future: impl Future<Output = O> + Send,
) -> Either<O, Result<usize, RecvError>> {
    match form {
        Form::Macro => select! {
            recv(rx) -> received => Err(received),
            future(future) -> output => Ok(output),
        },
        Form::Dynamic => {
            let select = Select::new().recv(rx, Err);
            select.future(future, Ok).await
        }
    }
}

/// Sends what is in the slot, or waits for the future. Tells whether it was sent; else it is in the slot
/// again, unless the arm was a `send`.
async fn send_or<O: Send>(
    (form, how): (Form, How),
    tx: &Sender<usize>,
    slot: &mut Option<usize>,
    future: impl Future<Output = O> + Send,
) -> Either<O, bool> {
    match (form, how) {
        (Form::Macro, How::SendFrom) => select! {
            send_from(tx, slot) -> sent => Err(sent.is_ok()),
            future(future) -> output => Ok(output),
        },
        (Form::Macro, How::Send) => select! {
            send(tx, slot.take().unwrap()) -> sent => Err(sent.is_ok()),
            future(future) -> output => Ok(output),
        },
        (Form::Dynamic, How::SendFrom) => {
            let select = Select::new().future(future, Ok);
            select.send_from(tx, slot, |sent| Err(sent.is_ok())).await
        }
        (Form::Dynamic, How::Send) => {
            let select = Select::new().future(future, Ok);
            let value = slot.take().unwrap();
            select.send(tx, value, |sent| Err(sent.is_ok())).await
        }
    }
}

const FORMS: [Form; 2] = [Form::Macro, Form::Dynamic];

const SENDS: [(Form, How); 4] = [
    (Form::Macro, How::Send),
    (Form::Macro, How::SendFrom),
    (Form::Dynamic, How::Send),
    (Form::Dynamic, How::SendFrom),
];

/// Whose hand is at the other end of the channel while the future is polled.
#[derive(Clone, Copy, Debug)]
enum By {
    TheFuture,
    AnotherThread,
}

impl By {
    fn call<R: Send>(self, call: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::TheFuture => call(),
            Self::AnotherThread => thread::scope(|scope| scope.spawn(call).join().unwrap()),
        }
    }
}

/// Capacity 0, 1 and 3; by the future's own hand and by another thread's; in the first poll and in those
/// after it; and several times, for the order of the arms is random.
fn each_way(test: impl Fn(usize, By, usize)) {
    for capacity in [0, 1, 3] {
        for by in [By::TheFuture, By::AnotherThread] {
            for poll in 0..3 {
                (0..4).for_each(|_| test(capacity, by, poll));
            }
        }
    }
}

/// The outcome of the `n`th poll, counted from 0; before that, the future is pending.
#[track_caller]
fn at_poll<F: Future>(n: usize, future: F) -> F::Output {
    let mut task = Task::new(Box::pin(future));
    for _ in 0..n {
        assert!(task.poll().is_pending(), "ready too early");
    }
    match task.poll() {
        Ready(output) => output,
        Pending => panic!("not ready in that poll"),
    }
}

// The programs that people write.

/// Reports its progress, and then ends while the select that awaits the reports is parked.
async fn job(progress: &Sender<usize>) -> &'static str {
    for percent in [50, 100] {
        yield_now().await;
        yield_now().await;
        progress.send(percent).await.unwrap();
    }
    "the result"
}

/// Polls as an executor does, which notices when nothing would wake the task.
#[track_caller]
fn run<F: Future>(future: F) -> F::Output {
    let mut task = Task::new(Box::pin(future));
    loop {
        let wakes = task.wakes();
        if let Ready(output) = task.poll() {
            return output;
        }
        assert!(task.wakes() > wakes, "nothing will ever wake it");
    }
}

#[test]
fn a_job_that_ends_as_it_reports_is_seen_to_end() {
    fn watch(job: impl Future<Output = &'static str>, reports: &Receiver<usize>) {
        let mut job = pin!(job);
        let mut seen = Vec::new();
        let result = run(async {
            loop {
                select! {
                    recv(reports) -> report => seen.push(report.unwrap()),
                    future(&mut job) -> result => break result,
                }
            }
        });
        assert_eq!(result, "the result");
        assert_eq!(seen, [50]);
        assert_eq!(values(reports), [100], "it is still to be received");
    }
    let (progress, reports) = bounded(8);
    watch(job(&progress), &reports);
    watch(job(&progress).fuse(), &reports);
}

#[test]
fn a_job_that_ends_as_it_reports_is_seen_to_end_by_a_dynamic_select() {
    let (progress, reports) = bounded(8);
    let mut job = pin!(job(&progress));
    let mut seen = Vec::new();
    let result = run(async {
        loop {
            let select = Select::new().recv(&reports, Err);
            match select.future(&mut job, Ok).await {
                Ok(result) => break result,
                Err(report) => seen.push(report.unwrap()),
            }
        }
    });
    assert_eq!((result, seen), ("the result", vec![50]));
    assert_eq!(values(&reports), [100]);
}

/// Goes on with a select until its future is ready. Its channel's arm always could go on.
fn until_the_deadline(mut round: impl FnMut(Pin<&mut dyn Deadline>) -> bool) {
    let mut deadline = pin!(at(3, || Ready(())));
    let ends = (0..10_000).any(|_| round(deadline.as_mut()));
    assert!(ends, "the deadline is not seen");
}

/// What a dynamic select can hold, too.
trait Deadline: Future<Output = ()> + Send {}

impl<F: Future<Output = ()> + Send> Deadline for F {}

#[test]
fn a_deadline_beside_a_channel_that_always_has_a_value_is_seen() {
    let (tx, rx) = bounded(1);
    until_the_deadline(|deadline| {
        let _full = tx.try_send(1);
        now(async {
            select! { recv(rx) -> _ => false, future(deadline) -> () => true }
        })
    });
    until_the_deadline(|deadline| {
        let _full = tx.try_send(1);
        now(Select::new()
            .recv(&rx, |_| false)
            .future(deadline, |()| true))
    });
}

#[test]
fn a_deadline_beside_a_channel_that_always_has_room_is_seen() {
    let (tx, rx) = unbounded();
    until_the_deadline(|deadline| {
        now(async {
            select! { send(tx, 1) -> _ => false, future(deadline) -> () => true }
        })
    });
    until_the_deadline(|deadline| {
        now(Select::new()
            .send(&tx, 1, |_| false)
            .future(deadline, |()| true))
    });
    drop(rx);
}

#[test]
fn a_deadline_beside_a_closed_channel_is_seen() {
    let (tx, rx) = bounded::<u8>(1);
    tx.close();
    until_the_deadline(|deadline| {
        now(async {
            select! { recv(rx) -> _ => false, future(deadline) -> () => true }
        })
    });
    until_the_deadline(|deadline| {
        now(async {
            select! { send(tx, 1) -> _ => false, future(deadline) -> () => true }
        })
    });
    until_the_deadline(|deadline| {
        now(Select::new()
            .future(deadline, |()| true)
            .recv(&rx, |_| false))
    });
}

#[test]
fn a_deadline_is_seen_beside_a_default() {
    let (tx, rx) = bounded(1);
    until_the_deadline(|deadline| {
        let _full = tx.try_send(1);
        now(async {
            select! {
                recv(rx) -> _ => false,
                future(deadline) -> () => true,
                default => unreachable!("there is a value"),
            }
        })
    });
}

// A future that is ready while another arm could be served.

#[test]
fn a_ready_future_wins_over_the_receive_that_was_served_in_its_poll() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let serves = at(poll, || Ready(by.call(|| tx.try_send(7))));
            let Ok(sent) = at_poll(poll, recv_or(form, &rx, serves)) else {
                panic!("the future was ready");
            };
            if capacity > 0 || poll > 0 {
                assert_eq!(sent, Ok(()));
            }
            let inside = values(&rx);
            assert_eq!(inside, if sent.is_ok() { vec![7] } else { vec![] });
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn what_a_receive_was_handed_goes_back_before_what_came_later() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let serves = at(poll, || {
                Ready(by.call(|| [7, 8].map(|n| tx.try_send(n).is_ok())))
            });
            let outcome = at_poll(poll, recv_or(form, &rx, serves));
            let slots = capacity + usize::from(poll > 0);
            assert_eq!(outcome, Ok([slots > 0, slots > 1]));
            assert!(values(&rx).into_iter().eq([7, 8].into_iter().take(slots)));
        });
    }
}

#[test]
fn what_a_receive_was_handed_goes_to_the_next_in_line() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let behind = rx.clone();
            let mut behind = Task::new(behind.recv());
            let serves = at(poll + 1, || Ready(by.call(|| tx.try_send(7))));
            let mut select = waiting(recv_or(form, &rx, serves));
            assert!(behind.poll().is_pending());
            for _ in 0..poll {
                assert!(select.poll().is_pending());
            }
            assert_eq!(select.poll(), Ready(Ok(Ok(()))));
            assert_eq!(behind.wakes(), 1);
            assert_eq!(behind.poll(), Ready(Ok(7)));
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_ready_future_wins_over_a_receive_that_a_close_has_ended_in_its_poll() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let closes = at(poll, || Ready(by.call(|| tx.close())));
            assert_eq!(at_poll(poll, recv_or(form, &rx, closes)), Ok(true));
            assert_eq!(rx.try_recv(), Err(RecvError.into()));
        });
    }
}

#[test]
fn a_ready_future_wins_over_the_send_that_could_be_taken_in_its_poll() {
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            fill(&tx, 0);
            let mut slot = Some(100);
            let takes = at(poll, || Ready(by.call(|| rx.try_recv().ok())));
            let outcome = at_poll(poll, send_or(send, &tx, &mut slot, takes));
            assert_eq!(outcome, Ok((capacity > 0).then_some(0)));
            assert_eq!(slot.is_some(), matches!(send.1, How::SendFrom));
            assert!(values(&rx).into_iter().eq(1..capacity), "and not 100");
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_ready_future_wins_over_a_send_that_a_close_could_end_in_its_poll() {
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let next = fill(&tx, 0);
            let mut slot = Some(100);
            let closes = at(poll, || Ready(by.call(|| rx.close())));
            let outcome = at_poll(poll, send_or(send, &tx, &mut slot, closes));
            assert_eq!(outcome, Ok(true));
            assert_eq!(slot.is_some(), matches!(send.1, How::SendFrom));
            assert!(values(&rx).into_iter().eq(0..next));
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_ready_future_wins_over_a_send_whose_receiver_has_come_in_its_poll() {
    for send in SENDS {
        for poll in 0..3 {
            let (tx, rx) = bounded(0);
            let mut slot = Some(100);
            let mut receiver = Task::new(rx.recv());
            let comes = at(poll, || Ready(receiver.poll().is_pending()));
            let outcome = at_poll(poll, send_or(send, &tx, &mut slot, comes));
            assert_eq!(outcome, Ok(true));
            assert_eq!(slot.is_some(), matches!(send.1, How::SendFrom));
            assert_eq!((receiver.wakes(), lines(&rx)), (0, (0, 1)));
            tx.try_send(8).unwrap();
            assert_eq!(receiver.poll(), Ready(Ok(8)));
        }
    }
}

#[test]
fn a_value_that_loses_to_a_ready_future_is_dropped_once() {
    for poll in 0..3 {
        let drops = Drops::default();
        let (tx, rx) = bounded(0);
        let takes = at(poll, || Ready(rx.try_recv().is_ok()));
        let taken = at_poll(poll, async {
            select! {
                send(tx, drops.value(0)) -> _ => unreachable!("the future is ready"),
                future(takes) -> taken => taken,
            }
        });
        assert_eq!((taken, drops.count()), (false, 1));
    }
}

#[test]
fn of_several_futures_those_after_the_ready_one_are_not_polled() {
    // Each is ready whenever it is polled, and may be polled once.
    let (_tx, rx) = bounded::<u8>(0);
    for polls_before in 0..2 {
        for _ in 0..20 {
            let time = AtomicUsize::new(0);
            let done = [(); 3].map(|()| AtomicUsize::new(0));
            let future = |n: usize| {
                let (time, done) = (&time, &done);
                poll_fn(move |_| {
                    if time.load(Ordering::Relaxed) < polls_before {
                        return Pending;
                    }
                    done[n].fetch_add(1, Ordering::Relaxed);
                    Ready(n)
                })
            };
            let mut select = Task::new(Box::pin(async {
                select! {
                    future(future(0)) -> n => n,
                    recv(rx) -> _ => 9,
                    future(future(1)) -> n => n,
                    future(future(2)) -> n => n,
                }
            }));
            for _ in 0..polls_before {
                assert!(select.poll().is_pending());
            }
            time.store(polls_before, Ordering::Relaxed);
            let Ready(won) = select.poll() else {
                panic!("all are ready");
            };
            drop(select);
            let done = done.map(AtomicUsize::into_inner);
            assert_eq!(done.iter().sum::<usize>(), 1, "{done:?}");
            assert_eq!(done[won], 1);
        }
    }
}

#[test]
fn an_arm_that_was_accepted_before_a_poll_wins_in_it_and_no_future_is_polled() {
    for form in FORMS {
        let (tx, rx) = bounded(0);
        let polls = AtomicUsize::new(0);
        let future = || {
            poll_fn(|_| match polls.fetch_add(1, Ordering::Relaxed) {
                0 => Pending,
                _ => Ready(()),
            })
        };
        let mut select = waiting(recv_or(form, &rx, future()));
        tx.try_send(7).unwrap();
        assert_eq!(select.poll(), Ready(Err(Ok(7))));
        assert_eq!(polls.swap(0, Ordering::Relaxed), 1);
        for how in [How::Send, How::SendFrom] {
            let mut slot = Some(8);
            let mut select = waiting(send_or((form, how), &tx, &mut slot, future()));
            assert_eq!(rx.try_recv(), Ok(8));
            assert_eq!(select.poll(), Ready(Err(true)));
            assert_eq!(polls.swap(0, Ordering::Relaxed), 1);
        }
    }
}

// A future that serves another arm of its own select, and goes on.

#[test]
fn a_future_may_send_to_its_own_select() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let mut sent = Err(TrySendError::Full(7));
            let serves = at(poll, || {
                sent = by.call(|| tx.try_send(7));
                Poll::<()>::Pending
            });
            let mut select = Task::new(Box::pin(recv_or(form, &rx, serves)));
            for _ in 0..poll {
                assert!(select.poll().is_pending());
            }
            let polled = select.poll();
            drop(select);
            if capacity > 0 || poll > 0 {
                assert_eq!(sent, Ok(()));
            }
            match sent {
                Ok(()) => assert_eq!(polled, Ready(Err(Ok(7)))),
                Err(_) => assert_eq!(polled, Pending),
            }
            assert_eq!((values(&rx), lines(&rx)), (vec![], (0, 0)));
        });
    }
}

#[test]
fn a_future_may_make_room_for_its_own_select() {
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            fill(&tx, 0);
            let (mut slot, mut taken) = (Some(100), None);
            let takes = at(poll, || {
                taken = by.call(|| rx.try_recv().ok());
                Poll::<()>::Pending
            });
            let mut select = Task::new(Box::pin(send_or(send, &tx, &mut slot, takes)));
            for _ in 0..poll {
                assert!(select.poll().is_pending());
            }
            let polled = select.poll();
            if capacity == 0 {
                assert_eq!((&polled, lines(&rx)), (&Pending, (1, 0)));
                assert_eq!(rx.try_recv(), Ok(100), "it is there again");
                assert_eq!(select.poll(), Ready(Err(true)));
            } else {
                assert_eq!(polled, Ready(Err(true)));
                assert!(values(&rx).into_iter().eq((1..capacity).chain([100])));
            }
            drop(select);
            assert_eq!((taken, slot), ((capacity > 0).then_some(0), None));
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_future_may_wait_to_receive_from_its_own_select() {
    for send in SENDS {
        for capacity in [0, 1, 3] {
            for poll in 0..3 {
                let (tx, rx) = bounded(capacity);
                fill(&tx, 0);
                let (mut slot, mut received) = (Some(100), None);
                let mut receiver = Task::new(rx.recv());
                let receives = at(poll, || {
                    received = Some(receiver.poll());
                    Poll::<()>::Pending
                });
                assert_eq!(
                    at_poll(poll, send_or(send, &tx, &mut slot, receives)),
                    Err(true)
                );
                assert_eq!(slot, None);
                if capacity == 0 {
                    assert_eq!((received, receiver.wakes()), (Some(Pending), 1));
                    assert_eq!(receiver.poll(), Ready(Ok(100)));
                } else {
                    assert_eq!(received, Some(Ready(Ok(0))));
                    assert!(values(&rx).into_iter().eq((1..capacity).chain([100])));
                }
                assert_eq!(lines(&rx), (0, 0));
            }
        }
    }
}

#[test]
fn a_future_may_wait_to_receive_from_its_own_select_while_a_permit_holds_the_only_slot() {
    for send in SENDS {
        for poll in 0..3 {
            let (tx, rx) = bounded(1);
            let permit = tx.try_reserve().unwrap();
            let (mut slot, mut receiver) = (Some(100), Task::new(rx.recv()));
            let receives = at(poll, || {
                assert!(receiver.poll().is_pending());
                Poll::<()>::Pending
            });
            let outcome = at_poll(poll, send_or(send, &tx, &mut slot, receives));
            assert_eq!((outcome, receiver.poll()), (Err(true), Ready(Ok(100))));
            permit.send(7).unwrap();
            assert_eq!(values(&rx), [7]);
        }
    }
}

#[test]
fn a_future_may_wait_to_send_to_its_own_select() {
    for form in FORMS {
        for capacity in [0, 1, 3] {
            for poll in 0..3 {
                let (tx, rx) = bounded(capacity);
                let (mut sender, mut sent) = (Task::new(tx.send(7)), None);
                let sends = at(poll, || {
                    sent = Some(sender.poll());
                    Poll::<()>::Pending
                });
                assert_eq!(at_poll(poll, recv_or(form, &rx, sends)), Err(Ok(7)));
                if sent == Some(Pending) {
                    assert_eq!((sender.wakes(), sender.poll()), (1, Ready(Ok(()))));
                }
                assert_eq!((values(&rx), lines(&rx)), (vec![], (0, 0)));
            }
        }
    }
}

#[test]
fn a_close_in_the_poll_of_a_future_ends_its_select() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded::<usize>(capacity);
            let closes = at(poll, || {
                assert!(by.call(|| tx.close()));
                Poll::<()>::Pending
            });
            assert_eq!(
                at_poll(poll, recv_or(form, &rx, closes)),
                Err(Err(RecvError))
            );
        });
    }
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let next = fill(&tx, 0);
            let mut slot = Some(100);
            let closes = at(poll, || {
                assert!(by.call(|| rx.close()));
                Poll::<()>::Pending
            });
            let outcome = at_poll(poll, send_or(send, &tx, &mut slot, closes));
            assert_eq!(outcome, Err(false));
            assert!(values(&rx).into_iter().eq(0..next));
        });
    }
}

#[test]
fn two_selects_that_face_each_other_meet_in_the_poll_of_a_future() {
    // The future of each polls the other, which holds its sends back while the first holds its own.
    let (tx, rx) = bounded(0);
    for poll in 0..3 {
        let mut second = Task::new(Box::pin(async {
            select! { recv(rx) -> got => got.ok(), future(pending::<()>()) -> () => None }
        }));
        let mut first_saw = None;
        let polls_other = at(poll, || {
            first_saw = Some(second.poll());
            Poll::<()>::Pending
        });
        let sent = at_poll(poll, async {
            select! { send(tx, 7) -> sent => sent.is_ok(), future(polls_other) -> () => false }
        });
        assert_eq!((sent, first_saw), (true, Some(Pending)));
        assert_eq!((second.wakes(), second.poll()), (1, Ready(Some(7))));
        assert_eq!(lines(&rx), (0, 0));
    }
}

#[test]
fn two_selects_that_send_and_receive_meet_in_the_poll_of_a_future() {
    let (tx, rx) = bounded(0);
    for poll in 0..3 {
        let mut second = Task::new(Box::pin(async {
            select! {
                send(tx, 2) -> sent => Err(sent),
                recv(rx) -> got => Ok(got),
                future(pending::<()>()) -> () => unreachable!(),
            }
        }));
        let polls_other = at(poll, || {
            let _second_saw = second.poll();
            Poll::<()>::Pending
        });
        let first = at_poll(poll, async {
            select! {
                send(tx, 1) -> sent => Err(sent),
                recv(rx) -> got => Ok(got),
                future(polls_other) -> () => unreachable!(),
            }
        });
        let second = match second.wakes() {
            // It was served at once, by the first one's receive.
            0 => None,
            _ => Some(second.poll()),
        };
        match (first, second) {
            (Err(Ok(())), Some(Ready(Ok(Ok(1))))) => {}
            (Ok(Ok(2)), None | Some(Ready(Err(Ok(()))))) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(lines(&rx), (0, 0));
    }
}

// Places in line.

#[test]
fn a_select_whose_future_is_polled_again_and_again_keeps_its_place_among_receivers() {
    for form in FORMS {
        let (tx, rx) = bounded(0);
        let beats = || {
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            })
        };
        let mut before = parked(rx.recv());
        let mut selects = [
            waiting(recv_or(form, &rx, beats())),
            waiting(recv_or(form, &rx, beats())),
        ];
        let mut behind = parked(rx.recv());
        let seen = rx.snapshot();
        for beat in 0..10 {
            assert!(selects[beat % 2].poll().is_pending());
            assert_eq!(rx.snapshot(), seen);
        }
        for value in 0..4 {
            tx.try_send(value).unwrap();
        }
        assert_eq!(before.poll(), Ready(Ok(0)));
        assert_eq!(selects[0].poll(), Ready(Err(Ok(1))));
        assert_eq!(selects[1].poll(), Ready(Err(Ok(2))));
        assert_eq!(behind.poll(), Ready(Ok(3)));
    }
}

#[test]
fn a_select_whose_future_is_polled_again_and_again_keeps_its_place_among_senders() {
    for send in SENDS {
        for capacity in [0, 1, 3] {
            let (tx, rx) = bounded(capacity);
            let next = fill(&tx, 0);
            let mut slots = [Some(next + 1), Some(next + 2)];
            let beats = || {
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    Poll::<()>::Pending
                })
            };
            let mut before = parked(tx.send(next));
            let mut selects = slots
                .each_mut()
                .map(|slot| waiting(send_or(send, &tx, slot, beats())));
            let mut behind = parked(tx.send(next + 3));
            let seen = rx.snapshot();
            for beat in 0..10 {
                assert!(selects[beat % 2].poll().is_pending());
                assert_eq!(rx.snapshot(), seen);
            }
            for value in 0..next + 4 {
                assert_eq!(rx.try_recv(), Ok(value));
            }
            assert_eq!(
                (before.poll(), behind.poll()),
                (Ready(Ok(())), Ready(Ok(())))
            );
            assert!(
                selects
                    .iter_mut()
                    .all(|select| select.poll() == Ready(Err(true)))
            );
        }
    }
}

#[test]
fn a_receiver_passes_by_a_send_that_is_held_back_and_that_stays_where_it_was() {
    for send in SENDS {
        for capacity in [0, 1, 3] {
            let (tx, rx) = bounded(capacity);
            fill(&tx, 0);
            let (mut slot, mut taken) = (Some(100), None);
            let takes = at(1, || {
                taken = rx.try_recv().ok();
                Poll::<()>::Pending
            });
            let mut select = waiting(send_or(send, &tx, &mut slot, takes));
            let mut others = [parked(tx.send(101)), parked(tx.send(102))];
            assert!(select.poll().is_pending());
            assert_eq!((others[0].wakes(), lines(&rx)), (1, (2, 0)));
            let received = values(&rx);
            assert_eq!(select.poll(), Ready(Err(true)));
            drop(select);
            assert_eq!(others.each_mut().map(Task::poll), [Ready(Ok(())); 2]);
            let order = (0..capacity).chain([101, 100, 102]);
            assert!(taken.into_iter().chain(received).eq(order));
        }
    }
}

#[test]
fn receivers_that_come_while_sends_are_held_back_are_served_in_turn() {
    // Two selects; the future of the first brings two receivers. The second is open, so it meets the first
    // of them, and the select that held its send back meets the other.
    for send in SENDS {
        let (tx, rx) = bounded(0);
        let mut slots = [Some(1), Some(2)];
        let [first, second] = &mut slots;
        let mut receivers = [Task::new(rx.recv()), Task::new(rx.recv())];
        let mut polled = None;
        let brings = at(1, || {
            polled = Some(receivers.each_mut().map(Task::poll));
            Poll::<()>::Pending
        });
        let mut first = waiting(send_or(send, &tx, first, brings));
        let mut second = waiting(send_or(send, &tx, second, pending::<()>()));
        assert_eq!(first.poll(), Ready(Err(true)));
        assert_eq!(second.poll(), Ready(Err(true)));
        drop((first, second));
        assert_eq!(polled, Some([Ready(Ok(2)), Pending]));
        assert_eq!(receivers[1].poll(), Ready(Ok(1)));
        assert_eq!(lines(&rx), (0, 0));
    }
}

// Which arm wins.

#[test]
fn of_a_channel_and_a_future_that_are_ready_each_wins_half() {
    let (a, rx_a) = bounded(1);
    let (b, rx_b) = bounded(1);
    let (over, overs) = bounded::<u8>(0);
    over.close();
    let mut wins = [0; 6];
    let runs = 10_000;
    for _ in 0..runs {
        let _full = a.try_send(0);
        let _empty = rx_b.try_recv();
        wins[0] += now(async {
            select! { recv(rx_a) -> _ => 0, future(async {}) -> () => 1 }
        });
        wins[1] += now(async {
            select! { future(async {}) -> () => 1, send(b, 0) -> _ => 0 }
        });
        wins[2] += now(async {
            select! { recv(overs) -> _ => 0, future(async {}) -> () => 1 }
        });
        let _full = a.try_send(0);
        let _empty = rx_b.try_recv();
        wins[3] += now(async {
            select! {
                recv(rx_a) -> _ => 0,
                future(async {}) -> () => 1,
                default => unreachable!("both are ready"),
            }
        });
        let _full = a.try_send(0);
        wins[4] += now(Select::new().recv(&rx_a, |_| 0).future(async {}, |()| 1));
        let select = Select::new().future(async {}, |()| 1);
        wins[5] += select.send(&b, 0, |_| 0).try_select().unwrap();
    }
    for wins in wins {
        assert_fair(wins, runs, 0.5);
    }
}

#[test]
fn of_four_arms_of_which_two_are_futures_each_wins_a_quarter() {
    let (a, rx_a) = bounded(1);
    let (b, rx_b) = bounded(1);
    let (_quiet, quiet) = bounded::<u8>(0);
    let mut wins = [[0; 4]; 2];
    let runs = 10_000;
    for _ in 0..runs {
        let _full = a.try_send(0);
        let _empty = rx_b.try_recv();
        wins[0][now(async {
            select! {
                future(pending::<()>()) -> () => 9,
                recv(rx_a) -> _ => 0,
                send(b, 0) -> _ => 1,
                future(async {}) -> () => 2,
                recv(quiet) -> _ => 9,
                future(async {}) -> () => 3,
            }
        })] += 1;
        let _full = a.try_send(0);
        let _empty = rx_b.try_recv();
        let select = Select::new().future(async {}, |()| 0).recv(&rx_a, |_| 1);
        let select = select.recv(&quiet, |_| 9).send(&b, 0, |_| 2);
        wins[1][now(select.future(async {}, |()| 3))] += 1;
    }
    for wins in wins.into_iter().flatten() {
        assert_fair(wins, runs, 0.25);
    }
}

#[test]
fn the_order_of_a_biased_select_is_that_of_the_source_for_futures_too() {
    let (tx, rx) = bounded(1);
    for _ in 0..50 {
        let _full = tx.try_send(0);
        let first = now(async {
            select! { biased; future(async {}) -> () => 1, recv(rx) -> _ => 2 }
        });
        let second = now(async {
            select! { biased;
                future(pending::<()>()) -> () => 1,
                recv(rx) -> _ => 2,
                future(async { panic!("a future after a value is not polled") }) -> () => 3,
            }
        });
        assert_eq!((first, second), (1, 2));
        let _full = tx.try_send(0);
        let select = Select::new().biased().future(async {}, |()| 1);
        assert_eq!(now(select.recv(&rx, |_| 2)), 1);
        let select = Select::new().biased().recv(&rx, |_| 2);
        assert_eq!(now(select.future(async {}, |()| 1)), 2);
    }
}

/// A future that is ready once this is not 0, and counts in it how often it was polled from then on.
fn ready_with(time: &AtomicUsize) -> impl Future<Output = ()> + use<'_> {
    poll_fn(|_| match time.load(Ordering::Relaxed) {
        0 => Pending,
        _ => {
            time.fetch_add(1, Ordering::Relaxed);
            Ready(())
        }
    })
}

#[test]
fn a_future_before_a_receive_that_was_accepted_is_asked_first_by_a_biased_select() {
    let (tx, rx) = bounded(0);
    let (before, after) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let select = || {
        waiting(async {
            select! { biased;
                future(ready_with(&before)) -> () => "before",
                recv(rx) -> got => match got { Ok(_) => "value", Err(RecvError) => "over" },
                future(ready_with(&after)) -> () => "after",
            }
        })
    };
    let dynamic = || {
        parked(
            Select::new()
                .biased()
                .future(Box::pin(ready_with(&before)), |()| "before")
                .recv(&rx, |_| "value")
                .future(Box::pin(ready_with(&after)), |()| "after"),
        )
    };
    let (mut one, mut two) = (select(), dynamic());
    after.store(1, Ordering::Relaxed);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!((one.poll(), two.poll()), (Ready("value"), Ready("value")));
    assert_eq!(after.load(Ordering::Relaxed), 1, "it was not polled");

    after.store(0, Ordering::Relaxed);
    let (mut one, mut two) = (select(), dynamic());
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    before.store(1, Ordering::Relaxed);
    assert_eq!((one.poll(), two.poll()), (Ready("before"), Ready("before")));
    assert_eq!(values(&rx), [1, 2], "both went back");
    assert_eq!(lines(&rx), (0, 0));

    before.store(0, Ordering::Relaxed);
    let mut one = select();
    tx.close();
    before.store(1, Ordering::Relaxed);
    assert_eq!(one.poll(), Ready("before"));
}

#[test]
fn a_send_that_was_accepted_wins_over_a_future_before_it_in_a_biased_select() {
    let (tx, rx) = bounded(0);
    let time = AtomicUsize::new(0);
    let mut select = waiting(async {
        select! { biased;
            future(ready_with(&time)) -> () => "future",
            send(tx, 7) -> sent => { sent.unwrap(); "sent" }
        }
    });
    assert_eq!(rx.try_recv(), Ok(7));
    time.store(1, Ordering::Relaxed);
    assert_eq!(select.poll(), Ready("sent"));
    assert_eq!(time.load(Ordering::Relaxed), 1, "it was not polled");
}

#[test]
fn a_pending_future_before_a_receive_that_was_accepted_changes_nothing() {
    let (tx, rx) = bounded(0);
    let polls = Cell::new(0);
    let pends = poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::<()>::Pending
    });
    let mut select = waiting(async {
        select! { biased; future(pends) -> () => None, recv(rx) -> got => got.ok() }
    });
    tx.try_send(7).unwrap();
    assert_eq!(select.poll(), Ready(Some(7)));
    assert_eq!(polls.get(), 2);
}

// A select that is dropped.

#[test]
fn a_select_that_is_dropped_has_done_nothing_however_often_its_future_was_polled() {
    for polls in 0..4 {
        for form in FORMS {
            for capacity in [0, 1, 3] {
                let (tx, rx) = bounded(capacity);
                let mut select = Task::new(Box::pin(recv_or(form, &rx, pending::<()>())));
                assert!((0..polls).all(|_| select.poll().is_pending()));
                // Served, but not polled since.
                let sent = tx.try_send(7).is_ok();
                assert_eq!(sent, capacity > 0 || polls > 0);
                drop(select);
                assert_eq!(values(&rx).len(), usize::from(sent));
                assert_eq!(lines(&rx), (0, 0));
            }
        }
        for send in SENDS {
            for capacity in [0, 1, 3] {
                let (tx, rx) = bounded(capacity);
                let next = fill(&tx, 0);
                let mut slot = Some(next);
                let mut select =
                    Task::new(Box::pin(send_or(send, &tx, &mut slot, pending::<()>())));
                assert!((0..polls).all(|_| select.poll().is_pending()));
                drop(select);
                let kept = matches!(send.1, How::SendFrom) || polls == 0;
                assert_eq!(slot, kept.then_some(next));
                assert_eq!(lines(&rx), (0, 0));
                assert!(values(&rx).into_iter().eq(0..next));
            }
        }
    }
}

#[test]
fn a_lent_future_that_is_ready_when_its_select_is_dropped_is_still_ready() {
    let (tx, rx) = bounded(0);
    let (signal, mut signalled) = oneshot::channel();
    let select = waiting(async {
        select! { recv(rx) -> _ => (), future(&mut signalled) -> _ => () }
    });
    signal.send("the result").unwrap();
    tx.try_send(7).unwrap();
    drop(select);
    assert_eq!(values(&rx), [7]);
    assert_eq!(now(signalled), Ok("the result"));
}

#[test]
fn a_lent_future_that_is_ready_when_another_arm_wins_is_reported_by_the_next_select() {
    let (tx, rx) = bounded(0);
    let (signal, mut signalled) = oneshot::channel();
    let mut select = waiting(async {
        select! { recv(rx) -> got => Err(got), future(&mut signalled) -> signal => Ok(signal) }
    });
    tx.try_send(7).unwrap();
    signal.send("the result").unwrap();
    assert_eq!(select.poll(), Ready(Err(Ok(7))));
    drop(select);
    let outcome = now(async {
        select! { recv(rx) -> got => Err(got), future(&mut signalled) -> signal => Ok(signal) }
    });
    assert_eq!(outcome, Ok(Ok("the result")));
}

#[test]
fn no_waker_is_kept_once_a_future_has_won() {
    let (tx, rx) = bounded::<u8>(0);
    let mut slot = Some(1);
    let mut select = waiting(async {
        select! {
            recv(rx) -> _ => unreachable!(),
            send_from(tx, &mut slot) -> _ => unreachable!(),
            future(at(1, || Ready(()))) -> () => pending::<()>().await,
        }
    });
    assert_eq!(select.wakers(), 1);
    assert!(select.poll().is_pending());
    assert_eq!(select.wakers(), 0);
    drop(select);
    assert_eq!((slot, lines(&rx)), (Some(1), (0, 0)));
}

// A future that panics.

#[test]
fn a_receive_that_was_served_when_a_future_panicked_is_undone() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let mut sent = false;
            let panics = at::<(), _>(poll, || {
                sent = by.call(|| tx.try_send(7)).is_ok();
                panic!("a future")
            });
            let mut select = Task::new(Box::pin(recv_or(form, &rx, panics)));
            assert!((0..poll).all(|_| select.poll().is_pending()));
            assert_eq!(panic_of(|| select.poll()), "a future");
            drop(select);
            assert_eq!(sent, capacity > 0 || poll > 0);
            assert_eq!(values(&rx).len(), usize::from(sent));
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_send_that_was_held_back_when_a_future_panicked_is_undone() {
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            fill(&tx, 0);
            let mut slot = Some(100);
            let panics = at::<(), _>(poll, || {
                let _taken = by.call(|| rx.try_recv());
                panic!("a future")
            });
            let mut select = Task::new(Box::pin(send_or(send, &tx, &mut slot, panics)));
            assert!((0..poll).all(|_| select.poll().is_pending()));
            assert_eq!(panic_of(|| select.poll()), "a future");
            drop(select);
            assert_eq!(slot.is_some(), matches!(send.1, How::SendFrom));
            assert!(values(&rx).into_iter().eq(1..capacity));
            // Nothing is left that others would have to pass by.
            let mut next = parked(rx.recv());
            tx.try_send(8).unwrap();
            assert_eq!((next.poll(), lines(&rx)), (Ready(Ok(8)), (0, 0)));
        });
    }
}

#[test]
fn a_select_may_be_polled_again_after_a_future_has_panicked() {
    for poll in 0..3 {
        let (tx, rx) = bounded(0);
        let (_quiet, quiet) = bounded::<usize>(0);
        let panics = at::<(), _>(poll, || panic!("a future"));
        let select = Select::new().recv(&quiet, |_| "received");
        let select = select.send(&tx, 100, |_| "sent");
        let mut select = Task::new(select.future(panics, |()| "ready"));
        assert!((0..poll).all(|_| select.poll().is_pending()));
        assert_eq!(panic_of(|| select.poll()), "a future");
        let mut receiver = Task::new(rx.recv());
        let received = receiver.poll();
        assert_eq!(select.poll(), Ready("sent"));
        let received = match received {
            Pending => receiver.poll(),
            received => received,
        };
        assert_eq!(received, Ready(Ok(100)));
        assert_eq!((lines(&rx), lines(&quiet)), ((0, 0), (0, 0)));
    }
}

#[test]
fn a_future_that_was_ready_when_a_waker_panicked_has_won() {
    for poll in 1..3 {
        let (tx, rx) = bounded(0);
        let (quiet, quiets) = bounded::<usize>(0);
        let serves = at(poll, || Ready(tx.try_send(7)));
        let select = Select::new().recv(&rx, Err).recv(&quiets, Err);
        let mut select = parked(select.future(serves, Ok));
        // What the select was handed goes back to this one.
        let mut behind = parked_with(rx.recv(), on_wake(|| panic!("a waker")));
        assert!((1..poll).all(|_| select.poll().is_pending()));
        assert_eq!(panic_of(|| select.poll()), "a waker");
        assert_eq!(poll_once(&mut behind), Ready(Ok(7)));
        assert_eq!(quiet.try_send(8), Err(TrySendError::Full(8)));
        assert_eq!(select.poll(), Ready(Ok(Ok(()))));
        assert_eq!((lines(&rx), lines(&quiets)), ((0, 0), (0, 0)));
    }
}

/// A future whose destructor panics.
struct PanicsWhenDropped<F>(F);

impl<F: Future + Unpin> Future for PanicsWhenDropped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.poll_unpin(cx)
    }
}

impl<F> Drop for PanicsWhenDropped<F> {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("a destructor");
        }
    }
}

#[test]
fn a_receive_goes_back_when_the_destructor_of_the_ready_future_panics() {
    for form in FORMS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            let serves = Box::pin(at(poll, || Ready(by.call(|| tx.try_send(7).is_ok()))));
            let future = PanicsWhenDropped(serves);
            let mut select = Task::new(Box::pin(recv_or(form, &rx, future)));
            assert!((0..poll).all(|_| select.poll().is_pending()));
            assert_eq!(panic_of(|| select.poll()), "a destructor");
            drop(select);
            let sent = capacity > 0 || poll > 0;
            assert_eq!(values(&rx), if sent { vec![7] } else { vec![] });
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn a_send_is_undone_when_the_destructor_of_the_ready_future_panics() {
    for send in SENDS {
        each_way(|capacity, by, poll| {
            let (tx, rx) = bounded(capacity);
            fill(&tx, 0);
            let mut slot = Some(100);
            let takes = Box::pin(at(poll, || Ready(by.call(|| rx.try_recv().is_ok()))));
            let future = PanicsWhenDropped(takes);
            let mut select = Task::new(Box::pin(send_or(send, &tx, &mut slot, future)));
            assert!((0..poll).all(|_| select.poll().is_pending()));
            assert_eq!(panic_of(|| select.poll()), "a destructor");
            drop(select);
            assert_eq!(slot.is_some(), matches!(send.1, How::SendFrom));
            assert!(values(&rx).into_iter().eq(1..capacity));
            assert_eq!(lines(&rx), (0, 0));
        });
    }
}

#[test]
fn what_was_sent_stays_sent_when_the_destructor_of_a_future_that_lost_panics() {
    for send in SENDS {
        for poll in 0..3 {
            let (tx, rx) = bounded(0);
            let mut receiver = Task::new(rx.recv());
            let comes = Box::pin(at(poll, || {
                assert!(receiver.poll().is_pending());
                Poll::<()>::Pending
            }));
            let mut slot = Some(100);
            let future = PanicsWhenDropped(comes);
            let mut select = Task::new(Box::pin(send_or(send, &tx, &mut slot, future)));
            assert!((0..poll).all(|_| select.poll().is_pending()));
            assert_eq!(panic_of(|| select.poll()), "a destructor");
            drop(select);
            assert_eq!((slot, receiver.poll()), (None, Ready(Ok(100))));
            assert_eq!(lines(&rx), (0, 0));
        }
    }
}

// The dynamic form on a thread.

#[test]
fn a_thread_waits_for_a_future() {
    let (tx, rx) = bounded(0);
    let (signal, signalled) = oneshot::channel();
    let thread = thread::spawn(move || {
        let select = Select::new().recv(&rx, Err);
        let outcome = select.future(signalled, Ok).wait();
        (outcome, lines(&rx))
    });
    signal.send(7).unwrap();
    assert_eq!(thread.join().unwrap(), (Ok(Ok(7)), (0, 0)));
    assert_eq!(tx.try_send(1), Err(TrySendError::Closed(1)));
}

#[test]
fn a_future_is_an_arm_of_a_select_that_does_not_wait() {
    let (_tx, rx) = bounded::<u8>(0);
    let select = |n| {
        Select::new()
            .recv(&rx, |_| 0)
            .future(at(n, || Ready(1)), |n| n)
    };
    assert_eq!(select(1).try_select(), None);
    assert_eq!(select(0).try_select(), Some(1));
    assert_eq!(select(0).wait_timeout(Duration::ZERO), Some(1));
    assert_eq!(select(9).wait_timeout(Duration::from_millis(1)), None);
    assert_eq!(lines(&rx), (0, 0));
}

#[test]
fn a_future_may_be_added_to_a_select_that_waits() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded::<usize>(0);
    let select = parked(Select::new().recv(&rx, Err)).into_inner();
    let mut select = Task::new(select.future(at(1, || Ready(1)), Ok));
    assert!(select.poll().is_pending());
    assert_eq!(select.poll(), Ready(Ok(1)));

    let select = parked(Select::new().recv(&quiet, Err)).into_inner();
    let mut select = Task::new(select.future(pending::<()>(), Ok).recv(&rx, Err));
    assert!(select.poll().is_pending());
    tx.try_send(7).unwrap();
    assert_eq!(select.poll(), Ready(Err(Ok(7))));
}
