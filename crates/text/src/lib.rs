//! The message tree of a chat text, in linear time.
//!
//! One pass over the lines makes blocks, one pass over each line makes inline
//! nodes; whatever has to look ahead is paid from a counted budget, so hostile
//! text costs a constant factor and never a power.

pub mod ast;
mod block;
mod domain;
mod emoji;
mod inline;
mod json;
mod letter;
mod link;
mod out;
mod stamp;
mod walk;

/// How a text is read; the default is what the wire contract's server uses.
#[derive(Debug, Clone)]
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
pub fn parse(text: &str, options: &Options<'_>) -> Parsed {
    if let Some(emoji) = emoji::big(text, options.emoticons) {
        return Parsed { md: vec![ast::Block::BigEmoji(emoji)], steps: text.len() };
    }
    let mut walk = inline::Walk::new(text, options);
    let md = block::Reader::new(&mut walk).read();
    Parsed { md, steps: walk.steps }
}

impl Parsed {
    /// The tree as compact JSON; nothing for an empty text.
    pub fn md_json(&self) -> Option<String> {
        if self.md.is_empty() { None } else { Some(json::print(&self.md)) }
    }

    /// User names after `@`, in text order, each once, none from code;
    /// `all` and `here` among them.
    pub fn mentions(&self) -> Vec<&str> {
        walk::collect(&self.md, |node| match node {
            ast::Inline::MentionUser(name) => Some(name),
            _ => None,
        })
    }

    /// Names after `#`, in text order, each once, none from code.
    pub fn channels(&self) -> Vec<&str> {
        walk::collect(&self.md, |node| match node {
            ast::Inline::MentionChannel(name) => Some(name),
            _ => None,
        })
    }

    /// Distinct http(s) URLs outside code, in text order.
    pub fn urls(&self) -> Vec<&str> {
        walk::collect(&self.md, |node| match node {
            ast::Inline::Link { src, .. } | ast::Inline::Image { src, .. } if is_web(src) => {
                Some(src)
            }
            _ => None,
        })
    }

    /// Steps that reading took: the measure of the linear bound.
    pub fn steps(&self) -> usize {
        self.steps
    }
}

fn is_web(src: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| src.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}
