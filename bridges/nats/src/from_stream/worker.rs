//! The task that asks the server, and tells it what became of the values.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::{Client, HeaderMap, Message, StatusCode, Subject, Subscriber};
use futures_util::{FutureExt, StreamExt};
use hchan::{Receiver, Sender};
use serde::de::DeserializeOwned;
use tokio::task::{JoinSet, unconstrained};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

use super::{Counters, FromStream, count};
use crate::codec::{Codec, HEADER};
use crate::delivery::{About, Delivery, Desk, Word};
use crate::error::Error;
use crate::nats::{Nats, is_no_stream};

/// How long the server keeps a request for values.
const REQUEST: Duration = Duration::from_secs(1);
/// How long it keeps the last one, for which a bridge that stops waits.
const LAST_REQUEST: Duration = Duration::from_millis(20);
/// How much later its answer may come.
const LATE: Duration = Duration::from_secs(2);
/// How often the connection and the requests are looked at.
const CHECK: Duration = Duration::from_millis(200);
/// How long the rest of what the server has sent may take when the bridge stops.
const DRAIN: Duration = Duration::from_secs(2);
/// How long the client's queue may take until it has room again.
const FULL: Duration = Duration::from_millis(10);
/// How long a value waits that could not be published to the dead letters.
const BURY_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct Worker<T, C> {
    nats: Nats,
    settings: FromStream<C>,
    counters: Arc<Counters>,
    /// At most so many values are asked for, or held.
    limit: usize,
    /// Values that were taken, and wait to be sent.
    backlog: VecDeque<Delivery<T>>,
    desk: Arc<Desk>,
    words: Receiver<Word>,
    /// Values that were taken and are not settled, by their tickets.
    held: HashMap<u64, Held>,
    next_ticket: u64,
    /// Whether the client's queue had no room for a word.
    full: bool,
    subscriber: Subscriber,
    inbox: String,
    /// Requests that the server has not answered in full, the oldest first.
    requests: VecDeque<Request>,
    next_request: u64,
    /// How often the connection was made.
    connects: u64,
    burials: JoinSet<()>,
}

/// A value that is not settled.
struct Held {
    reply: Subject,
    /// For the dead letters.
    message: Option<Message>,
    sequence: u64,
    deliveries: u64,
}

struct Request {
    number: u64,
    /// In all requests together it is exact; which of them a value is for cannot be told.
    missing: usize,
    until: Instant,
}

/// Why the bridge stops.
enum End {
    Stopped,
    Failed(Error),
}

