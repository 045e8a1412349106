//! Reading blocks, line by line.
//!
//! A block is recognised at the start of a line or right after a block that
//! ends inside one. Searches for a closing fence remember that there is none,
//! so a thousand opened fences cost one search.

use crate::ast::{Block, Inline};
use crate::inline::Walk;

/// Reads a whole text.
pub(crate) struct Reader<'w, 't> {
    walk: &'w mut Walk<'t>,
    blocks: Vec<Block>,
    /// No closing mark of this sort at or after the place.
    no_fence: usize,
    no_katex: usize,
}

impl<'w, 't> Reader<'w, 't> {
    pub(crate) fn new(walk: &'w mut Walk<'t>) -> Self {
        Self { walk, blocks: Vec::new(), no_fence: usize::MAX, no_katex: usize::MAX }
    }

    pub(crate) fn read(mut self) -> Vec<Block> {
        let mut at = 0;
        while at < self.walk.text.len() {
            self.walk.steps += 1;
            at = match self.block(at) {
                Some(end) => end,
                None => self.paragraph(at),
            };
        }
        self.blocks
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.walk.bytes.get(at).copied()
    }

    /// The place after a line end that stands here.
    fn newline(&self, at: usize) -> Option<usize> {
        match (self.byte(at)?, self.byte(at + 1)) {
            (b'\r', Some(b'\n')) => Some(at + 2),
            (b'\r' | b'\n', _) => Some(at + 1),
            _ => None,
        }
    }

    fn skip_newline(&self, at: usize) -> usize {
        self.newline(at).unwrap_or(at)
    }

    fn blanks(&mut self, at: usize) -> usize {
        let len = self.walk.bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.walk.steps += len;
        at + len
    }

