import { formatSize } from "../configs/text/units";
import { ServerFacts } from "./facts/facts";
import { SiteRule } from "./facts/finding";

/** Rules about the stores of the two servers: a write that failed stops a store until its server is restarted. */

/** What a store needs to go on for a while; a proof with its burst takes about 3 MB at each end. */
export const LEAST_ROOM = 8 * 1024 * 1024;

type Room = NonNullable<ServerFacts["room"]>;

/** Whether the file system of a store takes nothing more: it is full or read-only. */
export const takesNothing = (room: Room | undefined): room is Room =>
  room !== undefined && (room.isReadOnly === true || room.bytes < LEAST_ROOM);

export const shownRoom = ({ path, bytes, isReadOnly }: Room): string =>
  isReadOnly === true
    ? `the file system of ${path} is read-only`
    : `${formatSize(bytes)} free on the file system of ${path}`;

/** How to make a file system writable again that became read-only, mostly because of a disk error. */
export const makeWritable = (path: string): string =>
  `find out why the file system is read-only (dmesg), then make it writable: mount -o remount,rw "$(findmnt -n -o TARGET -T ${path})"`;

const makeRoom = ({ path, isReadOnly }: Room): string =>
  isReadOnly === true
    ? makeWritable(path)
    : `free some space on the file system of ${path} (${formatSize(LEAST_ROOM)} or more)`;

/**
 * The cure of a store that failed. `up` restarts the server only if its store is writable; otherwise the store would
 * fail again.
 */
export const failedStoreCure = (room: Room | undefined): string =>
  room === undefined
    ? "make sure that the disk of its store has free space and is writable, then run 'pulumi up', which restarts the server"
    : takesNothing(room)
      ? `${makeRoom(room)}, then run 'pulumi up', which restarts the server`
      : "run 'pulumi up', which restarts the server";

const ends = ({ hub, leaf }: { hub: ServerFacts; leaf: ServerFacts }) =>
  [
    { where: "the hub", server: hub },
    { where: "the site", server: leaf },
  ] as const;

/** The effect on the people who use it. */
const EFFECT = {
  "the hub": "it stores nothing from any site",
  "the site": "applications are refused or get no acknowledgement",
};

export const STORE_RULES: readonly SiteRule[] = [
  {
    code: "store-failed",
    by: "seen",
    find(facts) {
      const failed = ends(facts).find(({ server }) => server.storeFailure !== undefined);
      if (failed === undefined) return undefined;
      const { where, server } = failed;
      const room = server.room === undefined ? "" : `; ${shownRoom(server.room)}`;
      return {
        ...(where === "the site" ? { symptom: "applications cannot publish" } : {}),
        cause: `${where}'s store failed and stores nothing more until its server is restarted: ${EFFECT[where]}`,
        evidence: `${where}: ${server.storeFailure ?? ""}${room}`,
        next: failedStoreCure(server.room),
      };
    },
  },
  {
    code: "disk-full",
    by: "seen",
    unless: ["store-failed"],
    find(facts) {
      const full = ends(facts).find(({ server }) => takesNothing(server.room));
      if (full?.server.room === undefined) return undefined;
      const state = full.server.room.isReadOnly === true ? "read-only" : "full";
      return {
        symptom: `the disk of ${full.where} is ${state}`,
        cause: `the disk of ${full.where}'s store is ${state}: the store fails at the next messages, and then ${EFFECT[full.where]}`,
        evidence: shownRoom(full.server.room),
        next: makeRoom(full.server.room),
      };
    },
  },
];
