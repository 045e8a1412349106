//! Document 003 (`dm.messages.others`): its example, from 2016 and without the keys that came later,
//! and each of its error answers.

use super::{account, import, make_admin, refuses_strangers, same, seed, set};
use crate::app::app;
use serde_json::{Value, json};

#[tokio::test]
async fn others_give_document_003() {
    let app = app().await;
    let seed = seed(include_str!("003.json"));
    let admin = make_admin(&app, "adminAdminAdmin17", "root").await;
    for (id, name) in [
        ("y65tAmHs93aDChMWu", "testing"),
        ("bRtgdhzM6PD9F8pSx", "testing2"),
        ("nSYqWzZ4GsKTX4dyK", "testing1"),
    ] {
        account(&app, id, name, "user").await;
    }
    let messages: Vec<&Value> = seed["answer"]["messages"].as_array().unwrap().iter().collect();
    let room = messages[0]["rid"].as_str().unwrap();
    let document = json!({"_id": room, "t": "d", "ts": "2016-12-06T17:00:00.000Z", "msgs": 4,
        "uids": ["bRtgdhzM6PD9F8pSx", "nSYqWzZ4GsKTX4dyK", "y65tAmHs93aDChMWu"],
        "usernames": ["testing", "testing1", "testing2"], "usersCount": 3});
    import(&app, "rooms", &[&document]).await;
    import(&app, "messages", &messages).await;
    let route = "dm.messages.others";

    // Disabled until the setting is on, whatever else is asked.
    let disabled = app.rocket(&admin).get(route, &[("roomId", room)]).await.expect(400);
    same(&disabled, &seed["disabled"], "disabled");
    set(&app, "API_Enable_Direct_Message_History_EndPoint", json!(true)).await;

    let got = app.rocket(&admin).get(route, &[("roomId", room)]).await.ok();
    same(&got, &seed["answer"], route);
    same(&app.rocket(&admin).get(route, &[]).await.expect(400), &seed["missing"], "missing");
    let unknown = app.rocket(&admin).get(route, &[("roomId", "john")]).await.expect(400);
    same(&unknown, &seed["notFound"], "unknown");
    refuses_strangers(&app, &format!("/api/v1/{route}"), &seed["unauthorized"]).await;

    // Each documented parameter does what the document says.
    let ask = |query: Vec<(&'static str, &'static str)>| {
        let (app, admin) = (&app, &admin);
        async move {
            let mut all = vec![("roomId", room)];
            all.extend(query);
            app.rocket(admin).get(route, &all).await.ok()
        }
    };
    let second = ask(vec![("offset", "1"), ("count", "1")]).await;
    assert_eq!(second["messages"], json!([seed["answer"]["messages"][1]]));
    assert_eq!(
        (&second["offset"], &second["count"], &second["total"]),
        (&1.into(), &1.into(), &4.into())
    );
    let oldest = ask(vec![("sort", r#"{"ts":1}"#), ("count", "1")]).await;
    assert_eq!(oldest["messages"][0]["_id"], seed["answer"]["messages"][3]["_id"]);
    let found = ask(vec![("query", r#"{"u.username":{"$regex":"g1$"}}"#)]).await;
    assert_eq!(found["messages"], json!([seed["answer"]["messages"][2]]));
    let fields = ask(vec![("fields", r#"{"msg":1}"#), ("count", "1")]).await;
    let first = &seed["answer"]["messages"][0];
    assert_eq!(fields["messages"], json!([{"_id": first["_id"], "msg": first["msg"]}]));
}
