//! Networks as an operator writes them down, in CIDR form: whose word is believed, who may be called.

use std::net::IpAddr;
use std::str::FromStr;

/// A network in CIDR form, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text} is not a network like 10.0.0.0/8");
        let (address, bits) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { most } else { bits.parse().map_err(|_| bad())? };
        if bits > most { Err(bad()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    /// Is the address in this network? A mapped IPv4 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let number = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
            IpAddr::V6(v6) => (v6.to_bits(), false),
        };
        let ((mine, mine_v4), (theirs, theirs_v4)) = (number(self.address), number(address));
        let shift = 128 - u32::from(self.bits);
        let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
        mine_v4 == theirs_v4 && mine & mask == theirs & mask
    }
}
