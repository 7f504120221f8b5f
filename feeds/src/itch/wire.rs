//! The messages of ITCH 5.0 on the wire.
//!
//! One table lists, for each message, its type byte, its length and the offset of every field. The structs, the reader,
//! the writer and [`TYPES`] are generated from it, and the compiler proves that the fields fill each message without
//! gap or overlap. Integers are big-endian and unaligned; text is ASCII, padded with trailing spaces; prices have four
//! implied decimals unless noted. Reading a message copies it and allocates nothing.

/// Implied decimals of a price.
pub(super) const DECIMALS: u8 = 4;

/// The common head of every message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Index of the stock for this day, from 1; 0 in messages that concern no stock.
    pub locate: u16,
    /// Nasdaq's internal tracking number.
    pub tracking: u16,
    /// Nanoseconds since midnight in New York, below [`DAY_NS`]; 48 bits.
    pub timestamp: u64,
}

impl Head {
    /// Length of type byte and head together.
    pub const LEN: usize = 11;

    #[inline(always)]
    fn read(bytes: &[u8]) -> Head {
        let word = u64::get(bytes, 3);
        Head { locate: u16::get(bytes, 1), tracking: (word >> 48) as u16, timestamp: word & ((1 << 48) - 1) }
    }

    fn put(self, to: &mut [u8]) {
        self.locate.put(to, 1);
        (u64::from(self.tracking) << 48 | self.timestamp & ((1 << 48) - 1)).put(to, 3);
    }
}

/// The head of a message of any type; `None` if the message is too short.
#[inline(always)]
pub fn head_of(message: &[u8]) -> Option<Head> {
    message.first_chunk::<{ Head::LEN }>().map(|bytes| Head::read(bytes))
}

/// Nanoseconds per day; every timestamp is below.
pub const DAY_NS: u64 = 86_400_000_000_000;

/// A message of one type.
pub trait Message: Sized {
    /// Type byte.
    const TYPE: u8;
    /// Length including the type byte, without the frame's length prefix.
    const LEN: usize;

    /// Reads the message at the front of `bytes`; `None` if they are too few. The type byte is not checked.
    fn read(bytes: &[u8]) -> Option<Self>;

    /// Appends the message.
    fn put(&self, to: &mut Vec<u8>);

    /// Appends the message after its length, as in BinaryFILE and in a MoldUDP64 packet.
    fn put_framed(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&(Self::LEN as u16).to_be_bytes());
        self.put(to);
    }
}

/// Stock symbol, padded with spaces.
pub type Stock = [u8; 8];

/// A symbol as on the wire; anything past eight characters is cut off.
pub fn stock(symbol: &str) -> Stock {
    let mut padded = [b' '; 8];
    let len = symbol.len().min(8);
    padded[..len].copy_from_slice(&symbol.as_bytes()[..len]);
    padded
}

/// An entry of [`TYPES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageType {
    /// Type byte.
    pub code: u8,
    /// Name of the message's struct.
    pub name: &'static str,
    /// Specified length, including the type byte.
    pub len: usize,
}

/// A value with a wire representation.
trait Wire: Copy {
    const SIZE: usize;
    fn get(bytes: &[u8], at: usize) -> Self;
    fn put(self, to: &mut [u8], at: usize);
}

macro_rules! wire_integers {
    ($($ty:ty),*) => { $(
        impl Wire for $ty {
            const SIZE: usize = size_of::<$ty>();
            #[inline(always)]
            fn get(bytes: &[u8], at: usize) -> $ty {
                <$ty>::from_be_bytes(<[u8; size_of::<$ty>()]>::get(bytes, at))
            }
            fn put(self, to: &mut [u8], at: usize) {
                self.to_be_bytes().put(to, at);
            }
        }
    )* };
}
wire_integers!(u8, u16, u32, u64);

