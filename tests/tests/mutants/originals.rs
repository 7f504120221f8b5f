//! What is changed: a small file of every feed, made here, and in full counts the small recorded ones where the data is.

use super::change::change;
use dbn::encode::{DbnEncodable, DbnEncoder, EncodeRecord};
use dbn::record::RecordHeader;
use dbn::{FlagSet, MboMsg, Mbp1Msg, Metadata, OhlcvMsg, SType, Schema, TradeMsg, rtype};
use etherparse::{IpFragOffset, IpNumber, Ipv4Header, PacketBuilder};
use feeds::synthetic::{Synthetic, SyntheticConfig};
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use tidegate_tests::{amount, data, draw};
use zip::write::SimpleFileOptions;

/// A file that is changed.
pub(super) struct Original {
    pub(super) name: String,
    /// Its parts: one, or the members that only a zip holds together.
    parts: Vec<(String, Vec<u8>)>,
}

impl Original {
    fn one(name: &str, bytes: Vec<u8>) -> Original {
        Original { name: name.to_owned(), parts: vec![(name.to_owned(), bytes)] }
    }

    /// The file as it is, in a zip if it has several parts.
    pub(super) fn plain(&self) -> Vec<u8> {
        if let [(_, bytes)] = self.parts.as_slice() { bytes.clone() } else { zipped(&self.parts) }
    }

    /// A mutant: the parts or the container changed, up to four times.
    pub(super) fn mutant(&self, random: &mut u64) -> (String, Vec<u8>) {
        let (inside, changes) = (draw(random, 3) > 0, 1 + draw(random, 4));
        let mut parts = self.parts.clone();
        if inside {
            let changed = draw(random, parts.len() as u64) as usize;
            (0..changes).for_each(|_| change(&mut parts[changed].1, random));
        }
        let container = if parts.len() > 1 { 3 } else { draw(random, 4) };
        let mut bytes = match container {
            0 => parts.remove(0).1,
            1 => gzipped(&parts[0].1),
            2 => ruzstd::encoding::compress_to_vec(&*parts[0].1, ruzstd::encoding::CompressionLevel::Fastest),
            _ => zipped(&parts),
        };
        if !inside {
            (0..changes).for_each(|_| change(&mut bytes, random));
        }
        (self.name.clone(), bytes)
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut to = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).expect("a vector takes every byte");
    to.finish().expect("a vector takes every byte")
}

fn zipped(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in parts.iter().enumerate() {
        let method = if i == 0 { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        to.start_file(name, SimpleFileOptions::default().compression_method(method)).expect("a member");
        to.write_all(bytes).expect("a vector takes every byte");
    }
    to.finish().expect("a whole zip").into_inner()
}

/// Every original.
pub(super) fn originals() -> Vec<Original> {
    let itch = itch();
    let frames = frames(&itch);
    let mut all = vec![
        Original::one("day_20200130.itch", itch),
        Original::one("day_20200130.pcap", pcap(&frames)),
        Original::one("day_20200130.pcapng", pcapng(&frames)),
        lobster(),
    ];
    all.extend((1..=3).map(|version| Original::one(&format!("v{version}.dbn"), dbn(version))));
    for folder in ["databento/dbn", "databento/databento-python", "moldudp64_pcap"].iter().take(amount(0, 3) as usize) {
        recorded(&data().join(folder), &mut all);
    }
    all
}

/// The small files of a folder, with those below it.
fn recorded(folder: &Path, all: &mut Vec<Original>) {
    const LARGEST: u64 = 20_000;
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            recorded(&path, all);
        } else if path.metadata().is_ok_and(|file| file.len() < LARGEST)
            && path.extension().is_some_and(|e| ["dbn", "zst", "pcap"].iter().any(|known| e == *known))
        {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            all.push(Original::one(&name, fs::read(&path).expect("readable")));
        }
    }
}

fn itch() -> Vec<u8> {
    let config = SyntheticConfig { messages: 400, symbols: 3, live_orders: 40, ..SyntheticConfig::default() };
    let mut bytes = Vec::new();
    Synthetic::new(&config).expect("a valid day").read_to_end(&mut bytes).expect("it does not fail");
    bytes
}

/// The messages in MoldUDP64 packets, in Ethernet frames: some come twice, some late, some in fragments.
fn frames(itch: &[u8]) -> Vec<Vec<u8>> {
    let (mut frames, mut rest, mut sequence) = (Vec::new(), itch, 1u64);
    while rest.len() > 2 {
        let (mut at, mut count) = (0, 0u16);
        while count < 7 && rest.len() > at + 2 {
            let len = usize::from(u16::from_be_bytes([rest[at], rest[at + 1]]));
            (at, count) = (at + 2 + len, count + 1);
        }
        let count = if rest[..2] == [0, 0] { 0xffff } else { count };
        let payload = [b"000010059B", &sequence.to_be_bytes()[..], &count.to_be_bytes(), &rest[..at]].concat();
        let builder =
            PacketBuilder::ethernet2([2; 6], [1; 6]).ipv4([10, 0, 0, 1], [233, 54, 12, 111], 8).udp(1, 26_477);
        let mut frame = Vec::new();
        builder.write(&mut frame, &payload).expect("a vector takes every byte");
        match sequence % 5 {
            0 => frames.extend(fragments(&frame, sequence as u16)),
            1 => frames.extend([frame.clone(), frame]),
            2 => frames.insert(frames.len().saturating_sub(1), frame),
            _ => frames.push(frame),
        }
        (rest, sequence) = (&rest[at..], sequence + u64::from(count));
    }
    frames
}

