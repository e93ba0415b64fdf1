//! Weekly chat hours as the settings write them ("Mo-Do 08:30-16:00, Fr 08:30-13:00"), in Berlin time.

use std::str::FromStr;

use jiff::Timestamp as JiffTimestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::clock::Timestamp;
use crate::deadline::is_holiday;

/// Place of Sunday, whose hours count on public holidays.
const SUNDAY: usize = 6;

/// The days as the settings write them, Monday first.
const DAYS: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
const DAYS_ENGLISH: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAYS_LONG: [&str; 7] =
    ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];

/// When people answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OpeningHours {
    spans: Vec<Span>,
}

/// The same hours on one or several days in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    /// 0 = Monday.
    first_day: usize,
    last_day: usize,
    /// Minutes since midnight.
    opens: u16,
    closes: u16,
}

impl OpeningHours {
    /// Whether `now` is inside; the closing minute itself is outside. On a public holiday the hours of Sunday count.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        let Ok(at) = JiffTimestamp::from_millisecond(now.0) else { return false };
        let at = at.to_zoned(zone);
        let day = if is_holiday(at.date()) {
            SUNDAY
        } else {
            usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0)
        };
        let minute = i32::from(at.hour()) * 60 + i32::from(at.minute());
        self.spans.iter().any(|span| {
            (span.first_day..=span.last_day).contains(&day)
                && (i32::from(span.opens)..i32::from(span.closes)).contains(&minute)
        })
    }

    /// For people, in `de`, `de-simple` or otherwise English; empty if there are no hours.
    pub fn text(&self, language: &str) -> String {
        let (days, dash, separator) = match language {
            "de" => (&DAYS, "–", ", "),
            "de-simple" => (&DAYS_LONG, " bis ", ". "),
            _ => (&DAYS_ENGLISH, "–", ", "),
        };
        let spans = self.spans.iter().map(|span| {
            let days = if span.first_day == span.last_day {
                days[span.first_day].to_owned()
            } else {
                format!("{}{dash}{}", days[span.first_day], days[span.last_day])
            };
            match language {
                "de" => format!("{days} {}–{} Uhr", clock(span.opens), clock(span.closes)),
                "de-simple" => {
                    format!("{days}: von {} Uhr bis {} Uhr", spoken(span.opens), spoken(span.closes))
                }
                _ => format!("{days} {}–{}", clock(span.opens), clock(span.closes)),
            }
        });
        spans.collect::<Vec<_>>().join(separator)
    }
}

/// "08:30".
fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// "8.30", or "16" for a full hour.
fn spoken(minutes: u16) -> String {
    if minutes.is_multiple_of(60) {
        (minutes / 60).to_string()
    } else {
        format!("{}.{:02}", minutes / 60, minutes % 60)
    }
}

impl FromStr for OpeningHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let spans = parts.map(|part| span(part).ok_or_else(|| format!("{part:?} is not days and hours")));
        Ok(Self { spans: spans.collect::<Result<_, _>>()? })
    }
}

impl TryFrom<String> for OpeningHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn span(text: &str) -> Option<Span> {
    let (days, times) = text.split_once(' ')?;
    let (first_day, last_day) = match days.split_once(['-', '–']) {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(days)?, day(days)?),
    };
    let (opens, closes) = times.trim().split_once(['-', '–'])?;
    let (opens, closes) = (minutes(opens)?, minutes(closes)?);
    (first_day <= last_day && opens < closes).then_some(Span { first_day, last_day, opens, closes })
}

fn day(name: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == name)
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let is_digits =
        |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(hours) || !is_digits(minutes) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}
