//! What is heard before anything else, in every state: emergencies, the wish for a person, language, privacy; and
//! the small courtesies. None of it touches the draft.

use amtsbote_intents::{Command, Emergency, Strength, Tongue};

use super::{Act, DialogState, Facts, Pending, Said, Talk, Turn};
use crate::message::{Part, Reply};
use crate::understand::Understood;

/// What the assistant says first, before anything is stored (`conversation.md` section 3).
pub fn greeting(facts: &Facts<'_>) -> Reply {
    let mut talk = start(facts, &DialogState::default());
    talk.say("greeting.machine");
    talk.say("greeting.privacy");
    talk.say("greeting.ask");
    talk.reply
}

/// While a person owns the conversation the assistant is silent, but for emergencies and the way back out of the
/// queue (`conversation.md` 4.1).
pub fn while_with_people(state: &DialogState, facts: &Facts<'_>, said: &Said, queued: bool) -> Option<Turn> {
    let Said::Words(words) = said else { return None };
    let mut talk = start(facts, state);
    if let Some((kind, Strength::Strong)) = words.emergency {
        say_emergency(&mut talk, kind);
        return Some(talk.finish());
    }
    let back = matches!(words.command, Some(Command::Back | Command::Cancel | Command::Resume));
    if queued && back {
        talk.acts.push(Act::LeaveQueue);
        talk.say("person.left_queue");
        repeat_question(&mut talk);
        return Some(talk.finish());
    }
    None
}

/// A person has handed the conversation back: the open question again, so that nobody has to scroll for it.
pub fn handed_back(state: &DialogState, facts: &Facts<'_>) -> Turn {
    let mut talk = start(facts, state);
    talk.say("person.left");
    repeat_question(&mut talk);
    if talk.reply.parts.len() == 1 {
        talk.say("greeting.ask");
    }
    talk.finish()
}

fn start<'a>(facts: &'a Facts<'a>, state: &DialogState) -> Talk<'a> {
    Talk {
        facts,
        state: state.clone(),
        language: facts.language.clone(),
        reply: Reply::new(&facts.language),
        acts: Vec::new(),
        pick: None,
    }
}

/// The first words decide the language, as long as nobody has chosen one.
pub(super) fn adopt_language(talk: &mut Talk<'_>, words: &Understood) {
    if talk.state.spoken || talk.language != "de" {
        return;
    }
    match words.language {
        Some(tongue @ (Tongue::En | Tongue::Uk | Tongue::Tr | Tongue::Ar | Tongue::Ru)) => {
            tongue.tag().clone_into(&mut talk.language);
            talk.say("language.adopted");
        }
        Some(Tongue::Pl | Tongue::Ro) => talk.say("language.not_yet"),
        Some(Tongue::De | Tongue::DeSimple) | None => {}
    }
}

pub(super) fn emergency(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if talk.pick.is_some() {
        return false; // a pressed choice is the program's own word
    }
    match words.emergency {
        Some((_, Strength::Strong)) if words.unsure_alarm && talk.in_form() => {
            talk.notice("emergency.weak");
            false
        }
        Some((kind, Strength::Strong)) => {
            // The number stands in the first line, whatever else was to be said.
            talk.reply.parts.clear();
            say_emergency(talk, kind);
            if talk.in_form() {
                talk.say("emergency.go_on");
                talk.offer_keys(&[("continue", "choice.continue")]);
            }
            true
        }
        Some((_, Strength::Weak)) => {
            talk.notice("emergency.weak");
            false
        }
        None => false,
    }
}

fn say_emergency(talk: &mut Talk<'_>, kind: Emergency) {
    talk.notice(match kind {
        Emergency::Rescue => "emergency.rescue",
        Emergency::Police => "emergency.police",
        Emergency::Suicide => "emergency.suicide",
        Emergency::Poison => "emergency.poison",
        Emergency::Violence => "emergency.violence",
        Emergency::MissingChild => "emergency.missing_child",
    });
    talk.say("emergency.no_help_here");
}

pub(super) fn stop(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if words.command != Some(Command::Stop) {
        return false;
    }
    talk.say("stop.nothing_subscribed");
    true
}

