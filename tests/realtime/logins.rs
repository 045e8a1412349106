//! Sessions on sockets (contract section 11.3): how they begin, and everything that ends them.

use super::client::{Client, listen};
use crate::app::{DIGEST, PASSWORD, TestApp, WRONG_SHA256, app};
use parlance_core::totp;
use serde_json::json;

#[tokio::test]
async fn every_form_of_a_login_works_and_every_wrong_one_is_refused_alike() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let digest = |hex: &str| json!({"digest": hex, "algorithm": "sha-256"});
    let forms = [
        json!({"resume": ann.token}),
        json!({"user": {"username": "ann"}, "password": PASSWORD}),
        json!({"user": {"username": "ann"}, "password": digest(DIGEST)}),
        json!({"user": {"email": "ann@example.com"}, "password": digest(DIGEST)}),
        json!({"totp": {"login": {"user": {"username": "ann"}, "password": digest(DIGEST)}, "code": "1"}}),
    ];
    for form in forms {
        let mut client = Client::connect(&at).await;
        let result = client.ok("login", json!([form])).await;
        assert_eq!(result["id"], ann.id);
        let kind = if form.get("resume").is_some() { "resume" } else { "password" };
        assert_eq!(result["type"], kind);
        assert!(result["tokenExpires"]["$date"].as_i64().unwrap() > app.clock.now());
        let own = client.kept().find(|frame| frame["msg"] == "added").unwrap();
        assert_eq!((&own["collection"], &own["id"]), (&json!("users"), &json!(ann.id)));
        assert_eq!(own["fields"]["username"], "ann");
        // The token is one for REST, too.
        let token = result["token"].as_str().unwrap();
        assert!(app.core.caller(token, Some(&ann.id)).await.is_ok());
    }
    let mut client = Client::connect(&at).await;
    let wrong = [
        json!({"user": {"username": "ann"}, "password": "wrong"}),
        json!({"user": {"username": "ann"}, "password": digest(WRONG_SHA256)}),
        json!({"user": {"username": "nobody"}, "password": "wrong"}),
        json!({"user": {"username": {"$gt": ""}}, "password": PASSWORD}),
        json!({"user": {"username": "ann"}, "password": {"$ne": ""}}),
        json!({}),
    ];
    for form in wrong {
        let error = client.refused("login", json!([form])).await;
        assert_eq!(
            (&error["error"], &error["reason"]),
            (&json!(403), &json!("Incorrect password"))
        );
    }
    for form in [json!({"resume": "no such token"}), json!({"resume": {"$exists": true}})] {
        let error = client.refused("login", json!([form])).await;
        assert_eq!(error["error"], 403);
        assert!(error["reason"].as_str().unwrap().contains("logged out by the server"), "{error}");
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_as_over_rest() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let caller = app.caller(&ann).await;
    let secret = app.core.totp_begin(&caller).await.unwrap().secret;
    let code = |app: &TestApp| totp::code(&secret, app.clock.now()).unwrap();
    app.core.totp_finish(&caller, &code(&app)).await.unwrap();
    app.clock.move_to(app.clock.now() + 30_000);
    let form = json!({"user": {"username": "ann"}, "password": PASSWORD});
    let with = |code: &str| json!({"totp": {"login": form, "code": code}});
    let mut client = Client::connect(&at).await;
    let error = client.refused("login", json!([form])).await;
    assert_eq!(error["error"], "totp-required");
    assert_eq!(error["details"]["method"], "totp");
    for wrong in ["", "000000", "x"] {
        let error = client.refused("login", json!([with(wrong)])).await;
        assert!(
            ["totp-required", "totp-invalid"].contains(&error["error"].as_str().unwrap()),
            "{error}"
        );
    }
    // The right code does not help the wrong password.
    let mut wrong = with(&code(&app));
    wrong["totp"]["login"]["password"] = json!("wrong");
    let error = client.refused("login", json!([wrong])).await;
    assert_eq!(error["error"], 403);
    let error = client.refused("rooms/get", json!([])).await;
    assert_eq!(error["error"], "error-invalid-user");
    let result = client.ok("login", json!([with(&code(&app))])).await;
    assert_eq!((&result["id"], &result["type"]), (&json!(ann.id), &json!("password")));
    // A code works once.
    let mut other = Client::connect(&at).await;
    let error = other.refused("login", json!([with(&code(&app))])).await;
    assert_eq!(error["error"], "totp-invalid");
}

