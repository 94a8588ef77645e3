//! Values under the numbers of their sudogs, and a crowd's storage, which goes with it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{GROUP, Store, Values};

const FIRST: u32 = Values::<Box<u32>>::FIRST as u32;
const SEGMENT: u32 = Values::<Box<u32>>::SEGMENT as u32;

fn keep(store: &mut Store<Box<u32>>, number: u32) {
    let mut elem = Some(Box::new(number));
    store.keep(number, &mut elem);
    assert_eq!(elem, None);
}

/// Takes the value, which is the number.
fn take(store: &mut Store<Box<u32>>, number: u32) {
    let mut elem = None;
    store.take(number, &mut elem);
    assert_eq!(elem, Some(Box::new(number)));
}

/// How many places there are beyond the first ones, and how many segments are listed, with places or not.
fn beyond(store: &Store<Box<u32>>) -> (usize, usize) {
    let Some(values) = &store.0 else {
        return (0, 0);
    };
    let segments = || values.groups.iter().flat_map(|group| &group.segments);
    let places: usize = segments().map(|segment| segment.places.capacity()).sum();
    (places + values.spare.capacity(), segments().count())
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
fn what_a_crowd_leaves_is_a_spare_segment_and_a_list() {
    const CROWD: u32 = 100_000;
    const STEP: u32 = 7919;

    for way in 0..3 {
        let mut store = Store::new();
        (0..CROWD).for_each(|number| keep(&mut store, number));
        for at in 0..CROWD {
            take(
                &mut store,
                match way {
                    0 => at,
                    1 => CROWD - 1 - at,
                    _ => (u64::from(at) * u64::from(STEP) % u64::from(CROWD)) as u32,
                },
            );
        }
        assert_eq!(beyond(&store), (SEGMENT as usize, GROUP));
    }
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
