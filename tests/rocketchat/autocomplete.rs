//! `rooms.autocomplete.*` and `rooms.images` (contract section 9.2): answered from what there is.

use super::talk::Talk;
use super::{coded, grant, plain, schema};
use parlance_core::Perm;
use serde_json::{Value, json};

const CHANNELS: &str = "rooms.autocomplete.channelAndPrivate";
const BY_PAGE: &str = "rooms.autocomplete.channelAndPrivate.withPagination";
const TEAMS: &str = "rooms.autocomplete.availableForTeams";
const ADMIN: &str = "rooms.autocomplete.adminRooms";

#[tokio::test]
async fn direct_rooms_have_no_names_to_be_found_by() {
    let talk = Talk::new().await;
    let empty = json!({"items": [], "success": true});
    for selector in ["{}", r#"{"name":"bob"}"#, r#"{"name":null}"#] {
        let found = talk.get(&talk.ann, CHANNELS, &[("selector", selector)]).await.ok();
        assert_eq!(found, empty);
        let query =
            [("selector", selector), ("count", "5"), ("offset", "3"), ("sort", r#"{"name":1}"#)];
        let found = talk.get(&talk.ann, BY_PAGE, &query).await.ok();
        assert_eq!(found, json!({"items": [], "total": 0, "success": true}));
    }
    assert_eq!(talk.get(&talk.ann, TEAMS, &[]).await.ok(), empty);
    assert_eq!(talk.get(&talk.ann, TEAMS, &[("name", "bob")]).await.ok(), empty);
}

#[tokio::test]
async fn selectors_are_objects_and_there_is_nothing_else() {
    let talk = Talk::new().await;
    for name in [CHANNELS, BY_PAGE, ADMIN] {
        let get = async |query: &[(&str, &str)]| talk.get(&talk.boss, name, query).await;
        schema(&get(&[]).await, "must have required property 'selector'");
        for bad in ["x", "[]", "7", ""] {
            let text = format!("Invalid selector parameter provided: \"{bad}\"");
            coded(&get(&[("selector", bad)]).await, "error-invalid-params", &text, &Value::Null);
        }
        schema(&get(&[("selector", r#"{"name":{"$ne":1}}"#)]).await, "must be string");
        let more = get(&[("selector", "{}"), ("x", "y")]).await;
        schema(&more, "must NOT have additional properties");
    }
    schema(&talk.get(&talk.ann, TEAMS, &[("x", "y")]).await, "must NOT have additional properties");
    let query = [("selector", "{}"), ("count", "abc")];
    schema(&talk.get(&talk.ann, BY_PAGE, &query).await, "must be number");
}

#[tokio::test]
async fn administrators_find_rooms_and_nothing_of_what_is_in_them() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "between us").await;
    let refused = talk.get(&talk.ann, ADMIN, &[]).await;
    plain(&refused, 400, "error-not-authorized");
    let find = async |selector: &str| {
        let found = talk.get(&talk.boss, ADMIN, &[("selector", selector)]).await.ok();
        found["items"].as_array().unwrap().clone()
    };
    let found = find(r#"{"name":"cat"}"#).await;
    let mut uids = [&talk.ann.id, &talk.bob.id, &talk.cat.id];
    uids.sort();
    let group = json!({"_id": talk.group, "t": "d", "usernames": ["ann", "bob", "cat"],
        "usersCount": 3, "uids": uids});
    assert_eq!(found, [group]);
    assert_eq!(find("{}").await.len(), 2);
    assert_eq!(find(&json!({"name": talk.pair}).to_string()).await.len(), 1);
    assert_eq!(find(r#"{"name":"eve"}"#).await.len(), 0);
    // At most ten, and every read is in the audit.
    let rocket = talk.app.rocket(&talk.ann);
    for n in 0..10 {
        talk.app.user(&format!("user{n}")).await;
        rocket.open(&format!("user{n}")).await;
    }
    assert_eq!(find("{}").await.len(), 10);
    let caller = talk.app.caller(&talk.boss).await;
    let admin = talk.app.core.admin(&caller, Perm::ViewRoomAdministration).unwrap();
    assert_eq!(talk.app.reads(admin).await.len(), 5);
    grant(&talk.app, &talk.boss, "view-room-administration", &["user"]).await;
    talk.get(&talk.ann, ADMIN, &[("selector", "{}")]).await.ok();
}

#[tokio::test]
async fn a_room_has_no_images_yet() {
    let talk = Talk::new().await;
    let room = talk.pair.as_str();
    let body = talk.get(&talk.ann, "rooms.images", &[("roomId", room)]).await.ok();
    let want = json!({"files": [], "count": 0, "offset": 0, "total": 0, "success": true});
    assert_eq!(body, want);
    let query = [("roomId", room), ("startingFromId", "x"), ("offset", "7"), ("count", "3")];
    assert_eq!(talk.get(&talk.ann, "rooms.images", &query).await.ok()["offset"], 7);
    for (user, room) in [(&talk.eve, room), (&talk.boss, room), (&talk.ann, "nothing")] {
        let answer = talk.get(user, "rooms.images", &[("roomId", room)]).await;
        plain(&answer, 403, "unauthorized");
    }
    let answer = talk.get(&talk.ann, "rooms.images", &[]).await;
    schema(&answer, "must have required property 'roomId'");
    let answer = talk.get(&talk.ann, "rooms.images", &[("roomId", room), ("x", "y")]).await;
    schema(&answer, "must NOT have additional properties");
}
