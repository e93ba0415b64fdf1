//! The database: the only file that knows which one runs. One SQL text serves SQLite (embedded) and
//! PostgreSQL (several instances).
//!
//! All writes of a process go through ONE writer with group commit: it collects the transactions that wait, runs
//! each in a savepoint, commits once, then answers all. Nobody is answered before the commit is on disk.
//! On PostgreSQL a group first takes one advisory lock, so that several instances behave like one writer: what is
//! true on the embedded database is true there too, and the audit chain can't fork.
//! This file holds no SQL of the domain, and no transaction ever waits here for anything but the database.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::pool::PoolConnection;
use sqlx::{AnyConnection, AnyPool, Executor};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// A connection that reads, or that is inside a transaction and writes.
pub type Tx = AnyConnection;

/// Most transactions that share one commit. Fifty rows a commit already give about thirty times the rate of
/// single commits (`reliability-and-security.md` section 2); more only makes the first one wait longer.
const GROUP: usize = 64;

/// How often a group is run again after PostgreSQL broke it off (a deadlock with a tool outside this program).
const RETRIES: usize = 3;

type Outcome = Result<Box<dyn Any + Send>>;
type Work = Box<dyn for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Outcome> + Send + Sync>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Outcome>,
}

/// Which database runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// Embedded, one instance.
    Sqlite,
    /// A server, several instances.
    Postgres,
}

/// The database of a running instance. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    kind: DatabaseKind,
    readers: AnyPool,
    writer: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.kind)
    }
}

impl Db {
    /// Opens `url` (`sqlite:///path/file.db` or `postgres://…`), migrates it to the newest schema and starts
    /// the writer. The writer ends when the last clone is dropped.
    pub async fn open(url: &str) -> Result<Self> {
        install_default_drivers();
        let (kind, url) = if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            (DatabaseKind::Postgres, url.to_owned())
        } else if url.starts_with("sqlite:") {
            let separator = if url.contains('?') { '&' } else { '?' };
            (DatabaseKind::Sqlite, format!("{url}{separator}mode=rwc"))
        } else {
            return Err(Error::Setup(format!(
                "database.url has an unknown kind: {url:?}; use sqlite:///path/file.db or postgres://user@host/name"
            )));
        };
        let migrating = pool(kind, 1, &url).await?;
        sqlx::migrate!("./migrations")
            .run(&migrating)
            .await
            .map_err(|error| {
                Error::Setup(format!(
                    "the database could not be migrated: {error}; restore the backup that was made before the update"
                ))
            })?;
        migrating.close().await;
        let readers = pool(kind, 4, &url).await?;
        let (writer, jobs) = mpsc::channel(1024);
        start_writer(kind, url, jobs).await?;
        Ok(Self { kind, readers, writer })
    }

    /// Which database runs.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<PoolConnection<sqlx::Any>> {
        Ok(self.readers.acquire().await?)
    }

    /// Runs `work` in a transaction and answers after it is durable. An `Err` undoes everything that `work`
    /// wrote. `work` may run more than once (another instance was faster), so it must not change anything
    /// but the database.
    ///
    /// ```ignore
    /// db.write(move |tx| async move { audit::record(tx, …).await }.boxed()).await?;
    /// ```
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            let running = work(tx);
            async move { running.await.map(|value| Box::new(value) as Box<dyn Any + Send>) }.boxed()
        });
        self.writer
            .send(Job { work, answer })
            .await
            .map_err(|_| Error::Setup("the database writer has stopped; restart the program".to_owned()))?;
        let value =
            outcome.await.map_err(|_| Error::Setup("the database writer gave no answer".to_owned()))??;
        value
            .downcast::<T>()
            .map(|value| *value)
            .map_err(|_| Error::Setup("the database writer answered with another type".to_owned()))
    }

    /// A consistent copy of an SQLite database, made while the program runs. `path` must not exist.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<()> {
        if self.kind != DatabaseKind::Sqlite {
            return Err(Error::Setup(
                "only the embedded database is copied by this program; use pg_dump for PostgreSQL".to_owned(),
            ));
        }
        let mut connection = self.read().await?;
        sqlx::query("vacuum into $1").bind(path.display().to_string()).execute(&mut *connection).await?;
        Ok(())
    }

    /// Problems that the database itself finds in its files; empty means sound. PostgreSQL answers a query.
    pub async fn integrity(&self) -> Result<Vec<String>> {
        let mut connection = self.read().await?;
        match self.kind {
            DatabaseKind::Sqlite => {
                let rows: Vec<(String,)> =
                    sqlx::query_as("pragma integrity_check").fetch_all(&mut *connection).await?;
                Ok(rows.into_iter().map(|row| row.0).filter(|row| row != "ok").collect())
            }
            DatabaseKind::Postgres => {
                sqlx::query("select 1").execute(&mut *connection).await?;
                Ok(Vec::new())
            }
        }
    }

    /// Closes the connections for reading. Writers that still wait are answered first.
    pub async fn close(self) {
        drop(self.writer);
        self.readers.close().await;
    }
}

