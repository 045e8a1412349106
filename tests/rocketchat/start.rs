//! What clients ask for when they start and this server has none of (contract section 9.4): the right
//! empty shapes, and nothing that pretends to work.

use super::talk::Talk;
use super::{coded, plain, schema};
use crate::app::{Answer, TestApp, app};
use axum::http::Method;
use serde_json::{Value, json};

async fn open(app: &TestApp, name: &str) -> Answer {
    app.call(Method::GET, &format!("/api/v1/{name}"), &[], None).await
}

#[tokio::test]
async fn before_a_login() {
    let app = app().await;
    for (name, want) in [
        ("settings.oauth", json!({"services": [], "success": true})),
        ("service.configurations", json!({"configurations": [], "success": true})),
        ("livechat/config", json!({"config": {"enabled": false}, "success": true})),
        ("livechat/config?token=x", json!({"config": {"enabled": false}, "success": true})),
    ] {
        assert_eq!(open(&app, name).await.ok(), want, "{name}");
    }
    schema(&open(&app, "livechat/config?token[]=x").await, "must be string");
    open(&app, "livechat/nothing").await.expect(404);
}

#[tokio::test]
async fn what_takes_no_parameters() {
    let app = app().await;
    let ann = app.user("ann").await;
    for (name, want) in [
        ("emoji-custom.list", json!({"emojis": {"update": [], "remove": []}, "success": true})),
        ("e2e.fetchMyKeys", json!({"success": true})),
        ("video-conference.providers", json!({"data": [], "success": true})),
        ("licenses.isEnterprise", json!({"isEnterprise": false, "success": true})),
    ] {
        assert_eq!(app.rocket(&ann).get(name, &[]).await.ok(), want, "{name}");
    }
    let answer = app.rocket(&ann).get("video-conference.capabilities", &[]).await;
    plain(&answer, 400, "no-videoconf-provider-app");
    let since = [("updatedSince", "2020-01-01T00:00:00.000Z")];
    app.rocket(&ann).get("emoji-custom.list", &since).await.ok();
    let answer = app.rocket(&ann).get("emoji-custom.list", &[("updatedSince", "x")]).await;
    let text = "The \"updatedSince\" query parameter must be a valid date.";
    coded(&answer, "error-roomId-param-invalid", text, &Value::Null);
}

#[tokio::test]
async fn lists_with_nothing_in_them() {
    let talk = Talk::new().await;
    let room = ("roomId", talk.pair.as_str());
    for (name, list, base) in [
        ("emoji-custom.all", "emojis", &[][..]),
        ("custom-sounds.list", "sounds", &[]),
        ("custom-user-status.list", "statuses", &[]),
        ("video-conference.list", "data", &[room]),
    ] {
        let want = |offset| {
            let mut want = json!({"count": 0, "offset": offset, "total": 0, "success": true});
            want[list] = json!([]);
            want
        };
        assert_eq!(talk.get(&talk.ann, name, base).await.ok(), want(0), "{name}");
        let page = [base, &[("offset", "3"), ("count", "5")]].concat();
        assert_eq!(talk.get(&talk.ann, name, &page).await.ok(), want(3), "{name}");
        let wrong = [base, &[("count", "x")]].concat();
        schema(&talk.get(&talk.ann, name, &wrong).await, "must be number");
    }
    let calls =
        async |user, query: &[(&str, &str)]| talk.get(user, "video-conference.list", query).await;
    for room in [talk.pair.as_str(), "nothing", ""] {
        plain(&calls(&talk.eve, &[("roomId", room)]).await, 400, "invalid-params");
    }
    schema(&calls(&talk.ann, &[]).await, "must have required property 'roomId'");
    schema(&calls(&talk.ann, &[room, ("x", "y")]).await, "must NOT have additional properties");
}

#[tokio::test]
async fn what_needs_a_parameter() {
    let app = app().await;
    let ann = app.user("ann").await;
    let get = async |name: &str, query: &[(&str, &str)]| app.rocket(&ann).get(name, query).await;
    let languages = "autotranslate.getSupportedLanguages";
    let body = get(languages, &[("targetLanguage", "en")]).await.ok();
    assert_eq!(body, json!({"languages": [], "success": true}));
    schema(&get(languages, &[]).await, "must have required property 'targetLanguage'");
    for platform in ["web", "mobile"] {
        let body = get("banners", &[("platform", platform)]).await.ok();
        assert_eq!(body, json!({"banners": [], "success": true}));
    }
    schema(&get("banners", &[]).await, "must have required property 'platform'");
    let wrong = get("banners", &[("platform", "tv")]).await;
    schema(&wrong, "must be equal to one of the allowed values");
    let body = get("licenses.info", &[("loadValues", "true")]).await.ok();
    assert_eq!(body, get("licenses.info", &[]).await.ok());
    let license = &body["license"];
    assert_eq!(
        super::keys(license),
        [
            "activeModules",
            "externalModules",
            "hasValidLicense",
            "limits",
            "preventedActions",
            "tags",
            "trial"
        ]
    );
    assert_eq!(
        (&license["activeModules"], &license["hasValidLicense"]),
        (&json!([]), &json!(false))
    );
    assert_eq!(license["limits"]["activeUsers"], json!({"max": -1}));
    assert_eq!(license["preventedActions"]["activeUsers"], false);
    schema(&get("licenses.info", &[("loadValues", "maybe")]).await, "must be boolean");
}

#[tokio::test]
async fn registered_nowhere() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let name = "cloud.registrationStatus";
    plain(&app.rocket(&ann).get(name, &[]).await, 403, super::LACKS);
    let body = app.rocket(&boss).get(name, &[]).await.ok();
    let want = json!({"workspaceRegistered": false, "workspaceId": "", "uniqueId": "",
        "token": "", "email": ""});
    assert_eq!(body["registrationStatus"], want);
}
