//! Two nodes on one database: what one changes the other learns from the log, in order, with
//! nothing lost to a transaction that commits late. And one node: a change counts at once.

use super::{Chat, heard_until, person, raw};
use crate::app::{fresh_database, on_postgres, options};
use parlance_core::event::{Event, Kind};
use parlance_core::role::Wanted;
use parlance_core::send::NewMessage;
use parlance_core::{Clock, Core, Error, Perm};
use serde_json::Value;

#[tokio::test]
async fn settings_and_permissions_count_at_once_here_and_by_their_event_there() {
    let database = fresh_database().await;
    let here = Core::open(options(database.clone(), Clock::default())).await.unwrap();
    // On SQLite the other node is the same one.
    let there = if on_postgres() {
        Core::open(options(database.clone(), Clock::default())).await.unwrap()
    } else {
        here.clone()
    };
    let (boss, _) = person(&here, "boss", &["admin", "user"]).await;
    let (ann, _) = person(&here, "ann", &[]).await;
    let mut ears = there.listen(1000);
    for n in 0..20 {
        let name = format!("Name {n}");
        let right = here.admin(&boss, Perm::EditPrivilegedSetting).unwrap();
        here.set_setting(right, "Site_Name", &Value::from(name.as_str())).await.unwrap();
        let known = parlance_core::setting::SITE_NAME;
        assert_eq!(here.settings().text(&known), name);
        heard_until(&mut ears, |event| event.kind == Kind::Settings).await;
        assert_eq!(there.settings().text(&known), name);

        let roles: Vec<String> = if n % 2 == 0 { vec![] } else { vec!["user".to_owned()] };
        let right = here.admin(&boss, Perm::AccessPermissions).unwrap();
        here.set_grants(right, &[("create-d".to_owned(), roles)]).await.unwrap();
        let refused = n % 2 == 0;
        let opened = here.open_direct(&ann, &["boss"], false).await;
        assert_eq!(matches!(opened, Err(Error::NotAllowed)), refused);
        heard_until(&mut ears, |event| event.kind == Kind::Permissions).await;
        let opened = there.open_direct(&ann, &["boss"], false).await;
        assert_eq!(matches!(opened, Err(Error::NotAllowed)), refused);
    }
    if let super::Database::Embedded(dir) = &database {
        let _ = std::fs::remove_dir_all(dir);
    }
}

/// A role that one node makes, grants, gives and removes, another knows as soon as it hears of it.
#[tokio::test]
async fn roles_count_at_once_here_and_by_their_event_there() {
    let database = fresh_database().await;
    let here = Core::open(options(database.clone(), Clock::default())).await.unwrap();
    let there = if on_postgres() {
        Core::open(options(database.clone(), Clock::default())).await.unwrap()
    } else {
        here.clone()
    };
    let (boss, _) = person(&here, "boss", &["admin", "user"]).await;
    let (ann, token) = person(&here, "ann", &[]).await;
    let mut ears = there.listen(1000);
    let perm = Perm::ViewStatistics;
    for _ in 0..5 {
        let right = here.admin(&boss, Perm::AccessPermissions).unwrap();
        let wanted = Wanted { name: "editor".to_owned(), ..Wanted::default() };
        let role = here.add_role(right, wanted).await.unwrap();
        heard_until(&mut ears, |event| event.kind == Kind::Roles).await;
        assert_eq!(there.role("editor", true), Some(role.clone()));
        here.set_grants(right, &[(perm.id().to_owned(), vec![role.id.clone()])]).await.unwrap();
        here.give_role(right, ann.id(), &role).await.unwrap();
        let of_ann =
            |event: &Event| event.kind == Kind::User && event.reference == ann.id().as_str();
        heard_until(&mut ears, of_ann).await;
        for node in [&here, &there] {
            let caller = node.caller(&token, None).await.unwrap();
            assert!(node.may(&caller, perm));
        }
        here.take_role(right, ann.id(), &role).await.unwrap();
        heard_until(&mut ears, of_ann).await;
        for node in [&here, &there] {
            let caller = node.caller(&token, None).await.unwrap();
            assert!(!node.may(&caller, perm));
        }
        here.remove_role(right, &role.id).await.unwrap();
        heard_until(&mut ears, |event| event.kind == Kind::Roles).await;
        assert_eq!(there.role(&role.id, false), None);
        assert!(there.grants().iter().all(|grant| !grant.roles.contains(&role.id)));
    }
    if let super::Database::Embedded(dir) = &database {
        let _ = std::fs::remove_dir_all(dir);
    }
}

