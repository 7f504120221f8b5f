//! Alerts to what bars say: a market has come into another state, and flow has become aggressive.
//!
//! Nothing is computed here. `state` and `flow` say at every bar how things are; this says once that they have changed, by the rules
//! that it is set to. Flow that stays aggressive in one direction fires once, at its first bar.
//!
//! Bound: 40 bytes an instrument. Worst case: a comparison or two a bar.

use super::{Context, Measure, Needs, PerInstrument, emit, inferred};
use crate::Space;
use flow::records::{Flow, FlowAlert, MarketState, MarketStateNumbers, StateAlert};
use flow::{
    ChoiceParam, Event, Flags, FlowDirection, IntParam, Kind, Kinds, MarketBalance, Out, Param, ParamError, Params, Px,
    RuleSet,
};
use serde::{Deserialize, Serialize};

const RULES: ChoiceParam<RuleSet> =
    ChoiceParam::new("rules", RuleSet::CHOICES, "tidegate", "the rules of `state` and `flow` that it goes by");
const LEAST_SCORE: IntParam<u8> = IntParam::new(
    "least_score",
    (0, 100),
    "0",
    "flow is aggressive from this score on; 0 = 40 by the rules `tidegate`, 70 by `published`",
)
.unit("points");
const STATE: IntParam<u8> =
    IntParam::new("state", (0, 255), "0", "number of the instance of `state` that it reads; 0 = the plain one");
const FLOW: IntParam<u8> =
    IntParam::new("flow", (0, 255), "0", "number of the instance of `flow` that it reads; 0 = the plain one");

/// Parameters.
pub const PARAMS: &[Param] = &[RULES.param(), LEAST_SCORE.param(), STATE.param(), FLOW.param()];

/// The measure `market-alerts`.
pub struct MarketAlerts {
    rules: RuleSet,
    least_score: u8,
    state: u8,
    flow: u8,
}

/// A state that a market has left: it, for how many bars it had been that, and the bar with which it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    state: u8,
    bars: u16,
    close: Px,
    start_s: u32,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// The state at the last bar, and how many bars it has been that.
    state: u8,
    bars: u16,
    /// What an alert says whose numbers come next.
    left: Option<Left>,
    /// Where flow goes, if it was aggressive at the last bar.
    aggressive: u8,
}

impl Measure for MarketAlerts {
    type Records = (StateAlert, FlowAlert);
    type State = PerInstrument<Now>;

    /// One event says one thing.
    const FAN_OUT: usize = 1;

    fn new(params: &Params, space: Space) -> Result<(MarketAlerts, Self::State), ParamError> {
        let rules = params.get(RULES);
        let usual = match rules {
            RuleSet::Tidegate => 40,
            RuleSet::Published => 70,
        };
        let least_score = Some(params.get(LEAST_SCORE)).filter(|least| *least > 0).unwrap_or(usual);
        let measure = MarketAlerts { rules, least_score, state: params.get(STATE), flow: params.get(FLOW) };
        Ok((measure, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::MarketState, Kind::Flow]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::MarketState, Kind::MarketStateNumbers, Kind::Flow]) }
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.rules.code().into(), self.least_score.into(), self.state.into(), self.flow.into()]
    }

    #[inline]
    fn run(&self, state: &mut Self::State, _: &Context, event: &Event, out: &mut Out) {
        let Some(now) = state.get_mut(event.instrument) else { return };
        match event.kind {
            Kind::MarketState => self.enter(now, event.record()),
            Kind::MarketStateNumbers => {
                if let Some(alert) = self.left(now, event.record()) {
                    emit(&alert, Flags::NONE, event, out);
                }
            }
            Kind::Flow => {
                if let Some(alert) = self.flow(now, event.record()) {
                    emit(&alert, inferred(event), event, out);
                }
            }
            _ => {}
        }
    }
}

impl MarketAlerts {
    /// The state at a bar.
    fn enter(&self, now: &mut Now, at: &MarketState) {
        if at.instance != self.state {
            return;
        }
        let state = match self.rules {
            RuleSet::Tidegate => at.state,
            RuleSet::Published => at.published_state,
        };
        if state == now.state {
            now.bars = now.bars.saturating_add(1);
            return;
        }
        let (unknown, balance) = (MarketBalance::Unknown.code(), MarketBalance::Balance.code());
        // A session begins unknown, and that its market then is in balance is no news.
        let is_news = state != unknown && !(now.state == unknown && state == balance);
        let left = Left { state: now.state, bars: now.bars, close: at.close, start_s: at.start_s };
        *now = Now { state, bars: 1, left: is_news.then_some(left), ..*now };
    }

    /// The numbers of that state.
    fn left(&self, now: &mut Now, numbers: &MarketStateNumbers) -> Option<StateAlert> {
        let left = now.left.take()?;
        Some(StateAlert {
            close: left.close,
            momentum: numbers.momentum,
            threshold: numbers.threshold,
            start_s: left.start_s,
            bars: left.bars,
            state: now.state,
            state_before: left.state,
            rules: self.rules.code(),
            ..StateAlert::default()
        })
    }

    /// The flow at a bar.
    fn flow(&self, now: &mut Now, at: &Flow) -> Option<FlowAlert> {
        if at.instance != self.flow {
            return None;
        }
        let (score, direction) = match self.rules {
            RuleSet::Tidegate => (at.score, at.direction),
            RuleSet::Published => (at.published_score, at.published_direction),
        };
        let none = FlowDirection::None.code();
        let aggressive = if score >= self.least_score { direction } else { none };
        let before = std::mem::replace(&mut now.aggressive, aggressive);
        (aggressive != none && aggressive != before).then(|| FlowAlert {
            change: at.change,
            delta: at.delta,
            start_s: at.start_s,
            score,
            direction,
            rules: self.rules.code(),
            ..FlowAlert::default()
        })
    }
}
