//! Reading takes linear time, whatever the text.
//!
//! Steps are counted instead of clocked: per doubling of a hostile text they
//! may grow by 2.2 at most.

use parlance_text::{MAX_WASTE_BASE, MAX_WASTE_PER_BYTE, Options, parse};

/// Bytes of the shortest text.
const SHORTEST: usize = 1 << 13;

/// Doublings: they lead to 1 MiB.
const DOUBLINGS: usize = 7;

/// Steps that any text may take, per byte and besides.
const PER_BYTE: usize = 8 * MAX_WASTE_PER_BYTE;
const BASE: usize = 8 * MAX_WASTE_BASE;

/// What hostile texts are made of.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "a", "word ", "*", "_", "~", "[", "(", "<", ">", "`", "@", ":", "|", "\\", "+", "#", "!",
    "a.", "a@", "a_", "*a ", "_a ", "~a ", "||a ", "*a _b ~c ", "*_~", "_*", "[a](", "](",
    "![a](", "<a.b|", "\\(", "\\[", "```\n", "||\n", "> ", "> > > a\n", "- ", "- - a\n", "1. ",
    "* a\n", "* a", "https://a.b/", "https://", "aaa:", "a-", "a@b.", "@a:", "**", "__", "~~",
    "``", "(((((a", "👨\u{200d}", "😀", "é", "中", "color:#", "<t:", "*a](b", "[*a _b ~c ",
    "||*a _b ~c [d", "\r", "\n", "* *", "_ _", "a:", "0", "a ]( [", "[[a](b.c/((", "*[a](b.c)_",
    "http", "https:// ", "http://.", "# http\n", "[a](http://b.c/(", "word https://a.b/c ", "*a _b ~c ||d [e](f `g <h|i @j :k: ", "> - *a\n",
];

/// Every construct at once, and each unit after the others.
fn mixed() -> String {
    UNITS.concat()
}

fn steps(text: &str) -> usize {
    let options = Options { katex_dollar: true, ..Options::default() };
    let parsed = parse(text, &options);
    let (_, finding) = parsed.urls_counted();
    assert!(finding <= 2 * text.len(), "{finding} steps to find addresses in {}", text.len());
    let steps = parsed.steps() + finding;
    assert!(steps <= PER_BYTE * text.len() + BASE, "{steps} steps for {} bytes", text.len());
    steps
}

#[test]
fn steps_grow_with_the_text() {
    let mixed = mixed();
    for unit in UNITS.iter().copied().chain([mixed.as_str()]) {
        let mut text = unit.repeat(SHORTEST / unit.len());
        let mut before = steps(&text);
        for _ in 0..DOUBLINGS {
            text = text.repeat(2);
            let now = steps(&text);
            assert!(
                now * 10 <= before * 22,
                "{unit:?} at {} bytes: {before} steps became {now}",
                text.len()
            );
            before = now;
        }
    }
}
