//! Personal access tokens, ending other sessions, tokens made for users.

use super::{BY_PASSWORD, again, app_with, lives, post};
use crate::app::{PASSWORD, START, TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::UserId;
use parlance_core::account::{Authority, NewUser};
use parlance_core::login::{CreateTokens, Login, Password};
use parlance_core::time;
use serde_json::{Value, json};

async fn generate(app: &TestApp, user: &TestUser, body: Value) -> String {
    let made = app.rocket(user).post("users.generatePersonalAccessToken", body).await.ok();
    made["token"].as_str().unwrap().to_owned()
}

fn with(user: &TestUser, token: &str) -> TestUser {
    TestUser { token: token.to_owned(), ..user.clone() }
}

#[tokio::test]
async fn a_personal_token_serves_until_it_is_removed() {
    let app = app().await;
    let ann = app.user("ann").await;
    let token = generate(&app, &ann, json!({"tokenName": "ci"})).await;
    assert_eq!(token.len(), 43);
    app.rocket(&with(&ann, &token)).get("me", &[]).await.ok();
    app.meepa(&with(&ann, &token)).get("/auth/me", &[]).await.ok();
    let listed = app.rocket(&ann).get("users.getPersonalAccessTokens", &[]).await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(&token), "never the token again");
    let want = json!({"tokens": [{"name": "ci", "createdAt": time::iso(START),
        "lastTokenPart": token[37..], "bypassTwoFactor": false}], "success": true});
    assert_eq!(listed.ok(), want);
    // It does not end with the sessions.
    app.clock.move_to(START + 3650 * 86_400_000);
    assert!(lives(&app, &token).await && !lives(&app, &ann.token).await);
    let ann = again(&app, &ann).await;
    let ci = json!({"tokenName": "ci"});
    let answer = app.rocket(&ann).post("users.regeneratePersonalAccessToken", ci.clone()).await;
    let second = answer.ok()["token"].as_str().unwrap().to_owned();
    assert!(second != token && !lives(&app, &token).await && lives(&app, &second).await);
    let listed = app.rocket(&ann).get("users.getPersonalAccessTokens", &[]).await.ok();
    assert_eq!(listed["tokens"][0]["lastTokenPart"], second[37..]);
    assert_eq!(listed["tokens"][0]["createdAt"], time::iso(app.clock.now()));
    let gone = app.rocket(&ann).post("users.removePersonalAccessToken", ci).await;
    assert_eq!(gone.ok(), json!({"success": true}));
    assert!(!lives(&app, &second).await);
    let none = app.rocket(&ann).get("users.getPersonalAccessTokens", &[]).await.ok();
    assert_eq!(none["tokens"], json!([]));
}