impl<T, C> Worker<T, C>
where
    T: DeserializeOwned + Send + 'static,
    C: Codec,
{
    pub(super) async fn subscribe(
        nats: Nats,
        settings: FromStream<C>,
        limit: usize,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let client = nats.client();
        let inbox = client.new_inbox();
        let subscriber = client.subscribe(format!("{inbox}.*")).await;
        let subscriber =
            subscriber.map_err(|source| Error::server("subscribe to an inbox", source))?;
        let (to_desk, words) = hchan::unbounded();
        let desk = Desk {
            words: to_desk,
            client,
            patience: settings.ack_timeout,
        };
        Ok(Self {
            connects: nats.connects(),
            nats,
            settings,
            counters,
            limit,
            backlog: VecDeque::new(),
            desk: Arc::new(desk),
            words,
            held: HashMap::new(),
            next_ticket: 0,
            full: false,
            subscriber,
            inbox,
            requests: VecDeque::new(),
            next_request: 0,
            burials: JoinSet::new(),
        })
    }

    pub(super) async fn run(
        mut self,
        tx: Sender<Delivery<T>>,
        stopped: Receiver<Infallible>,
        outcome: Sender<Result<(), Error>>,
    ) {
        let end = self.serve(tx, &stopped).await;
        self.return_the_rest().await;
        let end = match end {
            End::Stopped => Ok(()),
            End::Failed(error) => {
                tracing::error!("{error}");
                Err(error)
            }
        };
        let Self {
            nats,
            settings,
            counters,
            desk,
            words,
            held,
            burials,
            ..
        } = self;
        outcome.try_send(end).ok();
        drop((outcome, desk));

        // Values that are still worked on.
        Settling {
            nats,
            settings,
            counters,
            held,
            burials,
        }
        .until_all_are_settled(words)
        .await;
    }

    /// Drops the sender, with what it has staged.
    async fn serve(&mut self, mut tx: Sender<Delivery<T>>, stopped: &Receiver<Infallible>) -> End {
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut alive = interval((self.settings.ack_wait / 3).max(Duration::from_millis(10)));
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What the handle has staged stands in line in the channel.
        let (mut staged, mut sending) = (None, false);
        let watched = tx.clone();
        let (mut stopping, mut closing) = (pin!(stopped.recv()), pin!(watched.closed()));
        loop {
            while !sending && let Some(value) = self.backlog.pop_front() {
                if let Err(error) = tx.try_send(value) {
                    staged = Some(error.into_inner());
                    sending = true;
                }
            }
            self.ask(tx.len(), tx.capacity().unwrap_or(0));
            let sent = async {
                if sending {
                    poll_fn(|cx| tx.poll_send(cx, &mut staged)).await.is_ok()
                } else {
                    pending().await
                }
            };
            tokio::select! {
                biased;
                _ = &mut stopping => return End::Stopped,
                () = &mut closing => return End::Stopped,
                word = self.words.recv(), if !self.full => {
                    let mut word = word.ok();
                    while let Some(said) = word {
                        self.settle(said);
                        word = if self.full { None } else { self.words.try_recv().ok() };
                    }
                }
                () = sleep(FULL), if self.full => self.full = false,
                sent = sent => {
                    if !sent {
                        return End::Stopped;
                    }
                    sending = false;
                }
                message = self.subscriber.next() => {
                    let mut message = Some(message);
                    while let Some(next) = message {
                        let Some(next) = next else {
                            return End::Failed(Error::server("read the inbox", "the connection was closed"));
                        };
                        if let Err(error) = self.take(next).await {
                            return End::Failed(error);
                        }
                        // All that is there.
                        message = self.subscriber.next().now_or_never();
                    }
                }
                _ = check.tick() => if let Err(error) = self.check().await {
                    return End::Failed(error);
                },
                _ = alive.tick(), if self.settings.keep_alive => self.keep_alive(),
            }
        }
    }

    /// Asks for as many values as there is room for, if few are in the channel or under way to it, or if many are done.
    fn ask(&mut self, inside: usize, capacity: usize) {
        let asked = self.missing();
        let room = self.limit.saturating_sub(self.held.len() + asked);
        let few = asked + inside + self.backlog.len() <= capacity / 4;
        if room == 0 || !few && room < self.limit.div_ceil(8) || !self.nats.is_connected() {
            return;
        }
        let number = self.next_request;
        self.next_request += 1;
        let reply = format!("{}.{number}", self.inbox);
        at_once(self.request(reply, room, REQUEST));
        // What was not sent is asked for again when it is late.
        self.requests.push_back(Request {
            number,
            missing: room,
            until: Instant::now() + REQUEST + LATE,
        });
    }

    /// The future does not hold the worker, whose values need not be `Sync`.
    fn request(
        &self,
        reply: String,
        values: usize,
        expires: Duration,
    ) -> impl Future<Output = ()> + Send + use<T, C> {
        let (stream, consumer) = (&self.settings.stream, &self.settings.consumer);
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        let expires = expires.as_nanos();
        let request = format!(r#"{{"batch":{values},"expires":{expires}}}"#);
        let client = self.desk.client.clone();
        async move {
            let published = client.publish_with_reply(subject, reply, request.into());
            if let Err(error) = published.await {
                tracing::warn!("cannot ask for values: {error}");
            }
        }
    }

    /// How many values are to come.
    fn missing(&self) -> usize {
        self.requests.iter().map(|request| request.missing).sum()
    }

    async fn take(&mut self, message: Message) -> Result<(), Error> {
        self.received(&message);
        if let Some(status) = message.status {
            return self.answer(status, &message).await;
        }
        let Some(about) = about(&message) else {
            tracing::warn!("a message on {:?} is not from a stream", message.subject);
            return Ok(());
        };
        count(&self.counters.taken);
        if about.deliveries > 1 {
            count(&self.counters.again);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let headers = message.headers.as_ref();
        let written = headers
            .and_then(|headers| headers.get(HEADER))
            .map(|codec| codec.as_str().to_owned());
        let payload = message.payload.clone();
        let held = Held {
            reply: about.reply.clone(),
            message: self.settings.dead_letters.is_some().then_some(message),
            sequence: about.sequence,
            deliveries: about.deliveries,
        };
        self.held.insert(ticket, held);

        if let Some(max) = self.settings.max_deliveries
            && about.deliveries > max
        {
            self.settle(Word::Reject(
                ticket,
                format!("it was delivered {max} times"),
            ));
            return Ok(());
        }
        let codec = self.settings.codec.name();
        if let Some(written) = written
            && written != codec
        {
            // A setting is wrong, and not the value, which goes back with the rest.
            self.desk.words.try_send(Word::Return(ticket, None)).ok();
            return Err(Error::OtherCodec {
                stream: self.settings.stream.clone(),
                sequence: about.sequence,
                written,
                codec,
            });
        }
        match self.settings.codec.decode(&payload) {
            Ok(value) => {
                self.backlog
                    .push_back(Delivery::new(value, ticket, about, self.desk.clone()))
            }
            Err(error) => {
                count(&self.counters.unreadable);
                self.settle(Word::Reject(
                    ticket,
                    format!("it cannot be read as {codec}: {error}"),
                ));
            }
        }
        Ok(())
    }

    /// What the server says instead of a value.
    async fn answer(&mut self, status: StatusCode, message: &Message) -> Result<(), Error> {
        match status.as_u16() {
            100 | 404 | 408 => Ok(()),
            code => {
                tracing::debug!("the server answers {code}: {:?}", message.description);
                self.is_there().await
            }
        }
    }

    /// Drops requests that the server has forgotten.
    async fn check(&mut self) -> Result<(), Error> {
        while self.burials.try_join_next().is_some() {}
        if !self.nats.is_connected() {
            return Ok(());
        }
        let connects = self.nats.connects();
        if connects != self.connects {
            self.connects = connects;
            self.requests.clear();
            return Ok(());
        }
        let (now, before) = (Instant::now(), self.requests.len());
        self.requests.retain(|request| request.until > now);
        if self.requests.len() == before {
            return Ok(());
        }
        // Requests that the server keeps are answered when they end.
        self.is_there().await
    }

    /// Whether stream and consumer are there. What cannot be told now is told later.
    async fn is_there(&mut self) -> Result<(), Error> {
        let (stream, consumer) = (&self.settings.stream, &self.settings.consumer);
        match self.nats.context().get_stream(stream).await {
            Ok(found) => match found.consumer_info(consumer).await {
                Ok(_) => {}
                Err(error)
                    if error.to_string().contains("10014")
                        || error.to_string().contains("not found") =>
                {
                    return Err(Error::ConsumerGone {
                        stream: stream.clone(),
                        consumer: consumer.clone(),
                    });
                }
                Err(error) => tracing::warn!("cannot look at the consumer {consumer:?}: {error}"),
            },
            Err(error) if is_no_stream(&error.kind()) => {
                return Err(Error::StreamGone {
                    stream: stream.clone(),
                });
            }
            Err(error) => tracing::warn!("cannot look at the stream {stream:?}: {error}"),
        }
        match self.nats.refusal("$JS.API.CONSUMER.MSG.NEXT") {
            Some(said) => Err(Error::NotAllowed {
                setting: "consumer",
                value: consumer.clone(),
                said,
            }),
            None => Ok(()),
        }
    }

    fn keep_alive(&self) {
        if self.nats.is_connected() {
            keep_alive(&self.desk.client, &self.held);
        }
    }

    /// What cannot be said now is said later.
    fn settle(&mut self, word: Word) {
        let unsaid = settle(
            &self.nats,
            &self.settings,
            &self.counters,
            &mut self.held,
            &mut self.burials,
            word,
        );
        if let Some(word) = unsaid {
            self.full = true;
            self.desk.words.try_send(word).ok();
        }
    }

    /// Gives back what was taken and did not get into the channel.
    async fn return_the_rest(&mut self) {
        self.backlog.clear();
        let connected = self.nats.is_connected();
        for reply in self.end_requests(connected).await {
            count(&self.counters.taken);
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            let held = Held {
                reply,
                message: None,
                sequence: 0,
                deliveries: 0,
            };
            self.held.insert(ticket, held);
            self.desk.words.try_send(Word::Return(ticket, None)).ok();
        }
        let told = async {
            while let Ok(word) = self.words.try_recv() {
                self.settle(word);
                if std::mem::take(&mut self.full) {
                    sleep(FULL).await;
                }
            }
            self.desk.client.flush().await
        };
        if !connected || timeout(DRAIN, told).await.is_err() {
            tracing::warn!("the server is away: what was taken goes back when it is there again");
        }
    }

    /// Ends what the server was asked for, and returns where to answer to what comes meanwhile.
    ///
    /// The server drops a request whose inbox is gone when it comes upon it, and what it has sent there by then it
    /// delivers again. But while it has only such requests, server 2.9 takes what it is to deliver again for
    /// delivered, until `ack_wait` is over. So there is another request before the inbox goes, and nothing goes
    /// back before that has ended: then the server has come upon all of them.
    async fn end_requests(&mut self, connected: bool) -> Vec<Subject> {
        let mut rest = Vec::new();
        if !connected {
            while let Some(Some(message)) = self.subscriber.next().now_or_never() {
                rest.extend(message.reply);
            }
            return rest;
        }
        let client = self.desk.client.clone();
        let missing = self.missing();
        let asked = async {
            let mut last = None;
            if missing > 0 {
                let inbox = client.new_inbox();
                last = client.subscribe(inbox.clone()).await.ok();
                self.request(inbox, missing + 1, LAST_REQUEST).await;
            }
            self.subscriber.drain().await.ok();
            last
        };
        let Ok(last) = timeout(DRAIN, asked).await else {
            return rest;
        };
        read_all(&mut self.subscriber, &mut rest, |_| false).await;
        if let Some(mut last) = last {
            let mut to_come = missing + 1;
            let ended = |message: &Message| {
                to_come -= usize::from(message.status.is_none());
                to_come == 0 || message.status.is_some_and(|status| status.as_u16() != 100)
            };
            read_all(&mut last, &mut rest, ended).await;
            last.unsubscribe().await.ok();
        }
        rest
    }

    /// A request has ended, or one value less is to come.
    fn received(&mut self, message: &Message) {
        let Some(status) = message.status else {
            self.less(1);
            return;
        };
        // A heartbeat ends nothing.
        if status.as_u16() == 100 {
            return;
        }
        let number = message.subject.rsplit('.').next();
        let number = number.and_then(|number| number.parse::<u64>().ok());
        let at = self
            .requests
            .iter()
            .position(|request| Some(request.number) == number);
        let known = at
            .and_then(|at| self.requests.remove(at))
            .map_or(0, |request| request.missing);
        let headers = message.headers.as_ref();
        let left = headers
            .and_then(|headers| headers.get("Nats-Pending-Messages"))
            .and_then(|left| left.as_str().parse().ok())
            .unwrap_or(known);
        // What the server had delivered for another request.
        if left > known {
            self.less(left - known);
        } else if let Some(other) = self.requests.front_mut() {
            other.missing += known - left;
        }
    }

    fn less(&mut self, mut values: usize) {
        while values > 0
            && let Some(oldest) = self.requests.front_mut()
        {
            let those = values.min(oldest.missing);
            values -= those;
            oldest.missing -= those;
            if oldest.missing == 0 {
                self.requests.pop_front();
            }
        }
    }
}

/// Reads the values of a subscription, until it ends, a message ends it, or nothing comes any more.
async fn read_all(
    subscriber: &mut Subscriber,
    values: &mut Vec<Subject>,
    mut is_end: impl FnMut(&Message) -> bool,
) {
    let until = Instant::now() + DRAIN;
    while let Ok(Some(message)) = timeout_at(until, subscriber.next()).await {
        let end = is_end(&message);
        if message.status.is_none() {
            values.extend(message.reply);
        }
        if end {
            break;
        }
    }
}

/// What is left of a bridge that has ended.
struct Settling<C> {
    nats: Nats,
    settings: FromStream<C>,
    counters: Arc<Counters>,
    held: HashMap<u64, Held>,
    burials: JoinSet<()>,
}

impl<C: Codec> Settling<C> {
    async fn until_all_are_settled(mut self, words: Receiver<Word>) {
        let mut alive = interval((self.settings.ack_wait / 3).max(Duration::from_millis(10)));
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Ok(word) => {
                        let mut word = Some(word);
                        while let Some(said) = word {
                            word = settle(
                                &self.nats,
                                &self.settings,
                                &self.counters,
                                &mut self.held,
                                &mut self.burials,
                                said,
                            );
                            if word.is_some() {
                                sleep(FULL).await;
                            }
                        }
                    }
                    Err(_) => break,
                },
                _ = alive.tick(), if self.settings.keep_alive && self.nats.is_connected() => {
                    keep_alive(&self.nats.client(), &self.held);
                }
            }
        }
        while self.burials.join_next().await.is_some() {}
    }
}

