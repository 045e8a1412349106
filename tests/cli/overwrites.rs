//! `OVERWRITE_SETTING_<id>`, for every setting there is.

use super::Place;
use crate::settings::another;
use parlance_core::setting;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn every_setting_is_overwritten_at_every_start() {
    let place = Place::new().await;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let given: Vec<(String, String)> = setting::every()
        .map(|known| (format!("OVERWRITE_SETTING_{}", known.id), text(&another(known))))
        .collect();
    let mut variables: Vec<(&str, &str)> =
        given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    variables.extend([("ADMIN_USERNAME", "root"), ("ADMIN_PASS", "s3cret")]);
    variables.push(("PARLANCE_STRICT", "true"));
    for _ in 0..2 {
        let server = place.serve(&variables);
        let session = server.session("root", "s3cret");
        let mut seen = BTreeMap::new();
        for offset in [0, 100, 200] {
            let path = format!("/api/v1/settings?count=100&offset={offset}");
            let (status, page) = server.call("GET", &path, &session, "");
            assert_eq!(status, 200, "{page}");
            for one in page["settings"].as_array().unwrap() {
                seen.insert(one["_id"].as_str().unwrap().to_owned(), one["value"].clone());
            }
        }
        for known in setting::every() {
            let want = if known.is_secret() { json!("") } else { another(known) };
            assert_eq!(seen.remove(known.id), Some(want), "{}", known.id);
        }
        assert_eq!(seen, BTreeMap::new());
        // What is changed meanwhile is as the operator says after the next start.
        let body = json!({"value": "meanwhile"}).to_string();
        let (status, answer) = server.call("POST", "/api/v1/settings/Site_Name", &session, &body);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(server.stop().0, Some(0));
    }
}