impl<const N: usize> Wire for [u8; N] {
    const SIZE: usize = N;
    #[inline(always)]
    fn get(bytes: &[u8], at: usize) -> [u8; N] {
        bytes[at..at + N].try_into().expect("a slice of N bytes")
    }
    fn put(self, to: &mut [u8], at: usize) {
        to[at..at + N].copy_from_slice(&self);
    }
}

macro_rules! messages {
    ($( $(#[doc = $about:literal])+ $name:ident = $code:literal, $len:literal
        { $( $field:ident : $ty:ty = $at:literal $what:literal ),* $(,)? } )*) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name {
                /// Stock, tracking number and time.
                pub head: Head,
                $( #[doc = $what] pub $field: $ty, )*
            }
            const _: () = {
                let mut end = Head::LEN;
                $( assert!($at == end, concat!("hole or overlap before ", stringify!($name), ".", stringify!($field)));
                   end += <$ty as Wire>::SIZE; )*
                assert!(end == $len, concat!("the fields of ", stringify!($name), " do not fill it"));
            };
            impl Message for $name {
                const TYPE: u8 = $code;
                const LEN: usize = $len;
                #[inline(always)]
                fn read(bytes: &[u8]) -> Option<$name> {
                    let bytes = bytes.first_chunk::<$len>()?;
                    Some($name { head: Head::read(bytes), $( $field: <$ty>::get(bytes, $at), )* })
                }
                fn put(&self, to: &mut Vec<u8>) {
                    let mut bytes = [0; $len];
                    bytes[0] = $code;
                    self.head.put(&mut bytes);
                    $( self.$field.put(&mut bytes, $at); )*
                    to.extend_from_slice(&bytes);
                }
            }
        )*
        /// Every message type of the specification.
        pub const TYPES: &[MessageType] =
            &[ $( MessageType { code: $code, name: stringify!($name), len: $len } ),* ];

        /// Reads a message and writes it back, by type.
        #[cfg(test)]
        pub(super) const RECODE: &[fn(&[u8]) -> Option<Vec<u8>>] = &[ $( |bytes| {
            let mut to = Vec::new();
            $name::read(bytes)?.put(&mut to);
            Some(to)
        } ),* ];
    };
}

