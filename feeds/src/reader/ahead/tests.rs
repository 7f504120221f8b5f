//! A file read by helpers gives what one thread gives: the same bytes, and the same error behind them.

use super::*;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression as Level, Crc};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

/// A frame written from the format's specification, without a checksum: `bits` chooses the form of its header. Its content is a
/// raw block and one that repeats a byte.
fn written(bits: u8, content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u64 + 7).to_le_bytes();
    let short = (content.len() as u64 + 7).saturating_sub(256) as u16;
    let (single, size) = (bits >> 5 & 1 == 1, bits >> 6);
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, bits & 0b1110_0000];
    frame.extend((!single).then_some(0x08));
    match size {
        0 if single => frame.push(len[0]),
        0 => {}
        1 => frame.extend(short.to_le_bytes()),
        2 => frame.extend(&len[..4]),
        _ => frame.extend(len),
    }
    frame.extend(&((content.len() as u32) << 3).to_le_bytes()[..3]);
    frame.extend(content);
    frame.extend([0b11 | 7 << 3, 0, 0, b'r']);
    frame
}

fn skipped(len: usize) -> Vec<u8> {
    [&[0x5a, 0x2a, 0x4d, 0x18][..], &(len as u32).to_le_bytes(), &vec![7; len]].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A member of BGZF; `lie` is added to its size.
fn bgzf(content: &[u8], lie: u16) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(content).unwrap();
    let packed = encoder.finish().unwrap();
    let mut crc = Crc::new();
    crc.update(content);
    let size = (packed.len() + 18 + 8 - 1) as u16 + lie;
    let head = [&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0][..], &size.to_le_bytes()].concat();
    [head, packed, crc.sum().to_le_bytes().to_vec(), (content.len() as u32).to_le_bytes().to_vec()].concat()
}

/// All that a stream gives, and its error. It is read as by a helper, into what holds more than the file does: what zlib has
/// written when it meets damage is lost.
fn all(stream: io::Result<Bytes>) -> (Vec<u8>, Option<String>) {
    let (mut stream, mut bytes, mut block) = (stream.unwrap(), Vec::new(), vec![0; BLOCK]);
    loop {
        match stream.read(&mut block) {
            Ok(0) => return (bytes, None),
            Ok(n) => bytes.extend(&block[..n]),
            Err(e) => return (bytes, Some(format!("{:?}", ReadFault::of(&e)))),
        }
    }
}

fn division(helpers: usize, least: u64) -> Division {
    Division { helpers, least }
}

fn spans(file: &[u8], compression: Compression, least: u64) -> Vec<Span> {
    let mut temporary = tempfile::tempfile().unwrap();
    temporary.write_all(file).unwrap();
    Spans::of(temporary, compression, least).unwrap().collect()
}

/// Reads a file with and without helpers.
fn both(file: &[u8], compression: Compression, helpers: usize, least: u64) -> [(Vec<u8>, Option<String>); 2] {
    let temporary = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(temporary.path(), file).unwrap();
    [helpers, 1].map(|helpers| all(division(helpers, least).open(temporary.path(), "the name", compression)))
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    (0usize..600, any::<u8>(), 1u8..9).prop_map(|(len, seed, period)| {
        (0..len).map(|i| (i as u8 / period).wrapping_mul(seed) ^ seed.rotate_left(i as u32 & 3)).collect()
    })
}

/// A part of a zstd file, or what is none.
fn zstd_part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => content().prop_map(|c| zstd(&c)),
        6 => (any::<u8>(), content()).prop_map(|(bits, c)| written(bits, &c)),
        3 => (0usize..40).prop_map(skipped),
        1 => Just(zstd(b"")),
        1 => (1usize..9).prop_map(|n| vec![0; n]),
        1 => Just(b"text".to_vec()),
        1 => Just(b"\x52\x2a\x4d\x18\x03\0\0\0DBZ".to_vec()),
    ]
}

fn gzip_part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => content().prop_map(|c| bgzf(&c, 0)),
        1 => content().prop_map(|c| bgzf(&c, 1)),
        1 => (content(), content()).prop_map(|(a, b)| {
            // A size that spans two members.
            let next = bgzf(&b, 0);
            [bgzf(&a, next.len() as u16), next].concat()
        }),
        1 => content().prop_map(|c| gzip(&c)),
        1 => (1usize..9).prop_map(|n| vec![0; n]),
        1 => Just(b"text".to_vec()),
    ]
}

