//! Accounts on a real database file: links, logins, lock-out, roles.

use std::sync::LazyLock;

use super::*;
use crate::clock::Clock;
use crate::db::Db;
use crate::seal::MasterKey;
use crate::session::Holder;

const START: Timestamp = Timestamp(1_800_000_000_000);
const PASSWORD: &str = "vier bunte Kühe rufen";
const HALF_MINUTE: Duration = Duration::from_secs(30);

/// Hashing is slow on purpose; once is enough.
static HASH: LazyLock<PasswordHash> =
    LazyLock::new(|| hash_password("anna", PASSWORD, &[7; 16]).expect("hashes"));

struct Office {
    db: Db,
    keys: Keys,
    _folder: tempfile::TempDir,
}

/// An account and the secret in its holder's app.
struct Holding {
    id: StaffId,
    name: &'static str,
    secret: Vec<u8>,
}

impl Office {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let db = crate::db::open_for_test(folder.path()).await;
        let clock = Clock::manual(START);
        Self { db, keys: Keys { master: MasterKey::from_bytes(&clock.random()), clock }, _folder: folder }
    }

    fn now(&self) -> Timestamp {
        self.keys.clock.now()
    }

    /// The next code is due, so that none is used twice by accident.
    fn wait(&self) {
        self.keys.clock.advance(HALF_MINUTE);
    }

    async fn accept(&self, tx: &mut Tx, token: &str, name: &'static str) -> Result<Holding> {
        let now = self.now();
        let shown = begin_totp(tx, &self.keys, token, None, ("Kreis Paderborn", name), now).await?;
        let secret = totp::secret_of_link(&self.keys.master, token, &shown.nonce);
        let account = NewAccount {
            name: name.to_owned(),
            display_name: "A. Beispiel".to_owned(),
            password: HASH.clone(),
            code: totp::code_at(&secret, now),
            nonce: shown.nonce,
        };
        let id = accept(tx, &self.keys, token, &account, now).await?;
        self.wait();
        Ok(Holding { id, name, secret })
    }

    async fn first(&self, tx: &mut Tx) -> Holding {
        let token = setup_link(tx, &self.keys, self.now()).await.expect("link").expect("no account yet");
        self.accept(tx, &token, "anna").await.expect("accepts")
    }

    async fn colleague(&self, tx: &mut Tx, by: &Holding, roles: &[Role]) -> Holding {
        let token = invite(tx, &self.keys, roles, &by.id, self.now()).await.expect("invites");
        self.accept(tx, &token, "bernd").await.expect("accepts")
    }

    async fn login(&self, tx: &mut Tx, name: &str, password: &str, code: &str) -> Attempt<Staff> {
        let stored = stored_password(tx, name).await.expect("reads");
        // Most tests try right passwords; only the wrong ones have to be slow.
        let checked =
            if password == PASSWORD && stored == *HASH { RIGHT.clone() } else { stored.check(password) };
        authenticate(tx, &self.keys, name, &checked, code, self.now()).await.expect("answers")
    }

    async fn login_right(&self, tx: &mut Tx, holding: &Holding) -> Attempt<Staff> {
        let code = totp::code_at(&holding.secret, self.now());
        self.login(tx, holding.name, PASSWORD, &code).await
    }
}

static RIGHT: LazyLock<CheckedPassword> = LazyLock::new(|| HASH.clone().check(PASSWORD));

const FAILED: Attempt<Staff> = Attempt::Wrong("staff.login_failed");

fn refused_key<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Refused { key, .. }) => key,
        other => panic!("not refused: {other:?}"),
    }
}

async fn actions(tx: &mut Tx, id: &StaffId) -> Vec<String> {
    let history = audit::history(tx, ("staff", id.as_str()), 100).await.expect("history");
    history.into_iter().map(|record| record.action).collect()
}

#[tokio::test]
async fn the_setup_link_makes_one_account_with_all_roles() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let older = setup_link(tx, &office.keys, office.now()).await.expect("link").expect("token");
    let newest = setup_link(tx, &office.keys, office.now()).await.expect("link").expect("token");
    assert_eq!(refused_key(open_link(tx, &office.keys, &older, office.now()).await), "staff.link_invalid");
    let late = office.now().plus(Duration::from_hours(24));
    assert_eq!(refused_key(open_link(tx, &office.keys, &newest, late).await), "staff.link_invalid");
    let anna = office.accept(tx, &newest, "anna").await.expect("accepts");
    let staff = load(tx, &anna.id).await.expect("loads").expect("exists");
    assert_eq!((staff.name.as_str(), staff.roles.as_slice(), staff.active), ("anna", &Role::ALL[..], true));
    assert_eq!(refused_key(open_link(tx, &office.keys, &newest, office.now()).await), "staff.link_invalid");
    assert_eq!(setup_link(tx, &office.keys, office.now()).await.expect("answers"), None);
    assert_eq!(actions(tx, &anna.id).await, ["staff.create"]);
}

