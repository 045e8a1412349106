//! History from elsewhere: documents in the shapes of the Rocket.Chat contract, one JSON object a
//! line, with their ids, times, counters, unknown and absent members as they are.
//! What is here already stays as it is, so that a file can be imported again (only a message whose
//! document is newer is brought up to date). Many lines make one change; when it fails, each is
//! tried alone, so that a refusal names its line and takes no other with it.

mod document;
mod fields;
mod plan;

pub use document::Collection;

use crate::Core;
use crate::error::{Error, Result};
use crate::store::{Change, import};
use document::Document;
use fields::Reason;
use plan::Plan;

/// Lines that one call takes well: more gain nothing, fewer pay a commit each.
pub const BATCH: usize = 200;
/// The longest line, in bytes.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// One line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its number in the file, from 1.
    pub number: u64,
    /// What it holds, without the line's end.
    pub bytes: &'a [u8],
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was stored.
    Taken,
    /// It was here already.
    Known,
    /// It was not stored, for this reason.
    Refused(String),
}

/// What became of one line of a file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The line's number.
    pub number: u64,
    /// Where it belongs, if that could be read.
    pub collection: Option<Collection>,
    /// What became of it.
    pub fate: Fate,
}

/// A line that was read: a document, or the reason why it is none.
struct Read {
    number: u64,
    collection: Option<Collection>,
    document: std::result::Result<Document, Reason>,
}

impl Core {
    /// Imports lines in their order; empty ones are passed over. The error is the store's: what was
    /// answered before it is stored.
    pub async fn import_batch(&self, lines: &[Line<'_>]) -> Result<Vec<Outcome>> {
        let now = self.clock().now();
        let filled = lines.iter().filter(|line| !line.bytes.trim_ascii().is_empty());
        let mut read: Vec<Read> = filled.map(|line| read_line(line, now)).collect();
        match self.import_together(&mut read).await {
            Ok(outcomes) => Ok(outcomes),
            Err(Error::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(_) => {
                let mut outcomes = Vec::with_capacity(read.len());
                for one in &mut read {
                    outcomes.push(self.import_alone(one).await?);
                }
                Ok(outcomes)
            }
        }
    }

    async fn import_alone(&self, read: &mut Read) -> Result<Outcome> {
        let (number, collection) = (read.number, read.collection);
        let refusal = match self.import_together(std::slice::from_mut(read)).await {
            Ok(mut outcomes) => {
                return outcomes.pop().ok_or_else(|| Error::internal("a line without a fate"));
            }
            Err(Error::Unavailable(why)) => return Err(Error::Unavailable(why)),
            Err(Error::Internal(cause)) => {
                tracing::warn!(line = number, %cause, "the store refused a line of an import");
                "the store cannot hold it".to_owned()
            }
            Err(other) => other.to_string(),
        };
        Ok(Outcome { number, collection, fate: Fate::Refused(refusal) })
    }

    /// Judges the lines on what is here and on each other, and writes those that pass.
    async fn import_together(&self, lines: &mut [Read]) -> Result<Vec<Outcome>> {
        let documents = lines.iter().filter_map(|line| line.document.as_ref().ok());
        let wanted = plan::wanted(documents);
        let here = import::here(self.store(), &wanted).await?;
        let pairs = self.foreign_pairs(lines).await?;
        let mut plan = Plan::new(self, here, pairs);
        let mut change = Change::new();
        let mut outcomes = Vec::with_capacity(lines.len());
        for line in lines {
            let fate = match &line.document {
                Ok(document) => plan.add(&mut change, document)?,
                Err(reason) => Fate::Refused(reason.clone()),
            };
            outcomes.push(Outcome { number: line.number, collection: line.collection, fate });
        }
        plan.finish(&mut change);
        if !change.0.is_empty() {
            self.store().write(change).await?;
        }
        Ok(outcomes)
    }

    /// Room ids among these lines that are two existing users' ids joined, without being the
    /// room's own two (ruling A9).
    async fn foreign_pairs(&self, lines: &[Read]) -> Result<Vec<String>> {
        let mut pairs = Vec::new();
        for line in lines {
            if let Ok(Document::Room(it)) = &line.document
                && !plan::is_own_pair(it)
                && crate::store::users::is_pair(self.store(), it.room.id.as_str()).await?
            {
                pairs.push(it.room.id.to_string());
            }
        }
        Ok(pairs)
    }
}

fn read_line(line: &Line<'_>, now: crate::Ms) -> Read {
    let number = line.number;
    let refused =
        |reason: &str| Read { number, collection: None, document: Err(reason.to_owned()) };
    if line.bytes.len() > MAX_LINE {
        return refused("the line is longer than 16 MiB");
    }
    let Ok(text) = std::str::from_utf8(line.bytes) else {
        return refused("not UTF-8");
    };
    let (collection, document) = document::read(text.trim(), now);
    Read { number, collection, document }
}
