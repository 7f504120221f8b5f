//! Market data: listings, orders by reference, levels, trades, quotes, trading states.
//!
//! Every kind except the definitions starts with the exchange's own time. Order messages carry price and quantity if the
//! feed does, so a feed without a full set of order references (LOBSTER) is booked by level from the same kinds.

use crate::record::records;
use crate::{Kind, Kinds, Ns, Px, Qty};

records! {
    /// Defines an instrument: a symbol at a venue. Comes after its `name` and before any other event of the instrument.
    Listing = 1 "listing" {
        tick_px: Px as Step "smallest price step",
        multiplier: i64 as Factor "money per unit of price and quantity (1 for a share, 50 for ES)",
        round_lot: u32 as Uint "shares or contracts in a round lot",
        venue: [u8; 4] as Text "market identifier code, ISO 10383",
        currency: [u8; 4] as Text "ISO 4217",
        calendar: [u8; 4] as Text "market identifier code of the calendar and time zone that apply",
        underlying: u32 as Uint "underlying instrument; 0 = none",
        price_decimals: u8 as Uint "decimals of a printed price; 255 = shortest exact, at least 2",
        qty_decimals: u8 as Uint "decimals of a quantity: the scale of its smallest unit",
        instrument_type: u8 as Code(InstrumentType) "type of instrument",
        book: u8 as Code(BookKind) "how the book is kept",
    }
    /// Terms of a derivative; follows its `listing`.
    Contract = 2 "contract" {
        strike: Px as Price "strike; absent for futures",
        expiry: Ns as TimeNs "last trading time",
    } reserved 24
    /// A piece of a string, before its first use: the symbol of the event's instrument, or the string that `handle` stands for.
    Name = 3 "name" {
        text: [u8; 24] as Text "bytes of this piece",
        handle: u64 as Id "number of the string within its space; of a symbol, its source's own number of the instrument",
        space: u8 as Code(NameSpace) "space of the handle: what the string names",
        part: u8 as Uint "ordinal of this piece, from 0",
        parts: u8 as Uint "number of pieces",
        len: u8 as Uint "bytes used of this piece",
    } reserved 4
    /// A new displayed order; the side is in the flags.
    Add = 4 "add" : sided {
        exchange_ts: Ns as TimeNs "exchange time",
        order_ref: u64 as Id "reference, unique per source and session; per listing if that has the flag own-references",
        px: Px as Price "limit price",
        qty: Qty as Qty "displayed quantity",
        attribution: [u8; 4] as Text "market participant, if the feed reports it",
    } reserved 4
    /// An execution of a resting order. The aggressor is the opposite of the resting side.
    Exec = 5 "exec" : sided {
        exchange_ts: Ns as TimeNs "exchange time",
        order_ref: u64 as Id "the resting order",
        px: Px as Price "execution price; absent = the resting order's price",
        qty: Qty as Qty "executed quantity",
        match_id: u64 as Id "the venue's number of the match; 0 = none",
    }
    /// A partial cancel of a resting order; it keeps its queue position.
    Cancel = 6 "cancel" : sided {
        exchange_ts: Ns as TimeNs "exchange time",
        order_ref: u64 as Id "the resting order",
        px: Px as Price "its price, if the feed reports it; the side is then in the flags",
        qty: Qty as Qty "quantity cancelled",
    } reserved 8
    /// A resting order is removed.
    Delete = 7 "delete" : sided {
        exchange_ts: Ns as TimeNs "exchange time",
        order_ref: u64 as Id "the resting order",
        px: Px as Price "its price, if the feed reports it; the side is then in the flags",
        qty: Qty as Qty "quantity removed, if the feed reports it; else 0",
    } reserved 8
    /// A resting order gets new terms. A new reference goes to the end of its level's queue; the same reference keeps its place only if the price stays and the quantity does not grow.
    Replace = 8 "replace" {
        exchange_ts: Ns as TimeNs "exchange time",
        order_ref: u64 as Id "the resting order",
        new_ref: u64 as Id "new reference",
        px: Px as Price "new price",
        qty: Qty as Qty "new displayed quantity",
    }
    /// Empties the book of the instrument (of all the source's instruments if 0): a snapshot or a new session follows.
    Clear = 9 "clear" {
        exchange_ts: Ns as TimeNs "exchange time",
    } reserved 32
    /// The new total of a price level (0 = the level is gone); the side is in the flags. Comes from feeds by level, and from the book for feeds by order.
    Level = 10 "level" : sided {
        exchange_ts: Ns as TimeNs "exchange time",
        px: Px as Price "price of the level",
        qty: Qty as Qty "total displayed quantity at this price",
        orders: u32 as Uint "number of orders at this price; 0 = unknown",
    } reserved 12
    /// A trade. The side in the flags is the aggressor's.
    Trade = 11 "trade" : aggressor inferred by_quote displayed auction volume_only doubtful {
        exchange_ts: Ns as TimeNs "exchange time",
        px: Px as Price "price; against a displayed order, the resting price unless the venue reports another",
        qty: Qty as Qty "quantity",
        match_id: u64 as Id "the venue's number of the match; 0 = none",
        order_ref: u64 as Id "the resting order; 0 = unknown",
    } row [px, qty, aggressor, inferred, displayed, auction, match_id, order_ref, doubtful, by_quote, volume_only]
    /// A trade is cancelled (broken) by the venue.
    Break = 12 "break" {
        exchange_ts: Ns as TimeNs "exchange time",
        match_id: u64 as Id "number of the cancelled match",
    } reserved 24
    /// Best bid and ask, as the feed reports them.
    Quote = 13 "quote" {
        exchange_ts: Ns as TimeNs "exchange time",
        bid_px: Px as Price "best bid; absent = no bid",
        bid_qty: Qty as Qty "quantity at the bid",
        ask_px: Px as Price "best ask; absent = no ask",
        ask_qty: Qty as Qty "quantity at the ask",
    }
    /// Messages are missing, of an instrument or, if it is 0, of the whole source: its books may be wrong until the next snapshot.
    Gap = 14 "gap" {
        exchange_ts: Ns as TimeNs "exchange time of the first message after the gap",
        expected: u64 as Sequence "sequence number of the first message that is missing; absent = not known",
        received: u64 as Sequence "sequence number of the first message after the gap; absent = nothing came since",
    } reserved 16
    /// Whether the data of an instrument can be trusted; of many if the instrument is 0. Made of a `gap`, and of what ends the doubt.
    DataState = 17 "data-state" {
        exchange_ts: Ns as TimeNs "exchange time of the input that changed it, if that has one",
        cause: u16 as Kind "kind of that input",
        state: u8 as Enum(DataTrust) "from here on",
        of: u8 as Uint "with instrument 0: the source of the instruments; 0 = every source",
    } reserved 28
    /// A trade that the venue has broken, to be taken out of all that is still open. The flags are those of the trade.
    BrokenTrade = 18 "broken-trade" : aggressor inferred by_quote displayed auction volume_only doubtful {
        exchange_ts: Ns as TimeNs "exchange time of the trade",
        trade_ts: Ns as TimeNs "time of the input that brought the trade",
        px: Px as Price "its price",
        qty: Qty as Qty "its quantity",
        match_id: u64 as Id "the venue's number of the match",
    }
    /// At which venue the next trade of the instrument was; comes right before it, from feeds of several venues that say so.
    TradeVenue = 19 "trade-venue" {
        exchange_ts: Ns as TimeNs "exchange time of the trade",
        venue: [u8; 24] as Text "the feed's own name of the venue",
    } reserved 8
    /// The trading state of an instrument, or of the whole market if the instrument is 0.
    Status = 15 "status" {
        exchange_ts: Ns as TimeNs "exchange time",
        code: [u8; 4] as Text "the venue's code of the state",
        reason: [u8; 4] as Text "the venue's reason",
        what: u8 as Code(StatusKind) "which state this reports",
    } reserved 23
    /// The prices between which an instrument may trade for now; a side that is absent has no limit.
    Bands = 112 "bands" {
        exchange_ts: Ns as TimeNs "exchange time",
        limit_up_px: Px as Price "limit-up price: no trade above it",
        limit_down_px: Px as Price "limit-down price: no trade below it",
        indicator: [u8; 4] as Text "the tape's indicator of the bands",
        tape: [u8; 4] as Text "the tape: A, B or C",
    } reserved 8
    /// How far a live source has come. No stage reads it; after a restart the source learns from it what it has missed.
    Cursor = 16 "cursor" {
        session: u64 as Id "the source's number of the session, within which sequence numbers grow",
        next: u64 as Sequence "sequence number of the message after those before it",
    } reserved 24
}

impl Gap {
    /// An end of the gap that is not known.
    pub const UNKNOWN: u64 = u64::MAX;
}

impl Kinds {
    /// What a feed reports of a market: its groups end with a flag, and one source at a time reports an instrument. What
    /// defines an instrument is not among it.
    pub const MARKET_DATA: Kinds = Kinds::of(&[
        Kind::Add,
        Kind::Exec,
        Kind::Cancel,
        Kind::Delete,
        Kind::Replace,
        Kind::Clear,
        Kind::Level,
        Kind::TradeVenue,
        Kind::Trade,
        Kind::Break,
        Kind::Quote,
        Kind::Gap,
        Kind::Status,
        Kind::Bands,
        Kind::Bar,
        Kind::BarFlow,
        Kind::CorrectedBar,
        Kind::CorrectedBarFlow,
    ]);
}
