//! A filter and a sort as SQL, in one text for `SQLite` and `PostgreSQL`.
//!
//! What a [`FieldMap`] cannot express becomes a bound: the condition accepts at least every
//! matching document (under a negation: at most), and [`Compiled::exact`] says whether there is
//! nothing left to check. Regular expressions are never pushed down, so that both engines answer
//! alike. A leaf under a negation is two-valued (`IS TRUE`), because `NOT` of SQL's third value
//! would lose documents; elsewhere it is bare, because an index cannot see through `IS TRUE`.

use std::fmt::Write as _;

use crate::columns::{Answer, leaf};
use crate::filter::{Filter, Op};
use crate::sort::Sort;

/// An argument of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// NULL; never made here, for the caller's own arguments.
    Null,
    /// A BIGINT.
    Int(i64),
    /// A text without U+0000.
    Text(String),
    /// A BOOLEAN.
    Bool(bool),
}

/// What a path is in SQL. Expressions of scalars may be NULL, which means missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A text in byte order.
    Text(&'static str),
    /// A BIGINT.
    Int(&'static str),
    /// A BOOLEAN.
    Bool(&'static str),
    /// A BIGINT of milliseconds that documents show as a date.
    Date(&'static str),
    /// An array of texts, or a text inside an array of documents: one row for each.
    Each {
        /// The condition that there is a row, without its end: a condition on the row and a closing
        /// parenthesis follow. `EXISTS (SELECT 1 FROM tags x WHERE x.message = m.id` asks row by
        /// row; `m.id IN (SELECT x.message FROM tags x WHERE TRUE` lets an index on the value lead.
        within: &'static str,
        /// The text of a row, as in `x.tag`; never NULL.
        value: &'static str,
    },
    /// Always this text.
    Const(&'static str),
    /// Never present.
    Never,
}

/// What the paths of one kind of document are in SQL.
pub trait FieldMap: Sync {
    /// The column of a dotted path; `None` if SQL cannot tell.
    fn column(&self, path: &str) -> Option<Column>;
}

/// A condition for a WHERE clause, to be joined to others by AND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The condition, in parentheses where it needs them.
    pub sql: String,
    /// Its arguments, in the order of their numbers.
    pub args: Vec<Arg>,
    /// Whether it accepts exactly the matching documents, and not more.
    pub exact: bool,
}

/// A map without the child tables: what asks for too many of them at once is left to the matcher.
pub struct Scalars<'m>(pub &'m dyn FieldMap);

impl FieldMap for Scalars<'_> {
    fn column(&self, path: &str) -> Option<Column> {
        self.0.column(path).filter(|column| !matches!(column, Column::Each { .. }))
    }
}

/// How many conditions of a filter ask child tables: each is a join of its own to a planner, whose
/// work grows faster than their number.
pub fn child_tables(filter: &Filter, map: &dyn FieldMap) -> usize {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().map(|part| child_tables(part, map)).sum()
        }
        Filter::Not(inner) => child_tables(inner, map),
        Filter::Field { path, .. } => {
            usize::from(matches!(map.column(path.as_str()), Some(Column::Each { .. })))
        }
    }
}

/// Compiles a filter; its arguments are numbered from `first_arg`.
pub fn compile(filter: &Filter, map: &dyn FieldMap, first_arg: usize) -> Compiled {
    let (sql, exact) = bound(filter, map, true);
    let mut text = Text { sql: String::new(), args: Vec::new(), next: first_arg };
    text.write(&sql, false);
    Compiled { sql: text.sql, args: text.args, exact }
}

/// The ORDER BY terms of a sort, empty if there are none; `None` if SQL has no such order.
pub fn order_by(sort: &Sort, map: &dyn FieldMap) -> Option<String> {
    let mut terms: Vec<String> = Vec::new();
    for key in &sort.0 {
        let (Column::Text(expr) | Column::Int(expr) | Column::Bool(expr) | Column::Date(expr)) =
            (match map.column(&key.path)? {
                Column::Each { .. } => return None,
                Column::Const(_) | Column::Never => continue,
                scalar => scalar,
            })
        else {
            continue;
        };
        let direction = if key.descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
        terms.push(format!("{expr} {direction}"));
    }
    Some(terms.join(", "))
}

