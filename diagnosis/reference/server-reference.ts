import type { Reference } from "../engine/finding";

/** What findings mean that are about the servers themselves: their stores, their processes, whom they let in. */

const UP = "`up` repairs it";

export const SERVER_FINDINGS = {
  "connections-used-up": {
    cause: "the site's server, or its account there, takes no more connections: applications are refused",
    shows: "a login with the key of the site's applications, which publishes nothing, is refused for that",
    cure: "close connections that are not needed; a limit that was set by hand goes with `up`",
  },
  "application-refused": {
    cause: "the site's server refuses the key of the applications, or forbids it subjects of the site's streams",
    shows: "a login with that key, and what the server says of its rights",
    cure: UP,
  },
  "payload-lowered": {
    cause: "the site, or its account there, takes smaller messages than declared: applications are refused",
    shows: "`max_payload` as the server tells it to the key of the applications",
    cure: UP,
  },
  "server-frozen": {
    cause: "the server of the hub or of the site does not answer, for its process was stopped (frozen)",
    shows: "the process is there in the state 'stopped' (SIGSTOP, a debugger), or its container is paused",
    cure: "`up` lets it go on",
  },
  "store-failed": {
    cause:
      "the store of the hub or of the site failed, mostly for a full disk or one that became read-only: it takes nothing more until its server is restarted",
    shows:
      "the server's HEALTHZ tells a stream that cannot write, or a JetStream that switched itself off; with what its log says (also of a write that failed and no message has met yet) and the room on its disk",
    cure: "make room where its store lies, or make it writable, then `up`, which restarts the server; without that `up` leaves it as it is and says so",
  },
} satisfies Record<string, Reference>;
