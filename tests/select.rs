//! The promise of select: exactly one arm commits, each ready one may, and the others leave no trace.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll::{Pending, Ready};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::StreamExt;
use futures::executor::LocalPool;
use futures::future::FusedFuture;
use futures::stream::FuturesUnordered;
use futures::task::LocalSpawnExt;
use hchan::{
    Receiver, RecvError, Select, SendError, Sender, TryRecvError, TrySendError, bounded, never,
    select, select_blocking, unbounded,
};
use support::{
    Drops, Task, assert_fair, each_capacity, each_limit, fill, handed, lines, now, on_wake,
    panic_of, parked, parked_with, poll_once, poll_with, ready, values, waiting,
};

// What an arm may be.

#[test]
fn arms_may_carry_different_types() {
    let (text, texts) = bounded::<String>(1);
    let (number, numbers) = bounded::<u64>(1);
    let (flag, flags) = bounded::<bool>(0);
    let one = || async {
        select! {
            recv(texts) -> text => text.unwrap(),
            recv(numbers) -> number => number.unwrap().to_string(),
            send(flag, true) -> sent => format!("{sent:?}"),
        }
    };
    text.try_send("text".to_owned()).unwrap();
    assert_eq!(now(one()), "text");
    number.try_send(7).unwrap();
    assert_eq!(now(one()), "7");
    let recv = parked(flags.recv());
    assert_eq!(now(one()), "Ok(())");
    drop(recv);
}

#[test]
fn expressions_are_evaluated_once_in_source_order_whichever_arm_wins() {
    let log = RefCell::new(Vec::new());
    let note = |arm: usize| log.borrow_mut().push(arm);
    let (tx, rx) = bounded::<usize>(1);
    let (full, _full) = bounded(0);
    let (nil, nils) = never::<usize>();
    let mut slot = Some(5);
    for open in [true, false] {
        for biased in [true, false] {
            tx.try_send(9).unwrap();
            log.borrow_mut().clear();
            let outcome = now(async {
                // Ten expressions, of which arms lose, are switched off, or can never win.
                macro_rules! arms {
                    ($($bias:tt)*) => {
                        select! { $($bias)*
                            recv({ note(0); &nils }) -> _ => 0,
                            send({ note(1); &nil }, { note(2); 1 }) -> _ => 1,
                            recv({ note(3); &rx }) -> _, if !open => 2,
                            send({ note(4); &full }, { note(5); 1 }) -> _, if open => 3,
                            send_from({ note(6); &full }, { note(7); &mut slot }) -> _ => 4,
                            future({ note(8); pending::<()>() }) -> () => 5,
                            recv({ note(9); &rx }) -> value => value.unwrap(),
                        }
                    };
                }
                if biased { arms!(biased;) } else { arms!() }
            });
            assert_eq!(outcome, if open { 9 } else { outcome });
            assert!(outcome == 9 || outcome == 2);
            assert_eq!(*log.borrow(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert_eq!(slot, Some(5));
        }
    }
}

#[test]
fn a_precondition_is_evaluated_once() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let asked = Cell::new(0);
    let ask = |answer| {
        asked.set(asked.get() + 1);
        answer
    };
    let outcome = now(async {
        select! {
            recv(rx) -> _, if ask(false) => 0,
            recv(rx) -> value, if ask(true) => value.unwrap(),
        }
    });
    assert_eq!((outcome, asked.get()), (1, 2));
}

#[test]
fn a_body_may_leave_the_function() {
    async fn first_even(rx: &Receiver<u32>) -> Result<u32, RecvError> {
        loop {
            let value = select! {
                recv(rx) -> value => value?,
            };
            select! {
                default => if value % 2 == 0 { return Ok(value) },
            }
        }
    }
    let (tx, rx) = unbounded();
    for value in [1, 3, 4, 5] {
        tx.try_send(value).unwrap();
    }
    assert_eq!(now(first_even(&rx)), Ok(4));
    drop(tx);
    assert_eq!(now(first_even(&rx)), Err(RecvError));
}

#[test]
fn a_body_may_break_and_continue_and_wait() {
    let (tx, rx) = unbounded();
    (1..=9).for_each(|value| tx.try_send(value).unwrap());
    let (sum_tx, sum_rx) = unbounded();
    let last = now(async {
        'outer: loop {
            loop {
                select! {
                    recv(rx) -> value => {
                        let value = value.unwrap();
                        if value % 2 == 0 {
                            continue;
                        }
                        if value > 6 {
                            break 'outer value;
                        }
                        sum_tx.send(value).await.unwrap();
                    }
                }
                if sum_tx.len() == 2 {
                    break;
                }
            }
        }
    });
    assert_eq!((last, values(&sum_rx)), (7, vec![1, 3, 5]));
}

#[test]
fn a_body_may_use_the_slot_of_an_arm_that_has_lost() {
    let (full, _full) = bounded(0);
    let (tx, rx) = bounded(1);
    tx.try_send(()).unwrap();
    let mut slot = Some("kept");
    let kept = now(async {
        select! {
            send_from(full, &mut slot) -> _ => None,
            recv(rx) -> _ => slot.take(),
        }
    });
    assert_eq!((kept, slot), (Some("kept"), None));
}

#[test]
fn a_body_may_use_its_own_slot_after_a_refusal() {
    let (tx, _rx) = bounded(0);
    tx.close();
    let mut slot = Some(1);
    let refused = now(async {
        select! {
            send_from(tx, &mut slot) -> sent => (sent, slot.take()),
        }
    });
    assert_eq!(refused, (Err(SendError(())), Some(1)));
}

#[test]
fn a_body_may_use_the_channels_of_its_select() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let next = now(async {
        select! {
            recv(rx) -> value => {
                tx.send(value.unwrap() + 1).await.unwrap();
                rx.recv().await
            }
            send(tx, 7) -> _, if false => unreachable!(),
        }
    });
    assert_eq!(next, Ok(2));
}

#[test]
fn handles_may_be_values_references_shared_fields_or_temporaries() {
    struct Pair {
        tx: Sender<u8>,
        rx: Receiver<u8>,
    }
    fn filled() -> Receiver<u8> {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        rx
    }
    let (tx, rx) = bounded(1);
    let mut pair = Pair { tx, rx };
    let shared = Arc::new(filled());
    let boxed = Box::new(filled());
    let list = [filled(), filled()];
    let got = now(async {
        [
            select! { recv(filled()) -> value => value },
            select! { recv(&filled()) -> value => value },
            select! { recv(shared) -> value => value },
            select! { recv(boxed) -> value => value },
            select! { recv(list[1]) -> value => value },
            select! { recv(list.first().unwrap()) -> value => value },
            select! { recv(*Box::new(filled())) -> value => value },
            select! { send(pair.tx, 1) -> _ => Ok(1) },
            select! { recv(&mut pair.rx) -> value => value },
            select! { send(&&pair.tx, 1) -> _ => Ok(1) },
        ]
    });
    assert_eq!(got, [Ok(1); 10]);
}

#[test]
fn arms_are_written_like_those_of_a_match() {
    let (tx, rx) = bounded(1);
    now(async {
        select! {
            send(tx, 1,) -> sent => { sent.unwrap() }
            recv(rx,) -> value => { value.unwrap(); },
            future(pending(),) -> () => {}
            default => ()
        }
    });
    assert_eq!(rx.try_recv(), Ok(1));
    let two = now(async {
        select! {
            default => if true { "first" } else { "second" },
            recv(rx) -> Ok(_) | Err(_) => "never",
        }
    });
    assert_eq!(two, "first");
    let three = select_blocking! { biased; send(tx, (3)) -> Ok(()) | Err(SendError(_)) => 3 };
    assert_eq!((three, rx.try_recv()), (3, Ok(3)));
}

#[test]
fn another_macro_may_write_any_part_of_an_arm() {
    macro_rules! receive {
        ($rx:expr, $result:pat, $enabled:expr, $body:expr, $block:block, $default:expr) => {
            select_blocking! {
                recv($rx) -> $result, if $enabled => $body,
                recv($rx) -> $result, if $enabled => $block
                recv($rx) -> $result, if $enabled => $block,
                default => $default,
            }
        };
        (last $rx:expr, $result:pat, $body:expr) => {
            select_blocking! { recv($rx) -> $result => $body }
        };
    }
    let (tx, rx) = bounded(1);
    assert_eq!(receive!(&rx, _, true, 1, { 1 }, 2 + 3), 5);
    tx.try_send(0).unwrap();
    assert_eq!(receive!(rx, Ok(_) | Err(_), true, 1, { 1 }, 2), 1);
    tx.try_send(0).unwrap();
    assert_eq!(receive!(last & rx, _, if true { 1 } else { 2 }), 1);
}

#[test]
fn any_of_sixteen_arms_may_win() {
    let chans: Vec<_> = (0..16).map(|_| bounded(0)).collect();
    macro_rules! sixteen {
        ($($n:literal)*) => {
            async { select! { $(recv(chans[$n].1) -> value => (value, $n),)* } }
        };
    }
    for winner in 0..16 {
        let mut select = waiting(sixteen!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15));
        assert!(chans.iter().all(|(_, rx)| lines(rx) == (0, 1)));
        chans[winner].0.try_send(winner).unwrap();
        assert_eq!(select.poll(), Ready((Ok(winner), winner)));
        assert!(chans.iter().all(|(_, rx)| lines(rx) == (0, 0)));
    }
}

#[test]
fn a_select_may_stand_in_the_body_of_a_select() {
    let (tx, rx) = bounded(1);
    let mut select = waiting(async {
        select! {
            recv(rx) -> first => select! {
                recv(rx) -> second => (first, second),
                send(tx, 7) -> _, if first == Err(RecvError) => unreachable!(),
            },
        }
    });
    tx.try_send(1).unwrap();
    assert!(select.poll().is_pending());
    tx.try_send(2).unwrap();
    assert_eq!(select.poll(), Ready((Ok(1), Ok(2))));
}