/// Tells the server that all these are worked on.
fn keep_alive(client: &Client, held: &HashMap<u64, Held>) {
    for held in held.values() {
        if !say(client, held.reply.clone(), AckKind::Progress) {
            break;
        }
    }
}

/// Says something to the server, unless the client's queue is full: then the server is away, or slow.
fn say(client: &Client, reply: Subject, what: AckKind) -> bool {
    at_once(client.publish(reply, what.into())).is_some()
}

/// What a future has to say when it is polled once, whatever the task has done before.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    unconstrained(future).now_or_never()
}

/// Does as a delivery says, and returns what could not be said to the server.
fn settle<C: Codec>(
    nats: &Nats,
    settings: &FromStream<C>,
    counters: &Arc<Counters>,
    held: &mut HashMap<u64, Held>,
    burials: &mut JoinSet<()>,
    word: Word,
) -> Option<Word> {
    match word {
        Word::Done(ticket) => {
            held.remove(&ticket);
            count(&counters.acknowledged);
        }
        Word::Progress(ticket) => {
            let reply = held.get(&ticket).map(|held| held.reply.clone());
            if reply.is_some_and(|reply| !say(&nats.client(), reply, AckKind::Progress)) {
                return Some(Word::Progress(ticket));
            }
        }
        Word::Return(ticket, delay) => {
            let reply = held.get(&ticket)?.reply.clone();
            let wait = delay.filter(|delay| !delay.is_zero());
            if !say(&nats.client(), reply, AckKind::Nak(wait)) {
                return Some(Word::Return(ticket, delay));
            }
            held.remove(&ticket);
            count(&counters.returned);
        }
        Word::Reject(ticket, reason) => {
            if let Some(held) = held.remove(&ticket) {
                tracing::warn!(
                    "value {} of the stream {:?} is ended at its delivery {}: {reason}",
                    held.sequence,
                    settings.stream,
                    held.deliveries
                );
                let letters = settings.dead_letters.clone();
                burials.spawn(bury(
                    nats.clone(),
                    settings.stream.clone(),
                    letters,
                    held,
                    reason,
                    counters.clone(),
                ));
            }
        }
    }
    None
}

