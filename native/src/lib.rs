//! The native engine behind the port of `src/quic/types.ts`: TypeScript decides routes, this crate moves bytes.
//!
//! One thread owns every UDP socket, endpoint and connection of an engine (`engine::runner`). Calls from JavaScript
//! take the one lock of its state for microseconds (`boundary`). Events for JavaScript go into one byte buffer, drained
//! once per batch (`events`).

mod boundary;
mod congestion;
mod engine;
mod events;
mod ledger;
mod seal;
mod settings;
mod tls;
