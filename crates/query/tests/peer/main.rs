//! Random filters, sorts and projections: mingo, the matcher, SQLite and PostgreSQL must agree.
//!
//! `run` beside this file starts it with mingo installed. A set of documents is made, stored in the
//! engines and asked some 250 cases about; a set's seed follows from the run's seed and its number,
//! so that a failure names what repeats it alone.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod cases;
mod chance;
mod columns;
mod differences;
mod documents;
mod engines;
mod facts;
mod mingo;

use std::collections::BTreeMap;

use cases::{Case, Over};
use chance::Chance;
use columns::{Messages, Rooms, Stored};
use documents::Shape;
use engines::{Engine, Postgres, Sqlite, accepted, load, ordered};
use mingo::{Mingo, Question};
use parlance_query::{Column, Compiled, Fields, Filter, Limits, Sort, compile, order_by, rest};
use serde_json::{Map, Value};

const SEED: u64 = 20_261_120;
const CASES: usize = 120_000;
/// Cases over one set of documents.
const PER_SET: usize = 250;
/// Conditions in one statement.
const PER_STATEMENT: usize = 60;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

#[test]
#[ignore = "needs node and mingo: tests/peer/run starts it"]
fn four_readers_agree() {
    let modules = std::env::var("PARLANCE_PEER_MINGO").unwrap();
    let seed = setting("PARLANCE_PEER_SEED").unwrap_or(SEED);
    let cases = setting("PARLANCE_PEER_CASES").map_or(CASES, |n| usize::try_from(n).unwrap());
    println!("seed {seed}, {cases} cases");
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(Sqlite::new())];
    match std::env::var("PARLANCE_TEST_PG") {
        Ok(url) => engines.push(Box::new(Postgres::new(&url))),
        Err(_) => println!("without PostgreSQL: PARLANCE_TEST_PG is not set"),
    }
    let mut run = Run { mingo: Mingo::start(&modules), engines, tally: Tally::default() };
    for number in 0..cases.div_ceil(PER_SET) {
        run.set(seed, number);
    }
    run.tally.print();
    assert_eq!(run.tally.failures, 0, "seed {seed}");
}

/// What was counted.
#[derive(Default)]
struct Tally {
    filters: usize,
    sorts: usize,
    projections: usize,
    /// Answers compared with mingo's: a filter and a document, an order, a projected document.
    answers: usize,
    /// Filters that SQL answers exactly, and those whose SQL is a bound.
    exact: usize,
    bounds: usize,
    /// Excused answers by known difference.
    excused: BTreeMap<&'static str, usize>,
    failures: usize,
}

impl Tally {
    fn print(&self) {
        println!(
            "{} cases: {} filters ({} exact in SQL, {} bounds), {} sorts, {} projections; {} answers",
            self.filters + self.sorts + self.projections,
            self.filters,
            self.exact,
            self.bounds,
            self.sorts,
            self.projections,
            self.answers,
        );
        for (name, count) in &self.excused {
            println!("{count:8} {name}");
        }
    }

    fn fail(&mut self, what: &str) {
        self.failures += 1;
        println!("DIFFERENCE {what}");
        assert!(self.failures < 400, "too many differences");
    }

    fn excuse(&mut self, names: impl IntoIterator<Item = &'static str>) {
        for name in names {
            *self.excused.entry(name).or_default() += 1;
        }
    }
}

struct Run {
    mingo: Mingo,
    engines: Vec<Box<dyn Engine>>,
    tally: Tally,
}

