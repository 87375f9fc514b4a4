import { Reference, warnings } from "../engine/finding";
import { CONFIG_DRIFT, PUT_BACK, STREAM_DRIFT, UP } from "./drift-reference";
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
      "a step of this site failed: a port in use, a full disk, another program's stream; the cause quotes the step's error",
    shows: "the step's own error, kept since the last proof",
    cure: "fix what it names, then `up`",
  },
  "site-down": {
    cause: "the site's server does not answer",
    shows: "its client port refuses the connection, or nothing comes in time; with the site's last error",
    cure: `${UP}, or declare the site \`expect: offline\``,
  },
  "seed-in-credentials": {
    cause:
      "the nkey seed is in the leaf remote's `credentials` (nats-server issue 6723), inline or as a file that holds a bare seed",
    shows: "the site's configuration file; the link never comes up, and every health endpoint stays green",
    cure: `${UP}; the server may have logged the seed, so raise the site's \`rotation\` too`,
  },
  "credentials-not-nkey": {
    cause: "the leaf remote uses a credentials file, and the hub knows the site by its nkey",
    shows: "the site's configuration file",
    cure: UP,
  },
  "wrong-key": {
    cause: "the key in the leaf remote is missing, or is not the one that the hub was given",
    shows: "the site's configuration file, while the hub has no link of the site",
    cure: `${UP}; if a key was given by hand, check that it is the same at both ends`,
  },
  "wrong-account-on-hub": {
    cause: "the hub put the link in the wrong account: the key is in another account, or `no_auth_user` let it in",
    shows: "the hub's `/leafz`: name and account of each link. The site cannot see it",
    cure: UP,
  },
  "wrong-account-at-site": {
    cause: "the site bound the link to another account of its own, mostly `$G` because the remote names none",
    shows: "the site's `/leafz`, or its configuration file while there is no link",
    cure: UP,
  },
  "link-limit": {
    cause: "the hub, or the site's account on it, accepts no more connections",
    shows: "the site logs `maximum … connections exceeded`; the hub has no link of the site",
    cure: "raise the limit, or close connections; `up` restores what the program declares",
  },
  "key-refused": {
    cause:
      "the hub refuses the site's declared key: no account has it, its user may not open leaf connections, or a `leafnodes.authorization` block shadows the accounts",
    shows: "the site logs an authorization error; the hub has no link of the site",
    cure: UP,
  },
  "link-down": {
    cause: "the link is not up, for a reason other than the key: address, port, TLS, network",
    shows:
      "the hub's `/leafz` has no link of the site; the evidence adds the address that the site dials and its last error",
    cure: "check that the site can reach the hub's leafnode port, then `up`",
  },
  "link-doubled": {
    cause: "other servers are linked under the name of this site, or into its account: mostly a cloned machine",
    shows:
      "the hub's `/leafz` has more than one link there; under one name each closes the other's link, and the site logs `Duplicate Remote LeafNode Connection`",
    cure: "stop the copy, or give it a key and an account of its own; `up` restores what was changed on the hub by hand",
  },
  "link-stale": {
    cause: "the link is up at both ends, but the network drops what one of them sends",
    shows:
      "a request from the hub goes unanswered, and meanwhile one end counts messages as sent that the other never counts as received; the servers notice only after minutes",
    cure: "check the network between them (firewall, NAT, a path that drops silently); then kill the site's server, and `up`, which starts it again with a new link",
  },
  "jetstream-off": {
    cause: "JetStream is off, in a server or in an account that needs it",
    shows: "the servers' JSZ and ACCOUNTZ",
    cure: UP,
  },
  "equal-domains": {
    cause: "site and hub have the same JetStream domain",
    shows: "the domains that the two servers report",
    cure: UP,
  },
  "wrong-domain": {
    cause: "the site's JetStream domain is not its name, or it has none",
    shows: "the domain that the site's server reports, and the one that the hub asks",
    cure: UP,
  },
  "remote-denies": {
    cause: "`deny_imports` or `deny_exports` in the leaf remote blocks what sourcing needs",
    shows: "the site's configuration file",
    cure: UP,
  },
  "payload-limits": {
    cause: "the hub, or the site's account on it, accepts smaller messages than the site: a larger one breaks the link",
    shows: "`max_payload` of both servers; or the burst stops and the site logs `Maximum Payload Violation`",
    cure: "set the same `maxPayload` at both ends; `up` restores what the program declares",
  },
  ...CONFIG_DRIFT,
} satisfies Record<string, Reference>;

