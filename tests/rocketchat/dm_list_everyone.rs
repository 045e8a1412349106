//! `dm.list.everyone` (contract section 5.6): every direct room, for who may, written to the audit.

use super::{LACKS, coded, each, grant, plain};
use crate::app::{TestApp, TestUser, app};
use parlance_core::Perm;
use parlance_core::audit::Entry;
use serde_json::{Value, json};

async fn log(app: &TestApp, admin: &TestUser) -> Vec<Entry> {
    let caller = app.caller(admin).await;
    let admin = app.core.admin(&caller, Perm::ViewRoomAdministration).unwrap();
    app.reads(admin).await
}

#[tokio::test]
async fn an_administrator_sees_every_room_and_leaves_a_trace() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    let own = app.rocket(&bob).open("bob").await;
    let sent = app.rocket(&ann).say(&id, "between us").await;
    app.rocket(&bob).post("chat.starMessage", json!({"messageId": sent["_id"]})).await.ok();
    for (n, name) in ["dm.list.everyone", "im.list.everyone"].into_iter().enumerate() {
        let body =
            app.rocket(&boss).get(name, &[("count", "10"), ("sort", r#"{"msgs":-1}"#)]).await.ok();
        assert_eq!(each(&body, "ims", "_id"), [id.clone(), own.clone()]);
        assert_eq!(
            (&body["offset"], &body["count"], &body["total"]),
            (&json!(0), &json!(2), &json!(2))
        );
        assert_eq!(body["ims"][0]["lastMessage"]["msg"], "between us");
        assert!(body["ims"][0]["lastMessage"].get("starred").is_none(), "bob's star is bob's");
        let log = log(&app, &boss).await;
        assert_eq!(log.len(), n + 1);
        let row = &log[0];
        assert_eq!((row.actor.as_str(), row.name.as_str()), (boss.id.as_str(), "root"));
        assert_eq!((row.action.as_str(), row.room.as_deref()), ("dm.list.everyone", None));
        assert_eq!((row.at, row.ip.as_str()), (app.clock.now(), "unknown"));
        let detail: Value = serde_json::from_str(&row.detail).unwrap();
        let want = json!({"offset": 0, "count": 10, "conditions": [], "given": 2, "oldest": null,
            "newest": null});
        assert_eq!(detail, want);
    }
}

#[tokio::test]
async fn without_the_permission_there_is_neither_answer_nor_trace() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.rocket(&ann).open("root").await;
    // The permission comes before the parameters.
    for query in [&[][..], &[("count", "abc")], &[("query", "{")]] {
        plain(&app.rocket(&ann).get("dm.list.everyone", query).await, 403, LACKS);
    }
    let answer = app.rocket(&boss).get("dm.list.everyone", &[("query", "{")]).await;
    let helper = json!({"helperMethod": "parseJsonQuery"});
    coded(&answer, "error-invalid-query", "Invalid query parameter provided: \"{\"", &helper);
    assert!(log(&app, &boss).await.is_empty());
    grant(&app, &boss, "view-room-administration", &["admin", "user"]).await;
    assert_eq!(app.rocket(&ann).get("dm.list.everyone", &[]).await.ok()["total"], 1);
    grant(&app, &boss, "view-room-administration", &["admin"]).await;
    plain(&app.rocket(&ann).get("dm.list.everyone", &[]).await, 403, LACKS);
    let log = log(&app, &boss).await;
    assert_eq!((log.len(), log[0].name.as_str()), (1, "ann"));
}

#[tokio::test]
async fn query_narrows_and_never_widens() {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let pair = app.rocket(&ann).open("bob").await;
    let own = app.rocket(&bob).open("bob").await;
    app.rocket(&ann).say(&pair, "Hello there").await;
    let list = async |query: &str| {
        let params = [("query", query), ("sort", r#"{"ts":1,"usersCount":-1}"#)];
        app.rocket(&boss).get("dm.list.everyone", &params).await.ok()
    };
    for (query, want) in [
        (r#"{"msgs":{"$gt":0}}"#, vec![&pair]),
        (r#"{"usernames":"ann"}"#, vec![&pair]),
        (r#"{"usersCount":1}"#, vec![&own]),
        (r#"{"lastMessage.msg":{"$regex":"^hello","$options":"i"}}"#, vec![&pair]),
        (r#"{"lastMessage":{"$exists":false}}"#, vec![&own]),
        (r#"{"$or":[{"msgs":0},{"msgs":1}]}"#, vec![&pair, &own]),
        (r#"{"t":"c"}"#, vec![]),
        (r#"{"t":{"$ne":"d"}}"#, vec![]),
    ] {
        let body = list(query).await;
        assert_eq!(
            each(&body, "ims", "_id"),
            want.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
        assert_eq!((&body["total"], &body["success"]), (&body["count"], &json!(true)));
    }
    let by_user = format!(r#"{{"uids":"{}"}}"#, ann.id);
    assert_eq!(list(&by_user).await["total"], 1);
    app.clock.move_to(app.clock.now() + 1000);
    let params = [("query", r#"{"msgs":1}"#), ("fields", r#"{"msgs":1,"joinCode":1}"#)];
    let body = app.rocket(&boss).get("dm.list.everyone", &params).await.ok();
    assert_eq!(body["ims"], json!([{"_id": pair, "msgs": 1}]));
    let newest: Value = serde_json::from_str(&log(&app, &boss).await[0].detail).unwrap();
    assert_eq!((&newest["conditions"], &newest["given"]), (&json!(["msgs"]), &json!(1)));
    for raw in [
        r#"{"$where":"true"}"#,
        r#"{"joinCode":"x"}"#,
        r#"{"$or":[{"members.a":1}]}"#,
        r#"{"$expr":{}}"#,
        r#"{"msgs":{"$function":1}}"#,
    ] {
        let answer = app.rocket(&boss).get("dm.list.everyone", &[("query", raw)]).await;
        let text = format!("Invalid query parameter provided: \"{raw}\"");
        coded(&answer, "error-invalid-query", &text, &json!({"helperMethod": "parseJsonQuery"}));
    }
}