impl Run {
    fn set(&mut self, seed: u64, number: usize) {
        let mut chance = Chance(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number as u64));
        let shape = [Shape::Message, Shape::Room, Shape::Odd][number % 3];
        let docs = documents::set(&mut chance, shape);
        let over = Over { shape, docs: &docs };
        let mut questions = Vec::new();
        for _ in 0..PER_SET {
            let case = over.case(&mut chance);
            let every: Vec<usize> = (0..docs.len()).collect();
            if let Case::Sort(keys) = &case {
                let plain = |i: &usize| differences::sorting(keys, &docs[*i], &docs).is_none();
                let of: Vec<usize> = every.iter().copied().filter(plain).collect();
                if of.len() < every.len() {
                    questions.push(Question { case: case.clone(), of });
                }
            }
            questions.push(Question { case, of: every });
        }
        self.mingo.ask(&docs, &questions);
        let stored: Option<&dyn Stored> = match shape {
            Shape::Message => Some(&Messages),
            Shape::Room => Some(&Rooms),
            Shape::Odd => None,
        };
        if let Some(stored) = stored {
            self.engines(stored, &docs, &questions);
        }
        let answers = self.mingo.answers();
        for (question, answer) in questions.iter().zip(&answers) {
            self.compare(number, &docs, question, answer);
        }
    }

    fn compare(&mut self, number: usize, docs: &[Value], question: &Question, answer: &Value) {
        match &question.case {
            Case::Filter(filter) => self.filter(number, docs, filter, answer),
            Case::Sort(keys) => self.sort(number, docs, keys, question, answer),
            Case::Fields(fields) => self.fields(number, docs, fields, answer),
        }
    }

    fn filter(&mut self, number: usize, docs: &[Value], filter: &Value, answer: &Value) {
        self.tally.filters += 1;
        let parsed = parse(filter);
        let Some(flags) = answer.as_str() else {
            return self.tally.fail(&format!("set {number}: {filter}: mingo {answer}"));
        };
        for (doc, flag) in docs.iter().zip(flags.bytes()) {
            self.tally.answers += 1;
            let ours = parsed.matches(doc);
            if ours == (flag == b'1') {
                continue;
            }
            let mut found = differences::Found::new();
            if differences::judge(filter, doc, &mut found).is_none() {
                self.tally.excuse(found);
            } else {
                self.tally.fail(&format!("set {number}: {filter}\n  {doc}\n  matcher {ours}"));
            }
        }
    }

    fn sort(
        &mut self,
        number: usize,
        docs: &[Value],
        keys: &[(String, i8)],
        question: &Question,
        answer: &Value,
    ) {
        // The documents without a known difference are asked about once more, by themselves.
        self.tally.sorts += usize::from(question.of.len() == docs.len());
        self.tally.answers += 1;
        let sort = parse_sort(keys);
        let mut ours = question.of.clone();
        ours.sort_by(|a, b| sort.compare(&docs[*a], &docs[*b]).then(a.cmp(b)));
        let kept: Vec<_> = docs.iter().map(|doc| sort.key(doc)).collect();
        assert!(ours.is_sorted_by(|a, b| sort.compare_keys(&kept[*a], &kept[*b]).is_le()));
        assert!(ours.is_sorted_by(|a, b| sort.compare_to(&docs[*a], &kept[*b]).is_le()));
        if serde_json::to_value(&ours).unwrap() == *answer {
            return;
        }
        let of = || question.of.iter().filter_map(|i| differences::sorting(keys, &docs[*i], docs));
        if of().next().is_some() {
            return self.tally.excuse(of().collect::<differences::Found>());
        }
        let docs: Vec<_> = question.of.iter().map(|i| docs[*i].to_string()).collect();
        let docs = docs.join("\n  ");
        self.tally
            .fail(&format!("set {number}: sort {keys:?}: {ours:?}, mingo {answer}\n  {docs}"));
    }

    fn fields(&mut self, number: usize, docs: &[Value], fields: &Value, answer: &Value) {
        self.tally.projections += 1;
        let parsed = Fields::parse(&fields.to_string(), &limits()).unwrap();
        for (i, doc) in docs.iter().enumerate() {
            self.tally.answers += 1;
            let ours = parsed.project(doc.clone());
            if in_javascript(&ours) == in_javascript(&answer[i]) {
                continue;
            }
            match differences::projecting(fields, doc, &answer[i]["error"]) {
                Some(name) => self.tally.excuse([name]),
                None => self.tally.fail(&format!(
                    "set {number}: fields {fields}\n  {doc}\n  ours {ours}\n  mingo {}",
                    answer[i]
                )),
            }
        }
    }

    /// Compares the engines with the matcher.
    fn engines(&mut self, stored: &dyn Stored, docs: &[Value], questions: &[Question]) {
        let mut filters = Vec::new();
        let mut orders = Vec::new();
        for question in questions {
            match &question.case {
                Case::Filter(filter) => filters.push(parse(filter)),
                Case::Sort(keys) => orders.push(parse_sort(keys)),
                Case::Fields(_) => {}
            }
        }
        for engine in &mut self.engines {
            load(engine.as_mut(), stored, docs);
        }
        for filters in filters.chunks(PER_STATEMENT / 2) {
            self.conditions(stored, docs, filters);
        }
        for sort in orders {
            let Some(terms) = order_by(&sort, stored) else { continue };
            let mut sorted: Vec<&Value> = docs.iter().collect();
            sorted.sort_by(|a, b| sort.compare(a, b));
            let ids: Vec<&str> = sorted.iter().filter_map(|doc| doc["_id"].as_str()).collect();
            for engine in &mut self.engines {
                if ordered(engine.as_mut(), stored, &terms) != ids {
                    let name = engine.name();
                    self.tally.fail(&format!("{name}: ORDER BY {terms}: not {ids:?}"));
                }
            }
        }
    }

    /// A filter on scalar columns alone says the same of a row of them.
    fn row(&mut self, stored: &dyn Stored, docs: &[Value], filter: &Filter) {
        let is_scalar = |path: &&str| {
            use Column::{Bool, Date, Int, Text};
            matches!(stored.column(path), Some(Text(_) | Int(_) | Bool(_) | Date(_)))
        };
        if !filter.paths().iter().all(is_scalar) {
            return;
        }
        for doc in docs {
            if filter.matches_row(&|path| scalar(doc, path)) != filter.matches(doc) {
                self.tally.fail(&format!("as a row: {filter:?}\n  {doc}"));
            }
        }
    }

    /// Each filter and its negation on each engine: at least what matches, no more if exact, and
    /// no more once the rest of the filter is asked too.
    fn conditions(&mut self, stored: &dyn Stored, docs: &[Value], filters: &[Filter]) {
        let both = filters.iter().flat_map(|f| [f.clone(), Filter::Not(Box::new(f.clone()))]);
        let both: Vec<Filter> = both.collect();
        let mut conditions: Vec<Compiled> = Vec::with_capacity(both.len());
        let mut next = 1;
        for filter in &both {
            let compiled = compile(filter, stored, next);
            next += compiled.args.len();
            conditions.push(compiled);
        }
        for filter in &both {
            self.row(stored, docs, filter);
        }
        self.tally.exact += conditions.iter().step_by(2).filter(|c| c.exact).count();
        self.tally.bounds += conditions.iter().step_by(2).filter(|c| !c.exact).count();
        for engine in &mut self.engines {
            let flags = accepted(engine.as_mut(), stored, &conditions);
            for ((filter, compiled), flags) in both.iter().zip(&conditions).zip(&flags) {
                let rest = rest(filter, stored);
                for (doc, accepts) in docs.iter().zip(flags) {
                    let matches = filter.matches(doc);
                    let settled = !accepts || rest.matches(doc) == matches;
                    if !settled || (*accepts != matches && (matches || compiled.exact)) {
                        let name = engine.name();
                        let what = format!("{name}: {compiled:?} of {filter:?}\n  {doc}");
                        self.tally.fail(&format!("{what}\n  matcher {matches}"));
                    }
                }
            }
        }
    }
}