#[test]
fn a_select_may_be_an_arm_of_a_select() {
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let (c, rx_c) = bounded(0);
    let select = || async {
        let inner = async {
            select! { recv(rx_a) -> value => value, recv(rx_b) -> value => value }
        };
        select! {
            future(inner) -> value => ("inner", value),
            recv(rx_c) -> value => ("outer", value),
        }
    };
    let mut outer = waiting(select());
    b.try_send(1).unwrap();
    assert_eq!(outer.wakes(), 1);
    assert_eq!(c.try_send(2), Ok(()), "the outer select still waits there");
    assert_eq!(outer.poll(), Ready(("outer", Ok(2))));
    assert_eq!(
        values(&rx_b),
        [1],
        "what the inner one was handed went back"
    );

    let mut outer = waiting(select());
    a.try_send(3).unwrap();
    assert_eq!(outer.poll(), Ready(("inner", Ok(3))));
    assert!([&rx_a, &rx_b, &rx_c].iter().all(|rx| lines(rx) == (0, 0)));
}

#[test]
fn a_dynamic_select_may_be_an_arm_of_a_select() {
    let (a, rx_a) = bounded(0);
    let (_b, rx_b) = bounded::<u8>(0);
    let mut inner = Select::new().recv(&rx_a, |value| value);
    let mut outer = waiting(async {
        select! { future(&mut inner) -> value => value, recv(rx_b) -> value => value }
    });
    a.try_send(1).unwrap();
    assert_eq!(outer.poll(), Ready(Ok(1)));
    drop(outer);
    assert!(inner.is_terminated());
}

#[test]
fn a_dynamic_select_sends_and_receives_and_puts_back() {
    let (tx, rx) = bounded(1);
    let mut slot = Some(2);
    let select = Select::new().biased();
    assert_eq!(
        ready(select.send(&tx, 1, |sent| format!("{sent:?}"))),
        "Ok(())"
    );
    let select = Select::new().biased().send_from(&tx, &mut slot, |_| None);
    assert_eq!(
        ready(select.recv(&rx, |value| Some(value.unwrap()))),
        Some(1)
    );
    assert_eq!(slot, Some(2));
    let select = Select::new().send_from(&tx, &mut slot, |sent| sent);
    assert_eq!(select.try_select(), Some(Ok(())));
    assert_eq!((slot, values(&rx)), (None, vec![2]));
}

#[test]
fn a_dynamic_select_ends_once() {
    let (tx, rx) = bounded(2);
    tx.try_send(1).unwrap();
    let mut select = Select::new().recv(&rx, |value| value);
    assert!(!select.is_terminated());
    assert_eq!(poll_once(&mut select), Ready(Ok(1)));
    assert!(select.is_terminated());
    tx.try_send(2).unwrap();
    assert!(panic_of(|| poll_once(&mut select)).contains("Select"));
    assert_eq!(values(&rx), [2]);
}

#[test]
fn a_dynamic_select_that_is_parked_may_still_be_tried() {
    let (tx, rx) = bounded::<u8>(0);
    let mut select = Select::new().recv(&rx, |value| value);
    assert!(poll_once(&mut select).is_pending());
    assert_eq!(select.try_select(), None);
    assert_eq!(lines(&rx), (0, 0));

    let mut select = Select::new().recv(&rx, |value| value);
    assert!(poll_once(&mut select).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(select.try_select(), Some(Ok(1)));
}

#[test]
fn an_arm_that_is_added_to_a_parked_select_takes_part() {
    let (_quiet, quiet) = bounded::<u8>(0);
    let (tx, rx) = bounded::<u8>(0);
    let mut select = Select::new().recv(&quiet, |value| value);
    assert!(poll_once(&mut select).is_pending());
    let mut send = parked(tx.send(1));
    let mut select = select.recv(&rx, |value| value);
    assert_eq!(poll_once(&mut select), Ready(Ok(1)));
    assert_eq!(send.poll(), Ready(Ok(())));
}

// Where a select may run.

#[test]
fn a_select_runs_as_a_task_of_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (tx, rx) = bounded(0);
        let (done, dones) = bounded(0);
        let task = tokio::spawn(async move {
            let mut sum = 0;
            loop {
                select! {
                    recv(rx) -> value => sum += value.unwrap_or(0),
                    recv(dones) -> _ => break sum,
                    future(pending::<()>()) -> () => unreachable!(),
                }
            }
        });
        for value in 1..=10 {
            select! { send(tx, value) -> sent => sent.unwrap() }
        }
        Select::new()
            .send(&done, (), |sent| sent)
            .await
            .expect("the task waits for it");
        assert_eq!(task.await.unwrap(), 55);
    });
}

#[test]
fn selects_run_side_by_side_in_a_set() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded::<usize>(0);
    let mut set: FuturesUnordered<_> = (0..10)
        .map(|n| {
            let (rx, quiet) = (&rx, &quiet);
            async move {
                select! { recv(rx) -> value => (n, value), recv(quiet) -> value => (n, value) }
            }
        })
        .collect();
    let mut sends = Vec::new();
    futures::executor::block_on(async {
        assert!(futures::poll!(set.next()).is_pending());
        for value in 0..10 {
            tx.try_send(value).unwrap();
            sends.push(set.next().await.unwrap());
        }
    });
    let expected: Vec<_> = (0..10).map(|n| (n, Ok(n))).collect();
    assert_eq!(
        sends, expected,
        "they are served in the order in which they parked"
    );
}

#[test]
fn a_select_may_hold_what_is_not_send() {
    let mut pool = LocalPool::new();
    let (tx, rx) = bounded::<Rc<u8>>(0);
    let (rx, got) = (Rc::new(rx), Rc::new(Cell::new(0)));
    let seen = got.clone();
    pool.spawner()
        .spawn_local(async move {
            select! { recv(rx) -> value => seen.set(*value.unwrap()) }
        })
        .unwrap();
    pool.run_until_stalled();
    tx.try_send(Rc::new(4)).unwrap();
    pool.run_until_stalled();
    assert_eq!(got.get(), 4);
}

/// Whether a type is `Send`, found out by which of two methods is closer.
struct Probe<T>(PhantomData<T>);

trait IsSend {
    fn is_send(&self) -> bool {
        true
    }
}

