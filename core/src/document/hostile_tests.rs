//! The gate for files, tried with good and hostile ones. All of them are made here.

use std::io::{Cursor, Write};

use amtsbote_knowledge::DocumentFormat;
use image::{DynamicImage, ImageFormat};
use lopdf::{Dictionary, Object, dictionary};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::inspect::name_for;
use super::{clean_name, inspect};
use crate::error::Error;

const ALL: [DocumentFormat; 4] =
    [DocumentFormat::Pdf, DocumentFormat::Jpeg, DocumentFormat::Png, DocumentFormat::Docx];

fn verdict(name: &str, bytes: &[u8]) -> &'static str {
    match inspect(name, bytes, &ALL, 10) {
        Ok(_) => "good",
        Err(Error::Refused { key, .. }) => key,
        Err(error) => panic!("no refusal: {error}"),
    }
}

fn check_all(cases: Vec<(&str, &str, Vec<u8>, &str)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(what, name, bytes, expected)| {
            let found = verdict(name, &bytes);
            (found != expected).then(|| format!("{what}: {found}, expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn with(bytes: &[u8], more: &[u8]) -> Vec<u8> {
    [bytes, more].concat()
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(40, 30).write_to(&mut bytes, format).expect("encodes");
    bytes.into_inner()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

/// A PNG that claims to be of another size.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// A PDF of one page, made by a library; `change` gets the document and its catalog.
fn made_pdf(modern: bool, change: impl FnOnce(&mut lopdf::Document, &mut Dictionary)) -> Vec<u8> {
    let mut document = lopdf::Document::with_version("1.5");
    let pages = document.new_object_id();
    let text = lopdf::Stream::new(
        Dictionary::new(),
        b"1 0 0 1 50 50 cm BT (/JavaScript is a word) Tj ET\n".repeat(9),
    );
    let text = document.add_object(text);
    let page = document.add_object(dictionary! { "Type" => "Page", "Parent" => pages, "Contents" => text });
    document.set_object(pages, dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 });
    document.compress();
    let mut catalog = dictionary! { "Type" => "Catalog", "Pages" => pages };
    change(&mut document, &mut catalog);
    let catalog = document.add_object(catalog);
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    if modern {
        document.save_modern(&mut bytes).expect("saves");
    } else {
        document.save_to(&mut bytes).expect("saves");
    }
    bytes
}

/// A PDF written by hand, with `more` among its objects.
fn plain_pdf(more: &[u8]) -> Vec<u8> {
    let head = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n\
        <</Type/Pages/Kids[3 0 R]/Count 1>>\n\
        endobj\n3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n";
    [head, more, b"\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"].concat()
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut stream = lopdf::Stream::new(Dictionary::new(), plain.to_vec());
    stream.compress().expect("compresses");
    assert!(stream.dict.has(b"Filter"), "long enough to be worth it");
    stream.content
}

fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("9 0 obj\n<<{dictionary}/Length {}>>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream\nendobj\n"].concat()
}

const OBJECT_STREAM: &str = "/Type/ObjStm/N 2/First 10/Filter/FlateDecode";

/// The content of an object stream with an action in it.
fn acting_objects() -> Vec<u8> {
    let objects = b"11 0 12 40<</S/JavaScript/JS(app.alert(1))        >><</Names[(a) 11 0 R]>>";
    with(objects, &[b' '; 400])
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("starts");
        writer.write_all(content).expect("writes");
    }
    writer.finish().expect("finishes").into_inner()
}

fn docx(more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Types/>"),
        ("word/document.xml", b"<w:document><w:t>Guten Tag</w:t></w:document>"),
    ];
    entries.extend_from_slice(more);
    archive(&entries)
}

fn docx_with_link(attributes: &str) -> Vec<u8> {
    let links = format!(
        "<?xml version='1.0'?>\n<Relationships>\n<Relationship Id=\"r1\" {attributes}/></Relationships>"
    );
    docx(&[("word/_rels/document.xml.rels", links.as_bytes())])
}

