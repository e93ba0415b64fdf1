//! Rows, keys and stored bytes of documents, on a real database and a real folder.

use amtsbote_knowledge::{DocumentFormat, Trust};
use futures::FutureExt;
use sqlx::Row;

use super::*;
use crate::clock::Clock;
use crate::db::Db;
use crate::seal::MasterKey;

struct World {
    _folder: tempfile::TempDir,
    db: Db,
    files: Files,
    keys: Keys,
}

const NOW: Timestamp = Timestamp(1_700_000_000_000);

async fn world() -> World {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Clock::manual(NOW);
    World {
        db: crate::db::open_for_test(folder.path()).await,
        files: Files::local(&folder.path().join("files")).expect("opens"),
        keys: Keys { master: MasterKey::from_bytes(&clock.random()), clock },
        _folder: folder,
    }
}

fn conversation(name: &str) -> ConversationId {
    ConversationId(name.to_owned())
}

fn application(name: &str) -> ApplicationId {
    ApplicationId(name.to_owned())
}

fn actor() -> Actor {
    Actor::Anonymous(conversation("C1"))
}

impl World {
    async fn upload(&self, of: &str, bytes: &[u8]) -> DocumentId {
        let id: DocumentId = self.keys.clock.id();
        let key = store_bytes(&self.files, &self.keys, &id, bytes).await.expect("stores");
        let new = NewDocument {
            id: id.clone(),
            kind: DocumentKind::Upload,
            conversation: Some(conversation(of)),
            application: None,
            item: "id_card".to_owned(),
            name: "C:\\Scans\\Ausweis Müller".to_owned(),
            inspected: Inspected {
                format: DocumentFormat::Jpeg,
                size_bytes: u64::try_from(bytes.len()).expect("fits"),
                sha256: sha256_hex(bytes),
            },
            key,
            trust: Trust::T2,
        };
        let mut tx = self.db.read().await.expect("connects");
        insert(&mut tx, &self.keys, &new, &actor(), NOW).await.expect("inserts");
        id
    }

    async fn load(&self, id: &DocumentId) -> Option<Document> {
        load(&mut self.db.read().await.expect("connects"), &self.keys, id).await.expect("loads")
    }

    async fn actions(&self, id: &DocumentId) -> Vec<String> {
        let mut tx = self.db.read().await.expect("connects");
        let records = audit::history(&mut tx, ("document", id.as_str()), 10).await.expect("history");
        records.into_iter().map(|record| record.action).collect()
    }
}

/// Documents that were handed in for no item of a service.
fn unnamed(documents: &[DocumentId]) -> Vec<(String, DocumentId)> {
    documents.iter().map(|id| (String::new(), id.clone())).collect()
}

#[tokio::test]
async fn a_document_comes_back_as_it_was_stored_and_nothing_of_it_lies_open() {
    let world = world().await;
    let id = world.upload("C1", b"the secret picture").await;
    let document = world.load(&id).await.expect("is there");
    assert_eq!(document.name, "Ausweis Müller.jpg");
    assert_eq!((document.kind, document.format), (DocumentKind::Upload, DocumentFormat::Jpeg));
    assert_eq!((document.trust, document.size_bytes, document.created_at), (Trust::T2, 18, NOW));
    assert_eq!(document.conversation, Some(conversation("C1")));
    assert_eq!(document.application, None);
    let bytes = read(&world.files, &world.keys, &document).await.expect("reads");
    assert_eq!(bytes, b"the secret picture");

    let stored = world.files.get(id.as_str()).await.expect("is there");
    assert!(!stored.windows(6).any(|window| window == b"secret"));
    let mut tx = world.db.read().await.expect("connects");
    let row = sqlx::query("select name_sealed from document").fetch_one(&mut *tx).await.expect("row");
    let sealed: Vec<u8> = row.try_get(0).expect("bytes");
    assert!(!sealed.windows(6).any(|window| window == b"Auswei"));
    assert_eq!(world.actions(&id).await, ["document.add"]);
}