trait IsNotSend {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T: Send> IsSend for Probe<T> {}
impl<T> IsNotSend for &Probe<T> {}

fn probe<T>(_: T) -> Probe<T> {
    Probe(PhantomData)
}

fn select_of<T>(value: T) -> impl Future {
    let (tx, rx) = bounded(0);
    async move {
        let mut slot = Some(value);
        select! {
            recv(rx) -> value => drop(value),
            send_from(tx, &mut slot) -> _ => (),
        }
    }
}

fn select_of_future<F: Future>(future: F) -> impl Future {
    async move {
        select! { future(future) -> output => drop(output) }
    }
}

#[test]
#[allow(clippy::needless_borrow, reason = "the reference is what is probed")]
fn a_select_is_send_exactly_when_what_it_holds_is() {
    assert!((&probe(select_of(1_u8))).is_send());
    assert!(
        (&probe(select_of(Cell::new(1_u8)))).is_send(),
        "without Sync"
    );
    assert!(!(&probe(select_of(Rc::new(1_u8)))).is_send());
    assert!((&probe(select_of_future(async {}))).is_send());
    assert!(!(&probe(select_of_future(pending::<Rc<u8>>()))).is_send());
    let (tx, rx) = bounded::<Cell<u8>>(0);
    let dynamic = Select::new()
        .recv(&rx, |_| ())
        .send(&tx, Cell::new(1), |_| ());
    assert!((&probe(dynamic)).is_send());
}

// On a thread.

#[test]
fn a_thread_selects_without_waiting_what_can_proceed() {
    let (tx, rx) = bounded(1);
    let mut slot = Some(1);
    let sent = select_blocking! {
        recv(rx) -> value => value.is_ok(),
        send_from(tx, &mut slot) -> sent => sent.is_err(),
    };
    assert_eq!((sent, slot), (false, None));
    assert_eq!(select_blocking! { recv(rx) -> value => value }, Ok(1));
    assert_eq!(
        select_blocking! { recv(rx) -> _ => "arm", default => "default" },
        "default"
    );
}

#[test]
fn a_thread_selects_until_a_counterpart_comes() {
    let (tx, rx) = bounded(0);
    let (tx_2, rx_2) = bounded(0);
    let thread = std::thread::spawn(move || {
        let macros = select_blocking! {
            recv(rx) -> value => value.unwrap(),
            recv(rx_2) -> value => value.unwrap(),
        };
        let dynamic = Select::new()
            .recv(&rx, |value| value.unwrap())
            .recv(&rx_2, |value| value.unwrap());
        (macros, dynamic.wait())
    });
    tx_2.send_blocking(1).unwrap();
    tx.send_blocking(2).unwrap();
    assert_eq!(thread.join().unwrap(), (1, 2));
}

#[test]
fn a_select_whose_time_is_up_leaves_no_trace() {
    let (tx, rx) = bounded::<u8>(0);
    let mut slot = Some(1);
    let select = Select::new().recv(&rx, |_| "received");
    assert_eq!(
        select
            .send_from(&tx, &mut slot, |_| "sent")
            .wait_timeout(Duration::from_millis(1)),
        None
    );
    assert_eq!((slot, lines(&rx)), (Some(1), (0, 0)));
    let mut send = parked(tx.send(2));
    let select = Select::new().recv(&rx, |value| value);
    assert_eq!(select.wait_timeout(Duration::ZERO), Some(Ok(2)));
    assert_eq!(send.poll(), Ready(Ok(())));
    tx.close();
    let select = Select::new().recv(&rx, |value| value);
    assert_eq!(select.wait_timeout(Duration::MAX), Some(Err(RecvError)));
}

// Which arm wins.

#[test]
fn a_closed_channel_is_ready() {
    each_capacity(|_, tx: Sender<usize>, rx| {
        tx.close();
        assert_eq!(
            now(async {
                select! { recv(rx) -> value => value }
            }),
            Err(RecvError)
        );
        assert_eq!(
            now(async {
                select! { send(tx, 7) -> sent => sent }
            }),
            Err(SendError(7))
        );
        assert_eq!(
            now(async {
                select! { recv(rx) -> value => value, default => Ok(0) }
            }),
            Err(RecvError)
        );
        let select = Select::new().send(&tx, 8, |sent| sent);
        assert_eq!(select.try_select(), Some(Err(SendError(8))));
    });
}

#[test]
fn a_close_ends_a_parked_select() {
    each_limit(|_, tx, rx| {
        let (_quiet, quiet) = bounded::<usize>(0);
        let recv = || async {
            select! { recv(rx) -> value => value, recv(quiet) -> value => value }
        };
        let mut select = waiting(recv());
        let next = fill(&tx, 0);
        if next == 0 {
            assert_eq!(tx.try_send(0), Ok(()), "the select stands there");
        }
        assert_eq!(select.poll(), Ready(Ok(0)));
        drop(values(&rx));

        let next = fill(&tx, 0);
        let mut send = waiting(async {
            select! { send(tx, next) -> sent => sent, recv(quiet) -> _ => Ok(()) }
        });
        tx.close();
        assert_eq!(send.wakes(), 1);
        assert_eq!(send.poll(), Ready(Err(SendError(next))));
        assert!(values(&rx).into_iter().eq(0..next));
        assert_eq!(lines(&quiet), (0, 0));
    });
}

#[test]
fn the_loss_of_the_last_sender_ends_a_parked_select() {
    let (tx, rx) = bounded::<u8>(3);
    let (_quiet, quiet) = bounded::<u8>(0);
    let mut select = waiting(async {
        select! { recv(quiet) -> value => value, recv(rx) -> value => value }
    });
    drop(tx);
    assert_eq!(select.wakes(), 1);
    assert_eq!(select.poll(), Ready(Err(RecvError)));
    assert_eq!(lines(&quiet), (0, 0));
}

#[test]
fn a_select_is_not_told_closed_while_a_value_may_come_back() {
    let (tx, rx) = bounded(0);
    let story = || {
        let owner = handed(&tx, &rx, 1);
        let select = async {
            select! { recv(rx) -> value => value }
        };
        (owner, select)
    };
    let (owner, select) = story();
    tx.close();
    let mut select = waiting(select);
    assert_eq!(
        now(async {
            select! { recv(rx) -> _ => "arm", default => "default" }
        }),
        "default"
    );
    drop(owner);
    assert_eq!(select.wakes(), 1);
    assert_eq!(select.poll(), Ready(Ok(1)));

    let (tx, rx) = bounded(0);
    let mut owner = handed(&tx, &rx, 1);
    tx.close();
    let mut select = waiting(async {
        select! { recv(rx) -> value => value }
    });
    assert_eq!(owner.poll(), Ready(Ok(1)));
    assert_eq!(select.wakes(), 1);
    assert_eq!(select.poll(), Ready(Err(RecvError)));
}

#[test]
fn neither_a_never_arm_nor_a_disabled_one_is_picked() {
    let (nil, nils) = never::<u8>();
    let (tx, rx) = bounded::<u8>(1);
    tx.try_send(1).unwrap();
    for _ in 0..200 {
        let outcome = now(async {
            select! {
                recv(nils) -> _ => "never",
                send(nil, 1) -> _ => "never",
                recv(rx) -> _, if false => "disabled",
                future(async {}) -> () , if false => "disabled",
                send(tx, 1) -> _ => "full",
                default => "default",
            }
        });
        assert_eq!(outcome, "default");
    }
    nil.close();
    drop(nil);
    let mut select = waiting(async {
        select! { recv(nils) -> _ => () }
    });
    assert!(select.poll().is_pending());
}

#[test]
fn a_disabled_future_is_not_polled() {
    let polls = Cell::new(0);
    let counting = poll_fn(|_| {
        polls.set(polls.get() + 1);
        Ready(())
    });
    let (_tx, rx) = bounded::<u8>(0);
    let mut select = waiting(async {
        select! { future(counting) -> () , if polls.get() > 0 => (), recv(rx) -> _ => () }
    });
    assert!(select.poll().is_pending());
    assert_eq!(polls.get(), 0);
}

#[test]
fn a_disabled_arm_needs_no_value_in_its_slot() {
    // Forwarding one value at a time: each arm is open while the other is not.
    let (tx, rx) = unbounded();
    let (out, outs) = unbounded();
    (0..5).for_each(|value| tx.try_send(value).unwrap());
    drop(tx);
    now(async {
        let mut slot = None;
        loop {
            let empty = slot.is_none();
            select! {
                recv(rx) -> value, if empty => match value {
                    Ok(value) => slot = Some(value),
                    Err(RecvError) => break,
                },
                send_from(out, &mut slot) -> sent, if !empty => sent.unwrap(),
            }
        }
    });
    assert_eq!(values(&outs), [0, 1, 2, 3, 4]);
}

#[test]
fn without_an_arm_that_may_win_a_select_waits_for_ever() {
    let (nil, nils) = never::<u8>();
    let mut none = waiting(async {
        #[allow(unreachable_code, reason = "an empty select never ends")]
        let () = select! {};
    });
    let mut nil_only = waiting(async {
        select! { recv(nils) -> _ => (), send(nil, 1) -> _ => () }
    });
    let mut disabled = waiting(async {
        select! { future(async {}) -> () , if false => (), send(nil, 1) -> _, if false => () }
    });
    let mut dynamic = parked(Select::<()>::new());
    for _ in 0..3 {
        assert!(none.poll().is_pending());
        assert!(nil_only.poll().is_pending());
        assert!(disabled.poll().is_pending());
        assert!(dynamic.poll().is_pending());
    }
    let selects = [none.wakes(), nil_only.wakes(), disabled.wakes()];
    assert_eq!(selects, [0; 3]);
    assert_eq!(
        now(async {
            select! { default => 1 }
        }),
        1,
        "but it takes its default"
    );
    assert_eq!(
        now(async {
            select! { biased; recv(nils) -> _ => 0, default => 2 }
        }),
        2
    );
    assert_eq!(Select::<()>::new().try_select(), None);
    assert_eq!(
        Select::<()>::new().wait_timeout(Duration::from_millis(1)),
        None
    );
}

#[test]
fn one_handle_may_be_in_ten_arms() {
    for parks in [false, true] {
        let (tx, rx) = bounded(usize::from(!parks));
        let mut winners = [0; 10];
        for run in 0..400 {
            if !parks {
                tx.try_send(run).unwrap();
            }
            let mut select = Select::new();
            for arm in 0..10 {
                select = select.recv(&rx, move |value| (arm, value));
            }
            let mut select = Task::new(select);
            if parks {
                assert!(select.poll().is_pending());
                assert_eq!(lines(&rx), (0, 1), "the select stands there once");
                tx.try_send(run).unwrap();
                assert_eq!(tx.try_send(run), Err(TrySendError::Full(run)));
            }
            let Ready((arm, value)) = select.poll() else {
                panic!("an arm is ready");
            };
            assert_eq!((value, lines(&rx)), (Ok(run), (0, 0)));
            winners[arm] += 1;
        }
        assert!(winners.iter().all(|&wins| wins > 0), "{winners:?}");
    }
}

#[test]
fn one_handle_may_be_in_ten_arms_that_send() {
    let drops = Drops::default();
    let (tx, rx) = bounded(0);
    let mut select = Select::new();
    for arm in 0..10 {
        select = select.send(&tx, drops.value(arm), move |sent| {
            assert!(sent.is_ok());
            arm
        });
    }
    let mut select = parked(select);
    assert_eq!(lines(&rx), (1, 0), "the select stands there once");
    let value = rx.try_recv().ok().unwrap();
    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Empty));
    assert_eq!(select.poll(), Ready(value.id));
    assert_eq!((drops.count(), lines(&rx)), (9, (0, 0)));
}

#[test]
fn of_two_ready_arms_each_wins_half() {
    let (a, rx_a) = bounded(1);
    let (b, rx_b) = bounded(1);
    let (mut macros, mut dynamic) = (0, 0);
    for _ in 0..10_000 {
        let _full = (a.try_send(1), b.try_send(0));
        macros += now(async {
            select! { recv(rx_a) -> value => value.unwrap(), recv(rx_b) -> value => value.unwrap() }
        });
        let _full = (a.try_send(1), b.try_send(0));
        let select = Select::new().recv(&rx_a, |value| value.unwrap());
        dynamic += ready(select.recv(&rx_b, |value| value.unwrap()));
    }
    assert_fair(macros, 10_000, 0.5);
    assert_fair(dynamic, 10_000, 0.5);
}

#[test]
fn of_five_arms_the_three_that_are_ready_win_a_third_each() {
    let (open, opens) = unbounded();
    let (closed, closeds) = bounded::<()>(0);
    let (_quiet, quiet) = bounded::<()>(0);
    let (full, _full) = bounded(0);
    let (room, _room) = unbounded();
    closed.close();
    let mut wins = [0; 3];
    for _ in 0..10_000 {
        open.try_send(()).unwrap();
        wins[now(async {
            select! {
                recv(quiet) -> _ => 9,
                recv(opens) -> _ => 0,
                send(full, ()) -> _ => 9,
                recv(closeds) -> _ => 1,
                send(room, ()) -> _ => 2,
            }
        })] += 1;
    }
    for wins in wins {
        assert_fair(wins, 10_000, 1.0 / 3.0);
    }
}

#[test]
fn of_two_futures_that_resolve_while_the_select_is_parked_each_wins_half() {
    let mut firsts = 0;
    for _ in 0..10_000 {
        let resolved = Cell::new(false);
        let future = || poll_fn(|_| if resolved.get() { Ready(()) } else { Pending });
        let mut select = waiting(async {
            select! { future(future()) -> () => 1, future(future()) -> () => 0 }
        });
        resolved.set(true);
        let Ready(first) = select.poll() else {
            panic!("both are ready");
        };
        firsts += first;
    }
    assert_fair(firsts, 10_000, 0.5);
}

