//! What a change leaves to do in batches: an account's new name in what was written before, and what a
//! removed account wrote. The change itself leaves the job as a row; this worker goes through it a
//! hundred messages at a time, so that others write in between, and goes on where it was after a
//! restart. Nodes may work at the same job: a batch that another one has done fails, and is read again.

use crate::account::ROCKET_CAT;
use crate::edit::origin;
use crate::error::{Error, Result};
use crate::store::jobs::{self, Job, JobRoom, Kind};
use crate::store::rewrites::{self, Fate, Named, NewText, Trace};
use crate::store::{Store, users};
use crate::time::{Clock, Ms};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// How long to wait before a batch that could not be done is tried again, in milliseconds.
const RETRY: Ms = 500;
/// How often jobs are looked for that another node may have left undone, in milliseconds.
const LOOK: Ms = 60_000;
/// What stands in place of the name of an account that is unlinked.
const ALIAS: &str = "Removed User";

pub(crate) struct Worker {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Rung when a change of this process left a job.
    pub(crate) left: Arc<Notify>,
}

impl Worker {
    /// Does what is left, for as long as the core lives.
    pub(crate) async fn run(self) {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => self.wait().await,
                Err(error) => {
                    tracing::warn!(%error, "a batch was not done");
                    self.clock.sleep(RETRY).await;
                }
            }
        }
    }

    async fn wait(&self) {
        if self.store.is_shared() {
            tokio::select! {
                () = self.left.notified() => {}
                () = self.clock.sleep(LOOK) => {}
            }
        } else {
            self.left.notified().await;
        }
    }

    /// Does one batch of the oldest job; `false` if nothing is left.
    async fn step(&self) -> Result<bool> {
        let Some((job, room)) = jobs::next(&self.store).await? else {
            return Ok(false);
        };
        match (room, job.kind) {
            (Some(room), _) if room.kind.is_none() => {
                rewrites::leave(&self.store, &job, &room).await?;
            }
            (Some(room), Kind::Erase) if room.kind.as_deref() == Some("gone") => {
                rewrites::empty(&self.store, &job, &room).await?;
            }
            (Some(room), _) => self.piece(&job, &room).await?,
            (None, Kind::Rename) => self.mentions(&job).await?,
            (None, Kind::Erase) => jobs::finish(&self.store, &job, self.clock.now()).await?,
        }
        Ok(true)
    }

    /// The next piece of one room.
    async fn piece(&self, job: &Job, room: &JobRoom) -> Result<()> {
        let piece = rewrites::piece(&self.store, job, room).await?;
        if piece.is_empty() {
            return rewrites::leave(&self.store, job, room).await;
        }
        let args: Map<String, Value> = serde_json::from_str(&job.args).map_err(Error::internal)?;
        let text = |name: &str| args.get(name).and_then(Value::as_str).unwrap_or("");
        let (old, erasure) = (text("old"), text("erasure"));
        let name = match job.kind {
            Kind::Rename => self.name(job).await?,
            Kind::Erase => None,
        };
        if job.kind == Kind::Rename && name.is_none() {
            // The account is gone: what it wrote is another job's.
            return rewrites::leave(&self.store, job, room).await;
        }
        let mut all = Vec::new();
        for trace in &piece {
            match fates(trace, job, (old, name.as_deref()), erasure) {
                Ok(fates) => all.extend(fates.into_iter().map(|fate| (trace, fate))),
                Err(error) => left(trace.id.as_str(), &error),
            }
        }
        let stale =
            |trace: &Trace| trace.author == job.user && Some(&trace.username) != name.as_ref();
        let call = name.as_deref().filter(|_| piece.iter().any(stale));
        let now = self.clock.now();
        rewrites::apply(&self.store, (job, room), &piece, call, &all, now).await
    }

    /// What the job's user is called now.
    async fn name(&self, job: &Job) -> Result<Option<String>> {
        let user = users::by_id(&self.store, &job.user).await?;
        Ok(user.map(|user| user.handle().to_owned()))
    }

    /// The next messages that name the job's user; the job ends behind the last.
    async fn mentions(&self, job: &Job) -> Result<()> {
        let named = rewrites::named(&self.store, job).await?;
        let now = self.clock.now();
        let (Some(place), Some(name)) =
            (named.last().map(|last| last.id.clone()), self.name(job).await?)
        else {
            return jobs::finish(&self.store, job, now).await;
        };
        let mut texts = Vec::new();
        for message in named {
            match called(&message, job, &name) {
                Ok(Some(text)) => texts.push((message, text)),
                Ok(None) => {}
                Err(error) => left(&message.id, &error),
            }
        }
        rewrites::set_texts(&self.store, job, &texts, &place, now).await
    }
}

