//! One line of an import as a document of its collection. Columns take what has one; the rest is
//! carried as JSON. Absent stays absent, and nothing under an account's `services` is carried:
//! its password hash and its token hashes go to their own columns or nowhere.

use super::fields::{Fields, Reason, plain};
use crate::account::{Email, NewAccount, User};
use crate::depth::{DEEPEST, is_deeper};
use crate::id::{MessageId, RoomId, UserId, is_id, looks_made_here};
use crate::message::{Author, Message};
use crate::preference;
use crate::room::Room;
use crate::store::import::Subscription;
use crate::time::Ms;
use serde_json::{Map, Value};

/// Members of one imported room at most.
const MOST_MEMBERS: usize = 1000;
/// The longest real name and e-mail address of an imported account, in bytes.
const MAX_NAME: usize = 1000;
const MAX_EMAIL: usize = 320;

/// Where a document belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Accounts.
    Users,
    /// Conversations.
    Rooms,
    /// A member's own view of a room.
    Subscriptions,
    /// Messages.
    Messages,
}

impl Collection {
    /// All of them, in the order in which they depend on each other.
    pub const ALL: [Self; 4] = [Self::Users, Self::Rooms, Self::Subscriptions, Self::Messages];

    /// The collection's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Rooms => "rooms",
            Self::Subscriptions => "subscriptions",
            Self::Messages => "messages",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let short = name.strip_prefix("rocketchat_").unwrap_or(name);
        Self::ALL.into_iter().find(|one| one.name() == short || one.name() == format!("{short}s"))
    }
}

pub(super) enum Document {
    User(Box<UserDocument>),
    Room(Box<RoomDocument>),
    Subscription(Box<Subscription>),
    Message(Box<MessageDocument>),
}

pub(super) struct UserDocument {
    pub(super) account: NewAccount,
    pub(super) tokens: Vec<Token>,
}

pub(super) struct Token {
    pub(super) hash: String,
    pub(super) created: Ms,
    /// Made by its user for a program; does not end by itself.
    pub(super) personal: bool,
}

pub(super) struct RoomDocument {
    pub(super) room: Room,
    pub(super) uids: Vec<String>,
    pub(super) usernames: Vec<String>,
    pub(super) last: Option<MessageDocument>,
}

pub(super) struct MessageDocument {
    pub(super) message: Message,
    pub(super) mentioned: Vec<String>,
    pub(super) starred: Vec<String>,
}

/// Reads a line; says where it belongs as soon as that is known.
pub(super) fn read(line: &str, now: Ms) -> (Option<Collection>, Result<Document, Reason>) {
    let parsed = serde_json::from_str::<Value>(line);
    let mut line = match parsed {
        Ok(Value::Object(line)) => line,
        Ok(_) => return (None, Err("not a JSON object".to_owned())),
        Err(error) => return (None, Err(format!("not JSON: {error}"))),
    };
    let Some(Value::String(name)) = line.remove("collection") else {
        return (None, Err("collection is missing".to_owned()));
    };
    let Some(collection) = Collection::named(&name) else {
        return (None, Err("unknown collection".to_owned()));
    };
    let wrapper = ["document", "doc"]
        .into_iter()
        .find(|key| !line.contains_key("_id") && line.get(*key).is_some_and(Value::is_object));
    let document = match wrapper.and_then(|key| line.remove(key)) {
        Some(document) => document,
        None => Value::Object(line),
    };
    if document.as_object().is_some_and(is_too_deep) {
        let why = format!("nested deeper than {DEEPEST} levels");
        return (Some(collection), Err(why));
    }
    let Value::Object(document) = plain(document) else {
        return (Some(collection), Err("the document is not an object".to_owned()));
    };
    let fields = Fields::new(document);
    let read = match collection {
        Collection::Users => user(fields, now).map(|it| Document::User(Box::new(it))),
        Collection::Rooms => room(fields).map(|it| Document::Room(Box::new(it))),
        Collection::Subscriptions => {
            subscription(fields).map(|it| Document::Subscription(Box::new(it)))
        }
        Collection::Messages => message(fields, None).map(|it| Document::Message(Box::new(it))),
    };
    (Some(collection), read)
}

/// A room holds its newest message, which is a document by itself.
fn is_too_deep(document: &Map<String, Value>) -> bool {
    let levels = |key: &str| if key == "lastMessage" { DEEPEST } else { DEEPEST - 1 };
    document.iter().any(|(key, value)| is_deeper(value, levels(key)))
}

