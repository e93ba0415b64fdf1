//! From a text to numbered features: words, character n-grams, pairs of neighbours, and a consonant skeleton that is
//! the same for "heute", "heit" and "hait". It knows no word of any language and keeps no state.

use std::collections::BTreeMap;

/// So many words of a text are read; more say nothing about what it asks for.
const MOST_WORDS: usize = 120;
/// Longest part of a word that is read, in characters.
const LONGEST_WORD: usize = 40;
/// Longest character n-gram of a word with its borders.
const LONGEST_GRAM: usize = 5;
/// Stands for the beginning and the end of a word.
const BORDER: char = '#';

/// Kinds of features, so that "in" as a word and "in" as a part of a word differ.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    Word = 1,
    Gram,
    Skeleton,
    SkeletonGram,
    Pair,
    SkeletonPair,
    First,
    FirstSkeleton,
}

/// A feature is the hash of its kind and letters; 32 bits keep the few hundred thousand that occur apart.
pub(super) type FeatureId = u32;

/// The features of a text with how often each occurs, in ascending order of their ids.
pub(super) fn features(text: &str) -> Vec<(FeatureId, f32)> {
    let words = words(text);
    if words.is_empty() {
        return Vec::new();
    }
    let skeletons: Vec<Vec<char>> = words.iter().map(|word| skeleton(word)).collect();
    let mut ids: Vec<FeatureId> = Vec::with_capacity(words.len() * 40);
    for (word, bones) in words.iter().zip(&skeletons) {
        ids.push(hash(Kind::Word, word));
        grams(Kind::Gram, word, 1, LONGEST_GRAM, &mut ids);
        ids.push(hash(Kind::Skeleton, bones));
        grams(Kind::SkeletonGram, bones, 2, 3, &mut ids);
    }
    pairs(Kind::Pair, &words, &mut ids);
    pairs(Kind::SkeletonPair, &skeletons, &mut ids);
    if let (Some(word), Some(bones)) = (words.first(), skeletons.first()) {
        ids.push(hash(Kind::First, word));
        ids.push(hash(Kind::FirstSkeleton, bones));
    }
    ids.sort_unstable();
    let mut counted: Vec<(FeatureId, f32)> = Vec::with_capacity(ids.len());
    for id in ids {
        match counted.last_mut() {
            Some((last, count)) if *last == id => *count += 1.0,
            Some(_) | None => counted.push((id, 1.0)),
        }
    }
    counted
}

