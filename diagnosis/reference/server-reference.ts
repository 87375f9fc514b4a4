import type { Reference } from "../engine/finding";

/** Findings about the servers themselves: their stores, their processes, and who may log in. */

const UP = "`up` repairs it";

export const SERVER_FINDINGS = {
  "connections-used-up": {
    cause: "the site's server, or its account there, accepts no more connections: applications are refused",
    shows: "a test login with the key of the site's applications (it publishes nothing) is refused for this reason",
    cure: "close connections that are not needed; `up` removes a limit that was set by hand",
  },
  "application-refused": {
    cause:
      "the site's server refuses the key of the applications, or does not let it publish to subjects of the site's streams",
    shows: "a test login with that key, and what the server reports of its permissions",
    cure: UP,
  },
  "payload-lowered": {
    cause: "the site, or its account there, accepts smaller messages than declared: applications are refused",
    shows: "`max_payload` as the server reports it to the key of the applications",
    cure: UP,
  },
  "server-frozen": {
    cause: "the server of the hub or of the site does not answer because its process was stopped (frozen)",
    shows: "the process is in state 'stopped' (SIGSTOP, a debugger), or its container is paused",
    cure: "`up` resumes it",
  },
  "store-failed": {
    cause:
      "the store of the hub or of the site failed, mostly because a disk is full or became read-only: it stores nothing more until its server is restarted",
    shows:
      "the server's HEALTHZ reports a stream that cannot write, or that JetStream switched itself off; with what its log says (even of a failed write that has affected no message yet) and the free space on its disk",
    cure: "free some space on the disk of the store, or make it writable, then `up`, which restarts the server; until then `up` leaves the server as it is and says so",
  },
  "hub-without-leader": {
    cause: "more than half of the hub's servers do not run, or do not reach each other: the hub stores nothing",
    shows: "each server that answers reports in JSZ that JetStream has no leader, for longer than an election takes",
    cure: UP,
  },
  "hub-server-missing": {
    severity: "warning",
    cause: "a server of the hub does not answer; the others collect",
    shows: "its client port refuses the connection, or nothing comes in time, while another server of the hub answers",
    cure: UP,
  },
  "hub-route-refused": {
    severity: "warning",
    cause: "a server of the hub runs and does not reach the others: its routes are refused (another key), or cut",
    shows:
      "JSZ of that server reports no leader, and JSZ of another one reports one, for longer than an election takes",
    cure: `${UP}; if it does not, look at the firewall between the servers, and at the log of that server`,
  },
  "account-missing-on-server": {
    cause: "a server of the hub does not have the site's account: streams that it leads hear nothing of the site",
    shows: "ACCOUNTZ of each server of the hub",
    cure: UP,
  },
  "hub-replica-behind": {
    severity: "warning",
    cause: "a copy of a stream on a server of the hub is behind, or a stream has no leader",
    shows: "JSZ of the server that leads the stream, for longer than a copy needs after a restart",
    cure: "wait while a large copy is built; if it does not get further, look at the log and the disk of that server, then `up`, which restarts a server whose store failed",
  },
} satisfies Record<string, Reference>;