#[tokio::test]
async fn a_setup_link_that_is_still_open_dies_with_the_first_account() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let token = setup_link(tx, &office.keys, office.now()).await.expect("link").expect("token");
    let copy = sqlx::query(
        "insert into staff_invite (token_hash, roles, created_at, expires_at) \
         select $1, roles, created_at, expires_at from staff_invite",
    );
    copy.bind(office.keys.master.blind("staff.link", "second")).execute(&mut *tx).await.expect("copies");
    office.accept(tx, &token, "anna").await.expect("accepts");
    let second = office.accept(tx, "second", "eve").await.map(|holding| holding.id);
    assert_eq!(refused_key(second), "staff.link_invalid");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_account_is_told_and_the_link_stays() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let anna = office.first(tx).await;
    let now = office.now();
    let token = invite(tx, &office.keys, &[Role::Clerk], &anna.id, now).await.expect("invites");
    let shown = begin_totp(tx, &office.keys, &token, None, ("Kreis", "Bernd"), now).await.expect("begins");
    let again = begin_totp(tx, &office.keys, &token, Some(&shown.nonce), ("Kreis", "Bernd"), now).await;
    assert_eq!(again.expect("begins"), shown, "a second try keeps the secret");
    let other = begin_totp(tx, &office.keys, &token, None, ("Kreis", "Bernd"), now).await.expect("begins");
    assert_ne!(other.secret, shown.secret, "another visitor sees another secret");
    let code = totp::code_at(&totp::secret_of_link(&office.keys.master, &token, &shown.nonce), now);
    let account = |name: &str, display_name: &str, code: &str| NewAccount {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        password: HASH.clone(),
        nonce: shown.nonce.clone(),
        code: code.to_owned(),
    };
    for (new, key) in [
        (account("bernd", "B.", "000000"), "staff.code_wrong"),
        (account("b", "B.", &code), "staff.name_form"),
        (account("bernd müller", "B.", &code), "staff.name_form"),
        (account(".bernd", "B.", &code), "staff.name_form"),
        (account("bernd", " ", &code), "staff.display_name_form"),
        (account(" Anna ", "B.", &code), "staff.name_taken"),
    ] {
        assert_eq!(refused_key(accept(tx, &office.keys, &token, &new, now).await), key, "{new:?}");
    }
    assert_eq!(list(tx).await.expect("lists").len(), 1, "nothing has changed");
    accept(tx, &office.keys, &token, &account(" Bernd ", "B.", &code), now).await.expect("accepts");
    let used_twice = accept(tx, &office.keys, &token, &account("carla", "C.", &code), now).await;
    assert_eq!(refused_key(used_twice), "staff.link_invalid");
    let names: Vec<_> = list(tx).await.expect("lists").into_iter().map(|staff| staff.name).collect();
    assert_eq!(names, ["anna", "bernd"]);
    assert_eq!(refused_key(invite(tx, &office.keys, &[], &anna.id, now).await), "staff.roles_missing");
}

#[tokio::test]
async fn a_login_needs_name_password_and_a_new_code() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let anna = office.first(tx).await;
    let code = totp::code_at(&anna.secret, office.now());
    assert_eq!(office.login(tx, "nobody", PASSWORD, &code).await, FAILED);
    assert_eq!(office.login(tx, "anna", "another password", &code).await, FAILED);
    assert_eq!(office.login(tx, "anna", PASSWORD, "000000").await, FAILED);
    assert_eq!(office.login(tx, "anna", PASSWORD, "").await, FAILED);
    let Attempt::Right(staff) = office.login(tx, " ANNA ", PASSWORD, &code).await else { panic!("right") };
    assert_eq!(staff.id, anna.id);
    assert_eq!(office.login(tx, "anna", PASSWORD, &code).await, FAILED, "a code counts once");
    office.wait();
    assert_eq!(office.login(tx, "anna", PASSWORD, &code).await, FAILED, "also within the tolerance");
    assert!(matches!(office.login_right(tx, &anna).await, Attempt::Right(_)));
    let older = totp::code_at(&anna.secret, Timestamp(office.now().0 - 30_000));
    assert_eq!(office.login(tx, "anna", PASSWORD, &older).await, FAILED, "no older code after a newer one");
    assert_eq!(refused_key(FAILED.or_refused()), "staff.login_failed");
    let failures =
        actions(tx, &anna.id).await.iter().filter(|action| *action == "staff.login_failed").count();
    assert_eq!(failures, 6, "those of a known name");
}