messages! {
    /// The state of the whole system changes.
    SystemEvent = b'S', 12 {
        event: u8 = 11 "O start of messages, S start of system hours, Q start of market hours, M end of market hours, E end of system hours, C end of messages",
    }
    /// A stock that may be traded today, with its locate.
    StockDirectory = b'R', 39 {
        stock: Stock = 11 "symbol",
        market_category: u8 = 19 "listing market",
        financial_status: u8 = 20 "deficient, delinquent, bankrupt …; N normal",
        round_lot: u32 = 21 "shares in a round lot",
        round_lots_only: u8 = 25 "Y or N",
        issue_class: u8 = 26 "class of security",
        issue_subtype: [u8; 2] = 27 "subtype of security",
        authenticity: u8 = 29 "P live, T test",
        short_sale_threshold: u8 = 30 "Y, N or space",
        ipo_flag: u8 = 31 "Y, N or space",
        luld_tier: u8 = 32 "tier of the limit-up limit-down plan: 1, 2 or space",
        etp_flag: u8 = 33 "Y, N or space",
        etp_leverage: u32 = 34 "leverage of the fund",
        inverse: u8 = 38 "Y or N",
    }
    /// A stock is halted, paused or trades again.
    StockTradingAction = b'H', 25 {
        stock: Stock = 11 "symbol",
        state: u8 = 19 "H halted, P paused, Q quotation only, T trading",
        reserved: u8 = 20 "reserved",
        reason: [u8; 4] = 21 "reason code",
    }
    /// Short sale price test restriction.
    RegSho = b'Y', 20 {
        stock: Stock = 11 "symbol",
        action: u8 = 19 "0 none, 1 in effect after an intraday drop, 2 remains in effect",
    }
    /// Status of a market participant in a stock.
    MarketParticipantPosition = b'L', 26 {
        mpid: [u8; 4] = 11 "market participant",
        stock: Stock = 15 "symbol",
        primary_market_maker: u8 = 23 "Y or N",
        market_maker_mode: u8 = 24 "N normal, P passive, S syndicate, R pre-syndicate, L penalty",
        state: u8 = 25 "A active, E excused, W withdrawn, S suspended, D deleted",
    }
    /// Levels of the market-wide circuit breaker for the day; prices have eight decimals.
    MwcbDeclineLevel = b'V', 35 {
        level_1: u64 = 11 "level 1",
        level_2: u64 = 19 "level 2",
        level_3: u64 = 27 "level 3",
    }
    /// A level of the market-wide circuit breaker was breached.
    MwcbStatus = b'W', 12 {
        breached: u8 = 11 "1, 2 or 3",
    }
    /// When a new stock will be released for quotation.
    IpoQuotingPeriod = b'K', 28 {
        stock: Stock = 11 "symbol",
        release_time: u32 = 19 "seconds since midnight",
        qualifier: u8 = 23 "A anticipated, C cancelled or postponed",
        price: u32 = 24 "price of the offering",
    }
    /// Collars of an auction after a limit-up limit-down pause.
    LuldAuctionCollar = b'J', 35 {
        stock: Stock = 11 "symbol",
        reference: u32 = 19 "reference price",
        upper: u32 = 23 "upper collar",
        lower: u32 = 27 "lower collar",
        extension: u32 = 31 "how often the auction was extended",
    }
    /// An operational halt of one market.
    OperationalHalt = b'h', 21 {
        stock: Stock = 11 "symbol",
        market: u8 = 19 "Q Nasdaq, B Nasdaq Texas, X PSX",
        action: u8 = 20 "H halted, T halt lifted",
    }
    /// A new displayed order.
    AddOrder = b'A', 36 {
        order_ref: u64 = 11 "reference, unique for the day",
        side: u8 = 19 "B or S",
        shares: u32 = 20 "displayed shares",
        stock: Stock = 24 "symbol",
        price: u32 = 32 "limit price",
    }
    /// A new displayed order with its market participant.
    AddOrderMpid = b'F', 40 {
        order_ref: u64 = 11 "reference, unique for the day",
        side: u8 = 19 "B or S",
        shares: u32 = 20 "displayed shares",
        stock: Stock = 24 "symbol",
        price: u32 = 32 "limit price",
        attribution: [u8; 4] = 36 "market participant",
    }
    /// An order is executed at its own price.
    OrderExecuted = b'E', 31 {
        order_ref: u64 = 11 "the resting order",
        shares: u32 = 19 "executed shares",
        match_number: u64 = 23 "number of the match",
    }
    /// An order is executed at another price than its own.
    OrderExecutedWithPrice = b'C', 36 {
        order_ref: u64 = 11 "the resting order",
        shares: u32 = 19 "executed shares",
        match_number: u64 = 23 "number of the match",
        printable: u8 = 31 "N if it is printed in bulk elsewhere",
        price: u32 = 32 "price of the execution",
    }
    /// An order is reduced.
    OrderCancel = b'X', 23 {
        order_ref: u64 = 11 "the resting order",
        shares: u32 = 19 "shares taken away",
    }
    /// An order is gone.
    OrderDelete = b'D', 19 {
        order_ref: u64 = 11 "the resting order",
    }
    /// An order is replaced by a new one on the same side.
    OrderReplace = b'U', 35 {
        order_ref: u64 = 11 "the order that goes",
        new_ref: u64 = 19 "the order that comes",
        shares: u32 = 27 "displayed shares",
        price: u32 = 31 "limit price",
    }
    /// An execution of an order that was not displayed. Its side says nothing of the aggressor.
    Trade = b'P', 44 {
        order_ref: u64 = 11 "0 since 2010",
        side: u8 = 19 "always B since 2014",
        shares: u32 = 20 "executed shares",
        stock: Stock = 24 "symbol",
        price: u32 = 32 "price of the execution",
        match_number: u64 = 36 "number of the match",
    }
    /// The bulk print of an auction.
    CrossTrade = b'Q', 40 {
        shares: u64 = 11 "shares; 0 when the cross did not happen",
        stock: Stock = 19 "symbol",
        price: u32 = 27 "price of the cross",
        match_number: u64 = 31 "number of the match",
        cross_type: u8 = 39 "O opening, C closing, H halt or new stock, I intraday, A extended close",
    }
    /// An execution is void.
    BrokenTrade = b'B', 19 {
        match_number: u64 = 11 "number of the match",
    }
    /// Net order imbalance before an auction.
    Imbalance = b'I', 50 {
        paired: u64 = 11 "shares that match at the reference price",
        imbalance: u64 = 19 "shares that do not",
        direction: u8 = 27 "B, S, N none, O too few orders, P paused",
        stock: Stock = 28 "symbol",
        far_price: u32 = 36 "clearing price of auction orders alone",
        near_price: u32 = 40 "clearing price with the book",
        reference_price: u32 = 44 "price that the imbalance is computed at",
        cross_type: u8 = 48 "as in the cross",
        price_variation: u8 = 49 "near price from the reference price, in classes",
    }
    /// Retail interest inside the market.
    RetailInterest = b'N', 20 {
        stock: Stock = 11 "symbol",
        interest: u8 = 19 "B, S, A both, N none",
    }
    /// Price discovery of a direct listing with a capital raise.
    DirectListing = b'O', 48 {
        stock: Stock = 11 "symbol",
        open_eligibility: u8 = 19 "Y or N",
        minimum_price: u32 = 20 "lowest allowed price",
        maximum_price: u32 = 24 "highest allowed price",
        near_price: u32 = 28 "near execution price",
        near_time: u64 = 32 "time of the near execution",
        lower_collar: u32 = 40 "lower collar",
        upper_collar: u32 = 44 "upper collar",
    }
}

