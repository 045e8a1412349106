//! What hostile and broken clients get (contract sections 11.1 and 11.2): the contract's error or close
//! code, and nobody else notices.

use super::client::{Client, listen};
use crate::app::app;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn what_is_no_message_ends_the_socket_or_is_told() {
    let app = app().await;
    let at = listen(&app).await;
    for text in ["", "{", "hello", "\u{1f600}", "{\"msg\":\"ping\",\"a\":\"\\u0000\"}"] {
        let mut client = Client::connect(&at).await;
        client.send(text).await;
        assert_eq!(client.end().await, Some(1007), "{text}");
    }
    let mut client = Client::connect(&at).await;
    client.send_raw(Message::Binary(vec![1, 2, 3].into())).await;
    assert_eq!(client.end().await, Some(1007));
    let mut client = Client::connect(&at).await;
    client.send(&"x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(client.end().await, Some(1009));
    let mut client = Client::connect(&at).await;
    for message in
        [json!(1), json!([]), json!({}), json!({"msg": "what"}), json!({"msg": "method"})]
    {
        client.say(&message).await;
        let error = client.until(|frame| frame["msg"] == "error").await;
        assert_eq!(error["reason"], "Bad request");
    }
    client.settle().await;
}

#[tokio::test]
async fn nothing_is_done_before_connect() {
    let app = app().await;
    let at = listen(&app).await;
    for message in [
        json!({"msg": "method", "method": "login", "id": "1", "params": []}),
        json!({"msg": "sub", "id": "1", "name": "activeUsers", "params": []}),
        json!({"msg": "unsub", "id": "1"}),
    ] {
        let mut client = Client::open(&at, "/websocket").await;
        client.say(&message).await;
        assert_eq!(client.end().await, Some(1002), "{message}");
    }
    let mut client = Client::open(&at, "/websocket").await;
    client.say(&json!({"msg": "connect", "version": "7"})).await;
    let failed = client.until(|frame| frame["msg"] == "failed").await;
    assert_eq!(failed["version"], "1");
    assert_eq!(client.end().await, Some(1002));
}
