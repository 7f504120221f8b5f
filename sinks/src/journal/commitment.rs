//! What a snapshot commits to: the inputs that it includes, all of them, and their outcomes, in some hundred bytes.
//!
//! The hash chain over the sealed inputs stands for everything up to the end of a block. The few inputs after the last
//! sealed block have a hash of their own. A sealed block stays as it is, so a commitment can be checked for as long as the
//! journal exists. Of the outcomes only those that were not sealed then have a hash: seals prove the others, and the oldest may
//! be dropped. Bound: what is not sealed yet, some seconds of both logs, is read.

use super::error::JournalError;
use super::files::{segment_numbers, sidecar};
use super::format::{LogKind, chain_start};
use super::manifest::read_manifest;
use super::reader::JournalReader;
use serde::{Deserialize, Serialize};

/// Commits to the inputs of a journal up to a seq.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Number of the last input of a sealed block.
    sealed: u64,
    /// The hash chain after it.
    chain: [u8; 32],
    /// BLAKE3 of the inputs after it.
    rest: [u8; 32],
}

/// Commits to the outcomes that were not sealed when it was made, up to a seq.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCommitment {
    /// Number of the first of them.
    from_record: u64,
    /// BLAKE3 of them.
    hash: [u8; 32],
}

impl Commitment {
    /// The commitment of a journal that begins after that input and has none.
    #[must_use]
    pub fn begun_after(self, seq: u64) -> Commitment {
        Commitment { sealed: seq, ..self }
    }
}

impl JournalReader {
    /// The commitment to all inputs up to `seq`, the last of which must be stored.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn commitment(&self, seq: u64) -> Result<Commitment, JournalError> {
        let (sealed, chain) = self.sealed_before(seq)?;
        Ok(Commitment { sealed, chain, rest: self.hash_of(sealed + 1, seq)? })
    }

    /// Whether the inputs up to `seq` are those of the commitment.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn keeps(&self, seq: u64, commitment: &Commitment) -> Result<bool, JournalError> {
        let chained = self.sealed_before(commitment.sealed)? == (commitment.sealed, commitment.chain);
        Ok(chained && self.hash_of(commitment.sealed + 1, seq)? == commitment.rest)
    }

    /// The commitment to the outcomes of the inputs up to `seq`, all of which must be stored.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn outcome_commitment(&self, seq: u64) -> Result<OutcomeCommitment, JournalError> {
        let from_record = self.first_unsealed_outcome()?;
        Ok(OutcomeCommitment { from_record, hash: self.hash_of_outcomes(from_record, seq)? })
    }

    /// Whether the outcomes up to `seq` are those of the commitment.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn keeps_outcomes(&self, seq: u64, commitment: &OutcomeCommitment) -> Result<bool, JournalError> {
        Ok(self.hash_of_outcomes(commitment.from_record, seq)? == commitment.hash)
    }

    /// All outcomes of the inputs up to this one are sealed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn proved_through(&self) -> Result<u64, JournalError> {
        let mut outcomes = self.outcomes();
        outcomes.seek_record(self.first_unsealed_outcome()?);
        let first = outcomes.next().transpose()?;
        Ok(first.map_or(u64::MAX, |first| (first.id.seq() - 1).max(self.info().after())))
    }

    /// Number of the first outcome after all that are sealed.
    fn first_unsealed_outcome(&self) -> Result<u64, JournalError> {
        let log = LogKind::Outcomes;
        for number in segment_numbers(self.dir(), self.info(), log)?.into_iter().rev() {
            let sealed = sidecar(self.dir(), self.info(), log, number)?.map_or(0, |seal| seal.records);
            if sealed > 0 {
                return Ok((number - 1) * self.info().segment_records + sealed + 1);
            }
        }
        Ok(1)
    }

    /// BLAKE3 of the outcomes from that record up to the input `seq`.
    fn hash_of_outcomes(&self, from_record: u64, seq: u64) -> Result<[u8; 32], JournalError> {
        let (mut hasher, mut outcomes) = (blake3::Hasher::new(), self.outcomes());
        outcomes.seek_record(from_record);
        while let Some(event) = outcomes.next().transpose()? {
            if event.id.seq() > seq {
                break;
            }
            hasher.update(bytemuck::bytes_of(&event));
        }
        Ok(*hasher.finalize().as_bytes())
    }

    /// Number of the last input of a sealed block that ends at `seq` or before, and the chain after it.
    fn sealed_before(&self, seq: u64) -> Result<(u64, [u8; 32]), JournalError> {
        let log = LogKind::Inputs;
        let after = self.info().after();
        for number in (1..=seq.saturating_sub(after).div_ceil(self.info().segment_records)).rev() {
            let Some(seal) = sidecar(self.dir(), self.info(), log, number)? else { continue };
            let Some(header) = seal.header else { continue };
            let ends = seal
                .blocks
                .iter()
                .map(|b| (after + b.header.first_record - 1 + u64::from(b.header.count), b.header.chain));
            let last = ends.take_while(|(end, _)| *end <= seq).last();
            return Ok(last.unwrap_or((after + header.first_record - 1, header.start)));
        }
        let (_, manifest) = read_manifest(self.dir())?;
        Ok((after, chain_start(&manifest, log)))
    }

    /// BLAKE3 of the inputs from `from` up to `through`, as far as they are stored.
    fn hash_of(&self, from: u64, through: u64) -> Result<[u8; 32], JournalError> {
        let (mut hasher, mut inputs) = (blake3::Hasher::new(), self.inputs());
        inputs.seek_record(from.saturating_sub(self.info().after()));
        for _ in from..=through {
            let Some(event) = inputs.next().transpose()? else { break };
            hasher.update(bytemuck::bytes_of(&event));
        }
        Ok(*hasher.finalize().as_bytes())
    }
}
