//! Tells cargo that a new service file is a change: `rust-embed` alone does not.

fn main() {
    println!("cargo:rerun-if-changed=services");
    println!("cargo:rerun-if-changed=offices.toml");
}
