import type { FindingCode } from "../../../diagnosis/diagnose";
import { Example, HEALTHY, PULUMI_UP, withHub, withLeaf } from "./fixtures";

/** What the rules find about the servers themselves and their stores. */
export const SERVER_EXAMPLES = {
  "watcher-down": [
    {
      it: "a watcher whose process is gone",
      facts: { ...HEALTHY, watcher: { state: "gone" } },
      severity: "warning",
      cause: /the watcher does not run: .* wait for 30 to 80 s/,
      evidence: /its process is gone/,
      next: PULUMI_UP,
    },
    {
      it: "a watcher in a container of an engine that is away",
      facts: { ...HEALTHY, watcher: { state: "unreachable", said: "Docker engine ssh://hub.example: refused" } },
      severity: "warning",
      cause: /engine of the watcher's container cannot be asked/,
      evidence: /ssh:\/\/hub.example: refused/,
      next: /bring that engine back.*another engine\. Then run 'make up'/,
    },
  ],
  "watcher-stuck": [
    {
      it: "a watcher that is frozen",
      facts: { ...HEALTHY, watcher: { state: "frozen" } },
      severity: "warning",
      cause: /process was stopped \(frozen\)/,
      evidence: /in state 'stopped'/,
      next: PULUMI_UP,
    },
    {
      it: "a watcher that hangs",
      facts: { ...HEALTHY, watcher: { state: "silent", said: "timeout" } },
      severity: "warning",
      cause: /exists but does not answer/,
      evidence: /health page: timeout/,
      next: PULUMI_UP,
    },
    {
      it: "a watcher that is behind while the hub answers others",
      facts: { ...HEALTHY, watcher: { state: "behind", said: "no answer of the hub for 12 s" } },
      severity: "warning",
      cause: /the watcher is behind/,
      evidence: /no answer of the hub for 12 s/,
      next: PULUMI_UP,
    },
  ],
  "hub-down": [
    {
      it: "a hub that does not answer",
      facts: withHub({ unreachable: "nats://127.0.0.1:4222: CONNECTION_REFUSED", links: [] }),
      cause: /hub's server does not answer/,
      evidence: /4222: CONNECTION_REFUSED/,
      next: PULUMI_UP,
    },
  ],
  "hub-without-leader": [
    {
      it: "a hub of three of which one is left",
      facts: withHub({
        members: [
          { name: "hub-1", leader: "" },
          { name: "hub-2", unreachable: "nats://127.0.0.1:2: CONNECTION_REFUSED", process: "gone" },
          { name: "hub-3", unreachable: "nats://127.0.0.1:3: CONNECTION_REFUSED", process: "gone" },
        ],
      }),
      cause: /no leader: 1 of 3 answer/,
      evidence: /hub-1 answers and knows no leader; hub-2: .*REFUSED; its process is gone/,
      next: PULUMI_UP,
    },
  ],
  "hub-server-missing": [
    {
      it: "a hub of three that lacks one",
      severity: "warning" as const,
      facts: withHub({
        members: [
          { name: "hub-1", leader: "hub-1" },
          { name: "hub-2", leader: "hub-1" },
          { name: "hub-3", unreachable: "nats://127.0.0.1:3: CONNECTION_REFUSED", process: "gone" },
        ],
      }),
      cause: /hub-3 of the hub's 3 servers does not answer; if another one fails, collection stops/,
      evidence: /^hub-3: nats:/,
      next: PULUMI_UP,
    },
  ],
  "hub-route-refused": [
    {
      it: "a server that the others do not let in",
      severity: "warning" as const,
      facts: withHub({
        members: [
          { name: "hub-1", leader: "hub-1", troubles: ["JetStream: hub-3 is behind"] },
          { name: "hub-2", leader: "hub-1" },
          { name: "hub-3", leader: "", routes: 0 },
        ],
      }),
      cause: /hub-3 runs, but does not reach the others/,
      evidence: /^hub-3 has no route to another server/,
      next: /^run 'pulumi up', which repairs it/,
    },
  ],
  "account-missing-on-server": [
    {
      it: "a server that was not told of the site",
      facts: withHub({
        members: [
          { name: "hub-1", leader: "hub-1", hasAccount: true },
          { name: "hub-2", leader: "hub-1", hasAccount: false },
        ],
      }),
      cause: /hub-2 does not have the account OSLO/,
      evidence: /ACCOUNTZ of hub-2 has no OSLO/,
      next: PULUMI_UP,
    },
  ],
  "hub-replica-behind": [
    {
      it: "a copy that does not follow",
      severity: "warning" as const,
      facts: withHub({
        members: [{ name: "hub-1", leader: "hub-1", troubles: ["stream OSLO/EVENTS: hub-2 is behind"] }],
      }),
      cause: /a copy of a stream on a server of the hub is behind/,
      evidence: /hub-2 is behind/,
      next: /^wait while a large copy is built/,
    },
  ],
  "connections-used-up": [
    {
      it: "a site's server that takes no more, not even this program: it is not called down",
      facts: withLeaf({ unreachable: "nats://127.0.0.1:4223: maximum connections exceeded", links: [] }),
      cause: /the site's server accepts no more connections/,
      evidence: /4223: maximum connections exceeded/,
      next: PULUMI_UP,
    },
  ],
  "store-failed": [
    {
      it: "a hub whose JetStream switched itself off for a full disk: room first",
      facts: withHub({
        jetStream: "off in the server",
        storeFailure: "JetStream switched itself off: write 2.blk: no space left on device",
        room: { path: "/data/jetstream", bytes: 4096 },
      }),
      cause: /the hub's store failed .* stores nothing from any site/,
      evidence: /no space left on device; 4 KiB free on the file system of \/data\/jetstream/,
      next: /^free some space on the file system of \/data\/jetstream .* then run 'pulumi up', which restarts/,
    },
    {
      it: "a site whose stream could not write, with room again: the step that failed for it is not named too",
      facts: {
        ...withLeaf({ storeFailure: "JetStream stream 'OSLO > EVENTS' write error: no space left on device" }),
        failedSteps: ["oslo: it has a store that failed"],
      },
      cause: /the site's store failed .* applications are refused/,
      evidence: /write error: no space left/,
      next: /has free space and is writable, then run 'pulumi up', which restarts/,
    },
    {
      it: "a site with room again",
      facts: withLeaf({ storeFailure: "no space left on device", room: { path: "/data", bytes: 1e9 } }),
      cause: /the site's store failed/,
      evidence: /953\.7 MiB free/,
      next: /^run 'pulumi up', which restarts the server$/,
    },
  ],
  "disk-full": [
    {
      it: "a site without room, before its store fails",
      facts: withLeaf({ room: { path: "/data", bytes: 0 } }),
      cause: /the disk of the site's store is full/,
      evidence: /0 B free on the file system of \/data/,
      next: /^free some space on the file system of \/data/,
      severity: "warning",
    },
    {
      it: "a hub whose file system is read-only, with all the room that there is",
      facts: withHub({ room: { path: "/data", bytes: 1e12, isReadOnly: true } }),
      cause: /the disk of the hub's store is read-only/,
      evidence: /the file system of \/data is read-only/,
      next: /mount -o remount,rw "\$\(findmnt -n -o TARGET -T \/data\)"$/,
      severity: "warning",
    },
  ],
  "step-failed": [
    {
      it: "a step that failed and left the site down: the first reason first",
      facts: {
        ...withLeaf({ unreachable: "nats://127.0.0.1:4223: refused", links: [] }, { links: [] }),
        failedSteps: ["port 4223 is taken", "no streams"],
      },
      cause: /^port 4223 is taken$/,
      evidence: /4223: refused; also: no streams/,
      next: PULUMI_UP,
    },
    {
      it: "a step that failed although the servers are fine",
      facts: { ...HEALTHY, failedSteps: ["EVENTS belongs to stack prod"] },
      cause: /belongs to stack prod/,
      evidence: /step of this site in 'pulumi up' failed/,
      next: PULUMI_UP,
    },
  ],
  "site-down": [
    {
      it: "a server that ended at its start: with its reason, and what cures that",
      facts: withLeaf({
        unreachable: "nats://127.0.0.1:4223: CONNECTION_REFUSED",
        process: "gone",
        ended: { said: "[FTL] Can't start JetStream: storage directory is not writable", cure: "mount it writable" },
        links: [],
      }),
      cause: /the site's server does not answer/,
      evidence: /its process is gone: \[FTL\] Can't start JetStream: storage directory is not writable/,
      next: /^mount it writable, then run 'pulumi up', or declare/,
    },
    {
      it: "a site that does not answer, with its last error",
      facts: withLeaf({ unreachable: "nats://127.0.0.1:4223: refused", links: [], errors: ["disk full"] }),
      cause: /site's server does not answer/,
      evidence: /4223: refused; the site logs: disk full/,
      next: /expect: offline/,
    },
  ],
} satisfies Partial<Record<FindingCode, Example[]>>;
