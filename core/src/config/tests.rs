//! Settings that work, settings that don't, and what the program says to them.

use super::*;

fn load(file: &str, environment: &[(&str, &str)], command_line: &[(&str, &str)]) -> Result<Config> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::from_text(
        Some(("amtsbote.toml", file)),
        environment.iter().map(pair),
        &command_line.iter().map(pair).collect::<Vec<_>>(),
    )
}

fn problem(file: &str, environment: &[(&str, &str)], command_line: &[(&str, &str)]) -> String {
    match load(file, environment, command_line) {
        Err(Error::Setup(text)) => text,
        other => panic!("{file} {environment:?} {command_line:?} gave {other:?}"),
    }
}

#[test]
fn the_defaults_alone_are_a_working_demonstration() {
    let config = load("", &[], &[]).expect("loads");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.database_url(), "sqlite://amtsbote-data/amtsbote.db");
    assert_eq!(config.mail_folder(), PathBuf::from("amtsbote-data/mail"));
    assert_eq!(config.outbox.retry_seconds, [5, 30, 120, 600, 3600, 21600]);
    assert_eq!(config.server.metrics_listen, None);
    assert!(config.identity.demo && !config.is_https());
    assert!(Config::load(None, std::iter::empty(), &[]).is_ok());
}

#[test]
fn every_setting_is_explained_in_one_sentence() {
    let config = load("", &[], &[]).expect("loads");
    let keys: Vec<&str> = config.explain().iter().map(|setting| setting.key.as_str()).collect();
    assert_eq!(keys.len(), 44, "{keys:?}");
    for setting in config.explain() {
        assert!(setting.sentence.ends_with('.') && setting.sentence.len() > 10, "{setting:?}");
        assert_eq!(setting.source, "default", "{setting:?}");
        assert!(!setting.value.is_empty(), "{setting:?}");
    }
}

#[test]
fn later_sources_win_and_are_named() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nshutdown_seconds = 1\n[office]\nphone = \"05251 308-0\"\n\
                [limits]\nupload_mb = 5";
    let environment = [
        ("AMTSBOTE_SERVER__LISTEN", "127.0.0.1:2"),
        ("AMTSBOTE_SERVER__SHUTDOWN_SECONDS", "2"),
        ("AMTSBOTE_OFFICE__PHONE", "115"),
        ("AMTSBOTE_OUTBOX__RETRY_SECONDS", "1, 2"),
        ("AMTSBOTE_WIDGET__ALLOWED_ORIGINS", "[\"https://a.example\",\"https://b.example\"]"),
        ("AMTSBOTE_CONFIG", "amtsbote.toml"),
        ("HOME", "/root"),
    ];
    let config = load(file, &environment, &[("server.listen", "127.0.0.1:3")]).expect("loads");
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.shutdown_seconds, 2);
    assert_eq!(config.office.phone, "115", "digits stay a text");
    assert_eq!(config.limits.upload_mb, 5);
    assert_eq!(config.outbox.retry_seconds, [1, 2]);
    assert_eq!(config.widget.allowed_origins, ["https://a.example", "https://b.example"]);
    let sources: Vec<_> =
        ["server.listen", "server.shutdown_seconds", "limits.upload_mb", "limits.open_streams"]
            .into_iter()
            .filter_map(|key| config.explain().iter().find(|setting| setting.key == key))
            .map(|setting| (setting.source.as_str(), setting.value.as_str()))
            .collect();
    assert_eq!(
        sources,
        [
            ("command line", "\"127.0.0.1:3\""),
            ("environment", "2"),
            ("file amtsbote.toml", "5"),
            ("default", "12000")
        ]
    );
}

#[test]
fn secrets_are_masked_everywhere() {
    let file = "[database]\nurl = \"postgres://amt:geheim@db/amt\"\n[mail]\nkind = \"smtp\"\n\
                smtp_url = \"smtps://amt:geheim@mail:465\"\n\
                [identity]\noidc_issuer = \"https://a.example\"\noidc_client_id = \"amt\"\n\
                oidc_client_secret = \"geheim\"";
    let config = load(file, &[], &[]).expect("loads");
    assert!(!format!("{config:?}").contains("geheim"));
    let values: Vec<&str> = config.explain().iter().map(|setting| setting.value.as_str()).collect();
    assert!(values.contains(&"\"postgres://amt:•••@db/amt\""), "{values:?}");
    assert!(values.contains(&"\"smtps://amt:•••@mail:465\""));
    assert!(values.contains(&"\"•••\""));
    assert_eq!(config.database_url(), "postgres://amt:geheim@db/amt");
    for broken in
        ["url = \"mysql://amt:geheim@db/amt\"", "url = \"amt:geheim@db\"", "ulr = \"x://a:geheim@b\""]
    {
        let text = problem(&format!("[database]\n{broken}"), &[], &[]);
        assert!(!text.contains("geheim"), "{text}");
    }
    for file in [
        "[identity]\noidc_client_secrt = \"geheim\"",
        "[identity]\noidc_client_secret = \"geheim",
        "[store]\naddress = \"s3://amt:geheim@host\"",
    ] {
        let text = problem(file, &[], &[]);
        assert!(!text.contains("geheim"), "{text}");
    }
    let text = problem("", &[("AMTSBOTE_MASTER_KEY", "geheim")], &[]);
    assert!(!text.contains("geheim"), "{text}");
}

