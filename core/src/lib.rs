//! The conversation and everything an office does: understood messages go in, replies and cases come out.
//! It knows nothing of web pages, chat protocols or terminals; those are in `amtsbote-channels`.

pub mod audit;
pub mod clock;
pub mod db;
pub mod error;
pub mod id;
pub mod message;
pub mod seal;
