//! What the server tells whoever watches it, as Prometheus text. Requests are counted under the name of
//! their route, which a face knows, never under the path that was called: so there are as many series
//! as there are routes, whatever strangers ask for. Counting a request is one lookup and two additions.

use axum::response::Response;
use parlance_core::vitals::Vitals;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::borrow::Cow;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of the buckets of the latency, in seconds.
const BOUNDS: [f64; 12] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The name of the route that answers a request: a face leaves it in the extensions of its response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteName {
    /// `rocketchat` or `meepachat`.
    pub face: &'static str,
    /// The name in the face's own table.
    pub route: Cow<'static, str>,
}

/// What a request is counted under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    face: &'static str,
    route: Cow<'static, str>,
    status: &'static str,
}

type Latencies = Family<Labels, Histogram, fn() -> Histogram>;

/// Everything that is counted. One for a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Latencies,
    connections: Gauge,
    published: Gauge,
    lag: Gauge,
    sessions: Gauge,
    sockets: Gauge,
    reads_waiting: Gauge,
    changes_waiting: Gauge,
    groups: Counter,
    changes: Counter,
    memory: Gauge,
    /// Raised to what the store says when somebody asks.
    seen: [AtomicU64; 2],
}

impl Metrics {
    /// Counts from zero, for a process that began `started` seconds after 1970.
    pub fn new(started: i64) -> Self {
        let mut registry = Registry::default();
        let requests: Latencies = Family::new_with_constructor(|| Histogram::new(BOUNDS));
        registry.register(
            "parlance_request_duration_seconds",
            "Time until the head of an answer was ready, by face, route and class of status",
            requests.clone(),
        );
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let connections = gauge("parlance_connections", "Connections that are open");
        let published =
            gauge("parlance_event_log_position", "Newest position of the event log published here");
        let lag = gauge("parlance_event_log_lag", "Positions that are not published here yet");
        let sessions = gauge("parlance_sessions", "Sessions in memory: those used lately");
        let sockets = gauge("parlance_sockets", "Sockets that are told something");
        let reads_waiting = gauge("parlance_store_reads_waiting", "Reads that wait for their turn");
        let changes_waiting =
            gauge("parlance_store_changes_waiting", "Changes that wait for the writer");
        let memory = gauge("process_resident_memory_bytes", "Resident memory");
        gauge("process_start_time_seconds", "When the process began").set(started);
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let groups = counter("parlance_store_groups", "Transactions of the embedded store");
        let changes = counter("parlance_store_changes", "Changes made in those transactions");
        Self {
            registry,
            requests,
            connections,
            published,
            lag,
            sessions,
            sockets,
            reads_waiting,
            changes_waiting,
            groups,
            changes,
            memory,
            seen: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    /// Counts an answer that took this many seconds.
    pub fn answered(&self, response: &Response, seconds: f64) {
        let status = match response.status().as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        let labels = match response.extensions().get::<RouteName>() {
            Some(name) => Labels { face: name.face, route: name.route.clone(), status },
            None => Labels { face: "none", route: Cow::Borrowed("none"), status },
        };
        self.requests.get_or_create(&labels).observe(seconds);
    }

    /// A connection is open for as long as what this gives is kept.
    pub fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// The text for Prometheus, with these numbers in it. `memory` is in bytes.
    pub fn text(&self, vitals: &Vitals, memory: Option<i64>) -> Result<String, Error> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.published.set(vitals.published);
        self.lag.set((vitals.newest - vitals.published).max(0));
        self.sessions.set(number(vitals.sessions));
        self.sockets.set(number(vitals.sockets));
        self.reads_waiting.set(number(vitals.load.reads_waiting));
        self.changes_waiting.set(number(vitals.load.changes_waiting));
        self.memory.set(memory.unwrap_or(0));
        let told = [vitals.load.groups, vitals.load.changes];
        for ((counter, seen), now) in
            [&self.groups, &self.changes].into_iter().zip(&self.seen).zip(told)
        {
            let before = seen.fetch_max(now, Ordering::Relaxed);
            counter.inc_by(now.saturating_sub(before));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::{Metrics, RouteName, Vitals};
    use axum::body::Body;
    use axum::response::Response;

    fn answer(status: u16, route: Option<&'static str>) -> Response {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = axum::http::StatusCode::from_u16(status).expect("a status");
        if let Some(route) = route {
            answer.extensions_mut().insert(RouteName { face: "rocketchat", route: route.into() });
        }
        answer
    }

    #[test]
    fn an_answer_is_counted_once_under_its_route_and_class() {
        let metrics = Metrics::new(7);
        for (status, route) in
            [(200, Some("me")), (204, Some("me")), (503, Some("me")), (404, None)]
        {
            metrics.answered(&answer(status, route), 0.003);
        }
        let text = metrics.text(&Vitals::default(), None).expect("text");
        let count = |labels: &str, n: u64| {
            let line = format!("parlance_request_duration_seconds_count{{{labels}}} {n}\n");
            assert!(text.contains(&line), "{line} in {text}");
        };
        count("face=\"rocketchat\",route=\"me\",status=\"2xx\"", 2);
        count("face=\"rocketchat\",route=\"me\",status=\"5xx\"", 1);
        count("face=\"none\",route=\"none\",status=\"4xx\"", 1);
        assert_eq!(text.matches("_count{").count(), 3);
        assert!(
            text.contains(
                "_bucket{le=\"0.0025\",face=\"rocketchat\",route=\"me\",status=\"5xx\"} 0"
            )
        );
        assert!(
            text.contains(
                "_bucket{le=\"0.005\",face=\"rocketchat\",route=\"me\",status=\"5xx\"} 1"
            )
        );
        assert!(text.contains("process_start_time_seconds 7\n") && text.ends_with("# EOF\n"));
    }

    #[test]
    fn what_the_store_counts_only_rises() {
        let metrics = Metrics::new(0);
        let mut vitals = Vitals::default();
        for (groups, told) in [(3, 3), (5, 5), (4, 5), (9, 9)] {
            vitals.load.groups = groups;
            let text = metrics.text(&vitals, None).expect("text");
            assert!(text.contains(&format!("parlance_store_groups_total {told}\n")), "{text}");
        }
    }
}