fn user(mut from: Fields, now: Ms) -> Result<UserDocument, Reason> {
    let id = from.id("_id")?;
    let username = from.id_if("username")?;
    if username.as_deref().is_some_and(looks_made_here) {
        return Err("username has the form of an id".to_owned());
    }
    let name = from.text("name")?;
    if name.as_ref().is_some_and(|name| name.len() > MAX_NAME) {
        return Err("name is too long".to_owned());
    }
    let (password, tokens) = secrets(from.object("services")?.unwrap_or_default())?;
    from.drop_all("services");
    let mut emails = Vec::new();
    for value in from.list("emails")?.unwrap_or_default() {
        let email = Email::read(&value).filter(|email| {
            (1..=MAX_EMAIL).contains(&email.address.len()) && !email.address.contains('\0')
        });
        emails.push(email.ok_or("emails holds something that is not an address")?);
    }
    let created = from.date("createdAt")?.unwrap_or(now);
    let mut settings = from.object("settings")?.unwrap_or_default();
    let mut chosen = match settings.remove("preferences") {
        Some(Value::Object(chosen)) => chosen,
        _ => Map::new(),
    };
    if let Some(language) = from.take("language") {
        chosen.insert("language".to_owned(), language);
    }
    let (preferences, highlights) = preference::known(chosen);
    let user = User {
        id: id.into(),
        username,
        name,
        kind: from.text("type")?.unwrap_or_else(|| "user".to_owned()),
        active: from.flag("active")?.unwrap_or(true),
        roles: from.texts("roles")?.unwrap_or_default(),
        emails,
        status: from.text("status")?.unwrap_or_else(|| "offline".to_owned()),
        status_default: from.text("statusDefault")?.unwrap_or_else(|| "online".to_owned()),
        status_text: from.text("statusText")?.unwrap_or_default(),
        created,
        updated: from.date("_updatedAt")?.unwrap_or(created),
        last_login: from.date("lastLogin")?,
        has_password: password.is_some(),
        preferences,
        highlights,
        body: from.rest(),
    };
    Ok(UserDocument { account: NewAccount { user, password }, tokens })
}

/// The password's hash and the tokens' hashes of an account.
fn secrets(mut services: Map<String, Value>) -> Result<(Option<String>, Vec<Token>), Reason> {
    let mut password = Fields::new(match services.remove("password") {
        Some(Value::Object(all)) => all,
        _ => Map::new(),
    });
    let hash = match password.text("bcrypt")? {
        Some(hash) => Some(hash),
        None => password.text("argon2")?,
    };
    let known = |hash: &String| hash.starts_with("$2") || hash.starts_with("$argon2");
    if hash.as_ref().is_some_and(|hash| !known(hash) || hash.len() > 512) {
        return Err("services.password is neither bcrypt nor Argon2".to_owned());
    }
    let tokens = services.get("resume").and_then(|resume| resume.get("loginTokens"));
    let mut read = Vec::new();
    for token in tokens.and_then(Value::as_array).into_iter().flatten() {
        let Value::Object(token) = token.clone() else {
            continue;
        };
        let mut token = Fields::new(token);
        // A token in the form of an older server has no hash: its holder logs in again.
        let Some(hash) = token.id_if("hashedToken")? else {
            continue;
        };
        let personal = token.text("type")?.as_deref() == Some("personalAccessToken");
        let created = token.date("when")?.or(token.date("createdAt")?);
        let Some(created) = created else { continue };
        read.push(Token { hash, created, personal });
    }
    Ok((hash, read))
}

fn room(mut from: Fields) -> Result<RoomDocument, Reason> {
    let id = RoomId::from(from.id("_id")?);
    let kind = from.text("t")?.ok_or("t is missing")?;
    if kind != "d" {
        return Err("not a direct room: only those are taken for now".to_owned());
    }
    let ts = from.need_date("ts")?;
    let uids = from.texts("uids")?.ok_or("uids is missing")?;
    if uids.is_empty() || uids.len() > MOST_MEMBERS || !uids.iter().all(|uid| is_id(uid)) {
        return Err("uids is not a list of ids".to_owned());
    }
    let usernames = from.texts("usernames")?.unwrap_or_default();
    let creator = from.peek("u").and_then(|u| u.get("_id")).and_then(Value::as_str);
    let creator = creator.filter(|id| is_id(id)).map(UserId::from);
    let last = match from.object("lastMessage")? {
        Some(last) => Some(
            message(Fields::new(last), Some(&id)).map_err(|why| format!("lastMessage: {why}"))?,
        ),
        None => None,
    };
    let msgs = from.number("msgs")?.unwrap_or(0);
    let room = Room {
        id,
        kind,
        ts,
        updated: from.date("_updatedAt")?.unwrap_or(ts),
        creator,
        users_count: from
            .number("usersCount")?
            .unwrap_or(i64::try_from(uids.len()).unwrap_or(i64::MAX)),
        uids: Value::from(uids.clone()).to_string(),
        usernames: Value::from(usernames.clone()).to_string(),
        topic: from.text("topic")?,
        read_only: from.flag("ro")?,
        react_read_only: from.flag("reactWhenReadOnly")?,
        highlights: false,
        seq: msgs.max(0),
        msgs,
        stored: 0,
        lm: from.date("lm")?,
        last_id: last.as_ref().map(|last| last.message.id.clone()),
        activity: last.as_ref().map_or(ts, |last| last.message.ts),
        body: from.rest(),
        last: None,
    };
    Ok(RoomDocument { room, uids, usernames, last })
}

