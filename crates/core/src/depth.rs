//! How deep JSON from outside may nest. What is stored is carried inside other documents (a message
//! in its room, a quote in a message), and those must still be read whole by every reader.

use serde_json::Value;

/// Arrays and objects inside each other, in one value from outside, at most.
pub const DEEPEST: usize = 32;

/// Is something nested deeper than this many levels?
pub fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(all) => levels == 0 || all.iter().any(|one| is_deeper(one, levels - 1)),
        Value::Object(map) => levels == 0 || map.values().any(|one| is_deeper(one, levels - 1)),
        _ => false,
    }
}