#[tokio::test]
async fn a_late_commit_below_positions_that_are_visible_is_waited_for() {
    let chat = Chat::start().await;
    let Some(mut other) = raw(&chat.database).await else {
        return;
    };
    let mut ears = chat.core.listen(1000);
    // Another node's transaction draws a position, and takes its time.
    let late = other.transaction().await.unwrap();
    let position: i64 = late.query_one("SELECT event_pos()", &[]).await.unwrap().get(0);
    let access = chat.in_group(0).await;
    let mut sent = Vec::new();
    for n in 0..20 {
        let new = NewMessage::text(format!("number {n}"));
        let message = chat.core.send(&chat.callers[0], &access, new).await.unwrap().message;
        sent.push(message.id.to_string());
    }
    let add = "INSERT INTO events (pos, ts, kind, ref) VALUES ($1, 1, 'user', 'late')";
    late.execute(add, &[&position]).await.unwrap();
    late.commit().await.unwrap();
    let mut heard = heard_until(&mut ears, |event| Some(&event.reference) == sent.last()).await;
    assert!(heard.is_sorted_by(|a, b| a.position < b.position));
    // What happened before may still be on its way when the ears open.
    heard.retain(|event| event.position >= position);
    assert_eq!((heard[0].reference.as_str(), heard[0].position), ("late", position));
    let rest: Vec<&str> = heard[1..].iter().map(|event| event.reference.as_str()).collect();
    assert_eq!(rest, sent);

    // And one that gives up leaves a gap that is passed.
    let given_up = other.transaction().await.unwrap();
    given_up.query_one("SELECT event_pos()", &[]).await.unwrap();
    let new = NewMessage::text("behind the gap");
    let last = chat.core.send(&chat.callers[0], &access, new).await.unwrap().message;
    given_up.rollback().await.unwrap();
    heard_until(&mut ears, |event| event.reference == last.id.as_str()).await;
}

#[tokio::test]
async fn a_node_that_starts_while_a_change_is_on_its_way_learns_of_it() {
    let chat = Chat::start().await;
    let Some(mut other) = raw(&chat.database).await else {
        return;
    };
    let late = other.transaction().await.unwrap();
    let position: i64 = late.query_one("SELECT event_pos()", &[]).await.unwrap().get(0);
    let set = "INSERT INTO settings (id, value, updated) VALUES ('Site_Name', '\"late\"', 1)";
    late.execute(set, &[]).await.unwrap();
    // A position above the late one is visible when the new node looks where to begin.
    let access = chat.in_group(0).await;
    chat.core.send(&chat.callers[0], &access, NewMessage::text("above")).await.unwrap();
    let node = Core::open(options(chat.database.clone(), Clock::default())).await.unwrap();
    let mut ears = node.listen(10_000);
    let add = "INSERT INTO events (pos, ts, kind, ref) VALUES ($1, 1, 'settings', 'Site_Name')";
    late.execute(add, &[&position]).await.unwrap();
    late.commit().await.unwrap();
    // It may take some looks at the log until older transactions of anybody have ended.
    for _ in 0..1000 {
        let new = NewMessage::text("a later one");
        let later = chat.core.send(&chat.callers[0], &access, new).await.unwrap().message;
        heard_until(&mut ears, |event| event.reference == later.id.as_str()).await;
        if node.settings().text(&parlance_core::setting::SITE_NAME) == "late" {
            return;
        }
    }
    panic!("the new node never learned of the setting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_the_same_time_make_one_schema() {
    if !on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let open = |_| tokio::spawn(Core::open(options(database.clone(), Clock::default())));
    let tasks: Vec<_> = (0..8).map(open).collect();
    for task in tasks {
        let core = super::soon("a start", task).await.unwrap().unwrap();
        assert!(core.user(&"rocket.cat".into()).await.is_ok());
    }
}
