//! How well the rules that infer an aggressor do, on a feed that tells it.
//!
//! Three rules and six counters per instrument. A trade without a told aggressor is a price for the tick rule and nothing else. The quote is
//! that from before the trade's input. Bound: O(1) per trade.

use super::{Context, Measure, Needs, OfSession, PerInstrument, counted};
use crate::Space;
use flow::{
    ChoiceParam, Event, Flags, Kind, Kinds, Param, ParamError, Params, Side, Signer, SigningRule, choices, records,
};
use serde::{Deserialize, Serialize};

/// Which trades are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    All,
    Displayed,
    Hidden,
}

const TRADES: ChoiceParam<Judged> = ChoiceParam::new(
    "trades",
    choices! { "all" => Judged::All, "displayed" => Judged::Displayed, "hidden" => Judged::Hidden },
    "all",
    "which trades are judged: all, those against displayed orders, or those against hidden ones",
);

/// What can be set.
pub const PARAMS: &[Param] = &[TRADES.param()];

/// The rules, in the order of the record.
const RULES: [SigningRule; 3] = [SigningRule::Tick, SigningRule::Quote, SigningRule::LeeReady];

/// The measure `signing`.
pub struct Signing {
    judged: Judged,
}

/// What it keeps of an instrument and session.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    signer: Signer,
    trades: u32,
    /// By rule: right, wrong.
    said: [[u32; 2]; RULES.len()],
}

impl Signing {
    /// Whether the feed tells the aggressor, and the trade is one of those that are judged.
    fn judges(&self, flags: Flags) -> bool {
        let is_judged = match self.judged {
            Judged::All => true,
            Judged::Displayed => !flags.has(Flags::HIDDEN),
            Judged::Hidden => flags.has(Flags::HIDDEN),
        };
        is_judged && flags.side() != Side::None && !flags.has(Flags::INFERRED_AGGRESSOR)
    }
}

impl Measure for Signing {
    type Records = records::Signing;
    type State = PerInstrument<OfSession<Score>>;

    fn new(params: &Params, space: Space) -> Result<(Signing, Self::State), ParamError> {
        Ok((Signing { judged: params.get(TRADES) }, PerInstrument::new(space)))
    }

    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Trade])
    }

    fn needs(&self) -> Needs {
        Needs { touch: true, ..Needs::SESSIONS }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.judged as u64]
    }

    #[inline]
    fn on(&self, scores: &mut Self::State, context: &Context, event: &Event) -> Option<records::Signing> {
        let (trade, touch) = (counted(event)?, context.touch(event.instrument));
        let score = scores.in_session(event.instrument, event.ts, context)?;
        score.signer.quote(touch.bid_px, touch.ask_px);
        let inferred = score.signer.trade(trade.px);
        if !self.judges(event.flags) {
            return None;
        }
        score.trades = score.trades.saturating_add(1);
        for (rule, said) in RULES.into_iter().zip(&mut score.said) {
            let side = inferred.by(rule);
            if side != Side::None {
                let of_side = &mut said[usize::from(side != event.side())];
                *of_side = of_side.saturating_add(1);
            }
        }
        Some(score.record())
    }
}

impl Score {
    fn record(&self) -> records::Signing {
        let [[tick_right, tick_wrong], [quote_right, quote_wrong], [lee_ready_right, lee_ready_wrong]] = self.said;
        records::Signing {
            trades: self.trades,
            tick_right,
            tick_wrong,
            quote_right,
            quote_wrong,
            lee_ready_right,
            lee_ready_wrong,
            ..records::Signing::default()
        }
    }
}
