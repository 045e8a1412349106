//! Rights that end while a socket is open (ruling A14): it hears nothing more, or is closed with 1008 and
//! told why; nobody else notices.

use super::client::{Client, Listening, app, listen};
use crate::app::{DIGEST, PASSWORD, START, TestApp, TestUser};
use crate::rocketchat::grant;
use parlance_core::account::NewUser;
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    at: Listening,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
}

async fn talk() -> Talk {
    talk_on(app().await).await
}

async fn talk_on(app: TestApp) -> Talk {
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    Talk { app, at, boss, ann, bob, room }
}

impl Talk {
    async fn socket(&self, user: &TestUser) -> Client {
        let mut client = Client::log_in(&self.at, user).await;
        client.hear("room-messages", "__my_messages__").await;
        client.hear("notify-user", &format!("{}/force_logout", user.id)).await;
        client
    }

    async fn post(&self, user: &TestUser, name: &str, body: Value) {
        self.app.rocket(user).post(name, body).await.ok();
    }

    /// Another session of ann's.
    async fn again(&self) -> TestUser {
        self.app.log_in(&self.app.core.user_named("ann").await.unwrap()).await
    }
}

/// The socket is closed, told why before, and of nothing that came later.
async fn is_over(mut client: Client, user: &TestUser) {
    assert_eq!(client.end().await, Some(1008));
    let told: Vec<&Value> = client.kept().collect();
    let forced = json!({"msg": "changed", "collection": "stream-notify-user", "id": "id",
        "fields": {"eventName": format!("{}/force_logout", user.id), "args": []}});
    assert!(told.contains(&&forced), "{told:?}");
    assert!(!format!("{told:?}").contains("SECRET"), "{told:?}");
}

/// The socket goes on.
async fn goes_on(client: &mut Client, talk: &Talk) {
    let told = client.told(&talk.app.core).await;
    assert!(told.iter().all(|one| !one.1.ends_with("force_logout")), "{told:?}");
    client.ok("rooms/get", json!([])).await;
}

#[tokio::test]
async fn a_token_that_ends_elsewhere_ends_its_sockets_and_no_others() {
    let talk = talk().await;
    for by_socket in [false, true] {
        let (one, other) = (talk.again().await, talk.again().await);
        let first = talk.socket(&one).await;
        let mut second = talk.socket(&other).await;
        let mut there = talk.socket(&talk.bob).await;
        if by_socket {
            let mut same = talk.socket(&one).await;
            same.ok("logout", json!([])).await;
            same.settle().await;
        } else {
            talk.post(&one, "logout", json!({})).await;
        }
        talk.app.rocket(&talk.bob).say(&talk.room, "SECRET").await;
        is_over(first, &one).await;
        goes_on(&mut second, &talk).await;
        goes_on(&mut there, &talk).await;
    }
}

#[tokio::test]
async fn everything_that_ends_all_sessions_ends_all_sockets() {
    let talk = talk().await;
    let off = json!({"userId": talk.ann.id, "activeStatus": false});
    let on = json!({"userId": talk.ann.id, "activeStatus": true});
    let gone = json!({"userId": talk.ann.id});
    let password = json!({"userId": talk.ann.id, "data": {"password": "another horse 7"}});
    let back = json!({"userId": talk.ann.id, "data": {"password": PASSWORD}});
    for (name, body, undo) in [
        ("users.logout", gone.clone(), None),
        ("users.setActiveStatus", off, Some(("users.setActiveStatus", on))),
        ("users.update", password, Some(("users.update", back))),
        ("users.delete", gone, None),
    ] {
        let (one, other) = (talk.again().await, talk.again().await);
        let sockets = [talk.socket(&one).await, talk.socket(&other).await];
        let mut there = talk.socket(&talk.bob).await;
        talk.post(&talk.boss, name, body).await;
        if name == "users.logout" || name == "users.update" {
            talk.app.rocket(&talk.bob).say(&talk.room, "SECRET").await;
        }
        for socket in sockets {
            is_over(socket, &one).await;
        }
        goes_on(&mut there, &talk).await;
        if let Some((name, body)) = undo {
            talk.post(&talk.boss, name, body).await;
        }
    }
}

#[tokio::test]
async fn who_changes_its_own_password_keeps_its_own_session_alone() {
    let talk = talk().await;
    let (own, other) = (talk.again().await, talk.again().await);
    let mut stays = talk.socket(&own).await;
    let ends = talk.socket(&other).await;
    let body = json!({"data": {"newPassword": "another horse 7", "currentPassword": DIGEST}});
    talk.post(&own, "users.updateOwnBasicInfo", body).await;
    talk.app.rocket(&talk.bob).say(&talk.room, "SECRET").await;
    is_over(ends, &other).await;
    assert!(stays.event("room-messages", "__my_messages__").await[0]["msg"] == "SECRET");
    goes_on(&mut stays, &talk).await;
    let other = talk
        .app
        .core
        .login(
            parlance_core::login::Login::Id(&talk.ann.id),
            &parlance_core::login::Password::plain("another horse 7").unwrap(),
        )
        .await
        .unwrap();
    let other = TestUser { token: other.token, ..talk.ann.clone() };
    let ends = talk.socket(&other).await;
    talk.post(&own, "users.removeOtherTokens", json!({})).await;
    is_over(ends, &other).await;
    goes_on(&mut stays, &talk).await;
}

#[tokio::test]
async fn a_token_that_expires_ends_its_socket_then() {
    let talk = talk_on(crate::app::app().await).await;
    let mut client = talk.socket(&talk.ann).await;
    let caller = talk.app.caller(&talk.ann).await;
    let ends = caller.expires().unwrap();
    assert!(ends > START);
    // A moment before nothing happens; whoever answers signs of life stays.
    talk.app.clock.move_to(ends - 1);
    client.until(|frame| frame["msg"] == "ping").await;
    client.say(&json!({"msg": "pong"})).await;
    client.settle().await;
    talk.app.clock.move_to(ends);
    is_over(client, &talk.ann).await;
}