/// Parts, of which some bit may be wrong, or the end missing.
fn file(part: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat());
    (parts, 0u8..4, any::<prop::sample::Index>(), 0u8..8).prop_map(|(mut file, fault, at, bit)| {
        match fault {
            0 => file.truncate(at.index(file.len()).max(4)),
            1 => {
                let at = at.index(file.len());
                file[at] ^= 1 << bit;
            }
            _ => {}
        }
        file
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_read_by_helpers_give_what_one_thread_gives(file in file(zstd_part()), helpers in 2usize..5, least in 1u64..900) {
        let [side_by_side, alone] = both(&file, Compression::Zstd, helpers, least);
        prop_assert_eq!(side_by_side, alone);
    }

    #[test]
    fn members_read_by_helpers_give_what_one_thread_gives(file in file(gzip_part()), helpers in 2usize..5, least in 1u64..900) {
        let [side_by_side, alone] = both(&file, Compression::Gzip, helpers, least);
        prop_assert_eq!(side_by_side, alone);
    }
}

#[test]
fn every_whole_part_is_found() {
    let contents: Vec<Vec<u8>> = (0..256usize).map(|bits| vec![bits as u8; bits]).collect();
    let frames: Vec<_> = contents.iter().zip(0..=255).map(|(c, bits)| written(bits, c)).collect();
    let others = contents.iter().map(|c| zstd(c)).chain([0, 9, 5_000].map(skipped));
    let frames: Vec<_> = frames.into_iter().chain(others).collect();
    let members: Vec<_> = contents.iter().map(|c| bgzf(c, 0)).collect();
    for (parts, compression) in [(frames, Compression::Zstd), (members, Compression::Gzip)] {
        let lengths = parts.iter().map(|part| part.len() as u64);
        let starts: Vec<u64> = lengths.scan(0, |at, len| Some(std::mem::replace(at, *at + len))).collect();
        let stops = starts[1..].iter().map(|at| Some(*at)).chain([None]);
        let want: Vec<_> = starts.iter().zip(stops).map(|(from, stop)| Span { from: *from, stop }).collect();
        assert_eq!(spans(&parts.concat(), compression, 1), want);
        assert_eq!(spans(&parts.concat(), compression, 1 << 20).len(), 1, "put together");
    }
    let plain = [gzip(b"a"), gzip(b"b")].concat();
    assert_eq!(spans(&plain, Compression::Gzip, 1), [Span { from: 0, stop: None }], "its members say no size");
}

#[test]
fn what_is_no_case_for_a_helper_is_read_by_one_thread() {
    let wide = [zstd(b"a"), vec![0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0], zstd(b"b")].concat();
    assert_eq!(spans(&wide, Compression::Zstd, 1).len(), 2, "a window of 16 MiB");
    let long = [zstd(b"a"), skipped(16 << 20), zstd(b"b")].concat();
    assert_eq!(spans(&long, Compression::Zstd, 1).len(), 2, "a long frame");
    assert_eq!(both(&long, Compression::Zstd, 2, 1)[0], (b"ab".to_vec(), None));
}

#[test]
fn helpers_end_with_their_reader() {
    let file: Vec<u8> = (0..40u8).flat_map(|i| zstd(&vec![i; 100_000])).collect();
    let temporary = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(temporary.path(), file).unwrap();
    let open_and_drop = |opened: usize| {
        let mut stream = division(4, 1).open(temporary.path(), "the name", Compression::Zstd).unwrap();
        stream.read_exact(&mut vec![0; opened % 7 * 1_000]).unwrap();
    };
    (0..1_000).for_each(open_and_drop);
    let name = |task: io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.ok()?.path().join("comm")).ok();
    let start = std::time::Instant::now();
    let tasks = || std::fs::read_dir("/proc/self/task").unwrap().filter_map(name);
    while tasks().any(|name| name.trim() == "feed-unpack") {
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "some still run");
        thread::sleep(std::time::Duration::from_millis(5));
    }
}
