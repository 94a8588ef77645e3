//! `select!` and `select_blocking!`: arms with bodies, over [`Race`](super::Race).
//!
//! The arms become local variables of their own types, and the bodies the branches of a `match`, so
//! nothing is boxed, and a body may do whatever code in its place may do.

/// What the macros expand to.
pub mod support {
    use core::future::Future;
    use core::pin::Pin;

    pub use core::future::poll_fn;
    pub use core::pin::pin;

    pub use crate::select::arm::{Arm, ChannelArm, FutureArm};
    pub use crate::select::operation::Receive;
    pub use crate::select::{Bias, Otherwise, Race};

    use crate::handles::receiver::Receiver;
    use crate::handles::sender::Sender;
    use crate::ops::send::{SendFromFuture, SendFuture};

    /// The outcome of the first arm, or that of the others.
    #[derive(Debug)]
    pub enum Either<L, R> {
        /// The first arm has won.
        First(L),
        /// Another arm has, or none.
        Other(R),
    }

    /// An arm that receives.
    #[must_use]
    #[track_caller]
    pub const fn recv<T>(receiver: &Receiver<T>) -> ChannelArm<Receive<&Receiver<T>>> {
        ChannelArm::new(Receive::new(receiver))
    }

    /// An arm that sends a value.
    #[track_caller]
    pub fn send<T>(sender: &Sender<T>, value: T) -> ChannelArm<SendFuture<'_, T>> {
        ChannelArm::new(sender.send(value))
    }

    /// An arm that sends the value in a slot.
    #[track_caller]
    pub fn send_from<'a, 'b, T>(
        sender: &'a Sender<T>,
        slot: &'b mut Option<T>,
    ) -> ChannelArm<SendFromFuture<'a, 'b, T>> {
        ChannelArm::new(SendFromFuture::new(sender, slot))
    }

    /// An arm that any future is.
    #[must_use]
    pub const fn future<F: Future>(future: Pin<&mut F>) -> FutureArm<Pin<&mut F>> {
        FutureArm::new(future)
    }

    /// Waits on the thread.
    #[cfg(feature = "std")]
    pub fn block_on<F: Future + Unpin>(future: F) -> F::Output {
        crate::park::block_on(future)
    }
}

