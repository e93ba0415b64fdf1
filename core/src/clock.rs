//! Time and randomness as arguments. Everything that needs "now", an id or a secret asks a [`Clock`];
//! clippy refuses the direct calls elsewhere. It does not do calendars or deadlines.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp as JiffTimestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A point in time: Unix milliseconds, UTC. This is also the form in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment less `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The civil date in Europe/Berlin: 22:30 UTC in summer is already tomorrow (`law.md`).
    pub fn date(self) -> Date {
        self.berlin().date()
    }

    /// "24.11.2026", as German offices write it.
    pub fn german_date(self) -> String {
        german_date(self.date())
    }

    /// "24.11.2026, 16:33 Uhr".
    pub fn german_date_time(self) -> String {
        self.berlin().strftime("%d.%m.%Y, %H:%M Uhr").to_string()
    }

    /// "16:33".
    pub fn german_time(self) -> String {
        self.berlin().strftime("%H:%M").to_string()
    }

    fn berlin(self) -> jiff::Zoned {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        JiffTimestamp::from_millisecond(self.0).unwrap_or(JiffTimestamp::UNIX_EPOCH).to_zoned(zone)
    }
}

/// "24.11.2026".
pub fn german_date(date: Date) -> String {
    date.strftime("%d.%m.%Y").to_string()
}

/// Source of time and of random bytes.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that tests set and move by hand.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock that stands at `at`.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(JiffTimestamp::now().as_millisecond()),
            Self::Manual(at) => Timestamp(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// A new id of any of the types in [`crate::id`].
    pub fn id<T: From<ulid::Ulid>>(&self) -> T {
        let millis = u64::try_from(self.now().0).unwrap_or(0);
        let random = u128::from_be_bytes(self.random::<16>());
        T::from(ulid::Ulid::from_parts(millis, random))
    }

    /// `N` random bytes from the operating system, good for secrets.
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask for randomness")]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        // The system's generator fails only before the kernel has seeded it; a program that runs then
        // must not go on with predictable secrets.
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator answers");
        bytes
    }

    /// A random token of 256 bits in URL-safe characters.
    pub fn token(&self) -> String {
        crate::seal::hex(&self.random::<32>())
    }

    /// A code for people: `length` characters without those that are easily confused (0/O, 1/I/L, U/V).
    pub fn code(&self, length: usize) -> String {
        const LETTERS: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRSTWXYZ";
        let mut code = String::with_capacity(length);
        while code.len() < length {
            let [byte] = self.random::<1>();
            // 232 = 8 × 29: values above would favour the first letters.
            if byte < 232 {
                code.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            }
        }
        code
    }
}
