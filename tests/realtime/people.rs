//! What is told of accounts and of the server (contract section 11.4): to everybody who is logged in, to the
//! user itself, or to all; and never a secret.

use super::client::{Client, Listening, app, ejson, listen};
use crate::app::{PASSWORD, TestApp, TestUser, fresh_database};
use crate::rocketchat::{grant, set};
use crate::store::execute;
use parlance_core::Clock;
use serde_json::{Value, json};

const LOGGED: [&str; 6] = [
    "user-status",
    "Users:NameChanged",
    "Users:Deleted",
    "updateAvatar",
    "permissions-changed",
    "private-settings-changed",
];

struct Talk {
    app: TestApp,
    at: Listening,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    /// Bob's socket; it hears everything that is told to who is logged in.
    there: Client,
}

async fn talk() -> Talk {
    talk_on(app().await).await
}

async fn talk_on(app: TestApp) -> Talk {
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut there = Client::online(&at, &app, &bob).await;
    for event in LOGGED {
        there.hear("notify-logged", event).await;
    }
    Talk { app, at, boss, ann, bob, there }
}

impl Talk {
    async fn post(&self, user: &TestUser, name: &str, body: Value) -> Value {
        self.app.rocket(user).post(name, body).await.ok()
    }

    /// What bob was told, without the stream's name.
    async fn told(&mut self) -> Vec<(String, Value)> {
        let told = self.there.told(&self.app.core).await;
        told.into_iter().map(|(_, event, args)| (event, args)).collect()
    }
}

fn one(event: &str, args: Value) -> Vec<(String, Value)> {
    vec![(event.to_owned(), args)]
}

#[tokio::test]
async fn a_status_is_told_to_everybody_and_to_who_asks_for_that_person() {
    let mut talk = talk().await;
    let mut asks = Client::online(&talk.at, &talk.app, &talk.boss).await;
    talk.there.told(&talk.app.core).await;
    let added = json!(["", {"added": [talk.ann.id, "nobody"]}]);
    let (_, ready) = asks.sub("stream-user-presence", added).await;
    assert_eq!(ready["msg"], "ready");
    for (status, number) in [("busy", 3), ("away", 2), ("online", 1), ("offline", 0)] {
        let body = json!({"status": status, "message": "in a \"talk\""});
        talk.post(&talk.ann, "users.setStatus", body).await;
        let want = json!([[talk.ann.id, "ann", number, "in a \"talk\"", "ann", ["user"]]]);
        assert_eq!(talk.told().await, one("user-status", want), "{status}");
        let told = asks.told(&talk.app.core).await;
        let want = json!([["ann", number, "in a \"talk\""]]);
        assert_eq!(told, [("user-presence".to_owned(), talk.ann.id.clone(), want)], "{status}");
    }
    // Taken out, and asked for again.
    let removed = json!(["", {"removed": [talk.ann.id]}]);
    asks.sub("stream-user-presence", removed).await;
    talk.post(&talk.ann, "users.setStatus", json!({"status": "away"})).await;
    assert_eq!(asks.told(&talk.app.core).await, []);
    let (id, _) = asks.sub("stream-user-presence", json!(["", {"added": [talk.ann.id]}])).await;
    talk.post(&talk.ann, "users.setStatus", json!({"status": "busy"})).await;
    assert_eq!(asks.told(&talk.app.core).await.len(), 1);
    asks.say(&json!({"msg": "unsub", "id": id})).await;
    talk.post(&talk.ann, "users.setStatus", json!({"status": "away"})).await;
    assert_eq!(asks.told(&talk.app.core).await, []);
}