#[test]
fn broken_settings_are_told_with_their_mend() {
    // Settings file, parts of the message.
    let table: &[(&str, &[&str])] = &[
        ("[log]\n[server", &["file amtsbote.toml is not valid TOML in line 2: "]),
        (
            "[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"",
            &["not valid TOML", "duplicate key"],
        ),
        ("listen = \"127.0.0.1:1\"", &["listen = \"127.0.0.1:1\"", "did you mean server.listen?"]),
        ("[serve]\nlisten = \"127.0.0.1:1\"", &["serve.listen", "did you mean server.listen?"]),
        ("[server]\nlisten_to = 7", &["server.listen_to = 7", "did you mean server.listen?"]),
        (
            "[server]\nthreads = 7",
            &["server.threads = 7", "[server] has: listen, metrics_listen, production"],
        ),
        ("[colours]\nmain = \"red\"", &["colours.main", "there are the sections: catalogue, data, database"]),
        ("[colours]", &["colours (file", "there are the sections"]),
        ("[server.tls]\ncert = \"a\"", &["server.tls = {…}", "there is no such setting"]),
        ("[server]\nlisten = 8080", &["server.listen = 8080", "text in quotes", "\"127.0.0.1:8080\""]),
        ("[server]\nlisten = \"8080\"", &["server.listen = \"8080\"", "an IP address and a port"]),
        ("[server]\nlisten = \"localhost:8080\"", &["an IP address and a port"]),
        ("[server]\nmetrics_listen = \"x\"", &["example server.metrics_listen = \"127.0.0.1:9100\""]),
        ("[server]\npublic_url = \"https://a.example/chat\"", &["https://a.example/chat", "without a path"]),
        ("[server]\npublic_url = \"https://a.example/\"", &["without a path or a slash"]),
        ("[server]\npublic_url = \"a.example\"", &["http:// or https://"]),
        ("[server]\ntrusted_proxy = \"yes\"", &["server.trusted_proxy = \"yes\"", "true or false"]),
        ("[server]\nshutdown_seconds = 9.5", &["server.shutdown_seconds = 9.5", "a whole number"]),
        ("[server]\nshutdown_seconds = -1", &["= -1", "a number from 0 to 600"]),
        ("[office]\nname = \" \"", &["office.name", "not empty"]),
        ("[office]\nchat_hours = \"Mon-Fri 9-5\"", &["Mon-Fri 9-5", "Mo-Do 08:30-16:00"]),
        ("[office]\nchat_hours = \"Mo 16:00-08:30\"", &["office.chat_hours", "days"]),
        ("[office]\nimprint_url = \"www.example\"", &["office.imprint_url", "begins with https://"]),
        ("[payment]\nprovider = \"paypal\"", &["\"paypal\"", "one of \"demo\", \"off\""]),
        ("[mail]\nkind = \"pigeon\"", &["one of \"folder\", \"smtp\", \"off\""]),
        ("[mail]\nkind = \"smtp\"", &["mail.smtp_url = \"\" (default)", "needs a mail server"]),
        ("[mail]\nfrom = \"Amt\"", &["mail.from", "a mail address"]),
        ("[widget]\nallowed_origins = \"*\"", &["widget.allowed_origins", "a list of texts"]),
        ("[widget]\nallowed_origins = [\"*\"]", &["[\"*\"]", "http:// or https://"]),
        ("[limits]\nupload_mb = 0", &["limits.upload_mb = 0", "from 1 to 60", "limits.upload_mb = 20"]),
        ("[outbox]\nretry_seconds = []", &["at least one number", "[5, 30, 120, 600, 3600, 21600]"]),
        ("[outbox]\nretry_seconds = [5, \"x\"]", &["[5, \"x\"]", "a list of whole numbers"]),
        ("[retention]\nsession_hours = 9999", &["from 1 to 720"]),
        ("[log]\nlevel = \"loud\"", &["one of \"error\", \"warn\", \"info\", \"debug\", \"trace\""]),
        ("[identity]\noidc_issuer = \"http://a.example\"", &["identity.oidc_issuer", "https://"]),
        ("[identity]\noidc_issuer = \"https://a.example\"", &["identity.oidc_client_id", "client id"]),
        ("[identity]\noidc_client_id = \"amt\"", &["identity.oidc_issuer", "needs its issuer"]),
        (
            "[server]\nproduction = true",
            &["server.public_url = \"\" (default)", "needs the https:// address"],
        ),
    ];
    for (file, parts) in table {
        let text = problem(file, &[], &[]);
        for part in *parts {
            assert!(text.contains(part), "{file}: {part:?} is missing in\n{text}");
        }
    }
}

