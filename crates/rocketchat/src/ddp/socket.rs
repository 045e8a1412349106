//! One socket's task: what comes in, one message at a time; what is told, as it comes; and time. Nothing
//! here waits for a client: who reads too slowly is cut off, who is silent is asked for a sign of life,
//! and who gives none is let go.

use super::frame::{self, Broken, Frame};
use super::session::{Session, Step, Work};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use parlance_core::notice::{Delivery, Notice};
use parlance_core::{Clock, Ms};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Silence of the protocol after which the server asks for a sign of life, and for how long it waits for
/// one then (contract section 11.2), in milliseconds.
const SILENCE: Ms = 30_000;
/// The same below the protocol, where the client's library answers by itself: how a connection that is
/// only half open is found within half a minute. Counts only for clients that have answered so before.
const STILL: Ms = 14_000;
/// How long a client may leave unread what is written to it, in milliseconds.
const UNREAD: Ms = 30_000;
/// Messages after which what waits is written before more is taken.
const TOGETHER: usize = 256;
/// How long the end may take.
const PARTING: Duration = Duration::from_secs(1);

/// What messages are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clothes {
    None,
    SockJs,
}

/// Why a socket ends, as its client is told: a code and a reason. `None` when it is gone already.
type End = Option<(u16, &'static str)>;

const GONE: End = None;
const TIMEOUT: End = Some((4000, "TIMEOUT"));
const UNSUPPORTED: End = Some((1007, "UNSUPPORTED_DATA"));
/// Try again: the server stops, or the client was too slow and has something to fetch.
const RESTART: End = Some((1012, "RECONNECT"));
const SLOW: End = Some((1013, "RECONNECT"));
const OVER: End = Some((1008, "LOGGED_OUT"));
const FAULT: End = Some((1011, "INTERNAL_ERROR"));

/// When something was last heard, and what was asked since.
struct Life {
    clock: Clock,
    /// A message of the protocol.
    spoke: Ms,
    asked: Option<Ms>,
    /// Anything at all.
    stirred: Ms,
    poked: Option<Ms>,
    answers: bool,
}

impl Life {
    fn new(clock: Clock) -> Self {
        let now = clock.now();
        Self { clock, spoke: now, asked: None, stirred: now, poked: None, answers: false }
    }

    fn spoke(&mut self) {
        self.spoke = self.clock.now();
        self.asked = None;
        self.stirred();
    }

    fn stirred(&mut self) {
        self.stirred = self.clock.now();
        self.poked = None;
    }

    /// When there is next something to do.
    fn next(&self) -> Ms {
        let still = match (self.poked, self.answers) {
            (None, _) => self.stirred + STILL,
            (Some(poked), true) => poked + STILL,
            (Some(_), false) => Ms::MAX,
        };
        still.min(self.asked.unwrap_or(self.spoke) + SILENCE)
    }

    /// Has the client been given its time to answer, whatever the clock did meanwhile?
    fn is_over(&self, now: Ms) -> bool {
        let over = |since: Option<Ms>, time| since.is_some_and(|since| now >= since + time);
        over(self.asked, SILENCE) || (self.answers && over(self.poked, STILL))
    }
}

struct Line {
    ws: WebSocket,
    clothes: Clothes,
    session: Session,
    life: Life,
    work: Option<Work>,
    /// Messages that came together in SockJS clothes and wait for their turn.
    waiting: VecDeque<String>,
}

/// Serves a socket until it ends.
pub(super) async fn run(ws: WebSocket, session: Session, clothes: Clothes) {
    let clock = session.edge.core().clock().clone();
    let life = Life::new(clock);
    let mut line = Line { ws, clothes, session, life, work: None, waiting: VecDeque::new() };
    let end = line.serve().await;
    line.part(end).await;
}

impl Line {
    async fn serve(&mut self) -> End {
        if self.clothes == Clothes::SockJs
            && let Err(end) = self.write(vec![Message::Text("o".into())]).await
        {
            return end;
        }
        if let Err(end) = self.say(vec![frame::GREETING.to_owned()]).await {
            return end;
        }
        let mut stopping = self.session.edge.stopping();
        loop {
            let turn = tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => Err(RESTART),
                turn = self.turn() => turn,
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    /// One thing that happens.
    async fn turn(&mut self) -> Result<(), End> {
        if self.work.is_none() {
            if let Some(text) = self.waiting.pop_front() {
                return self.take(&text).await;
            }
            self.work = self.session.replay();
        }
        let expires = self.session.caller.as_ref().and_then(parlance_core::Caller::expires);
        // While a call runs nothing is read, and nobody is silent.
        let silent = if self.work.is_some() { Ms::MAX } else { self.life.next() };
        let due = silent.min(expires.unwrap_or(Ms::MAX));
        let clock = self.life.clock.clone();
        let Self { ws, session, work, .. } = self;
        let behind = session.is_behind();
        let told = async {
            match session.socket.as_mut().filter(|_| !behind) {
                Some(socket) => socket.next().await,
                None => std::future::pending().await,
            }
        };
        let busy = work.is_some();
        let working = async {
            match work.as_mut() {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = working => {
                self.work = None;
                self.life.spoke();
                let frames = self.session.done(done);
                self.say(frames).await
            }
            told = told => match told {
                Some(delivery) => self.tell(delivery).await,
                None => Err(SLOW),
            },
            message = ws.recv(), if !busy => match message {
                Some(Ok(message)) => self.hear(message).await,
                Some(Err(error)) => Err(unreadable(&error)),
                None => Err(GONE),
            },
            () = clock.sleep_until(due), if due < Ms::MAX => self.tick().await,
        }
    }

    /// A frame came.
    async fn hear(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => {
                self.life.spoke();
                if self.clothes == Clothes::None {
                    return self.take(&text).await;
                }
                self.waiting = frame::undressed(&text).map_err(|_| UNSUPPORTED)?.into();
                Ok(())
            }
            Message::Binary(_) => Err(UNSUPPORTED),
            Message::Ping(_) => {
                self.life.stirred();
                Ok(())
            }
            Message::Pong(_) => {
                self.life.stirred();
                self.life.answers = true;
                Ok(())
            }
            Message::Close(_) => Err(GONE),
        }
    }

    /// A message of the protocol.
    async fn take(&mut self, text: &str) -> Result<(), End> {
        let step = match Frame::read(text) {
            Ok(frame) => self.session.take(frame),
            Err(Broken::Data) => return Err(UNSUPPORTED),
            Err(Broken::Request) => Step::Say(vec![frame::bad("Bad request")]),
        };
        match step {
            Step::Say(frames) => self.say(frames).await,
            Step::Work(work) => {
                self.work = Some(work);
                Ok(())
            }
            Step::Close(frames, code, reason) => {
                self.say(frames).await?;
                Err(Some((code, reason)))
            }
        }
    }

    /// Tells what waits to be told, much of it in one write.
    async fn tell(&mut self, first: Arc<Delivery>) -> Result<(), End> {
        let mut frames = Vec::new();
        let mut next = Some(first);
        while let Some(delivery) = next {
            match &delivery.notice {
                Notice::Account(_) | Notice::Sessions => {
                    let told = match &delivery.notice {
                        Notice::Account(user) => Some(user),
                        _ => None,
                    };
                    match self.session.renew(told).await {
                        Ok(true) => {}
                        Ok(false) => {
                            frames.extend(self.session.forced_out());
                            self.say(frames).await?;
                            return Err(OVER);
                        }
                        Err(_) => return Err(FAULT),
                    }
                }
                Notice::Position(position) => frames.push(frame::position(*position)),
                _ => {}
            }
            frames.extend(self.session.hear(&delivery));
            let socket = self.session.socket.as_mut().filter(|_| frames.len() < TOGETHER);
            next = socket.and_then(parlance_core::socket::Socket::try_next);
        }
        self.say(frames).await
    }

    /// Time passed.
    async fn tick(&mut self) -> Result<(), End> {
        let now = self.life.clock.now();
        let over = |caller: &parlance_core::Caller| caller.expires().is_some_and(|at| at <= now);
        if self.session.caller.as_ref().is_some_and(over) {
            let frames = self.session.forced_out();
            self.say(frames).await?;
            return Err(OVER);
        }
        if self.work.is_some() {
            return Ok(());
        }
        let mut out = Vec::new();
        let life = &mut self.life;
        if life.is_over(now) {
            return Err(TIMEOUT);
        }
        if now >= life.stirred + STILL && life.poked.is_none() {
            life.poked = Some(now);
            out.push(Message::Ping(Vec::new().into()));
        }
        if now >= life.spoke + SILENCE && life.asked.is_none() {
            life.asked = Some(now);
            if self.clothes == Clothes::SockJs {
                out.push(Message::Text("h".into()));
            }
            out.push(self.dressed(frame::beat("ping", None)));
        }
        self.write(out).await
    }

    fn dressed(&self, frame: String) -> Message {
        match self.clothes {
            Clothes::None => Message::Text(frame.into()),
            Clothes::SockJs => Message::Text(frame::dressed(&frame).into()),
        }
    }

    async fn say(&mut self, frames: Vec<String>) -> Result<(), End> {
        let messages = frames.into_iter().map(|frame| self.dressed(frame)).collect();
        self.write(messages).await
    }

    /// Writes, unless the client does not read: then it is given up when its queue is full, or when it
    /// has read nothing for too long.
    async fn write(&mut self, messages: Vec<Message>) -> Result<(), End> {
        if messages.is_empty() {
            return Ok(());
        }
        let Self { ws, session, life, .. } = self;
        let writing = async {
            for message in messages {
                ws.feed(message).await?;
            }
            ws.flush().await
        };
        let cut = async {
            match &session.socket {
                Some(socket) => socket.cut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            written = writing => written.map_err(|_| GONE),
            () = cut => Err(SLOW),
            () = life.clock.sleep(UNREAD) => Err(SLOW),
        }
    }

    /// Says why, and waits a moment for the client to say that it understood.
    async fn part(mut self, end: End) {
        // Nothing is told any more; what runs is given up.
        self.session.socket = None;
        self.work = None;
        let goodbye = async {
            if let Some((code, reason)) = end {
                if self.clothes == Clothes::SockJs {
                    let last = format!(r#"c[{code},"{reason}"]"#);
                    let _ = self.ws.send(Message::Text(last.into())).await;
                }
                let frame = CloseFrame { code, reason: reason.into() };
                if self.ws.send(Message::Close(Some(frame))).await.is_err() {
                    return;
                }
            }
            // A client that closes is answered by reading on to the end.
            while let Some(Ok(_)) = self.ws.recv().await {}
        };
        let _ = tokio::time::timeout(PARTING, goodbye).await;
    }
}

/// What cannot be read ends the socket: too large, not UTF-8, against the rules, or broken off.
fn unreadable(error: &axum::Error) -> End {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("too long") || text.contains("too large") || text.contains("Space limit") {
            return Some((1009, "TOO_LARGE"));
        }
        if text.contains("UTF-8") {
            return UNSUPPORTED;
        }
        cause = error.source();
    }
    GONE
}