/// One message that cannot be read must not keep all others, and all other jobs, from being done.
fn left(message: &str, error: &Error) {
    tracing::error!(message, %error, "a message is left as it is");
}

/// All that becomes of one message.
fn fates(
    trace: &Trace,
    job: &Job,
    names: (&str, Option<&str>),
    erasure: &str,
) -> Result<Vec<Fate>> {
    let mut fates = Vec::new();
    let erase = job.kind == Kind::Erase;
    if erase && trace.author == job.user {
        fates.extend(erased(trace, erasure)?);
    }
    let named = match fates.last() {
        Some(Fate::Removed) => return Ok(fates),
        // Its marks are gone with its text.
        Some(Fate::Stub(..)) => false,
        _ => erasure != "Keep",
    };
    if named && let Some(marks) = renamed(trace, job, names)? {
        fates.push(Fate::Marks(marks));
    }
    if erase && trace.followed {
        fates.push(Fate::Unfollowed);
    }
    Ok(fates)
}

/// What becomes of a message of a removed account.
fn erased(trace: &Trace, erasure: &str) -> Result<Option<Fate>> {
    let replied = trace.tcount.is_some_and(|count| count > 0);
    Ok(match erasure {
        "Keep" => None,
        "Unlink" => {
            let body = trace.body.as_deref().unwrap_or("{}");
            let mut body: Map<String, Value> =
                serde_json::from_str(body).map_err(Error::internal)?;
            body.insert("alias".to_owned(), ALIAS.into());
            let (id, name) = (ROCKET_CAT.into(), "Rocket.Cat".to_owned());
            Some(Fate::Given(id, ROCKET_CAT.to_owned(), name, Value::Object(body).to_string()))
        }
        // What others replied to stays as a stub, without a name.
        _ if replied => {
            let by = json!({"_id": trace.author.as_str(), "username": trace.author.as_str()});
            let body = json!({"urls": [], "channels": [], "attachments": []});
            Some(Fate::Stub(by.to_string(), body.to_string()))
        }
        _ => Some(Fate::Removed),
    })
}

/// Who edited, who pinned and who reacted, where that is the job's user under another name: `None` if it
/// is not. Without a new name its reactions go, and elsewhere its id stands.
fn renamed(
    trace: &Trace,
    job: &Job,
    (old, new): (&str, Option<&str>),
) -> Result<Option<[Option<String>; 3]>> {
    let id = job.user.as_str();
    let by = |text: &Option<String>| -> Result<Option<String>> {
        let Some(text) = text.as_ref().filter(|text| text.contains(id)) else {
            return Ok(text.clone());
        };
        let mut by: Map<String, Value> = serde_json::from_str(text).map_err(Error::internal)?;
        if by.get("_id").and_then(Value::as_str) != Some(id) {
            return Ok(Some(text.clone()));
        }
        by.insert("username".to_owned(), new.unwrap_or(id).into());
        Ok(Some(Value::Object(by).to_string()))
    };
    let (edited_by, pinned_by) = (by(&trace.edited_by)?, by(&trace.pinned_by)?);
    let reactions = match &trace.reactions {
        Some(text) => reacted(text, old, new)?,
        None => None,
    };
    let was = [&trace.edited_by, &trace.pinned_by, &trace.reactions];
    let marks = [edited_by, pinned_by, reactions];
    Ok((was != [&marks[0], &marks[1], &marks[2]]).then_some(marks))
}