#[tokio::test]
async fn personal_tokens_say_what_is_wrong() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let roles = vec!["guest".to_owned()];
    let gus = app.user_with(NewUser { username: "gus".to_owned(), roles, ..NewUser::default() });
    let gus = gus.await;
    generate(&app, &ann, json!({"tokenName": "ci"})).await;
    // Names are one user's own.
    generate(&app, &bob, json!({"tokenName": "ci"})).await;
    let methods = [
        ("users.generatePersonalAccessToken", "personalAccessTokens:generateToken"),
        ("users.regeneratePersonalAccessToken", "personalAccessTokens:regenerateToken"),
        ("users.removePersonalAccessToken", "personalAccessTokens:removeToken"),
    ];
    for (name, method) in methods {
        let ask = async |user: &TestUser, body: Value| app.rocket(user).post(name, body).await;
        for body in [json!({}), json!({"tokenName": null}), json!({"tokenName": " "})] {
            let text = "The 'tokenName' param is required";
            assert_eq!(ask(&ann, body).await.expect(400), json!({"success": false, "error": text}));
        }
        let typed = ask(&ann, json!({"tokenName": {"$ne": ""}})).await.expect(400);
        assert_eq!(typed["errorType"], "invalid-params");
        let body = ask(&gus, json!({"tokenName": "ci"})).await.expect(400);
        assert_eq!(body["error"], "Not Authorized [not-authorized]");
        assert_eq!(body["details"], json!({ "method": method }));
    }
    for (name, method) in &methods[1..] {
        let body = app.rocket(&ann).post(name, json!({"tokenName": "other"})).await.expect(400);
        assert_eq!(body["error"], "Token does not exist [error-token-does-not-exists]");
        assert_eq!(body["details"], json!({ "method": method }));
    }
    let taken = json!({"tokenName": "ci"});
    let body = app.rocket(&ann).post("users.generatePersonalAccessToken", taken).await.expect(400);
    assert_eq!(body["errorType"], "error-token-already-exists");
    assert_eq!(body["error"], "A token with this name already exists [error-token-already-exists]");
    let long = json!({"tokenName": "x".repeat(121)});
    app.rocket(&ann).post("users.generatePersonalAccessToken", long).await.expect(400);
    let flag = json!({"tokenName": "b", "bypassTwoFactor": "perhaps"});
    let body = app.rocket(&ann).post("users.generatePersonalAccessToken", flag).await.expect(400);
    assert_eq!(body["error"], "must be boolean [invalid-params]");
    app.rocket(&gus).get("users.getPersonalAccessTokens", &[]).await.expect(400);
    for n in 1..100 {
        generate(&app, &ann, json!({"tokenName": format!("t{n}")})).await;
    }
    let body = json!({"tokenName": "one too many"});
    let body = app.rocket(&ann).post("users.generatePersonalAccessToken", body).await.expect(400);
    assert_eq!(body["errorType"], "error-too-many-tokens");
}

#[tokio::test]
async fn a_secret_is_not_kept_for_a_retry() {
    let app = app().await;
    let ann = app.user("ann").await;
    let key = [("idempotency-key", "k1")];
    let body = json!({"tokenName": "ci"});
    post(&app, &ann, "users.generatePersonalAccessToken", &key, &body).await.ok();
    let second = post(&app, &ann, "users.generatePersonalAccessToken", &key, &body).await;
    assert_eq!(second.expect(400)["errorType"], "error-token-already-exists");
    let login = json!({"user": "ann", "password": PASSWORD});
    let one = post(&app, &ann, "login", &key, &login).await.ok();
    let two = post(&app, &ann, "login", &key, &login).await.ok();
    assert_ne!(one["data"]["authToken"], two["data"]["authToken"]);
}

#[tokio::test]
async fn logging_a_user_out_ends_everything_of_theirs() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let second = again(&app, &ann).await;
    let named = generate(&app, &ann, json!({"tokenName": "ci"})).await;
    let other = json!({"userId": ann.id});
    let refused = app.rocket(&bob).post("users.logout", other.clone()).await;
    assert_eq!(refused.expect(403), json!({"success": false, "error": "unauthorized"}));
    assert!(lives(&app, &ann.token).await);
    let body = app.rocket(&boss).post("users.logout", other).await.ok();
    let text = format!("User {} has been logged out!", ann.id);
    assert_eq!(body, json!({"message": text, "success": true}));
    for token in [&ann.token, &second.token, &named] {
        assert!(!lives(&app, token).await);
    }
    assert!(lives(&app, &bob.token).await);
    let unknown = app.rocket(&boss).post("users.logout", json!({"userId": "nobody"})).await;
    assert_eq!(unknown.expect(400)["error"], "Invalid user id [error-invalid-user-id]");
    for bad in [json!(null), json!(7), json!(""), json!({"$ne": ""})] {
        let answer = app.rocket(&bob).post("users.logout", json!({"userId": bad})).await;
        assert_eq!(answer.expect(400)["error"], "must be string [invalid-params]");
    }
    // Oneself, by name or without one.
    app.rocket(&bob).post("users.logout", json!({"userId": bob.id})).await.ok();
    assert!(!lives(&app, &bob.token).await);
    app.rocket(&boss).post("users.logout", json!({})).await.ok();
    assert!(!lives(&app, &boss.token).await);
}

