//! What is computed beside the pipeline and enters it as an input.

use crate::record::records;
use crate::{Ns, Real};

records! {
    /// A result that took its time: of a model, a chain of options, a request over the network. It enters as an input, by a source of its own, so a replay has it; how old it is says `as_of`, and not when it arrived.
    External = 240 "external" {
        as_of: Ns as TimeNs "the moment whose state of the world it describes",
        first: Real as Float "first value; what it means, its owner says",
        second: Real as Float "second value",
        third: Real as Float "third value",
        owner: u32 as Uint "what computed it",
        key: u32 as Uint "which of its results",
    }
}

impl External {
    /// How old it is at `now`, if that is known; 0 for one that is of later than that.
    pub fn age(&self, now: Ns) -> Option<u64> {
        self.as_of.known().map(|as_of| now.0.saturating_sub(as_of.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_as_old_as_what_it_describes() {
        let of = |as_of| External { as_of, ..External::default() };
        assert_eq!(of(Ns(40)).age(Ns(100)), Some(60));
        assert_eq!(of(Ns(140)).age(Ns(100)), Some(0));
        assert_eq!(of(Ns::NONE).age(Ns(100)), None, "not known is not new");
    }
}