#[test]
fn a_future_is_as_likely_to_win_as_a_channel() {
    let (tx, rx) = bounded(1);
    let (room, _rooms) = unbounded();
    let (closed, closeds) = bounded::<()>(0);
    closed.close();
    let mut wins = [0; 4];
    for _ in 0..10_000 {
        let _full = tx.try_send(());
        wins[now(async {
            select! {
                recv(rx) -> _ => 0,
                send(room, ()) -> _ => 1,
                recv(closeds) -> _ => 2,
                future(async {}) -> () => 3,
            }
        })] += 1;
    }
    for wins in wins {
        assert_fair(wins, 10_000, 0.25);
    }
    let select = || Select::new().recv(&closeds, |_| 0).future(async {}, |()| 1);
    assert_fair((0..10_000).map(|_| now(select())).sum(), 10_000, 0.5);
}

#[test]
fn a_biased_select_takes_the_first_ready_arm() {
    let (a, rx_a) = bounded(1);
    let (b, rx_b) = bounded(1);
    for _ in 0..50 {
        let _full = (a.try_send(1), b.try_send(2));
        let first = now(async {
            select! { biased;
                recv(rx_b) -> value => value,
                recv(rx_a) -> value => value,
                future(async { Ok(3) }) -> value => value,
            }
        });
        assert_eq!(first, Ok(2));
        let _full = b.try_send(2);
        let first = now(async {
            select! { biased;
                future(async { Ok(3) }) -> value => value,
                recv(rx_b) -> value => value,
                default => Ok(4),
            }
        });
        assert_eq!(first, Ok(3), "a future stands where it is written");
        let select = Select::new().recv(&rx_a, |value| value).biased();
        assert_eq!(
            select.recv(&rx_b, |value| value).try_select(),
            Some(Ok(1)),
            "in the order in which they were added"
        );
        let (_, _) = (rx_a.try_recv(), rx_b.try_recv());
    }
}

#[test]
fn of_the_futures_of_a_biased_select_that_waits_the_first_that_is_ready_wins() {
    let (_tx, rx) = bounded::<u8>(0);
    for _ in 0..20 {
        let time = Cell::new(false);
        let timer = || {
            poll_fn(|_| match time.get() {
                true => Ready(()),
                false => Pending,
            })
        };
        let mut select = waiting(async {
            select! { biased;
                recv(rx) -> _ => 0,
                future(timer()) -> () => 1,
                future(timer()) -> () => 2,
            }
        });
        time.set(true);
        assert_eq!(select.poll(), Ready(1));
    }
}

#[test]
fn of_the_arms_of_a_biased_select_that_park_on_one_channel_the_first_is_served() {
    let chans = [bounded(0), bounded(0)];
    let mut select = Select::new().biased();
    for arm in 0..100 {
        select = select.recv(&chans[arm % 2].1, move |value| (arm, value));
    }
    let mut select = parked(select);
    chans[1].0.try_send(7).unwrap();
    assert_eq!(select.poll(), Ready((1, Ok(7))));
}

#[test]
fn a_permit_that_is_given_up_lets_a_send_arm_in() {
    for sends_in_select in [false, true] {
        let (tx, rx) = bounded(1);
        let (_other_tx, other_rx) = bounded::<u8>(0);
        let permit = tx.try_reserve().unwrap();
        let mut send = waiting(async {
            match sends_in_select {
                true => select! { send(tx, 7) -> sent => sent, recv(other_rx) -> _ => Ok(()) },
                false => tx.send(7).await,
            }
        });
        drop(permit);
        assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
        assert_eq!((rx.snapshot().sendq, other_rx.snapshot().recvq), (0, 0));
        assert_eq!(values(&rx), [7]);
    }
}

#[test]
fn a_default_is_taken_exactly_when_no_arm_is_ready() {
    each_limit(|_, tx, rx| {
        let try_recv = || {
            now(async {
                select! { recv(rx) -> value => Some(value), default => None }
            })
        };
        let try_send = |value| {
            now(async {
                select! { send(tx, value) -> sent => sent.is_ok(), default => false }
            })
        };
        assert_eq!(try_recv(), None);
        let next = fill(&tx, 0);
        assert!(!try_send(next));
        let mut send = parked(tx.send(next));
        for value in 0..=next {
            assert_eq!(try_recv(), Some(Ok(value)));
        }
        assert_eq!(send.poll(), Ready(Ok(())));
        assert_eq!(try_recv(), None);
        let mut recv = parked(rx.recv());
        assert!(try_send(9));
        assert_eq!(recv.poll(), Ready(Ok(9)));
        assert_eq!(lines(&rx), (0, 0));
    });
}

#[test]
fn a_default_is_taken_however_busy_a_channel_is() {
    let (_tx, rx) = bounded::<u8>(0);
    let polls = Cell::new(0);
    let busy = poll_fn(|cx| {
        // Enough, if the select goes round in circles.
        polls.set(polls.get() + 1);
        if polls.get() == 1000 {
            return Ready(());
        }
        Pin::new(&mut rx.recv()).poll(cx).map(drop)
    });
    let outcome = now(async {
        select! { recv(rx) -> _ => "arm", future(busy) -> () => "future", default => "default" }
    });
    assert_eq!(outcome, "default", "after {} attempts", polls.get());
}

// Futures as arms.

#[test]
fn a_future_arm_ends_the_select_when_it_resolves() {
    let (timer, mut timers) = futures::channel::oneshot::channel();
    let (tx, rx) = bounded::<u8>(0);
    let mut slot = Some(1);
    let mut select = waiting(async {
        select! {
            recv(rx) -> _ => None,
            send_from(tx, &mut slot) -> _ => None,
            future(&mut timers) -> fired => Some(fired),
        }
    });
    assert_eq!(lines(&rx), (1, 1));
    timer.send(5).unwrap();
    assert_eq!(select.wakes(), 1);
    assert_eq!(select.poll(), Ready(Some(Ok(5))));
    drop(select);
    assert_eq!((slot, lines(&rx)), (Some(1), (0, 0)));
}

#[test]
fn a_future_that_is_ready_wins_and_what_an_arm_was_handed_in_its_poll_goes_back_in_place() {
    let (tx, rx) = bounded(1);
    let mut polls = 0;
    let sends = poll_fn(|_| {
        polls += 1;
        // The second time, when the select is parked, it serves one of the select's own arms.
        if polls == 1 {
            return Pending;
        }
        tx.try_send(2).unwrap();
        tx.try_send(3).unwrap();
        Ready(Ok(0))
    });
    let mut select = waiting(async {
        select! { future(sends) -> value => value, recv(rx) -> value => value }
    });
    assert_eq!(select.poll(), Ready(Ok(0)));
    assert_eq!(values(&rx), [2, 3]);
}

#[test]
fn a_job_that_reports_to_its_select_is_heard_to_the_end() {
    for _ in 0..20 {
        let (progress, reports) = bounded(8);
        let polls = Cell::new(0);
        let mut job = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            polls.set(polls.get() + 1);
            progress.try_send(polls.get()).unwrap();
            assert!(polls.get() <= 5, "polled after it was ready");
            if polls.get() == 5 { Ready(()) } else { Pending }
        });
        let mut heard = Vec::new();
        futures::executor::block_on(async {
            loop {
                select! {
                    recv(reports) -> report => heard.push(report.unwrap()),
                    future(&mut job) -> () => break,
                }
            }
        });
        heard.extend(reports.try_iter());
        assert_eq!(heard, [1, 2, 3, 4, 5]);
    }
}

/// A select that sends `value` from `slot`, beside a future that does `work` when it is polled in line.
fn sends_beside<'a, O: 'a>(
    tx: &'a Sender<u8>,
    slot: &'a mut Option<u8>,
    mut work: impl FnMut() -> Poll<O> + 'a,
) -> Task<impl Future<Output = Result<O, Result<(), SendError<()>>>> + Unpin> {
    let mut first = true;
    let future = poll_fn(move |_| match std::mem::take(&mut first) {
        true => Pending,
        false => work(),
    });
    waiting(async move {
        select! { send_from(tx, slot) -> sent => Err(sent), future(future) -> output => Ok(output) }
    })
}

#[test]
fn while_a_future_is_polled_nobody_takes_what_an_arm_sends_and_its_place_is_kept() {
    each_limit(|_, tx, rx| {
        while tx.try_send(9).is_ok() {}
        let mut slot = Some(1);
        let mut select = sends_beside(&tx, &mut slot, || {
            match lines(&rx).0 {
                1 if rx.capacity() == Some(0) => {
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                }
                waiting => assert!(waiting > 0),
            }
            Poll::<()>::Pending
        });
        assert!(select.poll().is_pending());
        let mut behind = parked(tx.send(2));
        assert!(select.poll().is_pending());
        let taken: Vec<_> = (0..=rx.len()).map(|_| rx.try_recv().unwrap()).collect();
        assert_eq!(taken.last(), Some(&1), "it was first in line");
        assert_eq!(select.poll(), Ready(Err(Ok(()))));
        assert!(rx.capacity() != Some(0) || behind.poll().is_pending());
    });
}

#[test]
fn a_future_that_is_ready_wins_over_a_send_that_could_proceed_in_its_poll() {
    let (tx, rx) = bounded(0);
    let mut receives = rx.recv();
    let mut slot = Some(1);
    let mut select = sends_beside(&tx, &mut slot, || {
        assert!(poll_once(&mut receives).is_pending());
        Ready("a line")
    });
    assert_eq!(select.poll(), Ready(Ok("a line")));
    drop(select);
    assert_eq!(slot, Some(1));
    assert!(poll_once(receives).is_pending());
}

#[test]
fn a_receiver_that_parks_while_a_future_is_polled_is_met_afterwards() {
    let (tx, rx) = bounded(0);
    let mut receives = rx.recv();
    let mut slot = Some(1);
    let mut select = sends_beside(&tx, &mut slot, || {
        assert!(poll_once(&mut receives).is_pending());
        Poll::<()>::Pending
    });
    assert_eq!(select.poll(), Ready(Err(Ok(()))));
    drop(select);
    assert_eq!(poll_once(receives), Ready(Ok(1)));
}

