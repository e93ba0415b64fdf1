//! The rules of the house that can be counted: which crate may use which, where the heavy packages live, how long
//! files are, which texts code uses, and that no file names a machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use amtsbote_core::texts::Texts;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every file of the checkout with one of these endings, without what is built or fetched.
fn files(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("reads") {
            let path = entry.expect("entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), ".git" | "target" | "node_modules" | "amtsbote-data" | "kern") {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 1, "no files with {endings:?}");
    found
}

#[test]
fn the_arrows_between_the_crates_point_inwards() {
    let allowed: [(&str, &[&str]); 5] = [
        ("intents", &[]),
        ("knowledge", &[]),
        ("easy-language", &[]),
        ("core", &["intents", "knowledge", "easy-language"]),
        ("channels", &["core", "knowledge"]),
    ];
    for (krate, may_use) in allowed {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).expect("manifest");
        for line in manifest.lines().filter(|line| line.starts_with("amtsbote-")) {
            let used = line.trim_start_matches("amtsbote-").split('.').next().unwrap_or_default();
            assert!(may_use.contains(&used), "{krate} must not use {used}");
        }
    }
}

#[test]
fn each_heavy_package_has_one_home() {
    let homes = [
        ("axum", "channels"),
        ("lettre", "channels"),
        ("openidconnect", "channels"),
        ("sqlx", "core"),
        ("typst", "core"),
        ("tantivy", "knowledge"),
        ("whatlang", "intents"),
    ];
    for krate in ["intents", "knowledge", "easy-language", "core", "channels"] {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).expect("manifest");
        let plain = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for (package, home) in homes {
            let used = plain.lines().any(|line| line.starts_with(&format!("{package}.workspace")));
            assert_eq!(used, krate == home, "{package} lives in {home}; {krate}/Cargo.toml");
        }
    }
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let long: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 800)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "a file that long wants to become a folder by noun:\n{}", long.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for (path, text) in files(&[".rs"]) {
        assert!(text.starts_with("//!"), "{} does not begin with what it is for", path.display());
    }
}

#[test]
fn only_the_database_file_knows_which_database_runs() {
    for (path, text) in files(&[".rs"]) {
        let here = path.strip_prefix(root()).expect("inside").display().to_string();
        if here == "core/src/db.rs" || here.starts_with("tests/") || here.starts_with("channels/src/program/")
        {
            continue;
        }
        assert!(!text.contains("DatabaseKind::"), "{here} asks which database runs");
        for word in ["now()", " for update", "::text", "::bigint"] {
            let in_sql = text.lines().any(|line| {
                let sql = ["select ", "insert ", "update ", "delete "].iter().any(|verb| line.contains(verb));
                sql && line.contains(word) && line.contains('"')
            });
            assert!(!in_sql, "{here}: {word:?} does not run on both databases");
        }
    }
}

/// Keys of sentences look like "noun.word"; a key that code uses must have its sentence.
#[test]
fn every_sentence_that_code_asks_for_exists() {
    let texts = Texts::embedded().expect("texts");
    let callers = [
        "refused(",
        "refused_with(",
        ".say(",
        "say_filled(",
        ".text(",
        ".notice(",
        "filled(",
        "tell_applicant(",
    ];
    let mut missing = BTreeSet::new();
    for (path, text) in files(&[".rs", ".html"]) {
        if path.starts_with(root().join("tests")) || path.ends_with("core/src/texts.rs") {
            continue;
        }
        for caller in callers {
            for rest in text.split(caller).skip(1) {
                let Some(key) = rest.split('"').nth(1).filter(|_| rest.trim_start().starts_with('"')) else {
                    continue;
                };
                let looks_like_key = key.split('.').count() == 2
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
                if looks_like_key && !texts.knows(key) {
                    missing.insert(format!("{key} ({})", path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no sentence for:\n{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn nothing_names_one_machine() {
    let home = ["/ro", "ot/"].concat();
    let work = ["/wo", "rk/"].concat();
    for (path, text) in
        files(&[".rs", ".toml", ".md", ".mjs", ".js", ".html", ".css", ".typ", ".sql", ".json", "run"])
    {
        for mark in [&home, &work] {
            assert!(!text.contains(mark.as_str()), "{} names a path of one machine", path.display());
        }
    }
}
