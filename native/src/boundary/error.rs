//! Errors that JavaScript tells apart by their `code`: those of AppError in `src/lib/app-error.ts`.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::Error;

use crate::engine::{CallError, panic_message};

pub enum Code {
    Address,
    Tls,
    Connect,
    Bug,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::Address => "address-unavailable",
            Self::Tls => "tls-failed",
            Self::Connect => "connect-failed",
            Self::Bug => "bug",
        }
    }
}

pub type Result<T> = std::result::Result<T, Error<Code>>;

pub fn failure(code: Code, words: impl Into<String>) -> Error<Code> {
    Error::new(code, words.into())
}

impl From<CallError> for Error<Code> {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Socket(words) => failure(Code::Address, words),
            CallError::Connect(words) => failure(Code::Connect, words),
            CallError::Tls(words) => failure(Code::Tls, words),
        }
    }
}

/// A panic must not unwind into Node: it becomes an error with code `bug`.
pub fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic: Box<dyn Any + Send>| Err(failure(Code::Bug, panic_message(&*panic))))
}
