//! The N-API surface: plain numbers and bytes in, numbers and bytes out. `src/quic/quinn/addon.ts` declares its types.

use napi_derive::napi;

mod engine;
mod error;
mod ledger;
mod local;
mod options;
mod traffic;

/// What this library was built from (`build.rs`).
#[napi]
#[allow(dead_code)] // JavaScript is the only reader.
pub const BOUNDARY: &str = env!("ADIT_BOUNDARY");
