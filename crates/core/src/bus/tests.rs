//! What the bus remembers, and whom it cuts off.

use super::{Bus, MOST_WAITING, RECENT};
use crate::event::{Event, Kind};
use crate::id::UserId;
use crate::notice::{Delivery, Notice, To};
use std::sync::Arc;

fn event(position: i64) -> Arc<Event> {
    let (room, audience, reference) = (None, None, String::new());
    Arc::new(Event { position, at: 0, kind: Kind::User, room, audience, reference })
}

#[test]
fn recent_events_are_given_whole_or_not_at_all() {
    let bus = Bus::default();
    bus.start(5);
    let positions = |from, most| {
        let events = bus.since(from, most)?;
        Some(events.iter().map(|event| event.position).collect::<Vec<_>>())
    };
    assert_eq!(positions(4, 9), None);
    assert_eq!(positions(5, 9), Some(vec![]));
    for position in [6, 8, 9] {
        bus.publish(&event(position));
    }
    assert_eq!(positions(5, 9), Some(vec![6, 8, 9]));
    assert_eq!(positions(6, 1), Some(vec![8]));
    for n in 0..RECENT {
        bus.publish(&event(10 + i64::try_from(n).unwrap()));
    }
    assert_eq!(positions(8, 9), None);
    assert_eq!(positions(9, 1), Some(vec![10]));
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_nobody_else_is() {
    let bus = Arc::new(Bus::default());
    let (ann, bob) = (UserId::from("ann"), UserId::from("bob"));
    let (slow, mut quick) = (bus.plug(&ann), bus.plug(&bob));
    let told = |user: &UserId| (To::One(user.clone()), Delivery::new(Notice::Sessions));
    let read = tokio::spawn(async move {
        let mut read = 0;
        while read < 2 * MOST_WAITING {
            quick.next().await.unwrap();
            while quick.try_next().is_some() {
                read += 1;
            }
            read += 1;
        }
        read
    });
    for n in 0..MOST_WAITING {
        let both = [told(&ann), told(&bob), told(&bob)];
        bus.hand_out(i64::try_from(n).unwrap() + 1, &both).await;
        assert!(bus.has(&ann), "{n}");
    }
    bus.hand_out(i64::MAX, &[told(&ann)]).await;
    slow.cut().await;
    assert!(!bus.has(&ann) && bus.has(&bob));
    assert_eq!((bus.count(), read.await.unwrap()), (1, 2 * MOST_WAITING));
}

#[tokio::test]
async fn who_has_read_everything_gets_a_moment_again() {
    let bus = Arc::new(Bus::default());
    let ann = UserId::from("ann");
    let mut plug = bus.plug(&ann);
    let told = || (To::One(ann.clone()), Delivery::new(Notice::Sessions));
    // It reads nothing of a burst, and its moment passes.
    let burst: Vec<_> = (0..MOST_WAITING * 3 / 4).map(|_| told()).collect();
    bus.hand_out(1, &burst).await;
    while plug.try_next().is_some() {}
    // Then it reads, and a burst that is larger than its queue does not cut it off.
    let read = tokio::spawn(async move {
        let mut read = 0;
        while plug.next().await.is_some() {
            read += 1;
            while plug.try_next().is_some() {
                read += 1;
            }
            if read == 3 * MOST_WAITING {
                return plug;
            }
        }
        panic!("cut off after {read}");
    });
    let burst: Vec<_> = (0..3 * MOST_WAITING).map(|_| told()).collect();
    bus.hand_out(2, &burst).await;
    drop(read.await.unwrap());
    assert_eq!(bus.count(), 0);
}
