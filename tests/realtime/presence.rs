//! Who is there (contract section 11.7): what connections make of their users, told when it changes and not
//! otherwise; and what is left of servers that ended.

use super::client::{Client, Listening, listen, serve};
use crate::app::{START, TestApp, TestUser, app, fresh_database, on_postgres, options};
use crate::store::{execute, number, reopen};
use parlance_core::{Clock, Core, Database, StoreOptions};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    at: Listening,
    ann: TestUser,
    /// Root's socket, which hears of everybody.
    watch: Client,
}

async fn talk(app: TestApp) -> Talk {
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let ann = app.user("ann").await;
    let mut watch = Client::online(&at, &app, &boss).await;
    watch.hear("notify-logged", "user-status").await;
    Talk { app, at, ann, watch }
}

impl Talk {
    /// The next that is told is ann's, with this status.
    async fn shows(&mut self, status: u8) {
        let told = self.watch.event("notify-logged", "user-status").await;
        assert_eq!((&told[0][0], &told[0][2]), (&json!(self.ann.id), &json!(status)), "{told}");
        let name = ["offline", "online", "away", "busy"][usize::from(status)];
        let seen = self.app.rocket(&self.ann).get("users.getPresence", &[]).await.ok();
        assert_eq!(seen["presence"], name);
    }

    async fn nothing_is_told(&mut self) {
        assert_eq!(self.watch.told(&self.app.core).await, []);
    }

    /// Ends a socket, and waits until the server knows.
    async fn end(&self, client: Client) {
        let before = self.app.core.sockets();
        drop(client);
        while self.app.core.sockets() == before {
            tokio::task::yield_now().await;
        }
    }

    async fn connection(&self) -> Value {
        let seen = self.app.rocket(&self.ann).get("users.getPresence", &[]).await.ok();
        seen["connectionStatus"].clone()
    }
}

#[tokio::test]
async fn the_first_connection_makes_online_and_the_last_ones_end_offline_after_a_grace() {
    let mut talk = talk(app().await).await;
    // REST alone does not.
    talk.app.rocket(&talk.ann).open("ann").await;
    talk.nothing_is_told().await;
    assert_eq!(talk.connection().await, "offline");
    let first = Client::log_in(&talk.at, &talk.ann).await;
    talk.shows(1).await;
    assert_eq!(talk.connection().await, "online");
    let present = talk.app.rocket(&talk.ann).get("users.presence", &[]).await.ok();
    assert!(present["users"].to_string().contains(&talk.ann.id), "{present}");
    let second = Client::log_in(&talk.at, &talk.ann).await;
    talk.end(first).await;
    talk.nothing_is_told().await;
    let at = talk.app.clock.now();
    talk.end(second).await;
    assert_eq!(talk.connection().await, "offline");
    talk.app.clock.move_to(at + 4999);
    talk.nothing_is_told().await;
    // Whoever is back within the grace was never away.
    let third = Client::log_in(&talk.at, &talk.ann).await;
    talk.app.clock.move_to(at + 6000);
    talk.nothing_is_told().await;
    talk.end(third).await;
    talk.app.clock.move_to(at + 10_999);
    talk.nothing_is_told().await;
    talk.app.clock.move_to(at + 11_000);
    talk.shows(0).await;
    talk.nothing_is_told().await;
    let present = talk.app.rocket(&talk.ann).get("users.presence", &[]).await.ok();
    assert!(!present["users"].to_string().contains(&talk.ann.id), "{present}");
}

#[tokio::test]
async fn away_is_who_is_away_everywhere_and_a_chosen_status_wins() {
    let mut talk = talk(app().await).await;
    let mut first = Client::log_in(&talk.at, &talk.ann).await;
    talk.shows(1).await;
    let mut second = Client::log_in(&talk.at, &talk.ann).await;
    first.ok("UserPresence:away", json!([])).await;
    talk.nothing_is_told().await;
    second.ok("UserPresence:away", json!([])).await;
    talk.shows(2).await;
    assert_eq!(talk.connection().await, "away");
    second.ok("UserPresence:away", json!([])).await;
    talk.nothing_is_told().await;
    first.ok("UserPresence:online", json!([])).await;
    talk.shows(1).await;
    // The one that is in use ends: the other is still away.
    talk.end(first).await;
    talk.shows(2).await;
    second.ok("UserPresence:online", json!([])).await;
    talk.shows(1).await;
    second.ok("UserPresence:setDefaultStatus", json!(["busy"])).await;
    talk.shows(3).await;
    second.ok("UserPresence:away", json!([])).await;
    talk.nothing_is_told().await;
    let at = talk.app.clock.now();
    talk.end(second).await;
    talk.app.clock.move_to(at + 5000);
    talk.shows(0).await;
    // It is what it was when the user is back.
    let mut third = Client::log_in(&talk.at, &talk.ann).await;
    talk.shows(3).await;
    third.ok("UserPresence:setDefaultStatus", json!(["online"])).await;
    talk.shows(1).await;
    // A logout ends a connection as its end does.
    let at = talk.app.clock.now();
    third.ok("logout", json!([])).await;
    talk.app.clock.move_to(at + 5000);
    let ann = talk.app.log_in(&talk.app.core.user_named("ann").await.unwrap()).await;
    talk.ann = ann;
    talk.shows(0).await;
}

#[tokio::test]
async fn a_user_who_is_not_logged_in_has_no_presence() {
    let talk = talk(app().await).await;
    let mut nobody = Client::connect(&talk.at).await;
    let error = nobody.refused("UserPresence:away", json!([])).await;
    assert_eq!(error["error"], "error-invalid-user");
    nobody.hear("notify-all", "public-settings-changed").await;
    let error = nobody.refused("UserPresence:online", json!([])).await;
    assert_eq!(error["error"], "error-invalid-user");
}

