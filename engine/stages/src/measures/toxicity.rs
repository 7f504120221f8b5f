//! Toxicity: VPIN, venues, patterns of trades and the book in one number.
//!
//! A weighted mean of what is known. What is not known is left out and the other weights stand for it, so a market without venues is not
//! taken for a neutral one; the row says what took part. The last values before the input that completes a bucket are taken: what other
//! measures make of that same input comes later.
//!
//! Bound: 24 bytes an instrument. Worst case: four products a bucket.

use super::{Context, Measure, Needs, PerInstrument, emit, inferred};
use crate::Space;
use flow::records::{self, ImbalanceVariability, PatternScore, ToxicityParts, VenueScore, Vpin};
use flow::{
    BoolParam, ChoiceParam, Event, FloatParam, IntParam, Kind, Kinds, Out, Param, ParamError, Params, Real,
    ToxicityLabel, ToxicityWeights,
};
use serde::{Deserialize, Serialize};

const WEIGHTS: ChoiceParam<ToxicityWeights> = ChoiceParam::new(
    "weights",
    ToxicityWeights::CHOICES,
    "venues",
    "how the components weigh: two sets that were published, or the next four",
);
const VPIN_WEIGHT: FloatParam = FloatParam::new("vpin_weight", (0.0, 1.0), "0.5", "`weights` = `own`: VPIN");
const VENUE_WEIGHT: FloatParam = FloatParam::new("venue_weight", (0.0, 1.0), "0.25", "the venue score");
const PATTERN_WEIGHT: FloatParam = FloatParam::new("pattern_weight", (0.0, 1.0), "0.2", "the pattern score");
const BOOK_WEIGHT: FloatParam =
    FloatParam::new("book_weight", (0.0, 1.0), "0.05", "the variability of the book imbalance");
const NEUTRAL_DEFAULT: BoolParam = BoolParam::new(
    "neutral_default",
    false,
    "what is not known counts as 0.5, as in the published numbers, and is not left out",
);
const TOXIC: FloatParam = FloatParam::new("toxic", (0.0, 1.0), "0.7", "toxic from here on");
const INFORMED: FloatParam = FloatParam::new("informed", (0.0, 1.0), "0.3", "informed up to here");
const VPIN: IntParam<u8> =
    IntParam::new("vpin", (0, 255), "0", "number of the instance of `vpin` that it reads; 0 = the plain one");
const VENUES: IntParam<u8> = IntParam::new("venues", (0, 255), "0", "number of the instance of `venues` likewise");
const PATTERNS: IntParam<u8> =
    IntParam::new("patterns", (0, 255), "0", "number of the instance of `patterns` likewise");
const BOOK: IntParam<u8> =
    IntParam::new("book", (0, 255), "0", "number of the instance of `imbalance-variability` likewise");

/// Parameters.
pub const PARAMS: &[Param] = &[
    WEIGHTS.param(),
    VPIN_WEIGHT.param(),
    VENUE_WEIGHT.param(),
    PATTERN_WEIGHT.param(),
    BOOK_WEIGHT.param(),
    NEUTRAL_DEFAULT.param(),
    TOXIC.param(),
    INFORMED.param(),
    VPIN.param(),
    VENUES.param(),
    PATTERNS.param(),
    BOOK.param(),
];

/// Components: VPIN, venue, pattern, book.
const COMPONENTS: usize = 4;

/// The measure `toxicity`.
pub struct Toxicity {
    preset: ToxicityWeights,
    weights: [f64; COMPONENTS],
    neutral_default: bool,
    toxic: f64,
    informed: f64,
    vpin: u8,
    venues: u8,
    patterns: u8,
    book: u8,
}

/// The last values of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    venue: Real,
    pattern: Real,
    book: Real,
}

impl Default for Known {
    fn default() -> Known {
        Known { venue: Real::NONE, pattern: Real::NONE, book: Real::NONE }
    }
}

