//! Checks a finished letter for what PDF/UA-1 and PDF/A-2a ask for and a machine can see: tags, title,
//! language, headings, tables, fonts, metadata, no active content. It is written apart from the program
//! that makes the files, so that one does not repeat the other's mistakes. It does not judge looks,
//! contrast or wording, and it does not replace a full validator.

use std::collections::{BTreeMap, BTreeSet};

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId};

/// Most bytes that one page's drawing commands may unpack to; a letter needs some ten thousand.
const LARGEST_PAGE: usize = 20_000_000;
/// Deepest nesting of tags and objects that is followed.
const DEEPEST: usize = 100;

/// What a file claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// ISO 14289-1, for people with and without aids.
    PdfUa1,
    /// ISO 19005-2, level A, for long keeping.
    PdfA2a,
}

/// What is wrong or missing, one sentence each for the operator; empty = everything was found.
pub fn check(pdf: &[u8], expected: Standard) -> Vec<String> {
    match Document::load_mem(pdf) {
        Ok(document) => {
            let mut check = Check { document: &document, found: Vec::new() };
            check.all(expected);
            check.found
        }
        Err(error) => vec![format!("the file is not a readable PDF: {error}")],
    }
}

struct Check<'a> {
    document: &'a Document,
    found: Vec<String>,
}

/// What a walk through the tags has seen.
#[derive(Default)]
struct Tags {
    /// Levels of the headings, in the order of reading.
    headings: Vec<u32>,
    /// Numbers of the marked pieces of content that a tag owns, for each page.
    owned: BTreeMap<ObjectId, BTreeSet<i64>>,
    /// Tags that were visited; a second visit is a loop.
    visited: BTreeSet<ObjectId>,
    /// Header cells of the table that is being walked; `None` outside of tables.
    header_cells: Option<usize>,
}

impl<'a> Check<'a> {
    fn all(&mut self, expected: Standard) {
        let Ok(catalog) = self.document.catalog() else {
            self.report("the document catalog is missing");
            return;
        };
        self.catalog(catalog);
        let tags = self.structure(catalog);
        self.headings(&tags.headings);
        self.pages(catalog, &tags.owned);
        self.fonts();
        self.metadata(catalog, expected);
        self.no_active_content();
    }

    fn report(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.found.contains(&sentence) {
            self.found.push(sentence);
        }
    }

