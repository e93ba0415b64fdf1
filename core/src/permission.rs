//! What may be done where: ONE table of channel and trust level × act, deny by default
//! (`administration.md` section 3). A service can only narrow it. Every refusal elsewhere asks here.

use amtsbote_knowledge::{DataClass, Schriftform, Service, Trust};

use crate::error::Error;
use crate::message::ChannelKind;

/// The number of a trust level in the database.
pub fn trust_number(trust: Trust) -> i64 {
    match trust {
        Trust::T0 => 0,
        Trust::T1 => 1,
        Trust::T2 => 2,
        Trust::T3 => 3,
    }
}

/// The trust level of a number in the database. An unknown one is an error: read as "none", it would open what it
/// protects to everybody.
pub fn trust_from_number(number: i64) -> Result<Trust, Error> {
    [Trust::T0, Trust::T1, Trust::T2, Trust::T3]
        .into_iter()
        .find(|trust| trust_number(*trust) == number)
        .ok_or_else(|| {
            Error::Setup(format!(
                "a row has the unknown trust level {number}; does the program fit the database?"
            ))
        })
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermissionAct {
    /// Information, easy language.
    Information,
    /// A report or booking without personal data.
    Report,
    /// Form data without a special category.
    FormData,
    /// Handing in an application without written form.
    Submit,
    /// Data of Art. 9 GDPR, typed or uploaded.
    SpecialData,
    /// Handing in a file.
    Upload,
    /// A declaration for which law demands the written form.
    WrittenForm,
    /// Paying.
    Pay,
    /// How far is my own case?
    Status,
    /// Reading or fetching a Bescheid.
    ReadBescheid,
    /// Withdrawing, changing bank data.
    Withdraw,
    /// Lodging a Widerspruch.
    Objection,
    /// Reading one's own file.
    ViewFile,
    /// Transfer, approval, decision.
    Decide,
}

/// All acts, for tests and tables.
pub const ACTS: [PermissionAct; 14] = [
    PermissionAct::Information,
    PermissionAct::Report,
    PermissionAct::FormData,
    PermissionAct::Submit,
    PermissionAct::SpecialData,
    PermissionAct::Upload,
    PermissionAct::WrittenForm,
    PermissionAct::Pay,
    PermissionAct::Status,
    PermissionAct::ReadBescheid,
    PermissionAct::Withdraw,
    PermissionAct::Objection,
    PermissionAct::ViewFile,
    PermissionAct::Decide,
];

/// What the table answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allowed,
    /// It may be collected as a draft; handing in needs a login.
    DraftOnly,
    /// Only a link into the portal.
    LinkOnly,
    /// Only coarse words, no content.
    Coarse,
    /// No; the reply names the next step.
    Refused,
}

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    WebT0,
    MessengerT0,
    MatrixT1,
    TelephoneT0,
    PortalT1,
    PortalT2,
    PortalT3,
}

/// The trust level that counts in a channel: a person with a high login who writes from a messenger acts
/// without trust.
pub fn effective_trust(channel: ChannelKind, login: Trust) -> Trust {
    match channel {
        ChannelKind::Web => login,
        ChannelKind::Matrix => login.min(Trust::T1),
        ChannelKind::Messenger | ChannelKind::Email | ChannelKind::Telephone => Trust::T0,
    }
}

fn column(channel: ChannelKind, login: Trust) -> Column {
    match (channel, effective_trust(channel, login)) {
        (ChannelKind::Web, Trust::T0) => Column::WebT0,
        (ChannelKind::Web, Trust::T1) => Column::PortalT1,
        (ChannelKind::Web, Trust::T2) => Column::PortalT2,
        (ChannelKind::Web, Trust::T3) => Column::PortalT3,
        (ChannelKind::Matrix, Trust::T1) => Column::MatrixT1,
        (ChannelKind::Telephone, _) => Column::TelephoneT0,
        (ChannelKind::Matrix | ChannelKind::Messenger | ChannelKind::Email, _) => Column::MessengerT0,
    }
}

