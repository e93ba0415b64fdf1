//! Brings what people type into one plain form, so that the word lists need each word only once: small
//! letters, "ae" for "ä", no punctuation, no drawn-out letters. It also says when two words are the same
//! but for a slip of the finger. It does not stem, translate or understand anything.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

/// So many characters of a message are looked at; the rest can't change what the person means, and a
/// hostile text can't keep the machine busy.
pub const LOOKED_AT: usize = 2_000;

/// Signs that stand for a word of their own and therefore survive.
const SPEAKING_SIGNS: [char; 7] = ['👍', '👎', '👌', '✅', '❌', '✔', '✖'];

/// Words that are one letter away from an important one and yet mean something else.
static REAL_WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let list = parse_words(include_str!("../examples/words.toml")).unwrap_or_default();
    list.real_words.iter().map(|word| normalise(word)).collect()
});

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    real_words: Vec<String>,
}

fn parse_words(text: &str) -> Result<Words, toml::de::Error> {
    toml::from_str(text)
}

/// The beginning of `text`, at most [`LOOKED_AT`] characters.
pub fn clip(text: &str) -> &str {
    text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end])
}

/// The end of `text`, at most [`LOOKED_AT`] characters; `None` if [`clip`] already covers all of it.
pub fn clipped_tail(text: &str) -> Option<&str> {
    let seen = clip(text).len();
    if seen == text.len() {
        return None;
    }
    let start = text.char_indices().rev().nth(LOOKED_AT - 1).map_or(0, |(start, _)| start);
    Some(&text[start.max(seen)..])
}

/// The plain form of the first [`LOOKED_AT`] characters: words in small letters with one space between them.
///
/// Umlauts become "ae", "oe", "ue", "ß" becomes "ss", other marks on letters are dropped, as are
/// punctuation and apostrophes; a letter that stands three times or more in a row stands once.
pub fn normalise(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(LOOKED_AT * 2));
    for letter in clip(text).chars() {
        fold(letter, &mut folded);
    }
    let mut plain = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        push_shortened(word, &mut plain);
    }
    plain
}

/// The words of [`normalise`].
pub fn tokens(text: &str) -> Vec<String> {
    normalise(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether `said` is `word`, allowing one slip (a letter wrong, missing, too many, or two swapped).
///
/// The slip is forgiven in words of six letters and more; two swapped letters also in words of five. The
/// first letter must be right ("trennt" is not "brennt"), and a known real word is never a slip.
pub fn similar(word: &str, said: &str) -> bool {
    if word == said {
        return true;
    }
    // Looked at for every word of every list: what can't be a slip leaves before anything is compared.
    if word.len().abs_diff(said.len()) > 4 || word.len() < 5 || word.chars().next() != said.chars().next() {
        return false;
    }
    let (left, right) = differing_middles(word, said);
    let is_close = match word.chars().count() {
        0..=4 => false,
        5 => are_swapped(left, right),
        _ => are_swapped(left, right) || (left.chars().count() <= 1 && right.chars().count() <= 1),
    };
    is_close
        && word.chars().all(char::is_alphabetic)
        && said.chars().all(char::is_alphabetic)
        && !REAL_WORDS.contains(said)
}

/// What is left of two words without their common beginning and end.
fn differing_middles<'a>(left: &'a str, right: &'a str) -> (&'a str, &'a str) {
    let same: usize =
        left.chars().zip(right.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (left, right) = (&left[same..], &right[same..]);
    let same: usize = left
        .chars()
        .rev()
        .zip(right.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (&left[..left.len() - same], &right[..right.len() - same])
}

/// Whether these are two letters in one and in the other order.
fn are_swapped(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.chars(), right.chars());
    match (left.next(), left.next(), left.next()) {
        (Some(first), Some(second), None) => {
            (right.next(), right.next(), right.next()) == (Some(second), Some(first), None)
        }
        _ => false,
    }
}

/// Appends the plain form of one character.
fn fold(letter: char, plain: &mut String) {
    // A combining diaeresis (the way Apple writes "ä") turns the vowel before it into the umlaut.
    if letter == '\u{308}' {
        if plain.ends_with(['a', 'o', 'u']) {
            plain.push('e');
        }
        return;
    }
    if is_dropped(letter) {
        return;
    }
    if SPEAKING_SIGNS.contains(&letter) {
        plain.extend([' ', letter, ' ']);
        return;
    }
    for small in unwiden(letter).to_lowercase() {
        match small {
            'ä' | 'æ' => plain.push_str("ae"),
            'ö' | 'œ' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            '\u{307}' => {}
            other if other.is_alphanumeric() => plain.push(without_mark(other)),
            _ => plain.push(' '),
        }
    }
}

/// Apostrophes, invisible characters, accents and vowel signs that stand alone.
fn is_dropped(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '’' | '‘' | 'ʼ' | '`' | '´'
            | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}'
            | '\u{300}'..='\u{36f}'
            | '\u{640}' | '\u{64b}'..='\u{652}' | '\u{670}'
    )
}

