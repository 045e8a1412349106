//! What published faults of chat servers teach, asked of every endpoint there is: the route table is
//! the list, and a route that these tests do not know how to call makes them fail with its name.

mod alias;
mod assignment;
mod blocked;
mod by_id;
mod calls;
mod matrix;
mod permissions;
mod profiles;
mod scene;
mod sweep;
