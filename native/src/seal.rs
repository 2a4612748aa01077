//! Sealing from edge to edge (docs/protocol/tunnel.md §4): ChaCha20-Poly1305, sealed = nonce ‖ ciphertext ‖ tag, empty
//! associated data, random nonces. One key for both directions of a tunnel.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    rand::{SecureRandom, SystemRandom},
};

pub const KEY_BYTES: usize = 32;
pub const NONCE_BYTES: usize = NONCE_LEN;
pub const TAG_BYTES: usize = 16;
/// What sealing adds to a payload.
pub const SEAL_OVERHEAD: usize = NONCE_BYTES + TAG_BYTES;
/// One call to the system's generator for this many packets.
const NONCES_PER_DRAW: usize = 256;

/// Random nonces, each used once. 96 random bits do not repeat over the life of a key (RFC 8439 §4 leaves the choice to
/// the protocol).
pub struct Nonces {
    random: SystemRandom,
    drawn: Vec<[u8; NONCE_BYTES]>,
}

impl Nonces {
    pub fn new() -> Self {
        Self { random: SystemRandom::new(), drawn: Vec::new() }
    }

    /// Fails where the system gives no randomness: nothing may be sealed then.
    pub fn take(&mut self) -> Result<[u8; NONCE_BYTES], Unspecified> {
        if let Some(nonce) = self.drawn.pop() {
            return Ok(nonce);
        }
        let mut bytes = [0; NONCES_PER_DRAW * NONCE_BYTES];
        self.random.fill(&mut bytes)?;
        self.drawn.extend(bytes.as_chunks::<NONCE_BYTES>().0);
        self.drawn.pop().ok_or(Unspecified)
    }
}

pub struct Seal {
    key: LessSafeKey,
}

impl Seal {
    pub fn new(key: &[u8; KEY_BYTES]) -> Result<Self, Unspecified> {
        Ok(Self { key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key)?) })
    }

    /// `sealed` has room for the nonce, holds the plaintext, and has room for the tag. It is sealed in place.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], sealed: &mut [u8]) -> Result<(), Unspecified> {
        let tag_at = sealed.len().checked_sub(TAG_BYTES).filter(|&at| at >= NONCE_BYTES).ok_or(Unspecified)?;
        let (head, tag_room) = sealed.split_at_mut(tag_at);
        let (nonce_room, plaintext) = head.split_at_mut(NONCE_BYTES);
        nonce_room.copy_from_slice(&nonce);
        let tag = self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), plaintext)?;
        tag_room.copy_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens what lies in `bytes` from `at` to their end; its plaintext then begins at 0. Returns its length. Fails for
    /// what is too short, was changed, or has another key; the plaintext's place is then of no use.
    pub fn open(&self, bytes: &mut [u8], at: usize) -> Result<usize, Unspecified> {
        let sealed = bytes.get(at..).unwrap_or_default();
        let nonce = *sealed.first_chunk::<NONCE_BYTES>().ok_or(Unspecified)?;
        let plaintext =
            self.key.open_within(Nonce::assume_unique_for_key(nonce), Aad::empty(), bytes, at + NONCE_BYTES..)?;
        Ok(plaintext.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const KEY: &[u8; KEY_BYTES] = b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\
        \x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";

    fn sealed(seal: &Seal, nonce: [u8; NONCE_BYTES], plaintext: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; NONCE_BYTES];
        bytes.extend_from_slice(plaintext);
        bytes.extend_from_slice(&[0; TAG_BYTES]);
        seal.seal(nonce, &mut bytes).expect("it seals");
        bytes
    }

    #[test]
    fn the_vector_of_the_contract_is_what_comes_out() {
        let seal = Seal::new(KEY).expect("a key");
        let nonce = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        let hex: String = sealed(&seal, nonce, b"hello tunnel").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "000102030405060708090a0b85a15caa0bac1e820d381e118cb87ee3678811b80583f59da1a6f91e");
    }

    #[test]
    fn nonces_do_not_repeat() {
        let mut nonces = Nonces::new();
        let mut taken: Vec<_> = (0..4 * NONCES_PER_DRAW).map(|_| nonces.take().expect("randomness")).collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 4 * NONCES_PER_DRAW);
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_wherever_it_lies(plaintext in vec(any::<u8>(), 0..9000), at in 0..300usize) {
            let seal = Seal::new(KEY).expect("a key");
            let mut bytes = vec![7; at];
            bytes.extend(sealed(&seal, [3; NONCE_BYTES], &plaintext));
            prop_assert_eq!(seal.open(&mut bytes, at), Ok(plaintext.len()));
            prop_assert_eq!(&bytes[..plaintext.len()], &plaintext[..]);
        }

        #[test]
        fn what_was_changed_does_not_open(
            plaintext in vec(any::<u8>(), 0..100),
            which in any::<prop::sample::Index>(),
            bit in 0..8u32,
        ) {
            let seal = Seal::new(KEY).expect("a key");
            let mut bytes = sealed(&seal, [3; NONCE_BYTES], &plaintext);
            let at = which.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            prop_assert!(seal.open(&mut bytes, 0).is_err());
        }

        #[test]
        fn noise_does_not_open(mut bytes in vec(any::<u8>(), 0..60), at in 0..80usize) {
            prop_assert!(Seal::new(KEY).expect("a key").open(&mut bytes, at).is_err());
        }
    }
}
