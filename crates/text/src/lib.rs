//! The message tree of a chat text, in linear time.
//!
//! One pass over the lines makes blocks, one pass over each line makes inline
//! nodes; whatever has to look ahead is paid from a counted budget, so hostile
//! text costs a constant factor and never a power.

mod address;
pub mod ast;
mod block;
mod class;
mod domain;
mod emoji;
mod inline;
mod json;
mod letter;
mod link;
mod out;
mod rename;
mod stamp;
mod walk;

pub use rename::rename_mentions;

/// Deepest nesting of inline nodes: a spoiler, a link label and the three
/// emphases, each once, around one more node.
pub const MAX_DEPTH: usize = 6;

/// Steps that tries without a closing mark may cost per byte of text; past
/// that (and [`MAX_WASTE_BASE`]) opening marks are plain text.
pub const MAX_WASTE_PER_BYTE: usize = 64;

/// Steps that such tries may cost in any text, however short.
pub const MAX_WASTE_BASE: usize = 1 << 16;

/// How a text is read; the default is what the wire contract's server uses.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the original's own")]
pub struct Options<'a> {
    /// Read `color:#rrggbb`.
    pub colors: bool,
    /// Read emoticons such as `:)`.
    pub emoticons: bool,
    /// Read `\(x\)` and `\[x\]`.
    pub katex_parenthesis: bool,
    /// Read `$x$` and `$$x$$`.
    pub katex_dollar: bool,
    /// Domains that make a bare link although no registry knows their ending.
    pub custom_domains: &'a [&'a str],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            colors: true,
            emoticons: true,
            katex_parenthesis: true,
            katex_dollar: false,
            custom_domains: &[],
        }
    }
}

/// A text that was read.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The tree.
    pub md: Vec<ast::Block>,
    steps: usize,
}

/// Reads a text. Never fails: what is not markup is plain text.
///
/// A time stamp that names a time of day with an offset, `<t:10:00+02:00>`,
/// stays text: see [`parse_at`].
pub fn parse(text: &str, options: &Options<'_>) -> Parsed {
    read(text, options, None)
}

/// The same at a moment, in seconds since 1970: a time of day with an offset is
/// one of that day.
pub fn parse_at(text: &str, options: &Options<'_>, now: i64) -> Parsed {
    read(text, options, Some(now))
}

fn read(text: &str, options: &Options<'_>, now: Option<i64>) -> Parsed {
    let mut steps = 0;
    if let Some(emoji) = emoji::big(text, options.emoticons, &mut steps) {
        return Parsed { md: vec![ast::Block::BigEmoji(emoji)], steps };
    }
    let mut walk = inline::Walk::new(text, options, now);
    let md = block::Reader::new(&mut walk).read();
    Parsed { md, steps: steps + walk.steps }
}

impl Parsed {
    /// The tree as compact JSON; nothing for an empty text.
    pub fn md_json(&self) -> Option<String> {
        if self.md.is_empty() { None } else { Some(json::print(&self.md)) }
    }

    /// User names after `@`, in text order, each once, none from code;
    /// `all` and `here` among them.
    pub fn mentions(&self) -> Vec<&str> {
        walk::collect(&self.md, none, |node, put| {
            if let ast::Inline::MentionUser(name) = node {
                put(name);
            }
        })
    }

    /// Names after `#`, in text order, each once, none from code.
    pub fn channels(&self) -> Vec<&str> {
        walk::collect(&self.md, none, |node, put| {
            if let ast::Inline::MentionChannel(name) = node {
                put(name);
            }
        })
    }

    /// Distinct http(s) URLs outside code, in text order.
    pub fn urls(&self) -> Vec<&str> {
        self.urls_counted().0
    }

    /// The same, and the steps that finding them took.
    pub fn urls_counted(&self) -> (Vec<&str>, usize) {
        // Headings and lines are asked in turn, so one counter serves both.
        let steps = std::cell::Cell::new(0);
        let count = |work: &mut dyn FnMut(&mut usize)| {
            let mut more = 0;
            work(&mut more);
            steps.set(steps.get() + more);
        };
        let found = walk::collect(
            &self.md,
            |text, put| count(&mut |steps| walk::addresses(text, put, steps)),
            |node, put| count(&mut |steps| walk::web(node, put, steps)),
        );
        (found, steps.get())
    }

    /// Steps that reading took: the measure of the linear bound.
    pub fn steps(&self) -> usize {
        self.steps
    }
}

/// Nothing is looked for in headings.
fn none<'t>(_: &'t str, _: &mut dyn FnMut(&'t str)) {}
