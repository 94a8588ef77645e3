//! A pipeline of streams and sinks: a slow end holds back the beginning.
//!
//! In Go: `gen`, `sq` and `merge` of "Go Concurrency Patterns: Pipelines", each of them a
//! `for n := range in { out <- f(n) }`.

use std::cell::Cell;

use futures::executor::block_on;
use futures::{StreamExt, join, stream};

fn main() {
    let (numbers, to_square) = hchan::bounded(2);
    let (squares, mut to_add) = hchan::bounded(1);

    let generated = Cell::new(0);
    let numbered = stream::iter(1..=20).inspect(|&n| generated.set(n));
    let generate = numbered.map(Ok).forward(numbers);

    // A receiver is a stream, a sender is a sink. At its end `forward` closes the sink, which drops this one
    // sender; the channel closes with its last.
    let square = to_square.map(|n| Ok(n * n)).forward(squares);

    let add = async {
        let (mut sum, mut ahead) = (0, 0);
        let mut added = 0;
        while let Some(square) = to_add.next().await {
            ahead = ahead.max(generated.get() - added);
            added += 1;
            sum += square;
        }
        println!("{added} squares, sum {sum}; at most {ahead} numbers were under way");
        (sum, ahead)
    };

    let (generated, squared, (sum, ahead)) = block_on(async { join!(generate, square, add) });
    assert_eq!((generated, squared), (Ok(()), Ok(())));
    assert_eq!(sum, 2870);
    // At most this many are under way: what each channel holds and has staged, and one in each stage.
    assert!(ahead <= (2 + 1) + (1 + 1) + 3, "{ahead} under way");
}