#[test]
fn good_files_pass() {
    let jpeg = picture(ImageFormat::Jpeg);
    let link = |kind: &str, target: &str| {
        docx_with_link(&format!(
            "Type=\"http://x/relationships/{kind}\" Target=\"{target}\" TargetMode=\"External\""
        ))
    };
    check_all(vec![
        ("pdf", "a.PDF", made_pdf(false, |_, _| ()), "good"),
        ("pdf with object streams", "a.pdf", made_pdf(true, |_, _| ()), "good"),
        ("pdf by hand", "a.pdf", plain_pdf(b""), "good"),
        ("pdf with padding", "a.pdf", with(&plain_pdf(b""), b"\r\n\0\0\0 "), "good"),
        (
            "pdf with a web address",
            "a.pdf",
            plain_pdf(b"4 0 obj\n<</S/URI/URI(https://example.org/Web/JavaScript)>>\nendobj\n"),
            "good",
        ),
        (
            "object stream without filter",
            "a.pdf",
            plain_pdf(&stream("/Type/ObjStm/N 1/First 5", b"11 0 <<>>")),
            "good",
        ),
        ("jpeg", "a.jpeg", jpeg.clone(), "good"),
        ("jpeg with a second picture", "a.jpg", with(&jpeg, &jpeg), "good"),
        ("jpeg with a film", "a.jpg", with(&jpeg, b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"), "good"),
        ("png", "a.png", picture(ImageFormat::Png), "good"),
        ("docx", "a.docx", docx(&[]), "good"),
        ("docx with a link", "a.docx", link("hyperlink", "https://example.org"), "good"),
        ("docx with its own template", "a.docx", link("attachedTemplate", "file:///C:\\A\\b.dotm"), "good"),
        ("no ending", "Scan 12.3.2025", jpeg, "good"),
    ]);
    let inspected = inspect("a.png", &picture(ImageFormat::Png), &ALL, 1).expect("is good");
    assert_eq!(inspected.format, DocumentFormat::Png);
    assert_eq!(inspected.sha256.len(), 64);
}

#[test]
fn wrong_files_are_told_apart() {
    let (jpeg, png) = (picture(ImageFormat::Jpeg), picture(ImageFormat::Png));
    let encrypted_word =
        with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0");
    check_all(vec![
        ("empty", "a.pdf", Vec::new(), "document.empty"),
        ("too large", "a.pdf", vec![b' '; 10_000_001], "document.too_large"),
        ("no name", "..", jpeg.clone(), "document.bad_name"),
        ("program", "a.exe", b"MZ\x90\0".to_vec(), "document.wrong_type"),
        ("program named pdf", "a.pdf", b"MZ\x90\0".to_vec(), "document.name_mismatch"),
        ("page named png", "a.png", b"<html><script>1</script>".to_vec(), "document.name_mismatch"),
        ("png named jpg", "a.jpg", png.clone(), "document.name_mismatch"),
        ("pdf named exe", "a.pdf.exe", plain_pdf(b""), "document.name_mismatch"),
        ("svg", "a.svg", b"<svg onload='x'/>".to_vec(), "document.wrong_type"),
        ("archive", "a.zip", archive(&[("a.txt", b"x")]), "document.wrong_type"),
        ("archive named docx", "a.docx", archive(&[("a.txt", b"x")]), "document.name_mismatch"),
        (
            "old word named docx",
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            "document.name_mismatch",
        ),
        ("word with password", "a.docx", encrypted_word, "document.encrypted"),
    ]);
    let only_pdf = inspect("a.png", &png, &[DocumentFormat::Pdf, DocumentFormat::Jpeg], 10);
    let Err(Error::Refused { key: "document.wrong_type", values }) = only_pdf else { panic!("{only_pdf:?}") };
    assert_eq!(values, [("allowed", "PDF, JPG".to_owned())]);
    let large = inspect("a.jpg", &vec![0; 2_000_001], &ALL, 2);
    let Err(Error::Refused { key: "document.too_large", values }) = large else { panic!("{large:?}") };
    assert_eq!(values, [("limit", "2".to_owned())]);
}

#[test]
fn hostile_pictures_are_refused() {
    let (jpeg, png) = (picture(ImageFormat::Jpeg), picture(ImageFormat::Png));
    let size = jpeg.windows(2).position(|window| window == [0xff, 0xc0]).expect("has a frame") + 5;
    let mut huge_jpeg = jpeg.clone();
    huge_jpeg[size..size + 4].copy_from_slice(&[0xff, 0xf0, 0xff, 0xf0]);
    let mut flipped = png.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let mut cases = vec![
        ("jpeg of 4 gigapixels", "a.jpg", huge_jpeg, "document.bomb"),
        ("png of 10 gigapixels", "a.png", png_of_size(100_000, 100_000), "document.bomb"),
        ("png just too large", "a.png", png_of_size(50_001, 1_000), "document.bomb"),
        ("png that is larger than its data", "a.png", png_of_size(400, 300), "document.damaged"),
        ("jpeg cut off", "a.jpg", jpeg[..jpeg.len() - 2].to_vec(), "document.damaged"),
        ("jpeg without pixels", "a.jpg", jpeg[..40].to_vec(), "document.damaged"),
        ("png cut off", "a.png", png[..png.len() - 12].to_vec(), "document.damaged"),
        ("png with a changed byte", "a.png", flipped, "document.damaged"),
        (
            "jpeg with a pdf in a comment",
            "a.jpg",
            [&jpeg[..2], b"\xff\xfe\x00\x0a%PDF-1.4", &jpeg[2..]].concat(),
            "document.polyglot",
        ),
    ];
    let zip = archive(&[("a.js", b"alert(1)")]);
    for tail in [
        &plain_pdf(b"")[..],
        &zip,
        b"<HTML><body>",
        b"\0\0<script>alert(1)</script>",
        b"Rar!\x1a\x07\x01\0",
        b"7z\xbc\xaf\x27\x1c\0\0",
        b"MZ\x90\0\x03\0",
        &with(b"\x7fELF\x02\x01\x01", &[0; 60]),
        b"#!/bin/sh\n",
    ] {
        cases.push(("jpeg with a tail", "a.jpg", with(&jpeg, tail), "document.polyglot"));
        cases.push(("png with a tail", "a.png", with(&png, tail), "document.polyglot"));
    }
    check_all(cases);
}

#[test]
fn hostile_pdfs_are_refused() {
    let good = made_pdf(false, |_, _| ());
    let script = || dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") };
    let open = |name: &str, value: Object| {
        let name = name.to_owned();
        made_pdf(false, move |_, catalog| catalog.set(name, value))
    };
    let packed = made_pdf(true, |document, catalog| {
        let action = document.add_object(script());
        catalog.set("OpenAction", action);
    });
    assert!(!packed.windows(10).any(|window| window == b"JavaScript"), "it is hidden in an object stream");
    let zip = archive(&[("a.js", b"alert(1)")]);
    let zip_inside = |tail: &[u8]| with(&plain_pdf(&stream("", &zip)), tail);
    check_all(vec![
        ("script at opening", "a.pdf", open("OpenAction", script().into()), "document.active_content"),
        ("script in an object stream", "a.pdf", packed, "document.active_content"),
        (
            "program start",
            "a.pdf",
            open("AA", dictionary! { "S" => "Launch" }.into()),
            "document.active_content",
        ),
        (
            "form of the XML kind",
            "a.pdf",
            open("AcroForm", dictionary! { "XFA" => 1 }.into()),
            "document.active_content",
        ),
        (
            "attachment",
            "a.pdf",
            open("Names", dictionary! { "EmbeddedFiles" => Object::Array(Vec::new()) }.into()),
            "document.active_content",
        ),
        (
            "attachment without a type",
            "a.pdf",
            open("A", dictionary! { "EF" => 1 }.into()),
            "document.active_content",
        ),
        (
            "film",
            "a.pdf",
            open("A", dictionary! { "Subtype" => "RichMedia" }.into()),
            "document.active_content",
        ),
        (
            "disguised name",
            "a.pdf",
            plain_pdf(b"4 0 obj\n<</S/J#61vaScrip#74>>\nendobj"),
            "document.active_content",
        ),
        (
            "name that looks like an address",
            "a.pdf",
            plain_pdf(b"4 0 obj\n<</https://a/JavaScript 5 0 R>>\nendobj"),
            "document.active_content",
        ),
        (
            "script in a dead revision",
            "a.pdf",
            with(&plain_pdf(b"4 0 obj\n<</S/JavaScript>>\nendobj"), &good),
            "document.active_content",
        ),
        ("encrypted", "a.pdf", plain_pdf(b"4 0 obj\n<</Encrypt 5 0 R>>\nendobj"), "document.encrypted"),
        ("two formats: bytes before", "a.pdf", with(b"GIF89a", &good), "document.polyglot"),
        ("two formats: page after", "a.pdf", with(&good, b"<html><script>1</script>"), "document.polyglot"),
        ("two formats: archive after", "a.pdf", with(&good, &zip), "document.polyglot"),
        ("two formats: archive inside", "a.pdf", zip_inside(b"\n"), "document.polyglot"),
        ("much padding", "a.pdf", with(&good, &[b' '; 2000]), "document.polyglot"),
        ("cut off", "a.pdf", good[..good.len() / 2].to_vec(), "document.damaged"),
        ("head only", "a.pdf", b"%PDF-1.4\n%%EOF".to_vec(), "document.damaged"),
        ("no version", "a.pdf", b"%PDF-\n%%EOF".to_vec(), "document.damaged"),
        (
            "no pages",
            "a.pdf",
            b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n9\n%%EOF".to_vec(),
            "document.damaged",
        ),
    ]);
}

#[test]
fn object_streams_can_hide_nothing() {
    let objects = acting_objects();
    let packed = deflated(&objects);
    let hex: Vec<u8> = objects.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
    let zeros = |count: usize| deflated(&with(b"11 0 <<>>", &vec![b' '; count]));
    let bombs: Vec<u8> = (0..3).flat_map(|_| stream(OBJECT_STREAM, &zeros(20_000_000))).collect();
    let decoy = deflated(&with(b"11 0 12 9 <</A/B>><</C/D>>", &[b' '; 400]));
    let active = "document.active_content";
    check_all(vec![
        ("plainly said", "a.pdf", plain_pdf(&stream(OBJECT_STREAM, &packed)), active),
        ("not packed", "a.pdf", plain_pdf(&stream("/Type/ObjStm/N 2/First 10", &objects)), active),
        ("without a type", "a.pdf", plain_pdf(&stream("/N 2/First 10/Filter/FlateDecode", &packed)), active),
        (
            "disguised type",
            "a.pdf",
            plain_pdf(&stream("/Type/Obj#53tm/N 2/First 10/Filter[/FlateDecode]", &packed)),
            active,
        ),
        (
            "in hexadecimal",
            "a.pdf",
            plain_pdf(&stream("/Type/ObjStm/N 2/First 10/Filter/ASCIIHexDecode", &hex)),
            active,
        ),
        (
            "in hexadecimal and packed",
            "a.pdf",
            plain_pdf(&stream(
                "/Type/ObjStm/N 2/First 10/Filter[/FlateDecode/ASCIIHexDecode]",
                &deflated(&hex),
            )),
            active,
        ),
        (
            "unknown packing",
            "a.pdf",
            plain_pdf(&stream("/Type/ObjStm/N 2/First 10/Filter/LZWDecode", b"\x80\x0b")),
            active,
        ),
        (
            "type elsewhere",
            "a.pdf",
            plain_pdf(&with(
                b"8 0 obj\n/ObjStm\nendobj\n",
                &stream("/Type 8 0 R/N 2/First 10/Filter/FlateDecode", &packed),
            )),
            active,
        ),
        ("announced and missing", "a.pdf", plain_pdf(b"8 0 obj\n<</Type/ObjStm>>\nendobj\n"), active),
        (
            "a decoy in a comment",
            "a.pdf",
            plain_pdf(
                &[
                    b"8 0 obj\n<</Type/ObjStm%>>stream\n",
                    &decoy[..],
                    b"\n/Filter/LZWDecode>>\nstream\n\x80endstream\nendobj\n",
                ]
                .concat(),
            ),
            active,
        ),
        (
            "a decoy in a text",
            "a.pdf",
            plain_pdf(
                &[
                    b"8 0 obj\n<</Type/ObjStm/A(>>stream\n",
                    &decoy[..],
                    b")/Filter/LZWDecode>>\nstream\n\x80endstream\nendobj\n",
                ]
                .concat(),
            ),
            active,
        ),
        ("harmless", "a.pdf", plain_pdf(&stream(OBJECT_STREAM, &decoy)), "good"),
        (
            "one that inflates",
            "a.pdf",
            plain_pdf(&stream(OBJECT_STREAM, &zeros(51_000_000))),
            "document.bomb",
        ),
        ("three that inflate together", "a.pdf", plain_pdf(&bombs), "document.bomb"),
        (
            "a picture that inflates",
            "a.pdf",
            plain_pdf(&stream("/Filter/FlateDecode", &deflated(&vec![0; 60_000_000]))),
            "good",
        ),
    ]);
}

#[test]
fn hostile_word_documents_are_refused() {
    let good = docx(&[]);
    let zeros = vec![0; 60_000_000];
    let noise: Vec<u8> =
        (0..3_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x3f).collect();
    let parts: Vec<String> = (0..1001).map(|number| format!("word/media/{number}.txt")).collect();
    let many: Vec<(&str, &[u8])> = parts.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let heavy: Vec<(&str, &[u8])> = many[..20].iter().map(|(name, _)| (*name, &noise[..])).collect();
    let mut encrypted = good.clone();
    encrypted[6] |= 1;
    let directory = encrypted.windows(4).position(|window| window == b"PK\x01\x02").expect("has one");
    encrypted[directory + 8] |= 1;
    let mut broken = good.clone();
    let text = docx(&[("word/media/a.txt", b"unmistakable")]);
    broken[60] ^= 0x55;
    let wide: Vec<u8> =
        "<?xml version='1.0' encoding='utf-16'?><x/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let link = |attributes: &str| docx_with_link(attributes);
    let active = "document.active_content";
    check_all(vec![
        ("macros", "a.docx", docx(&[("word/vbaProject.bin", b"x")]), active),
        ("macros elsewhere", "a.docx", docx(&[("Word\\VBAPROJECT2.bin", b"x")]), active),
        (
            "macro type",
            "a.docx",
            archive(&[
                (
                    "[Content_Types].xml",
                    b"<Types ContentType='application/vnd.ms-word.document.macroEnabled.main+xml'/>",
                ),
                ("word/document.xml", b"<d/>"),
            ]),
            active,
        ),
        ("embedded object", "a.docx", docx(&[("word/embeddings/oleObject1.bin", b"x")]), active),
        ("embedded sheet", "a.docx", docx(&[("word/embeddings/a.xlsx", &good)]), active),
        ("control", "a.docx", docx(&[("word/activeX/activeX1.xml", b"<x/>")]), active),
        (
            "template from the web",
            "a.docx",
            link("Type='http://x/attachedTemplate' Target='https://evil/a.dotm' TargetMode='External'"),
            active,
        ),
        (
            "template from a share",
            "a.docx",
            link("Type='http://x/attachedTemplate' Target='file:///\\\\evil\\a.dotm' TargetMode='External'"),
            active,
        ),
        (
            "object from outside",
            "a.docx",
            link("TargetMode = \"External\" Type=\"http://x/oleObject\" Target=\"http://evil/a\""),
            active,
        ),
        (
            "picture from outside",
            "a.docx",
            link("Type=\"http://x/image\" Target=\"http://evil/a.png\" TargetMode=\"External\""),
            active,
        ),
        (
            "disguised mode",
            "a.docx",
            link("Type=\"http://x/image\" Target=\"a\" TargetMode=\"&#69;xternal\""),
            active,
        ),
        ("foreign text", "a.docx", link("Type=\"http://x/aFChunk\" Target=\"a.html\""), active),
        ("entities", "a.docx", docx(&[("word/styles.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>")]), active),
        ("another encoding", "a.docx", docx(&[("word/styles.xml", &wide)]), active),
        (
            "declared encoding",
            "a.docx",
            docx(&[("word/styles.xml", b"<?xml version='1.0' encoding='utf-7'?><x/>")]),
            active,
        ),
        (
            "command field",
            "a.docx",
            docx(&[("word/header1.xml", b"<w:instrText>DDEAUTO c:\\x</w:instrText>")]),
            active,
        ),
        ("encrypted", "a.docx", encrypted, "document.encrypted"),
        ("bomb", "a.docx", docx(&[("word/media/a.bin", &zeros)]), "document.bomb"),
        ("dense", "a.docx", docx(&[("word/media/a.bin", &zeros[..2_000_000])]), "document.bomb"),
        ("heavy", "a.docx", docx(&heavy), "document.bomb"),
        ("many", "a.docx", docx(&many), "document.bomb"),
        ("nested", "a.docx", docx(&[("word/media/a.png", &good)]), "document.bomb"),
        ("archive after", "a.docx", with(&good, &good), "document.polyglot"),
        ("page after", "a.docx", with(&good, b"<html>"), "document.polyglot"),
        (
            "pdf inside",
            "a.docx",
            archive(&[("%PDF-1.4", b"x"), ("word/document.xml", b"<x/>")]),
            "document.polyglot",
        ),
        ("cut off", "a.docx", good[..good.len() - 30].to_vec(), "document.damaged"),
        ("changed byte", "a.docx", broken, "document.damaged"),
        ("no text", "a.docx", archive(&[("[Content_Types].xml", b"<x/>")]), "document.name_mismatch"),
        ("control: a harmless part", "a.docx", text, "good"),
    ]);
}

#[test]
fn names_are_cleaned() {
    let long = format!("{}.pdf", "ä".repeat(200));
    for (name, expected) in [
        ("Ausweis.pdf", "Ausweis.pdf"),
        ("  Mein   Ausweis.pdf ", "Mein Ausweis.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\a\\Scan.PDF", "Scan.PDF"),
        ("a\u{202e}fdp.exe.pdf", "afdp.exe.pdf"),
        ("a\u{200b}\u{feff}\0\n b.pdf", "a b.pdf"),
        (".htaccess", "htaccess"),
        ("a<b>:\"|?*.pdf", "a_b______.pdf"),
        ("Grüße 日本 😀.pdf", "Grüße 日本 😀.pdf"),
        (long.as_str(), &format!("{}.pdf", "ä".repeat(116))),
    ] {
        assert_eq!(clean_name(name).expect("is a name"), expected, "{name:?}");
    }
    for name in ["", "/", "a/", "..", " . ", "\u{202e}", "\0"] {
        assert!(matches!(clean_name(name), Err(Error::Refused { key: "document.bad_name", .. })), "{name:?}");
    }
    for (name, expected) in
        [("a.pdf", "a.pdf"), ("Scan 12.3.2025", "Scan 12.3.2025.pdf"), ("image", "image.pdf")]
    {
        assert_eq!(name_for(name, DocumentFormat::Pdf).expect("is a name"), expected);
    }
    let cut = name_for(&"x".repeat(300), DocumentFormat::Docx).expect("is a name");
    assert!(cut.ends_with("x.docx") && cut.chars().count() == 120, "{cut}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_makes_it_panic(
        seed in 0_usize..6,
        cut in 0.0..1.2_f64,
        changes in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
        insert in prop::option::of((0.0..1.0_f64, prop::collection::vec(any::<u8>(), 1..40))),
    ) {
        let mut bytes = match seed {
            0 => made_pdf(false, |_, _| ()),
            1 => made_pdf(true, |_, _| ()),
            2 => plain_pdf(&stream(OBJECT_STREAM, &deflated(&acting_objects()))),
            3 => picture(ImageFormat::Jpeg),
            4 => picture(ImageFormat::Png),
            _ => docx(&[]),
        };
        let place = |share: f64, length: usize| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                reason = "a place in a small file")]
            let place = (share * length as f64) as usize;
            place.min(length)
        };
        for (share, byte) in changes {
            let at = place(share, bytes.len() - 1);
            bytes[at] = byte;
        }
        if let Some((share, more)) = insert {
            let at = place(share, bytes.len());
            bytes.splice(at..at, more);
        }
        bytes.truncate(place(cut, bytes.len()));
        for name in ["a.pdf", "a.jpg", "a.png", "a.docx", "a"] {
            let answer = inspect(name, &bytes, &ALL, 1);
            let is_answer = matches!(answer, Ok(_) | Err(Error::Refused { .. }));
            prop_assert!(is_answer);
        }
    }

    #[test]
    fn no_name_makes_it_panic_and_clean_names_stay(name in "\\PC{0,300}|[ -~]{0,300}") {
        if let Ok(clean) = clean_name(&name) {
            prop_assert!(clean.chars().count() <= 120);
            prop_assert_eq!(&clean_name(&clean).expect("is a name"), &clean);
        }
    }
}
