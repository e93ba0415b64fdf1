//! The bell: wakes whoever waits for news in ONE conversation. Only a hint: who is woken reads the database. A ring
//! costs the same however many other conversations are listened to.
//!
//! It does not know what was said, and it knows nothing of other instances: their writes are noticed by the job that
//! asks the database which conversations have changed ([`super::Office::ring_changed`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::id::ConversationId;

/// One sender for each conversation that somebody listens to.
type Ropes = HashMap<ConversationId, watch::Sender<()>>;

/// The bell of an instance. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Bell(Arc<Mutex<Ropes>>);

impl Bell {
    fn ropes(&self) -> MutexGuard<'_, Ropes> {
        // Nothing that is done under the lock can leave the map half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self, id: &ConversationId) {
        if let Some(rope) = self.ropes().get(id) {
            rope.send_replace(());
        }
    }

    pub(super) fn listen(&self, id: &ConversationId) -> Listener {
        let heard = self.ropes().entry(id.clone()).or_insert_with(|| watch::channel(()).0).subscribe();
        Listener { bell: self.clone(), id: id.clone(), heard }
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        !self.ropes().is_empty()
    }
}

/// Waits for news in one conversation. A ring between two waits is not lost.
#[derive(Debug)]
pub struct Listener {
    bell: Bell,
    id: ConversationId,
    heard: watch::Receiver<()>,
}

impl Listener {
    /// Until the bell rings; at once if it has rung since the last time.
    pub async fn rung(&mut self) {
        // The sender lives as long as this listener, so there is no other way out than a ring.
        let _ = self.heard.changed().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut ropes = self.bell.ropes();
        // This listener is still counted.
        if ropes.get(&self.id).is_some_and(|rope| rope.receiver_count() <= 1) {
            ropes.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::message::{Body, ChannelKind, Incoming};
    use crate::office::Office;
    use amtsbote_knowledge::Trust;
    use futures::FutureExt;
    use std::time::Duration;

    #[tokio::test]
    async fn what_another_instance_writes_rings_too() {
        let folder = tempfile::tempdir().expect("folder");
        let settings = [("data.folder".to_owned(), folder.path().display().to_string())];
        let config = Config::load(None, std::iter::empty(), &settings).expect("settings");
        let one = Office::open(config.clone(), Clock::System).await.expect("opens");
        let other = Office::open(config, Clock::System).await.expect("opens");
        let id = one.open_conversation(ChannelKind::Web, "de").await.expect("opens");
        let mut listener = other.listen(&id);
        let before = other.now().minus(Duration::from_secs(1));
        let incoming = Incoming {
            conversation: id.clone(),
            external_id: "one".to_owned(),
            trust: Trust::T0,
            person: None,
            body: Body::Text("Guten Tag".to_owned()),
        };
        one.receive(incoming).await.expect("answers");
        assert!(listener.rung().now_or_never().is_none(), "the bells are not connected");
        other.ring_changed(before).await.expect("looks");
        assert!(listener.rung().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_ring_wakes_the_listeners_of_its_conversation_alone_and_is_never_lost() {
        let bell = Bell::default();
        let (one, other) = (ConversationId("one".to_owned()), ConversationId("other".to_owned()));
        let (mut first, mut second, mut third) = (bell.listen(&one), bell.listen(&one), bell.listen(&other));
        assert!(first.rung().now_or_never().is_none(), "silence");
        bell.ring(&one);
        bell.ring(&one);
        assert!(first.rung().now_or_never().is_some() && second.rung().now_or_never().is_some());
        assert!(first.rung().now_or_never().is_none(), "two rings before a look are one");
        assert!(third.rung().now_or_never().is_none(), "another conversation");
        drop((first, third));
        bell.ring(&one);
        assert!(second.rung().now_or_never().is_some(), "one of two has gone");
        assert!(bell.is_heard());
        drop(second);
        assert!(!bell.is_heard(), "nothing is kept for conversations that nobody listens to");
    }
}