/// Publishes a value to the dead letters, if there are any, and ends it once that is confirmed.
async fn bury(
    nats: Nats,
    stream: String,
    letters: Option<String>,
    held: Held,
    reason: String,
    counters: Arc<Counters>,
) {
    if let (Some(letters), Some(message)) = (letters, held.message) {
        let id = format!("dead {stream} {}", held.sequence);
        if let Err(error) = publish_letter(
            &nats,
            &stream,
            &letters,
            message,
            &id,
            &reason,
            held.deliveries,
        )
        .await
        {
            tracing::error!(
                "value {} of {stream:?} cannot be published on {letters:?}: {error}",
                held.sequence
            );
            count(&counters.returned);
            nats.client()
                .publish(held.reply, AckKind::Nak(Some(BURY_AGAIN)).into())
                .await
                .ok();
            return;
        }
    }
    count(&counters.ended);
    nats.client()
        .publish(held.reply, AckKind::Term.into())
        .await
        .ok();
}

async fn publish_letter(
    nats: &Nats,
    stream: &str,
    letters: &str,
    message: Message,
    id: &str,
    reason: &str,
    deliveries: u64,
) -> Result<(), async_nats::error::Error<PublishErrorKind>> {
    let mut headers = HeaderMap::new();
    if let Some(codec) = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(HEADER))
    {
        headers.insert(HEADER, codec.clone());
    }
    let sequence = id.rsplit(' ').next().unwrap_or_default();
    // A header is one line.
    let reason: String = reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    headers.insert("Hchan-Reason", reason.as_str());
    headers.insert("Hchan-Stream", stream);
    headers.insert("Hchan-Sequence", sequence);
    headers.insert("Hchan-Subject", message.subject.as_str());
    headers.insert("Hchan-Deliveries", deliveries.to_string().as_str());
    let letter = PublishMessage::build()
        .payload(message.payload)
        .headers(headers)
        .message_id(id);
    nats.context()
        .send_publish(letters.to_owned(), letter)
        .await?
        .await?;
    Ok(())
}

