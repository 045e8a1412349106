//! Ruling A5: a right that was taken away stops the sends that are on their way, too. The senders
//! hold proofs from before the change, so that nothing but the write itself can refuse them.

use super::{Chat, heard_so_far};
use parlance_core::account::Authority;
use parlance_core::event::Kind;
use parlance_core::send::NewMessage;
use parlance_core::{Access, Caller, Core, Error, Perm};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const SENDERS: usize = 64;
/// Answers before the right is taken away, so that all senders are in full swing.
const WARM: usize = 256;

/// Senders who go on until they are refused.
struct Storm {
    tasks: Vec<JoinHandle<Error>>,
    /// Set once the change was answered: no send that begins later may succeed.
    changed: Arc<AtomicBool>,
    warm: Arc<Notify>,
}

impl Storm {
    fn begin(core: &Core, senders: &[(Caller, Access)]) -> Self {
        let (changed, warm) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let answered = Arc::new(AtomicUsize::new(0));
        let tasks = (0..SENDERS)
            .map(|n| {
                let ((caller, access), core) = (senders[n % senders.len()].clone(), core.clone());
                let (changed, warm, answered) = (changed.clone(), warm.clone(), answered.clone());
                tokio::spawn(async move {
                    loop {
                        let late = changed.load(Ordering::SeqCst);
                        match core.send(&caller, &access, NewMessage::text("on its way")).await {
                            Ok(_) => assert!(!late, "a send succeeded after the change"),
                            Err(refusal) => return refusal,
                        }
                        if answered.fetch_add(1, Ordering::SeqCst) + 1 == WARM {
                            warm.notify_one();
                        }
                    }
                })
            })
            .collect();
        Self { tasks, changed, warm }
    }

