import { CONFIG_DRIFT, PUT_BACK, Reference, STREAM_DRIFT, UP } from "./drift-reference";
import { SERVER_FINDINGS } from "./server-reference";
import { BOOK_FINDINGS } from "./book-reference";

/** What each finding means: the source of docs/findings.md, and of the type of codes. */

export type { Reference };
export { DOCTOR_FINDINGS, type DoctorCode } from "./doctor-reference";

/** On the way to the site: servers, keys, the link, accounts, domains. */
export const SITE_FINDINGS = {
  ...SERVER_FINDINGS,
  "hub-down": {
    cause: "the hub's server does not answer",
    shows: "its client port refuses the connection, or nothing comes in time",
    cure: `${UP}; if it dies again, its log is in \`.fleet/<stack>/hub\``,
  },
  "step-failed": {
    cause:
      "a step of this site failed: a taken port, a full folder, somebody else's stream; the cause is in its own words",
    shows: "the step's own error, kept since the last proof",
    cure: "cure what it names, then `up`",
  },
  "site-down": {
    cause: "the site's server does not answer",
    shows: "its client port refuses the connection, or nothing comes in time; with the site's last error",
    cure: `${UP}, or declare the site \`expect: offline\``,
  },
  "seed-in-credentials": {
    cause:
      "the nkey seed stands in the leaf remote's `credentials` (nats-server issue 6723), inline or as a file that holds a bare seed",
    shows: "the site's configuration file; the link never comes up, and every health endpoint stays green",
    cure: `${UP}; the server may have logged the seed, so raise the site's \`rotation\` too`,
  },
  "credentials-not-nkey": {
    cause: "the leaf remote uses a credentials file, and the hub knows the site by its nkey",
    shows: "the site's configuration file",
    cure: UP,
  },
  "wrong-key": {
    cause: "the key in the leaf remote is not the one that the hub was given, or there is none",
    shows: "the site's configuration file, while the hub has no link of the site",
    cure: `${UP}; after a key was given by hand, check that it is the same at both ends`,
  },
  "wrong-account-on-hub": {
    cause:
      "the hub put the link in another account than the site's: the key stands in the wrong account, or `no_auth_user` let it in",
    shows: "the hub's `/leafz`: name and account of each link. The site cannot see it",
    cure: UP,
  },
  "wrong-account-at-site": {
    cause: "the site bound the link to another account of its own, mostly `$G` because the remote names none",
    shows: "the site's `/leafz`, or its configuration file while no link stands",
    cure: UP,
  },
  "link-limit": {
    cause: "the hub, or the site's account on it, takes no more connections",
    shows: "the site logs `maximum … connections exceeded`; the hub has no link of it",
    cure: "raise the limit, or close what holds the connections; `up` restores what the program declares",
  },
  "key-refused": {
    cause:
      "the hub refuses the site's declared key: no account has it, its user may not open leaf connections, or a `leafnodes.authorization` block shadows the accounts",
    shows: "the site logs an authorization error; the hub has no link of it",
    cure: UP,
  },
  "link-down": {
    cause: "the link is not up, for another reason than the key: address, port, TLS, network",
    shows: "the hub's `/leafz` has no link of the site; with the address that it dials and its last error",
    cure: "check that the site can reach the hub's leafnode port, then `up`",
  },
  "link-doubled": {
    cause: "other servers are linked under the name of this site, or into its account: mostly a cloned machine",
    shows:
      "the hub's `/leafz` has more than one link there; under one name the two push each other out, and the site logs `Duplicate Remote LeafNode Connection`",
    cure: "stop the copy, or give it a key and an account of its own; `up` puts back what was changed on the hub by hand",
  },
  "link-stale": {
    cause: "the link stands at both ends, but the network swallows what one of them sends",
    shows:
      "a request of the hub goes unanswered, and meanwhile one end counts messages sent that the other never counts as received; the servers notice after minutes",
    cure: "look at the network between them (firewall, NAT, a path that drops silently); then end the site's server, and `up`, which starts it and links it anew",
  },
  "jetstream-off": {
    cause: "JetStream is off, in a server or in an account that needs it",
    shows: "the servers' JSZ and ACCOUNTZ",
    cure: UP,
  },
  "equal-domains": {
    cause: "site and hub have the same JetStream domain",
    shows: "the domains that the two servers tell",
    cure: UP,
  },
  "wrong-domain": {
    cause: "the site's JetStream domain is not its name, or it has none",
    shows: "the domain that the site's server tells, and the one that the hub asks",
    cure: UP,
  },
  "remote-denies": {
    cause: "`deny_imports` or `deny_exports` in the leaf remote stops what sourcing needs",
    shows: "the site's configuration file",
    cure: UP,
  },
  "payload-limits": {
    cause: "the hub, or the site's account on it, takes smaller messages than the site: a larger one breaks the link",
    shows: "`max_payload` of both servers; or the burst stops and the site logs `Maximum Payload Violation`",
    cure: "the same `maxPayload` at both ends; `up` restores what the program declares",
  },
  ...CONFIG_DRIFT,
} satisfies Record<string, Reference>;

