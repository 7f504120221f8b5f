//! The vocabulary of Tidegate: the types that every other crate shares.
//!
//! Everything that happens is one [`Event`]: 64 bytes, one cache line, the same in a ring, in the journal and in a fixture.
//! This crate defines events (ids, kinds, records, prices, times), the interfaces of a [`Stage`], of what brings inputs
//! ([`Decoder`], [`Source`]) and of what takes outcomes ([`Sink`]), and the registries and parameters of them all. It has
//! no trading logic, reads no clock, starts no thread and does no I/O.
//!
//! Bound: every type has a fixed size; the only tables that grow are [`Listings`] (one entry per listing, bounded by
//! [`Listings::MAX`]) and buffers that the caller sizes.

#![forbid(unsafe_code)]

mod anomaly;
mod approved;
mod calendar;
mod currency;
mod event;
mod field;
mod flags;
mod gateway;
mod group;
mod growing_table;
mod halts;
mod id;
mod instrument_state;
mod interval;
mod kind;
mod lasting;
mod listing;
mod market_hours;
mod order;
mod out;
mod param;
mod per_symbol;
mod real;
mod record;
pub mod records;
mod registry;
mod reserve;
mod rounding;
mod secret;
mod selection;
mod signing;
mod sink;
mod source;
mod stage;
mod state;
mod symbol_index;
mod table;
mod text_id;
mod tick;
mod trading_state;
mod trust;
mod typed;
mod units;
mod valuation;
mod venue;
mod window;
mod words;

pub use anomaly::AnomalyKind;
pub use approved::Approved;
pub use calendar::{
    CALENDARS, Calendar, Calendars, ExceptionError, Hours, MarketDay, SessionPhase, Sessions, TradeDate, midnight,
    zone_of,
};
pub use currency::Currency;
pub use event::Event;
pub use field::{Field, FieldType, FlagColumn};
pub use flags::{Flags, Side};
pub use gateway::{Gateway, SIMULATED_EXCHANGE, is_returned};
pub use group::RecordGroup;
pub use growing_table::GrowingTable;
pub use halts::{Halts, trimmed};
pub use id::{EventId, POSITION_INGRESS, POSITION_VENUE};
pub use instrument_state::{BookState, InstrumentState, LevelState};
pub use interval::{BarDay, Interval, IntervalError};
pub use kind::{Kind, Kinds};
pub use lasting::Lasting;
pub use listing::{BookKind, DataTrust, Definition, InstrumentType, Listed, Listings, Mic, NameSpace, StatusKind};
pub use market_hours::MarketHours;
pub use order::{
    Account, Action, Booking, CancelReason, CommandAction, CommandResult, CopyOf, HaltReason, Liquidity, OrderId,
    OrderState, OrderType, Reduces, RejectReason, SOURCE_OPERATOR, SOURCE_RETURNS, StrategyId, Tif,
};
pub use out::Out;
pub use param::{Effective, Param, ParamError, ParamType, Params, TableKey, Value};
pub use per_symbol::PerSymbol;
pub use real::Real;
pub use record::{Follows, KindInfo, Record};
pub use records::{
    AverageMethod, BreakoutStep, ChannelBreak, EventBarBy, Extremes, FateBy, FatePart, FlowDirection, HiddenTrade,
    IcebergTrade, KINDS, KINDS_INSIDE, LeftPrice, LeftStep, LegEnd, LegStep, LegType, MarketBalance, PriceDirection,
    ProfileNodeType, ProfileOf, PullbackStep, RuleSet, Seen, SwingExtreme, SwingType, TargetType, Tell, TouchState,
    ToxicityLabel, ToxicityWeights, Unmet, VolatilityRegime, VolumeFrom, VpinMode, VwapAnchor,
};
pub use records::{Weighting, follower_of, kind_info, kind_named};
pub use registry::{Registered, find};
pub use reserve::{Reserve, is_touched_ahead, touch_ahead};
pub use rounding::{divide_half_even, divide_half_even_wide, product};
pub use secret::SecretPlace;
pub use selection::{NoShard, Selection, Shard, Symbols};
pub use signing::{InferredSide, SIGNING, Signer, SigningRule};
pub use sink::{Sink, SinkError};
pub use source::{
    Count, Decoder, FeedError, FeedNotices, Inputs, LOCAL_INSTRUMENTS, Polled, Resumed, Resumption, Source, Step,
    WatchAnswer,
};
pub use stage::{Scope, Stage, Ticks};
pub use state::{SavedState, StateError, StateReader, StateWriter};
pub use symbol_index::SymbolIndex;
pub use table::{in_order, is_in_order, planned, queue, table};
pub use text_id::match_id;
pub use tick::Tick;
pub use trading_state::{
    ClosingPosition, ClosingWait, FlattenState, FlattenTarget, LevelInForce, LimitInForce, ParamInForce, TradingState,
    WorkingOrder,
};
pub use trust::Trust;
pub use typed::{
    BoolParam, ChoiceParam, Choices, FileParam, FloatParam, IntParam, ListParam, OptionalIntParam, ParamKind,
    SecretParam, TableParam, TextParam, TypedParam, Unsigned,
};
pub use units::{NO_MONEY, Ns, Px, Qty, amount, decimal, known_money, money};
pub use valuation::{Rate, RateStep, Valuation};
pub use venue::{AskPace, Known, KnownOrder, OpenOrder, Opened, OrderAnswer, Patience, Venue, VenueError, VenueReply};
pub use window::{Block, Window};
pub use words::{Words, name_of};
