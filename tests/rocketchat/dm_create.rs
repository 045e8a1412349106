//! `dm.create` (contract section 5.2): who gets a room with whom, once, and every refusal.

use super::{coded, grant, keys, schema, set, view};
use crate::app::{START, TestApp, TestUser, app};
use parlance_core::account::NewUser;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

async fn create(app: &TestApp, user: &TestUser, body: Value) -> Value {
    app.rocket(user).post("dm.create", body).await.ok()["room"].clone()
}

async fn rooms(app: &TestApp, user: &TestUser) -> i64 {
    app.rocket(user).get("dm.list", &[]).await.ok()["total"].as_i64().unwrap()
}

#[track_caller]
fn invalid_user(answer: &crate::app::Answer) {
    let details = json!({"method": "createDirectMessage"});
    coded(answer, "error-invalid-user", "Invalid user", &details);
}

#[tokio::test]
async fn a_room_of_two_has_the_sorted_and_joined_ids() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let answer = app.rocket(&ann).post("dm.create", json!({"username": "bob"})).await.ok();
    let mut ids = [ann.id.as_str(), bob.id.as_str()];
    ids.sort_unstable();
    let id = ids.concat();
    let room = json!({"t": "d", "rid": id, "usernames": ["ann", "bob"], "_id": id});
    assert_eq!(answer, json!({"room": room, "success": true}));
    for (user, body) in [
        (&ann, json!({"username": "bob"})),
        (&ann, json!({"usernames": "bob"})),
        (&ann, json!({"username": "BoB"})),
        (&ann, json!({"username": "@bob"})),
        (&ann, json!({"usernames": " bob , ANN,bob"})),
        (&bob, json!({"username": "ann"})),
        (&bob, json!({"username": "ann", "excludeSelf": false})),
    ] {
        assert_eq!(create(&app, user, body.clone()).await, room, "{body}");
    }
    assert_eq!((rooms(&app, &ann).await, rooms(&app, &bob).await), (1, 1));
    let alias = app.rocket(&bob).post("im.create", json!({"username": "ann"})).await.ok();
    assert_eq!(alias["room"], room);
}

#[tokio::test]
async fn the_listed_room_is_complete() {
    let app = app().await;
    let ann = app.user("ann").await;
    let bob =
        NewUser { username: "bob".to_owned(), name: "Aaron".to_owned(), ..NewUser::default() };
    let bob = app.user_with(bob).await;
    let made = create(&app, &ann, json!({"username": "bob"})).await;
    // Sorted by the names people see: Aaron is before ann.
    assert_eq!(made["usernames"], json!(["bob", "ann"]));
    let list = app.rocket(&ann).get("dm.list", &[]).await.ok();
    let mut uids = [ann.id.as_str(), bob.id.as_str()];
    uids.sort_unstable();
    let at = parlance_core::time::iso(START);
    let want = json!({"_id": made["_id"], "t": "d", "usernames": ["bob", "ann"], "usersCount": 2,
        "msgs": 0, "ts": at, "uids": uids, "default": false, "sysMes": true,
        "_USERNAMES": ["bob", "ann"], "ro": false, "_updatedAt": at});
    assert_eq!(list["ims"], json!([want]));
}

#[tokio::test]
async fn a_group_is_found_by_its_exact_members() {
    let app = app().await;
    let (ann, bob, cat) = (app.user("ann").await, app.user("bob").await, app.user("cat").await);
    let group = create(&app, &ann, json!({"usernames": "bob,cat"})).await;
    assert_eq!(group["usernames"], json!(["ann", "bob", "cat"]));
    assert_eq!(keys(&group), ["_id", "rid", "t", "usernames"]);
    let id = group["_id"].as_str().unwrap();
    assert!(id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(create(&app, &cat, json!({"usernames": "ann,bob"})).await["_id"], id);
    let pair = create(&app, &ann, json!({"username": "bob"})).await;
    assert_ne!(pair["_id"], id);
    assert_eq!((rooms(&app, &bob).await, rooms(&app, &cat).await), (2, 1));
    // Shown at once to every member of a group, and to the partner of a pair with a message.
    assert!(view(&app, &cat, id).await.member().is_open(view(&app, &cat, id).await.room()));
    let access = view(&app, &bob, pair["_id"].as_str().unwrap()).await;
    assert!(!access.member().is_open(access.room()));
}

#[tokio::test]
async fn exclude_self_makes_a_room_of_the_others() {
    let app = app().await;
    let (boss, bob) = (app.user("root").await, app.user("bob").await);
    app.user("cat").await;
    let room = create(&app, &boss, json!({"usernames": "bob,cat", "excludeSelf": true})).await;
    assert_eq!(room["usernames"], json!(["bob", "cat"]));
    assert_eq!((rooms(&app, &boss).await, rooms(&app, &bob).await), (0, 1));
    let own = create(&app, &bob, json!({"username": "cat"})).await;
    assert_eq!(own["_id"], room["_id"]);
    // A group of others stays unknown to who is not in it; asking twice gives one room.
    let dan = app.user("dan").await;
    let theirs = create(&app, &dan, json!({"usernames": "bob,cat"})).await;
    let ours = json!({"usernames": "bob,cat,dan", "excludeSelf": true});
    let made = create(&app, &boss, ours.clone()).await;
    assert_ne!(made["_id"], theirs["_id"]);
    assert_eq!(create(&app, &boss, ours).await["_id"], made["_id"]);
    for body in [
        json!({"username": "bob", "excludeSelf": true}),
        json!({"usernames": "root,bob", "excludeSelf": true}),
        json!({"username": "root", "excludeSelf": true}),
    ] {
        invalid_user(&app.rocket(&boss).post("dm.create", body).await);
    }
}

#[tokio::test]
async fn a_room_of_ones_own() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = create(&app, &ann, json!({"username": "ANN"})).await;
    assert_eq!(room["usernames"], json!(["ann"]));
    assert_eq!(create(&app, &ann, json!({"usernames": "ann,ann"})).await["_id"], room["_id"]);
    let id = room["_id"].as_str().unwrap();
    assert!(view(&app, &ann, id).await.member().is_open(view(&app, &ann, id).await.room()));
    set(&app, &boss, "Message_AllowDirectMessagesToYourself", json!(false)).await;
    invalid_user(&app.rocket(&ann).post("dm.create", json!({"username": "ann"})).await);
    assert_eq!(rooms(&app, &boss).await, 0);
}

