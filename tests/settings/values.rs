//! What a setting does not take: refused with the documented error, and nothing stored.

use super::scene::Scene;
use parlance_core::setting::{self, Default};
use serde_json::{Value, json};

/// Values that no setting of a kind holds.
fn wrong(kind: Default) -> Vec<Value> {
    let mut all = vec![Value::Null, json!({}), json!({"$ne": null})];
    all.extend(match kind {
        Default::Flag(_) => vec![json!(1), json!("maybe"), json!("TRUE"), json!(""), json!([])],
        Default::Number(_) => vec![
            json!(true),
            json!("many"),
            json!("1.5"),
            json!(""),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!([]),
        ],
        Default::Text(_) => {
            vec![json!(1), json!(true), json!([]), json!(["x"]), json!("x".repeat(65_537))]
        }
        Default::List => vec![json!(1), json!("x"), json!([1]), json!([null]), json!(true)],
    });
    all
}

/// Texts of which whoever reads a setting could make nothing.
const UNREADABLE: &[(&str, &[&str])] = &[
    ("Message_ErasureType", &["", "delete", "Burn"]),
    ("Accounts_RegistrationForm", &["", "public", "Closed"]),
    ("SMTP_Protocol", &["", "http", "SMTPS"]),
    ("Unread_Count", &["", "mentions_only", "none"]),
    ("Unread_Count_DM", &["", "user_mentions_only", "none"]),
    ("Parlance_Query_And_Fields", &["", "On", "maybe"]),
    ("UTF8_User_Names_Validation", &["(", "a)|(b", "\\p{No}{100000}"]),
    ("Parlance_Preview_Allowed_Networks", &["10.0.0.0/33", "127.0.0.1, intern"]),
    ("API_EmbedSafePorts", &["80, 70000", "http", "-1"]),
    ("Accounts_CustomFields", &["{", "[]", "1", r#"{"a":1}"#]),
];

#[tokio::test]
async fn a_wrong_value_is_refused_and_nothing_is_stored() {
    let scene = Scene::new().await;
    let all = [("count", "0")];
    let before = scene.get(&scene.boss, "settings", &all).await.ok();
    assert_eq!(before["total"], super::every().len());
    for known in super::every() {
        let id = known.id;
        let unreadable = UNREADABLE.iter().filter(|(of, _)| *of == id);
        let unreadable = unreadable.flat_map(|(_, texts)| texts.iter().map(|text| json!(text)));
        for value in wrong(known.default).into_iter().chain(unreadable) {
            let path = format!("settings/{id}");
            let answer = scene.post(&scene.boss, &path, json!({"value": value})).await;
            let want = json!({"success": false, "errorType": "error-invalid-setting-value",
                "error": format!("Invalid value for {id} [error-invalid-setting-value]")});
            assert_eq!(answer.expect(400), want, "{id} = {value}");
            let refused = scene.app.core.overwrite_setting(id, &value).await;
            assert!(refused.is_err(), "{id} = {value}");
        }
        let none = scene.post(&scene.boss, &format!("settings/{id}"), json!({})).await;
        assert_eq!(none.expect(400), json!({"success": false}));
    }
    assert_eq!(scene.get(&scene.boss, "settings", &all).await.ok(), before);
    // Nor may anybody else set one to what it takes.
    for known in super::every() {
        let body = json!({"value": super::another(known)});
        let refused = scene.post(&scene.ann, &format!("settings/{}", known.id), body).await;
        refused.expect(403);
    }
    assert_eq!(scene.get(&scene.boss, "settings", &all).await.ok(), before);
}

#[tokio::test]
async fn what_it_takes_it_holds() {
    let scene = Scene::new().await;
    for known in super::every() {
        let value = super::another(known);
        crate::rocketchat::set(&scene.app, &scene.boss, known.id, value.clone()).await;
        // Texts are read where the kind is another, because the environment knows nothing else.
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        scene.app.core.overwrite_setting(known.id, &json!(text)).await.unwrap();
        let shown = if known.is_secret() { json!("") } else { value };
        let now = scene.app.core.settings();
        assert_eq!(now.get(setting::known(known.id).unwrap()).value, shown, "{}", known.id);
    }
}