    fn block(&mut self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'`' => self.code(at),
            b'#' => self.heading(at),
            b'>' => self.quote(at),
            b'-' | b'*' => self.tasks(at).or_else(|| self.list(at)),
            b'0'..=b'9' => self.numbered(at),
            b'|' => self.spoiler(at),
            b'\\' | b'$' => self.katex(at),
            b' ' | b'\t' | b'\r' | b'\n' => self.line_break(at),
            _ => None,
        }
    }

    fn paragraph(&mut self, at: usize) -> usize {
        let (nodes, end) = self.walk.line(at);
        self.blocks.push(Block::Paragraph(nodes));
        self.skip_newline(end)
    }

    /// An empty line; one of blanks only counts when it is ended.
    fn line_break(&mut self, at: usize) -> Option<usize> {
        let blank = self.blanks(at);
        let end = self.newline(blank)?;
        self.blocks.push(Block::LineBreak);
        Some(end)
    }

    fn heading(&mut self, at: usize) -> Option<usize> {
        let level = self.walk.bytes[at..].iter().take(5).take_while(|b| **b == b'#').count();
        let from = self.blanks(at + level);
        if level > 4 || from == at + level || self.walk.is_line_end(from) {
            return None;
        }
        let end = self.line_end(from);
        let text = self.walk.text[from..end].to_owned();
        let level = u8::try_from(level).ok()?;
        self.blocks.push(Block::Heading { level, text });
        Some(end)
    }

    fn line_end(&mut self, from: usize) -> usize {
        let rest = &self.walk.bytes[from..];
        let len = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        self.walk.steps += len;
        from + len
    }

    fn quote(&mut self, at: usize) -> Option<usize> {
        let mut lines = Vec::new();
        let mut next = at;
        while self.byte(next) == Some(b'>') {
            let from = self.blanks(next + 1);
            if from >= self.walk.text.len() {
                break;
            }
            let (mut nodes, end) = self.walk.line(from);
            if nodes.is_empty() {
                nodes.push(Inline::Plain(String::new()));
            }
            lines.push(nodes);
            next = self.skip_newline(end);
        }
        if lines.is_empty() {
            return None;
        }
        self.blocks.push(Block::Quote(lines));
        Some(next)
    }

    /// The content of a list line after its mark, and the place after it.
    fn entry(&mut self, after_mark: usize) -> Option<(Vec<Inline>, usize)> {
        let from = self.blanks(after_mark);
        if from == after_mark || self.walk.is_line_end(from) {
            return None;
        }
        let (nodes, end) = self.walk.line(from);
        Some((nodes, self.skip_newline(end)))
    }

    fn tasks(&mut self, at: usize) -> Option<usize> {
        let mut tasks = Vec::new();
        let mut next = at;
        loop {
            let status = match self.walk.bytes.get(next..next + 5) {
                Some(b"- [ ]") => false,
                Some(b"- [x]") => true,
                _ => break,
            };
            let Some((nodes, end)) = self.entry(next + 5) else {
                break;
            };
            tasks.push((status, nodes));
            next = end;
        }
        if tasks.is_empty() {
            return None;
        }
        self.blocks.push(Block::Tasks(tasks));
        Some(next)
    }

    fn list(&mut self, at: usize) -> Option<usize> {
        let mark = self.byte(at)?;
        let mut items = Vec::new();
        let mut next = at;
        while self.byte(next) == Some(mark) {
            let entry = if mark == b'*' { self.starred(next) } else { self.entry(next + 1) };
            let Some((nodes, end)) = entry else { break };
            items.push(nodes);
            next = end;
        }
        if items.is_empty() {
            return None;
        }
        self.blocks.push(Block::UnorderedList(items));
        Some(next)
    }

    /// A `* ` line is an entry only when no stray `*` is left in it: with one
    /// it is bold text.
    fn starred(&mut self, at: usize) -> Option<(Vec<Inline>, usize)> {
        let from = self.blanks(at + 1);
        if from == at + 1 || self.walk.is_line_end(from) {
            return None;
        }
        let (nodes, end) = self.walk.star_line(from);
        self.walk.is_line_end(end).then(|| (nodes, self.skip_newline(end)))
    }

    fn numbered(&mut self, at: usize) -> Option<usize> {
        let mut items = Vec::new();
        let mut next = at;
        loop {
            let rest = &self.walk.bytes[next..];
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            self.walk.steps += digits;
            if digits == 0 || rest.get(digits) != Some(&b'.') {
                break;
            }
            let number = self.walk.text[next..next + digits].parse().unwrap_or(f64::INFINITY);
            let Some((nodes, end)) = self.entry(next + digits + 1) else {
                break;
            };
            items.push((number, nodes));
            next = end;
        }
        if items.is_empty() {
            return None;
        }
        self.blocks.push(Block::OrderedList(items));
        Some(next)
    }

    fn code(&mut self, at: usize) -> Option<usize> {
        let rest = self.walk.text.get(at..)?.strip_prefix("```")?;
        let word = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_' | b'.'))
            .count();
        self.walk.steps += word;
        let from = self.newline(at + 3 + word)?;
        if from >= self.no_fence {
            return None;
        }
        let Some(len) = self.walk.text[from..].find("```") else {
            self.walk.steps += self.walk.text.len() - from;
            self.no_fence = from;
            return None;
        };
        self.walk.steps += len;
        let close = from + len;
        let mut lines = Vec::new();
        let mut next = from;
        loop {
            let start = next + usize::from(self.byte(next) == Some(b'\n'));
            let body = &self.walk.bytes[start.min(close)..close];
            let len = body.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(body.len());
            if len == 0 && (start == next || start >= close) {
                break;
            }
            lines.push(self.walk.text[start..start + len].to_owned());
            next = start + len;
        }
        if lines.is_empty() || self.newline(next) != Some(close) {
            return None;
        }
        self.blocks.push(Block::Code { language: rest[..word].to_owned(), lines });
        Some(close + 3)
    }

    /// Paragraphs between two `||` that stand at line starts.
    fn spoiler(&mut self, at: usize) -> Option<usize> {
        if !self.walk.bytes[at..].starts_with(b"||") {
            return None;
        }
        let from = self.newline(at + 2)?;
        let mut lines = Vec::new();
        let mut next = from;
        while !self.walk.is_line_end(next) && !self.walk.bytes[next..].starts_with(b"||") {
            let (nodes, end) = self.walk.line(next);
            lines.push(nodes);
            next = self.skip_newline(end);
        }
        let close = self.skip_newline(next);
        if lines.is_empty() || !self.walk.bytes[close..].starts_with(b"||") {
            return None;
        }
        self.blocks.push(Block::Spoiler(lines));
        Some(close + 2)
    }

    /// `\[x\]` or `$$x$$`; which mark closes does not depend on the opening one.
    fn katex(&mut self, at: usize) -> Option<usize> {
        let round = self.walk.options.katex_parenthesis;
        let dollar = self.walk.options.katex_dollar;
        let from = match self.walk.bytes[at..] {
            [b'\\', b'[', ..] if round => at + 2,
            [b'$', b'$', ..] if dollar => at + 2,
            _ => return None,
        };
        if at >= self.no_katex {
            return None;
        }
        let body = &self.walk.bytes[from..];
        let found = body.windows(2).position(|pair| match pair {
            b"\\]" => round,
            b"$$" => dollar,
            _ => false,
        });
        self.walk.steps += found.unwrap_or(body.len());
        let Some(len) = found else {
            self.no_katex = at;
            return None;
        };
        self.blocks.push(Block::Katex(self.walk.text[from..from + len].to_owned()));
        Some(from + len + 2)
    }
}