pub(super) fn person(talk: &mut Talk<'_>, words: &Understood) -> bool {
    // In English the one word "person" is the command; in German it can be an answer.
    let bare = talk.language == "en" && words.text.eq_ignore_ascii_case("person") && talk.pick.is_none();
    let pressed = bare || talk.pick.as_deref() == Some("human");
    if !pressed && words.command != Some(Command::Human) {
        return false;
    }
    talk.acts.push(Act::Queue);
    true
}

pub(super) fn language(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if talk.pick.is_some() {
        return false; // "Englisch" as the answer to an open question
    }
    // "Deutsch" alone is the way back, unless it answers the open question.
    let bare = words.text.trim_end_matches('.').eq_ignore_ascii_case("deutsch");
    let way_back = bare && talk.language != "de" && !talk.in_form();
    let wanted = match words.command {
        _ if way_back => Tongue::De,
        Some(Command::EasyLanguage) => Tongue::DeSimple,
        Some(Command::StandardLanguage) => Tongue::De,
        Some(Command::Language(tongue)) => tongue,
        _ => return false,
    };
    match wanted {
        Tongue::De | Tongue::DeSimple | Tongue::En | Tongue::Uk | Tongue::Tr | Tongue::Ar | Tongue::Ru => {
            wanted.tag().clone_into(&mut talk.language);
            talk.say("language.switched");
        }
        Tongue::Pl | Tongue::Ro => talk.say("language.not_yet"),
    }
    repeat_question(talk);
    true
}

pub(super) fn privacy(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if talk.state.pending == Pending::EraseData {
        let pressed = talk.pick.as_deref();
        let yes = pressed == Some("yes") || (pressed.is_none() && words.yes_no == Some(true));
        talk.state.pending = Pending::None;
        if yes {
            talk.acts.push(Act::Erase);
        } else {
            talk.say("erase.kept");
            if talk.state.draft.is_some() {
                super::filling::go_on(talk);
            }
        }
        return true;
    }
    match words.command {
        Some(Command::EraseData) => {
            talk.state.pending = Pending::EraseData;
            talk.say("erase.ask");
            talk.offer_keys(&[("yes", "choice.erase"), ("no", "choice.keep_all")]);
            true
        }
        Some(Command::MyData) => {
            talk.say("my_data.where");
            talk.link("link.transcript", "/chat/print");
            talk.link("link.privacy", "/privacy");
            repeat_question(talk);
            true
        }
        _ => false,
    }
}

pub(super) fn small_talk(talk: &mut Talk<'_>, words: &Understood) -> bool {
    match words.command {
        Some(Command::Greeting) => {
            talk.say("small.greeting");
            if talk.state.pending == Pending::None {
                talk.say("greeting.ask");
            }
        }
        Some(Command::Thanks) => talk.say("small.thanks"),
        Some(Command::Goodbye) => talk.say("small.goodbye"),
        Some(Command::WhoAreYou) => talk.say("small.who"),
        Some(Command::Help) => help(talk),
        Some(Command::Services) => super::answer::list_services(talk),
        Some(Command::Login) => {
            talk.say("login.where");
            talk.link("link.login", "/login");
        }
        _ => return false,
    }
    repeat_question(talk);
    true
}

fn help(talk: &mut Talk<'_>) {
    talk.say(if talk.in_form() { "help.form" } else { "help.general" });
    let phone = talk.facts.phone.clone();
    talk.say_filled("help.person", &[("phone", &phone)]);
}

pub(super) fn abuse(talk: &mut Talk<'_>, words: &Understood) -> bool {
    if !words.abusive {
        return false;
    }
    talk.say("small.abuse");
    repeat_question(talk);
    true
}

/// After an interruption: the open question once more, in its short form.
pub(super) fn repeat_question(talk: &mut Talk<'_>) {
    if talk.in_form() {
        super::filling::ask_again(talk);
        return;
    }
    match talk.state.pending.clone() {
        Pending::Start { service } => super::answer::ask_start(talk, &service),
        Pending::StatusNumber => talk.say("status.ask_number"),
        Pending::StatusCode { .. } => talk.say("status.ask_code"),
        Pending::ResumeCode => talk.say("resume.ask_code"),
        Pending::Login { service } => super::filling::ask_login(talk, &service),
        _ => {
            if talk.reply.parts.iter().all(|part| matches!(part, Part::Notice { .. })) {
                talk.say("greeting.ask");
            }
        }
    }
}