async fn pool(kind: DatabaseKind, size: u32, url: &str) -> Result<AnyPool> {
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(10))
        // A connection to a file does not go away; asking first would cost as much as the question itself.
        .test_before_acquire(kind == DatabaseKind::Postgres)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if kind == DatabaseKind::Sqlite {
                    // A checkpoint writes each changed page once, however often it has changed; 12,000 pages of
                    // 4 kB keep the log below 64 MB (`reliability-and-security.md` section 2). After every 2,000
                    // pages it took half of the writer's time. A group of turns changes more pages than the 2 MB that
                    // SQLite keeps by itself; what does not fit is written before its time, and then once more.
                    connection
                        .execute(
                            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                             pragma busy_timeout = 10000; pragma wal_autocheckpoint = 12000; \
                             pragma cache_size = -32000; \
                             pragma secure_delete = on;",
                        )
                        .await?;
                }
                Ok(())
            })
        })
        .connect(url)
        .await
        .map_err(|error| {
            Error::Setup(format!(
                "cannot open the database: {error}; check database.url, the folder and its rights"
            ))
        })
}

/// Starts the writer on a thread of its own, and returns when it has its connection. Between two statements of a
/// group nothing but the database is waited for; among the tasks of a busy server the group would wait for its turn
/// after every statement.
async fn start_writer(kind: DatabaseKind, url: String, mut jobs: mpsc::Receiver<Job>) -> Result<()> {
    let (started, starts) = oneshot::channel();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = match kind {
        // No sockets here: a thread that waits for the database's own thread is then woken without a detour.
        DatabaseKind::Sqlite => runtime.enable_time(),
        DatabaseKind::Postgres => runtime.enable_all(),
    }
    .build()
    .map_err(|error| Error::Setup(format!("the database writer does not start: {error}")))?;
    let run = move || {
        runtime.block_on(async move {
            let pool = match pool(kind, 1, &url).await {
                Ok(pool) => pool,
                Err(error) => {
                    // Nobody waits any more if the start was broken off.
                    let _ = started.send(Err(error));
                    return;
                }
            };
            let _ = started.send(Ok(()));
            while let Some(first) = jobs.recv().await {
                let mut group = vec![first];
                while group.len() < GROUP
                    && let Ok(job) = jobs.try_recv()
                {
                    group.push(job);
                }
                run_group(kind, &pool, group).await;
            }
            pool.close().await;
        });
    };
    std::thread::Builder::new()
        .name("database-writer".to_owned())
        .spawn(run)
        .map_err(|error| Error::Setup(format!("the database writer does not start: {error}")))?;
    starts.await.map_err(|_| Error::Setup("the database writer has ended at its start".to_owned()))?
}

/// Runs the group; every job is answered, whatever happens.
async fn run_group(kind: DatabaseKind, pool: &AnyPool, group: Vec<Job>) {
    metrics::histogram!("amtsbote_db_group_size").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
    let mut attempt = 0;
    loop {
        attempt += 1;
        match try_group(kind, pool, &group).await {
            Ok(outcomes) => {
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    // The caller may have gone away (a closed connection); its work is done all the same.
                    let _ = job.answer.send(outcome);
                }
                return;
            }
            Err(error) if is_serialization_failure(&error) && attempt < RETRIES => {}
            Err(error) => {
                tracing::error!(error = %error, group.size = group.len(), "a group of transactions was rolled back");
                let error = Error::from(error);
                for job in group {
                    let _ = job.answer.send(Err(error.clone()));
                }
                return;
            }
        }
    }
}

/// One commit for all. An error here means that nothing of the group has been stored.
async fn try_group(
    kind: DatabaseKind,
    pool: &AnyPool,
    group: &[Job],
) -> std::result::Result<Vec<Outcome>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let begin = match kind {
        DatabaseKind::Sqlite => "begin immediate; savepoint job",
        // The number is arbitrary; it only has to be the same in all instances of one database.
        DatabaseKind::Postgres => "begin; select pg_advisory_xact_lock(4711); savepoint job",
    };
    sqlx::raw_sql(begin).execute(&mut *connection).await?;
    let result = run_all(&mut connection, group).await;
    match result {
        Ok(outcomes) => match sqlx::raw_sql("commit").execute(&mut *connection).await {
            Ok(_) => Ok(outcomes),
            Err(error) => {
                let _ = sqlx::raw_sql("rollback").execute(&mut *connection).await;
                Err(error)
            }
        },
        Err(error) => {
            if sqlx::raw_sql("rollback").execute(&mut *connection).await.is_err() {
                // A connection in an unknown state must not serve the next group.
                drop(connection.detach());
            }
            Err(error)
        }
    }
}

