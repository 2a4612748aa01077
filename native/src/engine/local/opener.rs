//! Turns the bytes of one direction of a data stream, cut anywhere, back into plaintext (docs/protocol/tunnel.md §4),
//! in place.

use crate::seal::Seal;

pub const LENGTH_BYTES: usize = 4;
/// What a receiver accepts as one sealed chunk, as field edges do.
const MAX_SEALED_CHUNK_BYTES: usize = 1024 * 1024;
/// Less than this is copied out of a buffer that others can use meanwhile.
const KEPT_BYTES: usize = 16 * 1024;

/// A chunk was changed on the way, sealed with another key, or longer than one may be: nothing after it can be trusted.
#[derive(Debug, PartialEq, Eq)]
pub struct BrokenChunk;

/// `bytes` holds plaintext that waits for its reader, then a gap, then sealed chunks of which the last may be
/// incomplete.
#[derive(Default)]
pub struct Opener {
    bytes: Vec<u8>,
    plain_from: usize,
    plain_to: usize,
    sealed_from: usize,
}

impl Opener {
    pub fn plaintext(&self) -> &[u8] {
        &self.bytes[self.plain_from..self.plain_to]
    }

    pub fn taken(&mut self, bytes: usize) {
        self.plain_from += bytes;
    }

    /// True at a place where the stream may end cleanly.
    pub fn is_at_boundary(&self) -> bool {
        self.sealed_from == self.bytes.len()
    }

    /// Where sealed bytes are appended; to be called when no plaintext waits.
    pub fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.copy_within(self.sealed_from.., 0);
        self.bytes.truncate(self.bytes.len() - self.sealed_from);
        (self.plain_from, self.plain_to, self.sealed_from) = (0, 0, 0);
        &mut self.bytes
    }

    /// Opens every whole chunk. The answer is how many bytes of plaintext they gave.
    pub fn open(&mut self, seal: &Seal) -> Result<usize, BrokenChunk> {
        let before = self.plain_to;
        while let Some(&length) = self.bytes[self.sealed_from..].first_chunk::<LENGTH_BYTES>() {
            let length = u32::from_be_bytes(length) as usize;
            if length > MAX_SEALED_CHUNK_BYTES {
                return Err(BrokenChunk);
            }
            let from = self.sealed_from + LENGTH_BYTES;
            let Some(chunk) = self.bytes.get_mut(self.plain_to..from + length) else { break };
            self.plain_to += seal.open(chunk, from - self.plain_to).map_err(|_| BrokenChunk)?;
            self.sealed_from = from + length;
        }
        Ok(self.plain_to - before)
    }

    /// Takes a large buffer that many share, in place of its own small one.
    pub fn borrow(&mut self, shared: &mut Vec<u8>) {
        if self.bytes.capacity() < shared.capacity() {
            self.copy_into(std::mem::take(shared));
        }
    }

    /// Gives it back when little is left in it.
    pub fn give_back(&mut self, shared: &mut Vec<u8>) {
        let left = self.plaintext().len() + self.bytes.len() - self.sealed_from;
        if left <= KEPT_BYTES && self.bytes.capacity() > KEPT_BYTES {
            let kept = if left == 0 { Vec::new() } else { Vec::with_capacity(left) };
            *shared = self.copy_into(kept);
        }
    }

    /// The answer is the buffer that it had.
    fn copy_into(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.clear();
        bytes.extend_from_slice(self.plaintext());
        bytes.extend_from_slice(&self.bytes[self.sealed_from..]);
        let plain = self.plaintext().len();
        (self.plain_from, self.plain_to, self.sealed_from) = (0, plain, plain);
        std::mem::replace(&mut self.bytes, bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::seal::{KEY_BYTES, SEAL_OVERHEAD};

    fn chunk(seal: &Seal, plaintext: &[u8]) -> Vec<u8> {
        let length = plaintext.len() + SEAL_OVERHEAD;
        let mut bytes = vec![0; LENGTH_BYTES + length];
        bytes[..LENGTH_BYTES].copy_from_slice(&u32::try_from(length).expect("short").to_be_bytes());
        bytes[LENGTH_BYTES + 12..LENGTH_BYTES + 12 + plaintext.len()].copy_from_slice(plaintext);
        seal.seal([5; 12], &mut bytes[LENGTH_BYTES..]).expect("it seals");
        bytes
    }

    proptest! {
        #[test]
        fn chunks_come_out_as_they_went_in_however_they_are_cut(
            pieces in vec(vec(any::<u8>(), 0..3000), 0..12),
            cuts in vec(1..5000usize, 1..60),
            reads in vec(0..4000usize, 1..20),
            share in any::<bool>(),
        ) {
            let seal = Seal::new(&[9; KEY_BYTES]).expect("a key");
            let wire: Vec<u8> = pieces.iter().flat_map(|piece| chunk(&seal, piece)).collect();
            let (mut opener, mut shared, mut out) = (Opener::default(), Vec::with_capacity(64 * 1024), Vec::new());
            let (mut rest, mut cuts, mut reads) = (&wire[..], cuts.into_iter().cycle(), reads.into_iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                if share { opener.borrow(&mut shared); }
                opener.room().extend_from_slice(now);
                prop_assert!(opener.open(&seal).is_ok());
                // The reader takes some, the buffer is given back, the reader takes the rest.
                let some = reads.next().unwrap_or(0).min(opener.plaintext().len());
                out.extend_from_slice(&opener.plaintext()[..some]);
                opener.taken(some);
                if share { opener.give_back(&mut shared); }
                out.extend_from_slice(opener.plaintext());
                opener.taken(opener.plaintext().len());
                rest = later;
            }
            prop_assert!(opener.is_at_boundary());
            prop_assert_eq!(out, pieces.concat());
        }

        #[test]
        fn noise_never_panics(noise in vec(vec(any::<u8>(), 0..300), 0..20)) {
            let (seal, mut opener) = (Seal::new(&[9; KEY_BYTES]).expect("a key"), Opener::default());
            for bytes in noise {
                opener.taken(opener.plaintext().len());
                opener.room().extend_from_slice(&bytes);
                if opener.open(&seal).is_err() { break }
            }
        }
    }

    #[test]
    fn a_chunk_longer_than_allowed_is_broken_before_it_has_come() {
        let (seal, mut opener) = (Seal::new(&[9; KEY_BYTES]).expect("a key"), Opener::default());
        opener.room().extend_from_slice(&0x0010_0000_u32.to_be_bytes());
        assert_eq!(opener.open(&seal), Ok(0));
        let mut opener = Opener::default();
        opener.room().extend_from_slice(&0x0010_0001_u32.to_be_bytes());
        assert_eq!(opener.open(&seal), Err(BrokenChunk));
    }
}
