//! `MongoDB`-style filters, sorts and projections: parsed, matched and compiled to SQL.
//!
//! One parsed [`Filter`] has two readers: [`Filter::matches`] answers exactly on a JSON document,
//! and [`compile`] writes the part that SQL can answer, as a condition that never loses a document.
//! A caller runs the SQL and, where it is not exact, the matcher behind it.
//! Everything here is pure: no IO, no clock, and every input has a limit.

mod columns;
mod dialect;
mod ejson;
pub mod fields;
pub mod filter;
mod json;
mod kind;
mod matches;
mod parse;
mod path;
mod pattern;
pub mod sort;
pub mod sql;
mod value;

pub use fields::Fields;
pub use filter::{Filter, Op, Set, Test};
pub use kind::Kind;
pub use path::{Path, Segment};
pub use pattern::Pattern;
pub use sort::{Key, Sort, SortKey};
pub use sql::{Arg, Column, Compiled, FieldMap, Scalars, child_tables, compile, order_by, rest};
pub use value::order;

/// How much one request may ask for; every number is a refusal, never a truncation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a parameter's text.
    pub text: usize,
    /// Levels of objects and arrays inside each other.
    pub depth: usize,
    /// Conditions and groups of conditions in a filter.
    pub nodes: usize,
    /// Values in all lists of a filter together: `$in`, `$nin`, `$all`, and arrays compared with.
    pub in_values: usize,
    /// Regular expressions in a filter.
    pub regexes: usize,
    /// Bytes of one regular expression's pattern.
    pub regex_text: usize,
    /// Bytes of one compiled regular expression.
    pub regex_size: usize,
    /// Keys of a sort.
    pub sort_keys: usize,
    /// Names in a projection.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text: 8192,
            depth: 12,
            nodes: 200,
            in_values: 500,
            regexes: 16,
            regex_text: 512,
            regex_size: 1 << 18,
            sort_keys: 8,
            fields: 100,
        }
    }
}

/// Why a parameter was refused; the text is for logs, a face has its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The `query` parameter.
    #[error("query: {0}")]
    Query(String),
    /// The `sort` parameter.
    #[error("sort: {0}")]
    Sort(String),
    /// The `fields` parameter.
    #[error("fields: {0}")]
    Fields(String),
    /// A filter or sort on a path that this caller may not see.
    #[error("not readable: {0}")]
    Secret(String),
}
