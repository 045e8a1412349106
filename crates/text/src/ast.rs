//! The nodes of a message tree.
//!
//! Nodes own their text: a tree outlives the request that sent the text, and
//! escapes make some plain text differ from its source. Every wire name and
//! key order lives in `json`, none here.

/// A node at the top level of a message, or of a spoiler block.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// One line of text.
    Paragraph(Vec<Inline>),
    /// An empty line.
    LineBreak,
    /// `# text`, level 1 to 4.
    Heading {
        /// Number of `#` signs.
        level: u8,
        /// The text, taken literally.
        text: String,
    },
    /// A fenced block.
    Code {
        /// The word after the fence; the wire says `none` for an empty one.
        language: String,
        /// The lines between the fences.
        lines: Vec<String>,
    },
    /// Lines that start with `>`.
    Quote(Vec<Vec<Inline>>),
    /// Lines that start with `- ` or `* `.
    UnorderedList(Vec<Vec<Inline>>),
    /// Lines that start with a number and a point.
    OrderedList(Vec<(f64, Vec<Inline>)>),
    /// Lines that start with `- [ ] ` or `- [x] `.
    Tasks(Vec<(bool, Vec<Inline>)>),
    /// Paragraphs between two lines of `||`.
    Spoiler(Vec<Vec<Inline>>),
    /// A formula on its own.
    Katex(String),
    /// A message of one to three emoji and nothing else.
    BigEmoji(Vec<Emoji>),
}

/// An emoji, by name or by character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emoji {
    /// `:name:` or an emoticon.
    Code {
        /// The text between the colons, or the emoticon as written.
        value: String,
        /// The short name.
        short_code: String,
        /// Written as `:)` rather than `:name:`.
        emoticon: bool,
    },
    /// The character itself.
    Unicode(String),
}

/// A node within a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Inline {
    /// Plain text.
    Plain(String),
    /// `*x*`
    Bold(Vec<Inline>),
    /// `_x_`
    Italic(Vec<Inline>),
    /// `~x~`
    Strike(Vec<Inline>),
    /// `||x||`
    Spoiler(Vec<Inline>),
    /// Text between backticks.
    Code(String),
    /// A link.
    Link {
        /// Where it leads.
        src: String,
        /// What is shown.
        label: Vec<Inline>,
    },
    /// `![label](src)`
    Image {
        /// Where the picture is.
        src: String,
        /// Its description.
        label: String,
    },
    /// `@name`
    MentionUser(String),
    /// `#name`
    MentionChannel(String),
    /// An emoji.
    Emoji(Emoji),
    /// `color:#rrggbbaa`
    Color([u8; 4]),
    /// A formula within a line.
    Katex(String),
    /// `<t:seconds:format>`
    Timestamp {
        /// Seconds since 1970, as text.
        seconds: String,
        /// One of `t T d D f F R`.
        format: char,
    },
}