    /// The value of `key`, with references followed.
    fn get(&self, dictionary: &'a Dictionary, key: &str) -> Option<&'a Object> {
        self.resolve(dictionary.get(key.as_bytes()).ok()?)
    }

    fn resolve(&self, object: &'a Object) -> Option<&'a Object> {
        self.document.dereference(object).ok().map(|(_, object)| object).filter(|object| !object.is_null())
    }

    fn dictionary(&self, dictionary: &'a Dictionary, key: &str) -> Option<&'a Dictionary> {
        dictionary_of(self.get(dictionary, key)?)
    }

    fn name(&self, dictionary: &'a Dictionary, key: &str) -> Option<String> {
        let name = self.get(dictionary, key)?.as_name().ok()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    fn is_true(&self, dictionary: Option<&'a Dictionary>, key: &str) -> bool {
        dictionary
            .and_then(|dictionary| self.get(dictionary, key))
            .is_some_and(|value| matches!(value, Object::Boolean(true)))
    }

    fn catalog(&mut self, catalog: &'a Dictionary) {
        let mark_info = self.dictionary(catalog, "MarkInfo");
        if !self.is_true(mark_info, "Marked") {
            self.report("MarkInfo/Marked is not true");
        }
        if self.is_true(mark_info, "Suspects") {
            self.report("MarkInfo/Suspects is true");
        }
        let language = self.get(catalog, "Lang").and_then(|lang| lang.as_str().ok()).unwrap_or_default();
        if !language.eq_ignore_ascii_case(b"de-DE") {
            self.report("the language (Lang) is not de-DE");
        }
        if self.document.is_encrypted() {
            self.report("the file is encrypted");
        }
    }

    fn structure(&mut self, catalog: &'a Dictionary) -> Tags {
        let mut tags = Tags::default();
        let Some(root) = self.dictionary(catalog, "StructTreeRoot") else {
            self.report("the structure tree (StructTreeRoot) is missing");
            return tags;
        };
        if self.dictionary(root, "ParentTree").is_none() {
            self.report("StructTreeRoot/ParentTree is missing");
        }
        let roles = self.dictionary(root, "RoleMap");
        match root.get(b"K") {
            Ok(children) => self.tag(children, None, roles, &mut tags, 0),
            Err(_) => self.report("the structure tree is empty"),
        }
        tags
    }

    /// Walks one entry of a tag's children: a tag, a list of them, or a piece of content on `page`.
    fn tag(
        &mut self,
        child: &'a Object,
        page: Option<ObjectId>,
        roles: Option<&'a Dictionary>,
        tags: &mut Tags,
        depth: usize,
    ) {
        if depth > DEEPEST {
            self.report("the structure tree is nested too deeply");
            return;
        }
        let is_loop = child.as_reference().is_ok_and(|id| !tags.visited.insert(id));
        if is_loop {
            self.report("a tag occurs twice in the structure tree");
            return;
        }
        match self.resolve(child) {
            Some(Object::Array(children)) => {
                for child in children {
                    self.tag(child, page, roles, tags, depth + 1);
                }
            }
            Some(Object::Integer(number)) => own(tags, page, *number),
            Some(Object::Dictionary(tag)) => {
                let page = tag.get(b"Pg").and_then(Object::as_reference).ok().or(page);
                match tag.get(b"MCID").and_then(Object::as_i64) {
                    Ok(number) => own(tags, page, number),
                    Err(_) if tag.has_type(b"OBJR") => {}
                    Err(_) => self.element(tag, page, roles, tags, depth),
                }
            }
            _ => self.report("the structure tree has an entry that is no tag"),
        }
    }

    fn element(
        &mut self,
        tag: &'a Dictionary,
        page: Option<ObjectId>,
        roles: Option<&'a Dictionary>,
        tags: &mut Tags,
        depth: usize,
    ) {
        let role = self.role(tag, roles);
        let outer_table = tags.header_cells;
        match role.as_str() {
            "H1" | "H2" | "H3" | "H4" | "H5" | "H6" => {
                tags.headings.push(role[1..].parse().unwrap_or(1));
            }
            "Table" => tags.header_cells = Some(0),
            "TH" => {
                tags.header_cells = tags.header_cells.map(|count| count + 1);
                if !self.has_scope(tag) {
                    self.report("a table header cell (TH) has no Scope");
                }
            }
            "Figure" | "Formula"
                if self.get(tag, "Alt").is_none() && self.get(tag, "ActualText").is_none() =>
            {
                self.report(format!("a picture ({role}) has no alternative text"));
            }
            other if !STANDARD_ROLES.contains(&other) => {
                self.report(format!("the tag {other} is not mapped to a standard tag"));
            }
            _ => {}
        }
        if let Ok(children) = tag.get(b"K") {
            self.tag(children, page, roles, tags, depth + 1);
        }
        if role == "Table" {
            if tags.header_cells == Some(0) {
                self.report("a table has no header cell (TH)");
            }
            tags.header_cells = outer_table;
        }
    }

    /// The standard role of a tag, after the file's own table of roles.
    fn role(&self, tag: &'a Dictionary, roles: Option<&'a Dictionary>) -> String {
        let mut role = self.name(tag, "S").unwrap_or_default();
        for _ in 0..10 {
            match roles.and_then(|roles| self.name(roles, &role)) {
                Some(mapped) if mapped != role => role = mapped,
                _ => break,
            }
        }
        role
    }

    fn has_scope(&self, cell: &'a Dictionary) -> bool {
        let is_scope = |attributes: &'a Object| {
            self.resolve(attributes)
                .and_then(dictionary_of)
                .and_then(|attributes| self.name(attributes, "Scope"))
                .is_some_and(|scope| matches!(scope.as_str(), "Row" | "Column" | "Both"))
        };
        match self.get(cell, "A") {
            Some(Object::Array(entries)) => entries.iter().any(is_scope),
            Some(entry) => is_scope(entry),
            None => false,
        }
    }

    fn headings(&mut self, levels: &[u32]) {
        match levels.first() {
            None => self.report("there is no heading"),
            Some(1) => {}
            Some(level) => self.report(format!("the first heading is H{level}, not H1")),
        }
        for pair in levels.windows(2) {
            if pair[1] > pair[0] + 1 {
                self.report(format!("heading levels jump from H{} to H{}", pair[0], pair[1]));
            }
        }
    }
}

impl<'a> Check<'a> {
    fn pages(&mut self, catalog: &'a Dictionary, owned: &BTreeMap<ObjectId, BTreeSet<i64>>) {
        let pages: Vec<ObjectId> = self.document.page_iter().collect();
        if pages.is_empty() {
            self.report("there is no page");
        }
        let outline = self.dictionary(catalog, "Outlines").is_some_and(|outline| outline.has(b"First"));
        if pages.len() > 3 && !outline {
            self.report("more than three pages, but no bookmarks (Outlines)");
        }
        let nothing = BTreeSet::new();
        for (index, page) in pages.into_iter().enumerate() {
            self.page(index + 1, page, owned.get(&page).unwrap_or(&nothing));
        }
    }

    /// Every mark on the page belongs to a tag or is an artifact.
    fn page(&mut self, number: usize, page: ObjectId, owned: &BTreeSet<i64>) {
        let content = self
            .document
            .get_page_content_with_limit(page, LARGEST_PAGE)
            .and_then(|bytes| Content::decode_strict(&bytes));
        let Ok(content) = content else {
            self.report(format!("page {number}: the drawing commands are not readable"));
            return;
        };
        let properties = self.properties(page);
        let mut open: Vec<Mark> = Vec::new();
        for operation in &content.operations {
            match operation.operator.as_str() {
                "BMC" | "BDC" => open.push(mark(operation, properties)),
                "EMC" => {
                    let begun = open.pop();
                    if begun.is_none() {
                        self.report(format!("page {number}: marked content ends that has not begun"));
                    }
                }
                operator if DRAWING.contains(&operator) => {
                    let tagged = open.iter().any(|mark| match mark {
                        Mark::Artifact => true,
                        Mark::Tagged(id) => owned.contains(id),
                        Mark::Other => false,
                    });
                    if !tagged {
                        self.report(format!("page {number}: content without a tag ({operator})"));
                    }
                }
                _ => {}
            }
        }
        if !open.is_empty() {
            self.report(format!("page {number}: marked content does not end"));
        }
    }

    fn properties(&self, page: ObjectId) -> Option<&'a Dictionary> {
        let page = self.document.get_dictionary(page).ok()?;
        self.dictionary(self.dictionary(page, "Resources")?, "Properties")
    }

    fn fonts(&mut self) {
        let mut count = 0;
        for object in self.document.objects.values() {
            let Some(font) = dictionary_of(object).filter(|font| font.has_type(b"Font")) else { continue };
            let subtype = self.name(font, "Subtype").unwrap_or_default();
            // The descendants are judged with the font that they belong to.
            if subtype.starts_with("CIDFont") {
                continue;
            }
            count += 1;
            if !matches!(self.get(font, "ToUnicode"), Some(Object::Stream(_))) {
                self.report(format!("a font ({subtype}) has no ToUnicode table"));
            }
            if subtype != "Type3" && !self.is_embedded(font) {
                self.report(format!("a font ({subtype}) is not embedded"));
            }
        }
        if count == 0 {
            self.report("there is no font");
        }
    }

    fn is_embedded(&self, font: &'a Dictionary) -> bool {
        let described = match self.get(font, "DescendantFonts") {
            Some(Object::Array(fonts)) => {
                fonts.first().and_then(|font| self.resolve(font)).and_then(dictionary_of)
            }
            _ => Some(font),
        };
        described.and_then(|font| self.dictionary(font, "FontDescriptor")).is_some_and(|descriptor| {
            ["FontFile", "FontFile2", "FontFile3"].iter().any(|key| self.get(descriptor, key).is_some())
        })
    }

    fn metadata(&mut self, catalog: &'a Dictionary, expected: Standard) {
        let Some(Object::Stream(stream)) = self.get(catalog, "Metadata") else {
            self.report("the XMP metadata are missing");
            return;
        };
        if stream.dict.has(b"Filter") {
            self.report("the XMP metadata are compressed");
        }
        let bytes = stream.get_plain_content_with_limit(LARGEST_PAGE).unwrap_or_default();
        let xmp = String::from_utf8_lossy(&bytes);
        let title = element(&xmp, "dc:title").and_then(|title| element(title, "rdf:li")).unwrap_or_default();
        if title.trim().is_empty() {
            self.report("the title (dc:title) is missing");
        }
        let claims: &[(&str, &str)] = match expected {
            Standard::PdfUa1 => &[("pdfuaid:part", "1")],
            Standard::PdfA2a => &[("pdfaid:part", "2"), ("pdfaid:conformance", "A")],
        };
        for (name, value) in claims {
            if property(&xmp, name) != Some(*value) {
                self.report(format!("the XMP metadata do not say {name} = {value}"));
            }
        }
        match expected {
            Standard::PdfUa1 => self.shows_title(catalog),
            Standard::PdfA2a => self.archive(catalog),
        }
    }

    /// The window of the reader shows the title, not the name of the file.
    fn shows_title(&mut self, catalog: &'a Dictionary) {
        if !self.is_true(self.dictionary(catalog, "ViewerPreferences"), "DisplayDocTitle") {
            self.report("ViewerPreferences/DisplayDocTitle is not true");
        }
    }

    /// What only the long-term format asks for: defined colours and an identity.
    fn archive(&mut self, catalog: &'a Dictionary) {
        let intents = self.get(catalog, "OutputIntents").and_then(|intents| intents.as_array().ok());
        let profile = intents.into_iter().flatten().any(|intent| {
            self.resolve(intent)
                .and_then(dictionary_of)
                .is_some_and(|intent| self.get(intent, "DestOutputProfile").is_some())
        });
        if !profile {
            self.report("the colour profile (OutputIntents) is missing");
        }
        if !self.document.trailer.has(b"ID") {
            self.report("the file identifier (ID) is missing");
        }
    }

    fn no_active_content(&mut self) {
        let document = self.document;
        let mut seen = BTreeSet::new();
        for object in document.objects.values() {
            active(object, &mut seen, 0);
        }
        for what in seen {
            self.report(format!("active or embedded content: {what}"));
        }
    }
}

/// Standard structure types of PDF 1.7 that a letter may have; headings, tables' header cells and pictures
/// are looked at one by one.
const STANDARD_ROLES: [&str; 32] = [
    "Document",
    "Part",
    "Art",
    "Sect",
    "Div",
    "BlockQuote",
    "Caption",
    "TOC",
    "TOCI",
    "Index",
    "NonStruct",
    "Private",
    "P",
    "H",
    "L",
    "LI",
    "Lbl",
    "LBody",
    "TR",
    "TD",
    "THead",
    "TBody",
    "TFoot",
    "Span",
    "Quote",
    "Note",
    "Reference",
    "BibEntry",
    "Code",
    "Link",
    "Annot",
    "Form",
];

/// Commands that leave marks on the page.
const DRAWING: [&str; 18] =
    ["Tj", "TJ", "'", "\"", "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "BI", "EI", "ID"];

/// What a piece of marked content is.
enum Mark {
    /// Decoration, running header or footer.
    Artifact,
    /// Claims to belong to the tag that owns this number.
    Tagged(i64),
    /// Neither, e.g. a span with a language.
    Other,
}

fn mark(operation: &Operation, properties: Option<&Dictionary>) -> Mark {
    let is_artifact =
        operation.operands.first().and_then(|tag| tag.as_name().ok()) == Some(b"Artifact".as_slice());
    if is_artifact {
        return Mark::Artifact;
    }
    let attributes = match operation.operands.get(1) {
        Some(Object::Dictionary(attributes)) => Some(attributes),
        Some(Object::Name(name)) => {
            properties.and_then(|all| all.get(name).ok()).and_then(|entry| entry.as_dict().ok())
        }
        _ => None,
    };
    match attributes.and_then(|attributes| attributes.get(b"MCID").ok()).map(Object::as_i64) {
        Some(Ok(number)) => Mark::Tagged(number),
        _ => Mark::Other,
    }
}

fn own(tags: &mut Tags, page: Option<ObjectId>, number: i64) {
    if let Some(page) = page {
        tags.owned.entry(page).or_default().insert(number);
    }
}

/// The dictionary of an object that is one, or is a stream.
fn dictionary_of(object: &Object) -> Option<&Dictionary> {
    match object {
        Object::Dictionary(dictionary) => Some(dictionary),
        Object::Stream(stream) => Some(&stream.dict),
        _ => None,
    }
}

/// Collects what can run, reach out or carry another file.
fn active(object: &Object, seen: &mut BTreeSet<String>, depth: usize) {
    const KEYS: [&str; 9] =
        ["JS", "JavaScript", "OpenAction", "AA", "EmbeddedFiles", "EF", "AF", "XFA", "RichMediaContent"];
    const ACTIONS: [&str; 8] =
        ["JavaScript", "Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition", "Movie"];
    if depth > DEEPEST {
        seen.insert("nesting that hides things".to_owned());
        return;
    }
    if let Object::Array(entries) = object {
        for entry in entries {
            active(entry, seen, depth + 1);
        }
    }
    for (key, value) in dictionary_of(object).into_iter().flatten() {
        let key = String::from_utf8_lossy(key);
        let value_name = value.as_name().map(String::from_utf8_lossy).unwrap_or_default();
        if KEYS.contains(&key.as_ref()) {
            seen.insert(key.into_owned());
        } else if (key == "S" && ACTIONS.contains(&value_name.as_ref()))
            || (key == "Type" && matches!(value_name.as_ref(), "EmbeddedFile" | "Filespec"))
        {
            seen.insert(value_name.into_owned());
        }
        active(value, seen, depth + 1);
    }
}

/// The text between `<name …>` and `</name>`.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let from = xml.find(&format!("<{name}"))?;
    let (_, rest) = xml[from..].split_once('>')?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// The value of an XMP property, written as an element or as an attribute.
fn property<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    element(xml, name).map(str::trim).or_else(|| {
        let (_, rest) = xml.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use lopdf::{Stream, dictionary};

    use super::*;
    use crate::bescheid::letter::{FeeLine, Letter, OfficeHead, Rendered, Section, render};

    /// A letter of more than three pages with a table.
    fn rendered() -> Rendered {
        let text = |value: &str| value.to_owned();
        let letter = Letter {
            office: OfficeHead {
                name: text("Kreis Paderborn"),
                unit: text("Amt"),
                address: text("Aldegreverstraße 10–14, 33102 Paderborn"),
                phone: None,
            },
            addressee: vec![text("Erika Muster")],
            reference: text("1"),
            date: date(2026, 11, 24),
            clerk: None,
            title: text("Bescheid"),
            sections: vec![Section {
                heading: text("Begründung"), paragraphs: vec!["Wort ".repeat(500); 6]
            }],
            fee: vec![FeeLine { label: text("Auszug"), cents: 100 }],
            fee_note: None,
            remedy: None,
            attachments: Vec::new(),
            signed_by: text("Martina Muster"),
            closing: None,
            easy: None,
        };
        render(&letter).expect("renders")
    }

    /// What is found after `change`.
    fn after(pdf: &[u8], standard: Standard, change: impl FnOnce(&mut Document)) -> Vec<String> {
        let mut document = Document::load_mem(pdf).expect("loads");
        change(&mut document);
        let mut changed = Vec::new();
        document.save_to(&mut changed).expect("saves");
        check(&changed, standard)
    }

    fn catalog(document: &mut Document) -> &mut Dictionary {
        document.catalog_mut().expect("a catalog")
    }

    /// Applies `change` to all dictionaries with this value under this key.
    fn each(document: &mut Document, key: &str, value: &str, change: impl Fn(&mut Dictionary)) {
        let mut count = 0;
        for object in document.objects.values_mut() {
            let dictionary = match object {
                Object::Dictionary(dictionary) => dictionary,
                Object::Stream(stream) => &mut stream.dict,
                _ => continue,
            };
            let is_meant =
                dictionary.get(key.as_bytes()).and_then(Object::as_name).ok() == Some(value.as_bytes());
            if is_meant {
                change(dictionary);
                count += 1;
            }
        }
        assert!(count > 0, "no object with {key} = {value}");
    }

    fn rename(role: &'static str) -> impl Fn(&mut Dictionary) {
        move |tag| tag.set("S", Object::Name(role.into()))
    }

    #[test]
    fn a_copy_without_changes_passes() {
        let rendered = rendered();
        assert_eq!(after(&rendered.accessible, Standard::PdfUa1, |_| {}), Vec::<String>::new());
        assert_eq!(after(&rendered.archive, Standard::PdfA2a, |_| {}), Vec::<String>::new());
    }

    #[test]
    fn each_standard_is_told_from_the_other() {
        let rendered = rendered();
        let found = check(&rendered.accessible, Standard::PdfA2a).join("; ");
        assert!(found.contains("pdfaid:part = 2") && found.contains("pdfaid:conformance = A"), "{found}");
        let found = check(&rendered.archive, Standard::PdfUa1).join("; ");
        assert!(found.contains("pdfuaid:part = 1"), "{found}");
    }

    #[test]
    fn what_is_no_pdf_is_reported() {
        for bytes in [b"".as_slice(), b"%PDF-1.7", b"<html></html>"] {
            assert!(check(bytes, Standard::PdfUa1)[0].contains("not a readable PDF"));
        }
    }

    #[test]
    fn every_defect_is_reported() {
        type Change = fn(&mut Document);
        let cases: &[(&str, Change)] = &[
            ("MarkInfo/Marked", |d| drop(catalog(d).remove(b"MarkInfo"))),
            ("MarkInfo/Suspects", |d| {
                catalog(d).set("MarkInfo", dictionary! { "Marked" => true, "Suspects" => true });
            }),
            ("language", |d| catalog(d).set("Lang", Object::string_literal("en-GB"))),
            ("language", |d| drop(catalog(d).remove(b"Lang"))),
            ("DisplayDocTitle", |d| drop(catalog(d).remove(b"ViewerPreferences"))),
            ("StructTreeRoot) is missing", |d| drop(catalog(d).remove(b"StructTreeRoot"))),
            ("ParentTree", |d| each(d, "Type", "StructTreeRoot", |root| drop(root.remove(b"ParentTree")))),
            ("tree is empty", |d| each(d, "Type", "StructTreeRoot", |root| drop(root.remove(b"K")))),
            ("there is no heading", |d| {
                each(d, "S", "H1", rename("P"));
                each(d, "S", "H2", rename("P"));
            }),
            ("the first heading is H2", |d| each(d, "S", "H1", rename("H2"))),
            ("jump from H1 to H3", |d| each(d, "S", "H2", rename("H3"))),
            ("no header cell", |d| each(d, "S", "TH", rename("TD"))),
            ("no Scope", |d| each(d, "S", "TH", |cell| drop(cell.remove(b"A")))),
            ("no alternative text", |d| each(d, "S", "H2", rename("Figure"))),
            ("the tag Zierrat", |d| each(d, "S", "H2", rename("Zierrat"))),
            ("content without a tag (Tj)", |d| each(d, "S", "P", |tag| drop(tag.remove(b"K")))),
            ("page 1: content without a tag (f)", |d| {
                let page = d.page_iter().next().expect("a page");
                d.add_page_contents(page, b"0 0 9 9 re f".to_vec()).expect("adds");
            }),
            ("page 1: content without a tag (f)", |d| {
                let page = d.page_iter().next().expect("a page");
                d.add_page_contents(page, b"/Span <</Lang (de)>> BDC 0 0 9 9 re f EMC".to_vec())
                    .expect("adds");
            }),
            ("ends that has not begun", |d| {
                let page = d.page_iter().next().expect("a page");
                d.add_page_contents(page, b"EMC".to_vec()).expect("adds");
            }),
            ("does not end", |d| {
                let page = d.page_iter().next().expect("a page");
                d.add_page_contents(page, b"/Artifact BMC".to_vec()).expect("adds");
            }),
            ("not readable", |d| {
                let page = d.page_iter().next().expect("a page");
                d.add_page_contents(page, b"<<<<".to_vec()).expect("adds");
            }),
            ("no ToUnicode", |d| each(d, "Subtype", "Type0", |font| drop(font.remove(b"ToUnicode")))),
            ("not embedded", |d| {
                each(d, "Type", "FontDescriptor", |font| {
                    font.remove(b"FontFile2");
                    font.remove(b"FontFile3");
                });
            }),
            ("there is no font", |d| each(d, "Type", "Font", |font| drop(font.remove(b"Type")))),
            ("no bookmarks", |d| drop(catalog(d).remove(b"Outlines"))),
            ("XMP metadata are missing", |d| drop(catalog(d).remove(b"Metadata"))),
            ("dc:title", |d| {
                let xmp = Stream::new(dictionary! {}, b"<x pdfuaid:part=\"1\"/>".to_vec());
                let id = d.add_object(xmp);
                catalog(d).set("Metadata", id);
            }),
            ("content: OpenAction", |d| catalog(d).set("OpenAction", Object::Array(Vec::new()))),
            ("content: JavaScript", |d| {
                d.add_object(
                    dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") },
                );
            }),
            ("content: JS", |d| {
                d.add_object(
                    dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") },
                );
            }),
            ("content: EmbeddedFile", |d| {
                d.add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, b"x".to_vec()));
            }),
            ("content: Launch", |d| {
                let action = dictionary! { "S" => "Launch" };
                d.add_object(dictionary! { "Type" => "Annot", "A" => action });
            }),
        ];
        let accessible = rendered().accessible;
        for (expected, change) in cases {
            let found = after(&accessible, Standard::PdfUa1, change);
            assert!(found.iter().any(|sentence| sentence.contains(expected)), "{expected}: {found:?}");
        }
    }

    #[test]
    fn defects_of_the_archive_copy_are_reported() {
        let archive = rendered().archive;
        let found = after(&archive, Standard::PdfA2a, |d| drop(catalog(d).remove(b"OutputIntents")));
        assert!(found.iter().any(|sentence| sentence.contains("OutputIntents")), "{found:?}");
        let found = after(&archive, Standard::PdfA2a, |d| drop(d.trailer.remove(b"ID")));
        assert!(found.iter().any(|sentence| sentence.contains("(ID)")), "{found:?}");
        let found = after(&archive, Standard::PdfA2a, |d| {
            each(d, "Type", "Metadata", |metadata| {
                metadata.set("Filter", Object::Name("FlateDecode".into()));
            });
        });
        assert!(found.iter().any(|sentence| sentence.contains("compressed")), "{found:?}");
    }
}