#[tokio::test]
async fn exchanged_or_damaged_bytes_are_never_given_out() {
    let world = world().await;
    let (one, two) = (world.upload("C1", b"one").await, world.upload("C1", b"two").await);
    let document = world.load(&one).await.expect("is there");

    let sealed_two = world.files.get(two.as_str()).await.expect("is there");
    let mut damaged = world.files.get(one.as_str()).await.expect("is there");
    damaged[14] ^= 1;
    let key = world.keys.master.unwrap(&document.key_wrapped, one.as_str()).expect("opens");
    let other = key.seal(one.as_str().as_bytes(), b"another content", &world.keys.clock);
    for bytes in [sealed_two, damaged, other, Vec::new()] {
        world.files.put(one.as_str(), bytes).await.expect("puts");
        let answer = read(&world.files, &world.keys, &document).await;
        assert!(matches!(answer, Err(Error::Seal(_))), "{answer:?}");
    }
    world.files.delete(one.as_str()).await.expect("deletes");
    assert!(matches!(read(&world.files, &world.keys, &document).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn only_own_unfiled_documents_are_filed_and_all_or_none() {
    let world = world().await;
    let mine = world.upload("C1", b"mine").await;
    let foreign = world.upload("C2", b"foreign").await;
    let case = application("A1");

    for second in [foreign.clone(), DocumentId("unknown".to_owned())] {
        let both = [mine.clone(), second];
        let answer = world
            .db
            .write(move |tx| {
                let both = both.clone();
                async move { attach(tx, &unnamed(&both), &conversation("C1"), &application("A1"), NOW).await }
                    .boxed()
            })
            .await;
        assert!(matches!(answer, Err(Error::NotFound("document"))), "{answer:?}");
        assert_eq!(world.load(&mine).await.expect("is there").application, None, "nothing was filed");
    }

    let mut tx = world.db.read().await.expect("connects");
    for _ in 0..2 {
        attach(&mut tx, &unnamed(std::slice::from_ref(&mine)), &conversation("C1"), &case, NOW)
            .await
            .expect("files");
    }
    assert_eq!(world.actions(&mine).await, ["document.add", "document.attach"], "once, though asked twice");
    let other = application("A2");
    let elsewhere =
        attach(&mut tx, &unnamed(std::slice::from_ref(&mine)), &conversation("C1"), &other, NOW).await;
    assert!(matches!(elsewhere, Err(Error::NotFound("document"))));

    let listed = of_application(&mut tx, &world.keys, &case).await.expect("lists");
    assert_eq!(listed.iter().map(|document| &document.id).collect::<Vec<_>>(), [&mine]);
    assert_eq!(listed[0].application, Some(case));
}

#[tokio::test]
async fn removal_destroys_the_key() {
    let world = world().await;
    let id = world.upload("C1", b"regretted").await;
    let mut tx = world.db.read().await.expect("connects");
    for _ in 0..2 {
        remove(&mut tx, &id, &actor(), NOW).await.expect("removes");
    }
    assert!(world.load(&id).await.is_none());
    assert_eq!(world.actions(&id).await, ["document.add", "document.remove"]);
    let row = sqlx::query("select key_wrapped, name_sealed, sha256, removed_at from document where id = $1")
        .bind(id.as_str())
        .fetch_one(&mut *tx)
        .await
        .expect("the fact remains");
    assert_eq!(row.try_get::<Option<Vec<u8>>, _>(0).expect("column"), None);
    assert_eq!(row.try_get::<Vec<u8>, _>(1).expect("column"), Vec::<u8>::new());
    assert_eq!(row.try_get::<String, _>(2).expect("column"), "");
    assert_eq!(row.try_get::<i64, _>(3).expect("column"), NOW.0);

    let late =
        attach(&mut tx, &unnamed(std::slice::from_ref(&id)), &conversation("C1"), &application("A1"), NOW)
            .await;
    assert!(matches!(late, Err(Error::NotFound(_))), "what is removed can't be filed");
    let unknown = remove(&mut tx, &DocumentId("unknown".to_owned()), &actor(), NOW).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn what_is_filed_stays() {
    let world = world().await;
    let filed = world.upload("C1", b"filed").await;
    let mut tx = world.db.read().await.expect("connects");
    attach(&mut tx, &unnamed(std::slice::from_ref(&filed)), &conversation("C1"), &application("A1"), NOW)
        .await
        .expect("files");
    let unfiled = [world.upload("C1", b"1").await, world.upload("C1", b"2").await];
    let foreign = world.upload("C2", b"foreign").await;

    let answer = remove(&mut tx, &filed, &actor(), NOW).await;
    assert!(matches!(answer, Err(Error::Refused { key: "document.filed", .. })), "{answer:?}");
    let removed = remove_unfiled(&mut tx, &conversation("C1"), &actor(), NOW).await.expect("removes");
    assert_eq!(removed, 2);
    for id in &unfiled {
        assert!(world.load(id).await.is_none());
    }
    let document = world.load(&filed).await.expect("stays");
    assert_eq!(read(&world.files, &world.keys, &document).await.expect("reads"), b"filed");
    assert!(world.load(&foreign).await.is_some());
    let again = remove_unfiled(&mut tx, &conversation("C1"), &actor(), NOW).await.expect("nothing left");
    assert_eq!(again, 0);
}

#[tokio::test]
async fn files_without_a_live_row_are_orphans() {
    let world = world().await;
    let mut live = Vec::new();
    for number in 0..25_u8 {
        live.push(world.upload("C1", &[number]).await);
    }
    let removed = world.upload("C2", b"removed").await;
    let lost: DocumentId = world.keys.clock.id();
    store_bytes(&world.files, &world.keys, &lost, b"no row").await.expect("stores");
    let mut tx = world.db.read().await.expect("connects");
    remove(&mut tx, &removed, &actor(), NOW).await.expect("removes");

    let names = world.files.list().await.expect("lists");
    assert_eq!(names.len(), 27);
    let mut found = orphans(&mut tx, &names).await.expect("finds");
    found.sort_unstable();
    let mut expected = vec![removed.0, lost.0];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(orphans(&mut tx, &[]).await.expect("nothing asked"), Vec::<String>::new());

    let mut aged = names.clone();
    aged.push("no id".to_owned());
    assert_eq!(made_before(&aged, NOW), Vec::<String>::new(), "just made");
    assert_eq!(made_before(&aged, Timestamp(NOW.0 + 1)), names);
}
