//! Makes what people typed fit for paper: one kind of space, nothing invisible, long words that can break,
//! and a list of what the fonts cannot print. It changes no letter that can be seen, and knows nothing of
//! layout.

use super::world::has_glyph;

/// Longest word that is left whole, in characters; it fits into the narrowest column of the letter.
const LONGEST_WORD: usize = 30;
/// In longer words the line may break after this many characters.
const PIECE: usize = 10;

/// Makes values fit for paper, and remembers what cannot be printed.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    unprintable: String,
    /// What is printed where a character has no shape in the fonts; without it the character stays.
    instead: Option<&'static str>,
}

impl Cleaner {
    /// Prints `instead` for every run of characters that the fonts lack.
    pub(super) fn with_substitute(instead: &'static str) -> Self {
        Self { unprintable: String::new(), instead: Some(instead) }
    }

    /// One line: every run of white space is one space.
    pub(super) fn line(&mut self, value: &str) -> String {
        let cleaned = self.characters(value);
        breakable(&cleaned.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
    }

    /// Lines without the empty ones.
    pub(super) fn lines(&mut self, values: &[String]) -> Vec<String> {
        values.iter().map(|value| self.line(value)).filter(|line| !line.is_empty()).collect()
    }

    /// A paragraph: line breaks within it are kept.
    pub(super) fn paragraph(&mut self, value: &str) -> String {
        let lines: Vec<String> = value.split('\n').map(|line| self.line(line)).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }

    /// Paragraphs without the empty ones.
    pub(super) fn paragraphs(&mut self, values: &[String]) -> Vec<String> {
        values.iter().map(|value| self.paragraph(value)).filter(|text| !text.is_empty()).collect()
    }

    fn characters(&mut self, value: &str) -> String {
        let mut cleaned = String::with_capacity(value.len());
        for character in value.chars() {
            if is_blank(character) {
                // A no-break space holds "20 €" together and stays one.
                cleaned.push(if is_no_break(character) { '\u{a0}' } else { ' ' });
            } else if !is_invisible(character) {
                let character = same_on_paper(character);
                let printable = has_glyph(character);
                if !printable && !self.unprintable.contains(character) {
                    self.unprintable.push(character);
                }
                match self.instead.filter(|_| !printable) {
                    None => cleaned.push(character),
                    Some(instead) if cleaned.ends_with(instead) => {}
                    Some(instead) => cleaned.push_str(instead),
                }
            }
        }
        cleaned
    }

    /// Every character met so far that cannot be printed, each once.
    pub(super) fn unprintable(self) -> Option<String> {
        Some(self.unprintable).filter(|characters| !characters.is_empty())
    }
}

/// White space of any kind at which words end; not the no-break spaces, which are part of a word.
fn is_blank(character: char) -> bool {
    character.is_whitespace() && !is_no_break(character)
}

/// Spaces at which a line does not break.
fn is_no_break(character: char) -> bool {
    matches!(character, '\u{a0}' | '\u{202f}' | '\u{2007}')
}

/// Characters without a shape of their own: controls, direction marks and overrides, joiners, tags, private
/// use. They can make a reader or a search see another text than the eye does.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{10ffff}')
}

/// Another character with the same look, where the fonts lack the one that was written.
fn same_on_paper(character: char) -> char {
    match character {
        '\u{202f}' | '\u{2007}' => '\u{a0}',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{2015}' => '—',
        '\u{2032}' => '’',
        '\u{2033}' => '”',
        'ʾ' => 'ʼ',
        other => other,
    }
}

/// The text with places to break inside very long words, which would else leave the page.
fn breakable(line: &str) -> String {
    let mut result = String::with_capacity(line.len());
    // The line can break by itself after these.
    for word in line.split_inclusive([' ', '-', '–', '/']) {
        let is_long = word.chars().count() > LONGEST_WORD;
        for (index, character) in word.chars().enumerate() {
            if is_long && index > 0 && index % PIECE == 0 {
                result.push('\u{200b}');
            }
            result.push(character);
        }
    }
    result
}
