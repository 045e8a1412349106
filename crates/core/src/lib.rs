//! The domain of Parlance: rooms, members, messages, accounts and the rules between them.
//! Two faces translate, this crate decides, its private `store` remembers. Nothing here knows a
//! wire format or an HTTP status: a face holds a [`Core`], turns tokens into a [`Caller`], and asks.

pub mod access;
pub mod account;
pub mod alter;
pub mod audit;
mod bad_words;
mod bus;
pub mod caller;
pub mod command;
mod content;
mod custom_field;
pub mod depth;
pub mod directory;
pub mod edit;
mod emoji;
pub mod error;
pub mod event;
pub mod export;
pub mod factor;
mod fanout;
pub mod history;
pub mod id;
pub mod import;
mod indexer;
mod job;
mod lifecycle;
mod links;
pub mod list;
mod live;
pub mod login;
pub mod mail;
pub mod mark;
pub mod message;
mod names;
pub mod network;
pub mod notice;
pub mod online;
pub mod open;
mod operator;
mod options;
pub mod outside;
pub mod preference;
pub mod presence;
pub mod preview;
pub mod profile;
mod publisher;
pub mod push;
mod quote;
pub mod reading;
mod reset;
pub mod retry;
pub mod role;
pub mod room;
pub mod search;
pub mod secret;
pub mod send;
pub mod setting;
pub mod slash;
pub mod socket;
pub mod statistics;
mod store;
mod term;
pub mod thread;
pub mod time;
pub mod totp;
pub mod vitals;

pub use access::Access;
pub use account::User;
pub use bus::Subscription;
pub use caller::{Admin, Caller, Perm};
pub use error::{Error, Result};
pub use fanout::Missed;
pub use id::{MessageId, RoomId, UserId};
pub use message::Message;
pub use options::Options;
pub use outside::{Outside, Resolver};
pub use room::Room;
pub use store::{Database, StoreOptions, make_private};
pub use time::{Clock, Ms};

