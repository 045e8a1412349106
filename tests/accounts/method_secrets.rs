//! Second factors and personal access tokens as methods (contract section 11.6): what is given once, what
//! is asked for it, and that no retry gets it again.

use super::methods::{digest, form, message, open, outcome, own, refused};
use super::{BY_PASSWORD, again, lives};
use crate::app::{Answer, DIGEST, PASSWORD, START, app};
use axum::http::Method;
use parlance_core::totp;
use parlance_rocketchat::methods::METHODS;
use serde_json::{Value, json};

#[tokio::test]
async fn an_authenticator_program_is_switched_on_used_and_switched_off() {
    let app = app().await;
    let ann = app.user("ann").await;
    let other = again(&app, &ann).await;
    let call = |name: &'static str, params: Value| own(&app, &ann, name, &[], params);
    let now = |secret: &str| json!([totp::code(secret, app.clock.now()).unwrap()]);
    let invalid = "totp-invalid";
    refused(call("2fa:checkCodesRemaining", json!([])).await, invalid, "TOTP Invalid");
    refused(call("2fa:validateTempToken", json!(["123456"])).await, invalid, "TOTP Invalid");
    let begun = call("2fa:enable", json!([])).await.unwrap();
    let secret = begun["secret"].as_str().unwrap();
    let url = format!("otpauth://totp/Parlance:ann?secret={secret}&issuer=Parlance");
    assert_eq!(begun, json!({"secret": secret, "url": url}));
    refused(call("2fa:validateTempToken", json!(["000000"])).await, invalid, "TOTP Invalid");
    for name in ["2fa:validateTempToken", "2fa:disable", "2fa:regenerateCodes"] {
        for params in [json!([]), json!([1]), json!([{"$ne": ""}])] {
            refused(call(name, params).await, 400, "Match failed");
        }
    }
    let done = call("2fa:validateTempToken", now(secret)).await.unwrap();
    let codes = done["codes"].as_array().unwrap();
    assert_eq!((codes.len(), done.as_object().unwrap().len()), (12, 1));
    assert!(lives(&app, &ann.token).await && !lives(&app, &other.token).await);
    refused(
        call("2fa:enable", json!([])).await,
        "error-2fa-already-enabled",
        "2FA is already enabled",
    );
    assert_eq!(call("2fa:checkCodesRemaining", json!([])).await, Ok(json!({"remaining": 12})));
    // A login asks, in the header, beside the password and around it.
    let plain = form("ann", &digest(DIGEST));
    let details =
        refused(open(&app, "login", json!([plain])).await, "totp-required", "TOTP Required");
    let want = json!({"method": "totp", "codeGenerated": false, "availableMethods": ["totp"]});
    assert_eq!(details, want);
    let wrapped = |code: &Value| json!([{"totp": {"login": plain, "code": code}}]);
    refused(open(&app, "login", wrapped(&json!("000000"))).await, invalid, "TOTP Invalid");
    open(&app, "login", wrapped(&codes[0])).await.unwrap();
    refused(open(&app, "login", wrapped(&codes[0])).await, invalid, "TOTP Invalid");
    let headers = [("x-2fa-code", codes[1].as_str().unwrap())];
    let path = "/api/v1/method.callAnon/login";
    let body = message("login", &json!([plain]));
    outcome(&app.call(Method::POST, path, &headers, Some(&body)).await).unwrap();
    assert_eq!(call("2fa:checkCodesRemaining", json!([])).await, Ok(json!({"remaining": 10})));
    let fresh = call("2fa:regenerateCodes", json!([codes[2]])).await.unwrap();
    assert_eq!(fresh["codes"].as_array().unwrap().len(), 12);
    refused(call("2fa:regenerateCodes", json!([codes[3]])).await, invalid, "TOTP Invalid");
    refused(call("2fa:disable", json!([codes[3]])).await, invalid, "TOTP Invalid");
    app.clock.move_to(app.clock.now() + 30_000);
    assert_eq!(call("2fa:disable", now(secret)).await, Ok(json!(true)));
    open(&app, "login", json!([plain])).await.unwrap();
    refused(call("2fa:disable", json!([fresh["codes"][0]])).await, invalid, "TOTP Invalid");
}

#[tokio::test]
async fn wrong_codes_are_counted() {
    let app = app().await;
    let ann = app.user("ann").await;
    let call = |name: &'static str, params: Value| own(&app, &ann, name, &[], params);
    let begun = call("2fa:enable", json!([])).await.unwrap();
    for _ in 0..5 {
        call("2fa:validateTempToken", json!(["000000"])).await.unwrap_err();
    }
    let code = totp::code(begun["secret"].as_str().unwrap(), app.clock.now()).unwrap();
    let full = call("2fa:validateTempToken", json!([code])).await;
    refused(full, "totp-max-attempts", "TOTP Maximun Failed Attempts Reached");
}

