//! How often methods may be called on sockets: five rules of three settings each.

use super::scene::Scene;
use super::{Row, row};
use crate::realtime::client::{Client, listen};
use serde_json::{Value, json};

/// What the first refused of a few calls says, on a socket of its own; null if none is.
async fn refused(scene: &Scene) -> Value {
    let at = listen(&scene.app).await;
    let mut client = Client::connect(&at).await;
    let login = json!([{"resume": scene.ann.token}]);
    for (method, params) in [("login", login), ("rooms/get", json!([])), ("rooms/get", json!([]))] {
        let answer = client.call(method, params).await;
        if !answer["error"].is_null() {
            return answer["error"].clone();
        }
    }
    Value::Null
}

pub(super) fn rows() -> Vec<Row> {
    let mut all = Vec::new();
    macro_rules! rule {
        ($id:literal, $time:literal) => {
            let one: super::Values = |_| {
                vec![
                    ("API_Enable_Rate_Limiter", json!(true)),
                    (concat!("DDP_Rate_Limit_", $id, "_Requests_Allowed"), json!(1)),
                ]
            };
            let many = json!("too-many-requests");
            all.push(
                row(
                    concat!("DDP_Rate_Limit_", $id, "_Enabled"),
                    |_| json!(false),
                    [many.clone(), Value::Null],
                    |scene| Box::pin(async { refused(scene).await["error"].clone() }),
                )
                .laid(one),
            );
            all.push(
                row(
                    concat!("DDP_Rate_Limit_", $id, "_Requests_Allowed"),
                    |_| json!(1),
                    [Value::Null, many],
                    |scene| Box::pin(async { refused(scene).await["error"].clone() }),
                )
                .laid(|_| vec![("API_Enable_Rate_Limiter", json!(true))]),
            );
            all.push(
                row(
                    concat!("DDP_Rate_Limit_", $id, "_Interval_Time"),
                    |_| json!($time + 1),
                    [json!($time), json!($time + 1)],
                    |scene| {
                        Box::pin(async { refused(scene).await["details"]["timeToReset"].clone() })
                    },
                )
                .laid(one),
            );
        };
    }
    rule!("IP", 60_000);
    rule!("User", 60_000);
    rule!("Connection", 60_000);
    rule!("User_By_Method", 10_000);
    rule!("Connection_By_Method", 10_000);
    all
}

#[tokio::test]
async fn each_is_switched() {
    super::switched(rows()).await;
}