#[tokio::test]
async fn names_pictures_and_deletions_are_told_to_everybody() {
    let database = fresh_database().await;
    let app = TestApp::start_with(database.clone(), Clock::default()).await;
    let mut talk = talk_on(app).await;
    let rename = json!({"data": {"name": "Ann Lee"}});
    talk.post(&talk.ann, "users.updateOwnBasicInfo", rename).await;
    let id = talk.ann.id.clone();
    let want = json!([{"_id": id, "name": "Ann Lee", "username": "ann"}]);
    assert_eq!(talk.told().await, one("Users:NameChanged", want));
    let rename = json!({"data": {"username": "anna"}});
    talk.post(&talk.ann, "users.updateOwnBasicInfo", rename).await;
    let want = json!([{"_id": id, "name": "Ann Lee", "username": "anna"}]);
    let told = talk.told().await;
    assert!(told.contains(&one("Users:NameChanged", want)[0]), "{told:?}");
    // A picture as an import leaves it.
    let picture = r#"UPDATE users SET body = '{"avatarETag":"e1"}' WHERE username = 'anna'"#;
    execute(&database, picture).await;
    talk.post(&talk.ann, "users.resetAvatar", json!({})).await;
    let told = talk.told().await;
    assert_eq!((told.len(), told[0].0.as_str()), (1, "updateAvatar"), "{told:?}");
    assert_eq!(told[0].1, json!([{"username": "anna"}]));
    let kinds = [
        ("Delete", json!({})),
        ("Keep", json!({})),
        ("Unlink", json!({"_id": "rocket.cat", "username": "rocket.cat"})),
    ];
    for (n, (kind, by)) in kinds.into_iter().enumerate() {
        set(&talk.app, &talk.boss, "Message_ErasureType", json!(kind)).await;
        let gone = talk.app.user(&format!("gone{n}")).await;
        talk.told().await;
        talk.post(&talk.boss, "users.delete", json!({"userId": gone.id})).await;
        let mut want = json!([{"userId": gone.id, "messageErasureType": kind}]);
        if by != json!({}) {
            want[0]["replaceByUser"] = by;
        }
        let told = talk.told().await;
        let told: Vec<_> = told.iter().filter(|one| one.0 == "Users:Deleted").collect();
        assert_eq!(told, one("Users:Deleted", want).iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn ones_own_account_is_told_to_oneself() {
    let talk = talk().await;
    let mut here = Client::log_in(&talk.at, &talk.ann).await;
    here.hear("notify-user", &format!("{}/userData", talk.ann.id)).await;
    talk.post(&talk.ann, "users.updateOwnBasicInfo", json!({"data": {"name": "Ann Lee"}})).await;
    let data = here
        .event_if("notify-user", &format!("{}/userData", talk.ann.id), |args| {
            args[0]["diff"]["name"] == "Ann Lee"
        })
        .await;
    assert_eq!(
        (&data[0]["type"], &data[0]["id"], &data[0]["unset"]),
        (&json!("updated"), &json!(talk.ann.id), &json!({}))
    );
    // The record that came with the login is kept as it is.
    let kept =
        here.until(|frame| frame["msg"] == "changed" && frame["fields"]["name"] == "Ann Lee").await;
    assert_eq!((&kept["collection"], &kept["id"]), (&json!("users"), &json!(talk.ann.id)));
    assert_eq!(kept["fields"], data[0]["diff"]);
}

#[tokio::test]
async fn permissions_and_settings_are_told_to_who_may_see_them() {
    let mut talk = talk().await;
    let mut stranger = Client::connect(&talk.at).await;
    let mut boss = Client::online(&talk.at, &talk.app, &talk.boss).await;
    for client in [&mut stranger, &mut boss] {
        client.hear("notify-all", "public-settings-changed").await;
    }
    let (_, refused) =
        stranger.sub("stream-notify-logged", json!(["permissions-changed", false])).await;
    assert_eq!(
        (&refused["msg"], &refused["error"]["error"]),
        (&json!("nosub"), &json!("not-allowed"))
    );
    boss.hear("notify-logged", "private-settings-changed").await;
    talk.told().await;
    grant(&talk.app, &talk.boss, "create-d", &["admin", "bot"]).await;
    let told = talk.told().await;
    assert_eq!((told.len(), told[0].0.as_str()), (1, "permissions-changed"), "{told:?}");
    assert_eq!((&told[0].1[0], &told[0].1[1]["_id"]), (&json!("updated"), &json!("create-d")));
    assert_eq!(told[0].1[1]["roles"], json!(["admin", "bot"]));
    let all = talk.app.rocket(&talk.boss).get("permissions.listAll", &[]).await.ok();
    let all = all["update"].as_array().unwrap();
    assert_eq!(told[0].1[1], ejson(all.iter().find(|one| one["_id"] == "create-d").unwrap()));

    set(&talk.app, &talk.boss, "Message_MaxAllowedSize", json!(4000)).await;
    for client in [&mut stranger, &mut boss] {
        let told = client.told(&talk.app.core).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].0.as_str(), told[0].1.as_str()),
            ("notify-all", "public-settings-changed")
        );
        assert_eq!(
            (&told[0].2[0], &told[0].2[1]["_id"], &told[0].2[1]["value"]),
            (&json!("updated"), &json!("Message_MaxAllowedSize"), &json!(4000))
        );
    }
    set(&talk.app, &talk.boss, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!(77)).await;
    let told = boss.told(&talk.app.core).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, "private-settings-changed");
    assert_eq!((&told[0].2[0], &told[0].2[1]["value"]), (&json!("updated"), &json!(77)));
    assert_eq!(stranger.told(&talk.app.core).await, []);
    assert_eq!(talk.told().await, []);
    // Who logs in goes on hearing it, and who logs out does not.
    stranger.resume(&talk.ann).await;
    set(&talk.app, &talk.boss, "Message_MaxAllowedSize", json!(4001)).await;
    assert_eq!(stranger.told(&talk.app.core).await.len(), 1);
    stranger.ok("logout", json!([])).await;
    stranger.forget();
    stranger.hear("notify-all", "public-settings-changed").await;
    set(&talk.app, &talk.boss, "Message_MaxAllowedSize", json!(4002)).await;
    assert_eq!(stranger.told(&talk.app.core).await.len(), 1);
}

