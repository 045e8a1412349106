//! How mail leaves, as the server that gets it hears it.

use super::scene::status;
use super::{Row, Scene, row, switched};
use crate::accounts::smtp::server::Heard;
use serde_json::{Value, json};

/// Has a link sent to somebody new.
async fn forget(s: &Scene) {
    let user = s.person().await;
    let email = format!("{}@example.com", user.username);
    s.open("users.forgotPassword", json!({ "email": email })).await.ok();
}

/// The lines of a letter that begin with a word, and whether they were sealed.
async fn heard(s: &Scene, word: &str) -> Value {
    forget(s).await;
    let heard = s.post.lock().await.connection().await;
    let lines = heard.iter().filter_map(|heard| match heard {
        Heard::Open(line) => Some((line, false)),
        Heard::Sealed(line) => Some((line, true)),
        Heard::Refused | Heard::End => None,
    });
    lines
        .filter(|(line, _)| line.starts_with(word))
        .map(|(line, sealed)| json!([line, sealed]))
        .collect()
}

/// Can mail be sent? Then there are codes by mail.
async fn mails(s: &Scene) -> Value {
    let user = s.person().await;
    status(&s.post(&user, "users.2fa.enableEmail", json!({})).await)
}

fn sending(s: &Scene) -> Vec<(&'static str, Value)> {
    vec![
        ("SMTP_Host", json!("127.0.0.1")),
        ("SMTP_Port", json!(s.port)),
        ("From_Email", json!("chat@example.com")),
    ]
}

fn with_password(s: &Scene) -> Vec<(&'static str, Value)> {
    let mut all = sending(s);
    all.extend([("SMTP_Username", json!("post")), ("SMTP_Password", json!("first"))]);
    all
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    vec![
        row("SMTP_Host", |_| json!("127.0.0.1"), [json!(400), json!(200)], |s| Box::pin(mails(s)))
            .laid(|_| vec![("From_Email", json!("chat@example.com"))]),
        row(
            "SMTP_Port",
            |s| json!(s.other_port),
            [json!([true, false]), json!([false, true])],
            |s| {
                Box::pin(async move {
                    forget(s).await;
                    let (mut post, mut other) = (s.post.lock().await, s.other.lock().await);
                    tokio::select! {
                        heard = post.connection() => json!([!heard.is_empty(), false]),
                        heard = other.connection() => json!([false, !heard.is_empty()]),
                    }
                })
            },
        )
        .laid(sending),
        row(
            "SMTP_Protocol",
            |_| json!("smtps"),
            [json!([["EHLO", false]]), json!([])],
            |s| {
                Box::pin(async move {
                    let mut lines = heard(s, "EHLO").await;
                    // Its own name follows; the second is under TLS.
                    let first = lines.as_array_mut().unwrap().drain(..).next();
                    first.map_or_else(|| json!([]), |one| json!([["EHLO", one[1]]]))
                })
            },
        )
        .laid(sending),
        row(
            "SMTP_IgnoreTLS",
            |_| json!(true),
            [json!([["STARTTLS", false]]), json!([])],
            |s| Box::pin(heard(s, "STARTTLS")),
        )
        .laid(sending),
        row(
            "SMTP_Username",
            |_| json!("post"),
            [json!([]), json!([["AUTH PLAIN AHBvc3QAZmlyc3Q=", true]])],
            |s| Box::pin(heard(s, "AUTH")),
        )
        .laid(|s| {
            let mut all = sending(s);
            all.push(("SMTP_Password", json!("first")));
            all
        }),
        row(
            "SMTP_Password",
            |_| json!("other"),
            [
                json!([["AUTH PLAIN AHBvc3QAZmlyc3Q=", true]]),
                json!([["AUTH PLAIN AHBvc3QAb3RoZXI=", true]]),
            ],
            |s| Box::pin(heard(s, "AUTH")),
        )
        .laid(with_password),
        row(
            "From_Email",
            |_| json!("other@example.com"),
            [
                json!([["MAIL FROM:<chat@example.com>", true]]),
                json!([["MAIL FROM:<other@example.com>", true]]),
            ],
            |s| Box::pin(heard(s, "MAIL")),
        )
        .laid(sending),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