/// The table.
pub fn verdict(channel: ChannelKind, login: Trust, act: PermissionAct) -> Verdict {
    use Verdict::{Allowed as Y, Coarse as C, DraftOnly as D, LinkOnly as L, Refused as N};
    let row = match act {
        //                             Web Mess Matr Tel  T1 T2 T3
        PermissionAct::Information | PermissionAct::Report => [Y, Y, Y, Y, Y, Y, Y],
        PermissionAct::FormData => [D, L, Y, D, Y, Y, Y],
        // "only if T0 suffices" is the service's part: see may_submit.
        PermissionAct::Submit => [Y, L, Y, D, Y, Y, Y],
        PermissionAct::Upload => [Y, L, Y, N, Y, Y, Y],
        PermissionAct::Pay => [L, L, L, N, Y, Y, Y],
        PermissionAct::Status => [C, C, C, C, C, Y, Y],
        PermissionAct::SpecialData
        | PermissionAct::WrittenForm
        | PermissionAct::ReadBescheid
        | PermissionAct::Withdraw
        | PermissionAct::ViewFile => [N, N, N, N, N, Y, Y],
        PermissionAct::Objection => [L, L, L, N, L, L, Y],
        PermissionAct::Decide => [N, N, N, N, N, N, N],
    };
    row[column(channel, login) as usize]
}

/// The act that filling in this service's form is.
pub fn form_act(service: &Service) -> PermissionAct {
    match service.data_class {
        DataClass::Public => PermissionAct::Report,
        DataClass::Personal => PermissionAct::FormData,
        DataClass::Special => PermissionAct::SpecialData,
    }
}

/// Whether the service may be filed from here; otherwise what it would take.
pub fn may_submit(channel: ChannelKind, login: Trust, service: &Service) -> Result<(), Trust> {
    let act = match service.schriftform {
        Schriftform::None => PermissionAct::Submit,
        Schriftform::Applicant => PermissionAct::WrittenForm,
    };
    let needed = match act {
        PermissionAct::WrittenForm => service.trust.submit.max(Trust::T2),
        _ => service.trust.submit,
    };
    let enough = effective_trust(channel, login) >= needed;
    if enough && verdict(channel, login, act) == Verdict::Allowed { Ok(()) } else { Err(needed) }
}

/// Whether the result of the service may be read at this login, in the portal.
pub fn may_read_result(login: Trust, service: &Service) -> bool {
    // A certificate or extract that needs no login is public to whoever holds its signed link.
    login >= service.trust.read
        && (service.trust.read == Trust::T0
            || verdict(ChannelKind::Web, login, PermissionAct::ReadBescheid) == Verdict::Allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: [ChannelKind; 5] = [
        ChannelKind::Web,
        ChannelKind::Matrix,
        ChannelKind::Messenger,
        ChannelKind::Email,
        ChannelKind::Telephone,
    ];
    const LEVELS: [Trust; 4] = [Trust::T0, Trust::T1, Trust::T2, Trust::T3];

    #[test]
    fn special_data_goes_only_through_the_portal_from_t2() {
        for channel in CHANNELS {
            for level in LEVELS {
                for act in [PermissionAct::SpecialData, PermissionAct::ReadBescheid, PermissionAct::Withdraw]
                {
                    let expected = channel == ChannelKind::Web && level >= Trust::T2;
                    assert_eq!(
                        verdict(channel, level, act) == Verdict::Allowed,
                        expected,
                        "{channel:?} {level:?} {act:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nobody_decides_in_a_channel() {
        for channel in CHANNELS {
            for level in LEVELS {
                assert_eq!(verdict(channel, level, PermissionAct::Decide), Verdict::Refused);
            }
        }
    }

    #[test]
    fn a_high_login_does_not_count_in_a_messenger() {
        for act in ACTS {
            assert_eq!(
                verdict(ChannelKind::Messenger, Trust::T3, act),
                verdict(ChannelKind::Messenger, Trust::T0, act),
                "{act:?}"
            );
        }
    }

    #[test]
    fn more_trust_in_the_web_never_allows_less() {
        let rank = |v: Verdict| match v {
            Verdict::Refused => 0,
            Verdict::LinkOnly => 1,
            Verdict::Coarse => 2,
            Verdict::DraftOnly => 3,
            Verdict::Allowed => 4,
        };
        for act in ACTS {
            let ranks: Vec<i32> =
                LEVELS.iter().map(|&level| rank(verdict(ChannelKind::Web, level, act))).collect();
            assert!(ranks.is_sorted(), "{act:?}: {ranks:?}");
        }
    }
}
