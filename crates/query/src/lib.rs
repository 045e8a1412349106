//! MongoDB-style filters, sorts and projections: parsed, matched and compiled to SQL.
