//! The schema of what is kept warm, and what docs/API.md tells people of it.

use super::reference;
use super::schemas::{Field, maybe_time, maybe_whole, number, object, text, time, whole};
use serde_json::{Map, Value, json};

/// The parts that docs/API.md has a table of.
pub(crate) const WARM_PARTS: [(&str, &[Field]); 2] =
    [("endpoints", ENDPOINT), ("endpoints.today", TODAY)];

const ENDPOINT: &[Field] = &[
    ("backend", text, "The GPU backend."),
    (
        "class",
        text,
        "The GPU class: models that share containers.",
    ),
    ("in_flight", whole, "Runs under way, as the counters tell."),
    ("floor", whole, "Containers that are held."),
    (
        "window_seconds",
        number,
        "Seconds after its last use at which an idle container above the floor is released.",
    ),
    (
        "lease_until",
        maybe_time,
        "Until when floor and window hold; null where the backend has taken no lease.",
    ),
    (
        "max_containers",
        maybe_whole,
        "The most containers of the class; null until the backend has said so.",
    ),
    (
        "reason",
        text,
        "Why, in words, with the terms of the decision.",
    ),
    (
        "boot_seconds",
        number,
        "Seconds of a boot, as learnt from runs.",
    ),
    ("service_seconds", number, "Seconds of a run, likewise."),
    (
        "break_even_seconds",
        number,
        "Seconds of holding that cost as much as a miss (T*).",
    ),
    (
        "told_until",
        time,
        "What came later is not in these figures yet.",
    ),
    (
        "today",
        || reference("WarmDay"),
        "Figures of the day, see below.",
    ),
];

const TODAY: &[Field] = &[
    (
        "date",
        || json!({ "type": "string", "format": "date" }),
        "Which day, in UTC.",
    ),
    ("arrivals", whole, "Runs sent to the backend."),
    (
        "cold_starts",
        whole,
        "Runs for which a container had to boot.",
    ),
    (
        "cold_starts_avoided",
        whole,
        "Runs that took a container which the class's own window would have released.",
    ),
    (
        "idle_seconds",
        number,
        "Seconds in which containers were there without work.",
    ),
    ("idle_usd", number, "What those seconds cost."),
];

/// The schemas by name.
pub(super) fn all() -> Map<String, Value> {
    let settings = json!({
        "type": ["object", "null"], "description": "The settings in force; null where nothing is kept warm.",
        "required": ["value_usd", "idle_usd_per_day", "gpu_usd_per_hour", "max_floor"],
        "properties": {
            "value_usd": number(), "idle_usd_per_day": number(), "gpu_usd_per_hour": number(), "max_floor": whole(),
        },
    });
    let warm = json!({ "type": "object", "required": ["settings", "endpoints", "unreadable"], "properties": {
        "settings": settings,
        "endpoints": { "type": "array", "items": reference("WarmEndpoint") },
        "unreadable": {
            "type": "array", "items": text(), "description": "Keys of rows that this release cannot read.",
        },
    }});
    [
        ("Warm", warm),
        ("WarmEndpoint", object(ENDPOINT, ENDPOINT.len())),
        ("WarmDay", object(TODAY, TODAY.len())),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into_iter()
    .collect()
}
