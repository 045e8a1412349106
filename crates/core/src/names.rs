//! Real names in place of those that stood in a message when it was written (contract section 7.9), where
//! `UI_Use_Real_Name` says so: of its author, of whom it mentions and of who reacted. The names are the
//! accounts' of now; one read serves all messages of an answer, and nothing is read where it is off.

use crate::account::fold;
use crate::error::{Error, Result};
use crate::list::Page;
use crate::message::Message;
use crate::room::Room;
use crate::store::{Store, users};
use crate::{Core, setting};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// What has messages in it.
pub(crate) trait Shows {
    /// They.
    fn messages(&mut self) -> impl Iterator<Item = &mut Message>;
}

impl Shows for Message {
    fn messages(&mut self) -> impl Iterator<Item = &mut Message> {
        std::iter::once(self)
    }
}

impl Shows for Room {
    fn messages(&mut self) -> impl Iterator<Item = &mut Message> {
        self.last.as_deref_mut().into_iter()
    }
}

impl Core {
    /// A message as clients see it.
    pub async fn shown(&self, message: Message) -> Result<Message> {
        let mut shown = self.show(vec![message]).await?;
        shown.pop().ok_or_else(|| Error::internal("a message got lost"))
    }

    /// The same of several, or of rooms with their newest messages.
    pub(crate) async fn show<T: Shows>(&self, mut all: Vec<T>) -> Result<Vec<T>> {
        if self.settings().on(&setting::REAL_NAMES) {
            name(self.store(), &mut all).await?;
        }
        Ok(all)
    }

    /// The same of a page and what follows it.
    pub(crate) async fn show_page<T>(&self, page: Page<T>) -> Result<Page<T>>
    where
        T: Shows + Send + 'static,
    {
        if !self.settings().on(&setting::REAL_NAMES) {
            return Ok(page);
        }
        let Page { mut items, total, more } = page;
        name(self.store(), &mut items).await?;
        let store = self.store().clone();
        let more = more.map(|more| {
            let named = more.and_then(move |mut items| {
                let store = store.clone();
                async move {
                    name(&store, &mut items).await?;
                    Ok(items)
                }
            });
            named.boxed()
        });
        Ok(Page { items, total, more })
    }
}

/// Writes the names into all messages.
async fn name<T: Shows>(store: &Store, all: &mut [T]) -> Result<()> {
    let mut parsed = Vec::new();
    let mut wanted = BTreeSet::new();
    for message in all.iter_mut().flat_map(Shows::messages) {
        let mentions: Option<Value> = read(message.mentions.as_deref())?;
        let reactions: Option<Map<String, Value>> = read(message.reactions.as_deref())?;
        wanted.insert(fold(&message.author.username));
        let mentioned = mentions.iter().filter_map(Value::as_array).flatten();
        wanted.extend(mentioned.filter_map(|one| one["username"].as_str()).map(fold));
        let reacted = reactions.iter().flat_map(Map::values).filter_map(usernames).flatten();
        wanted.extend(reacted.filter_map(Value::as_str).map(fold));
        parsed.push((message, mentions, reactions));
    }
    let mut names = HashMap::new();
    let wanted: Vec<String> = wanted.into_iter().collect();
    for some in wanted.chunks(MOST_NAMES) {
        for user in users::by_usernames(store, some).await? {
            names.insert(fold(user.handle()), user.shown_name().to_owned());
        }
    }
    let of =
        |username: &str| names.get(&fold(username)).map_or(username, String::as_str).to_owned();
    for (message, mentions, reactions) in parsed {
        message.author.name = Some(of(&message.author.username));
        if let Some(mut mentions) = mentions {
            for one in mentions.as_array_mut().into_iter().flatten() {
                if let (Some(username), true) = (one["username"].as_str(), one["type"] == "user") {
                    one["name"] = of(username).into();
                }
            }
            message.mentions = Some(mentions.to_string());
        }
        if let Some(mut reactions) = reactions {
            for reaction in reactions.values_mut() {
                let names: Option<Vec<Value>> = usernames(reaction).map(|all| {
                    all.iter().map(|one| of(one.as_str().unwrap_or("")).into()).collect()
                });
                if let (Some(names), Some(reaction)) = (names, reaction.as_object_mut()) {
                    reaction.insert("names".to_owned(), names.into());
                }
            }
            message.reactions = Some(Value::Object(reactions).to_string());
        }
    }
    Ok(())
}

/// Names that are looked up by one statement.
const MOST_NAMES: usize = 1000;

fn read<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Option<T>> {
    text.map(|text| serde_json::from_str(text).map_err(Error::internal)).transpose()
}

fn usernames(reaction: &Value) -> Option<&Vec<Value>> {
    reaction.get("usernames").and_then(Value::as_array)
}
