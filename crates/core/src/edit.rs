//! Editing and deleting messages (contract section 9.1). Who may is asked of the stored message, never
//! of what the caller says of it; a message in a foreign room is one that is not there.

use crate::access::Access;
use crate::bad_words::masked;
use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Feature, Result};
use crate::id::UserId;
use crate::list::{Document, ListQuery, Marks, count};
use crate::message::Message;
use crate::send::{NewMessage, TextLimit};
use crate::store::edits::{self, Removal};
use crate::time::Ms;
use crate::{Core, setting};
use parlance_query::Filter;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What a message shall say.
#[derive(Clone, Debug)]
pub struct NewText {
    /// The text.
    pub text: String,
    /// Which limit it is held to.
    pub limit: TextLimit,
    /// Members to carry in place of those of the same name; the face has checked them.
    pub body: Map<String, Value>,
    /// Only these URLs may be previewed; `None` for all.
    pub preview_urls: Option<Vec<String>>,
}

/// What a message said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Until when.
    pub until: Ms,
    /// Who changed it.
    pub by: UserId,
    /// That account's username, if it is there.
    pub username: Option<String>,
    /// The text.
    pub text: String,
}

/// The hash by which a text as first sent is known after it was edited.
pub(crate) fn origin(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
}

impl Core {
    /// Gives a message another text; returns it as it is then. The same text again, with nothing
    /// else, changes nothing.
    pub async fn edit(
        &self,
        caller: &Caller,
        (message, access): (Message, Access),
        new: NewText,
    ) -> Result<Message> {
        self.check_editable(caller, &message)?;
        let mut body: Map<String, Value> =
            serde_json::from_str(&message.body).map_err(Error::internal)?;
        let was = match body.remove("urls") {
            Some(Value::Array(urls)) => urls,
            _ => Vec::new(),
        };
        for made in ["md", "channels"] {
            body.remove(made);
        }
        let new = match message.kind {
            Some(_) => new,
            None => NewText { text: masked(&self.settings(), new.text), ..new },
        };
        if message.msg == new.text && new.preview_urls.is_none() && new.body.is_empty() {
            return Ok(message);
        }
        // A text beside a picture is the picture's description.
        let mut text = new.text;
        if let Some(description) = body.get_mut("attachments").and_then(|all| all.get_mut(0))
            && let Some(description) = description.get_mut("description")
            && description.is_string()
        {
            *description = std::mem::replace(&mut text, message.msg.clone()).into();
        }
        body.extend(new.body);
        let parse_urls = body.get("parseUrls") != Some(&Value::Bool(false));
        let content = NewMessage {
            kind: message.kind.clone(),
            body,
            preview_urls: new.preview_urls,
            limit: new.limit,
            parse_urls,
            ..NewMessage::text(text)
        };
        self.check_text(&content)?;
        let although_read_only = self.check_writable(caller, &access)?;
        let held = self.read_text(caller, &access, &content, &was).await?;
        let edit = edits::Edit {
            id: &message.id,
            room: &message.room,
            by: caller.id(),
            edited_by: by(caller),
            msg: &content.text,
            mentions: &held.mentions,
            body: &held.body,
            origin: origin(&message.msg),
            although_read_only,
            keep: self.settings().on(&setting::KEEP_HISTORY),
        };
        edits::edit(self.store(), &edit, self.clock().now()).await?;
        let found = self.message(caller, message.id.as_str()).await?;
        let (message, _) = found.ok_or(Error::NoMessage)?;
        self.want_previews(&message, held.previews);
        Ok(message)
    }

    /// Removes a message, or leaves a stub where the settings want one or replies hang on it.
    /// `as_author`: judged by what its author may, which needs a permission of its own.
    pub async fn delete(
        &self,
        caller: &Caller,
        (message, access): (Message, Access),
        as_author: bool,
    ) -> Result<()> {
        let own = message.author.id == *caller.id();
        let force = self.may(caller, Perm::ForceDeleteMessage);
        if as_author && !own && !force {
            return Err(Error::Lacks(Perm::ForceDeleteMessage));
        }
        let although_read_only = self.may(caller, Perm::PostReadonly);
        if !force {
            self.check_deletable(caller, &message, own)?;
        }
        if access.room.read_only == Some(true) && !although_read_only {
            return Err(Error::ReadOnly);
        }
        let settings = self.settings();
        let replies = message.tcount.is_some_and(|count| count > 0);
        let stub = (settings.on(&setting::SHOW_DELETED) || replies).then(|| {
            let body = json!({"urls": [], "channels": [], "attachments": []});
            (by(caller), body.to_string())
        });
        let removal = Removal {
            id: &message.id,
            room: &message.room,
            thread: message.thread.as_ref(),
            by: caller.id(),
            stub,
            although_read_only,
            stubs_too: false,
            keep: settings.on(&setting::KEEP_HISTORY),
        };
        edits::remove(self.store(), &removal, self.clock().now()).await
    }

