use quinn_proto::VarInt;

/// Why a pipe ended.
pub enum PipeEnd {
    /// Both directions ended cleanly and everything was handed on.
    Done,
    Aborted(VarInt),
    PeerReset(VarInt),
    /// The local connection was reset, or failed in another way.
    LocalGone(String),
    /// What came was not what the other edge sealed.
    Broken,
    /// The connection to the relay is gone.
    Lost,
}

impl PipeEnd {
    /// For people; empty where there is nothing to explain.
    pub fn reason(&self) -> String {
        match self {
            Self::LocalGone(reason) => reason.clone(),
            _ => String::new(),
        }
    }
}

/// The local connection failed.
pub fn gone(error: &std::io::Error) -> PipeEnd {
    PipeEnd::LocalGone(error.to_string())
}
