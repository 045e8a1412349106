//! One test on one column: the SQL that says it, or the bounds of what SQL can say.
//!
//! A column has one type, so a comparison with any other type is false, and numbers that are not
//! integers are moved to the integer that gives the same answer.

use serde_json::Value;

use crate::filter::{Op, Set, Test};
use crate::kind::Kind;
use crate::sql::{Arg, Column, Sql};
use crate::value::{Num, View};

/// What SQL can say about a test.
pub(crate) enum Answer {
    /// Exactly this.
    Exact(Sql),
    /// At least the one and at most the other.
    Between { least: Sql, most: Sql },
}

/// The types of scalar columns.
#[derive(Clone, Copy, PartialEq)]
enum Scalar {
    Text,
    Int,
    Bool,
    Date,
}

pub(crate) fn leaf(column: Column, test: &Test) -> Answer {
    match column {
        Column::Text(expr) => scalar(Scalar::Text, expr, test),
        Column::Int(expr) => scalar(Scalar::Int, expr, test),
        Column::Bool(expr) => scalar(Scalar::Bool, expr, test),
        Column::Date(expr) => scalar(Scalar::Date, expr, test),
        Column::Each { within, value } => each(within, value, test),
        Column::Const(always) => {
            Answer::Exact(Sql::constant(test.accepts(Some(&Value::String(always.to_owned())))))
        }
        Column::Never => Answer::Exact(Sql::constant(test.accepts(None))),
    }
}

fn scalar(kind: Scalar, expr: &'static str, test: &Test) -> Answer {
    let present = || Sql::NotNull(expr);
    Answer::Exact(match test {
        Test::Compare(op, operand) => compare(kind, expr, *op, operand),
        Test::In(set) => return one_of(kind, expr, set),
        Test::Exists => present(),
        Test::Type(kinds) => types(kind, expr, kinds),
        Test::Regex(_) if kind == Scalar::Text => return between(Sql::False, present()),
        Test::Mod(..) if kind == Scalar::Int => return between(Sql::False, present()),
        // Of another type, or no array.
        Test::Regex(_) | Test::Mod(..) | Test::Size(_) | Test::Element(_) | Test::Document(_) => {
            Sql::False
        }
    })
}

fn between(least: Sql, most: Sql) -> Answer {
    Answer::Between { least, most }
}

fn compare(kind: Scalar, expr: &'static str, op: Op, operand: &Value) -> Sql {
    match (kind, View::of(operand)) {
        (_, View::Null) if op.with_equal() => Sql::IsNull(expr),
        (Scalar::Text, View::Text(text)) => texts(expr, op, text),
        (Scalar::Int, View::Number(number)) => numbers(expr, op, number),
        (Scalar::Bool, View::Bool(truth)) => Sql::Compare(expr, op, Arg::Bool(truth)),
        (Scalar::Date, View::Date(ms)) => Sql::Compare(expr, op, Arg::Int(ms)),
        _ => Sql::False,
    }
}

/// `PostgreSQL` has no U+0000 in texts and none is stored, so a text with one lies just above its
/// part before that, and equals nothing.
fn texts(expr: &'static str, op: Op, text: &str) -> Sql {
    let (text, op) = match text.split_once('\0') {
        None => (text, op),
        Some((before, _)) => match op {
            Op::Eq => return Sql::False,
            Op::Gt | Op::Gte => (before, Op::Gt),
            Op::Lt | Op::Lte => (before, Op::Lte),
        },
    };
    Sql::Compare(expr, op, Arg::Text(text.to_owned()))
}

/// An integer column against any number: the number becomes the integer at or below it.
fn numbers(expr: &'static str, op: Op, number: Num) -> Sql {
    if number.is_nan() {
        return Sql::False;
    }
    let Some((floor, whole)) = number.floor() else {
        let above = number.order(Num::Int(0)).is_gt();
        return outside(expr, op, above);
    };
    let op = match op {
        Op::Eq if !whole => return Sql::False,
        Op::Gte if !whole => Op::Gt,
        Op::Lt if !whole => Op::Lte,
        op => op,
    };
    match i64::try_from(floor) {
        Ok(int) => Sql::Compare(expr, op, Arg::Int(int)),
        Err(_) => outside(expr, op, floor > 0),
    }
}

/// A bound above or below all 64-bit integers.
fn outside(expr: &'static str, op: Op, above: bool) -> Sql {
    match op {
        Op::Lt | Op::Lte if above => Sql::NotNull(expr),
        Op::Gt | Op::Gte if !above => Sql::NotNull(expr),
        _ => Sql::False,
    }
}

