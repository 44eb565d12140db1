#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ryla_fuzz::run("files", data));
