import type { Reference } from "../engine/finding";

/** What the findings mean that compare whole configurations; the others are in reference.ts. */

export const UP = "`up` repairs it";
export const PUT_BACK =
  "`up` puts it back; with `DOUBLE=…` where the hub's stream would store messages a second time, in the number that is said";

export const CONFIG_DRIFT = {
  "config-altered": {
    severity: "warning",
    cause:
      "somebody changed the configuration of the hub or of the site: limits, users, permissions, mappings, exports, imports, whatever differs from what this program wrote",
    shows:
      "only the doctor: the file against a copy of what was written, each difference named with seeds and passwords hidden; and the digest of what the server runs",
    cure: UP,
  },
} satisfies Record<string, Reference>;

export const STREAM_DRIFT = {
  "site-stream-altered": {
    cause:
      "the site's stream is not as declared: somebody edited it, or made it anew. The evidence names every field; where it loses, refuses or misplaces messages, the cause says how",
    shows:
      "every field of the stream's configuration, also those that this program never sets, against the declared ones with what the server fills in. A warning when it does nothing to messages",
    cure: "`up` puts it back; with `DISCARD=…` where a limit that is put back drops messages; with `REMAKE=…` what JetStream never turns off again (`sealed`, `deny_delete`, `deny_purge`, `allow_msg_ttl`, `allow_msg_schedules`) or fixes for good (`storage`, `persist_mode`, a work queue, a mirror): the stream is made anew then. Each is named with what it costs",
  },
  "hub-stream-altered": {
    cause:
      "the hub's stream is not as declared: a field that somebody edited, or a source that nobody declares, such as a second one of the same site",
    shows: "like `site-stream-altered`; and each source that is not declared",
    cure: "`up` puts it back and takes undeclared sources off; with `DISCARD=…` or `REMAKE=…` as for `site-stream-altered`. What an undeclared source brought stays",
  },
  "hub-deduplicates": {
    severity: "warning",
    cause:
      "the hub's stream has a `duplicate_window` beside its sources: equal `Nats-Msg-Id`s of two sites, or of one site after an outage, meet there, and the second message is dropped without a word",
    shows:
      "the stream's configuration, in a fleet that this program did not deploy; in one of its own it is part of `hub-stream-altered`",
    cure: "set it to 0 on the hub's stream (`nats stream edit`)",
  },
} satisfies Record<string, Reference>;
