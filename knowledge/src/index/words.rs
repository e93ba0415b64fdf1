//! Words of free text: spelling, stems, likeness of two words. It knows nothing of services; the search in
//! `index.rs` judges with it, on both sides in the same way.

use std::collections::BTreeSet;
use std::fmt;

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter,
    TextAnalyzer, TextAnalyzerBuilder, TokenStream,
};

/// Longest word that is looked at, in bytes; nobody types longer ones on purpose.
const LONGEST: usize = 60;

/// Words without meaning that the lists of tantivy lack.
const STOP: &str = "\
    dass beim wurde wurden worden gibt geht gehen gerne gern mal bitte danke hallo hi hey ja nein ok \
    okay schon mehr wer wann wohin woher warum dafür darf dürfen sollen müssen möchte möchten würden \
    somebody someone jemand jemandem jemanden niemand niemanden irgendwer irgendjemand would like please";

/// Words that belong to every request: they tell nothing about which service is meant.
const GENERIC: &str = "\
    brauche brauchen benötige kriege kriegen bekomme bekommen beantragen beantrage beantragt antrag \
    anträge stellen stelle mache macht tun hole holen geben sagen sagt weiss wissen frage fragen \
    hilfe helfen formular termin amt ämter behörde kreis kreises kreisverwaltung paderborn stadt \
    büro online internet digital handy computer kosten kostet gebühr gebühren preis teuer geld euro \
    dauer dauert lang lange frist unterlagen dokumente papiere anmelden melden abgelaufen abläuft \
    gültig neu neuen alt alten gut guten tag morgen abend schnell sofort heute woche wochen jahr \
    jahre monat infos information auskunft zuständig kommen kommt lassen finden finde suche suchen \
    schicken bestellen bestellt ausstellen abholen bringen mitbringen mann frau kind kinder mutter \
    vater tochter sohn oma opa chef leute wohne haus hause zuhause need want apply get cost much \
    office help new old neue neuer neues alte alter altes nächste nächsten letzte letzten herr \
    meldung beantragung brauch möglich eigene eigener eigenes eigentlich überhaupt where";

/// Beginnings of words that turn a request towards another service than the one that is named: "Kennzeichen
/// gestohlen". They are compared before stemming, which makes one word of "verlängern" and "verlangen".
const TURNING: &str = "\
    verloren verlust gestohlen geklaut diebstahl kaputt defekt ersatz verläng änder geänder widerspruch \
    klage abmeld abgemeldet ummeld umgemeldet umschreib umgeschrieben stornier kündig gekündigt \
    zurückgeb beschwerde bussgeld punkte entzug entzogen prüfung fahrschul international öffnungszeit \
    telefonnummer lost stolen renew cancel complain";

/// Splits text into stems.
pub(super) struct Words {
    analyzer: TextAnalyzer,
    generic: BTreeSet<String>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").finish_non_exhaustive()
    }
}

impl Words {
    pub(super) fn new() -> Self {
        let analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(LONGEST))
            .filter(LowerCaser)
            .filter_dynamic(StopWordFilter::remove(STOP.split_whitespace().map(str::to_owned)));
        let analyzer = [Language::German, Language::English]
            .into_iter()
            .filter_map(StopWordFilter::new)
            .fold(analyzer, TextAnalyzerBuilder::filter_dynamic)
            .filter_dynamic(Stemmer::new(Language::German))
            .filter_dynamic(AsciiFoldingFilter)
            .build();
        let mut words = Self { analyzer, generic: BTreeSet::new() };
        words.generic = words.stems(GENERIC).into_iter().collect();
        words
    }

    /// The stems of a text, in its order, without stop words. Hyphens separate.
    pub(super) fn stems(&self, text: &str) -> Vec<String> {
        let mut analyzer = self.analyzer.clone();
        let spelled = spelled(text);
        let mut stream = analyzer.token_stream(&spelled);
        let mut stems = Vec::new();
        stream.process(&mut |token| stems.push(token.text.clone()));
        stems
    }

    /// The stems of what a person typed. `Führer-Schein` is one word if `known` has it in one piece.
    pub(super) fn typed(&self, text: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut stems = Vec::new();
        for piece in text.split_whitespace() {
            let joined = piece.replace(['-', '‐', '‑', '·', '\u{ad}'], "");
            match self.stems(&joined).as_slice() {
                [stem] if joined.len() != piece.len() && known(stem) => stems.push(stem.clone()),
                _ => stems.extend(self.stems(&piece.replace('\u{ad}', ""))),
            }
        }
        stems
    }

    /// Whether a stem tells nothing about the service: numbers and words of every request.
    pub(super) fn is_generic(&self, stem: &str) -> bool {
        stem.chars().count() < 2 || stem.chars().all(|c| c.is_ascii_digit()) || self.generic.contains(stem)
    }

    /// The stems of those words that turn the request towards something else.
    pub(super) fn turning(&self, text: &str) -> Vec<String> {
        let spelled = spelled(text);
        spelled
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| TURNING.split_whitespace().any(|beginning| word.starts_with(beginning)))
            .flat_map(|word| self.stems(word))
            .collect()
    }
}

/// One spelling for `ä` and `ae`, `ß` and `ss`; the stemmer then makes `a` of both. After a vowel or `q` the
/// two letters are no umlaut: "neue", "Steuer", "bequem".
fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut letters = text.chars().flat_map(char::to_lowercase).filter(|c| *c != '\u{ad}').peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let umlaut = match letter {
            'a' => 'ä',
            'o' => 'ö',
            'u' => 'ü',
            _ => letter,
        };
        if letter == 'ß' {
            spelled.push_str("ss");
        } else if umlaut != letter && letters.peek() == Some(&'e') && !"aeiouq".contains(before) {
            letters.next();
            spelled.push(umlaut);
        } else {
            spelled.push(letter);
        }
        before = letter;
    }
    spelled
}