#[tokio::test]
async fn a_password_that_was_changed_during_the_check_does_not_count() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let anna = office.first(tx).await;
    let checked = stored_password(tx, "anna").await.expect("reads").check(PASSWORD);
    let other = hash_password("anna", "fünf bunte Kühe rufen", &[8; 16]).expect("hashes");
    sqlx::query("update staff set password_hash = $1")
        .bind(other.as_str())
        .execute(&mut *tx)
        .await
        .expect("changes");
    let code = totp::code_at(&anna.secret, office.now());
    let attempt = authenticate(tx, &office.keys, "anna", &checked, &code, office.now()).await;
    assert_eq!(attempt.expect("answers"), FAILED);
}

#[tokio::test]
async fn ten_failures_lock_for_a_quarter_of_an_hour() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let anna = office.first(tx).await;
    for _ in 0..9 {
        assert_eq!(office.login(tx, "anna", PASSWORD, "000000").await, FAILED);
    }
    assert!(matches!(office.login_right(tx, &anna).await, Attempt::Right(_)), "nine are forgiven");
    office.wait();
    for _ in 0..10 {
        assert_eq!(office.login(tx, "anna", PASSWORD, "000000").await, FAILED);
    }
    assert_eq!(office.login_right(tx, &anna).await, FAILED, "locked, though all is right");
    let locked_until = load(tx, &anna.id).await.expect("loads").expect("exists").locked_until;
    assert_eq!(locked_until, Some(office.now().plus(LOCKED)));
    let records = actions(tx, &anna.id).await;
    assert_eq!(records.iter().filter(|action| *action == "staff.lock").count(), 1);
    office.keys.clock.advance(LOCKED.saturating_sub(HALF_MINUTE));
    assert_eq!(office.login_right(tx, &anna).await, FAILED, "half a minute too early");
    assert_eq!(actions(tx, &anna.id).await, records, "while locked nothing is counted");
    office.wait();
    let Attempt::Right(staff) = office.login_right(tx, &anna).await else { panic!("unlocked") };
    assert_eq!(staff.locked_until, None);
}

#[tokio::test]
async fn failures_are_kept_when_the_caller_refuses_after_the_transaction() {
    use futures::FutureExt;
    let office = Office::new().await;
    let anna = {
        let tx = &mut *office.db.read().await.expect("connects");
        office.first(tx).await
    };
    let (keys, now) = (office.keys.clone(), office.now());
    for _ in 0..10 {
        let keys = keys.clone();
        let attempt = office
            .db
            .write(move |tx| {
                let keys = keys.clone();
                async move { authenticate(tx, &keys, "anna", &RIGHT, "000000", now).await }.boxed()
            })
            .await
            .expect("commits");
        assert!(attempt.or_refused().is_err());
    }
    let tx = &mut *office.db.read().await.expect("connects");
    assert!(load(tx, &anna.id).await.expect("loads").expect("exists").locked_until.is_some());
}

#[tokio::test]
async fn a_step_up_needs_a_new_code_and_counts_failures_too() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let (anna, keys) = (office.first(tx).await, &office.keys);
    assert!(matches!(office.login_right(tx, &anna).await, Attempt::Right(_)));
    let holder = Holder::Staff(anna.id.clone());
    let (token, _) =
        session::create(tx, keys, &holder, Duration::from_hours(8), office.now()).await.expect("creates");
    let code = totp::code_at(&anna.secret, office.now());
    let again = verify_step_up(tx, keys, &anna.id, &token, &code, office.now()).await.expect("answers");
    assert_eq!(again, Attempt::Wrong("staff.code_wrong"), "the code of the login");
    office.wait();
    let code = totp::code_at(&anna.secret, office.now());
    let right = verify_step_up(tx, keys, &anna.id, &token, &code, office.now()).await.expect("answers");
    assert_eq!(right, Attempt::Right(()));
    let session = session::load(tx, keys, &token, office.now()).await.expect("loads").expect("exists");
    assert_eq!(session.step_up_at, Some(office.now()));
    for _ in 0..10 {
        let wrong =
            verify_step_up(tx, keys, &anna.id, &token, "000000", office.now()).await.expect("answers");
        assert_eq!(wrong, Attempt::Wrong("staff.code_wrong"));
    }
    office.wait();
    assert_eq!(office.login_right(tx, &anna).await, FAILED, "the account is locked");
}

