//! The promise of choice: for every combination of what arms may find, exactly the ready ones may win.
//!
//! Each arm has a channel of its own in one of some states. From a table, which knows nothing of the
//! crate, an oracle says which arms may win and what all channels look like afterwards.

mod support;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll::{Pending, Ready};

use hchan::{
    Receiver, RecvFuture, Select, SendFuture, Sender, TryRecvError, bounded, never, select,
};
use support::{Task, parked, values};

/// What an arm finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Find {
    // Arms that receive.
    Empty,
    Value,
    Drained,
    ClosedWithValue,
    ParkedSender,
    FullWithParkedSender,
    UnclaimedOnClosed,
    RecvNever,
    RecvDisabled,
    // Arms that send.
    Full,
    Room,
    Closed,
    ParkedReceiver,
    Nobody,
    SendNever,
    SendDisabled,
}

use Find::{
    Closed, ClosedWithValue, Drained, Empty, Full, FullWithParkedSender, Nobody, ParkedReceiver,
    ParkedSender, RecvDisabled, RecvNever, Room, SendDisabled, SendNever, UnclaimedOnClosed, Value,
};

const FINDS: [Find; 16] = [
    Empty,
    Value,
    Drained,
    ClosedWithValue,
    ParkedSender,
    FullWithParkedSender,
    UnclaimedOnClosed,
    RecvNever,
    RecvDisabled,
    Full,
    Room,
    Closed,
    ParkedReceiver,
    Nobody,
    SendNever,
    SendDisabled,
];

/// What an arm comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Received(u32),
    Drained,
    Sent,
    Refused,
}

/// What is in a channel from the beginning, what an arm sends, and what a parked sender sends.
const INSIDE: u32 = 100;
const BY_ARM: u32 = 200;
const BY_SENDER: u32 = 300;

impl Find {
    fn receives(self) -> bool {
        !matches!(
            self,
            Full | Room | Closed | ParkedReceiver | Nobody | SendNever | SendDisabled
        )
    }

    fn enabled(self) -> bool {
        !matches!(self, RecvDisabled | SendDisabled)
    }

    /// What the arm gets if it wins at once; `None` if it has to wait.
    fn wins(self) -> Option<Got> {
        match self {
            Value | ClosedWithValue | FullWithParkedSender => Some(Got::Received(INSIDE)),
            ParkedSender => Some(Got::Received(BY_SENDER)),
            Drained => Some(Got::Drained),
            Room | ParkedReceiver => Some(Got::Sent),
            Closed => Some(Got::Refused),
            Empty | UnclaimedOnClosed | RecvNever | RecvDisabled | Full | Nobody | SendNever
            | SendDisabled => None,
        }
    }

    /// What the arm gets from the counterpart that comes while it is parked, if one may come.
    fn is_served(self) -> Option<Got> {
        match self {
            Empty => Some(Got::Received(BY_SENDER)),
            UnclaimedOnClosed => Some(Got::Received(INSIDE)),
            Full | Nobody => Some(Got::Sent),
            _ => None,
        }
    }

    /// All that has not left the channel when nothing happened to it, parked senders' values included.
    fn holds(self) -> &'static [u32] {
        match self {
            Value | ClosedWithValue | RecvDisabled | Full => &[INSIDE],
            FullWithParkedSender => &[INSIDE, BY_SENDER],
            ParkedSender => &[BY_SENDER],
            _ => &[],
        }
    }

    /// The same, when the arm has won at once.
    fn holds_after_win(self) -> &'static [u32] {
        match self {
            FullWithParkedSender => &[BY_SENDER],
            Room => &[BY_ARM],
            _ => &[],
        }
    }

    /// How many are in line, in `sendq` and in `recvq`, when nothing happened.
    fn lines(self) -> (usize, usize) {
        match self {
            ParkedSender | FullWithParkedSender => (1, 0),
            ParkedReceiver => (0, 1),
            _ => (0, 0),
        }
    }

    /// The same, while the arm is parked.
    fn lines_with_arm(self) -> (usize, usize) {
        match self {
            Empty | UnclaimedOnClosed => (0, 1),
            Full | Nobody => (1, 0),
            _ => self.lines(),
        }
    }

    fn channel(self) -> (Sender<u32>, Receiver<u32>) {
        let (tx, rx) = match self {
            RecvNever | SendNever => never(),
            ParkedSender | UnclaimedOnClosed | ParkedReceiver | Nobody => bounded(0),
            _ => bounded(1),
        };
        if !self.holds().is_empty() && self != ParkedSender {
            tx.try_send(INSIDE).unwrap();
        }
        if matches!(self, Drained | ClosedWithValue | Closed) {
            tx.close();
        }
        (tx, rx)
    }
}

