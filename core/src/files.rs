//! The store of sealed files: one folder, one file for each document, named by its id. It never sees plain
//! text, and it knows neither the database nor who may read: see `document.rs`.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::error::{Error, Result};

/// Longest name; an id has 26 characters.
const LONGEST_NAME: usize = 64;

/// Name of the file that [`Files::check_writable`] writes and deletes.
const PROBE: &str = "WRITABLECHECK";

/// Its size: with less space than this, uploads and papers would fail soon.
const PROBE_BYTES: usize = 256 * 1024;

/// The store of sealed files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

impl Files {
    /// The store in `folder`, which is made (for its owner alone) where it does not exist.
    pub fn local(folder: &Path) -> Result<Self> {
        let unusable = |error: &dyn StdError| {
            Error::Files(format!(
                "cannot use the folder {}: {error}; check that it exists and is writable for this program",
                folder.display()
            ))
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(folder).map_err(|error| unusable(&error))?;
        let folder = std::fs::canonicalize(folder).map_err(|error| unusable(&error))?;
        // Both the file and its folder are on disk before a put answers: the row that names the file is
        // committed afterwards, so that no row ever points at a file which a power cut took away.
        let store =
            LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(&error))?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder })
    }

    /// Stores `sealed` under `name`: afterwards the whole file is there and durable, or nothing of it.
    pub async fn put(&self, name: &str, sealed: Vec<u8>) -> Result<()> {
        let location = location(name)?;
        self.store
            .put(&location, PutPayload::from(sealed))
            .await
            .map_err(|error| self.failed("write", name, &error))?;
        Ok(())
    }

    /// The bytes under `name`.
    pub async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let location = location(name)?;
        let found = match self.store.get(&location).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(Error::NotFound("stored file")),
            Err(error) => return Err(self.failed("read", name, &error)),
        };
        let bytes = found.bytes().await.map_err(|error| self.failed("read", name, &error))?;
        Ok(bytes.into())
    }

    /// Deletes what is under `name`; nothing there is fine.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let location = location(name)?;
        match self.store.delete(&location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("delete", name, &error)),
        }
    }

    /// The names of all stored files, sorted. What is in the folder but not from this store is left out.
    pub async fn list(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self
            .store
            .list(None)
            .map(|found| found.map(|meta| meta.location.as_ref().to_owned()))
            .try_filter(|name| std::future::ready(name != PROBE && is_name(name)))
            .try_collect()
            .await
            .map_err(|error| self.failed("list", "the files", &error))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Whether a file can be written and deleted now; for the health check.
    pub async fn check_writable(&self) -> Result<()> {
        self.put(PROBE, vec![b'.'; PROBE_BYTES]).await?;
        self.delete(PROBE).await
    }

    /// Removes the halves of files whose writing was cut off by a crash, for those ids that `is_old` names: a young
    /// half may belong to a file that is being written. Returns how many there were.
    pub async fn remove_halves(&self, is_old: impl Fn(&str) -> bool) -> Result<u64> {
        let failed = |error: std::io::Error| {
            Error::Files(format!("cannot look through {}: {error}; check its rights", self.folder.display()))
        };
        let mut removed = 0;
        let mut entries = tokio::fs::read_dir(&self.folder).await.map_err(failed)?;
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let name = entry.file_name();
            // The store writes "<name>#<number>" first and renames it when the whole is on disk.
            let half = name.to_str().and_then(|name| name.split_once('#'));
            let Some((id, number)) = half else { continue };
            let ours = is_name(id) && number.bytes().all(|byte| byte.is_ascii_digit());
            if ours && (id == PROBE || is_old(id)) {
                tokio::fs::remove_file(entry.path()).await.map_err(failed)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The sentence for the operator. `name` is an id, not personal data.
    fn failed(&self, what: &str, name: &str, error: &object_store::Error) -> Error {
        let folder = self.folder.display();
        if is_disk_full(error) {
            return Error::Storage(format!("{error} under {folder}"));
        }
        Error::Files(format!("cannot {what} {name}: {error}; check the disk and the rights of {folder}"))
    }
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn location(name: &str) -> Result<Location> {
    if is_name(name) {
        Ok(Location::from(name))
    } else {
        Err(Error::Files("a stored file is named by an id: 1 to 64 letters and digits".to_owned()))
    }
}

/// Whether a full disk or a used-up quota is at the bottom of `error`.
fn is_disk_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().expect("folder");
        let files = Files::local(&folder.path().join("files/deep")).expect("opens");
        (folder, files)
    }

    #[tokio::test]
    async fn what_is_put_can_be_read_listed_and_deleted() {
        let (_folder, files) = store();
        files.put("B2", b"second".to_vec()).await.expect("puts");
        files.put("A1", b"first".to_vec()).await.expect("puts");
        files.put("A1", b"newer".to_vec()).await.expect("puts again");
        assert_eq!(files.get("A1").await.expect("reads"), b"newer");
        std::fs::write(files.folder.join("not from us.txt"), b"x").expect("writes");
        files.check_writable().await.expect("is writable");
        assert_eq!(files.list().await.expect("lists"), ["A1", "B2"]);
        files.delete("A1").await.expect("deletes");
        files.delete("A1").await.expect("deletes what is gone");
        assert!(matches!(files.get("A1").await, Err(Error::NotFound(_))));
        let left = std::fs::read_dir(&files.folder).expect("reads").count();
        assert_eq!(left, 2, "B2 and the foreign file, no temporary ones");
    }

    #[tokio::test]
    async fn a_name_is_only_an_id() {
        let (_folder, files) = store();
        for name in ["", "..", "../A", "a/b", "a.b", "a#1", "a\0", "ä", &"A".repeat(65)] {
            assert!(files.put(name, Vec::new()).await.is_err(), "{name:?}");
            assert!(files.get(name).await.is_err(), "{name:?}");
            assert!(files.delete(name).await.is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_unusable_folder_is_named() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").expect("writes");
        let Err(Error::Files(text)) = Files::local(&file.join("files")) else { panic!("refused") };
        assert!(text.contains("file/files") && text.contains("check"), "{text}");
    }

    #[test]
    fn a_full_disk_is_told_apart_with_the_mend() {
        let (_folder, files) = store();
        for (kind, full) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::PermissionDenied, false),
        ] {
            let error =
                object_store::Error::Generic { store: "test", source: Box::new(std::io::Error::from(kind)) };
            let told = files.failed("write", "A1", &error);
            assert_eq!(matches!(told, Error::Storage(_)), full, "{told}");
            assert!(told.to_string().contains(if full { "free space" } else { "check the disk" }), "{told}");
        }
    }

    #[tokio::test]
    async fn halves_that_a_crash_left_are_removed_once_they_are_old() {
        let (_folder, files) = store();
        files.put("WHOLE", b"whole".to_vec()).await.expect("puts");
        for name in ["OLD#1", "OLD#2", "YOUNG#1", "WRITABLECHECK#1", "foreign.txt", "a.b#1", "OLD#x"] {
            std::fs::write(files.folder.join(name), b"half").expect("writes");
        }
        assert_eq!(files.remove_halves(|id| id == "OLD").await.expect("removes"), 3);
        let mut left: Vec<String> = std::fs::read_dir(&files.folder)
            .expect("reads")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
            .collect();
        left.sort_unstable();
        assert_eq!(left, ["OLD#x", "WHOLE", "YOUNG#1", "a.b#1", "foreign.txt"]);
    }

    /// To run it: `mount -t tmpfs -o size=64k tmpfs /mnt/tiny`, then `cargo test -- --ignored tiny_disk`. How the
    /// whole program bears a full disk is tested in `tests/full_disk.rs`.
    #[tokio::test]
    #[ignore = "needs a file system of 64 kB at /mnt/tiny"]
    async fn nothing_half_written_remains_on_a_tiny_disk() {
        let files = Files::local(Path::new("/mnt/tiny/files")).expect("opens");
        assert!(matches!(files.put("BIG", vec![7; 200_000]).await, Err(Error::Storage(_))));
        assert_eq!(std::fs::read_dir(&files.folder).expect("reads").count(), 0);
        files.put("SMALL", vec![7; 2_000]).await.expect("a small file still fits");
        assert!(matches!(files.check_writable().await, Err(Error::Storage(_))), "so little is not enough");
    }
}
