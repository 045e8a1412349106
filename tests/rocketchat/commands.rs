//! `commands.*` (contract section 9.4): the table, and that a command does what the call does which it
//! stands for, with its rights and its refusals.

use super::talk::{Talk, text, texts};
use super::{coded, each, keys, plain, set, view};
use crate::app::{Answer, TestUser};
use serde_json::{Value, json};

const NAMES: [&str; 10] =
    ["gimme", "hide", "lennyface", "me", "msg", "shrug", "status", "tableflip", "topic", "unflip"];

async fn run(talk: &Talk, user: &TestUser, room: &str, line: &str) -> Answer {
    talk.tick();
    let (command, params) = line.split_once(' ').unwrap_or((line, ""));
    let body = json!({"command": command, "params": params, "roomId": room});
    talk.post(user, "commands.run", body).await
}

#[track_caller]
fn done(answer: &Answer) {
    assert_eq!(answer.ok(), json!({"result": null, "success": true}));
}

async fn said(talk: &Talk, room: &str) -> Vec<String> {
    texts(&talk.get(&talk.ann, "dm.messages", &[("roomId", room)]).await.ok(), "messages")
}

#[tokio::test]
async fn the_list_in_pages_and_orders() {
    let talk = Talk::new().await;
    let list = async |query: &[(&str, &str)]| {
        let body = talk.get(&talk.ann, "commands.list", query).await.ok();
        assert_eq!(keys(&body), ["commands", "count", "offset", "success", "total"]);
        let numbers = ["count", "offset", "total"].map(|name| body[name].as_u64().unwrap());
        (each(&body, "commands", "command"), numbers)
    };
    assert_eq!(list(&[]).await, (NAMES.map(str::to_owned).to_vec(), [10, 0, 10]));
    assert_eq!(
        list(&[("offset", "8"), ("count", "5")]).await,
        (vec!["topic".to_owned(), "unflip".to_owned()], [2, 8, 10])
    );
    let (backwards, _) = list(&[("sort", r#"{"command":-1}"#), ("count", "1")]).await;
    assert_eq!(backwards, ["unflip"]);
    assert_eq!(list(&[("sort", r#"{"name":1}"#)]).await.0, NAMES);
    let (one, numbers) = list(&[("query", r#"{"command":"me"}"#)]).await;
    assert_eq!((one, numbers), (vec!["me".to_owned()], [1, 0, 1]));
    let body = talk.get(&talk.ann, "commands.list", &[("count", "1")]).await.ok();
    let want = json!({"command": "gimme", "params": "your_message_optional",
        "description": "Slash_Gimme_Description", "clientOnly": false, "providesPreview": false});
    assert_eq!(body["commands"][0], want);
    let answer = talk.get(&talk.ann, "commands.list", &[("sort", "x")]).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-sort");
}

#[tokio::test]
async fn one_of_them() {
    let talk = Talk::new().await;
    for name in ["shrug", "SHRUG"] {
        let body = talk.get(&talk.ann, "commands.get", &[("command", name)]).await.ok();
        assert_eq!(
            (keys(&body), &body["command"]["command"]),
            (vec!["command", "success"], &json!("shrug"))
        );
    }
    let missing = "The query param \"command\" must be provided.";
    plain(&talk.get(&talk.ann, "commands.get", &[]).await, 400, missing);
    plain(&talk.get(&talk.ann, "commands.get", &[("command[]", "me")]).await, 400, missing);
    let unknown = "There is no command in the system by the name of: kick";
    plain(&talk.get(&talk.ann, "commands.get", &[("command", "kick")]).await, 400, unknown);
}

#[tokio::test]
async fn what_is_said_here() {
    let talk = Talk::new().await;
    for (line, want) in [
        ("me dances", "_dances_"),
        ("ME  twice ", "_twice_"),
        ("shrug", r"¯\\_(ツ)_/¯"),
        ("shrug who knows", r"who knows ¯\\_(ツ)_/¯"),
        ("tableflip", "(╯°□°）╯︵ ┻━┻"),
        ("unflip calm", "calm ┬─┬ ノ( ゜-゜ノ)"),
        ("gimme that", "༼ つ ◕_◕ ༽つ that"),
        ("lennyface", "( ͡° ͜ʖ ͡°)"),
    ] {
        done(&run(&talk, &talk.ann, &talk.pair, line).await);
        assert_eq!(said(&talk, &talk.pair).await[0], want, "{line}");
    }
    let count = said(&talk, &talk.pair).await.len();
    // Nothing to say is nothing said.
    done(&run(&talk, &talk.ann, &talk.pair, "me").await);
    assert_eq!(said(&talk, &talk.pair).await.len(), count);
    let body = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    let shrug = body["messages"].as_array().unwrap().iter().find(|m| m["msg"] == r"¯\\_(ツ)_/¯");
    let shown = &shrug.unwrap()["md"][0]["value"];
    assert_eq!(shown, &json!([{"type": "PLAIN_TEXT", "value": r"¯\_(ツ)_/¯"}]));
    assert_eq!(talk.sub(&talk.bob, &talk.pair).await["unread"], 8);
}

#[tokio::test]
async fn into_a_thread() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    let other = talk.say(&talk.ann, &talk.group, "elsewhere").await;
    let body = |tmid: &Value| json!({"command": "shrug", "roomId": talk.pair, "tmid": tmid});
    done(&talk.post(&talk.bob, "commands.run", body(&root["_id"])).await);
    let query = [("tmid", text(&root, "_id"))];
    let replies = talk.get(&talk.ann, "chat.getThreadMessages", &query).await.ok();
    assert_eq!(texts(&replies, "messages"), [r"¯\\_(ツ)_/¯"]);
    for wrong in [json!("nothing"), other["_id"].clone()] {
        plain(&talk.post(&talk.bob, "commands.run", body(&wrong)).await, 400, "Invalid thread.");
    }
    let text = "The tmid parameter when provided must be a string.";
    plain(&talk.post(&talk.bob, "commands.run", body(&json!(7))).await, 400, text);
    // What goes nowhere into this room has no thread.
    let hide = json!({"command": "hide", "roomId": talk.pair, "tmid": root["_id"]});
    done(&talk.post(&talk.bob, "commands.run", hide).await);
    set(&talk.app, &talk.boss, "Threads_enabled", json!(false)).await;
    let answer = talk.post(&talk.bob, "commands.run", body(&root["_id"])).await;
    coded(&answer, "error-not-allowed", "not-allowed", &json!({"method": "sendMessage"}));
}

#[tokio::test]
async fn to_somebody_else() {
    let talk = Talk::new().await;
    done(&run(&talk, &talk.ann, &talk.group, "msg @eve  hello there").await);
    let room = talk.app.rocket(&talk.eve).open("ann").await;
    assert_eq!(said(&talk, &room).await, ["hello there"]);
    done(&run(&talk, &talk.ann, &talk.group, "msg bob without a sign").await);
    assert_eq!(said(&talk, &talk.pair).await, ["without a sign"]);
    assert_eq!(said(&talk, &talk.group).await, Vec::<String>::new());
    let details = json!({"method": "createDirectMessage"});
    let nobody = run(&talk, &talk.ann, &talk.pair, "msg @nobody hello").await;
    coded(&nobody, "error-invalid-user", "Invalid user", &details);
    let bare = run(&talk, &talk.ann, &talk.pair, "msg @bob").await;
    let text = "The \"params\" parameter is not valid.";
    coded(&bare, "error-invalid-params", text, &Value::Null);
    // A text that is not sent opens nothing.
    let rooms = talk.get(&talk.cat, "dm.list", &[]).await.ok()["total"].clone();
    let long = format!("msg @eve {}", "x".repeat(5001));
    let refused = run(&talk, &talk.cat, &talk.group, &long).await.expect(400);
    assert_eq!(refused["errorType"], "error-message-size-exceeded");
    assert_eq!(talk.get(&talk.cat, "dm.list", &[]).await.ok()["total"], rooms);
    let block = json!({"roomId": talk.pair, "block": true});
    talk.post(&talk.bob, "dm.blockUser", block).await.ok();
    plain(&run(&talk, &talk.ann, &talk.group, "msg bob still?").await, 400, "room_is_blocked");
    plain(&run(&talk, &talk.ann, &talk.pair, "shrug").await, 400, "room_is_blocked");
    super::grant(&talk.app, &talk.boss, "create-d", &["admin"]).await;
    plain(&run(&talk, &talk.cat, &talk.group, "msg eve hello").await, 400, "error-not-allowed");
}

#[tokio::test]
async fn hiding_rooms() {
    let talk = Talk::new().await;
    let open = async |room: &str| {
        let access = view(&talk.app, &talk.ann, room).await;
        access.member().is_open(access.room())
    };
    done(&run(&talk, &talk.ann, &talk.group, "hide").await);
    assert!(!open(&talk.group).await && open(&talk.pair).await);
    // Again is as well.
    done(&run(&talk, &talk.ann, &talk.group, "hide").await);
    done(&run(&talk, &talk.ann, &talk.group, "hide @bob").await);
    assert!(!open(&talk.pair).await);
    let details = json!({"method": "createDirectMessage"});
    let nobody = run(&talk, &talk.ann, &talk.group, "hide @nobody").await;
    coded(&nobody, "error-invalid-user", "Invalid user", &details);
    // Looking for a conversation makes none.
    let rooms = talk.get(&talk.ann, "dm.list", &[]).await.ok()["total"].clone();
    plain(&run(&talk, &talk.ann, &talk.group, "hide @eve").await, 400, "error-not-allowed");
    assert_eq!(talk.get(&talk.ann, "dm.list", &[]).await.ok()["total"], rooms);
}

#[tokio::test]
async fn status_and_topic() {
    let talk = Talk::new().await;
    done(&run(&talk, &talk.ann, &talk.pair, "status out for lunch").await);
    let me = talk.get(&talk.ann, "me", &[]).await.ok();
    assert_eq!(
        (&me["statusText"], &me["statusDefault"]),
        (&json!("out for lunch"), &json!("online"))
    );
    done(&run(&talk, &talk.ann, &talk.pair, "status").await);
    assert_eq!(talk.get(&talk.ann, "me", &[]).await.ok()["statusText"], "");
    set(&talk.app, &talk.boss, "Accounts_AllowUserStatusMessageChange", json!(false)).await;
    let answer = run(&talk, &talk.ann, &talk.pair, "status x").await;
    let details = json!({"method": "setUserStatus"});
    coded(&answer, "error-not-allowed", "Change status is not allowed", &details);

    done(&run(&talk, &talk.ann, &talk.pair, "topic the plan").await);
    let room = talk.get(&talk.bob, "rooms.info", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(room["room"]["topic"], "the plan");
    set(&talk.app, &talk.boss, "Parlance_Members_Set_Topic", json!(false)).await;
    let answer = run(&talk, &talk.ann, &talk.pair, "topic mine").await;
    let details = json!({"method": "saveRoomSettings", "action": "Editing_room"});
    coded(&answer, "error-action-not-allowed", "Editing room is not allowed", &details);
}

#[tokio::test]
async fn what_is_no_command() {
    let talk = Talk::new().await;
    let body = |name: &str, value: Value| {
        let mut body = json!({"command": "me", "params": "x", "roomId": talk.pair});
        body[name] = value;
        body
    };
    let room = "The room's id where to execute this command must be provided and be a string.";
    for (name, value, want) in [
        ("command", json!(null), "You must provide a command to run."),
        ("command", json!({"$ne": ""}), "You must provide a command to run."),
        ("command", json!("kick"), "The command provided does not exist (or is disabled)."),
        ("command", json!(""), "The command provided does not exist (or is disabled)."),
        ("params", json!(["x"]), "The parameters for the command must be a single string."),
        ("roomId", json!(null), room),
        ("roomId", json!([talk.pair]), room),
    ] {
        plain(&talk.post(&talk.ann, "commands.run", body(name, value)).await, 400, want);
    }
    for user in [&talk.eve, &talk.boss] {
        for id in [talk.pair.as_str(), "nothing"] {
            let answer = talk.post(user, "commands.run", body("roomId", json!(id))).await;
            plain(&answer, 403, "unauthorized");
        }
    }
    assert_eq!(said(&talk, &talk.pair).await, Vec::<String>::new());
}

#[tokio::test]
async fn none_has_previews() {
    let talk = Talk::new().await;
    let refused = |answer: &Answer, method: &str| {
        let text = "Command Does Not Provide Previews";
        coded(answer, "error-invalid-command", text, &json!({ "method": method }));
    };
    let query = [("command", "shrug"), ("roomId", &talk.pair), ("params", "x")];
    let get = talk.get(&talk.ann, "commands.preview", &query).await;
    refused(&get, "getSlashCommandPreviews");
    let item = json!({"id": "1", "type": "text", "value": "x"});
    let body = json!({"command": "shrug", "roomId": talk.pair, "previewItem": item});
    let post = talk.post(&talk.ann, "commands.preview", body.clone()).await;
    refused(&post, "executeSlashCommandPreview");

    let room =
        "The room's id where the previews are being displayed must be provided and be a string.";
    for (query, want) in [
        (&query[1..], "You must provide a command to get the previews from."),
        (&query[..1], room),
        (&[("command", "x"), query[1]], "The command provided does not exist (or is disabled)."),
    ] {
        plain(&talk.get(&talk.ann, "commands.preview", query).await, 400, want);
    }
    plain(&talk.get(&talk.eve, "commands.preview", &query).await, 403, "unauthorized");
    let room =
        "The room's id where the command is being executed in must be provided and be a string.";
    let shape = "The preview item being executed is in the wrong format.";
    for (name, value, want) in [
        ("previewItem", json!({"id": "1"}), shape),
        ("previewItem", json!("x"), shape),
        ("previewItem", json!(null), "The preview item being executed must be provided."),
        ("tmid", json!("nothing"), "Invalid thread."),
        ("tmid", json!([]), "The tmid parameter when provided must be a string."),
        ("params", json!(1), "The parameters for the command must be a single string."),
        ("roomId", json!(null), room),
        ("command", json!(null), "You must provide a command to run the preview item on."),
    ] {
        let mut body = body.clone();
        body[name] = value;
        plain(&talk.post(&talk.ann, "commands.preview", body).await, 400, want);
    }
}