#[test]
fn room_that_is_made_while_a_future_is_polled_is_used_afterwards() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut slot = Some(2);
    let mut taken = None;
    let mut select = sends_beside(&tx, &mut slot, || {
        // All arms are tried once more afterwards, this one perhaps before the send.
        taken.get_or_insert_with(|| rx.try_recv());
        Poll::<()>::Pending
    });
    assert_eq!(select.poll(), Ready(Err(Ok(()))));
    drop(select);
    assert_eq!((taken, values(&rx)), (Some(Ok(1)), vec![2]));
}

#[test]
fn a_send_that_is_closed_while_a_future_is_polled_ends_unless_that_is_ready() {
    for is_ready in [false, true] {
        let (tx, rx) = bounded(0);
        let mut slot = Some(1);
        let mut select = sends_beside(&tx, &mut slot, || {
            assert!(rx.close());
            if is_ready { Ready(()) } else { Pending }
        });
        let outcome = match is_ready {
            true => Ok(()),
            false => Err(Err(SendError(()))),
        };
        assert_eq!(select.poll(), Ready(outcome));
        drop(select);
        assert_eq!((slot, lines(&rx)), (Some(1), (0, 0)));
    }
}

#[test]
fn a_biased_select_prefers_a_future_to_what_a_later_arm_was_handed_but_not_to_what_one_has_sent() {
    for sends in [false, true] {
        let (tx, rx) = bounded(0);
        let (answer, answers) = bounded(0);
        let is_ready = Cell::new(false);
        let timer = || {
            poll_fn(|_| match is_ready.get() {
                true => Ready(()),
                false => Pending,
            })
        };
        let mut select = waiting(async {
            select! { biased;
                future(timer()) -> () => 0,
                recv(rx) -> _ => 1,
                send(answer, 5) -> _ => 2,
                future(timer()) -> () => 3,
            }
        });
        match sends {
            true => assert_eq!(answers.try_recv(), Ok(5)),
            false => tx.try_send(7).unwrap(),
        }
        is_ready.set(true);
        assert_eq!(select.poll(), Ready(if sends { 2 } else { 0 }));
        assert_eq!(rx.try_recv().ok(), (!sends).then_some(7));
    }
}

#[test]
fn a_biased_select_whose_arms_have_changed_prefers_a_future_to_what_a_later_arm_was_handed() {
    for (is_ready, tries) in [(false, false), (false, true), (true, false), (true, true)] {
        let (tx, rx) = bounded(0);
        let mut first = true;
        let timer = poll_fn(move |_| match std::mem::take(&mut first) || !is_ready {
            true => Pending,
            false => Ready(()),
        });
        let (_quiet, quiet) = bounded::<u8>(0);
        let select = Select::new().future(timer, |()| None);
        let mut select = select.recv(&rx, |value| Some(value.unwrap())).biased();
        assert!(poll_once(&mut select).is_pending());
        tx.try_send(7).unwrap();
        let expected = (!is_ready).then_some(7);
        if tries {
            assert_eq!(select.try_select(), Some(expected));
        } else {
            let mut select = select.recv(&quiet, |_| None);
            assert_eq!(poll_once(&mut select), Ready(expected));
        }
        assert_eq!(rx.try_recv().ok(), is_ready.then_some(7));
    }
}

#[test]
fn a_biased_select_polls_no_future_behind_what_an_arm_was_handed() {
    let (tx, rx) = bounded(0);
    let polls = Cell::new(0);
    let mut select = waiting(async {
        select! { biased;
            recv(rx) -> value => value,
            future(poll_fn(|_| { polls.set(polls.get() + 1); Pending })) -> value => value,
        }
    });
    tx.try_send(1).unwrap();
    assert_eq!((select.poll(), polls.get()), (Ready(Ok(1)), 1));
}

#[test]
fn a_future_that_was_ready_is_reported_even_if_a_waker_panics_before() {
    let (tx, rx) = bounded(0);
    let mut polls = 0;
    let mut behind = rx.recv();
    let panics = on_wake(|| panic!("a waker"));
    let sends = poll_fn(|_| {
        polls += 1;
        assert!(polls < 3, "polled after it was ready");
        if polls == 1 {
            return Pending;
        }
        tx.try_send(7).unwrap();
        // The value goes to this one.
        assert!(poll_with(&mut behind, &panics).is_pending());
        Ready(8)
    });
    let mut select = Task::new(
        Select::new()
            .recv(&rx, |value| value.unwrap())
            .future(sends, |output| output),
    );
    assert!(select.poll().is_pending());
    assert_eq!(panic_of(|| select.poll()), "a waker");
    assert_eq!(select.poll(), Ready(8));
    drop(select);
    assert_eq!(poll_once(behind), Ready(Ok(7)));
}

#[test]
fn a_future_arm_may_be_the_counterpart_of_another_arm() {
    let (tx, rx) = bounded(0);
    for _ in 0..20 {
        let received = now(async {
            select! {
                recv(rx) -> value => value,
                future(async { tx.send(3).await.map(|()| 0).map_err(|_| RecvError) }) -> sent => sent,
            }
        });
        assert_eq!(received, Ok(3));
        assert_eq!(lines(&rx), (0, 0));
    }
}

#[test]
fn a_future_that_has_lost_is_gone_before_the_body_runs() {
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    tx.try_send(()).unwrap();
    let value = drops.value(0);
    let dropped = now(async {
        select! {
            future(async move { let _value = value; pending().await }) -> () => 9,
            recv(rx) -> _ => drops.count(),
        }
    });
    assert_eq!(dropped, 1);
}

#[test]
fn a_future_by_reference_goes_on_in_the_next_select() {
    let (tx, rx) = bounded(1);
    let polls = Cell::new(0);
    let mut third = poll_fn(|_| {
        polls.set(polls.get() + 1);
        if polls.get() == 3 { Ready(()) } else { Pending }
    });
    let received = now(async {
        let mut received = 0;
        loop {
            let _full = tx.try_send(()).is_err() || received > 1 && rx.try_recv().is_err();
            select! { biased;
                future(&mut third) -> () => break received,
                recv(rx) -> _ => received += 1,
            }
        }
    });
    assert_eq!(received, 2);
}

// The losers leave no trace.

#[test]
fn an_expression_that_panics_undoes_the_arms_before_it() {
    fn broken() -> Receiver<u8> {
        panic!("an arm's expression")
    }
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    let mut slot = Some(drops.value(1));
    let message = panic_of(|| {
        now(async {
            select! {
                recv(rx) -> _ => (),
                send(tx, drops.value(0)) -> _ => (),
                send_from(tx, &mut slot) -> _ => (),
                recv(broken()) -> _ => (),
            }
        });
    });
    assert_eq!(message, "an arm's expression");
    assert_eq!((drops.count(), slot.is_some()), (1, true));
    assert_eq!((rx.len(), lines(&rx)), (0, (0, 0)));
}

#[test]
fn a_body_that_panics_leaves_the_channels_usable() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let message = panic_of(|| {
        now(async {
            select! { recv(rx) -> value => panic!("{value:?}"), send(tx, 5) -> _ => () }
        })
    });
    assert_eq!(message, "Ok(1)");
    assert_eq!((rx.len(), lines(&rx)), (0, (0, 0)));
    tx.try_send(2).unwrap();
    assert!(
        panic_of(|| Select::new()
            .recv(&rx, |value| panic!("{value:?}"))
            .try_select())
        .contains("Ok(2)")
    );
    tx.try_send(3).unwrap();
    assert_eq!(values(&rx), [3]);
}

#[test]
fn a_future_that_panics_leaves_the_channels_usable() {
    let (tx, rx) = bounded(0);
    let mut polls = 0;
    let panics = poll_fn(|_| {
        polls += 1;
        if polls == 2 {
            panic!("a future");
        }
        Pending::<()>
    });
    let mut slot = Some(1);
    let mut select = waiting(async {
        select! {
            recv(rx) -> _ => (),
            send_from(tx, &mut slot) -> _ => (),
            future(panics) -> () => (),
        }
    });
    assert_eq!(panic_of(|| select.poll()), "a future");
    drop(select);
    assert_eq!((slot, lines(&rx)), (Some(1), (0, 0)));
}

#[test]
fn a_parked_select_that_is_dropped_leaves_every_line_as_it_was() {
    each_limit(|_, tx, rx| {
        let (quiet, quiets) = bounded::<usize>(0);
        let next = fill(&tx, 0);
        let (first, second) = (parked(tx.send(next)), parked(quiets.recv()));
        let before = (rx.snapshot(), quiets.snapshot());
        let mut slot = Some(next + 1);
        let select = waiting(async {
            select! {
                send_from(tx, &mut slot) -> _ => (),
                send(tx, next + 2) -> _ => (),
                recv(quiets) -> _ => (),
                recv(quiets) -> _ => (),
            }
        });
        let third = parked(tx.send(next + 3));
        assert_eq!(lines(&rx), (3, 0));
        assert_eq!(lines(&quiets), (0, 2));
        assert!(select.wakers() > 0);
        drop(select.into_inner());
        assert_eq!(slot, Some(next + 1));
        drop(third);
        assert_eq!((rx.snapshot(), quiets.snapshot()), before);
        drop((first, second));
        assert_eq!(quiet.try_send(1), Err(TrySendError::Full(1)));
        assert!(values(&rx).into_iter().eq(0..next));
    });
}

#[test]
fn what_a_select_was_handed_goes_back_when_it_is_dropped() {
    each_capacity(|capacity, tx, rx| {
        let (_quiet, quiet) = bounded::<usize>(0);
        let select = waiting(async {
            select! { recv(quiet) -> _ => (), recv(rx) -> _ => () }
        });
        tx.try_send(1).unwrap();
        if capacity != Some(0) {
            tx.try_send(2).unwrap();
        }
        assert_eq!(select.wakes(), 1);
        drop(select);
        assert_eq!(rx.try_recv(), Ok(1), "before what came later");
        assert_eq!(lines(&quiet), (0, 0));
    });
}

