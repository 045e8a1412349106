//! Methods about the server itself: public settings, permissions, and what direct rooms lack.

use super::Outcome;
use super::array;
use super::ask::Ask;
use crate::{server, settings};
use parlance_http::json::Dates;

/// `public-settings/get [updatedSince?]`
pub(super) async fn public_settings(ask: Ask) -> Outcome {
    let since = ask.time(0)?;
    let all = ask.call.settings.all();
    let shown = all.iter().filter(|setting| {
        setting.known.public && since.is_none_or(|since| setting.updated > since)
    });
    Ok(listed(since.is_some(), shown, |out, one| settings::print(out, one, Dates::Ejson)))
}

/// `permissions/get [updatedSince?]`
pub(super) async fn permissions(ask: Ask) -> Outcome {
    let since = ask.time(0)?;
    let all = ask.core().grants();
    let shown = all.iter().filter(|grant| since.is_none_or(|since| grant.updated > since));
    Ok(listed(since.is_some(), shown, |out, one| server::grant(out, one, Dates::Ejson)))
}

/// An array, or what changed and what went; nothing of these ever goes.
fn listed<T>(
    changes: bool,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, &T),
) -> String {
    let items: Vec<T> = items.collect();
    let all = array(&items, &mut write);
    if changes { format!(r#"{{"update":{all},"remove":[]}}"#) } else { all }
}

/// Lists of what there is none of.
pub(super) async fn nothing(ask: Ask) -> Outcome {
    ask.caller()?;
    Ok("[]".to_owned())
}

/// `browseChannels`: there are no channels.
pub(super) async fn channels(ask: Ask) -> Outcome {
    ask.caller()?;
    Ok(r#"{"results":[],"total":0}"#.to_owned())
}
