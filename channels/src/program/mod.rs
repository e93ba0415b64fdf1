//! The command line, and what each command does. Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 wrong
//! settings, 4 something that is needed does not answer.

mod ask;
mod backup;
mod bench;
mod check;
mod demo;
mod doctor;
mod eval;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use amtsbote_core::config::{Config, LogFormat};
use amtsbote_core::error::Error;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// The citizen assistant of a district: one program, one folder.
#[derive(Debug, Parser)]
#[command(name = "amtsbote", version, about, long_about = None)]
struct Arguments {
    /// Settings file (TOML); every setting has a default: see `amtsbote config`.
    #[arg(long, env = "AMTSBOTE_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// A setting, as key=value; stronger than file and environment. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the office (the default).
    Serve,
    /// Checks services, sentences and templates; names file, key and mend.
    Check {
        /// A folder with `offices.toml` and `services/` instead of what the program carries.
        folder: Option<PathBuf>,
    },
    /// Prints every setting with its value, where it comes from, and what it is for. Secrets are masked.
    Config,
    /// Fills a fresh folder with made-up people and cases, prints the logins and starts the office.
    Demo(demo::Demo),
    /// Looks at an installation and says of each thing whether it is well, why not, and what to do next.
    Doctor {
        /// Prints one JSON object instead of sentences.
        #[arg(long)]
        json: bool,
    },
    /// Measures this program on this machine; each bench prints one JSON line.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Finds services, articles, offices and words that fit a text, with source and date.
    Search(ask::Question),
    /// Says how a message would be read: what it asks for, how sure that is, and from which data.
    Understand(ask::Question),
    /// Measures how well sentences are understood and things are found, on files of your own; one JSON line each.
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Copies the office while it runs, verifies a copy, and brings one back.
    #[command(subcommand)]
    Backup(backup::Backup),
}

/// Runs the command.
pub fn main() -> ExitCode {
    // Both TLS providers are in the tree (openidconnect brings ring): one must be chosen before any connection.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("amtsbote: the TLS provider was already chosen");
        return ExitCode::from(4);
    }
    let arguments = Arguments::parse();
    let config = match load(&arguments) {
        Ok(config) => config,
        Err(error) => {
            match &arguments.command {
                Some(Command::Doctor { json }) if doctor::broken_settings(&error, *json).is_ok() => {}
                _ => eprintln!("amtsbote: {error}"),
            }
            return ExitCode::from(3);
        }
    };
    // Each open chat window is an open file. What the system refuses stays as it is; `doctor` tells the limit.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("amtsbote: the runtime does not start: {error}");
            return ExitCode::from(4);
        }
    };
    let result = runtime.block_on(async {
        match arguments.command.unwrap_or(Command::Serve) {
            Command::Serve => {
                log(&config);
                serve::run(config).await
            }
            Command::Check { folder } => check::run(folder.as_deref()),
            Command::Config => Ok(print_config(&config)),
            Command::Demo(demo) => {
                log(&config);
                demo::run(config, &demo).await
            }
            Command::Doctor { json } => doctor::run(&config, json).await,
            Command::Bench(bench) => bench::run(&bench).await,
            Command::Search(question) => ask::search(&question, &config),
            Command::Understand(question) => ask::understand(&question, &config),
            Command::Eval(options) => eval::run(&options, &config),
            Command::Backup(command) => backup::run(&config, command).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("amtsbote: {error:#}");
            ExitCode::from(4)
        }
    }
}

fn load(arguments: &Arguments) -> Result<Config, Error> {
    let mut pairs = Vec::new();
    for pair in &arguments.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Error::Setup(format!("--set {pair:?} has no value; write --set server.listen=0.0.0.0:80"))
        })?;
        pairs.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(Command::Demo(demo)) = &arguments.command {
        pairs.extend(demo.settings());
    }
    Config::load(arguments.config.as_deref(), environment(), &pairs)
}

/// The environment, read in this one place.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn log(config: &Config) {
    // Libraries tell what they send and receive at finer levels, personal data included: they are kept to warnings.
    let filter = format!("warn,amtsbote_core={0},amtsbote_channels={0}", config.log.level);
    let builder =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.init(),
    }
}

fn print_config(config: &Config) -> ExitCode {
    for setting in config.explain() {
        println!("# {}\n{} = {}   ({})\n", setting.sentence, setting.key, setting.value, setting.source);
    }
    ExitCode::SUCCESS
}