/** From the stream to the hub: what the link carries, streams, sources, messages. */
export const STREAM_FINDINGS = {
  "export-missing": {
    cause: "the site's account does not export, or the account HUB does not import, what a merged stream needs",
    shows: "the exports and imports that the hub's ACCOUNTZ reports; each missing one is named",
    cure: UP,
  },
  "requests-blocked": {
    cause: "the link does not carry the source's requests to the site: the link key may not subscribe to them",
    shows: "the hub's `/leafz` lists what the site may receive, and the request is not on the list",
    cure: UP,
  },
  "replies-blocked": {
    cause: "the site's answers to the source's requests do not reach the hub: the link key may not publish them",
    shows: "a request like the source's own reaches the site and gets no answer",
    cure: UP,
  },
  "stream-missing-at-site": {
    cause: "the site's stream is gone",
    shows: "the site's JetStream says that there is none",
    cure: "`up` recreates it, empty",
  },
  "stream-missing-on-hub": {
    cause: "the hub's stream is gone",
    shows: "the hub's JetStream says that there is none",
    cure: "`up` recreates it, and the site delivers what it still holds",
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
      "the hub's source was changed by hand: a filter holds messages back, or missing transforms put them under other subjects",
    shows: "filter, transforms and deliver prefix of the source",
    cure: PUT_BACK,
  },
  "hub-full": {
    cause:
      "the hub's stream, or its account, is full: it accepts nothing more, or has no room for the next message that waits at the site",
    shows:
      "bytes or messages held and the limit that they reached; the size of the next message and how many bytes of room are missing for it",
    cure: "raise `collect.maxBytes` by at least what is missing, or let the stream discard old messages, then `up`; `up` alone restores what was lowered by hand",
  },
  "flow-control-blocked": {
    cause: "`$JS.FC.>` does not reach the site: small messages pass, but sourcing stalls after about 2 MB",
    shows:
      "the hub's `/leafz` lists nothing of `$JS.FC` that the site takes; or error 10228; or the burst stops on its way",
    cure: UP,
  },
  ...STREAM_DRIFT,
  "site-store-rolled-back": {
    cause: "the site lost messages that it had acknowledged: the hub is ahead, and skips the next ones silently",
    shows:
      "the hub took a higher sequence than the last one at the site, and the site's stream was not recreated; or, once the site has stored as much again, sequences that the hub took before the site's server started hold messages that are newer than that start",
    cure: "`make repair SITE=…` moves the site's stream past the hub's position. It first shows what was lost, delivers what was skipped if you want that, and loses nothing that comes after. Keep `syncInterval: always`",
  },
  backlog: {
    cause: "the hub is still catching up with what the site stored while there was no link; the probes wait their turn",
    shows: "the source is active and has taken messages, and others wait ahead of the probes",
    cure: "wait until it has caught up, then `up`",
  },
  "delivery-blocked": {
    cause: "the site answers the source and sends messages, but none arrive: the link key may not publish them",
    shows:
      "the source's consumer exists at the site, but the site's `/leafz` shows no subject that it may deliver to; or the consumer sent messages that the hub never took",
    cure: UP,
  },
  "source-waiting": {
    cause: "the source does not run yet: the server waits up to 2.5 minutes before it retries on its own",
    shows:
      "the source was silent for a short while, and every step before it is good. A warning; an error if probes were sent",
    cure: "wait, or `up`, which starts it immediately",
  },
  "source-paused": {
    cause:
      "someone paused the consumer that the hub's source has at the site: nothing is delivered until the pause ends",
    shows: "`paused` and `pause_remaining` of the source's consumer at the site",
    cure: "`make repair SITE=… STREAM=…`: it gives the source another consumer",
  },
  "source-at-rest": {
    cause: "probes passed through a probe stream, but the stream's own source takes none of the messages that wait",
    shows: "the source's position before and after the probes, and a message at the site beyond that position",
    cure: "`make repair SITE=… STREAM=…`: it restarts the source",
  },
  "source-silent": {
    cause: "the hub never heard from the site's stream, or lost contact with it",
    shows: "the source was silent for longer than the server ever waits, and every step before it is good",
    cure: "`up` restarts the source",
  },
  "probes-doubled": {
    cause: "the hub stores messages twice",
    shows: "probes are twice in the hub's stream",
    cure: "look for a second way into the hub's stream: subjects of its own, or a second source",
  },
  "probe-failed": {
    cause: "probes could not be sent or read; the cause quotes the server's error",
    shows: "the error of the server or the client",
    cure: "fix what it names, then `up`",
  },
  unknown: {
    cause: "probes did not arrive, and no rule fits",
    shows:
      "every step of the path in order, each good, bad or unknown, with what was seen; the last good step and the first bad one are named",
    cure: "look at the first step that is not good, read both logs, `up` again",
  },
} satisfies Record<string, Reference>;

