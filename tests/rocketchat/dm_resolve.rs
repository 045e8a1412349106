//! Which room `roomId` and `username` name (contract section 5.1, rulings B3 and B4): a room first,
//! then a person, whose room is made; never a username under `roomId`.

use super::{coded, each, grant, plain, schema};
use crate::app::{Answer, TestApp, TestUser, app};
use parlance_core::account::{Authority, NewUser};
use serde_json::{Value, json};

async fn get(app: &TestApp, user: &TestUser, name: &str, value: &str) -> Answer {
    app.rocket(user).get("dm.messages", &[(name, value)]).await
}

async fn rooms(app: &TestApp, user: &TestUser) -> Vec<String> {
    each(&app.rocket(user).get("dm.list", &[]).await.ok(), "ims", "_id")
}

#[track_caller]
fn no_channel(answer: &Answer) {
    coded(answer, "invalid-channel", "", &Value::Null);
}

#[tokio::test]
async fn a_room_is_found_by_its_id_a_user_id_and_a_username() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    app.rocket(&bob).say(&id, "hello").await;
    for (name, value) in [
        ("roomId", id.clone()),
        ("roomId", bob.id.clone()),
        ("roomId", format!("@{}", bob.id)),
        ("username", "bob".to_owned()),
        ("username", "@bob".to_owned()),
        ("username", bob.id.clone()),
        ("username", id.clone()),
    ] {
        let body = get(&app, &ann, name, &value).await.ok();
        assert_eq!(each(&body, "messages", "rid"), [id.as_str()], "{name}={value}");
    }
    let alias = app.rocket(&ann).get("im.messages", &[("username", "bob")]).await.ok();
    assert_eq!(alias["total"], 1);
    assert_eq!(rooms(&app, &ann).await, [id]);
}

#[tokio::test]
async fn a_person_without_a_room_gets_one_even_by_a_get() {
    let app = app().await;
    let (ann, bob, cat) = (app.user("ann").await, app.user("bob").await, app.user("cat").await);
    let empty = json!({"messages": [], "count": 0, "offset": 0, "total": 0, "success": true});
    assert_eq!(get(&app, &ann, "username", "bob").await.ok(), empty);
    assert_eq!(get(&app, &ann, "roomId", &cat.id).await.ok(), empty);
    assert_eq!(get(&app, &ann, "username", "ann").await.ok(), empty);
    let all = rooms(&app, &ann).await;
    assert_eq!(all.len(), 3);
    assert_eq!((rooms(&app, &bob).await.len(), rooms(&app, &cat).await.len()), (1, 1));
    get(&app, &bob, "username", "ann").await.ok();
    let own = rooms(&app, &bob).await;
    assert!(own.len() == 1 && all.contains(&own[0]));
}

#[tokio::test]
async fn what_is_not_there_makes_nothing() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let unknown = "0".repeat(24);
    for (name, value) in [
        ("roomId", "nope"),
        ("roomId", "bob"),
        ("roomId", "@bob"),
        ("roomId", "#general"),
        ("roomId", &unknown),
        ("roomId", ""),
        ("username", "nobody"),
        ("username", "BOB"),
        ("username", "#bob"),
        ("username", ""),
        ("username", "bob "),
        ("username", "{\"$ne\":null}"),
    ] {
        no_channel(&get(&app, &ann, name, value).await);
    }
    assert_eq!((rooms(&app, &ann).await.len(), rooms(&app, &bob).await.len()), (0, 0));
}

#[tokio::test]
async fn a_foreign_room_is_forbidden_whether_or_not_a_pair_has_one() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.admin("eve").await);
    let cat = app.user("cat").await;
    let pair = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&pair, "secret").await;
    let group = app.rocket(&ann).post("dm.create", json!({"usernames": "bob,cat"})).await.ok();
    let group = group["room"]["_id"].as_str().unwrap();
    let mut ids = [bob.id.as_str(), cat.id.as_str()];
    ids.sort_unstable();
    let none = ids.concat();
    for id in [pair.as_str(), group, &none] {
        // An administrator who is no member is a stranger too.
        plain(&get(&app, &eve, "roomId", id).await, 403, "unauthorized");
        plain(&get(&app, &eve, "username", id).await, 403, "unauthorized");
    }
    assert!(rooms(&app, &eve).await.is_empty() && rooms(&app, &cat).await.len() == 1);
    // The two whose ids they are hear that there is none, and get none by that id.
    no_channel(&get(&app, &bob, "roomId", &none).await);
    assert!(rooms(&app, &bob).await.len() == 2);
    // Sorted is the only way to write it.
    no_channel(&get(&app, &eve, "roomId", &[ids[1], ids[0]].concat()).await);
}

