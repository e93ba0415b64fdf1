//! Amtsbote easy-language.