/// The common form of a full-width letter ("Ａ") or of an Arabic digit.
fn unwiden(letter: char) -> char {
    let code = u32::from(letter);
    let common = match code {
        0xFF01..=0xFF5E => code - 0xFF01 + 0x21,
        0x0660..=0x0669 => code - 0x0660 + 0x30,
        0x06F0..=0x06F9 => code - 0x06F0 + 0x30,
        _ => code,
    };
    char::from_u32(common).unwrap_or(letter)
}

/// The letter without its accent, hook or dot, so that a hurried "sprzatac" equals "sprzątać".
fn without_mark(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => 'e',
        'ğ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' => 'o',
        'ś' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ț' => 't',
        'ù' | 'ú' | 'û' => 'u',
        'ý' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ё' => 'е',
        'й' => 'и',
        'ї' => 'і',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ة' => 'ه',
        'ک' => 'ك',
        other => other,
    }
}

/// Appends `word` with drawn-out letters ("jaaaa") shortened to one. Digits stay: 111 is a number.
fn push_shortened(word: &str, plain: &mut String) {
    let letters: Vec<char> = word.chars().collect();
    for run in letters.chunk_by(|a, b| a == b) {
        let drawn_out = run.len() >= 3 && run[0].is_alphabetic();
        plain.extend(if drawn_out { &run[..1] } else { run });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_forms() {
        let rows = [
            ("", ""),
            ("   ", ""),
            ("Hallo!", "hallo"),
            ("Grüße aus Köln", "gruesse aus koeln"),
            ("GROẞE STRAẞE", "grosse strasse"),
            ("a\u{308}rger", "aerger"),
            ("Hiiiiilfe!!!", "hilfe"),
            ("Jaaaa", "ja"),
            ("Brennnessel", "brenessel"),
            ("0800 1110111", "0800 1110111"),
            ("geht's noch", "gehts noch"),
            ("don’t", "dont"),
            ("Rettungsdienst-Rechnung", "rettungsdienst rechnung"),
            ("👍🏽", "👍"),
            ("ok👍", "ok 👍"),
            ("İSTANBUL", "istanbul"),
            ("wyjdź stąd", "wyjdz stad"),
            ("Ёлка", "елка"),
            ("حَريق", "حريق"),
            ("٢", "2"),
            ("Ｈｉｌｆｅ", "hilfe"),
            ("he\u{200b}lp", "help"),
            ("13.8.1985", "13 8 1985"),
        ];
        for (text, expected) in rows {
            assert_eq!(normalise(text), expected, "{text}");
        }
    }

    #[test]
    fn slips_of_the_finger() {
        let rows = [
            ("brennt", "brennt", true),
            ("brennt", "brent", true),
            ("brennt", "brnent", true),
            ("brennt", "brenntt", true),
            ("brennt", "bremnt", true),
            ("brennt", "trennt", false),
            ("brennt", "rennt", false),
            ("nicht", "nciht", true),
            ("brennen", "brenen", true),
            ("brennen", "brennnen", true),
            ("brennen", "brneenn", false),
            ("brennt", "brentn", true),
            ("nicht", "recht", false),
            ("nicht", "nich", false),
            ("bewusstlos", "bewustlos", true),
            ("bewusstlos", "bewustlo", false),
            ("erschossen", "erschlossen", false),
            ("kind", "kidn", false),
            ("ähnlich", "", false),
        ];
        for (word, said, expected) in rows {
            assert_eq!(similar(word, said), expected, "{word} / {said}");
        }
    }

    #[test]
    fn long_texts_are_clipped() {
        let long = "ä".repeat(5_000);
        assert_eq!(clip(&long).chars().count(), LOOKED_AT);
        assert_eq!(clipped_tail(&long).map(|tail| tail.chars().count()), Some(LOOKED_AT));
        assert_eq!(clipped_tail("kurz"), None);
        let a_bit_more = "x".repeat(LOOKED_AT + 3);
        assert_eq!(clipped_tail(&a_bit_more), Some("xxx"));
    }

    #[test]
    fn the_word_list_can_be_read() {
        let words = parse_words(include_str!("../examples/words.toml")).expect("words.toml is valid");
        assert!(!words.real_words.is_empty());
    }
}
