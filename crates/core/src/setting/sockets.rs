//! How often methods may be called on sockets (contract section 3.3): five rules, each with a switch, a
//! number of calls and a window. The original's own limits stop clients that catch up; these stop loops.

use super::{Known, flag, number};

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct SocketRate {
    /// Does it count?
    pub enabled: Known,
    /// Calls of a window.
    pub calls: Known,
    /// The window's length, in milliseconds.
    pub time: Known,
}

macro_rules! rules {
    ($($name:ident $id:literal $calls:literal $time:literal;)*) => {
        $(
            #[doc = concat!("`DDP_Rate_Limit_", $id, "_…`")]
            pub const $name: SocketRate = SocketRate {
                enabled: flag(concat!("DDP_Rate_Limit_", $id, "_Enabled"), true, false),
                calls: number(concat!("DDP_Rate_Limit_", $id, "_Requests_Allowed"), $calls, false),
                time: number(concat!("DDP_Rate_Limit_", $id, "_Interval_Time"), $time, false),
            };
        )*
        /// Their settings.
        pub(super) const SOCKETS: &[Known] =
            &[$($name.enabled, $name.calls, $name.time,)*];
        /// The rules.
        pub const SOCKET_RATES: &[SocketRate] = &[$($name,)*];
    };
}

rules! {
    SOCKET_ADDRESS "IP" 120_000 60_000;
    SOCKET_USER "User" 12_000 60_000;
    SOCKET_CONNECTION "Connection" 6000 60_000;
    SOCKET_USER_METHOD "User_By_Method" 1200 10_000;
    SOCKET_CONNECTION_METHOD "Connection_By_Method" 600 10_000;
}
