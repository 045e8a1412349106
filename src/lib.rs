//! The binary's parts, as a library so that tests run the real app in process. Wiring, nothing else.

pub mod app;
