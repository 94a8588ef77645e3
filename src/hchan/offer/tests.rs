//! An offer from closed to open to accepted.

use core::task::Waker;

use super::{Offer, Refusal, Terms};

#[test]
fn an_offer_is_accepted_once_and_only_while_it_is_open() {
    let offer = Offer::new();
    // A clone of a clone, since only these are sure to be the same.
    let waker = Waker::noop().clone();
    for _ in 0..2 {
        let refused = offer.accept(0, Terms::Revocable).err();
        assert_eq!(refused, Some(Refusal::Declined));
        assert_eq!(offer.withdraw().0, None);

        offer.open(waker.clone());
        assert!(offer.wakes(&waker));
        assert!(offer.accept(1, Terms::Final).is_ok());
        let refused = offer.accept(0, Terms::Final).err();
        assert_eq!(refused, Some(Refusal::Declined));
        assert!(!offer.wakes(&waker));
        assert_eq!(offer.accepted(), Some(1));
        assert_eq!(offer.withdraw().0, Some(1));
    }
}

#[test]
fn while_its_sends_are_held_an_offer_is_accepted_on_revocable_terms_alone() {
    let offer = Offer::new();
    let refusal = |terms| offer.accept(0, terms).err();
    offer.hold();
    assert_eq!(refusal(Terms::Revocable), Some(Refusal::Declined));

    offer.open(Waker::noop().clone());
    offer.hold();
    assert_eq!(refusal(Terms::Final), Some(Refusal::Held));
    assert!(!offer.is_open(Terms::Final) && offer.is_open(Terms::Revocable));
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
fn an_offer_that_is_not_open_takes_no_waker() {
    let offer = Offer::new();
    let waker = Waker::noop().clone();
    assert!(offer.renew(waker.clone()).is_some() && !offer.wakes(&waker));
    offer.open(waker.clone());
    assert!(offer.accept(0, Terms::Final).is_ok());
    assert!(offer.renew(waker.clone()).is_some() && !offer.wakes(&waker));
}
