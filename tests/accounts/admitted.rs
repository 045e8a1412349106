//! Logins that are refused for what the account is, after the password; and those by the word of
//! somebody else, which there is none of.

use super::{login_with, meepa_login, refused, set};
use crate::app::{PASSWORD, app};
use axum::http::Method;
use parlance_core::account::NewUser;
use serde_json::json;

#[tokio::test]
async fn an_address_must_be_proved_where_the_setting_says_so() {
    let app = app().await;
    app.user("ann").await;
    app.admin("root").await;
    let email = Some(("eve@example.com".to_owned(), false));
    let eve = NewUser { username: "eve".to_owned(), email, ..NewUser::default() };
    app.user_with(eve).await;
    set(&app, &[("Accounts_EmailVerification", json!(true))]).await;
    login_with(&app, "ann", &json!({})).await.ok();
    login_with(&app, "root", &json!({})).await.ok();
    let body = login_with(&app, "eve", &json!({})).await.expect(401);
    assert_eq!(
        (&body["error"], &body["message"]),
        (&json!("error-invalid-email"), &json!("Invalid email"))
    );
    let body = meepa_login(&app, "eve", &json!({})).await.expect(403);
    assert_eq!(body["error"], "the email address is not verified");
    assert_eq!(
        refused(&login_with(&app, "eve", &json!({"password": "wrong"})).await),
        "Unauthorized"
    );
    let config = app.call(Method::GET, "/api/auth/config", &[], None).await.ok();
    assert_eq!(config["data"]["requireEmailVerification"], true);
    let new = json!({"username": "new", "email": "new@example.com", "password": "secret word"});
    app.call(Method::POST, "/api/auth/register", &[], Some(&new)).await.expect(403);
}

#[tokio::test]
async fn nobody_logs_in_by_the_word_of_somebody_else() {
    let app = app().await;
    let ann = app.user("ann").await;
    for key in [
        "oauth",
        "serviceName",
        "accessToken",
        "credentialToken",
        "credentialSecret",
        "saml",
        "cas",
        "ldap",
        "crowd",
        "idToken",
        "iframe",
    ] {
        for value in [json!("x"), json!({"$exists": true}), json!(true), json!(["ann"])] {
            let body = login_with(&app, "ann", &json!({ key: value })).await.expect(401);
            assert_eq!(body["error"], 400, "{key}");
            assert_eq!(body["message"], "This server has no such login provider");
            let alone = json!({ key: value, "resume": ann.token });
            app.call(Method::POST, "/api/v1/login", &[], Some(&alone)).await.expect(401);
        }
        login_with(&app, "ann", &json!({ key: null })).await.ok();
    }
    for totp in [json!({}), json!({"login": 7}), json!({"login": {"totp": {"login": {}}}})] {
        let body = json!({"totp": totp, "user": "ann", "password": PASSWORD});
        let answer = app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await;
        assert_eq!(refused(&answer), "Unauthorized");
    }
}
