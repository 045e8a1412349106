use parlance_text::{Options, parse};
fn main(){ let units = [
        "a", "word ", "*", "_", "~", "[", "(", "<", ">", "`", "@", ":", "|", "\\", "+", "#", "!",
        "a.", "a@", "a_", "*a ", "_a ", "~a ", "||a ", "*a _b ~c ", "*_~", "_*", "[a](", "](", "![a](",
        "<a.b|", "\\(", "\\[", "```\n", "||\n", "> ", "> > > a\n", "- ", "- - a\n", "1. ", "* a\n", "* a",
        "https://a.b/", "https://", "aaa:", "a-", "a@b.", "@a:", "**", "__", "~~", "``", "(((((a",
        "👨\u{200d}", "😀", "é", "中", "color:#", "<t:", "*a](b", "[*a _b ~c ", "||*a _b ~c [d", "\r", "\n",
        "* *", "_ _", "a:", "0", "a ]( [", "[[a](b.c/((", "*[a](b.c)_", "[a](http://b.c/(",
    ];
 for u in units { let mut r=vec![]; for p in [14,16,18]{ let t=u.repeat((1<<p)/u.len()); let s=std::time::Instant::now(); let x=parse(&t,&Options::default()); r.push((s.elapsed().as_micros(),x.steps()/t.len())); } let big=r[2].0>20000 || r[2].0>r[1].0*6+200; if big {println!("{u:?} {r:?}");} }
 for t in ["hello there, how are you?","Hi @bob and @alice.s, see #general for https://example.com/a?b=c","*Update your Rocket.Chat*\nNew version available (6.2.8)\nhttps://github.com/RocketChat/Rocket.Chat/releases/tag/6.2.8"] { let n=20000; let s=std::time::Instant::now(); for _ in 0..n { std::hint::black_box(parse(t,&Options::default()).md_json()); } println!("{:?} ns {}",s.elapsed().as_nanos()/n,t.len()); }
 let t="Lorem ipsum dolor sit amet, consectetur adipiscing elit; sed do eiusmod tempor. ".repeat(24); let n=2000; let s=std::time::Instant::now(); for _ in 0..n { std::hint::black_box(parse(&t,&Options::default()).md_json()); } println!("{:?} ns {}",s.elapsed().as_nanos()/n,t.len());
}
