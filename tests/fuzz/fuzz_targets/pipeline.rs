//! The whole pipeline and the simulated venue: any inputs in any order. See the file that it plays with.
#![no_main]

#[path = "../../../engine/stages/tests/stages/pipeline/filling.rs"]
mod filling;
#[path = "../../../engine/stages/tests/stages/pipeline/play.rs"]
mod play;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    play::play(bytes);
});
