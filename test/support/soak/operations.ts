import { setTimeout as sleep } from "node:timers/promises";
import { headers } from "nats";
import { RawSettings } from "../../../configs/settings";
import { kick } from "../../../servers/nats/system";
import { Refusal } from "../../../machine/refusal";
import { Accept, repairSite } from "../../../doctor/repair/repair";
import { killServer, pidOf, startServer, whileStopped } from "../fleets/servers";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";
import { observedAt } from "../fleets/watched";
import { World, SITES, sitesWith } from "./world";

/** What people, machines and networks do to a fleet, in any order. Each leaves all servers running. */

export interface Operation {
  name: string;
  /** How often, against the others. */
  weight: number;
  /** Whether something is lost, doubled or dropped by it: a look must come between it and the next one of the kind. */
  harms?: true;
  /** Whether messages leave the hub's streams by it that were there, and not because a store is lost. */
  drops?: true;
  /** Whether messages come to the hub by it that were missing there. */
  brings?: true;
  /** Whether the hub's store is another one afterwards. */
  turnsHub?: true;
  make(world: World, site: string): Promise<unknown>;
}

/** A change by hand that the program takes back: `up`, as a person types it afterwards. */
async function withEditOnHub(world: World, site: string, change: object, work: () => Promise<unknown>): Promise<void> {
  await world.editOnHub(site, change);
  await work();
  await world.fleet.up();
}

const settingsWith = (maxBytes: string, mode: string): RawSettings => ({
  streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes, collect: { mode, maxBytes: "64MiB" } }] as never,
});