/// Who else is at an arm's channel.
enum Other<'a> {
    Nobody,
    Sends(Task<SendFuture<'a, u32>>),
    Receives(Task<RecvFuture<'a, u32>>),
}

impl<'a> Other<'a> {
    fn at(find: Find, (tx, rx): &'a (Sender<u32>, Receiver<u32>)) -> Self {
        match find {
            ParkedSender | FullWithParkedSender => Self::Sends(parked(tx.send(BY_SENDER))),
            ParkedReceiver => Self::Receives(parked(rx.recv())),
            UnclaimedOnClosed => {
                let recv = parked(rx.recv());
                tx.try_send(INSIDE).unwrap();
                tx.close();
                Self::Receives(recv)
            }
            _ => Self::Nobody,
        }
    }

    /// Whether the other has met the arm, or not, as it should be.
    fn check(&mut self, find: Find, won: bool) {
        match self {
            Self::Nobody => {}
            Self::Sends(send) => {
                assert_eq!(send.wakes(), usize::from(won));
                let expected = if won { Ready(Ok(())) } else { Pending };
                assert_eq!(send.poll(), expected);
            }
            Self::Receives(recv) if find == UnclaimedOnClosed => {
                assert_eq!(recv.poll(), Ready(Ok(INSIDE)));
            }
            Self::Receives(recv) => {
                assert_eq!(recv.wakes(), usize::from(won));
                let expected = if won { Ready(Ok(BY_ARM)) } else { Pending };
                assert_eq!(recv.poll(), expected);
            }
        }
    }
}

type Channels = [(Sender<u32>, Receiver<u32>); 3];
type Outcome = Option<(usize, Got)>;
type Slots = [Option<u32>; 3];

/// A way to write the same select.
#[derive(Clone, Copy, Debug)]
struct Form {
    dynamic: bool,
    biased: bool,
    default: bool,
}

/// The select over three arms in one of its forms.
fn select<'a>(
    form: Form,
    finds: [Find; 3],
    channels: &'a Channels,
    slots: &'a mut Slots,
) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> {
    if form.dynamic {
        dynamic(form, finds, channels, slots)
    } else {
        macros(form, finds, channels, slots)
    }
}

fn dynamic<'a>(
    form: Form,
    finds: [Find; 3],
    channels: &'a Channels,
    slots: &'a mut Slots,
) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> {
    let mut select = Select::new();
    for ((arm, (tx, rx)), slot) in channels.iter().enumerate().zip(slots) {
        if !finds[arm].enabled() {
            continue;
        }
        select = if finds[arm].receives() {
            select.recv(rx, move |received| (arm, got_value(received)))
        } else {
            select.send_from(tx, slot, move |sent| (arm, got_sent(sent.is_ok())))
        };
    }
    if form.biased {
        select = select.biased();
    }
    Box::pin(async move {
        if form.default {
            select.try_select()
        } else {
            Some(select.await)
        }
    })
}