/** From the stream to the hub: what the link carries, streams, sources, messages. */
export const STREAM_FINDINGS = {
  "export-missing": {
    cause: "the site's account does not export, or the account HUB does not import, what a merged stream needs",
    shows: "the exports and imports that the hub's ACCOUNTZ tells; each missing one is named",
    cure: UP,
  },
  "requests-blocked": {
    cause: "the link does not carry the source's requests to the site: the link key may not subscribe to them",
    shows: "the hub's `/leafz` lists what the site may be sent, and the request is not among it",
    cure: UP,
  },
  "replies-blocked": {
    cause: "the site's answers to the source's requests do not come back: the link key may not publish them",
    shows: "a request like the source's own reaches the site and stays unanswered",
    cure: UP,
  },
  "stream-missing-at-site": {
    cause: "the site's stream is gone",
    shows: "the site's JetStream says that there is none",
    cure: "`up` makes it again, empty",
  },
  "stream-missing-on-hub": {
    cause: "the hub's stream is gone",
    shows: "the hub's JetStream says that there is none",
    cure: "`up` makes it again, and the site delivers what it still holds",
  },
  "source-missing": {
    cause: "the hub's stream does not source the site",
    shows: "the stream's sources",
    cure: PUT_BACK,
  },
  "source-wrong-api": {
    cause: "the hub's source asks another domain than the site's, or the hub itself",
    shows: "`external.api` of the source",
    cure: PUT_BACK,
  },
  "source-wrong-stream": {
    cause: "the hub's source names a stream that is not the site's",
    shows: "the source's name",
    cure: PUT_BACK,
  },
  "source-altered": {
    cause:
      "the hub's source was changed by hand: a filter keeps messages back, or without its transforms they land under other subjects",
    shows: "filter, transforms and deliver prefix of the source",
    cure: PUT_BACK,
  },
  "hub-full": {
    cause:
      "the hub's stream, or its account, is full: it takes nothing more, or not the next message that waits at the site",
    shows:
      "bytes or messages held and the limit that they reached; the size of the next message and how many bytes of room are missing for it",
    cure: "raise `collect.maxBytes` by what is missing or more, or let the stream discard old messages, then `up`; `up` alone puts back what was lowered by hand",
  },
  "flow-control-blocked": {
    cause: "`$JS.FC.>` does not reach the site: small messages pass, and after about 2 MB sourcing stalls",
    shows:
      "the hub's `/leafz` lists nothing of `$JS.FC` that the site takes; or error 10228; or the burst stops on its way",
    cure: UP,
  },
  ...STREAM_DRIFT,
  "site-store-rolled-back": {
    cause: "the site lost messages that it had acknowledged: the hub is ahead, and skips the next ones silently",
    shows:
      "the sequence that the hub took is higher than the last one at the site, and the site's stream is the old one; or, once the site has stored as much again, messages that are younger than the start of its server stand on sequences that the hub took before it",
    cure: "`make repair SITE=…` moves the site's stream past the hub's position: it says first what was lost, delivers what was skipped if you like, and loses nothing that comes after; keep `syncInterval: always`",
  },
  backlog: {
    cause: "the hub is still catching up with what the site stored while they were apart; the probes wait their turn",
    shows: "the source is heard and has taken messages, and others wait before the probes",
    cure: "wait until it has caught up, then `up`",
  },
  "delivery-blocked": {
    cause: "the site answers the source and sends, and nothing of it arrives: the link key may not publish it",
    shows:
      "the source's consumer stands at the site, and the site's `/leafz` shows nothing that it may deliver to; or it sent messages that the hub never took",
    cure: UP,
  },
  "source-waiting": {
    cause: "the source does not run yet: the server waits before it tries again, by itself, for up to 2.5 minutes",
    shows:
      "it was not heard for a short while, and everything before it is good. A warning; an error when probes were sent",
    cure: "wait, or `up`, which starts it at once",
  },
  "source-paused": {
    cause:
      "somebody paused the consumer that the hub's source has at the site: nothing is delivered until the pause ends",
    shows: "`paused` and `pause_remaining` of the source's consumer at the site",
    cure: "`make repair SITE=… STREAM=…`: it gives the source another consumer",
  },
  "source-at-rest": {
    cause: "probes passed through a probe stream, and the stream's own source takes nothing of the messages that wait",
    shows: "the source's position before and after the probes, and a message at the site behind it",
    cure: "`make repair SITE=… STREAM=…`: it starts the source anew",
  },
  "source-silent": {
    cause: "the hub never heard from the site's stream, or lost it and has not found it again",
    shows: "the source was not heard for longer than the server ever waits, and everything before it is good",
    cure: "`up` starts the source anew",
  },
  "probes-doubled": {
    cause: "the hub stores messages twice",
    shows: "probes stand twice in the hub's stream",
    cure: "look for a second way into the hub's stream: subjects of its own, a second source",
  },
  "probe-failed": {
    cause: "probes could not be sent or read; the cause is in the server's own words",
    shows: "the error of the server or the client",
    cure: "cure what it names, then `up`",
  },
  unknown: {
    cause: "probes did not arrive, and no rule fits",
    shows:
      "every step of the way, in its order, as good, bad or unknown with what was seen; the last good step and the first bad one are named",
    cure: "look at the first step that is not good, read both logs, `up` again",
  },
} satisfies Record<string, Reference>;

