//! Tells cargo that a new file is a change: `rust-embed` alone does not.

fn main() {
    for path in ["services", "articles", "offices.toml", "glossary.toml", "synonyms.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
}
