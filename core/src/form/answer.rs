//! Is an answer valid, and what is its one normal form? Dates become ISO 8601, yes and no `ja` and `nein`,
//! choices their value, number plates "PB-AB 123". A wrong answer names the sentence that helps.

use amtsbote_knowledge::{Field, FieldKind, localized};
use jiff::ToSpan;
use jiff::civil::Date;

/// Longest answer when a field names no limit, in characters.
const DEFAULT_LENGTH: usize = 200;

/// Why an answer is not valid: the key of a sentence, with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Key of the sentence.
    pub key: &'static str,
    /// Values of its placeholders.
    pub values: Vec<(&'static str, String)>,
}

fn invalid(key: &'static str) -> Invalid {
    Invalid { key, values: Vec::new() }
}

/// The normal form of `text` as an answer to `field`.
pub fn validate(field: &Field, text: &str, today: Date) -> Result<String, Invalid> {
    let text = clean(text, field.kind == FieldKind::LongText);
    if text.is_empty() {
        return Err(invalid("invalid.empty"));
    }
    let limit = field.max_length.unwrap_or(DEFAULT_LENGTH);
    if text.chars().count() > limit {
        return Err(Invalid { key: "invalid.too_long", values: vec![("limit", limit.to_string())] });
    }
    match field.kind {
        FieldKind::Text | FieldKind::LongText => Ok(text),
        FieldKind::Name => name(&text),
        FieldKind::Date => {
            parse_date(&text, today).map(|date| date.to_string()).ok_or_else(|| invalid("invalid.date"))
        }
        FieldKind::BirthDate => birth_date(&text, today),
        FieldKind::Number => number(&text, field),
        FieldKind::YesNo => match amtsbote_intents::yes_no(&text) {
            Some(true) => Ok("ja".to_owned()),
            Some(false) => Ok("nein".to_owned()),
            None => Err(invalid("invalid.yes_no")),
        },
        FieldKind::Choice => choice(field, &text).ok_or_else(|| invalid("invalid.choice")),
        FieldKind::Email => email(&text),
        FieldKind::Phone => phone(&text),
        FieldKind::Postcode => postcode(&text),
        FieldKind::Place => {
            if text.chars().filter(|c| c.is_alphabetic()).count() < 3 {
                Err(invalid("invalid.place"))
            } else if field.from_profile.as_deref() == Some("street")
                && !text.contains(|c: char| c.is_ascii_digit())
            {
                Err(invalid("invalid.house_number"))
            } else {
                Ok(text)
            }
        }
        FieldKind::NumberPlate => number_plate(&text),
    }
}

/// Without control and direction characters, with single spaces.
fn clean(text: &str, keep_lines: bool) -> String {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let line = |line: &str| {
        line.chars()
            .filter(|c| !hidden(*c))
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    if keep_lines {
        text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
    } else {
        line(&text.replace('\n', " "))
    }
}

fn name(text: &str) -> Result<String, Invalid> {
    let lower = text.to_lowercase();
    let text = [
        "ich heiße ",
        "ich heisse ",
        "mein name ist ",
        "mein vorname ist ",
        "mein nachname ist ",
        "my name is ",
    ]
    .into_iter()
    .find(|prefix| lower.starts_with(prefix))
    .and_then(|prefix| text.get(prefix.len()..))
    .unwrap_or(text)
    .trim_end_matches(['.', '!'])
    .trim();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let odd = text.chars().any(|c| !(c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.' | 'ʼ')));
    if letters == 0 || odd { Err(invalid("invalid.name")) } else { Ok(text.to_owned()) }
}

fn birth_date(text: &str, today: Date) -> Result<String, Invalid> {
    let date = parse_date(text, today).ok_or_else(|| invalid("invalid.date"))?;
    if date > today {
        return Err(invalid("invalid.birth_date_future"));
    }
    if date < today.saturating_sub(120.years()) {
        return Err(invalid("invalid.birth_date_old"));
    }
    Ok(date.to_string())
}

fn number(text: &str, field: &Field) -> Result<String, Invalid> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '.')).collect();
    let value: i64 = digits.parse().map_err(|_| invalid("invalid.number"))?;
    if field.min.is_some_and(|min| value < min) || field.max.is_some_and(|max| value > max) {
        let bound = |limit: Option<i64>| limit.map_or_else(|| "…".to_owned(), |limit| limit.to_string());
        return Err(Invalid {
            key: "invalid.number_range",
            values: vec![("min", bound(field.min)), ("max", bound(field.max))],
        });
    }
    Ok(value.to_string())
}