fn one_of(kind: Scalar, expr: &'static str, set: &Set) -> Answer {
    let (mut args, mut parts) = (Vec::new(), Vec::new());
    if kind == Scalar::Text {
        args.extend(text_args(set));
    }
    for value in &set.others {
        match compare(kind, expr, Op::Eq, value) {
            Sql::Compare(_, _, arg) => args.push(arg),
            other => parts.push(other),
        }
    }
    parts.push(listed(expr, args));
    let least = Sql::or(parts);
    if set.patterns.is_empty() || kind != Scalar::Text {
        return Answer::Exact(least);
    }
    // Nulls may already be in; with every text that is everything.
    let most = if set.has_null() { Sql::True } else { Sql::NotNull(expr) };
    between(least, most)
}

fn text_args(set: &Set) -> impl Iterator<Item = Arg> {
    set.texts.iter().filter(|text| !text.contains('\0')).cloned().map(Arg::Text)
}

fn listed(expr: &'static str, mut args: Vec<Arg>) -> Sql {
    match (args.pop(), args.is_empty()) {
        (None, _) => Sql::False,
        (Some(only), true) => Sql::Compare(expr, Op::Eq, only),
        (Some(last), false) => {
            args.push(last);
            Sql::In(expr, args)
        }
    }
}

fn types(kind: Scalar, expr: &'static str, kinds: &[Kind]) -> Sql {
    let present = |found: bool| {
        if found { Sql::NotNull(expr) } else { Sql::False }
    };
    match kind {
        Scalar::Text => present(kinds.contains(&Kind::Text)),
        Scalar::Bool => present(kinds.contains(&Kind::Bool)),
        Scalar::Date => present(kinds.contains(&Kind::Date)),
        Scalar::Int => {
            let at = |op, bound: i32| Sql::Compare(expr, op, Arg::Int(bound.into()));
            match (kinds.contains(&Kind::Int), kinds.contains(&Kind::Long)) {
                (true, false) => Sql::and(vec![at(Op::Gte, i32::MIN), at(Op::Lte, i32::MAX)]),
                (false, true) => Sql::or(vec![at(Op::Lt, i32::MIN), at(Op::Gt, i32::MAX)]),
                (both, _) => present(both),
            }
        }
    }
}

/// An array of texts, or texts inside an array of documents. No row can mean an empty array or a
/// missing one, and rows do not show the elements without the text; so null and presence are
/// bounds only.
fn each(within: &'static str, value: &'static str, test: &Test) -> Answer {
    let row = |inner| match inner {
        Sql::False => Sql::False,
        inner => Sql::Within(within, Box::new(inner)),
    };
    let any_row = || row(Sql::True);
    match test {
        Test::Compare(op, operand) => match View::of(operand) {
            View::Text(operand) => Answer::Exact(row(texts(value, *op, operand))),
            View::Null if op.with_equal() => between(Sql::False, Sql::True),
            View::Array(items) if *op == Op::Eq => {
                between(Sql::False, holds(items, |text| row(texts(value, Op::Eq, text))))
            }
            View::Array(_) => between(Sql::False, Sql::True),
            _ => Answer::Exact(Sql::False),
        },
        Test::In(set) => {
            let least = row(listed(value, text_args(set).collect()));
            if set.has_null() || set.others.iter().any(Value::is_array) {
                between(least, Sql::True)
            } else if set.patterns.is_empty() {
                Answer::Exact(least)
            } else {
                between(least, any_row())
            }
        }
        Test::Exists => between(any_row(), Sql::True),
        Test::Type(kinds) => {
            let texts = if kinds.contains(&Kind::Text) { any_row() } else { Sql::False };
            if kinds.contains(&Kind::Array) {
                between(texts, Sql::True)
            } else {
                Answer::Exact(texts)
            }
        }
        Test::Size(0) => between(Sql::False, Sql::True),
        Test::Regex(_) | Test::Element(_) | Test::Size(_) => between(Sql::False, any_row()),
        Test::Mod(..) | Test::Document(_) => Answer::Exact(Sql::False),
    }
}

/// What an array that equals `items` has at least: a row for each of its texts. Two of them narrow
/// as well as all would.
fn holds(items: &[Value], row: impl Fn(&str) -> Sql) -> Sql {
    const MOST: usize = 2;
    Sql::and(items.iter().filter_map(Value::as_str).take(MOST).map(row).collect())
}
