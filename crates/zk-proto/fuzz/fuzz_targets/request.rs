#![no_main]

#[path = "../../tests/fuzz/request.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|script: &[u8]| body::run(script));
