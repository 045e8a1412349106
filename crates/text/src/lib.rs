//! The message tree of a chat text, in linear time.