#[tokio::test]
async fn there_is_always_an_active_admin() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let anna = office.first(tx).await;
    let bernd = office.colleague(tx, &anna, &[Role::Clerk]).await;
    let (actor, now) = (Actor::Staff(anna.id.clone()), office.now());
    assert_eq!(refused_key(deactivate(tx, &anna.id, 1, &actor, now).await), "staff.last_admin");
    assert_eq!(
        refused_key(set_roles(tx, &anna.id, &[Role::Clerk], 1, &actor, now).await),
        "staff.last_admin"
    );
    assert_eq!(refused_key(set_roles(tx, &bernd.id, &[], 1, &actor, now).await), "staff.roles_missing");
    set_roles(tx, &bernd.id, &[Role::Admin, Role::Clerk], 1, &actor, now).await.expect("sets");
    let stale = set_roles(tx, &bernd.id, &[Role::Clerk], 1, &actor, now).await;
    assert!(matches!(stale, Err(Error::Conflict(_))));
    set_roles(tx, &anna.id, &[Role::Approver], 1, &actor, now).await.expect("sets");
    assert_eq!(refused_key(deactivate(tx, &bernd.id, 2, &actor, now).await), "staff.last_admin");
    let bernd = load(tx, &bernd.id).await.expect("loads").expect("exists");
    assert_eq!(bernd.roles, [Role::Clerk, Role::Admin]);
    assert!(bernd.is(Role::Admin) && !bernd.is(Role::Approver));
    let unknown = set_roles(tx, &StaffId("none".to_owned()), &[Role::Clerk], 1, &actor, now).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_deactivated_account_is_shut_out_at_once() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let (anna, keys) = (office.first(tx).await, &office.keys);
    let bernd = office.colleague(tx, &anna, &[Role::Admin]).await;
    let (actor, now) = (Actor::Staff(anna.id.clone()), office.now());
    let holder = Holder::Staff(bernd.id.clone());
    let (token, _) = session::create(tx, keys, &holder, Duration::from_hours(8), now).await.expect("creates");
    let invited = invite(tx, keys, &[Role::Admin], &bernd.id, now).await.expect("invites");
    deactivate(tx, &bernd.id, 1, &actor, now).await.expect("deactivates");
    assert_eq!(office.login_right(tx, &bernd).await, FAILED);
    assert_eq!(session::load(tx, keys, &token, now).await.expect("loads"), None);
    assert_eq!(refused_key(open_link(tx, keys, &invited, now).await), "staff.link_invalid");
    assert!(matches!(reset_link(tx, keys, &bernd.id, &anna.id, now).await, Err(Error::NotFound(_))));
    assert!(matches!(deactivate(tx, &bernd.id, 2, &actor, now).await, Err(Error::Conflict(_))), "already");
    reactivate(tx, &bernd.id, 2, &actor, now).await.expect("reactivates");
    assert!(matches!(office.login_right(tx, &bernd).await, Attempt::Right(_)));
    let expected = ["staff.create", "staff.invite", "staff.deactivate", "staff.reactivate", "staff.login"];
    assert_eq!(actions(tx, &bernd.id).await, expected);
    assert!(audit::verify(tx).await.expect("verifies").is_ok());
}

#[tokio::test]
async fn a_reset_replaces_the_second_factor_and_ends_the_sessions() {
    let office = Office::new().await;
    let tx = &mut *office.db.read().await.expect("connects");
    let (anna, keys) = (office.first(tx).await, &office.keys);
    let bernd = office.colleague(tx, &anna, &[Role::Clerk]).await;
    let holder = Holder::Staff(bernd.id.clone());
    let (token, _) =
        session::create(tx, keys, &holder, Duration::from_hours(8), office.now()).await.expect("creates");
    let older = reset_link(tx, keys, &bernd.id, &anna.id, office.now()).await.expect("link");
    let link = reset_link(tx, keys, &bernd.id, &anna.id, office.now()).await.expect("link");
    assert_eq!(refused_key(open_link(tx, keys, &older, office.now()).await), "staff.link_invalid");
    let opened = open_link(tx, keys, &link, office.now()).await.expect("opens");
    assert_eq!(opened.account.map(|staff| staff.name).as_deref(), Some("bernd"));
    assert!(
        matches!(office.login_right(tx, &bernd).await, Attempt::Right(_)),
        "the old one is good until then"
    );
    office.wait();
    let renewed = office.accept(tx, &link, "ignored").await.expect("accepts");
    assert_eq!(renewed.id, bernd.id);
    assert_eq!(session::load(tx, keys, &token, office.now()).await.expect("loads"), None);
    assert_eq!(office.login_right(tx, &bernd).await, FAILED, "the lost app");
    let renewed = Holding { name: "bernd", ..renewed };
    assert!(matches!(office.login_right(tx, &renewed).await, Attempt::Right(_)));
    assert_eq!(refused_key(open_link(tx, keys, &link, office.now()).await), "staff.link_invalid");
}
