//! The formal decision (Bescheid) and the other papers that an office sends. How a letter looks and reads
//! as PDF is in `letter`; whether the finished file can be read by everybody and kept for long is judged by
//! `pdf_check`.

pub mod compose;
pub mod letter;
pub mod paper;
pub mod pdf_check;
mod print_text;
mod world;
