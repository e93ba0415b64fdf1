//! Tables of messages and what they must (not) set off.

use proptest::prelude::*;

use super::Emergency::{MissingChild, Poison, Police, Rescue, Suicide, Violence};
use super::{Detector, Emergency, LISTS, Strength, emergency};

const STRONG: &[(Emergency, &str)] = &[
    // Rescue
    (Rescue, "es brennt"),
    (Rescue, "ES BRENNT!!!"),
    (Rescue, "meine Küche brennt!!"),
    (Rescue, "Das Auto vor meinem Haus brennt"),
    (Rescue, "bei uns brennts nicht, aber beim Nachbarn: es brennt"),
    (Rescue, "es brent bei uns"),
    (Rescue, "hilfe es brenntttt"),
    (Rescue, "hier brennt alles"),
    (Rescue, "in der Küche brennts"),
    (Rescue, "Mein Mann hat einen Herzanfall"),
    (Rescue, "Feuer im Treppenhaus"),
    (Rescue, "Feuer!"),
    (Rescue, "Das ist ein Notfall!"),
    (Rescue, "Unser Dachstuhl steht in Flammen"),
    (Rescue, "er atmet nicht mehr"),
    (Rescue, "er atmet nciht"),
    (Rescue, "mein Baby atmet kaum noch"),
    (Rescue, "ich bekomme keine Luft"),
    (Rescue, "hilfe mein mann ist bewusstlos"),
    (Rescue, "bewustlos"),
    (Rescue, "Oma ist ohnmächtig geworden"),
    (Rescue, "mein Vater wacht nicht auf"),
    (Rescue, "gasgeruch im haus"),
    (Rescue, "es riecht hier nach Gas"),
    (Rescue, "Mein Vater hat einen Herzinfarkt"),
    (Rescue, "meine Mutter hat glaube ich einen Schlaganfall"),
    (Rescue, "er blutet stark am Kopf"),
    (Rescue, "schwerer Unfall auf der B1"),
    (Rescue, "Hilfe, hier ist ein Unfall passiert, jemand ist schwer verletzt"),
    (Rescue, "mein Sohn ist in den Teich, er ertrinkt"),
    (Rescue, "Ich brauche sofort einen Krankenwagen"),
    (Rescue, "Rufen Sie bitte die Feuerwehr"),
    (Rescue, "my house is on fire"),
    (Rescue, "he is not breathing"),
    (Rescue, "She isn't breathing"),
    (Rescue, "my mother is unconscious"),
    (Rescue, "I think he's having a heart attack"),
    (Rescue, "I can smell gas in the hallway"),
    (Rescue, "please call an ambulance"),
    (Rescue, "evim yanıyor"),
    (Rescue, "babam nefes almıyor"),
    (Rescue, "у нас пожежа"),
    (Rescue, "мама без свідомості"),
    (Rescue, "он не дышит"),
    (Rescue, "квартира горит"),
    (Rescue, "هناك حريق في البيت"),
    (Rescue, "أبي لا يتنفّس"),
    (Rescue, "mój mąż nie oddycha"),
    (Rescue, "pali się mieszkanie"),
    (Rescue, "casa mea: arde casa"),
    (Rescue, "mama nu respiră"),
    // Suicide
    (Suicide, "ich will nicht mehr leben"),
    (Suicide, "Ich möchte einfach nicht mehr leben."),
    (Suicide, "ich will mich umbringen"),
    (Suicide, "manchmal denke ich ich bring mich um"),
    (Suicide, "will mich umbrigen"),
    (Suicide, "ich will sterben"),
    (Suicide, "wäre lieber tot"),
    (Suicide, "Ich habe Suizidgedanken"),
    (Suicide, "ich nehme mir das Leben wenn der Bescheid kommt"),
    (Suicide, "ich spring von der Brücke"),
    (Suicide, "i want to kill myself"),
    (Suicide, "I don't want to live anymore"),
    (Suicide, "just want to die"),
    (Suicide, "intihar etmek istiyorum"),
    (Suicide, "я не хочу жити"),
    (Suicide, "хочу умереть"),
    (Suicide, "أريد أن أموت"),
    (Suicide, "chcę się zabić"),
    (Suicide, "vreau să mor"),
    // Police
    (Police, "jemand bricht gerade ein"),
    (Police, "Da bricht jemand bei uns ein!"),
    (Police, "Einbrecher im Haus"),
    (Police, "jemand bedroht mich mit einem Messer"),
    (Police, "er hat ein Messer"),
    (Police, "jemand will in meine Wohnung"),
    (Police, "mein Ex steht vor der Tür und droht mir"),
    (Police, "Rufen Sie bitte die Polizei"),
    (Police, "er will mich umbringen"),
    (Police, "Mein Nachbar droht mich umzubringen"),
    (Police, "ich werde gerade überfallen"),
    (Police, "hier wird geschossen"),
    (Police, "someone is breaking into my house"),
    (Police, "he has a knife"),
    (Police, "they are trying to kill me"),
    (Police, "evde hırsız var"),
    (Police, "у нього ніж"),
    (Police, "ломают дверь"),
    (Police, "chce mnie zabić"),
    (Police, "يريد قتلي"),
    (Police, "vrea să mă omoare"),
    // Violence
    (Violence, "er schlägt mich"),
    (Violence, "Mein Mann schlägt mich und die Kinder"),
    (Violence, "mein Ex hat mich gewürgt"),
    (Violence, "ich wurde vergewaltigt"),
    (Violence, "mein mann will mich umbringen"),
    (Violence, "my husband hits me"),
    (Violence, "he raped me"),
    (Violence, "kocam beni dövüyor"),
    (Violence, "чоловік мене б'є"),
    (Violence, "муж бьёт меня"),
    (Violence, "زوجي يضربني"),
    (Violence, "mąż mnie bije"),
    (Violence, "soțul mă bate"),
    // Poison
    (Poison, "mein kind hat putzmittel getrunken"),
    (Poison, "Meine Tochter hat eine Knopfzelle verschluckt"),
    (Poison, "der Kleine hat WC-Reiniger getrunken"),
    (Poison, "ich habe zu viele Tabletten genommen"),
    (Poison, "Baby hat Spüli getrunken"),
    (Poison, "ich habe Pilze gegessen und mir ist schlecht"),
    (Poison, "my son drank bleach"),
    (Poison, "çocuğum deterjan içti"),
    (Poison, "ребенок выпил чистящее средство"),
    // Missing child
    (MissingChild, "mein kind ist verschwunden"),
    (MissingChild, "Unsere Tochter ist seit heute Mittag verschwunden!"),
    (MissingChild, "ich finde meinen Sohn nicht"),
    (MissingChild, "meine Tochter kam nicht von der Schule nach Hause"),
    (MissingChild, "my daughter is missing"),
    (MissingChild, "oğlum kayboldu"),
    (MissingChild, "моя дитина зникла"),
    (MissingChild, "пропала моя дочь"),
    (MissingChild, "ابني مفقود"),
    (MissingChild, "moje dziecko zaginęło"),
];

