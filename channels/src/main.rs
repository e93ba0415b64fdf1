//! The program `amtsbote`: its command line stands in [`amtsbote_channels::program`].

fn main() -> std::process::ExitCode {
    amtsbote_channels::program::main()
}