#[tokio::test]
async fn what_is_no_way_in_is_said_clearly() {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut client = Client::connect(&at).await;
    for form in [
        json!({"ldap": true, "username": "ann", "ldapPass": PASSWORD, "ldapOptions": {}}),
        json!({"user": {"username": "ann"}, "password": PASSWORD, "ldap": true}),
        json!({"oauth": {"credentialToken": "x", "credentialSecret": "y"}}),
    ] {
        let error = client.refused("login", json!([form])).await;
        assert_eq!(error["error"], 400, "{form}");
        assert_eq!(error["reason"], "This server has no such login provider", "{form}");
    }
    for params in [
        json!([]),
        json!([null]),
        json!([7]),
        json!([[]]),
        json!(["x"]),
        json!([{"totp": {}}]),
        json!([{"totp": {"login": 7}}]),
        json!([{"user": "ann"}]),
        json!([{"password": PASSWORD}]),
    ] {
        let error = client.refused("login", params.clone()).await;
        assert_eq!(error["error"], 403, "{params} {error}");
    }
    // Neither the password nor the token of an account that is switched off.
    for user in [&ann, &bob] {
        let off = json!({"userId": user.id, "activeStatus": false});
        app.rocket(&boss).post("users.setActiveStatus", off).await.ok();
    }
    let password = json!({"user": {"username": "ann"}, "password": PASSWORD});
    for form in [json!({"resume": ann.token}), password.clone()] {
        let answer = client.call("login", json!([form])).await;
        assert!(answer.get("result").is_none() && !answer["error"].is_null(), "{answer}");
    }
    // After too many failures not even the right password.
    let zoe = app.user("zoe").await;
    app.core.overwrite_setting("Block_Multiple_Failed_Logins_Enabled", &json!(true)).await.unwrap();
    let form = |password: &str| json!([{"user": {"username": zoe.username}, "password": password}]);
    for _ in 0..12 {
        client.refused("login", form("wrong")).await;
    }
    let error = client.refused("login", form(PASSWORD)).await;
    assert!(!error["error"].is_null(), "{error}");
    // A session that there is goes on.
    client.resume(&zoe).await;
}

#[tokio::test]
async fn a_socket_goes_on_after_logout_as_anybody() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut client = Client::connect(&at).await;
    client.ok("logout", json!([])).await;
    client.resume(&ann).await;
    let subs = [
        client.hear("room-messages", &room).await,
        client.hear("notify-logged", "user-status").await,
    ];
    // Who logs in again as itself keeps what it subscribed to.
    client.resume(&ann).await;
    app.rocket(&bob).say(&room, "one").await;
    assert_eq!(client.event("room-messages", &room).await[0]["msg"], "one");
    // A login that fails changes nothing.
    client.refused("login", json!([{"user": {"username": "bob"}, "password": "wrong"}])).await;
    app.rocket(&bob).say(&room, "two").await;
    assert_eq!(client.event("room-messages", &room).await[0]["msg"], "two");
    client.forget();
    client.ok("logout", json!([])).await;
    for sub in &subs {
        assert!(client.kept().any(|frame| frame["msg"] == "nosub" && frame["id"] == *sub.as_str()));
    }
    let removed = json!({"msg": "removed", "collection": "users", "id": ann.id});
    assert!(client.kept().any(|frame| *frame == removed));
    client.forget();
    let error = client.refused("rooms/get", json!([])).await;
    assert_eq!(error["error"], "error-invalid-user");
    let error = client.refused("login", json!([{"resume": ann.token}])).await;
    assert_eq!(error["error"], 403);
    app.rocket(&bob).say(&room, "three").await;
    client.resume(&bob).await;
    app.rocket(&bob).say(&room, "four").await;
    assert!(client.told(&app.core).await.is_empty());
    // Another login takes the place of the one before it, with all that was its own.
    let zoe = app.user("zoe").await;
    let sub = client.hear("room-messages", &room).await;
    client.resume(&zoe).await;
    assert!(client.kept().any(|frame| frame["msg"] == "nosub" && frame["id"] == *sub));
    app.rocket(&bob).say(&room, "five").await;
    assert!(client.told(&app.core).await.is_empty());
    assert_eq!(client.ok("rooms/get", json!([])).await, json!([]));
    // The token of the login before is alive: it was not logged out.
    assert!(app.core.caller(&bob.token, Some(&bob.id)).await.is_ok());
}