/// The fragments of the datagram in a frame.
fn fragments(frame: &[u8], id: u16) -> Vec<Vec<u8>> {
    const UNITS: u16 = 12;
    let (head, datagram) = (&frame[..14], &frame[34..]);
    let pieces = datagram.chunks(usize::from(UNITS) * 8);
    let last = pieces.len() - 1;
    let made = pieces.zip(0u16..).map(|(piece, i)| {
        let addresses = ([10, 0, 0, 1], [233, 54, 12, 111]);
        let mut ip = Ipv4Header::new(piece.len() as u16, 8, IpNumber::UDP, addresses.0, addresses.1).expect("short");
        (ip.identification, ip.more_fragments) = (id, usize::from(i) < last);
        ip.fragment_offset = IpFragOffset::try_new(i * UNITS).expect("short");
        [head, &ip.to_bytes(), piece].concat()
    });
    made.collect()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 0xffff, 1]);
    for frame in frames {
        file.extend(words(&[1_580_394_600, 0, frame.len() as u32, frame.len() as u32]));
        file.extend(frame);
    }
    file
}

fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: Vec<u8>| {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let len = (body.len() + padding.len()) as u32 + 12;
        [words(&[kind, len]), body, padding, words(&[len])].concat()
    };
    // Version 1.0 and no length; then Ethernet with a clock of 2^20 units per second.
    let mut file = block(0x0a0d_0d0a, words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    file.extend(block(1, words(&[1, 0, 0x0001_0009, 0x94, 0])));
    for (frame, tick) in frames.iter().zip(0u64..) {
        let (time, len) = ((1_580_394_600 << 20) + tick, frame.len() as u32);
        file.extend(block(6, [words(&[0, (time >> 32) as u32, time as u32, len, len]), frame.clone()].concat()));
    }
    file
}

/// A day of LOBSTER: messages of all types, and the two levels that it says are there.
fn lobster() -> Original {
    let (mut messages, mut books) = (String::new(), String::new());
    for i in 0..80u32 {
        let (kind, order) = ([1, 1, 2, 4, 3, 5, 7][i as usize % 7], 1_000 + i / 7 * 7 + i % 2);
        let (px, side) = (5_853_300 + 100 * (i % 9), if i % 2 == 0 { 1 } else { -1 });
        messages += &format!("{}.{:09},{kind},{order},{},{px},{side}\n", 34_200 + i, i * 7_919, 10 + i);
        books += &format!("5859400,{},5853300,18,5859800,200,5853000,150\n", 100 + i);
    }
    let name = |what: &str| format!("TEST_2012-06-21_34200000_57600000_{what}_2.csv");
    let parts = vec![(name("message"), messages.into_bytes()), (name("orderbook"), books.into_bytes())];
    Original { name: "TEST_2012-06-21_2.zip".to_owned(), parts }
}

fn put<R: DbnEncodable>(to: &mut DbnEncoder<&mut Vec<u8>>, record: &R) {
    to.encode_record(record).expect("a vector takes every byte");
}

/// Records of several schemas in one stream, as a live session sends them.
fn dbn(version: u8) -> Vec<u8> {
    const AT: u64 = 1_580_394_600_000_000_000;
    let metadata = Metadata::builder()
        .version(version)
        .dataset("XNAS.ITCH")
        .schema(None::<Schema>)
        .start(AT)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let mut bytes = Vec::new();
    let mut to = DbnEncoder::new(&mut bytes, &metadata).expect("a vector takes every byte");
    for n in 0..24u64 {
        let (id, ts, price) = (1 + n as u32 % 3, AT + n * 1_000, (5 + n as i64 % 4) * 1_000_000_000);
        let (action, side, flags) = (b"AAATFCMAR"[n as usize % 9] as _, b"BAN"[n as usize % 3] as _, FlagSet::new(128));
        let hd = RecordHeader::new::<MboMsg>(rtype::MBO, 2, id, ts);
        put(
            &mut to,
            &MboMsg { hd, order_id: n / 3, price, size: 10, flags, action, side, ts_recv: ts, ..MboMsg::default() },
        );
        let hd = RecordHeader::new::<TradeMsg>(rtype::MBP_0, 2, id, ts);
        put(
            &mut to,
            &TradeMsg { hd, price, size: 3, action: b'T' as _, side, flags, ts_recv: ts, ..TradeMsg::default() },
        );
        let hd = RecordHeader::new::<Mbp1Msg>(rtype::MBP_1, 2, id, ts);
        put(&mut to, &Mbp1Msg { hd, price, size: 3, action, side, flags, ts_recv: ts, ..Mbp1Msg::default() });
        let hd = RecordHeader::new::<OhlcvMsg>(rtype::OHLCV_1S, 2, id, ts);
        put(&mut to, &OhlcvMsg { hd, open: price, high: price, low: price, close: price, volume: n });
    }
    bytes
}
