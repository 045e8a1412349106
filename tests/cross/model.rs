//! Random talk of three against a plain model of the read state (contract section 6.5) and of a room's
//! counters: after every step each number that any of them is shown must be the model's. The seed is
//! printed; another one is taken from `PARLANCE_SEED`, another length from `PARLANCE_STEPS`.

mod state;
mod steps;

use crate::app::{START, TestApp, TestUser, app};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use state::Room;

/// A server, three users, and what the model thinks of their two rooms.
struct World {
    app: TestApp,
    users: Vec<TestUser>,
    rooms: Vec<Room>,
    random: StdRng,
    /// What was done, for whoever reads a failure.
    log: Vec<String>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let app = app().await;
        let mut users = Vec::new();
        for name in ["ann", "bob", "cat"] {
            users.push(app.user(name).await);
        }
        let pair = app.rocket(&users[0]).open("bob").await;
        let made = app.rocket(&users[0]).post("dm.create", json!({"usernames": "bob,cat"})).await;
        let group = made.ok()["room"]["_id"].as_str().unwrap().to_owned();
        let rooms = vec![Room::new(pair, &[0, 1]), Room::new(group, &[0, 1, 2])];
        Self { app, users, rooms, random: StdRng::seed_from_u64(seed), log: Vec::new() }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    /// The clock stands now and then, and goes back now and then.
    fn tick(&mut self) {
        let step = [1000, 1000, 1, 0, -500][self.pick(5)];
        self.app.clock.move_to((self.app.clock.now() + step).max(START));
    }

    async fn post(&self, user: usize, name: &str, body: Value) -> Value {
        let answer = self.app.rocket(&self.users[user]).post(name, body.clone()).await;
        assert_eq!(answer.status, 200, "{name} {body}: {}", answer.json());
        answer.json()
    }

    /// Compares all that every member of every room is shown.
    async fn compare(&self) {
        for (n, user) in self.users.iter().enumerate() {
            let rocket = self.app.rocket(user);
            let subs = rocket.get("subscriptions.get", &[]).await.ok();
            let list = rocket.get("dm.list", &[]).await.ok();
            let find = |all: &Value, key: &str, id: &str| {
                let all = all.as_array().unwrap().iter();
                all.filter(|one| one[key] == id).cloned().collect::<Vec<_>>()
            };
            for room in &self.rooms {
                let Some(member) = room.members.get(&n) else { continue };
                let [sub] = &find(&subs["update"], "rid", &room.id)[..] else { unreachable!() };
                let [shown] = &find(&list["ims"], "_id", &room.id)[..] else { unreachable!() };
                let counters = rocket.get("im.counters", &[("roomId", &room.id)]).await.ok();
                let seen = [state::subscription(sub), state::room(shown), counters];
                let want = [member.subscription(), room.document(), room.counters(member, shown)];
                if seen != want {
                    let (who, last) = (&user.username, self.log.iter().rev().take(15));
                    let last: Vec<&String> = last.collect();
                    assert_eq!(json!(seen), json!(want), "{who} in {}; last: {last:#?}", room.id);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_counter_of_every_member_is_the_models() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("PARLANCE_SEED").unwrap_or(20_260_102);
    let steps = number("PARLANCE_STEPS").unwrap_or(450);
    println!("PARLANCE_SEED={seed} PARLANCE_STEPS={steps}");
    let mut world = World::new(seed).await;
    world.compare().await;
    for _ in 0..steps {
        world.tick();
        world.step().await;
        world.compare().await;
    }
    // Every kind of step was taken.
    for kind in steps::KINDS {
        let taken = world.log.iter().any(|line| line.starts_with(kind));
        assert!(taken || steps < 400, "{kind}");
    }
}
