//! `chat.search` (contract section 9.1): words, phrases, a regular expression and the `name:value` filters
//! of the original become one filter of the query engine, so that a search has the bounds of any other
//! list and finds a message from the moment it is stored. The index of terms (`indexer.rs`) only says
//! where to look; what it does not cover yet is looked at too, and the filter decides on everything.
//! Words and phrases are found whole, as a text index finds them: `"red fox"` is not in "red foxes".

use crate::access::Access;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;
use crate::store::search::{self, Terms};
use crate::term::{self, INSIDE};
use crate::time::Ms;
use crate::{Core, setting, time};
use parlance_query::{Filter, Limits, Sort};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;
/// Words and filters of one search.
const MOST_WORDS: usize = 32;

/// Alternatives, each of them terms that stand in a message together.
pub(crate) type Group = Vec<Vec<String>>;

/// A search as it was understood.
struct Wanted {
    filter: Vec<Value>,
    ascending: bool,
    /// What the index may serve.
    groups: Vec<Group>,
    /// Not before the first time, and before the second.
    range: (Ms, Ms),
}

impl Core {
    /// Messages of a room that a text finds (of all the caller's rooms without one), newest first:
    /// neither system messages' stubs nor encrypted ones.
    pub async fn search(
        &self,
        caller: &Caller,
        access: Option<&Access>,
        text: &str,
        mut query: ListQuery,
        document: Document<Message>,
    ) -> Result<Page<Message>> {
        let settings = self.settings();
        let wanted = Wanted::read(text, caller, settings.on(&setting::SEARCH_BY_REGEX))?;
        if !self.may_read_rooms(caller.user()) {
            return Err(Error::NoAccess);
        }
        let all = json!({ "$and": wanted.filter }).to_string();
        let limits = Limits { text: 1 << 16, regex_text: 1 << 13, ..Limits::default() };
        query.filter = Filter::parse(&all, &limits)?;
        if wanted.ascending {
            query.sort = Some(Sort::parse(r#"{"ts":1}"#, &limits)?);
        }
        query.total = false;
        let indexed = settings.on(&setting::SEARCH_INDEX);
        let terms = Terms {
            groups: if indexed { wanted.groups } else { Vec::new() },
            range: wanted.range,
            descending: !wanted.ascending,
        };
        let (store, room) = (self.store(), access.map(|access| &access.room));
        let page = search::messages(store, room, caller.id(), &query, terms, document).await?;
        self.show_page(page).await
    }
}

impl Wanted {
    fn read(text: &str, caller: &Caller, by_regex: bool) -> Result<Self> {
        let mut it = Self {
            filter: vec![json!({"t": {"$nin": ["rm", "e2e"]}})],
            ascending: false,
            groups: Vec::new(),
            range: (Ms::MIN, Ms::MAX),
        };
        let mut rest = Vec::new();
        for (n, word) in words(text).enumerate() {
            if n >= MOST_WORDS {
                return Err(Error::Bad("searchText"));
            }
            if !it.take(&word, caller)? {
                rest.push(word);
            }
        }
        let plain = rest.join(" ");
        match regex(plain.trim()) {
            Some((pattern, flags)) => {
                it.filter.push(json!({"msg": {"$regex": pattern, "$options": flags}}));
            }
            None if by_regex && !plain.is_empty() => it.filter.push(found(&regex::escape(&plain))),
            None => it.words(&rest),
        }
        Ok(it)
    }

    /// Takes a `name:value` filter; `false` if the word is none.
    fn take(&mut self, word: &str, caller: &Caller) -> Result<bool> {
        let Some((name, value)) = word.split_once(':').filter(|(_, value)| !value.is_empty())
        else {
            return Ok(false);
        };
        let value = value.trim_matches('"');
        let found = |value: &str| json!({"$regex": regex::escape(value), "$options": "i"});
        let filter = match (name, value) {
            ("from", "me") => json!({"u._id": caller.id().as_str()}),
            ("from", name) => json!({"u.username": name.trim_start_matches('@')}),
            ("mention", name) => json!({"mentions.username": name.trim_start_matches('@')}),
            ("has", "star") => json!({"starred._id": caller.id().as_str()}),
            ("has", "url" | "link") => json!({"urls.0": {"$exists": true}}),
            ("is" | "has", "pinned" | "pin") => json!({"pinned": true}),
            ("has", "location" | "map") => json!({"location": {"$exists": true}}),
            ("label", value) => json!({"attachments.labels": found(value)}),
            ("file-desc", value) => json!({"attachments.description": found(value)}),
            ("file-title", value) => json!({"attachments.title": found(value)}),
            ("order", "asc" | "desc") => {
                self.ascending = value == "asc";
                return Ok(true);
            }
            ("before" | "after" | "on", day) => {
                let day = time::parse(day).ok_or(Error::Bad("searchText"))?;
                let date = |ms: i64| json!({ "$date": ms });
                let (from, to) = match name {
                    "before" => (Ms::MIN, day),
                    "after" => (day + DAY, Ms::MAX),
                    _ => (day, day + DAY),
                };
                self.range = (self.range.0.max(from), self.range.1.min(to));
                match name {
                    "before" => json!({"ts": {"$lt": date(to)}}),
                    "after" => json!({"ts": {"$gte": date(from)}}),
                    _ => json!({"ts": {"$gte": date(from), "$lt": date(to)}}),
                }
            }
            _ => return Ok(false),
        };
        self.filter.push(filter);
        Ok(true)
    }

    /// Any of the words, and every phrase in quotes, whole; none of the words behind a minus.
    fn words(&mut self, rest: &[String]) {
        let (mut any, mut terms) = (Vec::new(), Vec::new());
        for word in rest {
            if let Some(phrase) = word.strip_prefix('"') {
                let phrase = phrase.trim_end_matches('"').trim();
                if !phrase.is_empty() {
                    self.filter.push(found(&whole(&regex::escape(phrase))));
                    self.serve(vec![term::of_words(phrase)]);
                }
            } else if let Some(word) = word.strip_prefix('-').filter(|word| !word.is_empty()) {
                self.filter.push(json!({"$nor": [found(&whole(&regex::escape(word)))]}));
            } else {
                any.push(regex::escape(word));
                terms.push(term::of_words(word));
            }
        }
        if !any.is_empty() {
            self.filter.push(found(&whole(&any.join("|"))));
            self.serve(terms);
        }
    }

    /// Has the index serve a group, unless what has no term is among it.
    fn serve(&mut self, group: Group) {
        if group.iter().all(|terms| !terms.is_empty()) {
            self.groups.push(group);
        }
    }
}

fn found(pattern: &str) -> Value {
    json!({"msg": {"$regex": pattern, "$options": "i"}})
}

/// A pattern that finds words where they stand by themselves.
fn whole(words: &str) -> String {
    // What neither a letter nor a digit of any script is: where a word begins and ends.
    format!("(?:^|[^{INSIDE}])(?:{words})(?:[^{INSIDE}]|$)")
}

/// `/pattern/flags`.
fn regex(text: &str) -> Option<(&str, &str)> {
    let (pattern, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let known = flags.chars().all(|flag| "imsx".contains(flag));
    (known && !pattern.is_empty()).then_some((pattern, flags))
}

/// The words of a text; what stands in quotes is one, with its first quote.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = text.trim_start();
    // A regular expression may hold blanks.
    let whole = regex(text.trim()).is_some();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if whole {
            rest.len()
        } else if let Some(quoted) = rest.strip_prefix('"') {
            quoted.find('"').map_or(rest.len(), |at| at + 2)
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (word, behind) = rest.split_at(end);
        rest = behind.trim_start();
        Some(word.trim_end().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{regex, words};

    #[test]
    fn texts_are_split() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("a  b\tc"), ["a", "b", "c"]);
        assert_eq!(split(r#"a "b c" d"#), ["a", "\"b c\"", "d"]);
        assert_eq!(split(r#""open end"#), ["\"open end"]);
        assert_eq!(split("/a b/i"), ["/a b/i"]);
        assert_eq!(split("  "), Vec::<String>::new());
        assert_eq!(regex("/a/b/im"), Some(("a/b", "im")));
        assert_eq!((regex("/a/q"), regex("a/b"), regex("//")), (None, None, None));
    }
}