#[tokio::test]
async fn nobody_takes_a_rooms_id_for_a_name() {
    let app = app().await;
    let fixed = |id: &str| NewUser {
        id: Some(id.to_owned()),
        username: format!("user-{id}"),
        ..NewUser::default()
    };
    let (one, two) = (app.user_with(fixed("u1")).await, app.user_with(fixed("u2")).await);
    app.user("cat").await;
    let pair = app.rocket(&one).open("user-u2").await;
    assert_eq!(pair, "u1u2");
    let group = app.rocket(&one).post("dm.create", json!({"usernames": "user-u2,cat"})).await.ok();
    let group = group["room"]["_id"].as_str().unwrap().to_owned();
    let (taken, bad) = ("Username is already in use", "The username provided is not valid");
    for (name, text) in [
        (pair.as_str(), taken),
        ("u1", taken),
        (&group, bad),
        (&"0".repeat(24), bad),
        (&"ab".repeat(24), bad),
    ] {
        let body = json!({"username": name, "name": "Eve", "pass": "p4ss",
            "email": format!("{}@example.com", &name[..2])});
        let answer = app.call(axum::http::Method::POST, "/api/v1/users.register", &[], Some(&body));
        plain(&answer.await, 400, text);
        let new = NewUser { username: name.to_owned(), ..NewUser::default() };
        assert!(app.core.create_user(Authority::Operator, new).await.is_err(), "{name}");
    }
    app.rocket(&two).say(&pair, "still ours").await;
    assert_eq!(get(&app, &one, "roomId", &pair).await.ok()["total"], 1);
}

#[tokio::test]
async fn an_existing_room_needs_no_right_to_make_one() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let bob = app.user("bob").await;
    app.user("cat").await;
    let id = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&id, "one").await;
    grant(&app, &boss, "create-d", &["admin"]).await;
    assert_eq!(get(&app, &ann, "username", "bob").await.ok()["total"], 1);
    assert_eq!(get(&app, &bob, "roomId", &ann.id).await.ok()["total"], 1);
    no_channel(&get(&app, &ann, "username", "cat").await);
    // Without the right to see direct rooms there is no access to one's own.
    grant(&app, &boss, "view-d-room", &["admin"]).await;
    plain(&get(&app, &ann, "roomId", &id).await, 403, "unauthorized");
    plain(&get(&app, &ann, "username", "bob").await, 403, "unauthorized");
}

#[tokio::test]
async fn exactly_one_of_the_two_and_nothing_unknown() {
    let app = app().await;
    let ann = app.user("ann").await;
    let (no_id, no_name) =
        ("must have required property 'roomId'", "must have required property 'username'");
    let (extra, end) =
        ("must NOT have additional properties", "must match exactly one schema in oneOf");
    for (query, lines) in [
        (&[][..], [no_id, no_name]),
        (&[("count", "1")], [no_id, no_name]),
        (&[("roomId", "a"), ("username", "b")], [extra, extra]),
        (&[("roomId", "a"), ("x", "1")], [extra, no_name]),
        (&[("username", "a"), ("room", "1")], [no_id, extra]),
        (&[("roomId", "a"), ("count", "abc")], ["must be number", no_name]),
        (&[("roomId", "a"), ("count", "")], ["must be number", no_name]),
        (&[("roomId", "a"), ("count", "-1")], ["must be >= 0", no_name]),
        (&[("roomId", "a"), ("offset", "x")], ["must be number", no_name]),
        (&[("roomId", "a"), ("roomId", "b")], ["must be string", no_name]),
        (&[("username[]", "a")], [no_id, "must be string"]),
        (&[("username[$ne]", "a")], [no_id, no_name]),
    ] {
        let text = [lines[0], lines[1], end].join("\n ");
        schema(&app.rocket(&ann).get("dm.messages", query).await, &text);
    }
}