#[tokio::test]
async fn who_has_had_an_account_for_a_while_gives_a_factor_again() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.clock.move_to(START + 1_800_000);
    let named = json!({"tokenName": "ci"});
    for (name, params) in [
        ("2fa:enable", json!([])),
        ("personalAccessTokens:generateToken", json!([named])),
        ("personalAccessTokens:regenerateToken", json!([named])),
        ("personalAccessTokens:removeToken", json!([named])),
    ] {
        // Each from a program of its own, so that none counts for the next.
        let agent = [("user-agent", name)];
        let none = own(&app, &ann, name, &agent, params.clone()).await;
        let details = refused(none, "totp-required", "TOTP Required");
        let want =
            json!({"method": "password", "codeGenerated": false, "availableMethods": ["password"]});
        assert_eq!(details, want, "{name}");
        // Behind the arguments, as clients send it.
        let with = |code: &str| {
            let mut params = params.clone();
            let factor = json!({"twoFactorCode": code, "twoFactorMethod": "password"});
            params.as_array_mut().unwrap().push(factor);
            params
        };
        let wrong = own(&app, &ann, name, &agent, with(&"0".repeat(64))).await;
        refused(wrong, "totp-invalid", "TOTP Invalid");
        own(&app, &ann, name, &agent, with(DIGEST)).await.unwrap();
    }
    // In the headers, too.
    own(&app, &ann, "2fa:enable", &BY_PASSWORD, json!([])).await.unwrap();
}

#[tokio::test]
async fn personal_access_tokens() {
    let app = app().await;
    let (ann, boss) = (app.user("ann").await, app.admin("root").await);
    let call = |name: &str, params: Value| {
        let (app, ann) = (&app, &ann);
        let name = format!("personalAccessTokens:{name}");
        async move { own(app, ann, &name, &[], params).await }
    };
    let named = json!([{"tokenName": "ci", "bypassTwoFactor": true}]);
    let first = call("generateToken", named.clone()).await.unwrap();
    let first = first.as_str().unwrap();
    assert!(first.len() == 43 && lives(&app, first).await);
    let taken = "A token with this name already exists";
    refused(call("generateToken", named.clone()).await, "error-token-already-exists", taken);
    let list = app.rocket(&ann).get("users.getPersonalAccessTokens", &[]).await.ok();
    assert_eq!(list["tokens"][0]["bypassTwoFactor"], true);
    let second = call("regenerateToken", named.clone()).await.unwrap();
    let second = second.as_str().unwrap();
    assert!(!lives(&app, first).await && lives(&app, second).await);
    assert_eq!(call("removeToken", named.clone()).await, Ok(Value::Null));
    assert!(!lives(&app, second).await);
    for name in ["regenerateToken", "removeToken"] {
        let gone = call(name, named.clone()).await;
        refused(gone, "error-token-does-not-exists", "Token does not exist");
    }
    for name in ["generateToken", "regenerateToken", "removeToken"] {
        for params in [json!([]), json!(["ci"])] {
            refused(call(name, params).await, 400, "Match failed");
        }
        let text = "The 'tokenName' param is required";
        for params in [json!([{}]), json!([{"tokenName": " "}])] {
            refused(call(name, params).await, text, text);
        }
        let odd = call(name, json!([{"tokenName": {"$ne": ""}}])).await;
        refused(odd, "invalid-params", "must be string");
    }
    let body = json!({"permissions": [{"_id": "create-personal-access-tokens", "roles": []}]});
    app.rocket(&boss).post("permissions.update", body).await.ok();
    // Who may not is told so, and not asked for a factor.
    app.clock.move_to(START + 86_400_000);
    for name in ["generateToken", "regenerateToken", "removeToken"] {
        let details = refused(call(name, named.clone()).await, "not-authorized", "Not Authorized");
        assert_eq!(details["method"], format!("personalAccessTokens:{name}"));
    }
}

#[tokio::test]
async fn a_result_with_a_secret_is_not_kept_for_retries() {
    let secret: Vec<&str> =
        METHODS.iter().filter(|method| method.secret).map(|method| method.name).collect();
    let want = [
        "login",
        "2fa:enable",
        "2fa:validateTempToken",
        "2fa:regenerateCodes",
        "personalAccessTokens:generateToken",
        "personalAccessTokens:regenerateToken",
    ];
    assert_eq!(secret, want);
    let app = app().await;
    let ann = app.user("ann").await;
    let twice = async |path: &str, body: Value| {
        let headers = [("idempotency-key", "again")];
        let first = super::post(&app, &ann, path, &headers, &body).await;
        let second = super::post(&app, &ann, path, &headers, &body).await;
        (first, second)
    };
    // Named in every way that the body's reader takes.
    let new = |name: &str| json!([{"tokenName": name}]);
    let (first, second) =
        twice("method.call/x", message("personalAccessTokens:generateToken", &new("one"))).await;
    outcome(&first).unwrap();
    assert_eq!(outcome(&second).unwrap_err()["error"], "error-token-already-exists");
    let text = r#"{"msg":"method","id":"1","method":"rooms/get","\u006dethod":
        "personalAccessTokens:generateToken","params":[{"tokenName":"two"}]}"#;
    let (first, second) = twice("method.call/y", json!({ "message": text })).await;
    outcome(&first).unwrap();
    assert_eq!(outcome(&second).unwrap_err()["error"], "error-token-already-exists");
    let login = message("login", &json!([form("ann", &json!(PASSWORD))]));
    for path in ["method.callAnon/login", "method.call/login"] {
        let (first, second) = twice(path, login.clone()).await;
        let token = |answer: &Answer| outcome(answer).unwrap()["token"].clone();
        assert_ne!(token(&first), token(&second), "{path}");
    }
    // Others are.
    app.user("bob").await;
    let room = app.rocket(&ann).open("bob").await;
    let send = message("sendMessage", &json!([{"rid": room, "msg": "once"}]));
    let (first, second) = twice("method.call/z", send).await;
    assert_eq!(outcome(&first).unwrap()["msg"], "once");
    assert_eq!(first.body, second.body);
}
