//! Every setting, switched: what is seen from outside of a server before and after an administrator sets it
//! over REST. A setting has a row in one of the tables here, or a reason why there is nothing to see yet;
//! one that has neither fails the test, as does one that has a reason and is read all the same.

mod accounts;
mod decency;
mod kept;
mod log;
mod logins;
mod mail;
mod messages;
mod ours;
mod passwords;
mod previews;
mod queries;
mod rest;
mod rooms;
mod scene;
mod sockets;
mod unread;
mod values;

use parlance_core::setting::{self, Default};
use scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

/// What an observation gives.
type Seen<'a> = Pin<Box<dyn Future<Output = Value> + 'a>>;
/// Looks at a server from outside; as often as it is asked.
type See = for<'a> fn(&'a Scene) -> Seen<'a>;
type Values = fn(&Scene) -> Vec<(&'static str, Value)>;

/// One setting and what it does.
struct Row {
    id: &'static str,
    /// What it is set to.
    to: fn(&Scene) -> Value,
    see: See,
    before: Value,
    after: Value,
    /// What the operator set before.
    laid: Option<Values>,
}

fn row(id: &'static str, to: fn(&Scene) -> Value, seen: [Value; 2], see: See) -> Row {
    let [before, after] = seen;
    Row { id, to, see, before, after, laid: None }
}

impl Row {
    fn laid(self, values: Values) -> Self {
        Self { laid: Some(values), ..self }
    }
}

/// Switches each setting on a server of its own.
async fn switched(rows: Vec<Row>) {
    for row in rows {
        let scene = Scene::new().await;
        for (id, value) in row.laid.map(|laid| laid(&scene)).unwrap_or_default() {
            scene.app.core.overwrite_setting(id, &value).await.unwrap();
        }
        let (to, was) = ((row.to)(&scene), scene.value(row.id).await);
        assert_ne!(row.before, row.after, "{}", row.id);
        assert_eq!((row.see)(&scene).await, row.before, "{} as it was", row.id);
        crate::rocketchat::set(&scene.app, &scene.boss, row.id, to.clone()).await;
        let now = scene.value(row.id).await;
        if setting::known(row.id).unwrap().is_secret() {
            assert_eq!((was, now), (json!(""), json!("")), "{}", row.id);
        } else {
            assert!(was != to && now == to, "{}: {was}, {now}", row.id);
        }
        assert_eq!((row.see)(&scene).await, row.after, "{} = {to}", row.id);
    }
}

/// Every table.
fn tables() -> Vec<Vec<Row>> {
    vec![
        accounts::rows(),
        accounts::own_rows(),
        logins::rows(),
        logins::blocks(),
        mail::rows(),
        messages::rows(),
        messages::texts(),
        ours::rows(),
        passwords::rows(),
        previews::rows(),
        queries::rows(),
        rest::rows(),
        rooms::rows(),
        sockets::rows(),
    ]
}

/// Settings that are switched over REST by a test that takes more than a look, and its text.
const ELSEWHERE: &[(&str, &str)] = &[
    ("Parlance_Query_Max_Rows", include_str!("../query/columns.rs")),
    ("Parlance_Query_Max_Milliseconds", include_str!("../query/bounds.rs")),
    ("Parlance_Event_Log_Max_Rows", include_str!("log.rs")),
    ("Parlance_Event_Log_Max_Days", include_str!("log.rs")),
];

fn every() -> Vec<&'static setting::Known> {
    setting::every().collect()
}

#[test]
fn every_setting_is_switched_somewhere() {
    let mut seen = BTreeSet::new();
    let rows: Vec<Row> = tables().into_iter().flatten().collect();
    let rows = rows.iter().map(|row| row.id);
    let elsewhere = ELSEWHERE.iter().map(|(id, text)| {
        assert!(text.contains(&format!("\"{id}\"")), "{id}");
        *id
    });
    for id in rows.chain(elsewhere).chain(kept::WITHOUT_EFFECT.iter().map(|(id, _)| *id)) {
        assert!(seen.insert(id), "{id} is there twice");
    }
    let known: BTreeSet<&str> = every().iter().map(|known| known.id).collect();
    let missing: Vec<_> = known.difference(&seen).collect();
    let unknown: Vec<_> = seen.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "{missing:?} {unknown:?}");
}

/// A value that a setting can hold and does not hold at first.
pub(crate) fn another(known: &setting::Known) -> Value {
    let text = match known.id {
        "Message_ErasureType" => "Keep",
        "Accounts_RegistrationForm" => "Disabled",
        "SMTP_Protocol" => "smtps",
        "Unread_Count" => "all_messages",
        "Unread_Count_DM" => "mentions_only",
        "Parlance_Query_And_Fields" => "strict",
        "UTF8_User_Names_Validation" => "[a-z.]+",
        "Parlance_Preview_Allowed_Networks" => "10.0.0.0/8, fd00::/8",
        "API_EmbedSafePorts" => "8080",
        "Accounts_CustomFields" => r#"{"team":{"type":"text"}}"#,
        _ => "another",
    };
    match known.default {
        Default::Flag(on) => (!on).into(),
        Default::Number(n) => (n + 1).into(),
        Default::Text(_) => text.into(),
        Default::List => json!(["uj"]),
    }
}