#[tokio::test]
async fn nothing_of_rooms_is_told_without_the_right_to_read_them() {
    let talk = talk().await;
    let mut there = Client::log_in(&talk.at, &talk.bob).await;
    there.hear("room-messages", &talk.room).await;
    there.hear("room-messages", "__my_messages__").await;
    there.hear("room-data", &talk.room).await;
    for event in ["deleteMessage", "typing", "user-activity"] {
        there.hear("notify-room", &format!("{}/{event}", talk.room)).await;
    }
    for event in ["rooms-changed", "subscriptions-changed", "notification"] {
        there.hear("notify-user", &format!("{}/{event}", talk.bob.id)).await;
    }
    let bots = NewUser {
        username: "robot".to_owned(),
        roles: vec!["bot".to_owned()],
        ..NewUser::default()
    };
    let robot = talk.app.user_with(bots).await;
    grant(&talk.app, &talk.boss, "delete-own-message", &["admin", "user", "bot"]).await;
    let room = talk.app.rocket(&robot).open("bob").await;
    let role = |roles: Value| json!({"userId": talk.bob.id, "data": {"roles": roles}});
    for by_grant in [true, false] {
        there.told(&talk.app.core).await;
        if by_grant {
            grant(&talk.app, &talk.boss, "view-d-room", &["admin", "bot"]).await;
        } else {
            grant(&talk.app, &talk.boss, "view-d-room", &["admin", "bot", "user"]).await;
            talk.post(&talk.boss, "users.update", role(json!(["livechat-agent"]))).await;
        }
        // Bob's id is no secret to who may write to him: the message is stored and not told.
        let sent = talk.app.rocket(&robot).say(&room, "SECRET").await;
        let body = json!({"roomId": room, "msgId": sent["_id"]});
        talk.post(&robot, "chat.delete", body).await;
        let mut typing = Client::log_in(&talk.at, &robot).await;
        typing.ok("stream-notify-room", json!([format!("{room}/typing"), "robot", true])).await;
        assert_eq!(there.told(&talk.app.core).await, [], "{by_grant}");
        let error = there.refused("loadHistory", json!([talk.room])).await;
        assert!(error["error"].is_string(), "{error}");
    }
    talk.post(&talk.boss, "users.update", role(json!(["user"]))).await;
    talk.app.rocket(&robot).say(&room, "again").await;
    let told = there.told(&talk.app.core).await;
    assert!(told.iter().any(|one| one.1 == "__my_messages__"), "{told:?}");
}

#[tokio::test]
async fn a_membership_that_ended_is_heard_of_no_more() {
    let talk = talk().await;
    let made =
        talk.app.rocket(&talk.bob).post("dm.create", json!({"usernames": "ann,root"})).await.ok();
    let group = made["room"]["_id"].as_str().unwrap().to_owned();
    let mut there = Client::log_in(&talk.at, &talk.bob).await;
    for room in [&talk.room, &group] {
        there.hear("room-messages", room).await;
        there.hear("room-data", room).await;
        there.hear("notify-room", &format!("{room}/typing")).await;
    }
    there.told(&talk.app.core).await;
    talk.post(&talk.boss, "users.delete", json!({"userId": talk.ann.id})).await;
    there.told(&talk.app.core).await;
    // The name is taken by somebody else, who opens a room with the same people.
    let ann = talk.app.user("ann").await;
    let room = talk.app.rocket(&ann).open("bob").await;
    assert_ne!(room, talk.room);
    talk.app.rocket(&ann).say(&room, "SECRET").await;
    assert_eq!(there.told(&talk.app.core).await, []);
    talk.app.rocket(&talk.boss).say(&group, "still here").await;
    let told = there.told(&talk.app.core).await;
    assert!(told.iter().any(|one| one.1 == group), "{told:?}");
    talk.post(&talk.boss, "dm.delete", json!({"roomId": group})).await;
    there.told(&talk.app.core).await;
    let (_, answer) = there.sub("stream-room-messages", json!([group, false])).await;
    assert_eq!(answer["msg"], "nosub");
}

#[tokio::test]
async fn what_was_taken_away_is_gone_before_the_socket_hears_of_it() {
    let talk = talk().await;
    grant(&talk.app, &talk.boss, "delete-d", &["bot"]).await;
    for n in 0..20 {
        let name = format!("robot{n}");
        let bots = vec!["user".to_owned(), "bot".to_owned()];
        let robot = talk
            .app
            .user_with(NewUser { username: name.clone(), roles: bots, ..NewUser::default() })
            .await;
        let room = talk.app.rocket(&robot).open("bob").await;
        let mut client = Client::log_in(&talk.at, &robot).await;
        if n % 2 == 0 {
            let body = json!({"userId": robot.id, "data": {"roles": ["user"]}});
            talk.post(&talk.boss, "users.update", body).await;
            let error = client.refused("eraseRoom", json!([room])).await;
            assert_eq!(error["error"], "error-not-allowed");
        } else {
            talk.post(&robot, "logout", json!({})).await;
            let erase =
                json!({"msg": "method", "method": "eraseRoom", "id": "e", "params": [room]});
            client.say(&erase).await;
            assert_eq!(client.end().await, Some(1008));
        }
        let view =
            talk.app.rocket(&talk.bob).get("subscriptions.getOne", &[("roomId", &room)]).await.ok();
        assert!(view["subscription"].is_object(), "{n}");
    }
}
