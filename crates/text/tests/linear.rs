//! Reading takes linear time, whatever the text.
//!
//! Steps are counted instead of clocked: per doubling of a hostile text they
//! may grow by 2.2 at most.

use parlance_text::{Options, parse};

const GROWTH: f64 = 2.2;

fn steps(unit: &str, len: usize) -> usize {
    parse(&unit.repeat(len / unit.len()), &Options::default()).steps()
}

#[test]
fn steps_grow_with_the_text() {
    let units = [
        "a", "word ", "*", "_", "~", "[", "(", "<", ">", "`", "@", ":", "|", "\\", "+", "#", "!",
        "a.", "a@", "a_", "*a ", "_a ", "~a ", "||a ", "*a _b ~c ", "*_~", "_*", "[a](", "](", "![a](",
        "<a.b|", "\\(", "\\[", "```\n", "||\n", "> ", "> > > a\n", "- ", "- - a\n", "1. ", "* a\n", "* a",
        "https://a.b/", "https://", "aaa:", "a-", "a@b.", "@a:", "**", "__", "~~", "``", "(((((a",
        "👨\u{200d}", "😀", "é", "中", "color:#", "<t:", "*a](b", "[*a _b ~c ", "||*a _b ~c [d", "\r", "\n",
        "* *", "_ _", "a:", "0", "a ]( [", "[[a](b.c/((", "*[a](b.c)_", "[a](http://b.c/(",
    ];
    for unit in units {
        let mut before = steps(unit, 1 << 13);
        for power in 14..=18 {
            let now = steps(unit, 1 << power);
            let growth = now as f64 / before.max(1) as f64;
            assert!(growth <= GROWTH, "{unit:?} at {}: {before} -> {now}", 1 << power);
            before = now;
        }
    }
}
