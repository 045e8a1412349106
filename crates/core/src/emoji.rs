//! Emoji by short name, as reactions store them, and by character, as the other contract shows them.
//! The names are those of a kept library; the few that only Rocket.Chat's own set has are beside it.

/// Names that clients of the Rocket.Chat contract send and the library does not have.
const OTHERS: &[(&str, &str)] = &[
    ("slight_smile", "🙂"),
    ("slight_frown", "🙁"),
    ("thumbup", "👍"),
    ("thumbdown", "👎"),
    ("thumbs_up", "👍"),
    ("thumbs_down", "👎"),
    ("upside_down", "🙃"),
    ("rolling_eyes", "🙄"),
    ("hugging", "🤗"),
    ("zipper_mouth", "🤐"),
    ("money_mouth", "🤑"),
    ("nerd", "🤓"),
    ("thermometer_face", "🤒"),
    ("head_bandage", "🤕"),
    ("rofl", "🤣"),
    ("cowboy", "🤠"),
    ("clown", "🤡"),
    ("shrug", "🤷"),
    ("facepalm", "🤦"),
    ("handshake", "🤝"),
    ("white_check_mark", "✅"),
    ("heavy_check_mark", "✔️"),
    ("ballot_box_with_check", "☑️"),
    ("partying_face", "🥳"),
    ("pray", "🙏"),
];

/// The character of a short name (without colons); `None` if there is no such emoji.
pub(crate) fn character(name: &str) -> Option<&'static str> {
    let other = || OTHERS.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    emojis::get_by_shortcode(name).map(emojis::Emoji::as_str).or_else(other)
}

/// The short name of an emoji given as a character, a name or a name in colons.
pub(crate) fn name(text: &str) -> Option<String> {
    let bare = text.trim().trim_matches(':');
    if character(bare).is_some() {
        return Some(bare.to_owned());
    }
    emojis::get(text.trim())?.shortcode().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{character, name};

    #[test]
    fn names_and_characters_meet() {
        assert_eq!(character("smile"), Some("😄"));
        assert_eq!(name(":+1:").as_deref(), Some("+1"));
        assert_eq!(name("🎉").as_deref(), Some("tada"));
        assert_eq!(name("slight_smile").as_deref(), Some("slight_smile"));
        assert_eq!(name("no_such_thing"), None);
        assert_eq!(name(""), None);
    }
}
