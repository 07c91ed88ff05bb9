#![no_main]

#[path = "../../tests/fuzz/session.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|script: &[u8]| body::run(script));
