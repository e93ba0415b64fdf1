//! Tables of messages that are commands, and of answers that are not.

use proptest::prelude::*;

use super::Command::{
    Back, Cancel, DontKnow, EasyLanguage, EraseData, Goodbye, Greeting, Help, Human, Language, Later, Login,
    MyData, Pause, Repeat, Restart, Resume, Review, Services, Skip, StandardLanguage, Status, Stop, Submit,
    Thanks, WhoAreYou, Withdraw,
};
use super::{Command, Commands, command};
use crate::language::Tongue;

const COMMANDS: &[(Command, &str)] = &[
    (Back, "zurück"),
    (Back, "zurück bitte"),
    (Back, "Bitte einen Schritt zurück!"),
    (Back, "zurueck"),
    (Back, "Ich möchte eine Frage zurück"),
    (Back, "go back please"),
    (Cancel, "abbrechen"),
    (Cancel, "Ich will das jetzt abbrechen"),
    (Cancel, "Abrechen"),
    (Cancel, "vergiss es"),
    (Cancel, "cancel"),
    (Pause, "Pause"),
    (Pause, "ich mache später weiter"),
    (Pause, "Ich möchte später weitermachen"),
    (Pause, "I'll continue later"),
    (Resume, "weiter"),
    (Resume, "weiter machen"),
    (Resume, "Ich möchte mit dem Antrag weitermachen"),
    (Resume, "continue"),
    (Human, "ich möchte mit einem Menschen sprechen"),
    (Human, "Kann ich bitte mit einem echten Menschen reden?"),
    (Human, "Mitarbeiter"),
    (Human, "Ich will mit jemandem sprechen"),
    (Human, "verbinden Sie mich mit einem Sachbearbeiter"),
    (Human, "Kann mich jemand anrufen?"),
    (Human, "I want to talk to a human"),
    (Human, "can I speak with someone"),
    (Human, "insan"),
    (Human, "оператор"),
    (Human, "хочу поговорити з людиною"),
    (Human, "chcę rozmawiać z człowiekiem"),
    (Human, "أريد التحدث مع موظف"),
    (Status, "wie weit ist mein Antrag?"),
    (Status, "Status"),
    (Status, "Status 7KX9TR2M"),
    (Status, "Wo bleibt mein Führerschein?"),
    (Status, "Ist mein Antrag schon bearbeitet?"),
    (Status, "Hallo, wie ist denn der Stand meines Antrags?"),
    (Status, "What is the status of my application?"),
    (Withdraw, "Antrag zurückziehen"),
    (Withdraw, "Ich möchte meinen Antrag zurückziehen"),
    (Withdraw, "withdraw my application"),
    (Help, "Hilfe"),
    (Help, "Hilfe!!!"),
    (Help, "Ich brauche Hilfe"),
    (Help, "Kannst du mir helfen?"),
    (Help, "help"),
    (Repeat, "Können Sie das nochmal sagen?"),
    (Repeat, "wie bitte?"),
    (Repeat, "nochmal bitte"),
    (Repeat, "what was the question"),
    (Review, "Zusammenfassung"),
    (Review, "Zeig mir bitte meine Angaben"),
    (Review, "was habe ich bisher eingegeben?"),
    (Skip, "überspringen"),
    (Skip, "Diese Frage bitte überspringen"),
    (Skip, "k.A."),
    (Skip, "skip"),
    (DontKnow, "weiß ich nicht"),
    (DontKnow, "Das weiß ich leider nicht"),
    (DontKnow, "ich weiss es nicht"),
    (DontKnow, "keine Ahnung"),
    (DontKnow, "I don't know"),
    (DontKnow, "не знаю"),
    (Later, "reiche ich nach"),
    (Later, "Das reiche ich später nach"),
    (Later, "Hab ich gerade nicht zur Hand"),
    (Later, "später"),
    (Later, "I'll upload it later"),
    (Submit, "absenden"),
    (Submit, "Bitte jetzt absenden"),
    (Submit, "Antrag abschicken"),
    (Submit, "submit my application"),
    (Stop, "STOP"),
    (Stop, "Abmelden"),
    (Stop, "keine Nachrichten mehr"),
    (EraseData, "meine Daten löschen"),
    (EraseData, "Bitte löschen Sie meine Daten!"),
    (EraseData, "delete my data"),
    (MyData, "Auskunft"),
    (MyData, "Welche Daten habt ihr über mich?"),
    (MyData, "show me my data"),
    (Greeting, "Hallo"),
    (Greeting, "Guten Tag!"),
    (Greeting, "moin moin"),
    (Greeting, "/start"),
    (Greeting, "merhaba"),
    (Thanks, "Danke"),
    (Thanks, "Vielen Dank für Ihre Hilfe!"),
    (Thanks, "ok danke"),
    (Thanks, "thank you"),
    (Goodbye, "Tschüss"),
    (Goodbye, "Danke, tschüss"),
    (Goodbye, "auf Wiedersehen"),
    (Restart, "von vorne anfangen"),
    (Restart, "Ich möchte nochmal neu anfangen"),
    (Restart, "start over"),
    (Services, "Was kannst du?"),
    (Services, "Welche Leistungen gibt es?"),
    (Services, "Menü"),
    (Services, "what can you do"),
    (Login, "Mit BundID anmelden"),
    (Login, "einloggen"),
    (Login, "log in"),
    (WhoAreYou, "Wer bist du?"),
    (WhoAreYou, "Bist du ein Mensch?"),
    (WhoAreYou, "Sind Sie ein Roboter?"),
    (WhoAreYou, "are you a bot?"),
    (EasyLanguage, "Leichte Sprache"),
    (EasyLanguage, "bitte in einfacher Sprache"),
    (EasyLanguage, "Das ist zu kompliziert"),
    (StandardLanguage, "normale Sprache bitte"),
    (StandardLanguage, "Leichte Sprache aus"),
    (Language(Tongue::De), "auf Deutsch bitte"),
    (Language(Tongue::De), "deutsch bitte"),
    (Language(Tongue::En), "please in English"),
    (Language(Tongue::En), "English"),
    (Language(Tongue::En), "Können wir Englisch sprechen?"),
    (Language(Tongue::Tr), "Türkçe"),
    (Language(Tongue::Tr), "Türkisch bitte"),
    (Language(Tongue::Tr), "Sprechen Sie Türkisch?"),
    (Language(Tongue::Uk), "Können Sie Ukrainisch?"),
    (Language(Tongue::En), "Gibt es das auch auf Englisch?"),
    (Language(Tongue::Uk), "українською"),
    (Language(Tongue::Ru), "по-русски, пожалуйста"),
    (Language(Tongue::Ar), "العربية"),
    (Language(Tongue::Pl), "po polsku"),
    (Language(Tongue::Ro), "în română"),
];

