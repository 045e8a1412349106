//! The examples of the documents, letter by letter, on every list that reads the parameter.

use super::{Route, World, ids};
use crate::app::{Answer, TestUser};
use parlance_core::account::NewUser;
use serde_json::{Value, json};

/// From documents 000, 002 and 003; the first two are one example in two spellings.
const QUERIES: [&str; 2] = [r#"{ "name": { "$regex": "g" }}"#, r#"{"name":{"$regex":"g"}}"#];
const SORT: &str = r#"{"value":-1,"_id":1}"#;
const FIELDS: &str = r#"{"username":1}"#;

async fn call(world: &World, user: &TestUser, route: &Route<'_>, with: (&str, &str)) -> Answer {
    let query: Vec<(&str, &str)> = route.params.iter().chain([&with]).copied().collect();
    world.app.rocket(user).get(route.name, &query).await
}

#[tokio::test]
async fn users_with_a_name_that_contains_the_letter_g() {
    let world = World::new().await;
    for (username, name) in [("one", "Olga"), ("two", "Gustav"), ("three", "Ingrid")] {
        let (username, name) = (username.to_owned(), name.to_owned());
        world.app.user_with(NewUser { username, name, ..NewUser::default() }).await;
    }
    for query in QUERIES {
        let body = world.app.rocket(&world.ann).get("users.list", &[("query", query)]).await.ok();
        let names: Vec<&Value> =
            body["users"].as_array().unwrap().iter().map(|u| &u["name"]).collect();
        assert_eq!((names, &body["total"]), (vec![&json!("Olga"), &json!("Ingrid")], &json!(2)));
    }
}

#[tokio::test]
async fn every_list_takes_the_examples() {
    let world = World::new().await;
    let room = world.rooms[0].clone();
    for text in ["g", "h"] {
        world.app.rocket(&world.ann).say(&room, text).await;
    }
    let one = [("roomId", room.as_str())];
    let lists = [
        (Route { name: "dm.list", params: &[], list: "ims" }, &world.ann),
        (Route { name: "dm.list.everyone", params: &[], list: "ims" }, &world.boss),
        (Route { name: "dm.messages", params: &one, list: "messages" }, &world.ann),
        (Route { name: "dm.messages.others", params: &one, list: "messages" }, &world.boss),
        (Route { name: "users.list", params: &[], list: "users" }, &world.ann),
        (Route { name: "settings.public", params: &[], list: "settings" }, &world.ann),
    ];
    for (route, user) in lists {
        let total = call(&world, user, &route, ("offset", "0")).await.ok()["total"].clone();
        assert!(total.as_u64().unwrap() >= 2);
        let body = call(&world, user, &route, ("sort", SORT)).await.ok();
        let mut sorted = ids(&body, route.list);
        if route.list == "settings" {
            // Here the value is there, and the greatest comes first: a switch that is on.
            assert_eq!(body["settings"][0]["value"], true);
        } else {
            sorted.sort();
            assert_eq!(ids(&body, route.list), sorted, "{}", route.name);
        }
        let body = call(&world, user, &route, ("fields", FIELDS)).await.ok();
        let shown = body[route.list][0].as_object().unwrap().keys().collect::<Vec<_>>();
        let want = if route.list == "users" { vec!["_id", "username"] } else { vec!["_id"] };
        assert_eq!(shown, want, "{}", route.name);
        for query in QUERIES {
            let body = call(&world, user, &route, ("query", query)).await.ok();
            // `dm.list` has never read it; of the others only accounts have a name.
            let want = match route.name {
                "dm.list" => total.clone(),
                _ => json!(0),
            };
            assert_eq!(body["total"], want, "{}", route.name);
        }
    }
    let files = Route { name: "dm.files", params: &one, list: "files" };
    for with in [("query", QUERIES[0]), ("sort", SORT)] {
        assert_eq!(call(&world, &world.ann, &files, with).await.ok()["total"], 0);
    }
}
