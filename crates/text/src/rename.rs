//! Mentions by another name: only what this crate reads as a mention of the old name is replaced, by
//! the same rule for what a name is, so that a longer name that begins alike stays.

use crate::letter::in_name;

/// The text with every `@old` as `@new`, in one pass.
pub fn rename_mentions(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.find('@') {
        let (before, after) = rest.split_at(sign + 1);
        let end = after.find(|c| !in_name(c)).unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        let word = before[..sign].chars().next_back().is_some_and(char::is_alphanumeric);
        let mut next = behind.chars();
        let server = matches!(next.next(), Some('@' | ':')) && next.next().is_some_and(in_name);
        out.push_str(before);
        out.push_str(if name == old && !word && !server { new } else { name });
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::rename_mentions;

    #[test]
    fn whole_names_after_a_sign_and_nothing_else() {
        for (text, want) in [
            ("@ann", "@eve"),
            ("hi @ann, and @ann!", "hi @eve, and @eve!"),
            ("(@ann) *@ann* @@ann", "(@eve) *@eve* @@eve"),
            ("@annie @ann.b @ann- @ANN ann", "@annie @ann.b @ann- @ANN ann"),
            ("mail x@ann now", "mail x@ann now"),
            ("@ann:server @ann@server @ann: yes", "@ann:server @ann@server @eve: yes"),
            ("", ""),
            ("@", "@"),
            ("é@ann ü @ann", "é@ann ü @eve"),
        ] {
            assert_eq!(rename_mentions(text, "ann", "eve"), want);
        }
    }

    #[test]
    fn what_is_renamed_is_what_is_read_as_a_mention() {
        let options = crate::Options::default();
        for text in ["@ann", "a @ann b", "@ann.b", "x@ann", "@ann:server", "`@ann` @ann", "> @ann"]
        {
            let before = crate::parse(text, &options);
            let after = crate::parse(&rename_mentions(text, "ann", "eve"), &options);
            let names = |parsed: &crate::Parsed| -> Vec<String> {
                parsed.mentions().iter().map(|name| (*name).to_owned()).collect()
            };
            let want: Vec<String> = names(&before)
                .into_iter()
                .map(|n| if n == "ann" { "eve".to_owned() } else { n })
                .collect();
            assert_eq!(names(&after), want, "{text}");
        }
    }
}