#[tokio::test]
async fn a_server_that_was_killed_leaves_nobody_online() {
    if on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let clock = Clock::set(START);
    let (ann, token) = {
        let app = TestApp::start_with(database.clone(), clock.clone()).await;
        let mut talk = talk(app).await;
        let client = Client::log_in(&talk.at, &talk.ann).await;
        talk.shows(1).await;
        talk.end(client).await;
        assert_eq!(number(&database, "SELECT count(*) FROM connections").await, 2);
        let Database::Embedded(dir) = &database else { unreachable!("an embedded store") };
        // The app takes its directory with it.
        let copy = dir.with_extension("kept");
        std::fs::create_dir_all(&copy).unwrap();
        for file in std::fs::read_dir(dir).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
            }
        }
        (talk.ann.id.clone(), talk.ann.token.clone())
    };
    let Database::Embedded(dir) = &database else { unreachable!("an embedded store") };
    let kept = Database::Embedded(dir.with_extension("kept"));
    let core =
        reopen(&kept, StoreOptions { readers: 2, ..StoreOptions::default() }, clock.clone()).await;
    let app = TestApp::over(core, clock, &kept);
    let left = "SELECT count(*) FROM connections";
    while number(&kept, left).await > 0 {
        tokio::task::yield_now().await;
    }
    let ann = TestUser { id: ann, username: "ann".to_owned(), token };
    let seen = app.rocket(&ann).get("users.getPresence", &[]).await.ok();
    assert_eq!(seen["presence"], "offline");
}

#[tokio::test]
async fn who_was_connected_to_a_node_that_died_is_offline_after_a_minute() {
    if !on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let app = TestApp::start_with(database.clone(), Clock::set(START)).await;
    let mut talk = talk(app).await;
    let dead = format!(
        "INSERT INTO nodes (id, seen) VALUES ('dead', {START});
         INSERT INTO connections (usr, node, away) VALUES ('{0}', 'dead', false);
         UPDATE users SET status = 'online' WHERE id = '{0}'",
        talk.ann.id
    );
    execute(&database, &dead).await;
    talk.app.clock.move_to(START + 15_000);
    talk.nothing_is_told().await;
    talk.app.clock.move_to(START + 60_001);
    talk.shows(0).await;
    let left = "SELECT count(*) FROM nodes WHERE id = 'dead'";
    assert_eq!(number(&database, left).await, 0);
}

#[tokio::test]
async fn a_node_that_others_took_for_dead_says_again_who_is_there() {
    if !on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let app = TestApp::start_with(database.clone(), Clock::set(START)).await;
    let mut talk = talk(app).await;
    let client = Client::log_in(&talk.at, &talk.ann).await;
    talk.shows(1).await;
    let dead = "DELETE FROM connections; DELETE FROM nodes; UPDATE users SET status = 'offline'";
    execute(&database, dead).await;
    talk.app.clock.move_to(START + 15_000);
    let own = |args: &Value| args[0][0] == talk.ann.id;
    let told = talk.watch.event_if("notify-logged", "user-status", own).await;
    assert_eq!(told[0][2], 1);
    assert_eq!(number(&database, "SELECT count(*) FROM connections").await, 2);
    drop(client);
}

#[tokio::test]
async fn two_nodes_agree_on_who_is_there_and_what_happens() {
    if !on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let here = TestApp::start_with(database.clone(), Clock::default()).await;
    let core = Core::open(options(database.clone(), Clock::default())).await.unwrap();
    let there = TestApp::over(core, Clock::default(), &database);
    let (at_here, at_there) = (serve(here.router()).await, serve(there.router()).await);
    let boss = here.admin("root").await;
    let (ann, bob) = (here.user("ann").await, here.user("bob").await);
    let mut watch = Client::log_in(&at_there, &bob).await;
    watch.hear("notify-logged", "user-status").await;
    let mut client = Client::log_in(&at_here, &ann).await;
    let own = |args: &Value| args[0][0] == ann.id && args[0][2] == 1;
    watch.event_if("notify-logged", "user-status", own).await;
    // What happens on one node is told on the other.
    let room = here.rocket(&ann).open("bob").await;
    watch.hear("room-messages", "__my_messages__").await;
    client.ok("sendMessage", json!([{"rid": room, "msg": "hello"}])).await;
    let told = watch.event("room-messages", "__my_messages__").await;
    assert_eq!(told[0]["msg"], "hello");
    // And what ends on one node ends on the other.
    let off = json!({"userId": ann.id, "activeStatus": false});
    there.rocket(&boss).post("users.setActiveStatus", off).await.ok();
    assert_eq!(client.end().await, Some(1008));
    let again = here.log_in(&here.core.user_named("bob").await.unwrap()).await;
    let mut second = Client::log_in(&at_here, &again).await;
    there.rocket(&bob).post("logout", json!({})).await.ok();
    assert_eq!(watch.end().await, Some(1008));
    second.hear("room-messages", "__my_messages__").await;
    here.rocket(&again).open("bob").await;
    there
        .rocket(&boss)
        .post(
            "permissions.update",
            json!({"permissions": [{"_id": "view-d-room", "roles": ["admin"]}]}),
        )
        .await
        .ok();
    second.caught_up(&there.core).await;
    let (_, answer) = second.sub("stream-room-messages", json!([room, false])).await;
    assert_eq!(answer["msg"], "nosub");
}
