//! A panic while quinn reads a connection's packets, serves its timers or makes its packets ends that connection and
//! nothing else. One elsewhere in a turn ends all connections, each with its event (`runner`); one in a call from
//! JavaScript is that call's error.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use quinn_proto::EndpointEvent;

use super::{Connection, Core, Slot};
use crate::events::{CloseInfo, CloseKind};

pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic")
}

impl Core {
    /// Runs `work` on a connection. After a panic its state cannot be trusted: it is removed without another call into
    /// it.
    pub fn guarded<T>(&mut self, slot: Slot, work: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        let connection = self.connections.get_mut(slot)?;
        match catch_unwind(AssertUnwindSafe(|| work(connection))) {
            Ok(value) => Some(value),
            Err(panic) => {
                let reason = format!("internal error: {}", panic_message(&*panic));
                self.end(slot, CloseInfo { kind: CloseKind::Error, code: None, reason });
                let (endpoint, handle) = (self.connections[slot].endpoint, self.connections[slot].handle);
                // Without this event the endpoint's table would keep the connection's ids for ever.
                self.endpoints[endpoint].quic.handle_event(handle, EndpointEvent::drained());
                // Nothing may be read from it either.
                self.connections[slot].streams.clear();
                self.drained(slot);
                None
            }
        }
    }
}
