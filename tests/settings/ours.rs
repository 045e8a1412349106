//! What is this server's own: the other face's limits, the index, exports.

use super::scene::status;
use super::{Row, Scene, row, switched};
use crate::app::{Answer, TestUser};
use crate::rocketchat::export::{fetch, path, told};
use crate::store::number;
use axum::http::Method;
use serde_json::{Value, json};

fn limited(more: &[&'static str]) -> Vec<(&'static str, Value)> {
    let mut all = vec![("API_Enable_Rate_Limiter", json!(true))];
    all.extend(more.iter().map(|id| (*id, json!(1))));
    all
}

/// A wrong password on the other face.
async fn guess(s: &Scene, name: &str) -> Answer {
    let body = json!({"identifier": name, "password": "wrong"});
    s.app.call(Method::POST, "/api/auth/login", &[], Some(&body)).await
}

async fn dms(s: &Scene, user: &TestUser) -> Answer {
    s.app.meepa(user).get("/dms", &[]).await
}

/// Has an export of a room with somebody new made; gives whose it is, and the bot's word of it.
async fn exported(s: &Scene) -> (TestUser, String) {
    s.grant("mail-messages", &["user"]).await;
    let user = s.person().await;
    let room = s.app.rocket(&user).open("bob").await;
    for _ in 0..3 {
        s.app.rocket(&user).say(&room, &"x".repeat(1000)).await;
    }
    let body = json!({"rid": room, "type": "file", "format": "json"});
    s.post(&user, "rooms.export", body).await.ok();
    let word = told(&s.app, &user, 1).await.remove(0);
    (user, word)
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "MeepaChat_Max_Content",
            |_| json!(3),
            [json!(201), json!(400)],
            |s| {
                Box::pin(async move {
                    let path = format!("/dms/{}/messages", s.room);
                    status(&s.app.meepa(&s.ann).post(&path, json!({"content": "four"})).await)
                })
            },
        ),
        row(
            "MeepaChat_Rate_Limit_Per_Minute",
            |_| json!(6),
            [json!(200), json!(429)],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    dms(s, &user).await.ok();
                    dms(s, &user).await.expect(429);
                    s.app.clock.move_to(s.app.clock.now() + 9000);
                    status(&dms(s, &user).await)
                })
            },
        )
        .laid(|_| limited(&["MeepaChat_Rate_Limit_Burst"])),
        row(
            "MeepaChat_Rate_Limit_Burst",
            |_| json!(2),
            [json!(60), json!(2)],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    let mut taken = 0;
                    while dms(s, &user).await.status.as_u16() == 200 {
                        taken += 1;
                    }
                    json!(taken)
                })
            },
        )
        .laid(|_| limited(&[])),
        row(
            "MeepaChat_Auth_Rate_Limit_Per_Minute",
            |_| json!(1),
            [json!(401), json!(429)],
            |s| {
                Box::pin(async move {
                    let name = s.name();
                    guess(s, &name).await.expect(401);
                    guess(s, &name).await.expect(429);
                    s.app.clock.move_to(s.app.clock.now() + 9000);
                    status(&guess(s, &name).await)
                })
            },
        )
        .laid(|_| limited(&["MeepaChat_Auth_Rate_Limit_Burst"])),
        row(
            "MeepaChat_Auth_Rate_Limit_Burst",
            |_| json!(2),
            [json!(5), json!(2)],
            |s| {
                Box::pin(async move {
                    let name = s.name();
                    let mut taken = 0;
                    while guess(s, &name).await.status.as_u16() == 401 {
                        taken += 1;
                    }
                    json!(taken)
                })
            },
        )
        .laid(|_| limited(&[])),
        row(
            "Parlance_Search_Index",
            |_| json!(false),
            [json!([true, 1]), json!([false, 1])],
            |s| {
                Box::pin(async move {
                    let name = s.name();
                    s.say(&format!("find {name}")).await;
                    s.app.core.indexed().await.unwrap();
                    let kept = number(&s.database, "SELECT count(*) FROM terms").await > 0;
                    let text = format!("\"{name}\"");
                    let query = [("roomId", s.room.as_str()), ("searchText", &text)];
                    let found = s.get(&s.ann, "chat.search", &query).await.ok();
                    json!([kept, found["messages"].as_array().unwrap().len()])
                })
            },
        ),
        row(
            "Parlance_Export_Max_Bytes",
            |_| json!(2000),
            [json!(true), json!(false)],
            |s| {
                Box::pin(
                    async move { json!(exported(s).await.1.starts_with("Your export is ready")) },
                )
            },
        ),
        row(
            "Parlance_Export_Days",
            |_| json!(1),
            [json!(200), json!(404)],
            |s| {
                Box::pin(async move {
                    let (user, word) = exported(s).await;
                    s.later(2 * 24 * 60);
                    status(&fetch(&s.app, &user, &path(&word)).await)
                })
            },
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