fn weights(preset: ToxicityWeights, params: &Params) -> [f64; COMPONENTS] {
    match preset {
        ToxicityWeights::Venues => [0.5, 0.25, 0.2, 0.05],
        ToxicityWeights::NoVenues => [0.7, 0.0, 0.25, 0.05],
        ToxicityWeights::Own => [VPIN_WEIGHT, VENUE_WEIGHT, PATTERN_WEIGHT, BOOK_WEIGHT].map(|of| params.get(of)),
    }
}

impl Measure for Toxicity {
    type Records = (records::Toxicity, ToxicityParts);
    type State = PerInstrument<Known>;

    fn new(params: &Params, space: Space) -> Result<(Toxicity, Self::State), ParamError> {
        let preset = params.get(WEIGHTS);
        let measure = Toxicity {
            preset,
            weights: weights(preset, params),
            neutral_default: params.get(NEUTRAL_DEFAULT),
            toxic: params.get(TOXIC),
            informed: params.get(INFORMED),
            vpin: params.get(VPIN),
            venues: params.get(VENUES),
            patterns: params.get(PATTERNS),
            book: params.get(BOOK),
        };
        Ok((measure, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Vpin]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Vpin, Kind::VenueScore, Kind::PatternScore, Kind::ImbalanceVariability]) }
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.vpin.into(), self.venues.into(), self.patterns.into(), self.book.into()]
    }

    #[inline]
    fn run(&self, state: &mut Self::State, _: &Context, event: &Event, out: &mut Out) {
        let Some(known) = state.get_mut(event.instrument) else { return };
        if let Some(score) = event.get::<PatternScore>().filter(|score| score.instance == self.patterns) {
            known.pattern = score.score;
        } else if let Some(score) = event.get::<VenueScore>().filter(|score| score.instance == self.venues) {
            known.venue = score.score;
        } else if let Some(book) = event.get::<ImbalanceVariability>().filter(|book| book.instance == self.book) {
            known.book = book.variability;
        } else if let Some(vpin) = event.get::<Vpin>().filter(|vpin| vpin.instance == self.vpin) {
            let blended = self.blend([vpin.vpin, known.venue, known.pattern, known.book]);
            emit(&blended, inferred(event), event, out);
        }
    }
}

impl Toxicity {
    fn blend(&self, parts: [Real; COMPONENTS]) -> (records::Toxicity, ToxicityParts) {
        let neutral = self.neutral_default.then_some(0.5);
        let values = parts.map(|part| part.known().or(neutral));
        let each = |at: usize| values[at].map_or([0.0; 2], |value| [self.weights[at], self.weights[at] * value]);
        let taken: [[f64; 2]; COMPONENTS] = std::array::from_fn(each);
        let [weight, sum] = taken.iter().fold([0.0; 2], |all, one| [all[0] + one[0], all[1] + one[1]]);
        let toxicity = (weight > 0.0).then(|| sum / weight);
        let [vpin_weight, venue_weight, pattern_weight, book_weight] =
            taken.map(|[own, _]| Real::of(if weight > 0.0 { own / weight } else { 0.0 }));
        let blended = records::Toxicity {
            toxicity: Real::of(toxicity),
            vpin_weight,
            venue_weight,
            pattern_weight,
            label: self.label(toxicity).code(),
            weights: self.preset.code(),
            ..records::Toxicity::default()
        };
        let [vpin, venue, pattern, book] = parts;
        (blended, ToxicityParts { vpin, venue, pattern, book, book_weight })
    }

    fn label(&self, toxicity: Option<f64>) -> ToxicityLabel {
        match toxicity {
            None => ToxicityLabel::Unknown,
            Some(toxicity) if toxicity >= self.toxic => ToxicityLabel::Toxic,
            Some(toxicity) if toxicity <= self.informed => ToxicityLabel::Informed,
            Some(_) => ToxicityLabel::Neutral,
        }
    }
}
