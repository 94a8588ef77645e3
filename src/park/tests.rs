//! How long a thread stays awake.

use std::time::Instant;

use super::Sleeper;
use crate::sync::has_company;

/// A thread that has so often stayed awake without use.
fn in_vain(times: u32) -> Sleeper {
    let mut sleeper = Sleeper::new();
    for _ in 0..times {
        // It may have had to wait for its processor, and sleep then.
        sleeper.asleep = 0;
        sleeper.linger(None);
    }
    sleeper
}

#[test]
fn who_stays_awake_in_vain_again_and_again_sleeps_at_once_and_begins_anew() {
    assert_eq!(in_vain(Sleeper::ENOUGH - 1).in_vain, Sleeper::ENOUGH - 1);
    let sleeper = in_vain(Sleeper::ENOUGH);
    assert_eq!((sleeper.in_vain, sleeper.asleep), (0, 1));
}

#[test]
fn a_wake_that_spinning_finds_makes_up_for_all_that_was_in_vain() {
    let mut sleeper = in_vain(3);
    assert_eq!(sleeper.in_vain, 3);
    sleeper.waker.wake_by_ref();
    // On a single processor nobody spins.
    assert_eq!(sleeper.spin(), has_company());
    assert_eq!(sleeper.in_vain == 0, has_company());
    assert!(sleeper.unparker.take_wake());
    assert!(!sleeper.unparker.take_wake());
}

#[test]
fn who_is_to_sleep_at_once_or_is_out_of_time_does_not_stay_awake() {
    let mut sleeper = Sleeper::new();
    sleeper.asleep = 2;
    sleeper.linger(None);
    assert_eq!((sleeper.asleep, sleeper.in_vain), (1, 0));
    sleeper.asleep = 0;
    sleeper.linger(Some(Instant::now()));
    assert_eq!((sleeper.asleep, sleeper.in_vain), (0, 0));
}

#[test]
fn who_gets_its_processor_back_late_sleeps_at_once_the_more_often_the_longer_it_was_in_vain() {
    let long_ago = Instant::now().checked_sub(2 * Sleeper::PATIENCE).unwrap();
    for (times, asleep) in [(0, 1), (1, 2), (5, 32), (6, 64), (20, 64)] {
        let mut sleeper = in_vain(times);
        sleeper.give_way(long_ago, None);
        assert_eq!(sleeper.asleep, asleep);
    }
}
