//! Operators, wrong types and broken texts in every parameter of every route (CVE-2021-22911,
//! CVE-2022-32229, CVE-2023-23917 and their like), asked by somebody who is no member: no fault of the
//! server, no success that the plain call would not have, nothing of a foreign room, nothing changed.

use super::calls::{At, Row, Want, rows};
use super::scene::{Role, Scene, about, changes, leak, paths};
use crate::app::{TestUser, encode};
use crate::rocketchat::{bad_input, bad_params};
use axum::http::Method;
use serde_json::{Value, json};

/// Takes the place of a value until the text is made, because JSON here cannot hold what follows.
const MARK: &str = "MARKMARK";

/// What is put where a value belongs, as JSON text and as the text of a query string.
fn values() -> Vec<(String, String)> {
    let long = "x".repeat(10_240);
    let plain = [
        json!({"$regex": "^a"}),
        json!({"$ne": null}),
        json!({"$gt": ""}),
        json!([]),
        json!([{"$ne": null}]),
        json!(7),
        json!(null),
        json!(true),
        json!(long),
        json!("__proto__"),
        json!({"__proto__": {"admin": true}}),
    ];
    let mut all: Vec<(String, String)> = plain
        .iter()
        .map(|value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (value.to_string(), encode(&text))
        })
        .collect();
    all.push(("\"a\\u0000b\"".to_owned(), "a%00b".to_owned()));
    all.push(("\"\\ud83d\"".to_owned(), "%ED%A0%BD".to_owned()));
    all
}

/// Where a value can stand in a call: the members of it, and of the objects and lists in it.
fn places(call: &Value) -> Vec<String> {
    let under = |key: String, value: &Value| {
        let inner = places(value).into_iter().map(|place| format!("{key}{place}"));
        inner.chain([key.clone()]).collect::<Vec<_>>()
    };
    match call {
        Value::Object(map) => map.iter().flat_map(|(k, v)| under(format!("/{k}"), v)).collect(),
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(n, v)| under(format!("/{n}"), v)).collect()
        }
        _ => Vec::new(),
    }
}

/// A call with the mark at this place, which may be a member that it had not.
fn marked(call: &Value, place: &str) -> Value {
    let mut call = call.clone();
    match call.pointer_mut(place) {
        Some(value) => *value = MARK.into(),
        None => call[&place[1..]] = MARK.into(),
    }
    call
}

/// Every place of a call that is worth trying: its own, and every parameter that the contract names.
fn all_places(row: &Row, call: &Value) -> Vec<String> {
    let mut all = places(call);
    let named = if row.route.method == Method::GET {
        bad_params::PARAMS
    } else {
        bad_input::good(row.route.name, "", "").1
    };
    all.extend(named.iter().map(|name| format!("/{name}")));
    all.sort();
    all.dedup();
    all
}

/// One call of which one value is something else; says what is wrong with the answer.
async fn one(
    scene: &Scene,
    row: &Row,
    user: Option<&TestUser>,
    (call, value): (&Value, &(String, String)),
    refused: bool,
) -> Option<String> {
    let path = &paths(row.route)[0];
    let text = if row.route.method == Method::GET {
        super::scene::query(call).replace(MARK, &value.1)
    } else {
        call.to_string().replace(&format!("\"{MARK}\""), &value.0)
    };
    let answer = scene.raw_call(row.route, path, user, &text).await;
    let status = answer.status.as_u16();
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    let body: Value = serde_json::from_str(&said).unwrap_or(Value::Null);
    let elsewhere = row.want(Role::Stranger) == Want::Elsewhere;
    let kind = matches!(status, 200 | 400 | 401 | 403) && body["success"] == (status == 200);
    let kind = kind || (elsewhere && status == 307);
    let names = row.want(Role::Stranger) == Want::Names;
    let leak = leak(&said, names);
    if kind && leak.is_none() && (status != 200 || !refused) {
        return None;
    }
    let short: String = text.chars().take(300).collect();
    let said: String = said.chars().take(600).collect();
    Some(format!("{path} {short}: leak {leak:?}: {status} {said}"))
}

async fn sweep(method: Method) {
    let scene = Scene::new().await;
    let ids = [&scene.group, &scene.pair, &scene.in_group, &scene.in_pair].map(String::as_str);
    let before = about(&scene.dump().await, &ids);
    let (values, mut wrong, mut calls) = (values(), Vec::new(), 0);
    let rows = rows();
    for row in rows.iter().filter(|row| row.route.method == method && row.route.name != "logout") {
        let no = |role| matches!(row.want(role), Want::No(..));
        for (role, room, message) in [
            (Role::Stranger, &scene.group, &scene.in_group),
            (Role::Stranger, &scene.own, &scene.in_own),
            (Role::Admin, &scene.group, &scene.in_group),
        ] {
            if matches!(row.want(role), Want::Sees | Want::Erases) {
                continue;
            }
            let refused = no(role) && (*room == scene.group || no(Role::Member));
            let call = (row.call)(&At {
                room,
                message,
                member: "robo",
                member_id: "robo",
                fresh: "sw-eep",
            });
            for place in all_places(row, &call) {
                let call = marked(&call, &place);
                for value in &values {
                    calls += 1;
                    let asked = (&call, value);
                    wrong.extend(one(&scene, row, scene.user(role), asked, refused).await);
                    if !row.route.login {
                        wrong.extend(one(&scene, row, None, asked, false).await);
                    }
                }
            }
        }
    }
    // Whoever asked was logged in to the end.
    for user in [&scene.eve, &scene.boss] {
        scene.app.rocket(user).get("me", &[]).await.ok();
    }
    assert!(calls > 1000, "{calls}");
    assert!(wrong.is_empty(), "{} of {calls}:\n{}", wrong.len(), wrong.join("\n"));
    let after = about(&scene.dump().await, &ids);
    assert_eq!(changes(&before, &after), Vec::<String>::new());
}

#[tokio::test]
async fn every_value_of_every_body() {
    sweep(Method::POST).await;
}

#[tokio::test]
async fn every_value_of_every_query_string() {
    sweep(Method::GET).await;
}
