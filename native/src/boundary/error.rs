//! Errors that JavaScript tells apart by their `code`: those of AppError in `src/lib/app-error.ts`.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::Error;

use crate::engine::{CallError, SocketError, panic_message};

pub enum Code {
    AddressInUse,
    AddressNotAvailable,
    Permission,
    Tls,
    Connect,
    Internal,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::AddressInUse => "address-in-use",
            Self::AddressNotAvailable => "address-not-available",
            Self::Permission => "permission",
            Self::Tls => "tls",
            Self::Connect => "connect",
            Self::Internal => "internal",
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
            CallError::Socket(SocketError::AddressInUse(words)) => failure(Code::AddressInUse, words),
            CallError::Socket(SocketError::AddressNotAvailable(words)) => failure(Code::AddressNotAvailable, words),
            CallError::Socket(SocketError::Permission(words)) => failure(Code::Permission, words),
            CallError::Socket(SocketError::Other(words)) | CallError::Connect(words) => failure(Code::Connect, words),
            CallError::Tls(words) => failure(Code::Tls, words),
        }
    }
}

/// A panic must not unwind into Node: it becomes an error with code `internal`.
pub fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic: Box<dyn Any + Send>| Err(failure(Code::Internal, panic_message(&*panic))))
}
