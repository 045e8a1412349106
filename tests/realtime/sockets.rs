//! The socket itself: its paths, its clothes, signs of life.

use super::client::{Client, listen};
use crate::app::app;
use serde_json::json;

#[tokio::test]
async fn raw_and_sockjs_speak_the_same() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut raw = Client::open(&at, "/websocket").await;
    assert_eq!(raw.next().await, json!({"server_id": "0"}));
    let mut dressed = Client::open(&at, "/sockjs/123/abc/websocket").await;
    assert_eq!(dressed.raw().await, Ok("o".to_owned()));
    assert_eq!(dressed.raw().await, Ok(r#"a["{\"server_id\":\"0\"}"]"#.to_owned()));
    for client in [&mut raw, &mut dressed] {
        client.say(&json!({"msg": "connect", "version": "pre2", "support": ["pre2"]})).await;
        let connected = client.next().await;
        assert_eq!(connected["msg"], "connected");
        assert!(connected["session"].as_str().is_some_and(|id| !id.is_empty()));
        client.resume(&ann).await;
        client.settle().await;
    }
}
