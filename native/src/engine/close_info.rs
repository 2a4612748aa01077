//! Why a connection ended, in the port's words.

use quinn_proto::ConnectionError;

use crate::events::{CloseInfo, CloseKind};

/// How much of a peer's reason is kept (the port's promise).
const MAX_REASON_CHARS: usize = 256;

pub fn close_info(error: &ConnectionError) -> CloseInfo {
    let (kind, code, reason) = match error {
        ConnectionError::ApplicationClosed(close) => {
            (CloseKind::PeerApplication, Some(close.error_code.into_inner()), printable(&close.reason))
        }
        ConnectionError::ConnectionClosed(close) => {
            let words = printable(&close.reason);
            let reason = if words.is_empty() { close.error_code.to_string() } else { words };
            (CloseKind::PeerTransport, Some(close.error_code.into()), reason)
        }
        ConnectionError::TransportError(error) => (CloseKind::Error, Some(error.code.into()), error.to_string()),
        ConnectionError::Reset => (CloseKind::Reset, None, "stateless reset by the peer".into()),
        ConnectionError::TimedOut => (CloseKind::Idle, None, "idle timeout".into()),
        ConnectionError::LocallyClosed => (CloseKind::Local, None, String::new()),
        ConnectionError::VersionMismatch | ConnectionError::CidsExhausted => {
            (CloseKind::Error, None, error.to_string())
        }
    };
    CloseInfo { kind, code, reason }
}

fn printable(words: &[u8]) -> String {
    let text = String::from_utf8_lossy(words);
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}
