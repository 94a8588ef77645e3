//! Four senders on a channel of capacity 3: the fourth parks, and the first receive lets it in.
//!
//! In Go: `taskCh := make(chan Task, 3)`, four goroutines that do `taskCh <- task`, then
//! `<-taskCh`. What the runtime does to its `hchan` meanwhile is drawn here, step by step.

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

fn main() {
    let (tx, rx) = hchan::bounded(3);
    let draw = |step: &str| println!("{step}\n{}\n", rx.snapshot());
    draw("make(chan Task, 3)");

    // A pool on this thread, which runs each task as far as it gets, so that every step can be seen.
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    for task in 1..=4 {
        let tx = tx.clone();
        let send = async move { tx.send(task).await.expect("the receiver stays") };
        spawner.spawn_local(send).expect("the pool is there");
        pool.run_until_stalled();
        draw(&format!("G{task}: taskCh <- task{task}"));
    }
    let parked = rx.snapshot();
    assert_eq!((parked.qcount, parked.sendq), (3, 1));
    // The ring is full: the next slot to fill is the next one to empty.
    assert_eq!((parked.sendx, parked.recvx), (0, 0));

    // Three things in one step: the head is taken, the parked value gets its slot, and G4 may go on.
    assert_eq!(rx.try_recv(), Ok(1));
    draw("G5: <-taskCh");
    let admitted = rx.snapshot();
    assert_eq!((admitted.qcount, admitted.sendq), (3, 0));
    assert_eq!((admitted.sendx, admitted.recvx), (1, 1));

    pool.run_until_stalled();
    drop(tx);
    assert!(rx.is_closed(), "all four senders are done and gone");
    assert!(rx.drain().eq([2, 3, 4]));
    draw("G5: three times <-taskCh");
}
