//! Amtsbote intents.