export const OPERATIONS: Operation[] = [
  // --- applications
  {
    name: "publish",
    weight: 10,
    make: (world, site) => world.publish(site, world.random.between(1, 40), { bytes: world.random.between(0, 3_000) }),
  },
  {
    name: "publish large messages",
    weight: 3,
    make: (world, site) => world.publish(site, world.random.between(1, 8), { bytes: 200_000 }),
  },
  {
    name: "publish with ids of messages, some twice",
    weight: 2,
    make: async (world, site) => {
      const messageId = `m${world.random.between(1, 1e9)}`;
      await world.publish(site, 10, { messageId });
      await world.publish(site, 12, { messageId });
    },
  },
  {
    name: "all sites publish while the hub is down",
    weight: 4,
    make: (world) =>
      world.withoutHub(() => Promise.all(SITES.map((one) => world.publish(one, world.random.between(1, 30))))),
  },
  // --- the program
  { name: "make up", weight: 4, make: ({ fleet }) => fleet.up() },
  {
    name: "make up, with the smoke test",
    weight: 4,
    // What stands is told, until somebody repairs it or writes it down.
    make: ({ fleet }) =>
      fleet.prove().catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
      }),
  },
  { name: "everything is updated, whether it differs or not", weight: 2, make: ({ fleet }) => fleet.repair() },
  { name: "make preview", weight: 2, make: ({ fleet }) => fleet.preview() },
  {
    name: "make repair",
    weight: 2,
    make: (world, site) => repaired(world, site, world.random.pick(["redeliver", "leave"])),
  },
  {
    name: "another limit in the settings",
    weight: 2,
    make: ({ fleet, random, mode }) => fleet.up(settingsWith(random.pick(["48MiB", "64MiB"]), mode)),
  },
  {
    name: "a site is added, publishes, and is removed",
    weight: 2,
    make: async (world, site) => {
      const { fleet, random } = world;
      await fleet.up({ sites: sitesWith("narvik") });
      const narvik = await fleet.application("narvik");
      const stream = narvik.jetstream();
      const publish = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const head = headers();
          head.set("Id", world.guestId());
          await stream.publish("events.n", `${i}`, { headers: head });
        }
      };
      await publish(random.between(1, 30));
      if (random.chance(0.5)) await world.look();
      await publish(random.between(0, 30));
      await world.publish(site, 5);
      await fleet.up({ sites: sitesWith() });
    },
  },
  // --- machines
  {
    name: "the site's server is killed, and comes back",
    weight: 4,
    make: async ({ fleet }, site) => {
      await killServer(fleet.site(site).folder);
      await startServer(fleet.site(site).folder);
    },
  },
  {
    name: "the hub's server is killed, and comes back",
    weight: 3,
    make: async ({ fleet }) => {
      await killServer(fleet.hub.folder);
      await startServer(fleet.hub.folder);
    },
  },
  {
    name: "the site's server is killed, and `up` starts it",
    weight: 2,
    make: async ({ fleet }, site) => {
      await killServer(fleet.site(site).folder);
      await fleet.up();
    },
  },
  {
    name: "the hub's machine hangs for a while",
    weight: 2,
    make: async (world) => {
      const pid = pidOf(world.fleet.hub.folder);
      process.kill(pid, "SIGSTOP");
      await Promise.all(SITES.map((one) => world.publish(one, 5))).finally(() => process.kill(pid, "SIGCONT"));
    },
  },
  {
    name: "the site loses its store, all of which the hub has",
    weight: 1,
    harms: true,
    make: async ({ fleet }, site) => {
      await loseStore(fleet.site(site));
      await fleet.up();
    },
  },
  {
    name: "the site's store goes back in time",
    weight: 2,
    harms: true,
    make: async (world, site) => {
      const server = world.fleet.site(site);
      await keepStore(server);
      await world.publish(site, world.random.between(1, 20));
      await world.settle();
      await world.look();
      await rollBack(server);
      await world.publish(site, world.random.between(1, 30));
    },
  },
  {
    name: "the hub's store goes back in time",
    weight: 2,
    harms: true,
    turnsHub: true,
    make: async (world) => {
      await keepStore(world.fleet.hub);
      for (const site of SITES) await world.publish(site, world.random.between(1, 20));
      await world.settle();
      await world.look();
      await rollBack(world.fleet.hub);
    },
  },
  {
    name: "the hub loses its store",
    weight: 1,
    harms: true,
    turnsHub: true,
    make: async ({ fleet }) => {
      await loseStore(fleet.hub);
      await fleet.up();
    },
  },
  // --- the network
  {
    name: "the link drops",
    weight: 3,
    make: async ({ fleet }, site) => {
      const [link] = await fleet.links(site);
      if (link !== undefined) await kick(await fleet.system(), link);
      await until("the old link is gone", async () => (await fleet.links(site)).every(({ id }) => id !== link?.id));
    },
  },
  // --- people at the site
  {
    name: "somebody purges the site's stream while the hub is down",
    weight: 2,
    harms: true,
    make: (world, site) =>
      world.withoutHub(async () => {
        await world.publish(site, world.random.between(1, 25));
        await (await world.fleet.atSite(site)).purge(world.streamAt(site), "events.>");
        await world.publish(site, world.random.between(0, 10));
      }),
  },
  {
    name: "somebody deletes messages at the site while the hub is down",
    weight: 2,
    harms: true,
    make: (world, site) =>
      world.withoutHub(async () => {
        await world.publish(site, 20);
        const js = await world.fleet.atSite(site);
        const stream = world.streamAt(site);
        const last = (await js.stream(stream))?.state.last_seq ?? 0;
        for (const back of new Set([1, 2, 3].map(() => world.random.between(0, 15))))
          await js.deleteMessage(stream, last - back);
      }),
  },
  {
    name: "a limit per subject by hand at the site while the hub is down, and `up` afterwards",
    weight: 2,
    harms: true,
    make: async (world, site) => {
      await world.withoutHub(async () => {
        await world.publish(site, world.random.between(5, 30));
        await world.editAtSite(site, { max_msgs_per_subject: world.random.between(1, 5) });
      });
      await world.fleet.up();
    },
  },
  {
    name: "the site's stream is made anew while the hub is down",
    weight: 2,
    harms: true,
    make: (world, site) =>
      world.withoutHub(async () => {
        await world.publish(site, world.random.between(0, 15));
        await world.look(false);
        const js = await world.fleet.atSite(site);
        const info = await js.stream(world.streamAt(site));
        if (info === undefined) return;
        await js.deleteStream(info.config.name);
        await js.createStream(info.config);
        await world.publish(site, world.random.between(0, 20));
      }),
  },
  {
    name: "somebody purges the site's stream, of which the hub has everything",
    weight: 2,
    // A store that went back shows in the messages that it holds.
    harms: true,
    make: async (world, site) => (await world.fleet.atSite(site)).purge(world.streamAt(site), "events.>"),
  },
  // --- people on the hub
  {
    name: "somebody takes the source away, and `up` puts it back",
    weight: 2,
    make: (world, site) =>
      world.fleet.collected(site).then(({ config }) => {
        const sources = (config.sources ?? []).filter(({ external }) => external.api !== `$JS.${site}.API`);
        return withEditOnHub(world, site, { sources }, () => world.publish(site, 10));
      }),
  },
  {
    name: "somebody purges the hub's stream",
    weight: 1,
    harms: true,
    drops: true,
    make: async (world, site) => (await world.fleet.atHub(site)).purge("EVENTS", ">"),
  },
  {
    name: "somebody deletes messages on the hub",
    weight: 2,
    harms: true,
    drops: true,
    make: async (world, site) => {
      const js = await world.fleet.atHub(site);
      const { state } = await world.fleet.collected(site);
      for (const back of new Set([1, 2, 3].map(() => world.random.between(0, 10))))
        if (await js.messageAt("EVENTS", state.last_seq - back))
          await js.deleteMessage("EVENTS", state.last_seq - back);
    },
  },
  {
    name: "a limit per subject by hand on the hub, and `up` afterwards",
    weight: 1,
    harms: true,
    drops: true,
    make: (world, site) => withEditOnHub(world, site, { max_msgs_per_subject: 3 }, () => sleep(100)),
  },
  {
    name: "a second source by hand, and `up` afterwards",
    weight: 1,
    harms: true,
    brings: true,
    make: async (world, site) => {
      const { config } = await world.fleet.collected(site);
      const own = config.sources?.find(({ external }) => external.api === `$JS.${site}.API`);
      if (own === undefined) return;
      const twin = {
        ...own,
        subject_transforms: [
          { src: "events.>", dest: `${site}.events.>` },
          { src: "none", dest: "x" },
        ],
      };
      const second = world.mode === "merged" ? twin : { ...own, filter_subject: "events.a" };
      await withEditOnHub(world, site, { sources: [...(config.sources ?? []), second] }, async () => {
        const id = await world.publish(site, 10);
        await until("the second source is done", async () => {
          const info = await world.fleet.collected(site);
          const lags = (info.sources ?? []).map((one) => one.lag + (one.active < 0 ? 1 : 0));
          return (await world.copies()).has(id) && lags.every((lag) => lag === 0);
        });
      });
    },
  },
  {
    name: "somebody deletes the hub's stream, and `up` makes it anew",
    weight: 1,
    harms: true,
    turnsHub: true,
    make: async ({ fleet }, site) => {
      await (await fleet.atHub(site)).deleteStream("EVENTS");
      await fleet.up();
    },
  },
  {
    name: "both servers are stopped and started",
    weight: 1,
    make: ({ fleet }, site) =>
      whileStopped(fleet.site(site).folder, () => whileStopped(fleet.hub.folder, () => undefined)),
  },
];

/** `make repair`: as it is, and with the word that it asks for. */
export async function repaired({ fleet }: World, site: string, accept: Accept): Promise<void> {
  const observed = observedAt(fleet, site);
  const repair = { observed, streams: observed.streams, say: () => undefined };
  await repairSite(repair).catch((error: unknown) => {
    if (!(error instanceof Refusal) || !error.message.includes(`ACCEPT=${accept}`)) throw error;
    return repairSite({ ...repair, accept });
  });
}
