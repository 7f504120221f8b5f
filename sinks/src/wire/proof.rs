//! Proofs that both ends have the same secret, without sending it.
//!
//! Each end hashes both hellos with a key that is derived from the secret, and says first which end it is. The hellos hold
//! two nonces, so a proof is good for one session, and the venue's is no proof of ours. Bound: one hash each.

use super::framing::PROOF;
use flow::Event;
use secret::Secret;

/// What the key is for; part of its derivation.
const PURPOSE: &str = "tidegate wire 3: proof of the secret";

/// Whose proof it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Venue,
    Engine,
}

/// The proof of one end for the session that these hellos opened, ours first.
pub(super) fn proof(secret: &Secret, end: End, journal: u64, ours: &Event, theirs: &Event) -> blake3::Hash {
    let end = match end {
        End::Venue => b"venue ",
        End::Engine => b"engine",
    };
    let mut hash = blake3::Hasher::new_keyed(&blake3::derive_key(PURPOSE, secret.bytes()));
    hash.update(end).update(&journal.to_le_bytes());
    hash.update(bytemuck::bytes_of(ours)).update(bytemuck::bytes_of(theirs));
    hash.finalize()
}

/// Whether a frame holds that proof; takes as long for every wrong one.
pub(super) fn is_proof(found: [u8; PROOF], expected: &blake3::Hash) -> bool {
    blake3::Hash::from_bytes(found) == *expected
}