export const ISOLATION_FINDINGS = {
  "isolation-broken": {
    cause:
      "an attack succeeded: a site reached another one's data or JetStream, or a login that must be refused was accepted",
    shows: "the attack, and what answered",
    cure: "`up` repairs accounts, permissions and users; find out who changed them",
  },
} satisfies Record<string, Reference>;

/** Sourcing works, but something was lost, or applications are refused. */
export const WARNINGS = warnings({
  "hub-store-lost": {
    cause: "the hub lost its stream and has a new one; the site delivered again what it still holds",
    shows: "the stream's creation time is not the one of the last proof",
    cure: "compare with a backup: `make restore FROM=…` [brings back what it has](backup.md), and the next `make up` proves the sites",
  },
  "hub-store-rolled-back": {
    cause: "the hub's stream went back in time; the site delivered again what it still holds",
    shows: "its last sequence is lower than at the last proof",
    cure: "compare with a backup; keep `syncInterval: always`",
  },
  "site-store-lost": {
    cause: "the site lost its stream and has a new one; messages that the old stream had not delivered are gone",
    shows:
      "the stream's creation time is not the one of the last proof, or is later than the last message that the hub took from it",
    cure: "nothing: the hub reads the new stream from its beginning within half a minute. Find out what removed the old one",
  },
  "disk-full": {
    cause: "the disk of the hub's or the site's store is full or read-only: the next messages make the store fail",
    shows: "less than 8 MiB free on its file system, or one that is read-only, where this machine can see it",
    cure: "free some space on the disk of the store, or make it writable",
  },
  "watcher-down": {
    cause: "the watcher that the settings deploy does not run: sources wait long after an outage of their link",
    shows: "its process is gone, or the engine of its container cannot be asked",
    cure: "`up` starts it, once the engine of its container is back or the hub's server there has another one; `.fleet/<stack>/watcher/watcher.log`, or `docker logs` of its container, has what it said last",
  },
  "watcher-stuck": {
    cause: "the watcher runs but does not watch: its process was stopped (frozen), hangs, or gets no answer of the hub",
    shows: "the state of its process; its health page, which does not answer, or says for how long the hub did not",
    cure: "`up` restarts it",
  },
  "probe-subjects-used": {
    cause: "messages that this program did not publish are on the subjects that are reserved for its probes",
    shows:
      "they do not have the program's mark. They are kept at both ends; only messages that are shown to be probes are removed",
    cure: "read them; if they are not needed, purge their subjects as operator at the site and on the hub",
  },
  "site-full": {
    cause: "the site's stream, or its account, is full and refuses what applications publish",
    shows: "bytes or messages held and the limit that they reached",
    cure: "raise the limit in the settings, shorten `maxAge`, or let the stream discard old messages, then `up`; `up` alone restores what was lowered by hand",
  },
});

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
