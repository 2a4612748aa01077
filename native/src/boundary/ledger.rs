//! A ledger as JavaScript holds it.

use std::sync::Arc;

use napi_derive::napi;

use crate::ledger::Counts;

#[napi]
pub struct NativeLedger {
    pub(super) counts: Arc<Counts>,
}

#[napi]
impl NativeLedger {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)] // JavaScript is the only caller.
    pub fn new() -> Self {
        Self { counts: Arc::default() }
    }

    /// Datagrams in, out, payload bytes in, out, stream bytes, then drops in the order of `dropReasons`.
    #[napi]
    pub fn totals(&self) -> Vec<f64> {
        self.counts.totals().map(|n| n as f64).to_vec()
    }

    #[napi(getter)]
    pub fn dropped(&self) -> f64 {
        self.counts.all_drops() as f64
    }

    /// Payload of datagrams and streams that the other leg's connection has accepted.
    #[napi(getter)]
    pub fn bytes_out(&self) -> f64 {
        self.counts.all_bytes_out() as f64
    }
}