    /// What a message said before it was edited, the oldest first, where the settings keep that and
    /// let members read it.
    pub async fn versions(&self, _: &Access, message: &Message) -> Result<Vec<Version>> {
        if !self.settings().on(&setting::EDIT_HISTORY) {
            return Err(Error::SwitchedOff(Feature::EditHistory));
        }
        edits::versions(self.store(), &message.id).await
    }

    /// Keeps what the caller reports of a message.
    pub async fn report(&self, caller: &Caller, message: &Message, why: &str) -> Result<()> {
        let now = self.clock().now();
        let id = self.chance().id(now);
        edits::report(self.store(), &id, &message.id, caller.id(), why, now).await
    }

    /// Removes messages of a room of the administrator's, for good and without stubs, a hundred at
    /// a time; returns how many went.
    pub async fn clean(
        &self,
        admin: Admin<'_>,
        access: &Access,
        filter: Filter,
        limit: Option<i64>,
    ) -> Result<usize> {
        const AT_ONCE: i64 = 100;
        admin.holds(Perm::CleanChannelHistory)?;
        let mut gone = 0;
        loop {
            let left = limit.map_or(AT_ONCE, |limit| AT_ONCE.min(limit - count(gone)));
            if left <= 0 {
                return Ok(gone);
            }
            let query =
                ListQuery { filter: filter.clone(), total: false, ..ListQuery::first(left) };
            let none: Document<Message> = Arc::new(|_| Value::Null);
            let page =
                self.messages(admin.caller, access, &query, &Marks::default(), none).await?.items;
            if page.is_empty() {
                return Ok(gone);
            }
            let keep = self.settings().on(&setting::KEEP_HISTORY);
            let all: Vec<Removal<'_>> = page
                .iter()
                .map(|message| Removal {
                    id: &message.id,
                    room: &message.room,
                    // The reply that a stub was is off its root's count already.
                    thread: message.thread.as_ref().filter(|_| !message.is_stub()),
                    by: admin.caller.id(),
                    stub: None,
                    although_read_only: true,
                    stubs_too: true,
                    keep,
                })
                .collect();
            edits::remove_all(self.store(), &all, self.clock().now()).await?;
            gone += page.len();
        }
    }

    fn check_editable(&self, caller: &Caller, message: &Message) -> Result<()> {
        let settings = self.settings();
        let own = message.author.id == *caller.id();
        let system = message.kind.as_deref().is_some_and(|kind| kind != "e2e");
        let may =
            self.may(caller, Perm::EditMessage) || (own && settings.on(&setting::ALLOW_EDITING));
        if !may || system {
            return Err(Error::SwitchedOff(Feature::Editing));
        }
        let minutes = settings.number(&setting::EDIT_MINUTES);
        if self.is_past(caller, message.ts, minutes) {
            return Err(Error::TooLate(Feature::Editing));
        }
        Ok(())
    }

    fn check_deletable(&self, caller: &Caller, message: &Message, own: bool) -> Result<()> {
        let settings = self.settings();
        let may = self.may(caller, Perm::DeleteMessage)
            || (own && self.may(caller, Perm::DeleteOwnMessage));
        if !settings.on(&setting::ALLOW_DELETING) || !may {
            return Err(Error::SwitchedOff(Feature::Deleting));
        }
        if self.is_past(caller, message.ts, settings.number(&setting::DELETE_MINUTES)) {
            return Err(Error::TooLate(Feature::Deleting));
        }
        Ok(())
    }

    /// Is a message older than a window of so many minutes, for somebody whom that binds?
    fn is_past(&self, caller: &Caller, ts: Ms, minutes: i64) -> bool {
        let age = self.clock().now().saturating_sub(ts);
        minutes > 0
            && age > minutes.saturating_mul(60_000)
            && !self.may(caller, Perm::BypassTimeLimit)
    }
}

/// Who changes a message, as its document shows it.
fn by(caller: &Caller) -> String {
    json!({"_id": caller.id().as_str(), "username": caller.user().handle()}).to_string()
}
