//! The N-API surface: plain numbers and bytes in, numbers and bytes out. `src/quic/native/addon.ts` declares its types.

mod engine;
mod error;
mod ledger;
mod options;
mod traffic;
