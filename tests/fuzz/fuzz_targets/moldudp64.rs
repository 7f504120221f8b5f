//! MoldUDP64: any payloads, in packets and a capture that are well-formed, so that sequences, gaps and blocks are
//! reached. The input is a row of payloads, each after its length in two bytes.
#![no_main]

use etherparse::PacketBuilder;
use feeds::itch::ItchDecoder;

/// Header of a pcap file: little-endian, version 2.4, whole packets, Ethernet.
const FILE: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0xffff, 1];

/// Most bytes of a payload, as in a frame.
const PAYLOAD: usize = 1472;

fn capture(mut payloads: &[u8]) -> Vec<u8> {
    let mut file: Vec<u8> = FILE.iter().flat_map(|word| word.to_le_bytes()).collect();
    while let Some((len, rest)) = payloads.split_first_chunk::<2>() {
        let (payload, rest) = rest.split_at(usize::from(u16::from_be_bytes(*len)).min(PAYLOAD).min(rest.len()));
        let frame =
            PacketBuilder::ethernet2([2; 6], [1; 6]).ipv4([10, 0, 0, 1], [233, 54, 12, 111], 8).udp(26400, 26477);
        let size = frame.size(payload.len()) as u32;
        file.extend([1_580_378_400, 0, size, size].iter().flat_map(|word: &u32| word.to_le_bytes()));
        frame.write(&mut file, payload).expect("a vector takes every byte");
        payloads = rest;
    }
    file
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tidegate_fuzz::check(|| ItchDecoder::new(None), &[&capture(bytes)]);
});
