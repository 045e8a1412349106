//! Find-or-create: one room per member set, however many ask for it at once.

use super::Chat;
use parlance_core::account::{Authority, NewUser};
use parlance_core::list::ListQuery;
use parlance_core::login::{Login, Password};
use parlance_core::open::Opened;
use parlance_core::{Caller, Core};
use std::collections::BTreeSet;

const CALLS: usize = 64;

/// Opens the conversation of these people from all of their sides at once.
async fn rush(core: &Core, members: &[Caller]) -> Vec<Opened> {
    let tasks: Vec<_> = (0..CALLS)
        .map(|n| {
            let (core, caller) = (core.clone(), members[n % members.len()].clone());
            let mut names: Vec<String> =
                members.iter().map(|member| member.user().handle().to_owned()).collect();
            // Everybody in another order.
            names.rotate_left(n / members.len() % members.len());
            tokio::spawn(async move {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                core.open_direct(&caller, &names, false).await
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(super::soon("a room", task).await.unwrap().unwrap());
    }
    all
}

/// One room for all calls, made once, with every member once.
async fn check(core: &Core, members: &[Caller], opened: &[Opened]) -> String {
    let ids: BTreeSet<&str> = opened.iter().map(|opened| opened.room.id.as_str()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(opened.iter().filter(|opened| opened.created).count(), 1);
    let room = &opened[0].room;
    for member in members {
        let found = core.conversation(member, &room.id).await.unwrap();
        let those: BTreeSet<_> = found.members.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(those, members.iter().map(|member| member.id().clone()).collect());
        assert_eq!(found.members.len(), members.len());
        let first = ListQuery::first(100);
        let list = core.dm_list(member, &first, std::sync::Arc::new(|_| serde_json::Value::Null));
        let list = list.await.unwrap();
        assert_eq!(list.items.iter().filter(|listed| listed.id == room.id).count(), 1);
    }
    room.id.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_from_all_sides_make_one_room() {
    let chat = Chat::start().await;
    let mut rooms = BTreeSet::new();
    // 1:1 (not neighbours: those have a room), groups, oneself.
    for members in [&[0, 4][..], &[1, 6], &[0, 1, 2], &[5, 3, 1, 7], &[2]] {
        let members: Vec<Caller> = members.iter().map(|n| chat.callers[*n].clone()).collect();
        let opened = rush(&chat.core, &members).await;
        rooms.insert(check(&chat.core, &members, &opened).await);
    }
    assert_eq!(rooms.len(), 5);
    let events = "SELECT count(*) FROM events WHERE kind = 'room.new'";
    assert_eq!(super::number(&chat.database, events).await, 9 + 5);
}

async fn with_id(core: &Core, id: &str) -> Caller {
    let new = NewUser {
        id: Some(id.to_owned()),
        username: format!("called.{id}"),
        password: Some(Password::plain("secret").unwrap()),
        ..NewUser::default()
    };
    core.create_user(Authority::Operator, new).await.unwrap();
    let password = Password::plain("secret").unwrap();
    let token = core.login(Login::Id(id), &password).await.unwrap().token;
    core.caller(&token, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_pairs_whose_joined_ids_are_the_same_text_do_not_share_a_room() {
    let chat = Chat::start().await;
    let core = &chat.core;
    let first = [with_id(core, "ab").await, with_id(core, "c").await];
    let second = [with_id(core, "a").await, with_id(core, "bc").await];
    let opened = rush(core, &first).await;
    assert_eq!(check(core, &first, &opened).await, "abc");
    let opened = rush(core, &second).await;
    assert_ne!(check(core, &second, &opened).await, "abc");
    for foreign in &second {
        assert!(core.access(foreign, "abc").await.is_err());
    }
}
