//! Settings of what is kept warm, and of who may look at it.

use super::Reader;
use ryla_domain::id::AccountId;
use std::collections::BTreeSet;

/// What holding is worth, and how much of it there may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmSettings {
    /// `WARM_VALUE_USD`: what a full cold wait costs the owner.
    pub value_usd: f64,
    /// `WARM_IDLE_USD_PER_DAY`: beyond, nothing is held until the next UTC day; above 0.
    pub idle_usd_per_day: f64,
    /// `WARM_GPU_USD_PER_HOUR`
    pub gpu_usd_per_hour: f64,
    /// `WARM_MAX_FLOOR`: most containers of one class that are held.
    pub max_floor: u32,
}

impl WarmSettings {
    /// The price of a container's second.
    pub fn usd_per_s(&self) -> f64 {
        self.gpu_usd_per_hour / 3600.0
    }
}

impl Reader {
    /// `None` where warm is off; what is wrong is noted either way.
    pub(super) fn warm(&mut self) -> Option<WarmSettings> {
        let value_usd = self.dollars("WARM_VALUE_USD", 1000.0);
        let idle_usd_per_day = self.dollars("WARM_IDLE_USD_PER_DAY", 100_000.0);
        let gpu_usd_per_hour = self.dollars("WARM_GPU_USD_PER_HOUR", 1000.0);
        let max_floor = self.number("WARM_MAX_FLOOR", 0, 100);
        Some(WarmSettings {
            value_usd: value_usd?,
            idle_usd_per_day: idle_usd_per_day.filter(|budget| *budget > 0.0)?,
            gpu_usd_per_hour: gpu_usd_per_hour?,
            max_floor: u32::try_from(max_floor?).ok()?,
        })
    }

    pub(super) fn operators(&mut self) -> BTreeSet<AccountId> {
        let text = self.text("OPERATOR_ACCOUNTS");
        let names = text.split(',').map(str::trim).filter(|n| !n.is_empty());
        let accounts: Result<_, _> = names.map(str::parse).collect();
        accounts.unwrap_or_else(|_| {
            self.refuse("OPERATOR_ACCOUNTS");
            BTreeSet::new()
        })
    }

    /// A namespace as `CloudWatch` takes it.
    pub(super) fn namespace(&mut self, name: &'static str) -> String {
        let value = self.text(name);
        let fine = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
        if value.len() > 200 || !value.chars().all(fine) {
            self.refuse(name);
        }
        value
    }

    /// An amount in plain decimals.
    fn dollars(&mut self, name: &'static str, most: f64) -> Option<f64> {
        let text = self.text(name);
        let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let amount = text.parse().ok().filter(|_| plain);
        let amount = amount.filter(|amount| (0.0..=most).contains(amount));
        if amount.is_none() {
            self.refuse(name);
        }
        amount
    }
}