#[tokio::test]
async fn other_sessions_end_and_this_one_stays() {
    let app = app().await;
    for name in ["users.logoutOtherClients", "users.removeOtherTokens"] {
        let ann = app.user(&format!("ann-{}", name.len())).await;
        let bob = app.user(&format!("bob-{}", name.len())).await;
        let (second, third) = (again(&app, &ann).await, again(&app, &ann).await);
        let named = generate(&app, &ann, json!({"tokenName": "ci"})).await;
        let body = app.rocket(&second).post(name, json!({})).await.ok();
        let want = if name == "users.logoutOtherClients" {
            let expires = time::iso(START + 90 * 86_400_000);
            json!({"token": second.token, "tokenExpires": expires, "success": true})
        } else {
            json!({"success": true})
        };
        assert_eq!(body, want);
        assert!(lives(&app, &second.token).await && lives(&app, &named).await);
        assert!(!lives(&app, &ann.token).await && !lives(&app, &third.token).await);
        assert!(lives(&app, &bob.token).await);
        // From a personal token there is no time to tell.
        let with_named = with(&ann, &named);
        let body = app.rocket(&with_named).post("users.logoutOtherClients", json!({})).await.ok();
        assert_eq!(body, json!({"token": named, "success": true}));
        assert!(!lives(&app, &second.token).await);
    }
}

const NOT_AUTHORIZED: &str = "Not authorized [error-not-authorized]";

#[tokio::test]
async fn tokens_for_users_are_off_unless_the_operator_says_so() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for user in [&boss, &ann] {
        let body = json!({"userId": ann.id, "secret": ""});
        let answer = app.rocket(user).post("users.createToken", body).await.expect(400);
        assert_eq!(answer["error"], NOT_AUTHORIZED);
        assert_eq!(answer["details"], json!({"method": "createToken"}));
    }
}

#[tokio::test]
async fn tokens_for_users_need_the_permission_and_the_secret() {
    let on = |secret: Option<&str>| CreateTokens::On(secret.map(str::to_owned));
    let app = app_with(|options| options.create_tokens = on(Some("s3cret"))).await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let ask =
        async |user: &TestUser, body: Value| app.rocket(user).post("users.createToken", body).await;
    let full = json!({"username": "ann", "secret": "s3cret"});
    for body in [full.clone(), json!({"userId": ann.id, "secret": "s3cret"})] {
        let made = ask(&boss, body).await.ok();
        assert_eq!(made["data"]["userId"], ann.id.as_str());
        let token = made["data"]["authToken"].as_str().unwrap();
        app.rocket(&with(&ann, token)).get("me", &[]).await.ok();
    }
    ask(&ann, full.clone()).await.ok();
    for (user, body) in [
        (&boss, json!({"username": "ann"})),
        (&boss, json!({"username": "ann", "secret": "wrong"})),
        (&boss, json!({"username": "ann", "secret": "s3cret "})),
        (&bob, full.clone()),
        (&bob, json!({"username": "nobody", "secret": "s3cret"})),
        (&bob, json!({"secret": "s3cret"})),
    ] {
        assert_eq!(ask(user, body).await.expect(400)["error"], NOT_AUTHORIZED);
    }
    let nobody = ask(&boss, json!({"username": "nobody", "secret": "s3cret"})).await.expect(400);
    assert_eq!(nobody["errorType"], "error-invalid-user");
    let none = ask(&boss, json!({"secret": "s3cret"})).await.expect(400);
    assert_eq!(none["errorType"], "error-user-param-not-provided");
    let typed = ask(&boss, json!({"username": "ann", "secret": 7})).await.expect(400);
    assert_eq!(typed["error"], "must be string [invalid-params]");
    let id = UserId::from(ann.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    assert_eq!(ask(&boss, full).await.expect(401)["error"], "error-user-is-not-activated");
    // Without a secret the permission is what counts.
    let app = app_with(|options| options.create_tokens = on(None)).await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.rocket(&boss).post("users.createToken", json!({"username": "ann"})).await.ok();
    let other = app.rocket(&ann).post("users.createToken", json!({"username": "root"})).await;
    assert_eq!(other.expect(400)["error"], NOT_AUTHORIZED);
}

/// A token that somebody makes for another is in the audit; the token and the server's secret are not.
#[tokio::test]
async fn a_token_for_somebody_else_is_told_of() {
    let secret = Some("s3cret-canary".to_owned());
    let app = app_with(|options| options.create_tokens = CreateTokens::On(secret)).await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let rows = async || {
        let query = [("action", "users.createToken")];
        app.rocket(&boss).get("audit.list", &query).await.ok()["entries"].clone()
    };
    let body = |name: &str, secret: &str| json!({"username": name, "secret": secret});
    let ask =
        async |user: &TestUser, body: Value| app.rocket(user).post("users.createToken", body).await;
    // One's own, and what is refused, is not.
    ask(&boss, body("root", "s3cret-canary")).await.ok();
    ask(&boss, body("ann", "wrong")).await.expect(400);
    ask(&ann, body("root", "s3cret-canary")).await.expect(400);
    assert_eq!(rows().await, json!([]));
    let made = ask(&boss, body("ann", "s3cret-canary")).await.ok();
    let told = rows().await;
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["actor"], json!({"_id": boss.id, "username": "root"}));
    assert_eq!(told[0]["detail"], json!({"username": "ann", "secret": "(hidden)"}));
    let token = made["data"]["authToken"].as_str().unwrap();
    assert!(!told.to_string().contains(token) && !told.to_string().contains("canary"), "{told}");
}

