//! An offer from closed to open to accepted.

use core::task::Waker;

use super::{Offer, Party};
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
        assert!(Party::accept(&mut arms[0]).is_none());
        assert_eq!(offer.withdraw().0, None);

        offer.open(waker.clone());
        assert!(offer.wakes(&waker));
        assert!(Party::accept(&mut arms[1]).is_some());
        assert!(Party::accept(&mut arms[0]).is_none());
        assert!(!offer.wakes(&waker));
        assert_eq!(offer.withdraw().0, Some(1));
    }
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
