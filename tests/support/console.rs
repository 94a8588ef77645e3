//! What tokio-console makes of what it is told, by the rules of `console-subscriber` 0.5: it knows spans by their names,
//! events by their targets, and what they belong to by the spans that are entered on the thread.
#![allow(unreachable_pub, reason = "as in `support`")]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Level, Metadata, Subscriber};

/// What a subscriber was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    NewSpan,
    Enter,
    Exit,
    Event,
    Close,
}

type Hook = Box<dyn Fn(Call) + Send + Sync>;

/// A console, which writes down what it is shown.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// How often it was told what the contract forbids: the crate contains such a panic.
    faults: AtomicUsize,
    /// Called at each call, after what the console does.
    hook: Hook,
}

#[derive(Default)]
struct State {
    spans: HashMap<u64, Span>,
    last: u64,
    /// How many resources, and operations, there have been.
    numbers: BTreeMap<&'static str, usize>,
    lines: Vec<String>,
    attributes: BTreeMap<(String, String), String>,
}

struct Span {
    name: &'static str,
    /// The name in the lines: `channel 1`, `op 1`.
    shown: String,
    refs: usize,
    fields: BTreeMap<&'static str, String>,
}

thread_local! {
    /// The spans that are entered on this thread.
    static STACK: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

const RESOURCE: &str = "runtime.resource";
const OP: &str = "runtime.resource.async_op";
const POLL: &str = "runtime.resource.async_op.poll";

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // The console takes these for attributes alone.
        self.0.insert(field.name(), format!("debug {value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.to_string());
    }
}

impl State {
    /// The span of this name that was entered last.
    fn entered(&self, name: &str) -> Option<&Span> {
        let stack = STACK.with_borrow(Clone::clone);
        let mut spans = stack.iter().rev().filter_map(|id| self.spans.get(id));
        spans.find(|span| span.name == name)
    }
}

impl Console {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A console that makes a call for each that it gets.
    pub fn with(hook: impl Fn(Call) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            faults: AtomicUsize::new(0),
            hook: Box::new(hook),
        }))
    }

    /// Shows it what happens on this thread during a story, which must keep the contract.
    #[track_caller]
    pub fn watch<R>(&self, story: impl FnOnce() -> R) -> R {
        let result = with_default(self.clone(), story);
        assert_eq!(self.0.faults.load(Ordering::SeqCst), 0, "see above");
        result
    }

    /// What it was shown since the last time.
    pub fn lines(&self) -> Vec<String> {
        self.change(|state| mem::take(&mut state.lines))
    }

    /// The value of an attribute of a resource, as it was told last.
    pub fn attribute(&self, resource: &str, name: &str) -> Option<String> {
        let key = (resource.to_owned(), name.to_owned());
        self.change(|state| state.attributes.get(&key).cloned())
    }

    /// How many spans are open.
    pub fn open(&self) -> usize {
        self.change(|state| state.spans.len())
    }

    /// The fields of an open span.
    pub fn fields(&self, shown: &str) -> BTreeMap<&'static str, String> {
        let of = |span: &&Span| span.shown == shown;
        self.change(|state| state.spans.values().find(of).expect("open").fields.clone())
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does what the console does, and counts it if that must not have come.
    fn check<R>(&self, call: impl FnOnce() -> R) -> R {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            self.0.faults.fetch_add(1, Ordering::SeqCst);
            resume_unwind(panic)
        })
    }

    fn call(&self, call: Call) {
        (self.0.hook)(call);
    }
}

