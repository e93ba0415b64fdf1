//! The formal decision (Bescheid) and the other papers that an office sends. How a letter looks and reads
//! as PDF is in `letter`; whether the finished file can be read by everybody and kept for long is judged by
//! `pdf_check`. What a citizen takes away (the copy of an application, the proof of a payment) is a `record`.

pub mod compose;
pub mod letter;
pub mod paper;
pub mod pdf_check;
mod print_text;
pub mod record;
mod typeset;
mod world;