/// Waits for several sends, receives and other futures at once; exactly one of them commits.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let (tx, rx) = hchan::bounded(1);
/// let (log, log_rx) = hchan::bounded(1);
/// tx.try_send(7).unwrap();
/// log.try_send("full").unwrap();
/// let mut line = Some("next");
///
/// let got = hchan::select! {
///     recv(rx) -> msg => msg.unwrap(),
///     send_from(log, &mut line) -> _ => 0,
///     future(std::future::pending()) -> n => n,
/// };
/// assert_eq!((got, line), (7, Some("next")));
/// # drop(log_rx) });
/// ```
///
/// # Arms
///
/// | arm | what its pattern gets |
/// |---|---|
/// | `recv(rx) -> msg => …` | `Result<T, RecvError>` |
/// | `send(tx, value) -> res => …` | `Result<(), SendError<T>>`; if another arm wins, the value is dropped |
/// | `send_from(tx, &mut slot) -> res => …` | `Result<(), SendError<()>>`; unless this arm sends it, the value is in `slot` again |
/// | `future(f) -> out => …` | the output of any future, such as `rx.lease()` or `rx.recv_many(&mut batch, 16)`: a future that is ready when it is polled wins, so no output is dropped |
/// | `default => …` | taken if nothing can proceed at once: then the select never waits |
///
/// - `, if condition` before `=>` switches an arm off for this select, as a nil channel does in Go; so does a
///   handle of [`never`](crate::never).
/// - The conditions and expressions of all arms are evaluated once, in source order, whichever arm wins
///   and whether or not it is switched off.
/// - If several arms can proceed, over channels or futures, each is equally likely to win: they are tried in a
///   random order. So a timer gets its chance beside a channel that is always ready. With `biased;` in front, all
///   arms are tried in source order.
/// - A select keeps its places in line for as long as it waits, however often a future of one of its arms wakes
///   it. While it polls its futures, nobody takes the value of a `send` arm, since it could not come back.
/// - A closed channel can proceed: its arm gets the error.
/// - The bodies are part of the surrounding function: `?`, `break`, `continue`, `return` and `.await` work, and
///   what the losing arms borrowed is free again. Their type is that of the select.
/// - Without arms, or with all of them switched off, and without `default`, it waits forever.
/// - A pattern must match every result of its arm.
/// - To keep a future beyond the select, lend it as `future(&mut f)`, pinned first with [`pin!`](core::pin::pin)
///   if need be. The select in which it ends reports that; after that, leave the loop, or switch the arm off with
///   `, if`.
/// - The arms may have different types. Each is a local variable; none is boxed, and the future is `Send` if they
///   are. About two dozen fit into the compiler's recursion limit; [`Select`](crate::Select) takes any number.
///
/// A job that sends reports to the select that polls it loses neither a report nor its result:
///
/// ```
/// # futures::executor::block_on(async {
/// use std::pin::pin;
///
/// let (progress, reports) = hchan::bounded(8);
/// let mut job = pin!(async {
///     for percent in [50, 100] {
///         progress.send(percent).await.unwrap();
///     }
///     "the result"
/// });
/// let mut heard = vec![];
/// let result = loop {
///     hchan::select! {
///         recv(reports) -> percent => heard.push(percent.unwrap()),
///         future(&mut job) -> result => break result,
///     }
/// };
/// heard.extend(reports.drain());
/// assert_eq!((heard, result), (vec![50, 100], "the result"));
/// # });
/// ```
///
/// # Cancel safety
///
/// Cancel safe, except for the values of `send` arms and for what a future loses when it is dropped: a select that is
/// dropped leaves all its lines as if it had never been there. If an arm was served before, a value that it was handed
/// is put back, and a value that it sent stays sent. No future was ready before: the select would have been ready
/// then. If the destructor of a losing arm panics, what the select has won is dropped with it.
///
/// # Panics
///
/// If the slot of a `send_from` arm that is not switched off is `None`.
///
/// # Cost
///
/// One lock for each channel's arm that is tried; none for an arm whose channel has already shown that it would
/// have to wait. If the select has to wait: one for each arm to park, and one to leave; and for each poll in which
/// its futures are pending again, one for each send. What the arms share is allocated, and reused by the next
/// select on the thread.
///
/// # From Go
///
/// | Go | here |
/// |---|---|
/// | `select {` | `select! {` |
/// | `case v := <-a:` | `recv(a) -> msg => …`, with `Ok(v)` |
/// | `case v, ok := <-a:` | the same, with `Err(RecvError)` for `!ok` |
/// | `case <-a:` | `recv(a) -> _ => …` |
/// | `case b <- w:` | `send(b, w) -> res => …`; a closed `b` is an `Err` here, a panic there |
/// | `w` is still at hand if another case is chosen | `send_from(b, &mut w) -> res => …`, with `w` an `Option` |
/// | `case <-time.After(d):` | `future(sleep(d)) -> () => …`, with the timer of your runtime |
/// | `t := time.After(d)` before a loop | `let mut t = pin!(sleep(d))`, and `future(&mut t) -> () => …` |
/// | `case <-ticker.C:` | `future(interval.tick()) -> _ => …`, with `interval` before the loop |
/// | `case <-ctx.Done():` | `recv(done) -> _ => …` on a channel that is closed to say so |
/// | `a = nil` to switch a case off | `, if a_is_wanted`, or `a = ` a handle of `never` |
/// | `default:` | `default => …` |
/// | `select {}` | `select! {}` |
/// | `break` leaves the `select` | `break` leaves the loop around |
/// | a random one of the cases that can proceed | the same, over channels and futures |
/// | all expressions evaluated once, in source order | the same |
/// | `reflect.Select(cases)` | [`Select`](crate::Select) |
///
/// # Others
///
/// `tokio::select!` and `futures::select!` race futures and drop the losers: a send that loses there
/// loses its value, unless it is a [`send_from`](crate::Sender::send_from), and a race has no instant
/// at which it commits. Here a losing arm over a channel has never done anything; a losing future has done what it
/// did while it was pending, and returned nothing. crossbeam's `select!` commits likewise, but blocks the thread,
/// and evaluates the value of a `send` only if it wins.
///
/// | | here | `tokio::select!` | `futures::select!` | crossbeam's |
/// |---|---|---|---|---|
/// | waits | as a task; [`select_blocking!`](crate::select_blocking!) on a thread | as a task | as a task | on a thread |
/// | to receive | `recv(rx) -> msg => …` | `msg = rx.recv() => …` | `msg = rx.recv() => …` | `recv(rx) -> msg => …` |
/// | to send | `send(tx, value) -> res => …` | `res = tx.send(value) => …` | `res = tx.send(value) => …` | `send(tx, value) -> res => …` |
/// | to keep a value that is not sent | `send_from(tx, &mut slot) -> res => …` | `res = tx.send_from(&mut slot) => …` | `res = tx.send_from(&mut slot) => …` | it is not evaluated |
/// | any future | `future(f) -> out => …` | `out = f => …` | `out = f => …`, fused and perhaps pinned | – |
/// | a channel and a future are both ready | each is as likely to win | either may win | each is as likely to win | – |
/// | a future that is lent has ended | `break`, or `, if` | `break`, or `, if` | its arm is off | – |
/// | time runs out | `future(sleep(d)) -> () => …` | `() = sleep(d) => …` | `() = pin!(sleep(d).fuse()) => …` | `default(d) => …` |
/// | nothing can proceed at once | `default => …` | – | `default => …` | `default => …` |
/// | an arm is off | `, if condition`; `never` | `, if condition` | its future has ended | `never` |
/// | all arms are off | waits forever | `else => …`, or panics | `complete => …`, or panics | waits forever |
/// | a pattern does not match | does not compile | the arm is off | does not compile | does not compile |
/// | in source order | `biased;` | `biased;` | `select_biased!` | `select_biased!` |
/// | any number of arms | [`Select`](crate::Select) | – | `select_all` | `Select` |
///
/// # Wrong arms
///
/// Anything else does not compile, and the compiler says what an arm is:
///
/// ```compile_fail
/// # async fn f(rx: hchan::Receiver<u8>) {
/// hchan::select! { receive(rx) -> msg => drop(msg) } // no such arm
/// # }
/// ```
///
/// ```compile_fail
/// # async fn f(rx: hchan::Receiver<u8>) {
/// hchan::select! { recv(rx) => () } // without a pattern
/// # }
/// ```
///
/// ```compile_fail
/// # async fn f() {
/// hchan::select! { default => 1, default => 2 } // two defaults
/// # }
/// ```
///
/// ```compile_fail,E0308
/// # async fn f(tx: hchan::Sender<u8>) {
/// hchan::select! { recv(tx) -> msg => drop(msg) } // a sender does not receive
/// # }
/// ```
///
/// ```compile_fail,E0308
/// # async fn f(tx: hchan::Sender<u8>) {
/// hchan::select! { send(tx, "text") -> sent => drop(sent) } // not what it sends
/// # }
/// ```
///
/// ```compile_fail
/// # async fn f(rx: hchan::Receiver<u8>) {
/// hchan::select! { recv(rx) -> Ok(value) => drop(value) } // a pattern that may not match
/// # }
/// ```
///
/// ```compile_fail,E0005
/// # async fn f(line: impl Future<Output = Option<u8>>) {
/// hchan::select! { future(line) -> Some(byte) => drop(byte) } // likewise
/// # }
/// ```
///
/// ```compile_fail
/// # async fn f(rx: hchan::Receiver<u8>, timeout: std::time::Duration) {
/// hchan::select! { recv(rx) -> msg => drop(msg), default(timeout) => () } // `default` has no timeout
/// # }
/// ```
///
/// ```compile_fail
/// # async fn f(rx: hchan::Receiver<u8>) {
/// hchan::select! { recv(rx) -> msg => drop(msg), else => () } // no such arm
/// # }
/// ```
///
/// ```compile_fail
/// # fn f() {
/// hchan::select_blocking! { future(async {}) -> () => () } // a thread polls no futures
/// # }
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => { $crate::__select!(@begin wait $($arms)*) };
}

