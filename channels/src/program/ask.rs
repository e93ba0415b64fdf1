//! `amtsbote search` and `amtsbote understand`: what the office would find, and how it would read a message. Both only
//! look; nothing is stored and nobody is answered.

use std::process::ExitCode;

use amtsbote_core::config::Config;
use amtsbote_core::knowledge::Knowledge;
use amtsbote_core::understand::Understood;
use clap::Args;

/// Text of one question.
#[derive(Debug, Clone, Args)]
pub struct Question {
    /// The words, as a citizen would write them.
    text: Vec<String>,
    /// Prints one JSON object instead of sentences.
    #[arg(long)]
    json: bool,
}

/// What is known that fits the question, best first.
pub fn search(question: &Question, config: &Config) -> anyhow::Result<ExitCode> {
    let knowledge = Knowledge::untrained(config)?;
    let found = knowledge.search.find(&question.text.join(" "), 10);
    if question.json {
        println!("{}", serde_json::json!({ "search": question.text.join(" "), "found": found }));
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        println!("Nichts gefunden. Versuchen Sie ein anderes Wort für die Sache.");
    }
    for hit in found {
        println!("{:>3.0} %  {} ({:?} {})", hit.coverage * 100.0, hit.title, hit.kind, hit.id);
        println!("       {}", hit.snippet);
        println!("       Quelle: {}, Stand {}", hit.source, hit.checked_on);
    }
    Ok(ExitCode::SUCCESS)
}

/// All readings of a message.
pub fn understand(question: &Question, config: &Config) -> anyhow::Result<ExitCode> {
    let knowledge = Knowledge::trained(config)?;
    let read = Understood::of(&question.text.join(" "), &knowledge);
    let hits: Vec<_> = read
        .service
        .hits()
        .iter()
        .map(|hit| serde_json::json!({ "service": hit.service_id, "confidence": hit.score }))
        .collect();
    let json = serde_json::json!({
        "understand": read.text,
        "label": read.label(),
        "answer": read.service.kind(),
        "services": hits,
        "emergency": read.emergency.map(|(kind, strength)| format!("{kind:?} {strength:?}")),
        "command": read.command.map(|command| format!("{command:?}")),
        "yes_no": read.yes_no,
        "topic": read.topic,
        "question": read.question,
        "forecast": read.forecast,
        "correction": read.correction.is_some(),
        "abusive": read.abusive,
        "language": read.language,
        "found": read.found,
        "version": read.version,
    });
    if question.json {
        println!("{json}");
    } else {
        println!("{}", serde_json::to_string_pretty(&json)?);
    }
    Ok(ExitCode::SUCCESS)
}