/// One of the choices: by number, value, label in any language, synonym, or a sentence that names exactly one.
fn choice(field: &Field, text: &str) -> Option<String> {
    // A citizen who switched the language may answer in either.
    for language in ["de", "en", "de-simple"] {
        let rows: Vec<(&str, &str, &[String])> = field
            .choices
            .iter()
            .map(|option| {
                (option.value.as_str(), localized(&option.label, language), option.synonyms.as_slice())
            })
            .collect();
        if let Some(value) = amtsbote_intents::choice(text, &rows) {
            return Some(value.to_owned());
        }
    }
    let said: Vec<String> = words_of(text);
    let mut named = field.choices.iter().filter(|option| {
        let labels = option.label.values().flat_map(|label| label.split(", "));
        labels
            .chain(option.synonyms.iter().map(String::as_str))
            .map(words_of)
            .any(|name| !name.is_empty() && said.windows(name.len()).any(|part| part == name))
    });
    let first = named.next()?;
    named.next().is_none().then(|| first.value.clone())
}

fn words_of(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

fn email(text: &str) -> Result<String, Invalid> {
    let found = text
        .split_whitespace()
        .map(|word| word.trim_matches(['<', '>', ',', ';', '"', '(', ')']).trim_end_matches('.'))
        .find(|word| word.contains('@'))
        .ok_or_else(|| invalid("invalid.email"))?;
    let (local, domain) = found.rsplit_once('@').ok_or_else(|| invalid("invalid.email"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let good = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && domain.len() <= 253
        && domain.chars().all(host)
        && domain.split('.').count() >= 2
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    if good { Ok(format!("{local}@{}", domain.to_lowercase())) } else { Err(invalid("invalid.email")) }
}

fn phone(text: &str) -> Result<String, Invalid> {
    let mut digits = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => digits.push(c),
            ' ' | '-' | '/' | '(' | ')' | '.' => {}
            _ => return Err(invalid("invalid.phone")),
        }
    }
    let count = digits.trim_start_matches('+').len();
    if (5..=15).contains(&count) { Ok(digits) } else { Err(invalid("invalid.phone")) }
}

fn postcode(text: &str) -> Result<String, Invalid> {
    let digits = text.trim_start_matches("D-").trim();
    let good = digits.len() == 5
        && digits.bytes().all(|b| b.is_ascii_digit())
        // German postcodes run from 01067 to 99998.
        && ("01067"..="99998").contains(&digits);
    if good { Ok(digits.to_owned()) } else { Err(invalid("invalid.postcode")) }
}

/// PB or BÜR, one or two letters, one to four digits, at most eight characters (`services.md` no. 5).
fn number_plate(text: &str) -> Result<String, Invalid> {
    let upper = text.to_uppercase().replace("BUER", "BÜR");
    let kept: String = upper.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).collect();
    let (district, rest) = ["BÜR", "PB"]
        .into_iter()
        .find_map(|district| kept.trim().strip_prefix(district).map(|rest| (district, rest)))
        .ok_or_else(|| invalid("invalid.number_plate_district"))?;
    let compact: String = rest.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters: String = compact.chars().take_while(char::is_ascii_uppercase).collect();
    let digits = &compact[letters.len()..];
    let good = (1..=2).contains(&letters.len())
        && (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
        && district.chars().count() + letters.len() + digits.len() <= 8;
    if good { Ok(format!("{district}-{letters} {digits}")) } else { Err(invalid("invalid.number_plate")) }
}

/// A date as people write it: "12.8.85", "12. August 1985", "1985-08-12", "heute", "morgen".
pub fn parse_date(text: &str, today: Date) -> Option<Date> {
    const MONTHS: [(&str, i8); 24] = [
        ("januar", 1),
        ("jänner", 1),
        ("februar", 2),
        ("märz", 3),
        ("maerz", 3),
        ("april", 4),
        ("mai", 5),
        ("juni", 6),
        ("juli", 7),
        ("august", 8),
        ("september", 9),
        ("oktober", 10),
        ("november", 11),
        ("dezember", 12),
        ("january", 1),
        ("february", 2),
        ("march", 3),
        ("may", 5),
        ("june", 6),
        ("july", 7),
        ("october", 10),
        ("december", 12),
        ("jan", 1),
        ("dez", 12),
    ];
    let lower = text.to_lowercase();
    let lower = lower.trim().trim_end_matches(['.', '!']);
    let lower = ["am ", "ab dem ", "ab ", "den ", "der ", "on ", "seit "]
        .into_iter()
        .find_map(|prefix| lower.strip_prefix(prefix))
        .unwrap_or(lower);
    match lower {
        "heute" | "today" => return Some(today),
        "gestern" | "yesterday" => return today.yesterday().ok(),
        "vorgestern" => return today.checked_sub(2.days()).ok(),
        "morgen" | "tomorrow" => return today.tomorrow().ok(),
        "übermorgen" => return today.checked_add(2.days()).ok(),
        _ => {}
    }
    let words: Vec<&str> =
        lower.split(['.', '/', '-', ' ', ',']).map(str::trim).filter(|word| !word.is_empty()).collect();
    let [first, second, third] = words.as_slice() else { return None };
    let number = |word: &str| -> Option<i16> {
        if word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit()) { word.parse().ok() } else { None }
    };
    let month = |word: &str| -> Option<i8> {
        if let Some(number) = number(word) {
            return i8::try_from(number).ok();
        }
        MONTHS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
    };
    if first.len() == 4 {
        return Date::new(number(first)?, month(second)?, i8::try_from(number(third)?).ok()?).ok();
    }
    let mut year = number(third)?;
    if third.len() == 2 {
        // Two digits mean the past hundred years: nobody files an application for the year 2085.
        year += 2000;
        if year > today.year() + 10 {
            year -= 100;
        }
    } else if third.len() != 4 {
        return None;
    }
    Date::new(year, month(second)?, i8::try_from(number(first)?).ok()?).ok()
}