    /// Makes the change in the middle of it all; the refusals of all senders.
    async fn meet(self, change: impl Future<Output = parlance_core::Result<()>>) -> Vec<Error> {
        super::soon("the senders", self.warm.notified()).await;
        change.await.unwrap();
        self.changed.store(true, Ordering::SeqCst);
        let mut refusals = Vec::new();
        for task in self.tasks {
            refusals.push(super::soon("a refusal", task).await.unwrap());
        }
        refusals
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_send_passes_a_room_that_was_made_read_only() {
    let chat = Chat::start().await;
    let (admin, _) = super::person(&chat.core, "boss", &["admin"]).await;
    let mut senders = Vec::new();
    for n in 0..8 {
        senders.push((chat.callers[n].clone(), chat.in_group(n).await));
    }
    let core = &chat.core;
    let mut ears = core.listen(100_000);
    let right = core.admin(&admin, Perm::EditRoom).unwrap();
    let room = chat.group.as_str().into();
    let storm = Storm::begin(core, &senders);
    let refusals = storm.meet(core.set_read_only(right, &room, true)).await;
    assert!(refusals.iter().all(|error| matches!(error, Error::ReadOnly)), "{refusals:?}");
    let heard = heard_so_far(core, &mut ears).await;
    let changed = heard.iter().position(|event| event.kind == Kind::RoomChanged).unwrap();
    assert!(heard[..changed].len() >= WARM);
    assert!(heard[changed..].iter().all(|event| event.kind != Kind::MessageNew));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_send_passes_a_block_from_either_side() {
    let chat = Chat::start().await;
    let mine = chat.in_pair(0, 0).await;
    let senders = [
        (chat.callers[0].clone(), mine.clone()),
        (chat.callers[1].clone(), chat.in_pair(1, 0).await),
    ];
    let core = &chat.core;
    let mut ears = core.listen(100_000);
    let storm = Storm::begin(core, &senders);
    let refusals = storm.meet(core.set_block(&chat.callers[0], &mine, true)).await;
    assert!(refusals.iter().all(|error| matches!(error, Error::Blocked)), "{refusals:?}");
    let heard = heard_so_far(core, &mut ears).await;
    let changed = heard.iter().position(|event| event.kind == Kind::RoomChanged).unwrap();
    assert!(heard[changed..].iter().all(|event| event.kind != Kind::MessageNew));
    // Taken back, both may write again.
    core.set_block(&chat.callers[0], &mine, false).await.unwrap();
    for (caller, access) in &senders {
        core.send(caller, access, NewMessage::text("again")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reaction_passes_a_block() {
    let chat = Chat::start().await;
    let (core, mine) = (&chat.core, chat.in_pair(0, 0).await);
    let answered = Arc::new(AtomicUsize::new(0));
    let warm = Arc::new(Notify::new());
    let mut tasks = Vec::new();
    for n in 0..8 {
        let text = super::named(&format!("liked-{n}"), "like me");
        let id = core.send(&chat.callers[0], &mine, text).await.unwrap().message.id;
        let (core, caller) = (core.clone(), chat.callers[1].clone());
        let (answered, warm) = (answered.clone(), warm.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                if let Err(refusal) = core.react(&caller, id.as_str(), ":smile:", None).await {
                    return refusal;
                }
                if answered.fetch_add(1, Ordering::SeqCst) + 1 == WARM {
                    warm.notify_one();
                }
            }
        }));
    }
    let mut ears = core.listen(100_000);
    super::soon("the reactions", warm.notified()).await;
    core.set_block(&chat.callers[0], &mine, true).await.unwrap();
    for task in tasks {
        let refusal = super::soon("a refusal", task).await.unwrap();
        assert!(matches!(refusal, Error::Blocked), "{refusal:?}");
    }
    let heard = heard_so_far(core, &mut ears).await;
    let changed = heard.iter().position(|event| event.kind == Kind::RoomChanged).unwrap();
    assert!(heard[changed..].iter().all(|event| event.kind != Kind::MessageChanged));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_send_of_a_deactivated_account_passes_and_nobody_writes_to_it() {
    let chat = Chat::start().await;
    // The account itself in a 1:1 room and in a group, and its partner in the 1:1 room.
    let (gone, partner) = (&chat.callers[0], &chat.callers[1]);
    let senders = [
        (gone.clone(), chat.in_pair(0, 0).await),
        (gone.clone(), chat.in_group(0).await),
        (partner.clone(), chat.in_pair(1, 0).await),
        (gone.clone(), chat.in_pair(0, 7).await),
    ];
    let core = &chat.core;
    let mut ears = core.listen(100_000);
    let storm = Storm::begin(core, &senders);
    let refusals = storm.meet(core.set_active(Authority::Operator, gone.id(), false)).await;
    let expected = |error: &Error| matches!(error, Error::NotAllowed | Error::ReadOnly);
    assert!(refusals.iter().all(expected), "{refusals:?}");
    let heard = heard_so_far(core, &mut ears).await;
    let is_change = |kind, id: &str| kind == Kind::User && id == gone.id().as_str();
    // The last one: on a slow machine the account's making is heard here too.
    let changed = heard.iter().rposition(|event| is_change(event.kind, &event.reference)).unwrap();
    assert!(heard[changed..].iter().all(|event| event.kind != Kind::MessageNew));
    // Others go on in the group.
    core.send(partner, &chat.in_group(1).await, NewMessage::text("bye")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_that_are_refused_leave_the_others_of_their_group_alone() {
    let chat = Chat::start().await;
    let core = &chat.core;
    let access = chat.in_group(0).await;
    core.send(&chat.callers[0], &access, super::named("taken", "the first")).await.unwrap();
    for round in 0..16 {
        let tasks: Vec<_> = (0..SENDERS)
            .map(|n| {
                let (core, caller, access) =
                    (core.clone(), chat.callers[0].clone(), access.clone());
                let new = if n % 2 == 0 {
                    super::named("taken", "another text")
                } else {
                    super::named(&format!("good-{round}-{n}"), "fine")
                };
                tokio::spawn(async move { core.send(&caller, &access, new).await })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            let result = task.await.unwrap();
            if n % 2 == 0 {
                assert!(matches!(result, Err(Error::DuplicateMessage)), "{result:?}");
            } else {
                result.unwrap();
            }
        }
    }
    let messages = super::stored(core, &chat.callers[0], &chat.group).await;
    assert_eq!(messages.len(), 1 + 16 * SENDERS / 2);
    assert_eq!(messages[0].msg, "the first");
    let access = chat.in_group(1).await;
    // A refused change moved no counter either.
    assert_eq!(access.member().unread(access.room()), messages.len() as i64);
    let sql = "SELECT count(*) FROM events WHERE kind = 'message.new'";
    assert_eq!(super::number(&chat.database, sql).await, messages.len() as i64);
}
