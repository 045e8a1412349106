//! Reading takes linear time, whatever the text.
//!
//! Steps are counted instead of clocked: per doubling of a hostile text they
//! may grow by 2.2 at most.

use parlance_text::{Options, parse};

/// Bytes of the shortest text; five doublings lead to 256 KiB.
const SHORTEST: usize = 1 << 13;

/// What hostile texts are made of.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "a", "word ", "*", "_", "~", "[", "(", "<", ">", "`", "@", ":", "|", "\\", "+", "#", "!",
    "a.", "a@", "a_", "*a ", "_a ", "~a ", "||a ", "*a _b ~c ", "*_~", "_*", "[a](", "](",
    "![a](", "<a.b|", "\\(", "\\[", "```\n", "||\n", "> ", "> > > a\n", "- ", "- - a\n", "1. ",
    "* a\n", "* a", "https://a.b/", "https://", "aaa:", "a-", "a@b.", "@a:", "**", "__", "~~",
    "``", "(((((a", "👨\u{200d}", "😀", "é", "中", "color:#", "<t:", "*a](b", "[*a _b ~c ",
    "||*a _b ~c [d", "\r", "\n", "* *", "_ _", "a:", "0", "a ]( [", "[[a](b.c/((", "*[a](b.c)_",
    "[a](http://b.c/(", "word https://a.b/c ", "*a _b ~c ||d [e](f `g <h|i @j :k: ", "> - *a\n",
];

fn steps(text: &str) -> usize {
    parse(text, &Options::default()).steps()
}

#[test]
fn steps_grow_with_the_text() {
    for unit in UNITS {
        let mut text = unit.repeat(SHORTEST / unit.len());
        let mut before = steps(&text);
        for _ in 0..5 {
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
