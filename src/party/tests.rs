//! An offer from closed to open to accepted.

use core::task::Waker;

use super::{Offer, Party, Refusal, Terms};
use crate::sync::Arc;

fn arm(offer: &Arc<Offer>, number: u32) -> Party {
    Party::Arm {
        offer: offer.clone(),
        number,
        rank: 0,
    }
}

#[test]
fn an_offer_is_accepted_once_and_only_while_it_is_open() {
    let offer = Arc::new(Offer::new());
    // A clone of a clone, since only these are sure to be the same.
    let waker = Waker::noop().clone();
    let mut arms = [0, 1].map(|number| Some(arm(&offer, number)));
    for _ in 0..2 {
        assert!(Party::accept(&mut arms[0], Terms::Revocable).is_err());
        assert_eq!(offer.withdraw().0, None);

        offer.open(waker.clone());
        assert!(offer.wakes(&waker));
        assert!(Party::accept(&mut arms[1], Terms::Final).is_ok());
        assert!(Party::accept(&mut arms[0], Terms::Final).is_err());
        assert!(!offer.wakes(&waker));
        assert_eq!(offer.withdraw().0, Some(1));
    }
}

#[test]
fn while_its_sends_are_held_an_offer_is_accepted_on_revocable_terms_alone() {
    let offer = Arc::new(Offer::new());
    let mut arms = [0, 1].map(|number| Some(arm(&offer, number)));
    let mut refusal = |terms| Party::accept(&mut arms[0], terms).err();
    offer.hold();
    assert_eq!(refusal(Terms::Revocable), Some(Refusal::Declined));

    offer.open(Waker::noop().clone());
    offer.hold();
    assert_eq!(refusal(Terms::Final), Some(Refusal::Held));
    assert_eq!(refusal(Terms::Revocable), None);
    offer.release();
    assert_eq!(refusal(Terms::Final), Some(Refusal::Declined));
    assert_eq!(offer.withdraw().0, Some(0));

    offer.open(Waker::noop().clone());
    offer.hold();
    offer.release();
    assert_eq!(refusal(Terms::Final), None);
    assert_eq!(offer.withdraw().0, Some(0));
}

#[test]
fn a_held_offer_takes_another_waker_and_can_be_withdrawn() {
    let offer = Offer::new();
    let waker = Waker::noop().clone();
    offer.open(waker.clone());
    offer.hold();
    assert!(offer.renew(waker.clone()).is_some() && offer.wakes(&waker));
    let (accepted, left) = offer.withdraw();
    assert!(accepted.is_none() && left.is_some());
    offer.release();
    assert!(!offer.is_open(Terms::Revocable));
}

#[test]
fn an_arm_leaves_its_handle_and_a_task_its_waker() {
    let offer = Arc::new(Offer::new());
    let left = arm(&offer, 0).into_offer();
    assert!(left.is_some_and(|left| Arc::ptr_eq(&left, &offer)));
    assert!(arm(&offer, 0).into_waker().is_none());
    assert!(Party::Task(Waker::noop().clone()).into_offer().is_none());
    assert!(Party::Task(Waker::noop().clone()).into_waker().is_some());
}
