//! Where link previews may go.

use super::scene::status;
use super::{Row, Scene, row, switched};
use crate::preview::web::OPEN;
use serde_json::{Value, json};

/// Is there a preview of the page?
async fn preview(s: &Scene) -> Value {
    let url = s.web.url("page.example", "/");
    let query = [("roomId", s.room.as_str()), ("url", url.as_str())];
    status(&s.get(&s.ann, "chat.getURLPreview", &query).await)
}

fn reachable(s: &Scene) -> Vec<(&'static str, Value)> {
    vec![
        ("Parlance_Preview_Allowed_Networks", json!(format!("{OPEN}/32"))),
        ("API_EmbedSafePorts", json!(format!("80, 443, {}", s.web.port))),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let gone = || [json!(200), json!(400)];
    let see: super::See = |s| Box::pin(preview(s));
    vec![
        row("API_Embed", |_| json!(false), gone(), see).laid(reachable),
        row("API_EmbedIgnoredHosts", |_| json!("page.example"), gone(), see).laid(reachable),
        row("API_EmbedSafePorts", |_| json!("80"), gone(), see).laid(reachable),
        row("Parlance_Preview_Allowed_Networks", |_| json!(""), gone(), see).laid(reachable),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
