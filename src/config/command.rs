//! `parlance init` and `parlance config`: a first file, and a look at what counts.

use super::source::Sources;
use super::{ServeConfig, StoreConfig, WITHOUT_FLAG, example};
use crate::{Failure, overrides};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Subcommand};
use parlance_core::id::Chance;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where to write a first configuration.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to write; one that is there is never touched
    #[arg(default_value = "parlance.toml", value_name = "FILE")]
    file: PathBuf,
}

/// What can be asked of the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the file, the environment and these flags as `serve` would, and start nothing
    Check(ServeConfig),
    /// Print every option as it counts, and where it comes from; secrets are hidden
    Print(ServeConfig),
    /// Print an example of a configuration file: every option, its meaning and its default
    Example,
}

/// Runs `parlance init`.
pub(crate) fn init(command: &Command, args: &InitArgs) -> Result<ExitCode, Failure> {
    let text = example::text(command, Some(&Chance::default().token()));
    let name = args.file.display();
    write_private(&args.file, &text).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => format!("{name} is there already, and stays as it is"),
        _ => format!("{name}: {error}"),
    })?;
    println!("wrote {name}, with a password for the first administrator in it");
    println!("next: parlance serve --config {name}");
    Ok(ExitCode::SUCCESS)
}

/// Makes a file that nobody else can read; an error if there is one.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Prints the example file.
pub(crate) fn print_example(command: &Command) -> ExitCode {
    print!("{}", example::text(command, None));
    ExitCode::SUCCESS
}

/// Looks at everything that `serve` would look at before it opens the store.
pub(crate) fn check(
    store: &StoreConfig,
    config: &ServeConfig,
    sources: &Sources,
) -> Result<ExitCode, Failure> {
    store.database()?;
    tracing_subscriber::EnvFilter::try_new(&store.log)
        .map_err(|error| format!("--log: {error}"))?;
    config.edge(0)?;
    config.admin.password(sources)?;
    for (name, address) in
        [("--http-addr", &config.address.http_addr), ("--metrics-addr", &config.metrics_addr)]
    {
        let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        let off = name == "--metrics-addr" && address.is_empty();
        if !off && !matches!(port, Some(Ok(_))) {
            return Err(format!("{name}: {address} is not HOST:PORT"));
        }
    }
    let odd = sources.warnings.iter().cloned().chain(overrides::unknown(sources)?);
    for why in odd {
        if config.strict {
            return Err(why);
        }
        eprintln!("warning: {why}");
    }
    println!("the configuration is fine");
    Ok(ExitCode::SUCCESS)
}

/// Prints what counts, as a configuration file that says the same.
pub(crate) fn print(command: &Command, matches: &ArgMatches, sources: &Sources) -> ExitCode {
    let mut table = "";
    for arg in example::options(command) {
        let key = arg.get_id().as_str();
        let flag = matches.value_source(key) == Some(ValueSource::CommandLine);
        let values: Vec<String> = match matches.get_raw(key) {
            Some(raw) => raw.map(|value| value.to_string_lossy().into_owned()).collect(),
            None => Vec::new(),
        };
        let from = match (flag, sources.get(key)) {
            (true, _) => format!("flag --{}", arg.get_long().unwrap_or_default()),
            (false, Some(given)) => given.from.clone(),
            (false, None) => "default".to_owned(),
        };
        line(&mut table, key, &values, &from);
    }
    for (key, _) in WITHOUT_FLAG {
        let given = sources.get(key);
        let values = given.map(|given| given.values.clone()).unwrap_or_default();
        line(&mut table, key, &values, given.map_or("default", |given| &given.from));
    }
    if !sources.settings.is_empty() {
        println!("\n[settings]");
    }
    for setting in &sources.settings {
        let known = parlance_core::setting::known(&setting.id);
        let hidden = known.is_none_or(parlance_core::setting::Known::is_secret);
        let value = if hidden { "(hidden)" } else { &setting.value };
        println!("{} = {} # {}", setting.id, quoted(value), setting.from);
    }
    ExitCode::SUCCESS
}

fn line<'a>(table: &mut &'a str, key: &'a str, values: &[String], from: &str) {
    let below = match key.split_once('.') {
        Some((of, below)) => {
            if *table != of {
                println!("\n[{of}]");
                *table = of;
            }
            below
        }
        None => key,
    };
    let shown: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    match &shown[..] {
        [] => println!("#{below} is not set # {from}"),
        _ if example::is_hidden(key) => println!("{below} = \"(hidden)\" # {from}"),
        [one] => println!("{below} = {one} # {from}"),
        many => println!("{below} = [{}] # {from}", many.join(", ")),
    }
}

/// As TOML has it: what is a number or a switch is one.
fn quoted(value: &str) -> String {
    if value.parse::<i64>().is_ok() || value == "true" || value == "false" {
        return value.to_owned();
    }
    // A text of JSON is one of TOML.
    serde_json::Value::from(value).to_string()
}