/// The limits of a request are not what is asked about.
fn limits() -> Limits {
    Limits { text: 1 << 20, depth: 60, ..Limits::default() }
}

/// The value of a path of scalar members.
fn scalar<'d>(doc: &'d Value, path: &str) -> Option<&'d Value> {
    // The one array that a map shows as a scalar: its only element is the caller's.
    let path = if path == "starred._id" { "starred.0._id" } else { path };
    doc.pointer(&format!("/{}", path.replace('.', "/")))
}

fn parse(filter: &Value) -> Filter {
    Filter::parse(&filter.to_string(), &limits()).unwrap_or_else(|e| panic!("{filter}: {e}"))
}

fn parse_sort(keys: &[(String, i8)]) -> Sort {
    // A map of `serde_json` would sort the keys.
    let keys: Vec<String> =
        keys.iter().map(|(path, way)| format!("{}:{way}", Value::from(path.as_str()))).collect();
    Sort::parse(&format!("{{{}}}", keys.join(",")), &limits()).unwrap()
}

/// A value with the numbers that JavaScript has.
fn in_javascript(value: &Value) -> Value {
    match value {
        Value::Number(n) => n.as_f64().into(),
        Value::Array(items) => items.iter().map(in_javascript).collect(),
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.clone(), in_javascript(v))).collect::<Map<_, _>>().into()
        }
        scalar => scalar.clone(),
    }
}