fn macros<'a>(
    form: Form,
    finds: [Find; 3],
    channels: &'a Channels,
    slots: &'a mut Slots,
) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> {
    let [(tx_0, rx_0), (tx_1, rx_1), (tx_2, rx_2)] = channels;
    let [slot_0, slot_1, slot_2] = slots;
    let recvs = finds.map(|find| find.receives() && find.enabled());
    let sends = finds.map(|find| !find.receives() && find.enabled());
    macro_rules! arms {
        ({ $($head:tt)* } { $($tail:tt)* }) => {
            Box::pin(async move {
                select! {
                    $($head)*
                    recv(rx_0) -> received, if recvs[0] => Some((0, got_value(received))),
                    send_from(tx_0, slot_0) -> sent, if sends[0] => Some((0, got_sent(sent.is_ok()))),
                    recv(rx_1) -> received, if recvs[1] => Some((1, got_value(received))),
                    send_from(tx_1, slot_1) -> sent, if sends[1] => Some((1, got_sent(sent.is_ok()))),
                    recv(rx_2) -> received, if recvs[2] => Some((2, got_value(received))),
                    send_from(tx_2, slot_2) -> sent, if sends[2] => Some((2, got_sent(sent.is_ok()))),
                    $($tail)*
                }
            })
        };
    }
    match (form.biased, form.default) {
        (false, false) => arms!({} {}),
        (false, true) => arms!({} { default => None }),
        (true, false) => arms!({ biased; } {}),
        (true, true) => arms!({ biased; } { default => None }),
    }
}

fn got_value<E>(received: Result<u32, E>) -> Got {
    received.map_or(Got::Drained, Got::Received)
}

fn got_sent(sent: bool) -> Got {
    if sent { Got::Sent } else { Got::Refused }
}

fn lines(rx: &Receiver<u32>) -> (usize, usize) {
    let snapshot = rx.snapshot();
    (snapshot.sendq, snapshot.recvq)
}

/// One run; the arm that has won at once, if one has.
fn run(form: Form, finds: [Find; 3]) -> Option<usize> {
    let channels = finds.map(Find::channel);
    let [a, b, c] = [0, 1, 2].map(|arm| Other::at(finds[arm], &channels[arm]));
    let mut others = [a, b, c];
    let before = channels.each_ref().map(|(_, rx)| rx.snapshot());
    let mut slots = [Some(BY_ARM); 3];

    let mut task = Task::new(select(form, finds, &channels, &mut slots));
    let outcome = task.poll();
    assert_eq!(task.wakes(), 0);
    if outcome.is_pending() {
        for (find, (_, rx)) in finds.iter().zip(&channels) {
            assert_eq!(lines(rx), find.lines_with_arm());
        }
    }
    drop(task);

    let winner = match outcome {
        Ready(Some((arm, got))) => {
            assert_eq!(finds[arm].wins(), Some(got), "what arm {arm} got");
            Some(arm)
        }
        Ready(None) => {
            assert!(form.default);
            None
        }
        Pending => {
            assert!(!form.default, "a select with a default does not wait");
            None
        }
    };
    for (arm, find) in finds.into_iter().enumerate() {
        let won = winner == Some(arm);
        let (tx, rx) = &channels[arm];
        if !won {
            assert_eq!(rx.snapshot(), before[arm], "arm {arm} has left a trace");
        }
        let kept = slots[arm].is_some();
        assert_eq!(kept, !(won && find.wins() == Some(Got::Sent)));
        others[arm].check(find, won);
        let holds = if won {
            find.holds_after_win()
        } else {
            find.holds()
        };
        assert_eq!(values(rx), holds, "what is in the channel of arm {arm}");
        // A receiver that has not met the arm is the only one who may still be in line.
        assert_eq!(lines(rx).0, 0);
        assert_eq!(rx.is_closed(), before[arm].closed);
        assert_eq!(tx.is_closed(), before[arm].closed);
    }
    winner
}

