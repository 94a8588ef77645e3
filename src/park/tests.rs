//! How long a thread stays awake.

use std::time::Instant;

use super::Sleeper;
use crate::sync::has_company;

/// A thread that has spun so often, and no wake came.
fn missed(times: u32) -> Sleeper {
    let mut sleeper = Sleeper::new();
    for _ in 0..times {
        // It may have had to wait for its processor, and sleep then.
        sleeper.asleep = 0;
        sleeper.linger(None);
    }
    sleeper
}

#[test]
fn a_thread_that_keeps_spinning_for_nothing_sleeps_at_once_and_begins_anew() {
    assert_eq!(missed(Sleeper::ENOUGH - 1).misses, Sleeper::ENOUGH - 1);
    let sleeper = missed(Sleeper::ENOUGH);
    assert_eq!((sleeper.misses, sleeper.asleep), (0, 1));
}

#[test]
fn a_wake_that_spinning_finds_makes_up_for_all_misses() {
    let mut sleeper = missed(3);
    assert_eq!(sleeper.misses, 3);
    sleeper.waker.wake_by_ref();
    // On a single processor nobody spins.
    assert_eq!(sleeper.spin(), has_company());
    assert_eq!(sleeper.misses == 0, has_company());
    assert!(sleeper.unparker.take_wake());
    assert!(!sleeper.unparker.take_wake());
}

#[test]
fn a_thread_that_is_to_sleep_at_once_or_is_out_of_time_does_not_stay_awake() {
    let mut sleeper = Sleeper::new();
    sleeper.asleep = 2;
    sleeper.linger(None);
    assert_eq!((sleeper.asleep, sleeper.misses), (1, 0));
    sleeper.asleep = 0;
    sleeper.linger(Some(Instant::now()));
    assert_eq!((sleeper.asleep, sleeper.misses), (0, 0));
}

#[test]
fn a_thread_that_gets_its_processor_back_late_sleeps_at_once_twice_as_often_for_each_miss() {
    let long_ago = Instant::now().checked_sub(2 * Sleeper::PATIENCE).unwrap();
    for (times, asleep) in [(0, 1), (1, 2), (5, 32), (6, 64), (20, 64)] {
        let mut sleeper = missed(times);
        sleeper.yield_a_while(long_ago, None);
        assert_eq!(sleeper.asleep, asleep);
    }
}
