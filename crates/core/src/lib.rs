//! The domain of Parlance and its private store.
