//! Values under the numbers of their sudogs, and a crowd's storage, which goes with it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Extent, GROUP, Store, Values};

const FIRST: u32 = Values::<Box<u32>>::FIRST as u32;
const SEGMENT: u32 = Values::<Box<u32>>::SEGMENT as u32;
/// For how many values storage is kept.
const SPARE: usize = Values::<Box<u32>>::SPARE * SEGMENT as usize;

fn keep(store: &mut Store<Box<u32>>, number: u32) {
    let mut elem = Some(Box::new(number));
    store.keep(number, &mut elem);
    assert_eq!(elem, None);
}

/// Takes the value, which is the number.
fn take(store: &mut Store<Box<u32>>, number: u32) {
    let mut elem = None;
    if store.take(number, &mut elem) {
        store.leave_far(number);
    }
    assert_eq!(elem, Some(Box::new(number)));
}

/// So many sudogs, in segments of 256 beyond the first ones.
fn crowd_of(sudogs: u32) -> Extent {
    let segments = sudogs.saturating_sub(FIRST).div_ceil(256) as usize;
    let places = FIRST as usize + 256 * segments;
    Extent { places, segments }
}

/// How many places there are beyond the first ones, and how many segments are listed, with places or not.
fn beyond(store: &Store<Box<u32>>) -> (usize, usize) {
    let Some(values) = &store.0 else {
        return (0, 0);
    };
    let segments = || values.groups.iter().flatten();
    let places: usize = segments().map(Vec::capacity).sum();
    let spare: usize = values.spare.iter().map(Vec::capacity).sum();
    let listed = values.groups.iter().filter(|group| !group.is_empty());
    assert_eq!(values.usage.listed, listed.count());
    (places + spare, segments().count())
}

#[test]
fn values_are_found_under_any_numbers_in_any_order() {
    let far = FIRST + SEGMENT * GROUP as u32;
    let numbers = [
        0,
        5,
        FIRST - 1,
        FIRST,
        FIRST + 1,
        FIRST + SEGMENT - 1,
        FIRST + SEGMENT,
        far - 1,
        far,
        3 * far,
    ];
    for turn in 0..numbers.len() {
        let mut store = Store::new();
        numbers.iter().for_each(|&number| keep(&mut store, number));
        for at in 0..numbers.len() {
            let number = numbers[(at * 3 + turn) % numbers.len()];
            take(&mut store, number);
            keep(&mut store, number);
            take(&mut store, number);
        }
    }
}

#[test]
fn what_a_crowd_leaves_is_a_few_segments_and_perhaps_a_list() {
    const STEP: u32 = 7919;

    let crowd_of_groups = |groups| FIRST + groups * GROUP as u32 * SEGMENT;
    for (crowd, listed) in [(crowd_of_groups(3), GROUP), (crowd_of_groups(12), 0)] {
        for way in 0..3 {
            let mut store = Store::new();
            (0..crowd).for_each(|number| keep(&mut store, number));
            for at in 0..crowd {
                let number = match way {
                    0 => at,
                    1 => crowd - 1 - at,
                    _ => (u64::from(at) * u64::from(STEP) % u64::from(crowd)) as u32,
                };
                take(&mut store, number);
                let left = crowd - 1 - at;
                store.fit(crowd_of(left));
            }
            assert_eq!(beyond(&store), (SPARE, listed));
        }
    }
}

#[test]
fn the_list_of_a_crowd_that_never_goes_is_small_if_few_have_values() {
    let mut store = Store::new();
    for number in (0..500_000).rev().filter(|number| number % 100 == 0) {
        keep(&mut store, number);
        take(&mut store, number);
        // All but two segments are gone.
        store.fit(crowd_of(FIRST + 512));
    }
    let (places, listed) = beyond(&store);
    assert_eq!(places, SPARE.min(SEGMENT as usize));
    assert!(listed <= 4 * GROUP, "{listed}");
}

#[test]
fn the_last_of_a_crowd_may_be_on_its_way_when_the_sudogs_are_gone() {
    let mut store = Store::new();
    let numbers = [FIRST, 500_000, 1_000_000];
    numbers.iter().for_each(|&number| keep(&mut store, number));
    for number in numbers {
        store.fit(crowd_of(0));
        take(&mut store, number);
    }
    store.fit(crowd_of(0));
    assert_eq!(beyond(&store), (3 * SEGMENT as usize, 0));
}

#[test]
fn values_in_many_places_by_turns_use_the_same_storage() {
    const WAITING: u32 = 200_000;

    let mut store = Store::new();
    let mut numbers = (0..u64::MAX).map(|at| (at * 7919 % u64::from(WAITING)) as u32);
    let mut held = alloc::collections::VecDeque::new();
    let mut before = None;
    for round in 0..200_000 {
        let number = numbers.next().unwrap();
        keep(&mut store, number);
        held.push_back(number);
        if held.len() > 500 {
            take(&mut store, held.pop_front().unwrap());
            store.fit(crowd_of(WAITING));
        }
        if round == 100_000 {
            before = Some(beyond(&store));
        }
    }
    assert_eq!(before.map(|before| before.1), Some(beyond(&store).1));
}

#[test]
fn a_value_that_comes_and_goes_alone_uses_the_same_storage() {
    let mut store = Store::new();
    let number = FIRST + 10 * SEGMENT;
    keep(&mut store, number);
    let before = beyond(&store);
    take(&mut store, number);
    let kept = beyond(&store);
    assert_eq!(kept, before);
    keep(&mut store, number);
    assert_eq!(beyond(&store), before);
}

#[test]
fn what_is_kept_is_dropped_with_the_store() {
    use alloc::rc::Rc;

    let value = Rc::new(());
    let mut store = Store::new();
    let numbers: Vec<u32> = [0, 1, FIRST, 2 * FIRST, 100 * FIRST].into();
    numbers
        .iter()
        .for_each(|&number| store.keep(number, &mut Some(value.clone())));
    assert_eq!(Rc::strong_count(&value), 1 + numbers.len());
    drop(store);
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn values_of_any_size_have_places() {
    enum Nothing {}

    fn places<T>() -> (usize, usize) {
        (Values::<T>::FIRST, Values::<T>::SEGMENT)
    }
    assert_eq!(places::<u64>(), (2048, 256));
    assert_eq!(places::<()>(), (2048, 4096));
    assert_eq!(places::<Nothing>(), (2048, 2048));
    assert_eq!(places::<[u8; 0x1_0000]>(), (1, 1));
}
