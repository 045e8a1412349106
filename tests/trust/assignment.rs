//! Members of a message that only the server sets (CVE-2023-28317, CVE-2023-28318, CVE-2024-46936, API3 of
//! OWASP 2023): sent along with a send or an edit, one by one and all at once, they change nothing.

use super::scene::Scene;
use parlance_core::time;
use serde_json::{Value, json};

/// Every such member, with a value that would show.
fn theirs(scene: &Scene) -> Vec<(&'static str, Value)> {
    let bob = json!({"_id": scene.bob.id, "username": scene.bob.username});
    let soon = time::iso(scene.app.clock.now() + 30_000);
    let mut all = vec![
        ("ts", json!(soon)),
        ("rid", json!(scene.pair)),
        ("_id", json!("chosenchosenchosen")),
        ("t", json!("uj-like")),
        ("u", bob.clone()),
        ("editedBy", bob.clone()),
        ("pinnedBy", bob),
        ("pinned", json!(true)),
        ("starred", json!([{"_id": scene.bob.id}])),
        ("reactions", json!({":tada:": {"usernames": [scene.bob.username]}})),
        ("tcount", json!(9)),
        ("replies", json!([scene.bob.id])),
        ("_hidden", json!(true)),
        ("hidden", json!(true)),
        ("parent", json!(scene.in_pair)),
        ("md", json!([{"type": "PARAGRAPH", "value": []}])),
        ("mentions", json!([{"_id": scene.bob.id, "username": scene.bob.username}])),
        ("channels", json!([{"_id": "x", "name": "x"}])),
        ("urls", json!([{"url": "https://example.com"}])),
        ("role", json!("admin")),
        ("origin", json!("x")),
        ("clientId", json!("x")),
        ("key", json!("x")),
        ("seq", json!(1)),
        ("file", json!({"_id": "x"})),
        ("files", json!([{"_id": "x"}])),
        ("federation", json!({"eventId": "x"})),
        ("unread", json!(true)),
        ("private", json!(true)),
        ("score", json!(1)),
        ("__proto__", json!({"pinned": true})),
        ("constructor", json!({"pinned": true})),
    ];
    for name in ["_updatedAt", "_deletedAt", "editedAt", "pinnedAt", "tlm"] {
        all.push((name, json!(soon)));
    }
    all
}

/// One by one, and all of those that a route does not read.
fn loads(scene: &Scene, read: &[&str]) -> Vec<Vec<(&'static str, Value)>> {
    let all: Vec<_> = theirs(scene).into_iter().filter(|(name, _)| !read.contains(name)).collect();
    let mut loads: Vec<Vec<_>> = all.iter().map(|one| vec![one.clone()]).collect();
    loads.push(all);
    loads
}