#[test]
fn what_a_select_was_handed_goes_to_the_next_in_line_when_it_is_dropped() {
    let (tx, rx) = bounded(0);
    let first = waiting(async {
        select! { recv(rx) -> value => value }
    });
    let mut second = waiting(async {
        select! { recv(rx) -> value => value }
    });
    tx.try_send(1).unwrap();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Ready(Ok(1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn what_a_select_has_sent_stays_sent_when_it_is_dropped() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let (_quiet, quiet) = bounded::<usize>(0);
        let mut slot = Some(next);
        let select = waiting(async {
            select! { send_from(tx, &mut slot) -> _ => (), recv(quiet) -> _ => () }
        });
        let received = rx.try_recv().unwrap();
        drop(select);
        assert_eq!(slot, None);
        let rest = values(&rx);
        assert!([received].into_iter().chain(rest).eq(0..=next));
    });
}

#[test]
fn a_value_that_loses_is_dropped_once() {
    let drops = Drops::default();
    let (full, fulls) = bounded(0);
    let (tx, rx) = bounded::<u8>(1);
    let select = || async {
        select! {
            send(full, drops.value(0)) -> _ => 9,
            recv(rx) -> _ => drops.count(),
        }
    };
    tx.try_send(1).unwrap();
    assert_eq!(now(select()), 1, "before the body runs");

    let mut parked = waiting(select());
    tx.try_send(1).unwrap();
    assert_eq!(drops.count(), 1, "it is its select's until that is polled");
    assert_eq!(parked.poll(), Ready(2));
    drop(parked);
    assert_eq!(drops.count(), 2);

    drop(waiting(select()));
    assert_eq!(drops.count(), 3);

    let dynamic = Select::new().send(&full, drops.value(0), |_| 9);
    tx.try_send(1).unwrap();
    let counted = drops.clone();
    let mut dynamic = Box::pin(dynamic.recv(&rx, move |_| counted.count()));
    assert_eq!(poll_once(&mut dynamic), Ready(4), "before the closure runs");
    drop(dynamic);
    assert_eq!((drops.count(), lines(&fulls)), (4, (0, 0)));
}

#[test]
fn a_value_that_wins_is_not_dropped() {
    let drops = Drops::default();
    let (tx, rx) = bounded(0);
    let mut select = waiting(async {
        select! {
            send(tx, drops.value(0)) -> sent => drop(sent),
            send(tx, drops.value(1)) -> sent => drop(sent),
        }
    });
    let value = rx.try_recv().ok().unwrap();
    assert!(select.poll().is_ready());
    assert_eq!(drops.count(), 1);
    drop(value);
    assert_eq!(drops.count(), 2);
}