impl Console {
    fn add_span(&self, attributes: &Attributes<'_>) -> Id {
        let metadata = attributes.metadata();
        assert_eq!(*metadata.level(), Level::TRACE);
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let Fields(fields) = fields;
        self.change(|state| {
            state.last += 1;
            let kind = match metadata.name() {
                RESOURCE => "channel",
                OP => "op",
                POLL => "poll",
                other => panic!("a span that the console does not know: {other}"),
            };
            let number = state.numbers.entry(kind).or_default();
            *number += 1;
            let number = *number;
            let mut shown = format!("{kind} {number}");
            match metadata.name() {
                RESOURCE => {
                    assert!(attributes.is_root(), "it would keep its parent open");
                    assert_eq!(fields["is_internal"], "false");
                    assert_eq!(fields["inherits_child_attrs"], "false");
                    let (name, kind) = (&fields["concrete_type"], &fields["kind"]);
                    state.lines.push(format!("{shown}: {kind} {name}"));
                }
                OP => {
                    let resource = state.entered(RESOURCE).expect("an operation of a resource");
                    assert!(attributes.is_contextual());
                    assert_eq!(fields["inherits_child_attrs"], "false");
                    let line = format!("{shown}: {} of {}", fields["source"], resource.shown);
                    state.lines.push(line);
                }
                _ => {
                    let op = state.entered(OP).expect("a poll of an operation");
                    shown = format!("poll of {}", op.shown);
                    let mut spans = state.spans.values();
                    assert!(spans.all(|span| span.shown != shown), "one for each");
                }
            }
            let span = Span {
                name: metadata.name(),
                shown,
                refs: 1,
                fields,
            };
            state.spans.insert(state.last, span);
            Id::from_u64(state.last)
        })
    }

    fn take_event(&self, event: &tracing::Event<'_>) {
        assert_eq!(*event.metadata().level(), Level::TRACE);
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(fields) = fields;
        self.change(|state| {
            let resource = state.entered(RESOURCE).expect("an event of a resource");
            let resource = resource.shown.clone();
            match event.metadata().target() {
                "runtime::resource::state_update" => {
                    let [(name, value), (op, how)] = Vec::from_iter(&fields)[..] else {
                        panic!("one attribute each: {fields:?}");
                    };
                    assert_eq!(
                        (op.to_string(), how.as_str()),
                        (format!("{name}.op"), "override")
                    );
                    let key = (resource.clone(), name.to_string());
                    state.attributes.insert(key, value.clone());
                    state.lines.push(format!("{resource}: {name} = {value}"));
                }
                "runtime::resource::poll_op" => {
                    let op = state.entered(OP).expect("a poll of an operation");
                    state.entered(POLL).expect("within a poll");
                    let (op, name) = (&op.shown, &fields["op_name"]);
                    let line = format!("{op}: {name} {}", fields["is_ready"]);
                    state.lines.push(line);
                }
                other => panic!("an event that the console does not know: {other}"),
            }
        });
    }
}

impl Subscriber for Console {
    /// As the filter of `console_subscriber::spawn`.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.is_event() {
            true => metadata.target().starts_with("runtime"),
            false => metadata.name().starts_with("runtime."),
        }
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.check(|| self.add_span(attributes));
        self.call(Call::NewSpan);
        id
    }

    fn event(&self, event: &tracing::Event<'_>) {
        self.check(|| self.take_event(event));
        self.call(Call::Event);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, id: &Id) {
        STACK.with_borrow_mut(|stack| stack.push(id.into_u64()));
        self.call(Call::Enter);
    }

    fn exit(&self, id: &Id) {
        self.check(|| {
            let left = STACK.with_borrow_mut(Vec::pop);
            assert_eq!(left, Some(id.into_u64()), "the last that was entered");
        });
        self.call(Call::Exit);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.check(|| {
            self.change(|state| {
                let span = state.spans.get_mut(&id.into_u64()).expect("open");
                span.refs += 1;
            });
        });
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let close = |state: &mut State| {
            let span = state.spans.get_mut(&id.into_u64()).expect("open");
            span.refs -= 1;
            if span.refs > 0 {
                return false;
            }
            let shown = span.shown.clone();
            state.spans.remove(&id.into_u64());
            if !shown.starts_with("poll") {
                state.lines.push(format!("{shown}: closed"));
            }
            true
        };
        let is_closed = self.check(|| self.change(close));
        if is_closed {
            self.call(Call::Close);
        }
        is_closed
    }
}
