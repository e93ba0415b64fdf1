//! The conversation and everything an office does: understood messages go in, replies and cases come out.
//! It knows nothing of web pages, chat protocols or terminals; those are in `amtsbote-channels`.

pub mod application;
pub mod audit;
pub mod bescheid;
pub mod clock;
pub mod config;
pub mod conversation;
pub mod db;
pub mod deadline;
pub mod dialog;
pub mod document;
pub mod document_request;
pub mod error;
pub mod files;
pub mod form;
pub mod id;
pub mod jobs;
pub mod knowledge;
pub mod message;
pub mod office;
pub mod outbox;
pub mod payment;
pub mod permission;
pub mod person;
pub mod seal;
pub mod session;
pub mod staff;
pub mod texts;
pub mod understand;