use bus::Bus;
use id::Chance;
use indexer::{Index, Indexer};
use live::Live;
use login::{Blocks, Passwords};
use preview::{Filler, Previews};
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// The one handle a face holds. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    chance: Chance,
    live: Arc<Live>,
    bus: Arc<Bus>,
    passwords: Passwords,
    previews: Arc<Previews>,
    orders: Arc<export::Orders>,
    index: Index,
    blocks: Arc<Blocks>,
    key: secret::Key,
    jobs: mpsc::Sender<mail::Job>,
    create_tokens: login::CreateTokens,
    most_tokens: i64,
    statistics: statistics::Kept,
    online: Arc<online::Online>,
    /// Rung when a change left a job.
    left: Arc<Notify>,
    /// What runs beside the calls: the publisher of the log, the indexer that follows it, the filler of
    /// previews, the worker at what changes left to do, and who makes exports where a face has them made.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    fn stop(&self) -> Vec<JoinHandle<()>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(JoinHandle::abort);
        std::mem::take(&mut tasks)
    }

    fn add_task(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The key, after a word to the operator if this store's secrets were sealed with another; without one,
/// a key that nobody has after the process ends.
async fn checked(store: &Store, key: Option<secret::Key>, chance: &Chance) -> Result<secret::Key> {
    let Some(key) = key else {
        return secret::Key::from_text(&chance.token());
    };
    let check = key.hash(&["check"]);
    if store::server::key_check(store, &check).await? != check {
        tracing::error!(
            "this is not the key that the database was used with first: second factors, codes and \
             the mail password of before are not understood (see PARLANCE_SECRET_KEY)"
        );
    }
    Ok(key)
}

impl Core {
    /// Opens the store, brings its schema up to date and starts the publisher of its event log.
    pub async fn open(options: Options) -> Result<Self> {
        let store = Store::open(&options.database, &options.store).await?;
        let born = store::server::born(&store, options.clock.now()).await?;
        store::roles::seed(&store, born).await?;
        let live = Arc::new(Live::load(&store, born).await?);
        let bus = Arc::new(Bus::default());
        let from = store::events::newest(&store).await?;
        bus.start(from);
        let publisher = publisher::Publisher {
            store: store.clone(),
            clock: options.clock.clone(),
            live: live.clone(),
            bus: bus.clone(),
        };
        let mail = (options.mail, options.outside.authorities.clone());
        let (previews, queue) = Previews::new(options.outside, options.clock.clone())?;
        let previews = Arc::new(previews);
        let filler = Filler {
            store: store.clone(),
            clock: options.clock.clone(),
            live: live.clone(),
            previews: previews.clone(),
        };
        let (indexer, index) = Indexer::new(store.clone(), live.clone(), bus.clone());
        let tasks = [
            tokio::spawn(publisher.run(from)),
            tokio::spawn(filler.run(queue)),
            tokio::spawn(indexer.run()),
        ];
        let key = checked(&store, options.key, &options.chance).await?;
        let (jobs, waiting) = mail::queue();
        let left = Arc::new(Notify::new());
        let core = Self(Arc::new(Inner {
            store,
            passwords: Passwords::new(options.hashing, &options.chance)?,
            live,
            bus,
            previews,
            orders: Arc::default(),
            index,
            blocks: Arc::default(),
            key,
            jobs,
            create_tokens: options.create_tokens,
            most_tokens: options.most_tokens,
            statistics: statistics::Kept::default(),
            online: Arc::new(online::Online::new(&options.chance, &options.clock)),
            chance: options.chance,
            clock: options.clock,
            left,
            tasks: Mutex::new(tasks.into()),
        }));
        tokio::spawn(mail::work(Arc::downgrade(&core.0), mail, waiting));
        core.tell_people(from);
        core.ensure_rocket_cat().await?;
        core.work();
        Ok(core)
    }

    /// Begins to do what changes left to do.
    fn work(&self) {
        let (store, clock) = (self.store().clone(), self.clock().clone());
        let worker = job::Worker { store, clock, left: self.0.left.clone() };
        self.0.add_task(tokio::spawn(worker.run()));
    }

    /// Begins to tell people what happens after `position`, and who is there.
    fn tell_people(&self, position: i64) {
        let fanout = fanout::Fanout {
            core: Arc::downgrade(&self.0),
            bus: self.0.bus.clone(),
            clock: self.clock().clone(),
        };
        self.0.add_task(tokio::spawn(fanout.run(position)));
        let online = online::run(self.online().clone(), self.store().clone());
        self.0.add_task(tokio::spawn(online));
    }

    /// Ends this core, whatever clones of it there are: returns when nothing is published or made any
    /// more and the store is free for another process. Later calls are refused.
    pub async fn close(self) {
        for task in self.0.stop() {
            // The error says that it was aborted, which is what was asked for.
            let _ = task.await;
        }
        if let Err(error) = online::leave(self.online(), self.store()).await {
            tracing::warn!(%error, "who was connected stays as it was");
        }
        self.store().close().await;
    }

    /// Can the store take a write now? `Ok` means that one was just made durable.
    pub async fn ready(&self) -> Result<()> {
        store::server::touch(self.store(), self.clock().now()).await
    }

    /// Waits until the index of searches covers everything that is stored by now, whatever it holds up.
    /// At once if the index is off (`Parlance_Search_Index`). A search needs no such wait: it finds a
    /// message from the moment it is stored, and only costs more where the index is behind.
    pub async fn indexed(&self) -> Result<()> {
        let newest = store::events::newest(self.store()).await?;
        let mut positions = self.0.bus.positions();
        tokio::select! {
            _ = positions.wait_for(|position| *position >= newest) => {}
            Err(gone) = self.0.index.covered(u64::MAX, i64::MAX) => return Err(gone),
        }
        self.0.index.covered(self.0.index.wish(), newest).await
    }

    /// Listens to the event log from now on; at most `capacity` events wait, and a listener that is
    /// slower than that is cut off.
    pub fn listen(&self, capacity: usize) -> Subscription {
        self.0.bus.listen(capacity)
    }

    /// The log's events after `position`, in order, as far as they were published: at most a page.
    /// [`Error::PositionTooOld`] when the log was trimmed beyond it. Whoever shows them to a user
    /// picks what that user may see.
    pub async fn events_after(&self, position: i64) -> Result<Vec<event::Event>> {
        let published = self.0.bus.position();
        let (tail, floor) =
            store::events::since(self.store(), position, store::events::PAGE).await?;
        if position.saturating_add(1) < floor {
            return Err(Error::PositionTooOld);
        }
        let known = tail.events.into_iter().take_while(|(at, _)| *at <= published);
        Ok(known.filter_map(|(_, event)| event).collect())
    }

    /// The clock everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The settings as they stand.
    pub fn settings(&self) -> Arc<setting::Settings> {
        self.0.live.settings()
    }

    /// Makes an id, for what a face must name itself (a request).
    pub fn new_id(&self) -> String {
        self.0.chance.id(self.clock().now())
    }

    /// Makes a secret of 256 bits, for a password nobody chose.
    pub fn new_token(&self) -> String {
        self.0.chance.token()
    }

    /// A change may have left a job: it is begun at once.
    pub(crate) fn wake_worker(&self) {
        self.0.left.notify_one();
    }

    pub(crate) fn permissions(&self) -> Arc<caller::Permissions> {
        self.0.live.permissions()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn chance(&self) -> &Chance {
        &self.0.chance
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn previews(&self) -> &Previews {
        &self.0.previews
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// How much work passwords made so far.
    pub fn password_work(&self) -> login::Work {
        self.0.passwords.work()
    }

    pub(crate) fn blocks(&self) -> Arc<Blocks> {
        self.0.blocks.clone()
    }

    pub(crate) fn key(&self) -> &secret::Key {
        &self.0.key
    }

    pub(crate) fn jobs(&self) -> &mpsc::Sender<mail::Job> {
        &self.0.jobs
    }

    pub(crate) fn create_tokens(&self) -> &login::CreateTokens {
        &self.0.create_tokens
    }

    pub(crate) fn most_tokens(&self) -> i64 {
        self.0.most_tokens
    }

    pub(crate) fn online(&self) -> &Arc<online::Online> {
        &self.0.online
    }

    pub(crate) fn kept_statistics(&self) -> &statistics::Kept {
        &self.0.statistics
    }

    /// When this store was first opened.
    pub fn born(&self) -> Ms {
        self.0.live.born()
    }

    async fn save_setting(&self, known: &setting::Known, value: &serde_json::Value) -> Result<()> {
        store::server::set_setting(self.store(), known.id, value, self.clock().now()).await?;
        self.live().reload_settings(self.store()).await
    }

    async fn save_grants(&self, grants: &[(String, Vec<String>)]) -> Result<()> {
        store::server::set_permissions(self.store(), grants, self.clock().now()).await?;
        self.live().reload_permissions(self.store()).await
    }
}