fn subscription(mut from: Fields) -> Result<Subscription, Reason> {
    let id = from.id("_id")?;
    let room = from.id("rid")?;
    let mut owner = Fields::new(from.object("u")?.ok_or("u is missing")?);
    let user = owner.id("_id").map_err(|why| format!("u.{why}"))?;
    // Unread threads are made of replies that come; what was unread before cannot be cleared here.
    for derived in ["t", "alert", "tunread", "tunreadUser", "tunreadGroup"] {
        from.take(derived);
    }
    let ts = from.date("ts")?;
    Ok(Subscription {
        id,
        room,
        user,
        ts,
        updated: from.date("_updatedAt")?.or(ts),
        open: from.flag("open")?.unwrap_or(true),
        unread: from.number("unread")?.unwrap_or(0).max(0),
        mentions: from.number("userMentions")?.unwrap_or(0).max(0),
        group_mentions: from.number("groupMentions")?.unwrap_or(0).max(0),
        last_seen: from.date("ls")?,
        last_reply: from.date("lr")?,
        blocked: from.flag("blocked")?.unwrap_or(false),
        blocker: from.flag("blocker")?.unwrap_or(false),
        archived: from.flag("archived")?,
        name: from.text("name")?,
        fname: from.text("fname")?,
        body: from.rest(),
    })
}

/// A message; one that is embedded in a room may leave the room's id out.
fn message(mut from: Fields, room: Option<&RoomId>) -> Result<MessageDocument, Reason> {
    let id = MessageId::from(from.id("_id")?);
    let rid = match (from.id_if("rid")?, room) {
        (Some(rid), Some(room)) if rid != room.as_str() => {
            return Err("rid is another room's".to_owned());
        }
        (None, None) => return Err("rid is missing".to_owned()),
        (Some(rid), _) => rid.into(),
        (None, Some(room)) => room.clone(),
    };
    if from.peek("_hidden").and_then(Value::as_bool) == Some(true) {
        return Err("a hidden copy from the history of an edited message".to_owned());
    }
    let ts = from.need_date("ts")?;
    let author = author(from.object("u")?.ok_or("u is missing")?)?;
    let json = |value: Vec<Value>| Value::Array(value).to_string();
    let mentions = from.list("mentions")?;
    let mentioned = ids(mentions.as_deref());
    let starred = ids(from.list("starred")?.as_deref());
    let reactions = from.object("reactions")?.filter(|all| !all.is_empty());
    let object = |from: &mut Fields, key| -> Result<Option<String>, Reason> {
        Ok(from.object(key)?.map(|all| Value::Object(all).to_string()))
    };
    let message = Message {
        id,
        room: rid,
        author,
        ts,
        updated: from.date("_updatedAt")?.unwrap_or(ts),
        kind: from.text("t")?.filter(|kind| !kind.is_empty()),
        msg: from.text("msg")?.unwrap_or_default(),
        mentions: mentions.map(json),
        reactions: reactions.map(|all| Value::Object(all).to_string()),
        thread: from.id_if("tmid")?.map(Into::into),
        tshow: from.flag("tshow")?,
        tcount: from.number("tcount")?,
        tlm: from.date("tlm")?,
        replies: from.list("replies")?.map(json),
        pinned: from.flag("pinned")?,
        pinned_at: from.date("pinnedAt")?,
        pinned_by: object(&mut from, "pinnedBy")?,
        edited_at: from.date("editedAt")?,
        edited_by: object(&mut from, "editedBy")?,
        origin: None,
        starred_by: None,
        body: from.rest(),
    };
    Ok(MessageDocument { message, mentioned, starred })
}

fn author(u: Map<String, Value>) -> Result<Author, Reason> {
    let of_u = |why: Reason| format!("u.{why}");
    let mut u = Fields::new(u);
    let id = u.id("_id").map_err(of_u)?;
    let username = u.text("username").map_err(of_u)?.unwrap_or_else(|| id.clone());
    Ok(Author { id: id.into(), username, name: u.text("name").map_err(of_u)? })
}

/// The usable `_id`s of a list of objects, each once.
fn ids(list: Option<&[Value]>) -> Vec<String> {
    let all = list.unwrap_or_default().iter().filter_map(|one| one.get("_id")?.as_str());
    let mut ids: Vec<String> = all.filter(|id| is_id(id)).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