const NO_COMMANDS: &[&str] = &[
    "",
    "?",
    "bitte",
    "ich möchte",
    "Hauptstraße zurück 3",
    "Zurückweg 3",
    "Am Stopp 4",
    "Ich will nicht abbrechen",
    "Mein Name ist Weiter",
    "Hauptstraße 3, 33098 Paderborn",
    "Ich möchte meinen Hund abmelden",
    "Wohnsitz anmelden",
    "Auto abmelden",
    "deutsch",
    "türkisch",
    "polnisch",
    "Eine Person",
    "Wetter",
    "Absender",
    "Angeben",
    "Polska",
    "Müller",
    "13.8.1985",
    "ja",
    "nein",
    "Hilfe zum Lebensunterhalt",
    "Später Vogel",
    "Was kostet ein Führerschein?",
    "Ich habe meinen Führerschein verloren und brauche einen neuen, wie geht das?",
    "Danke, und was kostet das?",
    "Hallo, ich brauche eine Liegenschaftskarte",
    "Der Mitarbeiter am Telefon war nett",
    "Menschenrechte",
    "Ich weiß nicht, ob ich den Antrag auf Wohngeld oder auf Bürgergeld stellen soll",
];

#[test]
fn the_list_can_be_read() {
    let list = include_str!("../../examples/commands.toml");
    let commands = Commands::parse(list).map_err(|error| error.to_string()).expect("the list is valid");
    assert_eq!(commands.word_for_word.len(), 34);
}

#[test]
fn whole_messages_command() {
    let wrong: Vec<_> = COMMANDS
        .iter()
        .map(|(expected, text)| (*text, command(text), Some(*expected)))
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn answers_are_not_commands() {
    let wrong: Vec<_> = NO_COMMANDS.iter().filter_map(|text| Some((text, command(text)?))).collect();
    assert_eq!(wrong, []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = command(&text);
    }

    #[test]
    fn shouting_and_marks_do_not_matter(row in 0..COMMANDS.len(), mark in "[.!?… ]{0,4}") {
        let (expected, text) = COMMANDS[row];
        prop_assert_eq!(command(&format!(" {}{mark}", text.to_uppercase())), Some(expected));
    }
}