/// "Hauptstraße 3, 33098 Paderborn" → street, postcode, town.
pub fn place_parts(text: &str) -> Option<(String, String, String)> {
    let text = clean(text, false);
    let start = text.char_indices().find_map(|(at, _)| {
        let rest = &text[at..];
        let code = rest.get(..5)?;
        let free = at == 0 || text[..at].ends_with([' ', ',']);
        (free && code.bytes().all(|b| b.is_ascii_digit()) && rest[5..].starts_with(' ')).then_some(at)
    })?;
    let street = text[..start].trim().trim_end_matches(',').trim();
    let town = text[start + 5..].trim().trim_end_matches('.');
    let good = street.chars().any(char::is_alphabetic)
        && street.chars().any(|c| c.is_ascii_digit())
        && town.chars().count() >= 2
        && town.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '.' | '(' | ')'));
    good.then(|| (street.to_owned(), text[start..start + 5].to_owned(), town.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn field(kind: &str) -> Field {
        let text = format!(
            "id = \"x\"\nkind = \"{kind}\"\nexample = \"\"\n[label]\nde = \"X\"\n[question]\nde = \"X?\"\n"
        );
        toml::from_str(&text).expect("a field")
    }

    fn check(kind: &str, rows: &[(&str, Result<&str, &str>)]) {
        for (text, expected) in rows {
            let got = validate(&field(kind), text, date(2026, 11, 25));
            let got = got.as_deref().map_err(|invalid| invalid.key);
            assert_eq!(got, *expected, "{kind}: {text:?}");
        }
    }

    #[test]
    fn dates_as_people_write_them() {
        check(
            "date",
            &[
                ("12.08.1985", Ok("1985-08-12")),
                ("12.8.85", Ok("1985-08-12")),
                ("1.12.26", Ok("2026-12-01")),
                ("1985-08-12", Ok("1985-08-12")),
                ("12. August 1985", Ok("1985-08-12")),
                ("am 3. märz 2027", Ok("2027-03-03")),
                ("12/8/1985", Ok("1985-08-12")),
                ("heute", Ok("2026-11-25")),
                ("Morgen.", Ok("2026-11-26")),
                ("31.02.2026", Err("invalid.date")),
                ("gleich", Err("invalid.date")),
                ("12.8", Err("invalid.date")),
                ("12.8.198", Err("invalid.date")),
                ("", Err("invalid.empty")),
            ],
        );
        check(
            "birth_date",
            &[
                ("12.08.1985", Ok("1985-08-12")),
                ("1.1.2027", Err("invalid.birth_date_future")),
                ("1.1.1890", Err("invalid.birth_date_old")),
                ("29.02.2024", Ok("2024-02-29")),
            ],
        );
    }

    #[test]
    fn names_mail_numbers_and_plates() {
        check(
            "name",
            &[
                ("Erika", Ok("Erika")),
                ("ich heiße Erika", Ok("Erika")),
                ("Müller-Lüdenscheidt", Ok("Müller-Lüdenscheidt")),
                ("O’Neill", Ok("O’Neill")),
                ("Şahin", Ok("Şahin")),
                ("4711", Err("invalid.name")),
                ("<b>x</b>", Err("invalid.name")),
                ("Er\u{202e}ika", Ok("Erika")),
            ],
        );
        check(
            "email",
            &[
                ("erika@example.org", Ok("erika@example.org")),
                ("meine mail: Erika@Example.ORG.", Ok("Erika@example.org")),
                ("erika@localhost", Err("invalid.email")),
                ("erika.example.org", Err("invalid.email")),
                ("a@b..de", Err("invalid.email")),
            ],
        );
        check(
            "postcode",
            &[("33098", Ok("33098")), ("3309", Err("invalid.postcode")), ("00000", Err("invalid.postcode"))],
        );
        check("number", &[("1.000", Ok("1000")), ("sieben", Err("invalid.number"))]);
        check(
            "phone",
            &[
                ("05251 308-0", Ok("052513080")),
                ("+49 5251/3080", Ok("+4952513080")),
                ("12", Err("invalid.phone")),
            ],
        );
        check("yes_no", &[("ja", Ok("ja")), ("Nein", Ok("nein")), ("vielleicht", Err("invalid.yes_no"))]);
        check(
            "number_plate",
            &[
                ("PB-AB 123", Ok("PB-AB 123")),
                ("pb ab123", Ok("PB-AB 123")),
                ("büra1", Ok("BÜR-A 1")),
                ("HX-A 1", Err("invalid.number_plate_district")),
                ("PB-ABC 1", Err("invalid.number_plate")),
                ("PB-AB 0123", Err("invalid.number_plate")),
                ("BÜR-AB 12345", Err("invalid.number_plate")),
            ],
        );
    }

    #[test]
    fn a_whole_address_is_taken_apart() {
        let parts = |text| place_parts(text);
        assert_eq!(
            parts("Hauptstraße 3, 33098 Paderborn"),
            Some(("Hauptstraße 3".into(), "33098".into(), "Paderborn".into()))
        );
        assert_eq!(
            parts("Am Bogen 12a 33181 Bad Wünnenberg"),
            Some(("Am Bogen 12a".into(), "33181".into(), "Bad Wünnenberg".into()))
        );
        for text in ["Hauptstraße 3", "33098 Paderborn", "Flurstück 12345", ""] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_a_normal_form_stays_as_it_is(text in "\\PC{0,60}", index in 0..13_usize) {
            const KINDS: [&str; 13] = [
                "text", "long_text", "name", "date", "birth_date", "number", "yes_no", "choice", "email", "phone",
                "postcode", "place", "number_plate",
            ];
            let field = field(KINDS[index]);
            let today = date(2026, 11, 25);
            let _ = place_parts(&text);
            if let Ok(normal) = validate(&field, &text, today) {
                prop_assert_eq!(validate(&field, &normal, today), Ok(normal.clone()), "{}", KINDS[index]);
            }
        }
    }
}
