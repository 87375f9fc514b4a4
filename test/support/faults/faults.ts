import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverFiles } from "../../../machine/folders";
import type { TestFleet, TestServer } from "../fleets/fleet";
import { killServer, pidOf, stopServer } from "../fleets/servers";
import { onSmallDisk, type SmallDisk, whyNoSmallDisk } from "../fleets/small-disk";
import { followerOf, leaderOf, metaLeaderOf } from "../fleets/three";
import type { Random } from "../soak/random";
import { until } from "../until";
import { Relays } from "./relays";

/** What happens to the servers of a hub of three. Each leaves all of them running, as `up` or time brings them back. */

export interface Stage {
  fleet: TestFleet;
  random: Random;
  /** The servers whose store has a small disk of its own. */
  disks: Map<string, SmallDisk>;
  /** `up`, as a person runs it: once more when it fails. */
  up: () => Promise<void>;
}

export interface Fault {
  words: string;
  /** What the fault needs before messages flow; what it returns is taken away after they were counted. */
  prepare?: (stage: Stage, server: TestServer) => Promise<AsyncDisposable | undefined>;
  /** The server that it strikes. */
  serverOf: (stage: Stage) => Promise<TestServer>;
  make: (stage: Stage, server: TestServer, prepared: AsyncDisposable | undefined) => Promise<unknown>;
}

/** For how long a server is away, frozen, or apart from the others. */
const AWAY_MS = 10_000;
const SMALL_DISK_BYTES = 512 * 1024 * 1024;

const siteOf = ({ fleet, random }: Stage): string => random.pick(fleet.settings.sites).name;

const ROLES: Readonly<Record<string, (stage: Stage) => Promise<TestServer>>> = {
  "the stream's leader": (stage) => leaderOf(stage.fleet, siteOf(stage)),
  "JetStream's leader": ({ fleet }) => metaLeaderOf(fleet),
  "a server that leads nothing": ({ fleet }) => followerOf(fleet),
};

const anyRole = (stage: Stage): Promise<TestServer> => stage.random.pick(Object.values(ROLES))(stage);

/** Sometimes `up` comes at once, sometimes long after the others elected a leader. */
const comesUp = async ({ up, random }: Stage): Promise<void> => {
  await sleep(random.between(0, AWAY_MS));
  await up();
};

const ENDS: Readonly<Record<string, (folder: string) => Promise<void>>> = { killed: killServer, stopped: stopServer };

const endsOfRoles = (): Fault[] =>
  Object.entries(ENDS).flatMap(([how, end]) =>
    Object.entries(ROLES).map(([role, serverOf]): Fault => ({
      words: `${role} is ${how}`,
      serverOf,
      make: async (stage, { folder }) => {
        await end(folder);
        await comesUp(stage);
      },
    })),
  );

async function freeze(_stage: Stage, { folder }: TestServer): Promise<void> {
  const pid = pidOf(folder);
  process.kill(pid, "SIGSTOP");
  await sleep(AWAY_MS).finally(() => process.kill(pid, "SIGCONT"));
}

/** A server apart from the others: in one of two ways. */
const apart = (words: string, part: (relays: Relays, server: TestServer, isApart: boolean) => void): Fault => ({
  words,
  serverOf: anyRole,
  prepare: ({ fleet }) => Relays.between(fleet),
  make: async (_stage, server, relays) => {
    part(relays as Relays, server, true);
    await sleep(AWAY_MS);
    part(relays as Relays, server, false);
  },
});

/** Both others of the server end at once, and perhaps lose more; for longer than one that is alone believes that it leads. */
const endTwo =
  (lose: (folder: string) => void) =>
  async (stage: Stage, { name }: TestServer): Promise<void> => {
    const two = stage.fleet.members.filter((member) => member.name !== name);
    await Promise.all(two.map(({ folder }) => stage.random.pick(Object.values(ENDS))(folder)));
    for (const { folder } of two) lose(folder);
    await sleep(AWAY_MS);
    await stage.up();
  };

/** What a new disk in the place of a lost one holds; the store may be a file system of its own. */
export function emptyStore(folder: string): void {
  const { store } = serverFiles(folder);
  for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true });
}

async function loseDisk({ up }: Stage, { folder }: TestServer): Promise<void> {
  await killServer(folder);
  emptyStore(folder);
  await up();
}

async function prepareDisk({ fleet, disks }: Stage, server: TestServer): Promise<undefined> {
  if (!disks.has(server.name)) disks.set(server.name, await onSmallDisk(fleet, server, SMALL_DISK_BYTES));
}

async function fillDisk({ up, disks }: Stage, { name }: TestServer): Promise<void> {
  disks.get(name)?.fill();
  await sleep(AWAY_MS);
  disks.get(name)?.makeRoom();
  await up();
}

export const FAULTS: readonly Fault[] = [
  ...endsOfRoles(),
  { words: "a server is frozen for 10 s", serverOf: anyRole, make: freeze },
  apart("a server's routes are cut for 10 s", (relays, server, isApart) => relays.cut(server, isApart)),
  apart("a server's routes let nothing through for 10 s", (relays, server, isApart) => relays.hold(server, isApart)),
  ...(whyNoSmallDisk() === undefined
    ? [{ words: "a server's disk is full for 10 s", serverOf: anyRole, prepare: prepareDisk, make: fillDisk }]
    : []),
  { words: "a server loses its disk", serverOf: anyRole, make: loseDisk },
  { words: "two of three are gone for 10 s", serverOf: anyRole, make: endTwo(() => undefined) },
  { words: "two of three lose their disks", serverOf: anyRole, make: endTwo(emptyStore) },
];

/** The fault whose words begin so. */
export function faultNamed(words: string): Fault {
  const fault = FAULTS.find((one) => one.words.startsWith(words));
  if (fault === undefined) throw new Error(`no fault is: ${words}`);
  return fault;
}

/** A server that leads nothing need not be there at every moment. */
export const struck = (fault: Fault, stage: Stage): Promise<TestServer> =>
  until(`there is a server for: ${fault.words}`, () => fault.serverOf(stage).catch(() => undefined));
