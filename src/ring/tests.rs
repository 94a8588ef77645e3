//! What storage is kept, what is given up, and what order there is.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Ring;

/// The storage of a ring that held so many values and is empty again.
fn kept(dataqsiz: usize, values: usize) -> usize {
    let mut ring = Ring::new(dataqsiz);
    (0..values).for_each(|value| ring.push(value as u64));
    while ring.take().is_some() {}
    ring.values.capacity()
}

#[test]
fn sixteen_kilobytes_are_kept_and_the_storage_of_all_slots() {
    let few = Ring::<u64>::FEW;
    assert_eq!(few * size_of::<u64>(), 16 << 10);
    for dataqsiz in [usize::MAX, few, 4 * few] {
        assert_eq!(kept(dataqsiz, few), few);
    }
    assert_eq!(kept(usize::MAX, few + 1), 0);
    assert_eq!(kept(4 * few, 4 * few), 4 * few);
    assert_eq!(kept(1 << 40, few + 1), 2 * few);
}

#[test]
fn many_values_move_in_order_and_those_first_that_were_put_back() {
    let (mut ring, mut out) = (Ring::new(4), Vec::new());
    let mut items = VecDeque::from([1, 2, 3, 4, 5, 6]);
    ring.push_many(4, &mut items);
    assert_eq!((ring.len(), ring.values.capacity()), (4, 4));
    assert_eq!(items, [5, 6]);

    assert_eq!(ring.take(), Some(1));
    ring.put_back(1, 1);
    ring.take_many(3, &mut out);
    assert_eq!(out, [1, 2, 3]);

    ring.push_many(2, &mut items);
    ring.take_many(9, &mut out);
    assert_eq!(out, [1, 2, 3, 4, 5, 6]);
    assert_eq!((ring.recvx(), ring.sendx()), (2, 2));
}

#[test]
#[should_panic(expected = "self.returned() <= self.len()")]
fn a_value_that_was_put_back_and_is_not_here_is_noticed() {
    let mut ring = Ring::new(1);
    ring.put_back(1, 1);
    ring.values.clear();
    ring.check();
}