#[tokio::test]
async fn an_unknown_name_makes_nothing() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for body in [
        json!({"username": "nobody"}),
        json!({"usernames": "bob,nobody"}),
        json!({"username": ""}),
        json!({"usernames": " , "}),
        json!({"username": bob.id}),
        json!({"username": "someone@elsewhere.example"}),
        json!({"username": "bob,ann"}),
        json!({"username": null}),
        json!({"username": 7}),
    ] {
        invalid_user(&app.rocket(&ann).post("dm.create", body).await);
    }
    assert_eq!((rooms(&app, &ann).await, rooms(&app, &bob).await), (0, 0));
}

#[tokio::test]
async fn the_schema_says_what_is_wrong() {
    let app = app().await;
    let ann = app.user("ann").await;
    let (one, list) =
        ("must have required property 'username'", "must have required property 'usernames'");
    let (extra, end) =
        ("must NOT have additional properties", "must match exactly one schema in oneOf");
    for (body, lines) in [
        (json!({}), [list, one]),
        (json!({"excludeSelf": true}), [list, one]),
        (json!({"username": "a", "usernames": "b"}), [extra, extra]),
        (json!({"username": "a", "x": 1}), [list, extra]),
        (json!({"usernames": "a", "__proto__": 1}), [extra, one]),
        (json!({"usernames": ["a"]}), ["must be string", one]),
        (json!({"username": {"$ne": null}}), [list, "must be string"]),
        (json!({"username": "a", "excludeSelf": "maybe"}), [list, "must be boolean"]),
        (json!({"username": "a", "excludeSelf": {"$ne": 1}}), [list, "must be boolean"]),
    ] {
        let text = [lines[0], lines[1], end].join("\n ");
        schema(&app.rocket(&ann).post("dm.create", body).await, &text);
    }
    assert_eq!(rooms(&app, &ann).await, 0);
}

#[tokio::test]
async fn a_room_has_at_most_as_many_members_as_the_setting_says() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let names: Vec<String> = (0..9).map(|n| format!("u{n}")).collect();
    for name in &names {
        app.user(name).await;
    }
    let too_many = |max: u8| {
        let text =
            format!("You cannot add more than {max} users, including yourself to a direct message");
        (text, json!({"method": "createDirectRoom"}))
    };
    let code = "error-direct-message-max-user-exceeded";
    let eight = json!({"usernames": names[..7].join(",")});
    let nine = json!({"usernames": names[..8].join(",")});
    assert_eq!(create(&app, &ann, eight.clone()).await["usernames"].as_array().unwrap().len(), 8);
    let (text, details) = too_many(8);
    coded(&app.rocket(&ann).post("dm.create", nine).await, code, &text, &details);
    let others = json!({"usernames": names[..8].join(","), "excludeSelf": true});
    assert_eq!(create(&app, &ann, others).await["usernames"].as_array().unwrap().len(), 8);
    set(&app, &boss, "DirectMesssage_maxUsers", json!(3)).await;
    let (text, details) = too_many(3);
    coded(&app.rocket(&ann).post("dm.create", eight).await, code, &text, &details);
}

#[tokio::test]
async fn without_the_permission_there_is_no_new_room() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("bob").await;
    grant(&app, &boss, "create-d", &["admin"]).await;
    let details = json!({"method": "createDirectMessage"});
    let refused = app.rocket(&ann).post("dm.create", json!({"username": "bob"})).await;
    coded(&refused, "error-not-allowed", "Not allowed", &details);
    assert_eq!(rooms(&app, &ann).await, 0);
    grant(&app, &boss, "create-d", &["admin", "user"]).await;
    create(&app, &ann, json!({"username": "bob"})).await;
}

#[tokio::test]
async fn creating_again_opens_what_was_closed() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).post("dm.close", json!({"roomId": id})).await.ok();
    let access = view(&app, &ann, &id).await;
    assert!(!access.member().is_open(access.room()));
    assert_eq!(app.rocket(&ann).open("bob").await, id);
    let access = view(&app, &ann, &id).await;
    assert!(access.member().is_open(access.room()));
    // The partner's own view is none of the caller's business.
    let access = view(&app, &bob, &id).await;
    assert!(!access.member().is_open(access.room()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_from_both_sides_make_one_room() {
    let app = Arc::new(app().await);
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.user("cat").await;
    for (to_bob, to_ann) in [("bob", "ann"), ("bob,cat", "cat,ann")] {
        let mut calls = JoinSet::new();
        for n in 0..64 {
            let (user, names) = if n % 2 == 0 { (&ann, to_bob) } else { (&bob, to_ann) };
            let (app, user) = (app.clone(), user.clone());
            calls.spawn(async move {
                let answer = app.rocket(&user).post("dm.create", json!({"usernames": names})).await;
                answer.ok()["room"]["_id"].as_str().unwrap().to_owned()
            });
        }
        let mut ids = calls.join_all().await;
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }
    assert_eq!((rooms(&app, &ann).await, rooms(&app, &bob).await), (2, 2));
}