/// One run in which no arm is ready, until a counterpart comes for this arm. False if none may come.
fn serve(form: Form, finds: [Find; 3], arm: usize) -> bool {
    let Some(got) = finds[arm].is_served() else {
        return false;
    };
    let channels = finds.map(Find::channel);
    let [a, b, c] = [0, 1, 2].map(|arm| Other::at(finds[arm], &channels[arm]));
    let mut others = [a, b, c];
    let before = channels.each_ref().map(|(_, rx)| rx.snapshot());
    let mut slots = [Some(BY_ARM); 3];
    let mut task = Task::new(select(form, finds, &channels, &mut slots));
    assert!(task.poll().is_pending());

    let (tx, rx) = &channels[arm];
    match finds[arm] {
        Empty => assert_eq!(tx.try_send(BY_SENDER), Ok(())),
        UnclaimedOnClosed => others[arm] = Other::Nobody,
        Full => assert_eq!(rx.try_recv(), Ok(INSIDE)),
        Nobody => assert_eq!(rx.try_recv(), Ok(BY_ARM)),
        _ => unreachable!("nobody comes"),
    }
    assert_eq!(task.wakes(), 1);
    for other in (0..3).filter(|&other| other != arm) {
        let rx = &channels[other].1;
        assert_eq!(rx.snapshot(), before[other], "arm {other} is still seen");
        if matches!(finds[other], Empty | Nobody) {
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        }
    }
    assert_eq!(task.poll(), Ready(Some((arm, got))));
    drop(task);
    let slot = (!matches!(finds[arm], Full | Nobody)).then_some(BY_ARM);
    assert_eq!(slots[arm], slot);
    let left: &[u32] = if finds[arm] == Full { &[BY_ARM] } else { &[] };
    assert_eq!(values(rx), left);
    for other in (0..3).filter(|&other| other != arm) {
        assert_eq!(slots[other], Some(BY_ARM));
        assert_eq!(channels[other].1.snapshot(), before[other]);
        others[other].check(finds[other], false);
    }
    true
}

/// A failure says in which combination it came about.
struct Case(Form, [Find; 3]);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} over {:?}", self.0, self.1)
    }
}

/// All combinations of what two and three arms may find: a disabled third arm is none.
fn combinations() -> impl Iterator<Item = [Find; 3]> {
    let pairs = FINDS
        .into_iter()
        .flat_map(|first| FINDS.map(|second| [first, second]));
    pairs.flat_map(|[first, second]| FINDS.map(|third| [first, second, third]))
}

/// Runs each combination, with and without a default, as often as it takes to see all winners.
fn each_allowed_arm_wins(dynamic: bool, biased: bool) {
    let mut seen = 0;
    for finds in combinations() {
        for default in [false, true] {
            let form = Form {
                dynamic,
                biased,
                default,
            };
            let case = Case(form, finds);
            let mut allowed: Vec<_> = (0..3).filter(|&arm| finds[arm].wins().is_some()).collect();
            if biased {
                allowed.truncate(1);
            }
            let mut winners = Vec::new();
            // An arm that has a third of the chances stays away so often in one of 10^17 cases.
            for _ in 0..100 {
                match run(form, finds) {
                    Some(winner) => {
                        assert!(allowed.contains(&winner), "{winner} may not win");
                        if !winners.contains(&winner) {
                            winners.push(winner);
                        }
                    }
                    None => assert_eq!(allowed, [], "somebody may win"),
                }
                if winners.len() == allowed.len() {
                    break;
                }
            }
            assert_eq!(winners.len(), allowed.len(), "{winners:?} of {allowed:?}");
            seen += 1;
            drop(case);
        }
    }
    assert_eq!(seen, 2 * FINDS.len().pow(3));
}

#[test]
fn of_the_arms_of_a_select_exactly_the_ready_ones_may_win() {
    each_allowed_arm_wins(false, false);
}

#[test]
fn of_the_arms_of_a_dynamic_select_exactly_the_ready_ones_may_win() {
    each_allowed_arm_wins(true, false);
}

#[test]
fn of_the_arms_of_a_biased_select_the_first_ready_one_wins() {
    each_allowed_arm_wins(false, true);
    each_allowed_arm_wins(true, true);
}

#[test]
fn a_parked_select_is_served_at_any_arm_and_the_others_leave_no_trace() {
    let mut served = 0;
    for finds in combinations() {
        if finds.iter().any(|find| find.wins().is_some()) {
            continue;
        }
        for dynamic in [false, true] {
            let form = Form {
                dynamic,
                biased: served % 2 == 0,
                default: false,
            };
            let case = Case(form, finds);
            served += (0..3).filter(|&arm| serve(form, finds, arm)).count();
            drop(case);
        }
    }
    assert!(served > 1000, "{served}");
}
