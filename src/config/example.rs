//! The example of a configuration file, made from the options and their help: it cannot say anything
//! else than the program does.

use super::source::variable;
use super::{HIDDEN, WITHOUT_FLAG};
use clap::{Arg, Command};
use std::fmt::Write as _;

const HEAD: &str = "\
# The configuration of Parlance. `parlance serve --config FILE`, or PARLANCE_CONFIG=FILE, reads it.
#
# Every option is a flag, a variable of the environment and a key here, under one name. A flag wins over
# the environment, that over this file, that over the default. What begins with # is the default or
# an example. An unknown key is an error.
";
const SETTINGS: &str = "\
# Server settings by their id, set at every start; OVERWRITE_SETTING_<id> does the same, and
# SETTING_<id> gives only a first value. `parlance setting list` names them.
[settings]
#Site_Name = \"Parlance\"
#API_Enable_Direct_Message_History_EndPoint = true
";

/// The options that can be configured, in the order of the help.
pub(super) fn options(command: &Command) -> Vec<&Arg> {
    let serve = command.get_subcommands().find(|command| command.get_name() == "serve");
    let own = serve.into_iter().flat_map(Command::get_arguments);
    let all = command.get_arguments().chain(own);
    all.filter(|arg| !["config", "help", "version"].contains(&arg.get_id().as_str())).collect()
}

/// The file; with a password for the first administrator if there is one.
pub(crate) fn text(command: &Command, password: Option<&str>) -> String {
    let mut out = HEAD.to_owned();
    let (tables, plain): (Vec<&Arg>, Vec<&Arg>) =
        options(command).into_iter().partition(|arg| arg.get_id().as_str().contains('.'));
    for arg in plain {
        option(&mut out, arg, arg.get_id().as_str());
    }
    let secrets =
        |inside| WITHOUT_FLAG.into_iter().filter(move |one| one.0.contains('.') == inside);
    for (key, meaning) in secrets(false) {
        unflagged(&mut out, key, meaning, None);
    }
    out.push_str("\n# The first administrator, made at the first start.\n[admin]\n");
    for arg in tables {
        let key = arg.get_id().as_str();
        option(&mut out, arg, key.split_once('.').map_or(key, |(_, below)| below));
    }
    for (key, meaning) in secrets(true) {
        unflagged(&mut out, key, meaning, password);
    }
    out.push('\n');
    out.push_str(SETTINGS);
    out
}

/// A key that has no flag, with its value if there is one.
fn unflagged(out: &mut String, key: &str, meaning: &str, value: Option<&str>) {
    let (below, name) = (key.split_once('.').map_or(key, |(_, below)| below), variable(key));
    out.push('\n');
    for line in wrap(&format!("{meaning}."), 96) {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "# Environment {name}; no flag.");
    let _ = match value {
        Some(value) => writeln!(out, "{below} = \"{value}\""),
        None => writeln!(out, "#{below} = \"…\""),
    };
}

fn option(out: &mut String, arg: &Arg, key: &str) {
    out.push('\n');
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    for line in wrap(&format!("{}.", help.replace('`', "").trim_end_matches('.')), 96) {
        let _ = writeln!(out, "# {line}");
    }
    let flag = arg.get_long().unwrap_or_default();
    let _ = writeln!(out, "# Flag --{flag}, environment {}.", variable(arg.get_id().as_str()));
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy());
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = match (key, default, name) {
        (_, Some(value), _) if value.parse::<i64>().is_ok() => value.into_owned(),
        (_, Some(value), _) if value == "true" || value == "false" => value.into_owned(),
        (_, Some(value), _) => format!("\"{value}\""),
        ("trusted_proxies", None, _) => "[\"10.0.0.0/8\", \"127.0.0.1\"]".to_owned(),
        (_, None, name) => format!("\"{}\"", name.unwrap_or_default()),
    };
    let _ = writeln!(out, "#{key} = {value}");
}

/// Is this key's value not to be shown?
pub(super) fn is_hidden(key: &str) -> bool {
    HIDDEN.contains(&key)
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
