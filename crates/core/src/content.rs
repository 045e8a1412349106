//! What a text holds: its tree, its URLs and whom it names, made once when it is written and served
//! as stored. Everything comes from one parse, so that what is code for a reader is code here too.

use crate::access::Access;
use crate::caller::{Caller, Perm};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::preference::holds_word;
use crate::send::NewMessage;
use crate::store::{profiles, users};
use crate::{Core, links, setting};
use parlance_text::Parsed;
use serde_json::{Map, Value, json};

/// Mentions of one message that are looked up at most.
const MOST_MENTIONS: usize = 100;

/// Whom a message names.
#[derive(Default)]
pub(crate) struct Mentions {
    pub(crate) users: Vec<UserId>,
    /// `all`, `here`.
    pub(crate) everyone: Vec<&'static str>,
    /// Members with a word in the text that counts as a mention of them.
    pub(crate) highlighted: Vec<UserId>,
    /// The document's `mentions`.
    pub(crate) json: Option<String>,
}

impl Mentions {
    /// The ids that are named, `all` and `here` among them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(UserId::as_str).chain(self.everyone.iter().copied())
    }

    /// Whose counters move: who is named, and who has a word in the text.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &UserId> {
        let more = self.highlighted.iter().filter(|user| !self.users.contains(user));
        self.users.iter().chain(more)
    }
}

/// What a text holds.
pub(crate) struct Content {
    pub(crate) mentions: Mentions,
    /// JSON object of the members that are carried with it.
    pub(crate) body: String,
    /// Has it URLs that want previews?
    pub(crate) previews: bool,
}

impl Core {
    /// What the text holds; `was` are the document's `urls` before an edit.
    pub(crate) async fn read_text(
        &self,
        caller: &Caller,
        access: &Access,
        new: &NewMessage,
        was: &[Value],
    ) -> Result<Content> {
        let parsed = self.parsed(new);
        let quoted = if new.parse_urls {
            self.quoted(caller, new, &parsed.urls(), was).await?
        } else {
            None
        };
        let (body, previews) = self.carried(new, &parsed, quoted.as_ref(), was);
        // Those who are all are never among the many that are not looked up.
        let mut names = parsed.mentions();
        names.sort_by_key(|name| *name != "all" && *name != "here");
        names.truncate(MOST_MENTIONS);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut mentions = self.mentions(caller, access, &names).await?;
        // Nearly no room has anybody with such words: then nothing is read for it.
        if access.room.highlights && new.kind.is_none() {
            mentions.highlighted = self.highlighted(caller, access, &new.text).await?;
        }
        Ok(Content { mentions, body, previews })
    }

    /// The members that are carried with a text of the server's own.
    pub(crate) fn own_words(&self, new: &NewMessage) -> String {
        self.carried(new, &self.parsed(new), None, &[]).0
    }

    /// A text as the settings say that it is read; an encrypted one holds nothing.
    fn parsed(&self, new: &NewMessage) -> Parsed {
        let settings = self.settings();
        let katex = settings.on(&setting::KATEX);
        let domains = settings.text(&setting::CUSTOM_DOMAINS);
        let domains: Vec<&str> =
            domains.split(',').map(str::trim).filter(|domain| !domain.is_empty()).collect();
        let options = parlance_text::Options {
            colors: settings.on(&setting::COLORS),
            emoticons: true,
            katex_parenthesis: katex && settings.on(&setting::KATEX_PARENTHESIS),
            katex_dollar: katex && settings.on(&setting::KATEX_DOLLAR),
            custom_domains: &domains,
        };
        let text = if new.kind.is_some() { "" } else { new.text.as_str() };
        parlance_text::parse_at(text, &options, self.clock().now().div_euclid(1000))
    }

    /// The members that are carried with a text, as JSON, and whether URLs among them want previews.
    fn carried(
        &self,
        new: &NewMessage,
        parsed: &Parsed,
        quoted: Option<&Map<String, Value>>,
        was: &[Value],
    ) -> (String, bool) {
        let settings = self.settings();
        let text = if new.kind.is_some() { "" } else { new.text.as_str() };
        let mut body = String::from("{\"channels\":[]");
        let mut previews = false;
        if new.parse_urls {
            let site = settings.text(&setting::SITE_URL);
            let found = parsed.urls();
            let mut urls = links::entries(&found, new.preview_urls.as_deref(), site, was);
            urls.extend(links::spotify(text));
            previews = settings.on(&setting::EMBED) && !links::wanted(&urls, site).is_empty();
            body = format!("{}{}", links::BEFORE, Value::Array(urls));
        }
        let mut member = |key: &str, json: &str| {
            body.push_str(",\"");
            body.push_str(key);
            body.push_str("\":");
            body.push_str(json);
        };
        // The face names these keys, so that none of them needs escaping.
        for (key, value) in quoted.unwrap_or(&new.body) {
            member(key, &value.to_string());
        }
        if let Some(md) = parsed.md_json() {
            member("md", &md);
        }
        body.push('}');
        (body, previews)
    }

    /// The other members with a word in the text that counts as a mention of them (contract 6.5).
    async fn highlighted(
        &self,
        caller: &Caller,
        access: &Access,
        text: &str,
    ) -> Result<Vec<UserId>> {
        let all = profiles::highlights(self.store(), &access.room.id, caller.id()).await?;
        let text = text.to_lowercase();
        let mut found = Vec::new();
        for (user, words) in all {
            let words: Vec<String> = serde_json::from_str(&words).map_err(Error::internal)?;
            let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
            if holds_word(&text, &words) {
                found.push(user);
            }
        }
        Ok(found)
    }

    /// Resolves the names of a text to existing accounts (contract section 7.4).
    async fn mentions(
        &self,
        caller: &Caller,
        access: &Access,
        names: &[String],
    ) -> Result<Mentions> {
        let mut mentions = Mentions::default();
        let mut json = Vec::new();
        for (word, perm) in [("all", Perm::MentionAll), ("here", Perm::MentionHere)] {
            if names.iter().any(|name| name == word) {
                let most = self.settings().number(&setting::MAX_ALL);
                if !self.may(caller, perm) || (most > 0 && access.room.users_count > most) {
                    return Err(Error::MentionNotAllowed(word));
                }
                mentions.everyone.push(word);
                json.push(json!({"_id": word, "username": word}));
            }
        }
        let mut folds: Vec<String> = names.iter().map(|name| crate::account::fold(name)).collect();
        folds.retain(|name| name != "all" && name != "here");
        folds.dedup();
        if !folds.is_empty() {
            for user in users::by_usernames(self.store(), &folds).await? {
                let known = user.username.as_ref().is_some_and(|name| names.contains(name));
                if known && !mentions.users.contains(&user.id) {
                    json.push(json!({"_id": user.id.as_str(), "username": user.handle(),
                        "name": user.shown_name(), "type": "user"}));
                    mentions.users.push(user.id);
                }
            }
        }
        mentions.json = Some(Value::Array(json).to_string());
        Ok(mentions)
    }
}