/// A condition before it is written down: constants fold, and only what stays has arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sql {
    True,
    False,
    And(Vec<Sql>),
    Or(Vec<Sql>),
    Not(Box<Sql>),
    Compare(&'static str, Op, Arg),
    In(&'static str, Vec<Arg>),
    IsNull(&'static str),
    NotNull(&'static str),
    Within(&'static str, Box<Sql>),
}

impl Sql {
    pub(crate) fn constant(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }

    pub(crate) fn and(parts: Vec<Self>) -> Self {
        if parts.contains(&Self::False) {
            return Self::False;
        }
        let mut parts: Vec<Self> = parts.into_iter().filter(|p| *p != Self::True).collect();
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::True,
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Self::And(parts)
            }
        }
    }

    pub(crate) fn or(parts: Vec<Self>) -> Self {
        if parts.contains(&Self::True) {
            return Self::True;
        }
        let mut parts: Vec<Self> = parts.into_iter().filter(|p| *p != Self::False).collect();
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::False,
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Self::Or(parts)
            }
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// What is left to ask of a document that the compiled condition accepts: of a conjunction the
/// parts that SQL did not settle. [`Filter::all`] if it settled everything.
pub fn rest(filter: &Filter, map: &dyn FieldMap) -> Filter {
    match filter {
        _ if bound(filter, map, true).1 => Filter::all(),
        Filter::And(parts) => {
            let open = parts.iter().map(|part| rest(part, map)).filter(|part| !part.is_all());
            Filter::every(open.collect())
        }
        other => other.clone(),
    }
}

/// The least (`most` false) or most that a filter can be, and whether that is what it is.
fn bound(filter: &Filter, map: &dyn FieldMap, most: bool) -> (Sql, bool) {
    match filter {
        Filter::And(parts) => {
            let (parts, exact) = bounds(parts, map, most, &Sql::False, most);
            (Sql::and(parts), exact)
        }
        Filter::Or(parts) => {
            let (parts, exact) = bounds(parts, map, most, &Sql::True, !most);
            (Sql::or(parts), exact)
        }
        Filter::Not(inner) => {
            let (sql, exact) = bound(inner, map, !most);
            (sql.negated(), exact)
        }
        Filter::Field { path, test } => match map.column(path.as_str()) {
            None => (Sql::constant(most), false),
            Some(column) => match leaf(column, test) {
                Answer::Exact(sql) => (sql, true),
                Answer::Between { most: sql, .. } if most => (sql, false),
                Answer::Between { least: sql, .. } => (sql, false),
            },
        },
    }
}

/// The bounds of the parts of a group. One part that is `deciding` settles the group exactly, if
/// it is exact itself or (`certain`) if this bound cannot be wrong about it.
fn bounds(
    parts: &[Filter],
    map: &dyn FieldMap,
    most: bool,
    deciding: &Sql,
    certain: bool,
) -> (Vec<Sql>, bool) {
    let bounds: Vec<(Sql, bool)> = parts.iter().map(|f| bound(f, map, most)).collect();
    let decided = bounds.iter().any(|(sql, exact)| sql == deciding && (*exact || certain));
    let exact = decided || bounds.iter().all(|(_, exact)| *exact);
    (bounds.into_iter().map(|(sql, _)| sql).collect(), exact)
}

/// Writes a condition and numbers its arguments.
struct Text {
    sql: String,
    args: Vec<Arg>,
    next: usize,
}

impl Text {
    fn write(&mut self, sql: &Sql, negated: bool) {
        match sql {
            Sql::True => self.sql.push_str("TRUE"),
            Sql::False => self.sql.push_str("FALSE"),
            Sql::And(parts) => self.group(parts, " AND ", negated),
            Sql::Or(parts) => self.group(parts, " OR ", negated),
            Sql::Not(inner) => {
                self.sql.push_str("NOT ");
                self.write(inner, true);
            }
            // As itself, an index on the rows where it is true can serve.
            Sql::Compare(expr, Op::Eq, Arg::Bool(true)) => {
                self.two_valued(negated, |text| text.push(format_args!("({expr})")));
            }
            Sql::Compare(expr, op, arg) => self.two_valued(negated, |text| {
                let sign = match op {
                    Op::Eq => "=",
                    Op::Gt => ">",
                    Op::Gte => ">=",
                    Op::Lt => "<",
                    Op::Lte => "<=",
                };
                text.push(format_args!("({expr} {sign} "));
                text.arg(arg);
                text.sql.push(')');
            }),
            Sql::In(expr, args) => self.two_valued(negated, |text| {
                text.push(format_args!("({expr} IN ("));
                for (i, arg) in args.iter().enumerate() {
                    text.sql.push_str(if i > 0 { ", " } else { "" });
                    text.arg(arg);
                }
                text.sql.push_str("))");
            }),
            Sql::IsNull(expr) => self.push(format_args!("({expr} IS NULL)")),
            Sql::NotNull(expr) => self.push(format_args!("({expr} IS NOT NULL)")),
            Sql::Within(rows, inner) => self.two_valued(negated, |text| {
                text.sql.push_str(rows);
                if **inner != Sql::True {
                    text.sql.push_str(" AND ");
                    text.write(inner, false);
                }
                text.sql.push(')');
            }),
        }
    }

    /// Halves of halves: an engine that limits how deep conditions nest takes any number of them.
    fn group(&mut self, parts: &[Sql], word: &str, negated: bool) {
        match parts {
            [] => {}
            [only] => self.write(only, negated),
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                self.sql.push('(');
                self.group(left, word, negated);
                self.sql.push_str(word);
                self.group(right, word, negated);
                self.sql.push(')');
            }
        }
    }

    fn two_valued(&mut self, negated: bool, leaf: impl FnOnce(&mut Self)) {
        self.sql.push_str(if negated { "(" } else { "" });
        leaf(self);
        self.sql.push_str(if negated { " IS TRUE)" } else { "" });
    }

    fn arg(&mut self, arg: &Arg) {
        let number = self.next;
        self.push(format_args!("${number}"));
        self.args.push(arg.clone());
        self.next += 1;
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.sql.write_fmt(text);
    }
}