/// Messages that touch a topic: a line with the number, no more.
const WEAK: &[(Emergency, &str)] = &[
    (Rescue, "Ich hatte letztes Jahr einen Unfall, was steht mir zu?"),
    (Rescue, "Nach dem Zimmerbrand brauche ich einen neuen Ausweis"),
    (Police, "Bei mir wurde eingebrochen, mein Pass ist weg"),
    (Suicide, "Mein Bruder hatte einen Suizidversuch"),
    (Violence, "Gibt es Hilfe bei häuslicher Gewalt?"),
    (Violence, "Wo ist das nächste Frauenhaus?"),
    (Poison, "Wie ist die Nummer der Giftzentrale?"),
    (MissingChild, "Wo stelle ich eine Vermisstenanzeige?"),
];

/// Messages that must stay entirely normal.
const NORMAL: &[&str] = &[
    "Rettungsdienst-Rechnung",
    "Ich habe eine Rechnung vom Rettungsdienst bekommen",
    "Feuerwehr-Führerschein",
    "Ich brauche den Feuerwehr-Führerschein",
    "ich brauche einen Feuerwehrführerschein",
    "Osterfeuer anmelden",
    "Brauchtumsfeuer",
    "Kampfmittel",
    "Kampfmittelbeseitigung Anfrage",
    "Notrufsäule",
    "Notruf-Säule defekt",
    "Waffenschein",
    "kleiner Waffenschein beantragen",
    "ich habe eine Waffe geerbt",
    "Mein verstorbener Mann hat eine Waffe hinterlassen",
    "Sterbeurkunde",
    "wenn mein Vater stirbt, wer meldet das?",
    "eine brennende Frage",
    "Ich hätte da mal eine brennende Frage!",
    "das brennt mir unter den Nägeln",
    "Die Laterne vor unserem Haus brennt nicht mehr",
    "hier brennt die Straßenlaterne nicht",
    "Bei uns im Treppenhaus brennt kein Licht",
    "Das bringt mich um den Verstand",
    "Die Bürokratie bringt mich noch um",
    "Mein Vermieter droht mir mit Kündigung",
    "Der Rettungswagen hat mir 700 Euro berechnet",
    "Rufen Sie mich bitte an",
    "der Server ist abgestürzt",
    "ich habe gebrannte Mandeln verkauft",
    "Grillfest",
    "mein Antrag stirbt vor sich hin",
    "Selbstmord-Statistik",
    "ich sterbe vor Langeweile",
    "wir ersticken in Papierkram",
    "Das Grundstück ist noch nicht erschlossen",
    "Meine Frau trennt sich von mir",
    "der Hund rennt immer weg",
    "Ich will nicht mehr in Paderborn leben",
    "von dem Geld kann ich nicht mehr leben",
    "Mein Kinderreisepass ist verschwunden",
    "Der Ausweis von meinem Kind ist verschwunden",
    "Die Kosten sind explodiert",
    "Kann sich jemand in meiner Wohnung anmelden?",
    "jemand ist in meiner Wohnung gemeldet",
    "Ich nehme Tabletten, darf ich Auto fahren?",
    "Wo kann ich Batterien und Putzmittel entsorgen?",
    "Mein Hund wurde vergiftet",
    "Die Nachfrage bricht ein",
    "Er schlägt mich vor als Schöffen",
    "polizeiliches Führungszeugnis",
    "Ich brauche den Bericht der Polizei",
    "Brandschutznachweis einreichen",
    "Gasanschluss beantragen",
    "wir sind von Obdachlosigkeit bedroht",
    "Ich möchte mein Auto abmelden",
    "Brenner der Heizung austauschen",
    "Eine Leiche im Keller hat jeder",
    "I have a burning question",
    "fire extinguisher rules",
    "ok",
    "ja",
    "",
    "12345",
];

