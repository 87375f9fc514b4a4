import { becomesWhole } from "../faults/whole";
import type { TestFleet, TestServer } from "../fleets/fleet";
import { publishAll, textsFrom } from "../fleets/messages";
import { editConfig, whileStopped } from "../fleets/servers";
import { onSmallDisk, type SmallDisk, whyNoSmallDisk } from "../fleets/small-disk";
import type { Row } from "./catalogue";
import { linked } from "./mistakes";

/** A hub of three servers of which one is not like the others. */

const settings = { hub: { servers: 3, maxFile: "1GiB" } } as const;
const DISK_BYTES = 64 * 1024 * 1024;
const disks = new WeakMap<TestFleet, SmallDisk>();

const last = ({ members }: TestFleet): TestServer => members.at(-1)!;

export const HUB_ROWS: Row[] = [
  {
    name: "a hub of three with a server whose disk is full",
    settings,
    whyNot: whyNoSmallDisk,
    make: async (fleet) => {
      const disk = await onSmallDisk(fleet, last(fleet), DISK_BYTES);
      disks.set(fleet, disk);
      await becomesWhole(fleet);
      disk.fill();
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 2_000));
    },
    finds: ["bergen: hub-replica-behind (warning)", "oslo: hub-replica-behind (warning)"],
    evidence: { "hub-replica-behind": /stream OSLO\/EVENTS: hub-3 is behind/ },
    cure: async (fleet) => {
      disks.get(fleet)?.makeRoom();
      await fleet.up();
    },
    says: "look at the log and the disk of that server, then run 'pulumi up'",
    after: becomesWhole,
  },
  {
    name: "a hub of three with a server whose routes have another key",
    settings,
    // The sites' links move to other servers meanwhile: at this one they would be down.
    make: (fleet) =>
      whileStopped(last(fleet).folder, async () => {
        editConfig(last(fleet).folder, (text) =>
          text.replace(/password: "?SU\w+"?/g, 'password: "another"').replace(/routes:SU\w+@/g, "routes:another@"),
        );
        await linked(fleet, "oslo", "bergen");
      }),
    finds: ["bergen: hub-route-refused (warning)", "oslo: hub-route-refused (warning)"],
    evidence: { "hub-route-refused": /^hub-3 has no route to another server, and knows no leader/ },
    after: becomesWhole,
  },
];
