//! The native engine behind the port of `src/quic/types.ts`: TypeScript decides routes, this crate moves bytes.
//!
//! One thread owns every UDP socket, endpoint and connection of an engine (`engine::runner`). Its state sits behind one
//! lock which calls from JavaScript take for microseconds (`boundary`); events for JavaScript go into one byte buffer
//! that it drains once per batch (`events`).

mod boundary;
mod congestion;
mod engine;
mod events;
mod ledger;
mod seal;
mod settings;
mod tls;
