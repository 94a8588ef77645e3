//! How long a thread stays awake.

use super::Sleeper;
use crate::sync::has_company;

/// What a thread remembers that has spun in vain so many times.
fn remembered(times: u32) -> u32 {
    // On a single processor nobody spins.
    if has_company() { times } else { 0 }
}

#[test]
fn who_spins_in_vain_again_and_again_sleeps_at_once_and_begins_anew() {
    let mut sleeper = Sleeper::new();
    for times in 1..=Sleeper::ENOUGH {
        sleeper.linger();
        assert_eq!(sleeper.in_vain, remembered(times));
    }
    sleeper.linger();
    assert_eq!(sleeper.in_vain, 0);
}

#[test]
fn a_wake_that_is_seen_at_once_makes_up_for_all_that_was_in_vain() {
    let mut sleeper = Sleeper::new();
    for _ in 0..3 {
        sleeper.linger();
    }
    assert_eq!(sleeper.in_vain, remembered(3));
    sleeper.waker.wake_by_ref();
    sleeper.linger();
    assert_eq!(sleeper.in_vain, 0);
    assert!(sleeper.unparker.take_wake());
    assert!(!sleeper.unparker.take_wake());
}
