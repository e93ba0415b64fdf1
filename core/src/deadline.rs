//! Days of deadlines, in Europe/Berlin: working days, public holidays of North Rhine-Westphalia, the end of a day, the
//! morning of a day. When a period of law begins (delivery, remedies) is not decided here.

use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use crate::clock::Timestamp;

/// Holidays on the same day of every year: (month, day) (Feiertagsgesetz NW § 2(1): Neujahr, 1. Mai, Tag der Deutschen
/// Einheit, Allerheiligen, both days of Christmas).
const FIXED: [(i8, i8); 6] = [(1, 1), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26)];

/// Holidays by their days from Easter Sunday: Karfreitag, Ostermontag, Christi Himmelfahrt, Pfingstmontag,
/// Fronleichnam (the same law). Easter and Whitsun themselves are Sundays anyway.
const FROM_EASTER: [i64; 5] = [-2, 1, 39, 50, 60];

/// Whether it is a public holiday in all of North Rhine-Westphalia.
pub fn is_holiday(day: Date) -> bool {
    let easter = easter_sunday(day.year());
    FIXED.contains(&(day.month(), day.day()))
        || FROM_EASTER.iter().any(|days| easter.saturating_add(Span::new().days(*days)) == day)
}

/// Easter Sunday of a Gregorian year (the anonymous algorithm in the form of New Scientist, 30 March 1961).
fn easter_sunday(year: i16) -> Date {
    let year_number = i32::from(year);
    let (golden, century, within) = (year_number % 19, year_number / 100, year_number % 100);
    let full_moon = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (within / 4) - full_moon - within % 4) % 7;
    let correction = (golden + 11 * full_moon + 19 * to_sunday) / 433;
    let days_from_march = full_moon + to_sunday - 7 * correction + 21;
    date(year, 3, 1).saturating_add(Span::new().days(i64::from(days_from_march)))
}

/// Monday to Friday without holidays.
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(day)
}

/// The day on which a period really ends: one that would end on a Saturday, a Sunday or a holiday ends with the next
/// working day (§ 31(3) VwVfG NRW, § 193 BGB).
pub fn last_day(day: Date) -> Date {
    let mut day = day;
    // Never more than a few days; the bound only keeps the end of the calendar from being waited for.
    for _ in 0..14 {
        if is_working_day(day) {
            break;
        }
        day = day.saturating_add(1.day());
    }
    day
}

/// End of the `days`-th working day after `start`; the day of `start` does not count.
pub fn working_days_after(start: Timestamp, days: u32) -> Timestamp {
    let mut date = start.date();
    for _ in 0..days {
        date = last_day(date.saturating_add(1.day()));
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
            // Over Christmas and New Year.
            ("2026-12-23T10:00:00Z", 2, "2026-12-28T22:59:59.999Z"),
            ("2026-12-30T10:00:00Z", 2, "2027-01-04T22:59:59.999Z"),
            // Over Easter.
            ("2026-04-02T08:00:00Z", 1, "2026-04-07T21:59:59.999Z"),
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
    fn easter_and_what_hangs_on_it() {
        // Easter Sundays as calendars print them.
        let easter = [
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2028, 4, 16),
            (2029, 4, 1),
            (2030, 4, 21),
            (2031, 4, 13),
            (2032, 3, 28),
            (2033, 4, 17),
            (2034, 4, 9),
            (2035, 3, 25),
            (2038, 4, 25),
            (2285, 3, 22),
        ];
        for (year, month, day) in easter {
            assert_eq!(easter_sunday(year), date(year, month, day), "{year}");
        }
        let of_2026 = [
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-05-25",
            "2026-06-04",
            "2026-10-03",
            "2026-11-01",
            "2026-12-25",
            "2026-12-26",
        ];
        let mut day = date(2026, 1, 1);
        let mut found = Vec::new();
        while day.year() == 2026 {
            if is_holiday(day) {
                found.push(day.to_string());
            }
            day = day.saturating_add(1.day());
        }
        assert_eq!(found, of_2026);
    }

    #[test]
    fn a_period_never_ends_on_a_free_day() {
        for (would_end, ends) in [
            ("2026-11-27", "2026-11-27"),
            ("2026-11-28", "2026-11-30"),
            ("2026-04-03", "2026-04-07"),
            ("2026-12-24", "2026-12-24"),
            ("2026-12-25", "2026-12-28"),
            ("2027-01-01", "2027-01-04"),
            ("2026-06-04", "2026-06-05"),
            // Mariä Himmelfahrt is no holiday here.
            ("2028-08-15", "2028-08-15"),
        ] {
            assert_eq!(last_day(would_end.parse().expect("a day")).to_string(), ends, "{would_end}");
        }
    }

    #[test]
    fn a_reminder_comes_in_the_morning() {
        let deadline = moment("2026-11-27T22:59:59.999Z");
        assert_eq!(morning_before(deadline, 7), moment("2026-11-20T08:00:00Z"));
        assert_eq!(morning_before(deadline, 2), moment("2026-11-25T08:00:00Z"));
    }
}