#[test]
fn arms_that_have_lost_are_seen_by_nobody_even_before_their_select_looks() {
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let (c, rx_c) = bounded(0);
    let mut select = waiting(async {
        select! {
            recv(rx_a) -> value => ("a", value),
            recv(rx_b) -> value => ("b", value),
            send(c, 9) -> _ => ("c", Ok(9)),
        }
    });
    b.try_send(1).unwrap();
    assert_eq!(lines(&rx_a), (0, 0));
    assert_eq!(lines(&rx_b), (0, 0));
    assert_eq!(lines(&rx_c), (0, 0));
    assert_eq!(a.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(b.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(rx_c.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(
        now(async {
            select! { send(a, 2) -> _ => 0, recv(rx_c) -> _ => 1, default => 2 }
        }),
        2
    );
    let (send, recv) = (parked(a.send(4)), parked(rx_c.recv()));
    assert_eq!((lines(&rx_a), lines(&rx_c)), ((1, 0), (0, 1)));
    assert_eq!(select.wakes(), 1);
    assert_eq!(select.poll(), Ready(("b", Ok(1))));
    assert_eq!((send.wakes(), recv.wakes()), (0, 0));
    assert_eq!((lines(&rx_a), lines(&rx_c)), ((1, 0), (0, 1)));
}

#[test]
fn an_arm_that_has_lost_absorbs_neither_a_value_nor_a_wake() {
    each_limit(|_, tx, rx| {
        let (other, others) = bounded(0);
        let mut select = waiting(async {
            select! { recv(rx) -> _ => 0, recv(others) -> value => value.unwrap() }
        });
        let mut recv = parked(rx.recv());
        other.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!((select.wakes(), recv.wakes()), (1, 1));
        assert_eq!(recv.poll(), Ready(Ok(2)));
        assert_eq!(select.poll(), Ready(1));

        let next = fill(&tx, 0);
        let mut select = waiting(async {
            select! { send(tx, 99) -> _ => 0, recv(others) -> value => value.unwrap() }
        });
        let mut send = parked(tx.send(next));
        other.try_send(1).unwrap();
        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!((select.wakes(), send.wakes()), (1, 1));
        assert_eq!(send.poll(), Ready(Ok(())));
        assert!(values(&rx).into_iter().eq(1..=next));
        assert_eq!(select.poll(), Ready(1));
    });
}

#[test]
fn an_arm_that_has_lost_takes_no_notice_of_a_close() {
    let (a, rx_a) = bounded::<u8>(0);
    let (b, rx_b) = bounded::<u8>(0);
    let (c, rx_c) = bounded::<u8>(0);
    let mut slot = Some(3);
    let mut select = waiting(async {
        select! {
            recv(rx_a) -> value => value,
            send_from(b, &mut slot) -> _ => Ok(9),
            recv(rx_c) -> value => value,
        }
    });
    c.try_send(1).unwrap();
    a.close();
    rx_b.close();
    assert_eq!(select.poll(), Ready(Ok(1)));
    assert_eq!(select.wakes(), 1);
    drop(select);
    assert_eq!(slot, Some(3));
}

#[test]
fn a_forgotten_select_takes_one_value_at_most() {
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    std::mem::forget(waiting(async {
        select! { recv(rx_a) -> _ => (), recv(rx_b) -> _ => () }
    }));
    let mut recv = parked(rx_b.recv());
    assert_eq!(a.try_send(1), Ok(()));
    assert_eq!(a.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!(b.try_send(3), Ok(()));
    assert_eq!(recv.poll(), Ready(Ok(3)));
}

#[test]
fn a_select_that_is_polled_again_keeps_its_places() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded::<u8>(0);
    let mut select = waiting(async {
        select! { recv(quiet) -> value => value, recv(rx) -> value => value }
    });
    let mut later = parked(rx.recv());
    let before = (rx.snapshot(), quiet.snapshot());
    for _ in 0..5 {
        assert!(select.poll().is_pending());
    }
    assert_eq!((rx.snapshot(), quiet.snapshot()), before);
    tx.try_send(1).unwrap();
    assert_eq!(select.poll(), Ready(Ok(1)));
    assert!(later.poll().is_pending());
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_wakes() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded::<u8>(0);
    let first = Task::new(pending::<()>());
    let select = Box::pin(async {
        select! { recv(quiet) -> value => value, recv(rx) -> value => value }
    });
    let mut first_poll = Task::new(select);
    assert!(first_poll.poll().is_pending());
    assert_eq!(first_poll.wakers(), 1);
    let mut last_poll = parked(Box::pin(poll_fn(|cx| {
        Pin::new(first_poll.future()).poll(cx)
    })));
    tx.try_send(1).unwrap();
    assert_eq!(last_poll.wakes(), 1);
    assert_eq!(last_poll.poll(), Ready(Ok(1)));
    assert_eq!(last_poll.wakers(), 0);
    drop(last_poll);
    assert_eq!((first_poll.wakes(), first_poll.wakers()), (0, 0));
    drop(first);
}

#[test]
fn no_waker_is_kept_once_a_select_was_served() {
    let (a, rx_a) = bounded(0);
    let (_b, rx_b) = bounded::<u8>(0);
    let mut select = waiting(async {
        select! { recv(rx_a) -> value => value, recv(rx_b) -> value => value }
    });
    assert!(select.wakers() > 0);
    a.try_send(1).unwrap();
    assert_eq!((select.wakes(), select.wakers()), (1, 0));
    assert_eq!(select.poll(), Ready(Ok(1)));

    let select = parked(Select::new().recv(&rx_a, |value| value));
    let wakes = select.wakes();
    drop(select);
    assert_eq!((wakes, lines(&rx_a)), (0, (0, 0)));
}

#[test]
fn many_selects_on_a_quiet_channel_leave_nothing_there() {
    let (_quiet, quiet) = bounded::<u8>(0);
    let (tx, rx) = bounded(0);
    for value in 0..1000 {
        let mut select = waiting(async {
            select! { recv(quiet) -> _ => 0, recv(rx) -> value => value.unwrap() }
        });
        tx.try_send(value).unwrap();
        assert_eq!(select.poll(), Ready(value));
        assert_eq!(lines(&quiet), (0, 0));
    }
}

// In line with others.

#[test]
fn selects_and_receives_stand_in_one_line() {
    each_capacity(|_, tx, rx| {
        let (_quiet, quiet) = bounded::<usize>(0);
        let select = || {
            waiting(async {
                select! { recv(quiet) -> value => value, recv(rx) -> value => value }
            })
        };
        let (mut one, mut two, mut three) = (parked(rx.recv()), select(), parked(rx.recv()));
        let mut four = parked(Select::new().recv(&rx, |value| value));
        let mut five = select();
        for (value, served) in (0..5).zip(1..) {
            tx.try_send(value).unwrap();
            let wakes = [
                one.wakes(),
                two.wakes(),
                three.wakes(),
                four.wakes(),
                five.wakes(),
            ];
            assert_eq!(wakes.iter().sum::<usize>(), served);
            assert_eq!(wakes[value], 1);
        }
        assert_eq!(five.poll(), Ready(Ok(4)));
        assert_eq!(two.poll(), Ready(Ok(1)));
        assert_eq!(four.poll(), Ready(Ok(3)));
        assert_eq!((one.poll(), three.poll()), (Ready(Ok(0)), Ready(Ok(2))));
    });
}

#[test]
fn selects_and_sends_stand_in_one_line() {
    each_limit(|_, tx, rx| {
        let (_quiet, quiet) = bounded::<usize>(0);
        let next = fill(&tx, 0);
        let select = |value| {
            let (tx, quiet) = (&tx, &quiet);
            waiting(async move {
                select! { send(tx, value) -> sent => sent, recv(quiet) -> _ => Ok(()) }
            })
        };
        let mut sends = [
            parked(tx.send(next)),
            parked(tx.send(next + 2)),
            parked(tx.send(next + 4)),
        ];
        drop(std::mem::replace(&mut sends[1], parked(tx.send(next + 1))));
        let mut selects = [select(next + 2), select(next + 3)];
        let received = values(&rx);
        let order: Vec<_> = (0..next)
            .chain([next, next + 4, next + 1, next + 2, next + 3])
            .collect();
        assert_eq!(received, order);
        assert!(sends.iter_mut().all(|send| send.poll() == Ready(Ok(()))));
        assert!(selects.iter_mut().all(|send| send.poll() == Ready(Ok(()))));
    });
}

#[test]
fn nobody_takes_what_a_select_was_handed() {
    let (tx, rx) = bounded(1);
    let mut select = waiting(async {
        select! { recv(rx) -> value => value }
    });
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(select.poll(), Ready(Ok(1)));
}

#[test]
fn a_select_never_meets_itself() {
    let (tx, rx) = bounded(0);
    let select = |value| {
        let (tx, rx) = (&tx, &rx);
        async move {
            select! {
                send(tx, value) -> sent => Err(sent),
                recv(rx) -> value => Ok(value),
            }
        }
    };
    for _ in 0..100 {
        let mut lone = waiting(select(1));
        assert!(lone.poll().is_pending());
        assert_eq!(lines(&rx), (1, 1));
        assert_eq!(
            now(async {
                // Arms of one select that does not wait do not meet either.
                let (own, owns) = bounded::<u8>(0);
                select! { send(own, 1) -> _ => 0, recv(owns) -> _ => 1, default => 2 }
            }),
            2
        );
        let (mut sender, mut receiver) = (Task::new(Box::pin(select(2))), lone);
        let Ready(second) = sender.poll() else {
            panic!("an identical select is a counterpart");
        };
        assert_eq!(receiver.wakes(), 1);
        match (receiver.poll(), second) {
            (Ready(Ok(Ok(2))), Err(Ok(()))) | (Ready(Err(Ok(()))), Ok(Ok(1))) => {}
            (first, second) => panic!("{first:?} {second:?}"),
        }
        assert_eq!(lines(&rx), (0, 0));
    }
}

#[test]
fn a_lone_select_meets_plain_operations() {
    let (tx, rx) = bounded(0);
    let select = || {
        waiting(async {
            select! { send(tx, 1) -> _ => None, recv(rx) -> value => value.ok() }
        })
    };
    let mut sends = select();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sends.poll(), Ready(None));
    let mut receives = select();
    assert_eq!(tx.try_send(2), Ok(()));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(receives.poll(), Ready(Some(2)));
}

#[test]
fn a_select_may_receive_what_it_sent_before() {
    let (tx, rx) = bounded(1);
    let select = || async {
        select! { send(tx, 7) -> _ => None, recv(rx) -> value => value.ok() }
    };
    assert_eq!(now(select()), None);
    assert_eq!(now(select()), Some(7));
}

#[test]
fn a_select_gives_the_place_up_that_its_handle_has_in_line() {
    let (tx, mut rx) = bounded(0);
    let others = rx.clone();
    let (_quiet, quiet) = bounded::<u8>(0);
    let mut poll = parked(poll_fn(|cx| rx.poll_recv(cx)));
    assert!(poll.poll().is_pending());
    let mut behind = parked(others.recv());
    let mut select = waiting(async {
        select! { recv(quiet) -> value => value, recv(rx) -> value => value }
    });
    assert_eq!(lines(&others), (0, 2));
    tx.try_send(1).unwrap();
    assert_eq!((select.wakes(), behind.poll()), (0, Ready(Ok(1))));
    tx.try_send(2).unwrap();
    assert_eq!(select.poll(), Ready(Ok(2)));
}

#[test]
fn an_arm_that_is_not_tried_leaves_its_handle_in_line() {
    let (tx, mut rx) = bounded(0);
    let (other, others) = bounded(1);
    assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
    other.try_send(0).unwrap();
    let behind = rx.clone();
    let behind = parked(behind.recv());
    let select = Select::new().biased().recv(&others, |value| value);
    assert_eq!(select.recv(&rx, |value| value).try_select(), Some(Ok(0)));
    drop(Select::new().recv(&rx, |value| value));
    tx.try_send(1).unwrap();
    assert_eq!(behind.wakes(), 0);
    assert_eq!(ready(poll_fn(|cx| rx.poll_recv(cx))), Ok(1));
}

#[test]
fn a_select_finds_what_its_handle_was_handed_in_its_place() {
    let (tx, mut rx) = bounded(0);
    assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
    tx.try_send(1).unwrap();
    let mut send = parked(tx.send(2));
    assert_eq!(
        now(async {
            select! { recv(rx) -> value => value, default => Ok(0) }
        }),
        Ok(1)
    );
    assert_eq!(ready(Select::new().recv(&rx, |value| value)), Ok(2));
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn what_the_handle_of_an_arm_was_handed_is_the_next_receivers() {
    let (tx, mut rx) = bounded(0);
    let (_quiet, quiet) = bounded::<u8>(0);
    assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
    let other = rx.clone();
    let mut other = parked(other.recv());
    tx.try_send(1).unwrap();
    let mut select = waiting(async {
        select! { recv(quiet) -> value => value, recv(rx) -> value => value }
    });
    assert_eq!((other.wakes(), other.poll()), (1, Ready(Ok(1))));
    tx.try_send(2).unwrap();
    assert_eq!(select.poll(), Ready(Ok(2)));
}

#[test]
fn a_try_gives_the_place_up_that_its_handle_has_in_line() {
    let (tx, mut rx) = bounded::<u8>(0);
    let mut poll = parked(poll_fn(|cx| rx.poll_recv(cx)));
    tx.try_send(1).unwrap();
    assert_eq!(poll.poll(), Ready(Ok(1)));
    assert!(poll.poll().is_pending());
    drop(poll);
    let select = Select::new().recv(&rx, |value| value);
    assert_eq!(select.try_select(), None);
    assert_eq!(lines(&rx), (0, 0));
}

#[test]
fn what_a_receive_arm_takes_is_the_oldest() {
    let (tx, rx) = bounded(0);
    let handed_back = handed(&tx, &rx, 1);
    let mut send = parked(tx.send(2));
    drop(handed_back);
    let select = || async {
        select! { recv(rx) -> value => value, default => Err(RecvError) }
    };
    assert_eq!([now(select()), now(select())], [Ok(1), Ok(2)]);
    assert_eq!(send.poll(), Ready(Ok(())));
}

// With reservations.

#[test]
fn a_receive_arm_passes_a_reservation_by() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut reserve = parked(tx.reserve());
    let mut send = parked(tx.send(2));
    let received = now(async {
        select! { recv(rx) -> value => value }
    });
    assert_eq!((received, send.poll()), (Ok(2), Ready(Ok(()))));
    assert!(reserve.poll().is_pending());
    drop(permit);
    assert_eq!(reserve.wakes(), 1);
}

#[test]
fn a_permit_sends_straight_to_a_receive_arm() {
    let (tx, rx) = bounded(1);
    let (_quiet, quiet) = bounded::<u8>(0);
    let mut select = waiting(async {
        select! { recv(rx) -> value => value, recv(quiet) -> value => value }
    });
    tx.try_reserve().unwrap().send(1).unwrap();
    assert_eq!((select.wakes(), rx.len()), (1, 0));
    assert_eq!(select.poll(), Ready(Ok(1)));
}

#[test]
fn what_a_select_has_received_is_dropped_when_a_losers_destructor_panics() {
    struct Loser;

    impl Future for Loser {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Pending
        }
    }

    impl Drop for Loser {
        fn drop(&mut self) {
            panic!("a loser's");
        }
    }

    for parks in [false, true] {
        let drops = Drops::default();
        let (tx, rx) = bounded(1);
        let mut select = Task::new(Box::pin(async {
            select! { recv(rx) -> value => value.is_ok(), future(Loser) -> () => false }
        }));
        if parks {
            assert!(select.poll().is_pending());
        }
        tx.try_send(drops.value(0)).ok().unwrap();
        assert_eq!(panic_of(|| select.poll()), "a loser's");
        assert_eq!((drops.count(), rx.len()), (1, 0));
    }
}

#[test]
fn a_select_stands_once_in_each_line_with_however_many_arms() {
    let (tx, rx) = bounded(0);
    let mut receives = waiting(async {
        select! { recv(rx) -> value => value, recv(rx) -> value => value }
    });
    let mut other = parked(rx.recv());
    assert_eq!(lines(&rx), (0, 2));
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(
        [receives.poll(), other.poll()],
        [Ready(Ok(1)), Ready(Ok(2))]
    );

    let mut both = waiting(async {
        select! {
            biased;
            send(tx, 3) -> sent => sent.map(|()| 0).map_err(|_| RecvError),
            recv(rx) -> value => value,
            send(tx, 4) -> sent => sent.map(|()| 1).map_err(|_| RecvError),
            recv(rx) -> value => value,
        }
    });
    assert_eq!(lines(&rx), (1, 1));
    assert_eq!(rx.try_recv(), Ok(3));
    assert_eq!((both.poll(), lines(&rx)), (Ready(Ok(0)), (0, 0)));
}

#[test]
fn a_select_gives_up_the_places_of_all_its_handles() {
    let [(a, mut ra), (b, mut rb), (_quiet, quiet)] = [bounded(0), bounded(0), bounded(0)];
    for served in [&a, &b] {
        assert!(poll_once(poll_fn(|cx| ra.poll_recv(cx))).is_pending());
        assert!(poll_once(poll_fn(|cx| rb.poll_recv(cx))).is_pending());
        let (before_a, before_b) = (ra.clone(), rb.clone());
        let mut before = [parked(before_a.recv()), parked(before_b.recv())];
        let mut select = waiting(async {
            select! { recv(quiet) -> n => n, recv(rb) -> n => n, recv(ra) -> n => n }
        });
        a.try_send(1).unwrap();
        b.try_send(1).unwrap();
        assert!(before.iter_mut().all(|recv| recv.poll() == Ready(Ok(1))));
        served.try_send(2).unwrap();
        assert_eq!(select.poll(), Ready(Ok(2)));
    }
}

// Wakers that do something.

type Owned = Pin<Box<dyn Future<Output = Result<u8, RecvError>> + Send>>;

/// A select over two channels that owns its handles, and is polled with this waker.
fn owned(a: &Receiver<u8>, b: &Receiver<u8>) -> Owned {
    let (a, b) = (a.clone(), b.clone());
    Box::pin(async move {
        select! { recv(a) -> value => value, recv(b) -> value => value }
    })
}

#[test]
fn a_waker_may_drop_another_select_and_use_its_channels() {
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let victim = Arc::new(Mutex::new(Some(parked_with(
        owned(&rx_a, &rx_b),
        Waker::noop().clone(),
    ))));
    let (tx_a, tx_b) = (a.clone(), b.clone());
    let waker = {
        let victim = victim.clone();
        on_wake(move || {
            drop(victim.lock().unwrap().take());
            assert_eq!(tx_a.try_send(7), Err(TrySendError::Full(7)));
            assert_eq!(tx_b.try_send(7), Err(TrySendError::Full(7)));
        })
    };
    let (c, rx_c) = bounded(0);
    let mut select = parked_with(owned(&rx_c, &rx_a), waker);
    c.try_send(1).unwrap();
    assert!(victim.lock().unwrap().is_none());
    assert_eq!(poll_once(&mut select), Ready(Ok(1)));
    assert_eq!((lines(&rx_a), lines(&rx_b)), ((0, 0), (0, 0)));
}

#[test]
fn a_waker_may_drop_its_own_select() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded(0);
    let own = Arc::new(Mutex::new(None));
    let waker = {
        let own = own.clone();
        on_wake(move || drop(own.lock().unwrap().take()))
    };
    *own.lock().unwrap() = Some(parked_with(owned(&rx, &quiet), waker));
    tx.try_send(1).unwrap();
    assert!(own.lock().unwrap().is_none());
    assert_eq!(values(&rx), [1], "what it was handed went back");
    assert_eq!(lines(&quiet), (0, 0));
}

