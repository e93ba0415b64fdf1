//! The integration tests, in one binary: each further one would link everything again.

mod canary;
mod crash;
mod desk;
mod full_disk;
mod harness;
mod hostile;
mod letters;
mod program;
mod routes;
mod tidy;
mod transcripts;

/// The program under test: `TEST_AMTSBOTE`, else what was built beside this test.
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
fn binary() -> std::path::PathBuf {
    if let Ok(path) = std::env::var("TEST_AMTSBOTE") {
        return path.into();
    }
    let own = std::env::current_exe().expect("the test's own path");
    own.parent().and_then(std::path::Path::parent).expect("the target folder").join("amtsbote")
}

/// A port for a program that a test starts: below the range from which the system takes ports for outgoing
/// connections, so that none of those takes it away between two starts; each call gives another one.
fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 15_000).unwrap_or(0);
    loop {
        let port = 12_000 + (own + NEXT.fetch_add(1, Ordering::SeqCst)) % 18_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
