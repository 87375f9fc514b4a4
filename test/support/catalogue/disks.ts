import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { siteStreamName } from "../../../configs/names";
import { Row } from "./catalogue";
import { oslo } from "./mistakes";
import { TestFleet, TestServer } from "../fleets/fleet";
import { publishAll, textsFrom } from "../fleets/messages";
import { killServer } from "../fleets/servers";
import { SmallDisk, makeReadOnly, onSmallDisk, whyNoSmallDisk } from "../fleets/small-disk";
import { until } from "../until";
import { examined } from "../fleets/watched";

/** Full disks: a store that could not write once takes nothing until its server is restarted. */

const DISK_BYTES = 24 * 1024 * 1024;

const disks = new WeakMap<TestFleet, SmallDisk>();

async function small(fleet: TestFleet, server: TestServer): Promise<SmallDisk> {
  const disk = await onSmallDisk(fleet, server, DISK_BYTES);
  disks.set(fleet, disk);
  await fleet.up();
  return disk;
}

/** One message at a time: what is refused must not wait for others. */
async function publish(fleet: TestFleet, size: number): Promise<void> {
  const js = (await fleet.application("oslo")).jetstream({ timeout: 500 });
  await js.publish("events.a", ".".repeat(size));
}

async function untilRefused(fleet: TestFleet): Promise<void> {
  await assert.rejects(async () => {
    for (let i = 0; i < 20; i++) await publish(fleet, 10_000);
  });
}

const hubIsOff = (fleet: TestFleet) =>
  until("the hub's JetStream switched itself off", async () => {
    const { jetstream } = (await fleet.status(fleet.hub)) as unknown as { jetstream: { config?: object } };
    return jetstream.config === undefined;
  });

async function makeRoom(fleet: TestFleet): Promise<void> {
  disks.get(fleet)?.makeRoom();
  assert.match((await fleet.preview()).reports.join(), /has a store that failed \(.*; up repairs it/);
}

const NO_ROOM = /free some space on the file system of .*, then run 'pulumi up', which restarts the server/;

/** Without room `up` restarts nothing, for the store would fail again. */
async function makeRoomAtSite(fleet: TestFleet): Promise<void> {
  const before = (await fleet.status(oslo(fleet))).server_id;
  await fleet.up();
  assert.match(fleet.problemsOf("oslo").join(), NO_ROOM);
  assert.equal((await fleet.status(oslo(fleet))).server_id, before, "not restarted");
  disks.get(fleet)?.makeRoom();
}

async function makeRoomOnHub(fleet: TestFleet): Promise<void> {
  await assert.rejects(fleet.up(), NO_ROOM);
  await makeRoom(fleet);
}

/** What was acknowledged before and after is on the hub, each once. */
async function collects(fleet: TestFleet): Promise<void> {
  await publishAll(await fleet.application("oslo"), "events.b", textsFrom(1, 10));
  const js = await fleet.atSite("oslo");
  const name = siteStreamName(fleet.settings.streams[0]!, "oslo");
  const held = Object.values(await js.subjects(name, "events.>")).reduce((sum, count) => sum + count, 0);
  await until(`the hub has all ${held}`, async () => (await fleet.collected("oslo")).state.messages === held);
}

/** Runs what the finding says, in a shell. */
async function makeWritable(fleet: TestFleet): Promise<void> {
  const said = (await examined(fleet)).sites.flatMap(({ findings }) => findings.map((one) => one.cause + one.next));
  const command = /mount -o remount,rw "[^"]*"/.exec(said.join())?.[0];
  assert.ok(command !== undefined, said.join());
  execFileSync("sh", ["-c", command], { stdio: "pipe" });
}

export const DISK_ROWS: Row[] = [
  {
    name: "a site whose disk is full: applications get no acknowledgement",
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      const disk = await small(fleet, oslo(fleet));
      await publish(fleet, 1_000);
      disk.fill();
      await untilRefused(fleet);
    },
    finds: ["oslo: store-failed"],
    evidence: { "store-failed": /the site: .*OSLO > EVENTS.*no space left on device; 0 B free on the file system of/ },
    cause: { "store-failed": /applications are refused or get no acknowledgement/ },
    cure: makeRoomAtSite,
    says: "free some space on the file system of",
    after: collects,
  },
  {
    name: "a site whose disk was full: there is room again, and its store goes on refusing",
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      const disk = await small(fleet, oslo(fleet));
      disk.fill();
      await untilRefused(fleet);
      disk.makeRoom();
      await assert.rejects(publish(fleet, 10));
    },
    // What the disk refused took its sequence all the same.
    finds: ["oslo: messages-missing (warning)", "oslo: store-failed"],
    evidence: {
      "messages-missing": /^1 message between/,
      "store-failed": /no space left on device; [12]\d.*MiB free/,
    },
    after: collects,
  },
  {
    name: "a hub whose disk is full: its JetStream switches itself off",
    modes: ["perSite", "merged"],
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      const disk = await small(fleet, fleet.hub);
      disk.fill();
      for (let i = 0; i < 5; i++) await publish(fleet, 50_000);
      await hubIsOff(fleet);
    },
    finds: ["bergen: store-failed", "oslo: store-failed"],
    evidence: { "store-failed": /the hub: JetStream switched itself off: .*no space left on device.*; 0 B free on/ },
    cause: { "store-failed": /it stores nothing from any site/ },
    cure: makeRoomOnHub,
    says: "free some space on the file system of",
    after: collects,
  },
  {
    name: "a site whose disk is full, before its store fails",
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      const disk = await small(fleet, oslo(fleet));
      disk.fill(4 * 1024 * 1024);
    },
    finds: ["oslo: disk-full (warning)"],
    evidence: { "disk-full": /MiB free on the file system of/ },
    cure: (fleet) => Promise.resolve(disks.get(fleet)?.makeRoom()),
    says: "free some space on the file system of",
  },
  {
    // The first probes are stored in the file that is open still; taking them away needs another.
    name: "a site whose file system became read-only",
    whyNot: whyNoSmallDisk,
    make: (fleet) => Promise.resolve(makeReadOnly(fleet, oslo(fleet))),
    finds: ["oslo: store-failed"],
    evidence: { "store-failed": /the file system of .* is read-only/ },
    cure: makeWritable,
    says: "make it writable",
    after: collects,
  },
  {
    name: "a site whose server ended, for its file system is read-only",
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      makeReadOnly(fleet, oslo(fleet));
      await killServer(oslo(fleet).folder);
      await fleet.up();
      assert.match(fleet.problemsOf("oslo").join(), /find out why the file system is read-only/);
    },
    finds: ["oslo: step-failed"],
    evidence: { "step-failed": /CONNECTION_REFUSED/ },
    cause: { "step-failed": /storage directory is not writable; find out why the file system is read-only/ },
    cure: makeWritable,
    says: "fix what it names",
    after: collects,
  },
];
