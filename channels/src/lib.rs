//! All that talks to the outside, and the program itself: web, mail, command line. What is said and done stands in
//! `amtsbote-core`; nothing here decides.

pub mod mail;
pub mod program;
pub mod web;
