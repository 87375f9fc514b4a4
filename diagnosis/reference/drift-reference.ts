import type { Reference } from "../engine/finding";

/** The findings that compare whole configurations; the others are in reference.ts. */

export const UP = "`up` repairs it";
export const PUT_BACK =
  "`up` restores it; add `DOUBLE=…` if the hub's stream would store messages a second time (`up` says how many)";

export const CONFIG_DRIFT = {
  "config-altered": {
    severity: "warning",
    cause:
      "someone changed the configuration of the hub or of the site: limits, users, permissions, mappings, exports, imports, or anything else that this program wrote",
    shows:
      "the doctor only: it compares the file with a copy of what was written and names each difference, with seeds and passwords hidden; and it compares the digest of what the server runs",
    cure: UP,
  },
} satisfies Record<string, Reference>;

export const STREAM_DRIFT = {
  "site-stream-altered": {
    cause:
      "the site's stream is not as declared: someone edited or recreated it. The evidence names every field; if messages are lost, refused or misplaced, the cause says how",
    shows:
      "every field of the stream's configuration, even those that this program never sets, compared with the declaration and the server's defaults. A warning if messages are not affected",
    cure: "`up` restores it. Add `DISCARD=…` if a restored limit drops messages. Add `REMAKE=…` for what JetStream never turns off again (`sealed`, `deny_delete`, `deny_purge`, `allow_msg_ttl`, `allow_msg_schedules`) or never changes (`storage`, `persist_mode`, a work queue, a mirror): the stream is then recreated. The finding names each with its cost",
  },
  "hub-stream-altered": {
    cause:
      "the hub's stream is not as declared: someone edited a field, or added a source that is not declared, such as a second one for the same site",
    shows: "like `site-stream-altered`; and each source that is not declared",
    cure: "`up` restores it and removes undeclared sources; add `DISCARD=…` or `REMAKE=…` as for `site-stream-altered`. Messages that an undeclared source brought stay",
  },
  "hub-deduplicates": {
    severity: "warning",
    cause:
      "the hub's stream has a `duplicate_window` beside its sources: equal `Nats-Msg-Id`s of two sites, or of one site after an outage, meet there, and the second message is silently dropped",
    shows:
      "the stream's configuration, in a fleet that this program did not deploy; in its own fleets this is part of `hub-stream-altered`",
    cure: "set it to 0 on the hub's stream (`nats stream edit`)",
  },
} satisfies Record<string, Reference>;
