//! Quotes by link: a URL of this server that names a message adds that message as an attachment
//! (contract sections 7.5 and 7.7), if who writes the link may read it. One that may not be read and
//! one that is not there add nothing, alike (CVE-2026-32994).

use crate::caller::Caller;
use crate::depth::{DEEPEST, is_deeper};
use crate::error::{Error, Result};
use crate::id::is_id;
use crate::send::{MAX_CARRIED, NewMessage, size};
use crate::{Core, setting, time};
use serde_json::{Map, Value, json};
use url::Url;

/// Links of one message that are looked up.
const MOST_QUOTES: usize = 10;

impl Core {
    /// The members carried with a text, with the quotes that its links ask for in place of those of
    /// links that went (`was` are the document's `urls` before); `None` if no link quotes.
    pub(crate) async fn quoted(
        &self,
        caller: &Caller,
        new: &NewMessage,
        urls: &[&str],
        was: &[Value],
    ) -> Result<Option<Map<String, Value>>> {
        // Most texts have no link at all: those cost nothing.
        if urls.is_empty() && was.is_empty() {
            return Ok(None);
        }
        let settings = self.settings();
        let Ok(site) = Url::parse(settings.text(&setting::SITE_URL)) else { return Ok(None) };
        let now = links(urls.iter().copied(), &site);
        let before = links(was.iter().filter_map(|one| one["url"].as_str()), &site);
        if now.is_empty() && before.is_empty() {
            return Ok(None);
        }
        let mut members = new.body.clone();
        let mut all = match members.get_mut("attachments").map(Value::take) {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        all.retain(|one| !is_of(one, &before) || is_of(one, &now));
        let chain = settings.number(&setting::QUOTE_CHAIN);
        for (url, id) in now.into_iter().take(MOST_QUOTES) {
            // What quotes the link already stays if it can't be quoted anew: whoever edits a text
            // need not be able to read what its author could.
            let Some(quote) = self.quote(caller, url, &id, chain).await? else { continue };
            let mut more = all.clone();
            more.retain(|one| link(one) != Some(url));
            more.push(quote);
            members.insert("attachments".to_owned(), more.into());
            if size(&members) <= MAX_CARRIED
                && let Some(Value::Array(more)) = members.get_mut("attachments").map(Value::take)
            {
                all = more;
            }
        }
        if new.body.contains_key("attachments") || !all.is_empty() {
            members.insert("attachments".to_owned(), all.into());
        } else {
            members.remove("attachments");
        }
        Ok(Some(members))
    }

    /// The attachment that quotes a message, for who may read it.
    async fn quote(
        &self,
        caller: &Caller,
        url: &str,
        id: &str,
        chain: i64,
    ) -> Result<Option<Value>> {
        let found = self.message(caller, id).await?;
        let found = found.filter(|(message, _)| chain > 0 && message.kind.is_none());
        let Some((message, _)) = found else { return Ok(None) };
        let mut body: Value = serde_json::from_str(&message.body).map_err(Error::internal)?;
        let mut inner = body["attachments"].take();
        prune(&mut inner, chain - 1);
        let mut quote = json!({
            "message_link": url,
            "text": message.msg,
            "author_name": message.author.username,
            "author_icon": format!("/avatar/{}", message.author.username),
            "ts": time::iso(message.ts),
            "attachments": inner,
        });
        // The attachments of a message are one level of it.
        if is_deeper(&quote, DEEPEST - 2) || !quote["attachments"].is_array() {
            quote["attachments"] = json!([]);
        }
        Ok(Some(quote))
    }
}

/// Takes out quotes that are inside more than `left` others.
fn prune(attachments: &mut Value, left: i64) {
    let Some(all) = attachments.as_array_mut() else { return };
    all.retain(|one| left > 0 || link(one).is_none());
    for one in all {
        let left = if link(one).is_some() { left - 1 } else { left };
        if let Some(inner) = one.get_mut("attachments") {
            prune(inner, left);
        }
    }
}

/// What an attachment quotes.
fn link(attachment: &Value) -> Option<&str> {
    attachment.get("message_link").and_then(Value::as_str)
}

/// Does an attachment quote one of these?
fn is_of(attachment: &Value, links: &[(&str, String)]) -> bool {
    link(attachment).is_some_and(|link| links.iter().any(|(url, _)| *url == link))
}

/// The URLs that name a message of this server, and its id.
fn links<'u>(urls: impl Iterator<Item = &'u str>, site: &Url) -> Vec<(&'u str, String)> {
    urls.filter_map(|url| Some((url, message_id(url, site)?))).collect()
}

fn message_id(url: &str, site: &Url) -> Option<String> {
    let url = Some(url).filter(|url| url.contains("msg=")).and_then(|url| Url::parse(url).ok())?;
    let rest = url.path().strip_prefix(site.path().trim_end_matches('/'))?;
    if url.origin() != site.origin() || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let id = url.query_pairs().find(|(name, _)| name == "msg")?.1;
    is_id(&id).then(|| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{message_id, prune};
    use serde_json::json;
    use url::Url;

    #[test]
    fn only_this_server_is_this_server() {
        let site = Url::parse("https://chat.example/team/").expect("a URL");
        let id = |url: &str| message_id(url, &site);
        for url in [
            "https://chat.example/team/direct/x?msg=abc",
            "https://CHAT.example:443/team/group/x?a=b&msg=abc&msg=other#z",
            "https://chat.example/team?msg=%61bc",
        ] {
            assert_eq!(id(url).as_deref(), Some("abc"), "{url}");
        }
        for url in [
            "https://chat.example/teams/direct/x?msg=abc",
            "https://chat.example/direct/x?msg=abc",
            "http://chat.example/team/direct/x?msg=abc",
            "https://chat.example.evil/team/x?msg=abc",
            "https://evil.example/?https://chat.example/team/x?msg=abc",
            "https://chat.example@evil.example/team/x?msg=abc",
            "https://chat.example/team/direct/x?msg=",
            "https://chat.example/team/direct/x#msg=abc",
            "https://chat.example/team/direct/x?msg=a%20b",
        ] {
            assert_eq!(id(url), None, "{url}");
        }
    }

    #[test]
    fn a_chain_is_cut_and_what_is_no_quote_stays() {
        let quote = |inner| json!({"message_link": "x", "attachments": inner});
        let picture = json!({"image_url": "/file-upload/x"});
        let mut all = json!([picture, quote(json!([picture, quote(json!([]))]))]);
        let whole = all.clone();
        prune(&mut all, 2);
        assert_eq!(all, whole);
        prune(&mut all, 1);
        assert_eq!(all, json!([picture, quote(json!([picture]))]));
        prune(&mut all, 0);
        assert_eq!(all, json!([picture]));
        prune(&mut json!(7), 1);
    }
}