#[test]
fn broken_environment_and_command_line_are_told_in_their_spelling() {
    let text = problem("", &[("AMTSBOTE_SERVER__LISTN", "x"), ("AMTSBOTE_LISTEN", "y")], &[]);
    let expected = "AMTSBOTE_SERVER__LISTN = \"x\" (environment): there is no such setting; did you mean \
                    AMTSBOTE_SERVER__LISTEN?";
    assert!(text.contains(expected), "{text}");
    assert_eq!(text.matches("did you mean AMTSBOTE_SERVER__LISTEN?").count(), 2, "{text}");
    let text = problem("", &[("AMTSBOTE_LIMITS__UPLOAD_MB", "many")], &[]);
    let expected = "limits.upload_mb = \"many\" (environment AMTSBOTE_LIMITS__UPLOAD_MB): expected a whole \
                    number; for example limits.upload_mb = 20";
    assert_eq!(text, expected);
    let text = problem("", &[], &[("server.lisen", "x"), ("log.level", "loud")]);
    assert!(text.contains("server.lisen = \"x\" (command line)"), "{text}");
    assert!(text.contains("\nlog.level = \"loud\" (command line): expected one of"), "all at once: {text}");
}

#[test]
fn real_operation_refuses_what_is_made_up() {
    let file = "[server]\nproduction = true\npublic_url = \"https://a.example\"";
    let text = problem(file, &[], &[]);
    assert!(text.contains("identity.demo = true (default)"), "{text}");
    assert!(text.contains("payment.provider = \"demo\" (default)"), "{text}");
    let mended = format!("{file}\n[identity]\ndemo = false\n[payment]\nprovider = \"off\"");
    assert!(load(&mended, &[], &[]).expect("loads").is_https());
    let demonstration = "[server]\npublic_url = \"https://a.example\"";
    assert!(load(demonstration, &[], &[]).is_ok(), "a public demonstration is allowed");
}

#[test]
fn a_missing_file_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let text = Config::load(Some(&folder.path().join("no.toml")), std::iter::empty(), &[]).map(drop);
    assert!(
        matches!(text, Err(Error::Setup(text)) if text.contains("no.toml") && text.contains("cannot be read"))
    );
}

fn at(date_time: &str) -> Timestamp {
    Timestamp(date_time.parse::<jiff::Timestamp>().expect("time").as_millisecond())
}

#[test]
fn chat_hours_are_in_berlin_time() {
    let office = load("", &[], &[]).expect("loads").office;
    // 2026-11-23 is a Monday, CET; 2026-07-06 is a Monday, CEST.
    for (moment, is_open) in [
        ("2026-11-23T07:29:59Z", false),
        ("2026-11-23T07:30:00Z", true),
        ("2026-11-23T14:59:59Z", true),
        ("2026-11-23T15:00:00Z", false),
        ("2026-07-06T06:30:00Z", true),
        ("2026-07-06T06:29:00Z", false),
        ("2026-11-27T11:59:00Z", true),
        ("2026-11-27T12:00:00Z", false),
        ("2026-11-28T10:00:00Z", false),
        // Fronleichnam and Christmas are a Thursday and a Friday.
        ("2026-06-04T10:00:00Z", false),
        ("2026-06-05T10:00:00Z", true),
        ("2026-12-25T10:00:00Z", false),
    ] {
        assert_eq!(office.is_open(at(moment)), is_open, "{moment}");
    }
    assert_eq!(office.hours_text("de"), "Mo–Do 08:30–16:00 Uhr, Fr 08:30–13:00 Uhr");
    assert_eq!(office.hours_text("en"), "Mon–Thu 08:30–16:00, Fri 08:30–13:00");
    assert_eq!(
        office.hours_text("de-simple"),
        "Montag bis Donnerstag: von 8.30 Uhr bis 16 Uhr. Freitag: von 8.30 Uhr bis 13 Uhr"
    );
    let sundays_too = load("[office]\nchat_hours = \"So 10:00-12:00\"", &[], &[]).expect("loads").office;
    assert!(sundays_too.is_open(at("2026-06-04T09:00:00Z")), "a holiday is like a Sunday");
    let never = load("[office]\nchat_hours = \"\"", &[], &[]).expect("loads").office;
    assert!(!never.is_open(at("2026-11-23T10:00:00Z")) && never.hours_text("de").is_empty());
}

#[test]
fn only_listed_claim_values_raise_trust() {
    let identity = load("", &[], &[]).expect("loads").identity;
    for (claim, trust) in [
        (None, Trust::T1),
        (Some("HIGH"), Trust::T1),
        (Some("substantial"), Trust::T2),
        (Some("STORK-QAA-Level-4"), Trust::T3),
    ] {
        assert_eq!(identity.trust(claim), trust, "{claim:?}");
    }
}
