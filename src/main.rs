//! The binary: wiring, nothing else.
fn main() {}
