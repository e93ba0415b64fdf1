//! What is made up: people, their papers, and arbitrary numbers that are the same every time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use amtsbote_core::person::Profile;
use serde::Deserialize;

/// An arbitrary number below `below`, the same every time.
pub fn draw(index: u32, what: &str, below: usize) -> usize {
    let mut state = u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in what.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }
    state ^= state >> 31;
    usize::try_from(state % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or(0)
}

/// An arbitrary one of these, the same every time.
pub fn drawn<'a>(index: u32, what: &str, from: &[&'a str]) -> &'a str {
    from.get(draw(index, what, from.len())).copied().unwrap_or_default()
}

#[derive(Deserialize)]
struct People {
    person: Vec<MadeUp>,
}

#[derive(Deserialize)]
struct MadeUp {
    id: String,
    #[serde(flatten)]
    attributes: BTreeMap<String, String>,
}

/// A made-up person. Every fourth case belongs to one of those of the demo login, so that they see something.
pub fn made_up(index: u32, year: i16) -> (String, Profile) {
    if index % 4 == 1 {
        let people = toml::from_str::<People>(include_str!("../../../demo/people.toml"));
        let mut people = people.map(|people| people.person).unwrap_or_default();
        if !people.is_empty() {
            let person = people.swap_remove(usize::try_from(index / 4).unwrap_or(0) % people.len());
            return (person.id, Profile(person.attributes));
        }
    }
    let given = drawn(
        index,
        "given",
        &[
            "Anna",
            "Burak",
            "Clara",
            "Dmitri",
            "Elif",
            "Franz",
            "Greta",
            "Hassan",
            "Ingrid",
            "Jürgen",
            "Katharina",
            "Luca",
            "Margarete",
            "Nikola",
            "Oksana",
            "Peter",
            "Renate",
            "Samir",
            "Tatjana",
            "Ulrich",
            "Wilhelm",
            "Zofia",
        ],
    );
    let family = drawn(
        index,
        "family",
        &[
            "Muster",
            "Beispiel",
            "Probe",
            "Demofeld",
            "Musterkamp",
            "Beispielmeier",
            "Probst-Muster",
            "Exempel",
            "Mustermann",
            "Demirdemo",
            "Vorlagowski",
            "Platzhalter",
        ],
    );
    let (postcode, city) = [
        ("33098", "Paderborn"),
        ("33142", "Büren"),
        ("33129", "Delbrück"),
        ("33154", "Salzkotten"),
        ("33165", "Lichtenau"),
        ("33175", "Bad Lippspringe"),
        ("33181", "Bad Wünnenberg"),
        ("33178", "Borchen"),
        ("33184", "Altenbeken"),
        ("33161", "Hövelhof"),
    ][draw(index, "city", 10)];
    let street =
        drawn(index, "street", &["Musterweg", "Beispielgasse", "Am Probeweg", "Demostraße", "Musterallee"]);
    let age = i16::try_from(19 + draw(index, "age", 62)).unwrap_or(40);
    let birth_date =
        format!("{}-{:02}-{:02}", year - age, 1 + draw(index, "month", 12), 1 + draw(index, "day", 28));
    let attributes = [
        ("given_name", given.to_owned()),
        ("family_name", family.to_owned()),
        ("birth_date", birth_date),
        ("birth_place", "Musterstadt".to_owned()),
        ("street", format!("{street} {}", 1 + draw(index, "number", 90))),
        ("postcode", postcode.to_owned()),
        ("city", city.to_owned()),
        ("email", format!("person{index}@example.org")),
    ];
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (format!("demo-{index}"), Profile(attributes))
}

/// One page that says that it is made up.
pub fn pdf(index: u32) -> Vec<u8> {
    let text = format!("BT /F1 18 Tf 72 720 Td (Demonstration: erfundene Unterlage {index}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = String::new();
    for (number, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = file.len();
    let _ = write!(
        file,
        "xref\n0 {0}\n0000000000 65535 f \n{table}trailer\n<< /Size {0} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    file.into_bytes()
}

/// A small picture of two colours.
pub fn png(index: u32) -> Vec<u8> {
    const SIDE: u8 = 64;
    let shade = u8::try_from(index % 200).unwrap_or(0);
    let mut raw = Vec::new();
    for row in 0..SIDE {
        raw.push(0);
        raw.extend(
            (0..SIDE).flat_map(|column| if row > column { [shade, 120, 90] } else { [230, 230, 220] }),
        );
    }
    let (a, b) = raw.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let length = u16::try_from(raw.len()).unwrap_or(u16::MAX);
    let mut packed = vec![0x78, 0x01, 0x01];
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(raw);
    packed.extend(((b << 16) | a).to_be_bytes());
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let head = [0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 2, 0, 0, 0];
    for (kind, body) in [(b"IHDR", head.as_slice()), (b"IDAT", packed.as_slice()), (b"IEND", [].as_slice())] {
        file.extend(u32::try_from(body.len()).unwrap_or(0).to_be_bytes());
        let part = [kind.as_slice(), body].concat();
        file.extend(&part);
        let sum = part.iter().fold(u32::MAX, |sum, byte| {
            (0..8)
                .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        });
        file.extend((!sum).to_be_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use amtsbote_core::document::inspect;
    use amtsbote_knowledge::DocumentFormat;

    #[test]
    fn the_made_up_files_are_accepted() {
        assert!(inspect("Demo.pdf", &pdf(7), &[DocumentFormat::Pdf], 1).is_ok());
        assert!(inspect("Demo.png", &png(7), &[DocumentFormat::Png], 1).is_ok());
    }
}
