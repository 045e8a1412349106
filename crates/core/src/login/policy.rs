//! The rules for passwords (`Accounts_Password_Policy_*`, contract 9.4 and 13.2), off by default.
//! A password keeps of its text only what the rules ask about; whoever sets one asks
//! [`Core::check_password`].

use super::password::{Password, Shape};
use crate::Core;
use crate::error::{Error, Result};
use crate::setting::{self, Known, Settings};
use std::fmt;

/// One rule that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At least so many characters.
    MinLength(i64),
    /// At most so many characters.
    MaxLength(i64),
    /// A character may be repeated so often in a row and no more.
    Repeats(i64),
    /// A lower-case letter.
    Lowercase,
    /// An upper-case letter.
    Uppercase,
    /// A digit.
    Number,
    /// Something that is neither letter nor digit.
    Special,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinLength(n) => write!(f, "The password must have at least {n} characters."),
            Self::MaxLength(n) => write!(f, "The password must have at most {n} characters."),
            Self::Repeats(n) => {
                write!(f, "The password must not repeat a character more than {n} times.")
            }
            Self::Lowercase => f.write_str("The password needs a lower-case letter."),
            Self::Uppercase => f.write_str("The password needs an upper-case letter."),
            Self::Number => f.write_str("The password needs a digit."),
            Self::Special => {
                f.write_str("The password needs a character that is no letter or digit.")
            }
        }
    }
}

impl Rule {
    fn is_met(self, shape: &Shape) -> bool {
        match self {
            Self::MinLength(n) => shape.length >= n,
            Self::MaxLength(n) => shape.length <= n,
            Self::Repeats(n) => shape.longest_run <= n,
            Self::Lowercase => shape.lower,
            Self::Uppercase => shape.upper,
            Self::Number => shape.digit,
            Self::Special => shape.special,
        }
    }
}

/// The rules in force; none while the policy is off.
fn rules(settings: &Settings) -> Vec<Rule> {
    if !settings.on(&setting::POLICY) {
        return Vec::new();
    }
    let number = |known| Some(settings.number(known)).filter(|n| *n > 0);
    let flag = |known: &Known, rule| settings.on(known).then_some(rule);
    let repeats = settings.on(&setting::POLICY_NO_REPEATS);
    let repeats = number(&setting::POLICY_REPEATS).filter(|_| repeats);
    [
        number(&setting::POLICY_MIN).map(Rule::MinLength),
        number(&setting::POLICY_MAX).map(Rule::MaxLength),
        repeats.map(Rule::Repeats),
        flag(&setting::POLICY_LOWER, Rule::Lowercase),
        flag(&setting::POLICY_UPPER, Rule::Uppercase),
        flag(&setting::POLICY_NUMBER, Rule::Number),
        flag(&setting::POLICY_SPECIAL, Rule::Special),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Core {
    /// Are there rules for passwords, and which.
    pub fn password_policy(&self) -> (bool, Vec<Rule>) {
        let settings = self.settings();
        (settings.on(&setting::POLICY), rules(&settings))
    }

    /// May somebody choose this password? [`Error::WeakPassword`] names the rules that it breaks: all
    /// of them, when only its digest is known. One that was made here is never weak.
    pub fn check_password(&self, password: &Password) -> Result<()> {
        let rules = rules(&self.settings());
        let broken: Vec<Rule> = match password.shape() {
            Some(shape) => rules.into_iter().filter(|rule| !rule.is_met(shape)).collect(),
            None if password.was_made() => Vec::new(),
            None => rules,
        };
        if broken.is_empty() { Ok(()) } else { Err(Error::WeakPassword(broken)) }
    }
}