/// The words in small letters; umlauts stay, "ß" is "ss", every number is "0", marks that only change the order or
/// cannot be seen are dropped.
fn words(text: &str) -> Vec<Vec<char>> {
    let mut words: Vec<Vec<char>> = vec![Vec::new()];
    for letter in text.chars().filter(|letter| !is_invisible(*letter)).flat_map(char::to_lowercase) {
        if words.len() > MOST_WORDS {
            break;
        }
        let Some(word) = words.last_mut() else { break };
        match letter {
            'ß' => word.extend(['s', 's']),
            digit if digit.is_numeric() => {
                if word.last() != Some(&'0') {
                    word.push('0');
                }
            }
            letter if letter.is_alphanumeric() => {
                if word.len() < LONGEST_WORD {
                    word.push(letter);
                }
            }
            // A mark on the letter before ("u" + "¨"), as some keyboards send it.
            '\u{308}' => {
                if let Some(last) = word.last_mut() {
                    *last = match *last {
                        'a' => 'ä',
                        'o' => 'ö',
                        'u' => 'ü',
                        other => other,
                    };
                }
            }
            '\u{300}'..='\u{36f}' => {}
            _ => {
                if !word.is_empty() {
                    words.push(Vec::new());
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words.truncate(MOST_WORDS);
    words
}

/// Zero-width signs, marks of direction and soft hyphens: they hide words from a reader, not from a person.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The consonants of a word as they sound, after its first letter: dialects and hurried fingers change vowels,
/// hardness and doubling far more often than anything else.
fn skeleton(word: &[char]) -> Vec<char> {
    let mut bones: Vec<char> = Vec::with_capacity(word.len());
    let mut place = 0;
    while place < word.len() {
        let rest = &word[place..];
        let (sound, width) = match rest {
            ['s', 'c', 'h', ..] => ('S', 3),
            ['c', 'h', ..] => ('X', 2),
            ['c', 'k', ..] => ('k', 2),
            ['t', 'z', ..] => ('z', 2),
            ['p', 'h', ..] => ('f', 2),
            ['d' | 't', 't' | 'h', ..] => ('t', 2),
            [letter, ..] => (sound(*letter), 1),
            [] => break,
        };
        place += width;
        let first = bones.is_empty();
        let silent = matches!(sound, 'a' | 'e' | 'i' | 'o' | 'u' | 'h');
        if first || (!silent && bones.last() != Some(&sound)) {
            bones.push(sound);
        }
    }
    bones
}

/// The letter that a letter sounds like.
fn sound(letter: char) -> char {
    match letter {
        'ä' | 'á' | 'à' | 'â' | 'å' => 'a',
        'ö' | 'ó' | 'ò' | 'ô' => 'o',
        'ü' | 'ú' | 'ù' | 'û' => 'u',
        'ë' | 'é' | 'è' | 'ê' => 'e',
        'ï' | 'y' | 'í' | 'ì' | 'î' => 'i',
        'b' => 'p',
        'd' => 't',
        'g' | 'c' => 'k',
        'v' | 'w' => 'f',
        other => other,
    }
}

fn grams(kind: Kind, word: &[char], shortest: usize, longest: usize, ids: &mut Vec<FeatureId>) {
    let at = |place: usize| if place == 0 || place == word.len() + 1 { BORDER } else { word[place - 1] };
    for start in 0..word.len() + 2 {
        let mut state = begin(kind);
        for length in 1..=longest.min(word.len() + 2 - start) {
            state = step(state, at(start + length - 1));
            if length >= shortest {
                ids.push(finish(state));
            }
        }
    }
}

/// Neighbouring words, with the beginning and the end of the text as neighbours too.
fn pairs(kind: Kind, words: &[Vec<char>], ids: &mut Vec<FeatureId>) {
    let empty: &[char] = &[];
    for place in 0..=words.len() {
        let left = place.checked_sub(1).and_then(|left| words.get(left)).map_or(empty, Vec::as_slice);
        let right = words.get(place).map_or(empty, Vec::as_slice);
        let state = left.iter().fold(begin(kind), |state, letter| step(state, *letter));
        let state = right.iter().fold(step(state, BORDER), |state, letter| step(state, *letter));
        ids.push(finish(state));
    }
}

fn hash(kind: Kind, word: &[char]) -> FeatureId {
    finish(word.iter().fold(begin(kind), |state, letter| step(state, *letter)))
}

/// FNV-1a over 64 bits, folded to 32: the same on every machine, unlike the standard library's hash.
fn begin(kind: Kind) -> u64 {
    step(0xcbf2_9ce4_8422_2325, char::from(kind as u8))
}

fn step(state: u64, letter: char) -> u64 {
    (state ^ u64::from(u32::from(letter))).wrapping_mul(0x0000_0100_0000_01b3)
}

fn finish(state: u64) -> FeatureId {
    let mixed = (state ^ (state >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(mixed >> 32).unwrap_or_default()
}

/// In how many of `texts` each feature occurs.
pub(super) fn document_frequencies(texts: &[Vec<(FeatureId, f32)>]) -> BTreeMap<FeatureId, u32> {
    let mut counts = BTreeMap::new();
    for (id, _) in texts.iter().flatten() {
        *counts.entry(*id).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bones(word: &str) -> String {
        skeleton(&word.chars().collect::<Vec<_>>()).into_iter().collect()
    }

    #[test]
    fn the_skeleton_survives_dialect_and_double_letters() {
        for (left, right) in [
            ("heute", "heit"),
            ("wecker", "weker"),
            ("straße", "strasse"),
            ("termin", "dermin"),
            ("schule", "schui"),
        ] {
            let read = |word: &str| words(word).first().map(|word| skeleton(word)).unwrap_or_default();
            let (left, right): (String, String) = (read(left).iter().collect(), read(right).iter().collect());
            assert!(left.starts_with(&right) || right == left, "{left} {right}");
        }
        assert_eq!(bones("abmelden"), "apmltn");
    }

    #[test]
    fn what_cannot_be_seen_changes_nothing() {
        let seen = features("Führerschein verloren");
        assert_eq!(features("Fu\u{308}hrer\u{200b}schein \u{202e}verloren\u{feff}"), seen);
        assert_eq!(features("führerschein, VERLOREN!"), seen);
    }

    #[test]
    fn strange_texts_have_few_or_no_features() {
        assert!(features("").is_empty());
        assert!(features("👍👍 … \u{0} \u{7f}").is_empty());
        assert!(features(&"ß".repeat(100_000)).len() < 1_000);
        assert!(features(&"auto ".repeat(20_000)).len() < 200);
    }
}
