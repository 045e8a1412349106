//! The MeepaChat contract, endpoint by endpoint.
