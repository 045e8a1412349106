//! The MeepaChat wire contract.