/// The trigrams of a stem, with its beginning and end marked: `_ka kar art rt_`.
pub(super) fn trigrams(stem: &str) -> Vec<String> {
    let letters: Vec<char> = std::iter::once('_').chain(stem.chars()).chain(std::iter::once('_')).collect();
    letters.windows(3).map(|window| window.iter().collect()).collect()
}

/// How alike two stems are, 0 to 1: 1 = equal, at least 0.85 = a typing error apart, less = the one is the
/// beginning or the end of the other (German compounds), by the share of its length.
pub(super) fn alike(one: &str, other: &str) -> f32 {
    if one == other {
        return 1.0;
    }
    let (one_len, other_len) = (one.chars().count(), other.chars().count());
    let ((short, short_len), (long, long_len)) = if one_len <= other_len {
        ((one, one_len), (other, other_len))
    } else {
        ((other, other_len), (one, one_len))
    };
    let slips = match long_len {
        0..=5 => 0,
        6..=8 => 1,
        _ => 2,
    };
    // In short words another first letter is mostly another word: Hund, Mund.
    let same_start = long_len > 8 || short.chars().next() == long.chars().next();
    if slips > 0 && same_start && long_len - short_len <= slips && are_close(short, long, slips) {
        return if slips == 1 { 0.9 } else { 0.85 };
    }
    // What follows a name mostly leaves it what it is (…antrag); what stands before it makes another thing
    // of it (Tiergesundheitszeugnis).
    let most = if short_len >= 5 && long.starts_with(short) {
        0.84
    } else if short_len >= 6 && long.ends_with(short) {
        0.6
    } else {
        return 0.0;
    };
    share(short_len, long_len).min(most)
}

/// `part` of `whole`, for small numbers.
pub(super) fn share(part: usize, whole: usize) -> f32 {
    small(part) / small(whole).max(1.0)
}

/// A small count as a number to reckon with.
pub(super) fn small(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Which letters a word has, each as a bit; different letters may share one.
fn letters(word: &str) -> u64 {
    word.chars().fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 64))
}

/// Whether at most so many slips lie between two words; two neighbours that changed places are one slip (optimal
/// string alignment). Most pairs of words end at a glance: every message is compared with every known word.
fn are_close(one: &str, other: &str, slips: usize) -> bool {
    // A slip takes one letter away and puts one in at most.
    if (letters(one) ^ letters(other)).count_ones() as usize > slips * 2 {
        return false;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = Vec::with_capacity(other.len() + 1);
        row.push(i);
        for j in 1..=other.len() {
            let replaced = above[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        // What comes next builds on the last two rows.
        if row.iter().chain(&above).all(|distance| *distance > slips) {
            return false;
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()] <= slips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umlauts_are_one_word_in_every_spelling() {
        let words = Words::new();
        for spelling in ["Führerscheine", "fuehrerschein", "FUHRERSCHEIN", "Führerscheins"] {
            assert_eq!(words.stems(spelling), ["fuhrerschein"], "{spelling}");
        }
        assert_eq!(words.stems("Straße"), words.stems("strasse"));
        assert_eq!(words.stems("grauer"), words.stems("grauen"));
        assert_eq!(spelled("Bequeme neue Steuer, Frau Mueller"), "bequeme neue steuer, frau müller");
        assert_eq!(words.stems("Ich möchte für dich das und über"), Vec::<String>::new());
    }

    #[test]
    fn hyphens_of_easy_language_are_joined_if_the_word_is_known() {
        let words = Words::new();
        let known = |stem: &str| stem == "fuhrerschein";
        assert_eq!(words.typed("Führer-Schein", known), ["fuhrerschein"]);
        assert_eq!(words.typed("Führer·Schein", known), ["fuhrerschein"]);
        assert_eq!(words.typed("PB-AB", known), ["pb", "ab"]);
    }

    #[test]
    fn words_that_turn_a_request() {
        let words = Words::new();
        assert_eq!(words.turning("Änderungsantrag, bitte verlängern!").len(), 2);
        assert!(words.turning("Die Bank verlangt eine andere Karte").is_empty());
    }

    #[test]
    fn likeness_of_words() {
        for (one, other, least, most) in [
            ("karte", "karte", 1.0, 1.0),
            ("wunschkennzeich", "wunschkenzeich", 0.85, 0.9),
            ("flurkart", "flukrart", 0.9, 0.9),
            ("hund", "mund", 0.0, 0.0),
            ("kuchen", "suchen", 0.0, 0.0),
            ("ausweis", "personalausweis", 0.4, 0.5),
            ("schwerbehindertenausweis", "schwerbehindertenausweisantrag", 0.8, 0.84),
            ("gesundheitszeugnis", "tiergesundheitszeugnis", 0.6, 0.6),
            ("platz", "plate", 0.0, 0.0),
            ("schwarz", "schwatz", 0.9, 0.9),
            ("liegenschaft", "leigenschfat", 0.85, 0.85),
            ("liegenschaft", "leigenshcfat", 0.0, 0.0),
            ("führerschein", "führersc", 0.5, 0.67),
            ("mull", "mulltonn", 0.0, 0.0),
            ("wett", "heirat", 0.0, 0.0),
        ] {
            let found = alike(one, other);
            assert!((least..=most).contains(&found), "{one} {other}: {found}");
            assert!(
                (alike(other, one) - found).abs() < f32::EPSILON,
                "{one} {other}: not the same both ways"
            );
        }
    }

    #[test]
    fn trigrams_mark_both_ends() {
        assert_eq!(trigrams("gdb"), ["_gd", "gdb", "db_"]);
        assert_eq!(trigrams(""), Vec::<String>::new());
    }
}
