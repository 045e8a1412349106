//! Settings that the operator gives at the start: `OVERWRITE_SETTING_<id>` (or `[settings]` of the file)
//! every time, `SETTING_<id>` only while nobody changed it. In the environment a name that is not
//! known is a warning (ordinary compose files set some that are not here), an error under `--strict`
//! (ruling B14); in our own file it is an error.

use crate::Failure;
use crate::config::source::{GivenSetting, Sources};
use parlance_core::command::explain;
use parlance_core::setting::{self, known};
use parlance_core::{Core, Error};
use serde_json::Value;

/// Gives the settings their values.
pub(crate) async fn apply(core: &Core, sources: &Sources, strict: bool) -> Result<(), Failure> {
    for given in &sources.settings {
        if let Err(error) = set(core, given).await {
            let why = format!("{}: {}", given.from, explain(&error));
            if strict || given.in_file {
                return Err(why);
            }
            tracing::warn!("{why}");
        }
    }
    Ok(())
}

/// Gives `Site_Url` the public address that the operator named: by it links to messages are known.
pub(crate) async fn site_url(core: &Core, url: &str) -> Result<(), Failure> {
    let done = core.overwrite_setting(setting::SITE_URL.id, &Value::from(url)).await;
    done.map_err(|error| error.to_string())
}

/// What is wrong with the names, without a store: an error for the file's.
pub(crate) fn unknown(sources: &Sources) -> Result<Vec<String>, Failure> {
    let mut odd = Vec::new();
    for given in sources.settings.iter().filter(|given| known(&given.id).is_none()) {
        let why = format!("{}: {}", given.from, explain(&Error::NoSetting(given.id.clone())));
        if given.in_file {
            return Err(why);
        }
        odd.push(why);
    }
    Ok(odd)
}

async fn set(core: &Core, given: &GivenSetting) -> Result<(), Error> {
    let GivenSetting { id, value: text, .. } = given;
    let known = known(id).ok_or_else(|| Error::NoSetting(id.clone()))?;
    let value = Value::from(text.as_str());
    // Setting what is set already would tell every client of a change.
    let same = match core.settings().get(known).value {
        Value::String(now) => now == *text,
        now => now == serde_json::from_str::<Value>(text).unwrap_or_default(),
    };
    if !given.always {
        core.preset_setting(id, &value).await.map(drop)
    } else if same {
        Ok(())
    } else {
        core.overwrite_setting(id, &value).await
    }
}