/// [`select!`](crate::select!) on a thread, which sleeps until an arm commits.
///
/// Blocks the thread; never call it from async code.
///
/// The arms are those of `select!` but for `future`, with `biased;`, `default` and `, if condition` as there.
/// If no arm can ever win, and there is no `default`, it sleeps forever. The thread stays awake for some
/// microseconds before it sleeps; the cost is otherwise that of `select!`.
///
/// # Panics
///
/// As [`select!`](crate::select!).
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(0);
/// let thread = std::thread::spawn(move || hchan::select_blocking! {
///     send(tx, "from a select") -> sent => sent,
/// });
/// let got = hchan::select_blocking! {
///     recv(rx) -> msg => msg,
/// };
/// assert_eq!((got, thread.join().unwrap()), (Ok("from a select"), Ok(())));
/// ```
///
/// From Go: `select`, on a thread instead of a goroutine.
#[cfg(feature = "std")]
#[macro_export]
macro_rules! select_blocking {
    ($($arms:tt)*) => { $crate::__select!(@begin block $($arms)*) };
}

/// Takes the arms one by one into `((mode bias) { statements } [arms] { default })`, then runs them.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    (@begin $mode:ident biased; $($arms:tt)*) => {
        $crate::__select!(@arms (($mode Source) {} [] {}) $($arms)*)
    };
    (@begin $mode:ident $($arms:tt)*) => {
        $crate::__select!(@arms (($mode Fair) {} [] {}) $($arms)*)
    };

    // An arm's head says how to make it.
    (@arms $all:tt recv($rx:expr $(,)?) -> $($rest:tt)+) => {
        $crate::__select!(@tail $all arm {
            let receiver = &$rx;
            let mut arm = $crate::__support::recv(receiver);
        } $($rest)+)
    };
    (@arms $all:tt send($tx:expr, $value:expr $(,)?) -> $($rest:tt)+) => {
        $crate::__select!(@tail $all arm {
            let sender = &$tx;
            let mut arm = $crate::__support::send(sender, $value);
        } $($rest)+)
    };
    (@arms $all:tt send_from($tx:expr, $slot:expr $(,)?) -> $($rest:tt)+) => {
        $crate::__select!(@tail $all arm {
            let sender = &$tx;
            let mut arm = $crate::__support::send_from(sender, $slot);
        } $($rest)+)
    };
    (@arms ((block $bias:ident) $($all:tt)*) future $($rest:tt)+) => {
        compile_error!("`select_blocking!` has no `future` arms: a thread cannot poll them")
    };
    (@arms $all:tt future($future:expr $(,)?) -> $($rest:tt)+) => {
        $crate::__select!(@tail $all other {
            let future = $crate::__support::pin!($future);
            let mut other = $crate::__support::future(future);
        } $($rest)+)
    };
    (@arms ($m:tt $s:tt $a:tt {}) default => $($rest:tt)+) => {
        $crate::__select!(@body ($m $s $a {}) (default) $($rest)+)
    };
    (@arms $all:tt default($($timeout:tt)*) $($rest:tt)*) => {
        compile_error!(concat!(
            "`default` has no timeout: write `recv(hchan::after(duration)) -> _ => body`, or ",
            "`future(sleep(duration)) -> () => body` with the timer of your runtime; ",
            "on a thread, `Select::wait_timeout`"
        ))
    };
    (@arms $all:tt default $($rest:tt)*) => {
        compile_error!("a select has one `default => body` at most")
    };
    (@arms $all:tt else $($rest:tt)*) => {
        compile_error!(concat!(
            "a select has no `else`: switch arms off with `, if condition` before `=>`; ",
            "if all of them are off it waits forever, unless there is a `default => body`"
        ))
    };
    (@arms ($m:tt $s:tt $a:tt {})) => {
        $crate::__select!(@run $m $s $a Wait { unreachable!() })
    };
    (@arms ($m:tt $s:tt $a:tt { $default:expr })) => {
        $crate::__select!(@run $m $s $a Default { $default })
    };
    (@arms $all:tt $($wrong:tt)+) => {
        compile_error!(concat!(
            "an arm is one of `recv(rx) -> result => body`, `send(tx, value) -> result => body`, ",
            "`send_from(tx, &mut slot) -> result => body`, `future(f) -> output => body`, ",
            "`default => body`, with `, if condition` before `=>` if wanted; found: ",
            stringify!($($wrong)+)
        ))
    };

    // Its tail is a pattern and perhaps a precondition, then comes its body. A channel's arm, which is called
    // `arm`, gets a `Result`. (`Err(_)` alone may match whatever there is, if no value can come.)
    (@tail $all:tt arm $make:tt Ok($($ok:tt)*) => $($rest:tt)*) => {
        $crate::__select!(@refutable Ok($($ok)*))
    };
    (@tail $all:tt arm $make:tt Ok($($ok:tt)*), if $($rest:tt)*) => {
        $crate::__select!(@refutable Ok($($ok)*))
    };
    (@refutable $($result:tt)*) => {
        compile_error!(concat!(
            "an arm's pattern must match whatever the arm gets, `Ok` and `Err`: write `msg` instead of `",
            stringify!($($result)*), "`, and a `match` in the body"
        ))
    };
    (@tail $all:tt $arm:ident $make:tt $result:pat, if $enabled:expr => $($rest:tt)+) => {
        $crate::__select!(@body $all ($arm $make ($enabled) ($result)) $($rest)+)
    };
    (@tail $all:tt $arm:ident $make:tt $result:pat => $($rest:tt)+) => {
        $crate::__select!(@body $all ($arm $make (true) ($result)) $($rest)+)
    };
    // First as an expression: one that another macro has passed on cannot be matched as a block.
    (@body $all:tt $head:tt $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@push $all $head { $body } $($($rest)*)?)
    };
    (@body $all:tt $head:tt $body:block $($rest:tt)*) => {
        $crate::__select!(@push $all $head { $body } $($rest)*)
    };
    (@push ($m:tt $s:tt $a:tt {}) (default) $body:tt $($rest:tt)*) => {
        $crate::__select!(@arms ($m $s $a $body) $($rest)*)
    };
    (@push ($m:tt { $($s:tt)* } [ $($a:tt)* ] $d:tt)
        ($arm:ident { $($make:tt)+ } ($enabled:expr) ($result:pat)) { $body:expr } $($rest:tt)*) => {
        $crate::__select!(@arms ($m
            { $($s)* let enabled: bool = $enabled; $($make)+ $arm.only_if(enabled); }
            [ $($a)* ($arm $result => $body) ]
            $d) $($rest)*)
    };

    // All arms are known: race them, drop the losers, run the winner's body.
    (@run ($mode:ident $bias:ident) { $($s:tt)* } [ $(($arm:ident $result:pat => $body:expr))* ]
        $otherwise:ident $default:block) => {
        match {
            // Not the value of the block below: that would leak if the losers' destructors panic.
            let outcome;
            {
                $($s)*
                let mut race = $crate::__support::Race::new(
                    $crate::__support::Bias::$bias,
                    $crate::__support::Otherwise::$otherwise,
                );
                let race = $crate::__support::poll_fn(|cx| {
                    let arms = &mut $crate::__select!(@list $($arm)*);
                    let order: &mut [u32] = &mut [$($crate::__select!(@zero $arm)),*];
                    race.poll(arms, order, cx)
                });
                $crate::__select!(@$mode race);
                outcome = $crate::__select!(@won $($arm)*);
            }
            outcome
        } {
            outcome => $crate::__select!(@match outcome [$(($result => $body))*] $default),
        }
    };
    (@list) => { () };
    (@list $arm:ident $($rest:ident)*) => { (&mut $arm, $crate::__select!(@list $($rest)*)) };
    (@zero $arm:ident) => { 0 };
    (@wait $race:ident) => { $race.await };
    (@block $race:ident) => { $crate::__support::block_on($race) };
    (@won) => { () };
    (@won $arm:ident $($rest:ident)*) => {
        match $arm.won() {
            Some(outcome) => $crate::__support::Either::First(outcome),
            None => $crate::__support::Either::Other($crate::__select!(@won $($rest)*)),
        }
    };
    (@match $outcome:ident [] $default:block) => {{
        let () = $outcome;
        $default
    }};
    (@match $outcome:ident [($result:pat => $body:expr) $($rest:tt)*] $default:block) => {
        match $outcome {
            $crate::__support::Either::First(won) => {
                // A refutable pattern is an error at that pattern.
                let ($result) = won;
                $body
            }
            $crate::__support::Either::Other(rest) => {
                $crate::__select!(@match rest [$($rest)*] $default)
            }
        }
    };
}