#[test]
fn a_waker_may_poll_its_select_at_once() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded(0);
    let own = Arc::new(Mutex::new(None));
    let got = Arc::new(AtomicUsize::new(0));
    let waker = {
        let (own, got) = (own.clone(), got.clone());
        on_wake(move || {
            let select: &mut Option<Owned> = &mut own.lock().unwrap();
            let Ready(Ok(value)) = poll_once(select.as_mut().unwrap()) else {
                panic!("a served select is ready");
            };
            got.store(value.into(), Ordering::SeqCst);
        })
    };
    *own.lock().unwrap() = Some(parked_with(owned(&rx, &quiet), waker));
    tx.try_send(3).unwrap();
    assert_eq!(got.load(Ordering::SeqCst), 3);
}

#[test]
fn a_waker_may_serve_the_select_that_wakes_it() {
    // The select's first attempt wakes a parked receiver, who sends on the select's other channel.
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let waker = {
        let b = b.clone();
        on_wake(move || assert_eq!(b.try_send(9), Err(TrySendError::Full(9))))
    };
    let mut recv = parked_with(rx_a.recv(), waker);
    let mut select = Box::pin(async {
        select! { recv(rx_b) -> value => value, send(a, 1) -> sent => sent.map(|()| 0).map_err(|_| RecvError) }
    });
    assert_eq!(poll_once(&mut select), Ready(Ok(0)));
    assert_eq!(poll_once(&mut recv), Ready(Ok(1)));
}

#[test]
fn a_waker_that_panics_stops_no_other_select() {
    let (tx, rx) = bounded::<u8>(0);
    let (_quiet, quiet) = bounded(0);
    let before = parked(owned(&rx, &quiet));
    let mut panics = parked_with(owned(&rx, &quiet), on_wake(|| panic!("a waker")));
    let mut after = parked(owned(&quiet, &rx));
    assert_eq!(panic_of(|| tx.close()), "a waker");
    assert_eq!((before.wakes(), after.wakes()), (1, 1));
    assert_eq!(poll_once(&mut panics), Ready(Err(RecvError)));
    assert_eq!(after.poll(), Ready(Err(RecvError)));
    drop(before);
    assert_eq!(lines(&quiet), (0, 0));
}

#[test]
fn a_select_whose_waker_panics_has_its_value() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded(0);
    let mut select = parked_with(owned(&rx, &quiet), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| tx.try_send(1)), "a waker");
    assert_eq!(poll_once(&mut select), Ready(Ok(1)));
    let select = parked_with(owned(&rx, &quiet), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| tx.try_send(2)), "a waker");
    drop(select);
    assert_eq!(values(&rx), [2]);
}

#[test]
fn a_value_that_a_select_took_when_a_waker_panicked_is_not_lost() {
    let (tx, rx) = bounded(0);
    let mut send = parked_with(tx.send(1), on_wake(|| panic!("a waker")));
    let mut select = Select::new().recv(&rx, |value| value);
    assert_eq!(panic_of(|| poll_once(&mut select)), "a waker");
    drop(select);
    assert_eq!(poll_once(&mut send), Ready(Ok(())));
    assert_eq!(values(&rx), [1]);
}

#[test]
fn a_select_that_has_sent_when_a_waker_panicked_sends_nothing_more() {
    let (tx, rx) = bounded(0);
    let mut first = parked_with(rx.recv(), on_wake(|| panic!("a waker")));
    let mut select = Select::new().send(&tx, 1, |sent| sent);
    assert_eq!(panic_of(|| poll_once(&mut select)), "a waker");
    assert_eq!(poll_once(&mut first), Ready(Ok(1)));
    let mut second = parked(rx.recv());
    assert_eq!(poll_once(&mut select), Ready(Ok(())));
    assert_eq!(second.wakes(), 0);
    assert!(second.poll().is_pending());
}

#[test]
fn an_arm_that_has_sent_when_a_waker_panicked_has_won() {
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        let (other, rx_other) = bounded::<u8>(1);
        let first = parked_with(rx.recv(), on_wake(|| panic!("a waker")));
        let mut select =
            Select::new()
                .biased()
                .recv(&rx_other, |_| "received")
                .send(&tx, 1, |sent| sent.map_or("refused", |()| "sent"));
        assert_eq!(panic_of(|| poll_once(&mut select)), "a waker");
        assert_eq!(ready(first), Ok(1));
        // Now an attempt would be in vain at one arm, and would succeed at the other.
        for n in 0..capacity {
            tx.try_send(n).unwrap();
        }
        other.try_send(5).unwrap();
        assert_eq!(poll_once(&mut select), Ready("sent"));
        drop(select);
        assert_eq!((rx_other.len(), values(&rx).len()), (1, capacity));
        // Nothing is reserved.
        let mut next = parked(rx.recv());
        assert_eq!(tx.try_send(2), Ok(()));
        assert_eq!(next.poll(), Ready(Ok(2)));
    }
}

#[test]
fn a_select_over_nothing_that_may_happen_keeps_no_waker() {
    let (tx, rx) = never::<u8>();
    let select = Select::new().recv(&rx, drop).send(&tx, 1, drop);
    assert_eq!(parked(select).wakers(), 0);
    assert_eq!(parked(Select::<()>::new()).wakers(), 0);
}

#[test]
fn a_select_that_is_polled_again_after_a_waker_panicked_waits_at_all_its_arms() {
    let (a, mut rx_a) = bounded(0);
    let (b, mut rx_b) = bounded(0);
    let (others_a, others_b) = (rx_a.clone(), rx_b.clone());
    // What the handles were handed goes to others, whose wakers panic.
    assert!(poll_once(poll_fn(|cx| rx_a.poll_recv(cx))).is_pending());
    assert!(poll_once(poll_fn(|cx| rx_b.poll_recv(cx))).is_pending());
    let others = [
        parked_with(others_a.recv(), on_wake(|| panic!("a waker"))),
        parked_with(others_b.recv(), on_wake(|| panic!("a waker"))),
    ];
    a.try_send(1_u8).unwrap();
    b.try_send(1_u8).unwrap();
    let mut select = Select::new()
        .recv(&rx_a, |value| value)
        .recv(&rx_b, |value| value);
    let mut panics = 0;
    while let Err(_panic) = catch_unwind(AssertUnwindSafe(|| {
        assert!(poll_once(&mut select).is_pending());
    })) {
        panics += 1;
    }
    assert!(
        others
            .into_iter()
            .all(|other| poll_once(other) == Ready(Ok(1)))
    );
    assert_eq!(
        (panics, lines(&others_a), lines(&others_b)),
        (2, (0, 1), (0, 1))
    );
}

#[test]
fn a_waker_that_panics_when_dropped_loses_nothing() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded(0);
    let waker = support::on_drop(|| {
        if !std::thread::panicking() {
            panic!("a dropped waker");
        }
    });
    let mut select = parked_with(owned(&rx, &quiet), waker.clone());
    let mut cx = Context::from_waker(Waker::noop());
    std::mem::forget(waker.clone());
    assert!(select.as_mut().poll(&mut cx).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(poll_with(&mut select, Waker::noop()), Ready(Ok(1)));
    std::mem::forget(waker);
    assert_eq!((lines(&rx), lines(&quiet)), ((0, 0), (0, 0)));
}
