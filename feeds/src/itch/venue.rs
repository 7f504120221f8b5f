//! Which of Nasdaq's three stock markets an input comes from: Nasdaq, BX or PSX.
//!
//! No message says so, and the three number their stocks and orders alike. In this order: the parameter `venue`; the name
//! of the file, if it has one of the forms that Nasdaq's servers use; the multicast group of a capture's first packet; else
//! Nasdaq itself. A ticker is no evidence: `BX` is also a stock.

use flow::{ChoiceParam, Mic, choices};

/// The Nasdaq Stock Market. Its calendar is that of all three.
pub(super) const NASDAQ: Mic = Mic(*b"XNAS");
const BX: Mic = Mic(*b"XBOS");
const PSX: Mic = Mic(*b"XPSX");

/// The parameter; `None` leaves it to the file.
pub(super) const VENUE: ChoiceParam<Option<Mic>> = ChoiceParam::new(
    "venue",
    choices! { "auto" => None, "XNAS" => Some(NASDAQ), "XBOS" => Some(BX), "XPSX" => Some(PSX) },
    "auto",
    "The market that the messages come from; auto: by the file's name or the capture's multicast group.",
);

/// The market in a name as Nasdaq gives it: `20200130.BX_ITCH_50.gz`, `S030220-v50-psx.txt.gz`.
pub(super) fn in_name(name: &str) -> Option<Mic> {
    let name = name.rsplit(['/', '\\']).next()?.to_ascii_uppercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words.windows(2).find_map(|pair| match pair {
        ["NASDAQ", next] if next.starts_with("ITCH") => Some(NASDAQ),
        ["BX", next] if next.starts_with("ITCH") => Some(BX),
        ["PSX", next] if next.starts_with("ITCH") => Some(PSX),
        ["V50", "BX"] => Some(BX),
        ["V50", "PSX"] => Some(PSX),
        _ => None,
    })
}

/// The market that sends TotalView-ITCH to this multicast group: A, B, and B's address of before.
pub(super) fn of_group(group: [u8; 4]) -> Option<Mic> {
    match group {
        [233, 54, 12, market] | [233, 86, 230, market] | [233, 49, 196, market] => match market {
            111 => Some(NASDAQ),
            40 => Some(BX),
            45 => Some(PSX),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_in_names() {
        for (name, want) in [
            ("01302020.NASDAQ_ITCH50.gz", Some(NASDAQ)),
            ("20200130.BX_ITCH_50.gz", Some(BX)),
            ("20191230.PSX_ITCH_50", Some(PSX)),
            ("S030220-v50-bx.txt.gz", Some(BX)),
            ("S030220-v50-psx.txt", Some(PSX)),
            ("/data/BX_ITCH/S013020-v50.txt", None),
            ("BX_2020-01-30.itch", None),
            ("psx.pcap", None),
            ("", None),
        ] {
            assert_eq!(in_name(name), want, "{name}");
        }
    }

    #[test]
    fn markets_by_group() {
        assert_eq!(of_group([233, 54, 12, 111]), Some(NASDAQ));
        assert_eq!(of_group([233, 86, 230, 40]), Some(BX));
        assert_eq!(of_group([233, 49, 196, 45]), Some(PSX));
        assert_eq!([[233, 54, 12, 46], [224, 0, 0, 40]].map(of_group), [None, None]);
    }
}