export const ISOLATION_FINDINGS = {
  "isolation-broken": {
    cause:
      "an attack succeeded: a site reached another one's data or JetStream, or a login that must be refused was let in",
    shows: "the attack, and what answered",
    cure: "`up` repairs accounts, permissions and users; look for who changed them",
  },
} satisfies Record<string, Reference>;

/** Sourcing works, but something was lost, or applications are refused. */
export const WARNINGS = {
  "hub-store-lost": {
    cause: "the hub lost its stream and has a new one; the site delivered again what it still holds",
    shows: "the stream's time of creation is not that of the last proof",
    cure: "compare with a backup",
  },
  "hub-store-rolled-back": {
    cause: "the hub's stream went back in time; the site delivered again what it still holds",
    shows: "its last sequence is lower than at the last proof",
    cure: "compare with a backup; keep `syncInterval: always`",
  },
  "site-store-lost": {
    cause: "the site lost its stream and has a new one; what it had not delivered is gone",
    shows:
      "the stream's time of creation is not that of the last proof, or later than the last message that the hub took of it",
    cure: "nothing: the hub starts at the new stream's beginning within half a minute. Look for what removed the old one",
  },
  "disk-full": {
    cause: "the disk of the hub's or the site's store is full or read-only: the next messages make the store fail",
    shows: "less than 8 MiB free on its file system, or one that is read-only, where this machine can see it",
    cure: "make room where its store lies, or make it writable",
  },
  "probe-subjects-used": {
    cause: "messages that this program did not make stand on the subjects that are kept for its probes",
    shows: "their mark is not the program's. They are kept, on both ends; only what is shown to be a probe is removed",
    cure: "read them; when nobody needs them, purge their subjects as operator at the site and on the hub",
  },
  "site-full": {
    cause: "the site's stream, or its account, is full and refuses what applications publish",
    shows: "bytes or messages held and the limit that they reached",
    cure: "raise the limit in the settings, shorten `maxAge`, or let the stream discard old messages, then `up`; `up` alone puts back what was lowered by hand",
  },
} satisfies Record<string, Reference>;

export type FindingCode =
  | keyof typeof SITE_FINDINGS
  | keyof typeof STREAM_FINDINGS
  | keyof typeof ISOLATION_FINDINGS
  | keyof typeof WARNINGS
  | keyof typeof BOOK_FINDINGS;

export const FINDINGS: Record<FindingCode, Reference> = {
  ...SITE_FINDINGS,
  ...STREAM_FINDINGS,
  ...ISOLATION_FINDINGS,
  ...WARNINGS,
  ...BOOK_FINDINGS,
};