/// Reactions with one name for another, or without it; `None` if none is left.
fn reacted(text: &str, old: &str, new: Option<&str>) -> Result<Option<String>> {
    let mut all: Map<String, Value> = serde_json::from_str(text).map_err(Error::internal)?;
    let mut changed = false;
    for reaction in all.values_mut() {
        let Some(names) = reaction.get_mut("usernames").and_then(Value::as_array_mut) else {
            continue;
        };
        if let Some(place) = names.iter().position(|name| name == old) {
            changed = true;
            match new {
                Some(new) => names[place] = new.into(),
                None => drop(names.remove(place)),
            }
        }
    }
    if !changed {
        return Ok(Some(text.to_owned()));
    }
    let empty = |reaction: &Value| {
        reaction.get("usernames").and_then(Value::as_array).is_some_and(Vec::is_empty)
    };
    all.retain(|_, reaction| !empty(reaction));
    Ok((!all.is_empty()).then(|| Value::Object(all).to_string()))
}

/// What a message says where it names the job's user by another name than this: the name is the one
/// that the message itself stores for the user, so that nobody who has it now is meant.
fn called(message: &Named, job: &Job, name: &str) -> Result<Option<NewText>> {
    let Some(text) = &message.mentions else {
        return Ok(None);
    };
    let mut mentions: Vec<Value> = serde_json::from_str(text).map_err(Error::internal)?;
    let own = |one: &&mut Value| one.get("_id").and_then(Value::as_str) == Some(job.user.as_str());
    let mention = mentions.iter_mut().find(own).and_then(Value::as_object_mut);
    let old = mention.and_then(|own| own.insert("username".to_owned(), name.into()));
    let Some(Value::String(old)) = old.filter(|old| old != name) else {
        return Ok(None);
    };
    let msg = parlance_text::rename_mentions(&message.msg, &old, name);
    let mut body: Value = serde_json::from_str(&message.body).map_err(Error::internal)?;
    if let Some(md) = body.get_mut("md") {
        rename_nodes(md, &old, name);
    }
    let origin = (msg != message.msg).then(|| origin(&message.msg));
    let mentions = Value::Array(mentions).to_string();
    Ok(Some(NewText { msg, mentions, body: body.to_string(), origin }))
}

/// Gives the mentions of a message's tree another name. The tree is as deep as a message may be.
fn rename_nodes(node: &mut Value, old: &str, new: &str) {
    match node {
        Value::Array(all) => all.iter_mut().for_each(|one| rename_nodes(one, old, new)),
        Value::Object(map) => {
            let is = map.get("type").and_then(Value::as_str) == Some("MENTION_USER");
            match map.get_mut("value").and_then(|text| text.get_mut("value")) {
                Some(value) if is && value == old => *value = new.into(),
                _ => map.values_mut().for_each(|one| rename_nodes(one, old, new)),
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{reacted, rename_nodes};
    use serde_json::json;

    #[test]
    fn a_name_in_reactions_is_another_or_none() {
        let text = r#"{":a:":{"usernames":["ann","bob"]},":b:":{"usernames":["ann"]}}"#;
        let new = reacted(text, "ann", Some("eve")).expect("JSON").expect("some are left");
        assert_eq!(new, r#"{":a:":{"usernames":["eve","bob"]},":b:":{"usernames":["eve"]}}"#);
        let less = reacted(text, "ann", None).expect("JSON").expect("some are left");
        assert_eq!(less, r#"{":a:":{"usernames":["bob"]}}"#);
        assert_eq!(reacted(text, "zoe", None).expect("JSON").as_deref(), Some(text));
        let own = r#"{":b:":{"usernames":["ann"]}}"#;
        assert_eq!(reacted(own, "ann", None).expect("JSON"), None);
    }

    #[test]
    fn only_mentions_of_that_name_change() {
        let mention =
            |name| json!({"type": "MENTION_USER", "value": {"type": "PLAIN_TEXT", "value": name}});
        let mut md = json!([{"type": "PARAGRAPH", "value": [mention("ann"), mention("annie"),
            {"type": "PLAIN_TEXT", "value": "ann"}]}]);
        rename_nodes(&mut md, "ann", "eve");
        assert_eq!(
            md,
            json!([{"type": "PARAGRAPH", "value": [mention("eve"), mention("annie"),
            {"type": "PLAIN_TEXT", "value": "ann"}]}])
        );
    }
}
