//! Settings from the environment, as an existing Rocket.Chat deployment has them:
//! `OVERWRITE_SETTING_<id>` at every start, `SETTING_<id>` only while nobody changed it. A name that
//! is not known is a warning (ordinary compose files set some that are not here), an error under
//! `--strict` (ruling B14).

use crate::Failure;
use parlance_core::setting::{self, known, nearest};
use parlance_core::{Core, Error};
use serde_json::Value;

/// Applies what the environment says.
pub(crate) async fn apply(core: &Core, strict: bool) -> Result<(), Failure> {
    let mut all: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.contains("SETTING_"))
        .collect();
    all.sort();
    for (name, value) in all {
        let (id, always) = if let Some(id) = name.strip_prefix("OVERWRITE_SETTING_") {
            (id, true)
        } else if let Some(id) = name.strip_prefix("SETTING_") {
            (id, false)
        } else {
            continue;
        };
        if let Err(why) = set(core, id, &value, always).await {
            let why = format!("{name}: {why}");
            if strict {
                return Err(why);
            }
            tracing::warn!("{why}");
        }
    }
    Ok(())
}

/// Gives `Site_Url` the public address that the operator named: by it links to messages are known.
pub(crate) async fn site_url(core: &Core, url: &str) -> Result<(), Failure> {
    set(core, setting::SITE_URL.id, url, true).await
}

async fn set(core: &Core, id: &str, text: &str, always: bool) -> Result<(), Failure> {
    let value = Value::from(text);
    let Some(known) = known(id) else {
        let like = nearest(id).map(|id| format!("; the nearest is {id}"));
        return Err(format!("no such setting{}", like.unwrap_or_default()));
    };
    // Setting what is set already would tell every client of a change.
    let same = match core.settings().get(known).value {
        Value::String(now) => now == text,
        now => now == serde_json::from_str::<Value>(text).unwrap_or_default(),
    };
    let done = if !always {
        core.preset_setting(id, &value).await.map(drop)
    } else if same {
        Ok(())
    } else {
        core.overwrite_setting(id, &value).await
    };
    done.map_err(|error| match error {
        Error::BadSetting(_) => "not a value of this setting".to_owned(),
        other => other.to_string(),
    })
}
