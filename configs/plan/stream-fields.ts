/** What nats-server 2.15 knows of a stream's configuration, measured by test/integration/stream-drift.test.ts. */

/** How the server handles a new value of a field; `onlyOn`: it can be turned on and never off again. */
type Change = "inPlace" | "onlyOn" | "fixed";

export interface StreamField {
  change: Change;
  /** What the server makes of a configuration that leaves the field out; undefined where it leaves it out too. */
  value?: unknown;
  /** What a value other than the declared one does to messages; absent for nothing. */
  harm?: string;
}

const LIMIT = -1;

/** Every field but name, sources and metadata. What is filled in for `duplicate_window` says `defaultWindow`. */
export const STREAM_FIELDS: Readonly<Record<string, StreamField>> = {
  description: { change: "inPlace", value: "" },
  subjects: { change: "inPlace", value: [], harm: "it stores other messages than declared" },
  retention: { change: "inPlace", value: "limits", harm: "messages are removed before the hub has them" },
  max_consumers: { change: "inPlace", value: LIMIT, harm: "further consumers are refused" },
  max_msgs: { change: "inPlace", value: LIMIT, harm: "messages beyond it are dropped or refused" },
  max_bytes: { change: "inPlace", value: LIMIT, harm: "it keeps another number of bytes than declared" },
  max_age: { change: "inPlace", value: 0, harm: "messages expire at another age than declared" },
  max_msgs_per_subject: { change: "inPlace", value: LIMIT, harm: "older messages of a subject are dropped" },
  max_msg_size: { change: "inPlace", value: LIMIT, harm: "larger messages are refused" },
  discard: { change: "inPlace", value: "old", harm: "a full stream does not behave as declared" },
  discard_new_per_subject: { change: "inPlace", value: false, harm: "messages of a full subject are refused" },
  storage: { change: "fixed", value: "file", harm: "a restart may lose everything" },
  num_replicas: { change: "inPlace", value: 1 },
  no_ack: { change: "inPlace", value: false, harm: "publishers get no acknowledgement" },
  duplicate_window: { change: "inPlace", value: 0, harm: "messages of equal Nats-Msg-Id within it are dropped" },
  placement: { change: "inPlace" },
  // The server would turn it into a plain stream; a source would not know where to continue: all messages would come twice.
  mirror: { change: "fixed", harm: "it stores only what it mirrors" },
  compression: { change: "inPlace", value: "none" },
  first_seq: { change: "inPlace", value: 0 },
  subject_transform: { change: "inPlace", harm: "messages are stored under other subjects" },
  republish: { change: "inPlace" },
  allow_direct: { change: "inPlace", value: false },
  mirror_direct: { change: "inPlace", value: false },
  sealed: { change: "onlyOn", value: false, harm: "it accepts no more messages" },
  deny_delete: { change: "onlyOn", value: false },
  deny_purge: { change: "onlyOn", value: false, harm: "probes stay in it" },
  allow_rollup_hdrs: { change: "inPlace", value: false, harm: "a publisher may drop earlier messages" },
  consumer_limits: { change: "inPlace", value: {}, harm: "consumers beyond them are refused" },
  allow_msg_ttl: { change: "onlyOn", value: false, harm: "a publisher may make messages expire" },
  subject_delete_marker_ttl: { change: "inPlace", value: 0, harm: "it stores messages of its own" },
  allow_msg_counter: { change: "fixed", value: false, harm: "other messages than counters are refused" },
  allow_atomic: { change: "inPlace", value: false },
  allow_batched: { change: "inPlace", value: false },
  allow_msg_schedules: { change: "onlyOn", value: false, harm: "a publisher may delay the storing of messages" },
  persist_mode: { change: "fixed", value: "default", harm: "acknowledged messages may not be on disk yet" },
};

/** What `up` sets, whatever a stream has. The rest of an adopted stream may stay as it was when it was adopted. */
export const DECLARED_FIELDS: readonly string[] = [
  "subjects",
  "retention",
  "max_bytes",
  "max_age",
  "discard",
  "storage",
  "num_replicas",
  "mirror",
  "sealed",
];

const TWO_MINUTES = 120e9;

/**
 * The default time within which the server drops a message with an equal id: none where it sources, because ids of
 * different sites, or of messages around an outage, may be equal.
 */
export const defaultWindow = ({ subjects, max_age: age }: { subjects?: readonly string[]; max_age: number }): number =>
  subjects === undefined ? 0 : age === 0 ? TWO_MINUTES : Math.min(age, TWO_MINUTES);
