//! What happens to a sentence on its way through a keyboard or a dictation: it makes training sentences as people
//! really send them. Deterministic: the same seed gives the same copies. It invents no words.

/// Neighbours on a German keyboard, by letter.
const KEYS: [(&str, &str); 30] = [
    ("q", "wa"),
    ("w", "qes"),
    ("e", "wrd"),
    ("r", "etf"),
    ("t", "rzg"),
    ("z", "tuh"),
    ("u", "zij"),
    ("i", "uok"),
    ("o", "ipl"),
    ("p", "oüö"),
    ("ü", "pö"),
    ("a", "sqy"),
    ("s", "adw"),
    ("d", "sfe"),
    ("f", "dgr"),
    ("g", "fht"),
    ("h", "gjz"),
    ("j", "hku"),
    ("k", "jli"),
    ("l", "köo"),
    ("ö", "läp"),
    ("ä", "öü"),
    ("y", "xa"),
    ("x", "ycs"),
    ("c", "xvd"),
    ("v", "cbf"),
    ("b", "vng"),
    ("n", "bmh"),
    ("m", "nj"),
    ("ß", "s"),
];

/// What dictation and quick writing make of frequent words.
const SPOKEN: [(&str, &str); 26] = [
    ("ist", "is"),
    ("nicht", "nich"),
    ("ich", "ick"),
    ("habe", "hab"),
    ("möchte", "möcht"),
    ("eine", "ne"),
    ("einen", "nen"),
    ("ein", "n"),
    ("das", "dat"),
    ("was", "wat"),
    ("auf", "uff"),
    ("kann", "kan"),
    ("muss", "mus"),
    ("und", "u"),
    ("für", "fürn"),
    ("mein", "main"),
    ("meine", "meina"),
    ("wie", "wi"),
    ("brauche", "brauch"),
    ("dass", "das"),
    ("seit", "seid"),
    ("kriege", "krieg"),
    ("wo", "wohin"),
    ("gibt", "gibts"),
    ("haben", "ham"),
    ("etwas", "was"),
];

/// A small generator of pseudo-random numbers (splitmix64): repeatable, and good enough for slips of the finger.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// True in `percent` of all rolls.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A copy of `text` as a hurried person would type or dictate it. `strength` counts up: 0 is a light copy, each
/// step adds slips.
pub(super) fn noisy(text: &str, strength: usize, dice: &mut Dice) -> String {
    let lower = text.to_lowercase();
    let mut words: Vec<String> = lower.split_whitespace().map(str::to_owned).collect();
    for word in &mut words {
        if dice.chance(25)
            && let Some((_, spoken)) = SPOKEN.iter().find(|(written, _)| written == word)
        {
            (*spoken).clone_into(word);
        }
    }
    if words.len() > 3 && dice.chance(20) {
        words.remove(dice.below(words.len()));
    }
    // A missing space, and with it one word of the sentence.
    if words.len() > 1 && dice.chance(15) {
        let place = dice.below(words.len() - 1);
        let joined = words.remove(place + 1);
        words[place].push_str(&joined);
    }
    let text = words.join(" ");
    let text = match dice.below(8) {
        0 => text.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss"),
        1 => text.replace('ä', "a").replace('ö', "o").replace('ü', "u").replace('ß', "s"),
        _ => text,
    };
    slips(&text, 3 + 5 * strength, dice)
}

/// Drops, doubles, swaps and mistypes about `percent` of the letters.
fn slips(text: &str, percent: usize, dice: &mut Dice) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut typed = String::with_capacity(text.len() + 8);
    let mut place = 0;
    while let Some(&letter) = letters.get(place) {
        place += 1;
        if !letter.is_alphabetic() || !dice.chance(percent) {
            typed.push(letter);
            continue;
        }
        match dice.below(4) {
            0 => {}
            1 => typed.push(neighbour(letter, dice)),
            2 => {
                if let Some(&next) = letters.get(place) {
                    typed.push(next);
                    place += 1;
                }
                typed.push(letter);
            }
            _ => typed.extend([letter, letter]),
        }
    }
    typed
}

fn neighbour(letter: char, dice: &mut Dice) -> char {
    let mut buffer = [0; 4];
    let key: &str = letter.encode_utf8(&mut buffer);
    let near: Vec<char> = KEYS
        .iter()
        .find(|(known, _)| *known == key)
        .map(|(_, near)| near.chars().collect())
        .unwrap_or_default();
    if near.is_empty() { letter } else { near[dice.below(near.len())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_copies() {
        let copies = |seed| {
            let mut dice = Dice::new(seed);
            (0..5)
                .map(|strength| noisy("Ich möchte mein Auto ummelden", strength, &mut dice))
                .collect::<Vec<_>>()
        };
        assert_eq!(copies(7), copies(7));
        assert_ne!(copies(7), copies(8));
    }

    #[test]
    fn a_copy_can_still_be_read() {
        let mut dice = Dice::new(1);
        for _ in 0..200 {
            let copy = noisy("Wo melde ich einen Hund an, der gefährlich ist?", 1, &mut dice);
            assert!(copy.chars().count() > 25, "{copy}");
        }
        assert_eq!(noisy("", 3, &mut dice), "");
    }
}
