//! Days of deadlines, in Europe/Berlin: working days, the end of a day, the morning of a day. Periods of law
//! (delivery, remedies) are not counted here.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use crate::clock::Timestamp;

/// End of the `days`-th working day after `start`: Monday to Friday, the day of `start` does not count.
/// Public holidays count as working days for now, so a promise may end a day early, never late; they come
/// with the calendar of the district.
pub fn working_days_after(start: Timestamp, days: u32) -> Timestamp {
    let mut date = start.date();
    let mut left = days;
    while left > 0 {
        date = date.saturating_add(1.day());
        if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    end_of_day(date)
}

/// Last millisecond of `date` in Berlin.
pub fn end_of_day(date: Date) -> Timestamp {
    Timestamp(at(date.saturating_add(1.day()), 0, Timestamp(i64::MAX)).0.saturating_sub(1))
}

/// Nine o'clock in Berlin, `days` calendar days before the day of `deadline`: a time at which a reminder
/// may reach people.
pub fn morning_before(deadline: Timestamp, days: i64) -> Timestamp {
    let date = deadline.date().saturating_sub(Span::new().days(days));
    at(date, 9, deadline)
}

/// `date` at the full `hour` in Berlin; `otherwise` where the calendar ends.
fn at(date: Date, hour: i8, otherwise: Timestamp) -> Timestamp {
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    date.at(hour, 0, 0, 0)
        .to_zoned(zone)
        .map_or(otherwise, |zoned| Timestamp(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    #[test]
    fn deadlines_end_with_a_working_day_in_berlin() {
        // Start (UTC), working days, last moment (UTC). 20.11.2026 is a Friday.
        let table = [
            ("2026-11-20T10:00:00Z", 1, "2026-11-23T22:59:59.999Z"),
            ("2026-11-20T10:00:00Z", 5, "2026-11-27T22:59:59.999Z"),
            ("2026-11-21T10:00:00Z", 1, "2026-11-23T22:59:59.999Z"),
            ("2026-11-23T10:00:00Z", 10, "2026-12-07T22:59:59.999Z"),
            // 22:30 UTC in summer is already the next day.
            ("2026-07-01T22:30:00Z", 1, "2026-07-03T21:59:59.999Z"),
            // Across the change to winter time.
            ("2026-10-23T10:00:00Z", 1, "2026-10-26T22:59:59.999Z"),
        ];
        for (start, days, end) in table {
            assert_eq!(working_days_after(moment(start), days), moment(end), "{start} + {days}");
        }
    }

    #[test]
    fn a_reminder_comes_in_the_morning() {
        let deadline = moment("2026-11-27T22:59:59.999Z");
        assert_eq!(morning_before(deadline, 7), moment("2026-11-20T08:00:00Z"));
        assert_eq!(morning_before(deadline, 2), moment("2026-11-25T08:00:00Z"));
    }
}