/// What the subject for the answer says of a message: `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>. …`, or
/// with a domain and an account before the stream.
fn about(message: &Message) -> Option<About> {
    let reply = message.reply.clone()?;
    let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let at = match tokens.len() {
        7 => 2,
        9.. => 4,
        _ => return None,
    };
    let (deliveries, sequence) = (tokens[at].parse().ok()?, tokens[at + 1].parse().ok()?);
    let headers = message.headers.as_ref();
    let id = headers.and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID));
    Some(About {
        sequence,
        deliveries,
        id: id.map(|id| id.as_str().into()),
        subject: message.subject.clone(),
        reply,
    })
}

#[cfg(test)]
mod tests {
    use super::{Message, about};

    fn message(reply: &str) -> Message {
        Message {
            subject: "words".into(),
            reply: Some(reply.into()),
            payload: Default::default(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn both_forms_of_the_answer_are_read() {
        for reply in [
            "$JS.ACK.S.C.3.17.5.1700000000.0",
            "$JS.ACK._.hash.S.C.3.17.5.1700000000.0.token",
        ] {
            let about = about(&message(reply)).unwrap();
            assert_eq!((about.deliveries, about.sequence), (3, 17), "{reply}");
        }
        for reply in [
            "_INBOX.1",
            "$JS.ACK.S.C.3",
            "$JS.ACK.S.C.x.17.5.1700000000.0",
        ] {
            assert!(about(&message(reply)).is_none(), "{reply}");
        }
    }
}
