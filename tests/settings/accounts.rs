//! Names, profiles and people: what may be chosen, changed and found.

use super::scene::status;
use super::{Row, Scene, row, switched};
use crate::app::{PASSWORD_SHA256, TestUser};
use serde_json::{Value, json};

/// May somebody be called this?
async fn is_free(s: &Scene, name: &str) -> Value {
    let query = [("username", name)];
    s.get(&s.ann, "users.checkUsernameAvailability", &query).await.ok()["result"].take()
}

/// Is this change of a profile of one's own taken?
async fn changes(s: &Scene, data: Value) -> Value {
    let user = s.person().await;
    status(&s.post(&user, "users.updateOwnBasicInfo", json!({ "data": data })).await)
}

/// Is this change of one's own taken, for which the password is asked?
async fn proves(s: &Scene, name: &str, value: String) -> Value {
    changes(s, json!({name: value, "currentPassword": PASSWORD_SHA256})).await
}

async fn shows(s: &Scene, user: &TestUser, status_or_text: Value) -> Value {
    status(&s.post(user, "users.setStatus", status_or_text).await)
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let no_more = || [json!(true), json!(false)];
    vec![
        row(
            "UTF8_User_Names_Validation",
            |_| json!("[a-z]+"),
            no_more(),
            |s| Box::pin(is_free(s, "a.b")),
        ),
        row(
            "Accounts_BlockedUsernameList",
            |_| json!("x, Boss"),
            no_more(),
            |s| Box::pin(is_free(s, "boss")),
        ),
        row(
            "Accounts_SystemBlockedUsernameList",
            |_| json!(""),
            [json!(false), json!(true)],
            |s| Box::pin(is_free(s, "admin")),
        ),
        row(
            "Accounts_SearchFields",
            |_| json!("username"),
            [json!(1), json!(0)],
            |s| {
                Box::pin(async move {
                    let body = json!({"data": {"nickname": "walrus"}});
                    s.post(&s.bob, "users.updateOwnBasicInfo", body).await.ok();
                    let query = [("type", "users"), ("text", "walrus")];
                    s.get(&s.ann, "directory", &query).await.ok()["total"].take()
                })
            },
        ),
        row(
            "Number_of_users_autocomplete_suggestions",
            |_| json!(1),
            [json!(2), json!(1)],
            |s| {
                Box::pin(async move {
                    let mut found = Value::Null;
                    for _ in 0..2 {
                        s.person().await;
                        found = s.get(&s.ann, "spotlight", &[("query", "person")]).await.ok();
                    }
                    json!(found["users"].as_array().unwrap().len())
                })
            },
        ),
        row(
            "Presence_broadcast_disabled",
            |_| json!(true),
            [json!(false), json!(true)],
            |s| {
                Box::pin(async move {
                    let query = [("ids", s.bob.id.as_str())];
                    s.get(&s.ann, "users.presence", &query).await.ok()["full"].take()
                })
            },
        ),
        row(
            "Message_ErasureType",
            |_| json!("Keep"),
            [json!(0), json!(1)],
            |s| {
                Box::pin(async move {
                    let (user, mut ears) = (s.person().await, s.app.core.listen(100_000));
                    let body = json!({"usernames": "ann,bob"});
                    let made = s.post(&user, "dm.create", body).await.ok();
                    let room = made["room"]["_id"].as_str().unwrap();
                    s.app.rocket(&user).say(room, "remember me").await;
                    s.post(&s.boss, "users.delete", json!({"userId": user.id})).await.ok();
                    crate::rocketchat::rename::settled(&mut ears, &user).await;
                    let query = [("roomId", room)];
                    s.get(&s.ann, "dm.messages", &query).await.ok()["total"].take()
                })
            },
        ),
        row(
            "Accounts_AvatarBlockUnauthenticatedAccess",
            |_| json!(false),
            no_more(),
            |s| {
                Box::pin(async move {
                    let path = format!("/avatar/uid/{}", s.bob.id);
                    let shown = s.app.call(axum::http::Method::GET, &path, &[], None).await;
                    // Whoever is logged in sees Bob's letter.
                    let own = format!("{path}?rc_uid={}&rc_token={}", s.ann.id, s.ann.token);
                    let known = s.app.call(axum::http::Method::GET, &own, &[], None).await;
                    json!(shown.body != known.body)
                })
            },
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn own_rows() -> Vec<Row> {
    let refused = || [json!(200), json!(400)];
    vec![
        row(
            "Accounts_AllowUserProfileChange",
            |_| json!(false),
            refused(),
            |s| Box::pin(changes(s, json!({"bio": "x"}))),
        ),
        row(
            "Accounts_AllowRealNameChange",
            |_| json!(false),
            refused(),
            |s| Box::pin(changes(s, json!({"name": "Another"}))),
        ),
        row(
            "Accounts_AllowUsernameChange",
            |_| json!(false),
            refused(),
            |s| {
                Box::pin(async move {
                    let name = s.name();
                    changes(s, json!({"username": name})).await
                })
            },
        ),
        row(
            "Accounts_AllowEmailChange",
            |_| json!(false),
            refused(),
            |s| {
                Box::pin(async move {
                    let email = format!("{}@example.com", s.name());
                    proves(s, "email", email).await
                })
            },
        ),
        row(
            "Accounts_AllowPasswordChange",
            |_| json!(false),
            refused(),
            |s| Box::pin(proves(s, "newPassword", "another".to_owned())),
        ),
        row(
            "Accounts_AllowUserAvatarChange",
            |_| json!(false),
            refused(),
            |s| {
                Box::pin(
                    async move { status(&s.post(&s.ann, "users.resetAvatar", json!({})).await) },
                )
            },
        ),
        row(
            "Accounts_AllowUserStatusMessageChange",
            |_| json!(false),
            refused(),
            |s| Box::pin(shows(s, &s.ann, json!({"message": "x"}))),
        ),
        row(
            "Accounts_AllowInvisibleStatusOption",
            |_| json!(false),
            refused(),
            |s| Box::pin(shows(s, &s.ann, json!({"status": "offline"}))),
        ),
        row(
            "Accounts_AllowDeleteOwnAccount",
            |_| json!(true),
            [json!(400), json!(200)],
            |s| {
                Box::pin(async move {
                    let user = s.person().await;
                    let body = json!({"password": PASSWORD_SHA256});
                    status(&s.post(&user, "users.deleteOwnAccount", body).await)
                })
            },
        ),
        row(
            "Accounts_CustomFields",
            |_| json!(r#"{"team":{"type":"text"}}"#),
            [Value::Null, json!({"team": "red"})],
            |s| {
                Box::pin(async move {
                    let body = json!({"data": {}, "customFields": {"team": "red"}});
                    let user = s.post(&s.ann, "users.updateOwnBasicInfo", body).await.ok();
                    user["user"]["customFields"].clone()
                })
            },
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}

#[tokio::test]
async fn they_say_what_people_may_change_of_themselves() {
    switched(own_rows()).await;
}
