//! The binary: wiring, nothing else. Each command is a module of its own; what they share (where the
//! store is, how errors and logs are shown) is here.

mod admin;
mod audit;
mod config;
mod control;
mod health;
mod import;
mod key;
mod operator;
mod ops;
mod overrides;
mod serve;
mod setting;
mod token;
mod user;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use config::command::{ConfigCommand, InitArgs};
use config::source::Sources;
use config::{ServeConfig, StoreConfig};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Gives memory back sooner than the system's own, and is faster under many threads.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A direct-message server: two public wire contracts over one store.
#[derive(Debug, Parser)]
#[command(name = "parlance", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    store: StoreConfig,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Every option that configures the server is a flag (--http-addr), a variable of the
environment (PARLANCE_HTTP_ADDR) and a key of the configuration file (http_addr). A flag wins
over the environment, that over the file. `parlance config print` shows what counts.

Exit codes: 0 done; 1 refused or failed, and a line on standard error says why; 2 the command
line is not understood.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until SIGTERM or Ctrl-C
    Serve(Box<ServeConfig>),
    /// Write a first configuration file, with a password for the first administrator
    Init(InitArgs),
    /// Check and show the configuration
    #[command(subcommand)]
    Config(Box<ConfigCommand>),
    /// Make and change accounts, also while the server runs
    #[command(subcommand)]
    User(user::UserCommand),
    /// Make login tokens, also while the server runs
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Read and change server settings, also while the server runs
    #[command(subcommand)]
    Setting(setting::SettingCommand),
    /// Read the audit: who read other people's messages, and what was changed from the shell
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Bring accounts, rooms and messages in from a file of documents
    Import(import::ImportArgs),
    /// Ask the running server whether it takes work
    Healthcheck(health::HealthArgs),
}

/// Why a command failed, in one line for a person.
type Failure = String;

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run()).await {
        Ok(code) => code,
        Err(why) => {
            eprintln!("parlance: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Failure> {
    // Once without what was given elsewhere: for help, for mistakes, and for where the file is.
    let (first, _) = parse(Cli::command());
    match &first.command {
        Command::Init(args) => return config::command::init(&Cli::command(), args),
        Command::Config(command) if matches!(**command, ConfigCommand::Example) => {
            return Ok(config::command::print_example(&Cli::command()));
        }
        _ => {}
    }
    let sources = sources(first.store.config)?;
    let (mut cli, matches) = parse(config::with_sources(Cli::command(), &sources));
    cli.store.settle(&matches, &sources);
    let serves = matches!(cli.command, Command::Serve(_));
    log(&cli.store.log, serves)?;
    let store = &cli.store;
    match cli.command {
        Command::Serve(config) => Box::pin(serve::run(store, &config, &sources)).await,
        Command::Init(_) => Ok(ExitCode::SUCCESS),
        Command::Config(command) => match *command {
            ConfigCommand::Check(config) => config::command::check(store, &config, &sources),
            ConfigCommand::Print(_) => {
                let inner = matches.subcommand().and_then(|(_, config)| config.subcommand());
                let matches = inner.map_or(&matches, |(_, print)| print);
                Ok(config::command::print(&Cli::command(), matches, &sources))
            }
            ConfigCommand::Example => Ok(ExitCode::SUCCESS),
        },
        Command::User(command) => Box::pin(user::run(store, command)).await,
        Command::Token(command) => Box::pin(token::run(store, command)).await,
        Command::Setting(command) => Box::pin(setting::run(store, command)).await,
        Command::Audit(command) => Box::pin(audit::run(store, command)).await,
        Command::Import(args) => Box::pin(import::run(store, &args)).await,
        Command::Healthcheck(args) => health::run(&args).await,
    }
}

/// Reads the flags; ends the process on a mistake, or where only help is wanted.
fn parse(command: clap::Command) -> (Cli, ArgMatches) {
    let matches = command.get_matches();
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => (cli, matches),
        Err(error) => error.exit(),
    }
}

/// Reads the environment, and the file that a flag or the environment names.
fn sources(file: Option<PathBuf>) -> Result<Sources, Failure> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let named = environment.get("PARLANCE_CONFIG").filter(|path| !path.is_empty());
    let file = file.or_else(|| named.map(PathBuf::from));
    Sources::read(&config::keys(&Cli::command()), file.as_deref(), &environment)
}

/// Logs of the server go to stdout: text on a terminal, JSON otherwise. Other commands own their
/// stdout and say only what went wrong, on stderr.
fn log(filter: &str, serves: bool) -> Result<(), Failure> {
    let filter = if serves { filter } else { "warn" };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log: {error}"))?;
    // Whatever the filter says: where the server listens, and the first password, are always told.
    let always = "parlance::told=info".parse().map_err(|error| format!("--log: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter.add_directive(always));
    let terminal = std::io::stdout().is_terminal();
    // And the database driver does not tell the arguments of its statements: people's texts.
    let quiet = filter_fn(|meta| {
        *meta.level() <= Level::WARN || !meta.target().starts_with("tokio_postgres")
    });
    match (serves, terminal) {
        (false, _) => log.with_ansi(false).with_writer(std::io::stderr).finish().with(quiet).init(),
        (true, true) => log.finish().with(quiet).init(),
        (true, false) => log.json().flatten_event(true).finish().with(quiet).init(),
    }
    Ok(())
}