/// Length by type byte; 0 for bytes that are not a type.
pub const LENGTHS: [u8; 256] = {
    let mut lengths = [0; 256];
    let mut i = 0;
    while i < TYPES.len() {
        assert!(lengths[TYPES[i].code as usize] == 0, "a type stands twice");
        lengths[TYPES[i].code as usize] = TYPES[i].len as u8;
        i += 1;
    }
    lengths
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_23_types_have_the_lengths_of_the_specification() {
        let lengths: Vec<(char, usize)> = TYPES.iter().map(|t| (char::from(t.code), t.len)).collect();
        let spec = [
            ('S', 12),
            ('R', 39),
            ('H', 25),
            ('Y', 20),
            ('L', 26),
            ('V', 35),
            ('W', 12),
            ('K', 28),
            ('J', 35),
            ('h', 21),
            ('A', 36),
            ('F', 40),
            ('E', 31),
            ('C', 36),
            ('X', 23),
            ('D', 19),
            ('U', 35),
            ('P', 44),
            ('Q', 40),
            ('B', 19),
            ('I', 50),
            ('N', 20),
            ('O', 48),
        ];
        assert_eq!(lengths, spec);
    }

    proptest! {
        /// The fields fill a message, so a message read and written back is unchanged, bit for bit.
        #[test]
        fn a_message_read_and_written_is_unchanged(kind in 0..TYPES.len(), random in prop::collection::vec(any::<u8>(), 64)) {
            let mut bytes = random[..TYPES[kind].len].to_vec();
            bytes[0] = TYPES[kind].code;
            prop_assert_eq!(RECODE[kind](&bytes), Some(bytes.clone()));
            prop_assert_eq!(RECODE[kind](&bytes[1..]), None);
            prop_assert_eq!(RECODE[kind](&random), Some(bytes).map(|b| { let mut r = random[..b.len()].to_vec(); r[0] = b[0]; r }));
        }
    }
}
