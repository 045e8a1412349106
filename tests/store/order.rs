//! Rulings A3 and A4: of many sends at once, the log, the times and the answers tell one order.

use super::{Chat, heard_until, stored};
use crate::app::{START, fresh_database, on_postgres};
use parlance_core::event::{Event, Kind};
use parlance_core::send::NewMessage;
use parlance_core::{Access, Caller, Clock, Core, StoreOptions};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SENDS: usize = 10_000;
const WRITERS: usize = 64;

/// What a send was answered with.
struct Answered {
    room: String,
    id: String,
    ts: i64,
}

/// Sends from many tasks at once: every second one into the group, the others all over the pairs.
async fn storm(
    chat: &Chat,
    cores: &[Core],
    halfway: impl Fn() + Send + Sync + 'static,
) -> Vec<Answered> {
    let mut places: Vec<(Caller, Access, Access)> = Vec::new();
    for (n, caller) in chat.callers.iter().enumerate() {
        places.push((caller.clone(), chat.in_group(n).await, chat.in_pair(n, n).await));
    }
    let (next, halfway) = (Arc::new(AtomicUsize::new(0)), Arc::new(halfway));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (caller, group, pair) = places[writer % places.len()].clone();
            let core = cores[writer % cores.len()].clone();
            let (next, halfway) = (next.clone(), halfway.clone());
            tokio::spawn(async move {
                let mut answered = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= SENDS {
                        return answered;
                    }
                    if n == SENDS / 2 {
                        halfway();
                    }
                    let access = if n.is_multiple_of(2) { &group } else { &pair };
                    let new = NewMessage::text(format!("number {n}"));
                    let message = core.send(&caller, access, new).await.unwrap().message;
                    let (room, id) = (message.room.to_string(), message.id.to_string());
                    answered.push(Answered { room, id, ts: message.ts });
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    all
}

/// The events of the sends, and the check that there is exactly one of each, in one order.
fn check(heard: &[Arc<Event>], answered: &[Answered]) -> HashMap<String, Vec<String>> {
    assert!(heard.is_sorted_by(|a, b| a.position < b.position), "positions rise strictly");
    let mut times: HashMap<&str, &Answered> =
        answered.iter().map(|answer| (answer.id.as_str(), answer)).collect();
    assert_eq!(times.len(), answered.len(), "ids are different");
    let mut rooms: HashMap<String, Vec<String>> = HashMap::new();
    let mut newest: HashMap<&str, i64> = HashMap::new();
    for event in heard.iter().filter(|event| event.kind == Kind::MessageNew) {
        let answer = times.remove(event.reference.as_str()).expect("one event for each answer");
        assert_eq!(event.room.as_ref().unwrap().as_str(), answer.room);
        assert_eq!(event.at, answer.ts, "the event has the time of the answer");
        let before = newest.insert(&answer.room, answer.ts);
        assert!(before.is_none_or(|before| before < answer.ts), "a room's times rise strictly");
        rooms.entry(answer.room.clone()).or_default().push(answer.id.clone());
    }
    assert!(times.is_empty(), "every send has its event");
    rooms
}

/// What is stored is what was answered, in the order of the log.
async fn check_stored(chat: &Chat, rooms: &HashMap<String, Vec<String>>, answered: &[Answered]) {
    let times: HashMap<&str, i64> = answered.iter().map(|a| (a.id.as_str(), a.ts)).collect();
    for (room, order) in rooms {
        let who = chat.pairs.iter().position(|pair| pair == room).unwrap_or(0);
        let messages = stored(&chat.core, &chat.callers[who], room).await;
        let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids, order.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(messages.iter().all(|message| times[message.id.as_str()] == message.ts));
        let access = chat.core.access(&chat.callers[who], room).await.unwrap();
        let (room, last) = (access.room(), messages.last().unwrap());
        let count = messages.len() as i64;
        assert_eq!((room.seq, room.msgs, room.stored), (count, count, count));
        assert_eq!((room.last_id.as_ref(), room.lm), (Some(&last.id), Some(last.ts)));
    }
}

fn report(what: &str, began: tokio::time::Instant) {
    let took = began.elapsed();
    let rate = SENDS as f64 / took.as_secs_f64();
    let engine = if on_postgres() { "PostgreSQL" } else { "SQLite" };
    eprintln!("{what}, {engine}: {SENDS} sends in {took:.1?}, {rate:.0} a second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_times_and_answers_of_many_sends_agree_though_the_clock_steps_back() {
    let clock = Clock::set(START);
    let chat = Chat::start_with(fresh_database().await, clock.clone()).await;
    let mut ears = chat.core.listen(SENDS + 1000);
    let began = tokio::time::Instant::now();
    let hand = clock.clone();
    let cores = [chat.core.clone()];
    let answered = storm(&chat, &cores, move || hand.move_to(START - 3_600_000)).await;
    report("one node", began);
    // The clock stands, so a log with gaps is looked at again only by its commits: this is one.
    chat.core.ready().await.unwrap();
    let mut left = SENDS;
    let heard = heard_until(&mut ears, |event| {
        left -= usize::from(event.kind == Kind::MessageNew);
        left == 0
    });
    let rooms = check(&heard.await, &answered);
    assert_eq!((rooms.len(), rooms[&chat.group].len()), (9, SENDS / 2));
    assert_eq!(clock.now(), START - 3_600_000);
    check_stored(&chat, &rooms, &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_on_one_database_hear_the_same_in_the_same_order() {
    if !on_postgres() {
        return;
    }
    let chat = Chat::start().await;
    let other = super::reopen(&chat.database, StoreOptions::default(), Clock::default()).await;
    let mut ears = [chat.core.listen(SENDS + 1000), other.listen(SENDS + 1000)];
    let began = tokio::time::Instant::now();
    let cores = [chat.core.clone(), other.clone()];
    let answered = storm(&chat, &cores, || ()).await;
    report("two nodes", began);
    let mut orders = Vec::new();
    for ears in &mut ears {
        let mut left = SENDS;
        let heard = heard_until(ears, |event| {
            left -= usize::from(event.kind == Kind::MessageNew);
            left == 0
        });
        let heard = heard.await;
        let rooms = check(&heard, &answered);
        check_stored(&chat, &rooms, &answered).await;
        let sends = heard.iter().filter(|event| event.kind == Kind::MessageNew);
        orders.push(sends.map(|event| event.position).collect::<Vec<_>>());
    }
    assert_eq!(orders[0], orders[1]);
}
