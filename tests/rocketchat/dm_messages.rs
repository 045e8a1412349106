//! `dm.messages` (contract section 5.7).

use crate::app::app;

#[tokio::test]
async fn prints() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let rid = app.rocket(&ann).open("bob").await;
    let sent = app.rocket(&ann).say(&rid, "hello *you* @bob https://example.com/x :smile:").await;
    println!("{sent:#}");
    println!("{:#}", app.rocket(&bob).get("dm.messages", &[("roomId", &rid)]).await.ok());
    println!("{:#}", app.rocket(&bob).get("dm.list", &[]).await.ok());
    println!("{:#}", app.rocket(&bob).get("me", &[]).await.ok());
    for q in [&[][..], &[("roomId", "a"), ("username", "b")][..], &[("roomId", "a"), ("x", "b")], &[("roomId", "a"), ("count", "abc")], &[("roomId", "nope")]] {
        let a = app.rocket(&bob).get("dm.messages", q).await;
        println!("{} {}", a.status, a.json());
    }
    println!("{}", app.rocket(&bob).get("dm.messages", &[("username", "ann"), ("query", r#"{"msg":{"$regex":"^hel"}}"#), ("fields", r#"{"msg":1}"#)]).await.json());
}
