//! The settings of REST: paging, CORS, limits of calls, what is switched off at first, and the server's names.

use super::scene::{header, status};
use super::{Row, Scene, row, switched};
use crate::app::Answer;
use axum::http::Method;
use serde_json::{Value, json};

/// How many people a page has that asks for so many.
async fn page(s: &Scene, count: &[(&str, &str)]) -> Value {
    s.get(&s.boss, "users.list", count).await.ok()["count"].take()
}

/// An answer to somebody of another site.
async fn from_elsewhere(s: &Scene) -> Answer {
    let origin = [("origin", "https://b.example")];
    s.app.call(Method::GET, "/api/v1/info", &origin, None).await
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let limiter: super::Values = |_| vec![("API_Enable_Rate_Limiter", json!(true))];
    vec![
        row(
            "API_Upper_Count_Limit",
            |_| json!(2),
            [json!(4), json!(2)],
            |s| Box::pin(async move { page(s, &[("count", "50")]).await }),
        ),
        row(
            "API_Default_Count",
            |_| json!(1),
            [json!(4), json!(1)],
            |s| Box::pin(async move { page(s, &[]).await }),
        ),
        row(
            "API_Allow_Infinite_Count",
            |_| json!(false),
            [json!(4), json!(2)],
            |s| Box::pin(async move { page(s, &[("count", "0")]).await }),
        )
        .laid(|_| vec![("API_Default_Count", json!(2))]),
        row(
            "API_Enable_Direct_Message_History_EndPoint",
            |_| json!(true),
            [json!(400), json!(200)],
            |s| {
                Box::pin(async move {
                    let query = [("roomId", s.room.as_str())];
                    status(&s.get(&s.boss, "dm.messages.others", &query).await)
                })
            },
        ),
        row(
            "API_Enable_CORS",
            |_| json!(false),
            [json!("*"), Value::Null],
            |s| {
                Box::pin(
                    async move { header(&from_elsewhere(s).await, "access-control-allow-origin") },
                )
            },
        ),
        row(
            "API_CORS_Origin",
            |_| json!("https://a.example"),
            [json!("*"), Value::Null],
            |s| {
                Box::pin(
                    async move { header(&from_elsewhere(s).await, "access-control-allow-origin") },
                )
            },
        ),
        row(
            "API_Enable_Rate_Limiter",
            |_| json!(true),
            [Value::Null, json!("1200")],
            |s| {
                Box::pin(
                    async move { header(&s.get(&s.ann, "me", &[]).await, "x-ratelimit-limit") },
                )
            },
        ),
        row(
            "API_Enable_Rate_Limiter_Limit_Calls_Default",
            |_| json!(7),
            [json!("1200"), json!("7")],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    header(&s.get(&user, "me", &[]).await, "x-ratelimit-limit")
                })
            },
        )
        .laid(limiter),
        row(
            "API_Enable_Rate_Limiter_Limit_Time_Default",
            |_| json!(1000),
            [json!(60_000), json!(1000)],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    let reset = header(&s.get(&user, "me", &[]).await, "x-ratelimit-reset");
                    let reset: i64 = reset.as_str().unwrap().parse().unwrap();
                    json!(reset - s.app.clock.now())
                })
            },
        )
        .laid(limiter),
        row(
            "Rate_Limiter_Limit_RegisterUser",
            |_| json!(3),
            [json!("1"), json!("3")],
            |s| Box::pin(async move { header(&s.registers("x").await, "x-ratelimit-limit") }),
        )
        .laid(limiter),
        row(
            "API_Apply_permission_view-outside-room_on_users-list",
            |_| json!(true),
            [json!(200), json!(403)],
            |s| {
                Box::pin(async move {
                    s.grant("view-outside-room", &[]).await;
                    status(&s.get(&s.ann, "users.list", &[]).await)
                })
            },
        ),
        row(
            "Site_Name",
            |_| json!("Ours"),
            [json!("Parlance"), json!("Ours")],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    let begun = s.method(&user, "2fa:enable", json!([])).await;
                    begun["url"].as_str().unwrap().rsplit('=').next().unwrap().into()
                })
            },
        ),
        row(
            "Site_Url",
            |_| json!("https://chat.example"),
            [json!(0), json!(1)],
            |s| {
                Box::pin(async move {
                    let said = s.say("quote me").await;
                    let id = said["_id"].as_str().unwrap();
                    let link = format!("https://chat.example/direct/x?msg={id}");
                    let quotes = s.say(&link).await["attachments"].as_array().map_or(0, Vec::len);
                    json!(quotes)
                })
            },
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
