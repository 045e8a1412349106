//! An answer means that it is on disk: a process that is killed in the middle, a disk that takes
//! no more bytes, and one process per directory. `SQLite` only; `synchronous` itself is looked at
//! beside the code that sets it.

use super::child::Other;
use super::{Chat, session, stored};
use crate::app::{on_postgres, options};
use parlance_core::{Clock, Core, Database, Error, StoreOptions};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// A store that nobody has open, and a session and room in it.
struct Closed {
    chat: Chat,
    dir: PathBuf,
    token: String,
}

async fn ids(chat: &Chat) -> BTreeSet<String> {
    let messages = stored(&chat.core, &chat.callers[0], &chat.group).await;
    let ids: BTreeSet<_> = messages.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(ids.len(), messages.len(), "every message is there once");
    ids
}
