//! A thread and a task talk over the same kind of channel; each waits in its own way.
//!
//! In Go: two goroutines that play ping-pong, one of them after `runtime.LockOSThread()`.

use std::error::Error;
use std::thread;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (ping, to_thread) = hchan::bounded::<u32>(0);
    let (pong, to_task) = hchan::bounded(0);

    // The thread sleeps while it waits, and needs no runtime.
    let thread = thread::spawn(move || {
        let mut answered = 0;
        for n in to_thread {
            println!("thread: got {n}, sends {}", n * n);
            pong.send_blocking(n * n).expect("the task waits for it");
            answered += 1;
        }
        answered
    });

    // While the task waits, its thread runs others.
    let mut sum = 0;
    for n in 1..=5 {
        ping.send(n).await?;
        sum += to_task.recv().await?;
    }
    assert_eq!(sum, 1 + 4 + 9 + 16 + 25);

    drop(ping);
    assert_eq!(thread.join().expect("the thread does not panic"), 5);
    Ok(())
}