#[tokio::test]
async fn the_operator_says_how_many_sessions_there_may_be() {
    let app = app_with(|options| options.most_tokens = 3).await;
    let ann = app.user("ann").await;
    let named = generate(&app, &ann, json!({"tokenName": "ci"})).await;
    let mut tokens = vec![ann.token.clone()];
    for _ in 0..3 {
        app.clock.move_to(app.clock.now() + 1000);
        tokens.push(again(&app, &ann).await.token);
    }
    let mut alive = Vec::new();
    for token in &tokens {
        alive.push(lives(&app, token).await);
    }
    assert_eq!(alive, [false, true, true, true]);
    assert!(lives(&app, &named).await, "named tokens are not counted");
}

#[tokio::test]
async fn a_token_that_bypasses_the_second_factor_is_free_of_it_and_others_are_not() {
    let app = app().await;
    let boss = app.admin("root").await;
    let free = generate(&app, &boss, json!({"tokenName": "free", "bypassTwoFactor": true})).await;
    let bound =
        generate(&app, &boss, json!({"tokenName": "bound", "bypassTwoFactor": false})).await;
    app.clock.move_to(START + 86_400_000);
    let change = json!({"value": "x"});
    let ask = async |token: &str, headers: &[(&str, &str)]| {
        post(&app, &with(&boss, token), "settings/Site_Name", headers, &change).await
    };
    ask(&free, &[]).await.ok();
    assert_eq!(ask(&bound, &[]).await.expect(400)["errorType"], "totp-required");
    ask(&bound, &BY_PASSWORD).await.ok();
    // It keeps what it is when it is made anew.
    let body = json!({"tokenName": "free"});
    let answer = app.rocket(&boss).post("users.regeneratePersonalAccessToken", body).await.ok();
    ask(answer["token"].as_str().unwrap(), &[]).await.ok();
}

#[tokio::test]
async fn no_token_is_made_for_a_session_that_ended() {
    let app = app().await;
    let ann = app.user("ann").await;
    let caller = app.caller(&ann).await;
    app.rocket(&ann).post("logout", json!({})).await.ok();
    assert!(app.core.add_named_token(&caller, "late", true).await.is_err());
    assert!(app.core.renew_named_token(&caller, "late").await.is_err());
    assert!(app.core.logout_others(&caller).await.is_err());
    let password = Password::plain(PASSWORD).unwrap();
    app.core.login(Login::Username("ann"), &password).await.unwrap();
    let path = "/api/v1/users.getPersonalAccessTokens";
    assert_eq!(app.call(Method::GET, path, &[], None).await.status.as_u16(), 401);
}