fn with(body: &Value, load: &[(&'static str, Value)]) -> Value {
    let mut body = body.clone();
    for (name, value) in load {
        body[*name] = value.clone();
    }
    body
}

/// A message as it is stored for its readers, without the id that the server gave it.
async fn stored(scene: &Scene, sent: &Value) -> Value {
    let query = [("msgId", sent["_id"].as_str().unwrap())];
    let mut read = scene.app.rocket(&scene.gus).get("chat.getMessage", &query).await.ok();
    assert_eq!(read["message"], *sent);
    read["message"]["_id"].take();
    read["message"].take()
}

/// A second later, so that the time of what follows is known.
fn tick(scene: &Scene) -> String {
    let now = scene.app.clock.now() + 1000;
    scene.app.clock.move_to(now);
    time::iso(now)
}

/// The message without its times, which must be now.
fn timeless(mut message: Value, now: &str) -> Value {
    for name in ["ts", "_updatedAt"] {
        assert_eq!(message[name].take(), now, "{name}");
    }
    message
}

#[tokio::test]
async fn a_send_sets_none_of_them() {
    let scene = Scene::new().await;
    let ann = scene.app.rocket(&scene.ann);
    let send = json!({"rid": scene.group, "msg": "one *two*"});
    let post = json!({"roomId": scene.group, "text": "one *two*"});
    // The room is what a send reads, and its own id is the client's to choose.
    for (name, base, read) in
        [("chat.sendMessage", send, &["rid", "_id"][..]), ("chat.postMessage", post, &[])]
    {
        let run = async |body: Value| {
            let now = tick(&scene);
            let nested = name == "chat.sendMessage";
            let body = if nested { json!({ "message": body }) } else { body };
            let sent = ann.post(name, body).await.ok()["message"].clone();
            timeless(stored(&scene, &sent).await, &now)
        };
        let plain = run(base.clone()).await;
        for load in loads(&scene, read) {
            assert_eq!(run(with(&base, &load)).await, plain, "{name} {load:?}");
        }
        // Beside the message they are nothing either.
        if name == "chat.sendMessage" {
            for load in loads(&scene, &[]) {
                let now = tick(&scene);
                let body = with(&json!({ "message": base }), &load);
                let sent = ann.post(name, body).await.ok()["message"].clone();
                assert_eq!(timeless(stored(&scene, &sent).await, &now), plain, "{load:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_edit_sets_none_of_them() {
    let scene = Scene::new().await;
    let ann = scene.app.rocket(&scene.ann);
    let run = async |load: &[(&'static str, Value)]| {
        let written = tick(&scene);
        let sent = ann.say(&scene.group, "one").await;
        let now = tick(&scene);
        let body = json!({"roomId": scene.group, "msgId": sent["_id"], "text": "two"});
        let edited = ann.post("chat.update", with(&body, load)).await.ok()["message"].clone();
        let mut read = stored(&scene, &edited).await;
        assert_eq!((read["ts"].take(), read["_updatedAt"].take()), (json!(written), json!(now)));
        assert_eq!(read["editedAt"].take(), json!(now));
        read
    };
    let plain = run(&[]).await;
    assert_eq!((&plain["msg"], &plain["u"]["_id"]), (&json!("two"), &json!(scene.ann.id)));
    for load in loads(&scene, &[]) {
        assert_eq!(run(&load).await, plain, "{load:?}");
    }
}

#[tokio::test]
async fn nobody_sends_under_another_name_or_as_the_server() {
    let scene = Scene::new().await;
    let ann = scene.app.rocket(&scene.ann);
    let before = scene.dump().await;
    for (name, value) in [("alias", "root"), ("avatar", "https://example.com/root.png")] {
        let message = with(&json!({"rid": scene.group, "msg": "x"}), &[(name, json!(value))]);
        ann.post("chat.sendMessage", json!({ "message": message })).await.expect(400);
        let body = with(&json!({"roomId": scene.group, "text": "x"}), &[(name, json!(value))]);
        ann.post("chat.postMessage", body).await.expect(400);
    }
    for kind in ["rm", "uj", "message_pinned", "room_changed_topic"] {
        let message = json!({"rid": scene.group, "msg": "x", "t": kind});
        ann.post("chat.sendMessage", json!({ "message": message })).await.expect(400);
    }
    assert_eq!(before, scene.dump().await);
}

/// The same of an account that somebody makes for oneself, or a status that one sets.
#[tokio::test]
async fn nobody_makes_oneself_more_than_a_user() {
    let scene = Scene::new().await;
    let more = [
        ("roles", json!(["admin"])),
        ("globalRoles", json!(["admin"])),
        ("type", json!("bot")),
        ("_id", json!(scene.boss.id)),
        ("id", json!(scene.boss.id)),
        ("verified", json!(true)),
        ("active", json!(false)),
        ("emails", json!([{"address": "root@example.com", "verified": true}])),
        ("services", json!({"password": {"bcrypt": "x"}})),
        ("statusDefault", json!("busy")),
        ("createdAt", json!("2000-01-01")),
        ("bio", json!("x")),
        ("setRandomPassword", json!(true)),
        ("requirePasswordChange", json!(true)),
    ];
    let register = async |n: usize, load: &[(&'static str, Value)]| {
        let name = format!("new{n:02}");
        let base = json!({"username": name, "name": "new", "pass": "p a s s",
            "email": format!("{name}@example.org")});
        let path = "/api/v1/users.register";
        let body = with(&base, load);
        let answer = scene.app.call(axum::http::Method::POST, path, &[], Some(&body)).await.ok();
        let query = [("username", name.as_str())];
        let mut full = scene.app.rocket(&scene.boss).get("users.info", &query).await.ok();
        assert_eq!(full["user"]["_id"].take(), answer["user"]["_id"], "{load:?}");
        Value::from(full["user"].to_string().replace(&name, "NAME"))
    };
    let plain = register(0, &[]).await;
    assert!(plain.as_str().unwrap().contains("\"roles\":[\"user\"]"), "{plain}");
    for (n, load) in more.iter().enumerate() {
        assert_eq!(register(n + 1, std::slice::from_ref(load)).await, plain, "{load:?}");
    }
    assert_eq!(register(90, &more).await, plain);
    // A status is one's own, whoever is named.
    let before = scene.dump().await;
    for other in [json!({"userId": scene.ann.id}), json!({"username": scene.ann.username})] {
        let mut body = other;
        body["status"] = json!("busy");
        scene.app.rocket(&scene.eve).post("users.setStatus", body).await.expect(403);
    }
    assert_eq!(before, scene.dump().await);
}