/// Runs the jobs one after the other, each from a fresh savepoint. The first one is set by the caller and the last
/// one ends with the commit, so that a job costs one statement more than its own.
async fn run_all(connection: &mut Tx, group: &[Job]) -> std::result::Result<Vec<Outcome>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(group.len());
    for (place, job) in group.iter().enumerate() {
        let outcome = AssertUnwindSafe((job.work)(connection))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Error::Setup("a transaction panicked and was undone".to_owned())));
        if let Err(Error::Database(error)) = &outcome
            && is_serialization_failure(error)
        {
            return Err(sqlx::Error::Protocol(SERIALIZATION.to_owned()));
        }
        if outcome.is_err() {
            // The savepoint is still there afterwards and serves the next job.
            sqlx::raw_sql("rollback to savepoint job").execute(&mut *connection).await?;
        } else if place + 1 < group.len() {
            sqlx::raw_sql("release savepoint job; savepoint job").execute(&mut *connection).await?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

const SERIALIZATION: &str = "serialization failure inside a group";

fn is_serialization_failure(error: &sqlx::Error) -> bool {
    match error {
        // 40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A).
        sqlx::Error::Database(database) => {
            matches!(database.code().as_deref(), Some("40001" | "40P01"))
        }
        sqlx::Error::Protocol(text) => text == SERIALIZATION,
        _ => false,
    }
}

/// Whether an insert failed because the row is already there.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// A fresh database for a test: a file in `folder`, or, where `TEST_POSTGRES` names a server
/// (`postgres://user@host:port`), a new database there. `tests/run` runs every test both ways.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the settings belong to the program, this belongs to the tests"
)]
pub(crate) async fn open_for_test(folder: &std::path::Path) -> Db {
    let Ok(server) = std::env::var("TEST_POSTGRES") else {
        return Db::open(&format!("sqlite://{}/test.db", folder.display())).await.expect("opens");
    };
    install_default_drivers();
    let name: String = folder.display().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("t{}", name.to_lowercase());
    let admin = AnyPool::connect(&format!("{server}/postgres")).await.expect("the test server answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&admin)
        .await
        .expect("creates");
    admin.close().await;
    Db::open(&format!("{server}/{name}")).await.expect("opens")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{self, Actor};
    use crate::clock::Timestamp;
    use serde_json::json;

    async fn note(tx: &mut Tx, subject: &str) -> Result<()> {
        audit::record(tx, &Actor::System("test"), "note", ("thing", subject), json!({}), Timestamp(1)).await
    }

    async fn count(db: &Db, subject: &str) -> usize {
        let mut tx = db.read().await.expect("reads");
        audit::history(&mut tx, ("thing", subject), 100).await.expect("history").len()
    }

    #[tokio::test]
    async fn a_failing_or_panicking_transaction_undoes_only_itself() {
        let folder = tempfile::tempdir().expect("folder");
        let db = open_for_test(folder.path()).await;
        let good = db.write(|tx| note(tx, "good").boxed());
        let bad = db.write(|tx| {
            async move {
                note(tx, "bad").await?;
                Err::<(), _>(Error::refused("no"))
            }
            .boxed()
        });
        let panicking = db.write(|tx| {
            async move {
                note(tx, "panic").await?;
                assert!(count_is(0), "on purpose");
                Ok(())
            }
            .boxed()
        });
        let (good, bad, panicking) = tokio::join!(good, bad, panicking);
        assert!(good.is_ok());
        assert!(matches!(bad, Err(Error::Refused { key: "no", .. })));
        assert!(panicking.is_err());
        assert_eq!((count(&db, "good").await, count(&db, "bad").await, count(&db, "panic").await), (1, 0, 0));
        let mut tx = db.read().await.expect("reads");
        assert_eq!(audit::verify(&mut tx).await.expect("verifies"), Ok(1));
    }

    fn count_is(expected: usize) -> bool {
        expected != 0
    }

    #[tokio::test]
    async fn a_changed_audit_record_is_found() {
        let folder = tempfile::tempdir().expect("folder");
        let db = open_for_test(folder.path()).await;
        for subject in ["one", "two", "three"] {
            db.write(move |tx| note(tx, subject).boxed()).await.expect("writes");
        }
        for change in [
            "update audit set subject_id = 'x' where seq = 2",
            "delete from audit where seq = 2",
            "update audit set at = 7 where seq = 3",
        ] {
            let broken = db
                .write(move |tx| {
                    async move {
                        sqlx::query(change).execute(&mut *tx).await?;
                        let verdict = audit::verify(tx).await?;
                        Err::<(), _>(Error::refused_with(
                            "verdict",
                            vec![("verdict", format!("{verdict:?}"))],
                        ))
                    }
                    .boxed()
                })
                .await;
            let Err(Error::Refused { values, .. }) = broken else { panic!("{broken:?}") };
            assert!(values[0].1.starts_with("Err"), "{change}: {values:?}");
        }
    }

    #[tokio::test]
    async fn many_writers_share_commits_and_all_are_answered() {
        let folder = tempfile::tempdir().expect("folder");
        let db = open_for_test(folder.path()).await;
        let all = futures::future::join_all((0..200).map(|_| db.write(|tx| note(tx, "many").boxed()))).await;
        assert!(all.iter().all(Result::is_ok));
        let mut tx = db.read().await.expect("reads");
        assert_eq!(audit::verify(&mut tx).await.expect("verifies"), Ok(200));
    }
}