#[tokio::test]
async fn no_secret_and_nobody_elses_address_is_ever_told() {
    let mut talk = talk().await;
    let canary = "CANARY-9137";
    let mut boss = Client::online(&talk.at, &talk.app, &talk.boss).await;
    for client in [&mut talk.there, &mut boss] {
        for event in LOGGED {
            client.hear("notify-logged", event).await;
        }
        client.hear("notify-all", "public-settings-changed").await;
        client.hear("notify-all", "permissions-changed").await;
        client.hear("room-messages", "__my_messages__").await;
        let ids = json!(["", {"added": [talk.ann.id, talk.bob.id, talk.boss.id]}]);
        client.sub("stream-user-presence", ids).await;
    }
    for event in
        ["userData", "subscriptions-changed", "rooms-changed", "notification", "force_logout"]
    {
        talk.there.hear("notify-user", &format!("{}/{event}", talk.bob.id)).await;
    }
    let room = talk.app.rocket(&talk.ann).open("bob").await;
    talk.app.rocket(&talk.ann).say(&room, "hello @bob").await;
    let mail = format!("{}@example.com", canary.to_lowercase());
    let body = json!({"userId": talk.ann.id, "data": {"email": mail, "password": format!("{canary}-password"),
        "name": "Ann Lee", "statusText": "there"}});
    talk.post(&talk.boss, "users.update", body).await;
    for id in ["SMTP_Password", "LDAP_Authentication_Password"] {
        if let Some(known) = parlance_core::setting::known(id) {
            assert!(known.is_secret());
            talk.app.core.overwrite_setting(id, &json!(canary)).await.unwrap();
        }
    }
    let create = json!({"username": "new", "name": "New", "email": format!("new-{mail}"), "password": format!("{canary}-password")});
    talk.post(&talk.boss, "users.create", create).await;
    let mut all = Vec::new();
    for client in [&mut talk.there, &mut boss] {
        all.extend(client.told(&talk.app.core).await);
    }
    let mut events: Vec<&str> = all.iter().map(|one| one.1.as_str()).collect();
    events.sort_unstable();
    events.dedup();
    assert!(events.len() >= 6, "{events:?}");
    let text = format!("{all:?}").to_lowercase();
    for secret in [canary, "bcrypt", "argon2", PASSWORD, &talk.ann.token, &talk.boss.token] {
        assert!(!text.contains(&secret.to_lowercase()), "{secret}");
    }
}

#[tokio::test]
async fn roles_are_told_with_who_has_them() {
    let app = app().await;
    let at = listen(&app).await;
    let (boss, ann) = (app.admin("boss").await, app.user("ann").await);
    let mut ear = Client::log_in(&at, &ann).await;
    ear.hear("roles", "roles").await;
    ear.hear("notify-logged", "roles-change").await;
    let made = app.rocket(&boss).post("roles.create", json!({"name": "clerk"})).await.ok();
    let role = made["role"]["_id"].clone();
    let told = ear.event("roles", "roles").await;
    assert_eq!((&told[0]["type"], &told[0]["_id"]), (&json!("changed"), &role));
    assert_eq!(told[0]["name"], "clerk");
    let held = json!({"username": "ann", "roleId": role});
    for (route, kind) in [("roles.addUserToRole", "added"), ("roles.removeUserFromRole", "removed")]
    {
        app.rocket(&boss).post(route, held.clone()).await.ok();
        let told = ear.event("notify-logged", "roles-change").await;
        let want = json!([{"type": kind, "_id": role, "u": {"_id": ann.id, "username": "ann"}}]);
        assert_eq!(told, want);
    }
    app.rocket(&boss).post("roles.delete", json!({"roleId": role})).await.ok();
    let told = ear.event("roles", "roles").await;
    assert_eq!(told, json!([{"type": "removed", "_id": role}]));
}