#[test]
fn the_lists_can_be_read() {
    let detector = Detector::parse(&LISTS).map_err(|error| error.to_string()).expect("the lists are valid");
    assert_eq!(detector.groups.len(), 12);
}

/// All rows of a table whose outcome differs from the expected one.
fn wrong<'a>(
    rows: impl Iterator<Item = (Option<(Emergency, Strength)>, &'a str)>,
) -> Vec<(&'a str, Option<(Emergency, Strength)>)> {
    rows.filter_map(|(expected, text)| {
        let found = emergency(text);
        (found != expected).then_some((text, found))
    })
    .collect()
}

#[test]
fn acute_emergencies_are_strong() {
    let rows = STRONG.iter().map(|(kind, text)| (Some((*kind, Strength::Strong)), *text));
    assert_eq!(wrong(rows), []);
}

#[test]
fn topics_are_weak() {
    let rows = WEAK.iter().map(|(kind, text)| (Some((*kind, Strength::Weak)), *text));
    assert_eq!(wrong(rows), []);
}

#[test]
fn look_alikes_stay_normal() {
    assert_eq!(wrong(NORMAL.iter().map(|text| (None, *text))), []);
}

#[test]
fn the_end_of_a_long_message_is_read_too() {
    let text = format!("{} und jetzt: es brennt", "Vorgeschichte ".repeat(2_000));
    assert_eq!(emergency(&text), Some((Rescue, Strength::Strong)));
}

#[test]
fn of_two_emergencies_the_more_urgent_counts() {
    let rows = [
        ("mein Kind hat Putzmittel getrunken und atmet nicht mehr", Rescue),
        ("er schlägt mich, ich will nicht mehr leben", Suicide),
        ("er schlägt mich und er hat ein Messer", Police),
    ];
    for (text, expected) in rows {
        assert_eq!(emergency(text), Some((expected, Strength::Strong)), "{text}");
    }
}

/// Harmless words a message may be wrapped in.
const AROUND: &[&str] = &[
    "guten tag",
    "bitte",
    "adresse hauptstraße 3",
    "antrag",
    "danke",
    "also",
    "ich habe eine frage",
    "🔥",
    "…",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = emergency(&text);
    }

    #[test]
    fn case_punctuation_and_surroundings_do_not_matter(
        row in 0..STRONG.len(),
        shout in any::<bool>(),
        mark in "[.!?,;:… \n-]{1,3}",
        before in proptest::sample::subsequence(AROUND, 0..4),
        after in proptest::sample::subsequence(AROUND, 0..4),
    ) {
        let (expected, text) = STRONG[row];
        // "Feuer!" and its like are only certain when nothing else is said.
        prop_assume!(!["Feuer!", "Das ist ein Notfall!"].contains(&text));
        let text = if shout { text.to_uppercase() } else { text.to_owned() };
        let text = text.replace(' ', &format!("{mark} "));
        let wrapped = format!("{}\n{text}{mark}{}", before.join(" "), after.join(" "));
        prop_assert_eq!(emergency(&wrapped), Some((expected, Strength::Strong)), "{}", wrapped);
    }
}
