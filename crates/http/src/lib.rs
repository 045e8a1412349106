//! What both wire contracts share at the edge.
