import assert from "node:assert/strict";
import { AckPolicy } from "nats";
import { RawSettings } from "../../../configs/settings";
import { isSourceOfSite, siteApi } from "../../../configs/streams";
import { shared } from "../../../servers/nats/connection";
import { sourceConsumers } from "../../../servers/nats/system";
import { Row } from "./catalogue";
import { editHubStream, editSiteStream, linkUser, misconfigureHub, oslo } from "./mistakes";
import { TestFleet } from "../fleets/fleet";
import { publishAll, textsFrom } from "../fleets/messages";
import { until } from "../until";

/** Mistakes in streams and sources, made by hand on running servers, and limits that were reached. */

const BOTH = ["perSite", "merged"] as const;

const setSource = (fleet: TestFleet, change: (source: Record<string, unknown>) => void) =>
  editHubStream(fleet, (config) => {
    const source = config.sources!.find(({ external }) => (external as { api: string }).api === siteApi("oslo"))!;
    change(source);
  });

const publish = async (fleet: TestFleet, count: number, size = 10) =>
  publishAll(
    await fleet.application("oslo"),
    "events.a",
    textsFrom(1, count).map((text) => text.padEnd(size, ".")),
  );

const collectedCount = async (fleet: TestFleet) => (await fleet.collected("oslo")).state.messages;

/** Pauses the consumer that the hub's source has at oslo's stream, for ten minutes. */
export async function pauseSource(fleet: TestFleet, stream: string): Promise<void> {
  const { url } = fleet.site("oslo");
  const system = await shared({ url, seed: fleet.hub.seeds.system });
  const consumers = await sourceConsumers(system, "OSLO", stream);
  const operator = await fleet.connect(fleet.site("oslo"), "operator");
  for (const { name } of consumers) {
    const until = JSON.stringify({ pause_until: new Date(Date.now() + 600_000).toISOString() });
    await operator.request(`$JS.API.CONSUMER.PAUSE.${stream}.${name}`, until);
  }
}

const keepingNew = (maxBytes: string): NonNullable<RawSettings["streams"]>[number] => ({
  name: "EVENTS",
  subjects: ["events.>"],
  maxBytes: "32MiB",
  collect: { discard: "new", maxBytes },
});
const sourceCount = async (fleet: TestFleet) =>
  (await fleet.collected("oslo")).config.sources!.filter((source) => isSourceOfSite(source, "oslo")).length;

/** Fleets that are cured side by side share the environment. */
let remaking = 0;

/** What the finding of a stream that cannot be put back says: it is made anew. */
async function remake(fleet: TestFleet): Promise<void> {
  process.env.REMAKE = "oslo/EVENTS,hub/OSLO/EVENTS";
  remaking++;
  try {
    await fleet.up();
  } finally {
    if (--remaking === 0) delete process.env.REMAKE;
  }
}

/** What ends the purges of a fleet. */
const purges = new WeakMap<TestFleet, () => Promise<void>>();

async function fillHubStream(fleet: TestFleet): Promise<void> {
  await editHubStream(fleet, (config) => Object.assign(config, { discard: "new", max_bytes: 100_000 }));
  await publish(fleet, 60, 2_000);
  await until("the hub's stream is full", async () => (await fleet.collected("oslo")).state.bytes > 95_000);
}

export const STREAM_ROWS: Row[] = [
  {
    name: "the consumer of the hub's source, paused by hand",
    modes: BOTH,
    make: async (fleet) => {
      const { name } =
        (await fleet.collected("oslo")).sources?.find(({ external }) => external?.api === siteApi("oslo")) ?? {};
      await pauseSource(fleet, name ?? "none");
      await publish(fleet, 5);
    },
    finds: ["oslo: source-paused"],
    evidence: { "source-paused": /1 of its consumers at the site.*[1-9]\d* wait/ },
    accept: "nothing",
  },
  {
    name: "a site that lacks its stream",
    make: async (fleet) => (await fleet.atSite("oslo")).deleteStream("EVENTS"),
    finds: ["oslo: stream-missing-at-site"],
    evidence: { "stream-missing-at-site": /\$JS\.API\.STREAM\.INFO\.EVENTS at the site: stream not found/ },
  },
  {
    name: "a hub that lacks the stream of a site",
    make: async (fleet) => (await fleet.atHub("oslo")).deleteStream("EVENTS"),
    finds: ["oslo: stream-missing-on-hub"],
    evidence: { "stream-missing-on-hub": /JetStream of the hub: stream not found/ },
    cause: { "stream-missing-on-hub": /the hub has no stream OSLO\/EVENTS/ },
  },
  {
    name: "a hub that lacks the stream of all sites",
    modes: ["merged"],
    make: async (fleet) => (await fleet.atHub("oslo")).deleteStream("EVENTS"),
    finds: ["bergen: stream-missing-on-hub", "oslo: stream-missing-on-hub"],
    evidence: { "stream-missing-on-hub": /JetStream of the hub: stream not found/ },
  },
  {
    name: "a source that was deleted by hand",
    modes: BOTH,
    make: (fleet) =>
      editHubStream(fleet, (config) => {
        config.sources = config.sources!.filter(
          ({ external }) => (external as { api: string }).api !== siteApi("oslo"),
        );
      }),
    finds: ["oslo: source-missing"],
    evidence: { "source-missing": /its sources name no stream of the site/ },
  },
  {
    name: "a source that asks the domain of no site",
    make: (fleet) => setSource(fleet, (source) => (source.external = { api: siteApi("trondheim"), deliver: "" })),
    finds: ["oslo: source-wrong-api"],
    evidence: { "source-wrong-api": /external\.api '\$JS\.trondheim\.API', declared '\$JS\.oslo\.API'/ },
  },
  {
    name: "a source whose API prefix lacks '.API'",
    make: (fleet) => setSource(fleet, (source) => (source.external = { api: "$JS.oslo", deliver: "" })),
    finds: ["oslo: source-wrong-api"],
    evidence: { "source-wrong-api": /external\.api '\$JS\.oslo', declared '\$JS\.oslo\.API'/ },
  },
  {
    name: "a source without an external API, which asks the hub itself",
    make: (fleet) =>
      setSource(fleet, (source) => {
        delete source.external;
        source.name = "EVENTS_OF_OSLO";
      }),
    finds: ["oslo: source-wrong-api", "oslo: source-wrong-stream"],
    evidence: { "source-wrong-api": /external\.api '\$JS\.API'/, "source-wrong-stream": /EVENTS_OF_OSLO/ },
  },
  {
    name: "a misspelt stream name in the source",
    modes: BOTH,
    make: (fleet) => setSource(fleet, (source) => (source.name = "EVENT")),
    finds: ["oslo: source-wrong-stream"],
    evidence: { "source-wrong-stream": /source name 'EVENT', declared 'EVENTS/ },
  },
  {
    name: "a source that takes only some subjects",
    make: (fleet) => setSource(fleet, (source) => (source.filter_subject = "events.a")),
    finds: ["oslo: source-altered"],
    evidence: { "source-altered": /it takes only events\.a/ },
  },
  {
    name: "a merged source without its transforms: messages land raw, mixed with other sites'",
    modes: ["merged"],
    make: (fleet) => setSource(fleet, (source) => delete source.subject_transforms),
    finds: ["oslo: source-altered"],
    evidence: { "source-altered": /transforms none, declared > -> oslo\.>/ },
  },
  {
    name: "a merged source whose transforms miss a subject",
    modes: ["merged"],
    make: (fleet) =>
      setSource(fleet, (source) => {
        source.subject_transforms = [{ src: "events.a", dest: "oslo.events.a" }];
      }),
    finds: ["oslo: source-altered"],
    evidence: { "source-altered": /transforms events\.a -> oslo\.events\.a, declared/ },
  },
  {
    name: "subjects on the hub's stream that overlap the site's",
    make: (fleet) => editHubStream(fleet, (config) => (config.subjects = ["events.>"])),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /subjects is events\.>, declared none/ },
    cause: { "hub-stream-altered": /is not as declared: what the link carries is stored twice/ },
  },
  {
    name: "subjects on the hub's stream and a link that carries all: every message twice",
    make: async (fleet) => {
      await misconfigureHub(fleet, ({ accounts }) => delete linkUser(accounts.OSLO!).permissions);
      await editHubStream(fleet, (config) => (config.subjects = ["_probe.EVENTS.>"]));
    },
    finds: ["oslo: isolation-broken", "oslo: hub-stream-altered", "oslo: messages-doubled (warning)"],
    evidence: {
      "hub-stream-altered": /subjects is _probe\.EVENTS\.>, declared none/,
      "isolation-broken": /answered/,
      "messages-doubled": /^28 messages between/,
    },
  },
  {
    name: "a site whose stream was changed by hand and takes no probes",
    make: (fleet) => editSiteStream(fleet, (config) => (config.subjects = ["events.>"])),
    finds: ["oslo: site-stream-altered"],
    evidence: { "site-stream-altered": /subjects is events\.>, declared events\.>, _probe\.EVENTS\.>/ },
  },
  {
    name: "messages of others on the probes' subjects",
    make: async (fleet) => {
      const operator = await fleet.connect(oslo(fleet), "operator");
      await operator.jetstream().publish("_probe.EVENTS.mine", "mine");
      await until("it is on the hub", async () => (await collectedCount(fleet)) === 1);
    },
    finds: ["oslo: probe-subjects-used (warning)"],
    evidence: { "probe-subjects-used": /1 at the site and 1 on the hub/ },
    says: "purge them as operator at both ends",
    cure: async (fleet) => {
      for (const js of [await fleet.atSite("oslo"), await fleet.atHub("oslo")])
        await js.purge("EVENTS", "_probe.EVENTS.mine");
    },
  },
  {
    name: "a hub stream that is full and discards new messages",
    make: fillHubStream,
    finds: ["oslo: hub-full", "oslo: hub-stream-altered"],
    evidence: { "hub-full": /bytes of at most 100000, and discards new/, "hub-stream-altered": /discard is new/ },
  },
  {
    name: "a merged stream that is full and discards new messages",
    modes: ["merged"],
    make: fillHubStream,
    finds: ["bergen: hub-full", "bergen: hub-stream-altered", "oslo: hub-full", "oslo: hub-stream-altered"],
    evidence: { "hub-full": /bytes of at most 100000, and discards new/, "hub-stream-altered": /discard is new/ },
  },
  {
    name: "a hub stream that is full for the next message: small ones passed, and a large one waits",
    settings: { streams: [keepingNew("6MiB")] },
    make: async (fleet) => {
      await publish(fleet, 2_000, 100);
      await until("the small ones are there", async () => (await collectedCount(fleet)) === 2_000);
      await publish(fleet, 8, 900_000);
      await until("no large one fits any more", async () => (await fleet.collected("oslo")).state.bytes > 5_000_000);
    },
    finds: ["oslo: hub-full"],
    evidence: {
      "hub-full":
        /bytes of at most 6291456 and discards new messages; the next message .* takes about 900\d{3} bytes: \d+ bytes/,
    },
    change: { streams: [keepingNew("32MiB")] },
    after: (fleet) => until("all are there", async () => (await collectedCount(fleet)) === 2_008),
  },
  {
    name: "an account of the hub whose storage is full",
    make: async (fleet) => {
      await editHubStream(fleet, (config) => (config.max_bytes = -1));
      await publish(fleet, 60, 2_000);
      await until("the hub has all", async () => (await collectedCount(fleet)) === 60);
      await misconfigureHub(fleet, ({ accounts }) => (accounts.OSLO!.jetstream!.max_file = 100_000));
    },
    finds: ["oslo: hub-full", "oslo: hub-stream-altered"],
    evidence: { "hub-full": /its account uses \d+ bytes of at most 100000/, "hub-stream-altered": /max_bytes is none/ },
  },
  {
    name: "a site's stream that is full and discards new messages",
    make: async (fleet) => {
      await editSiteStream(fleet, (config) => Object.assign(config, { discard: "new", max_bytes: 100_000 }));
      await publish(fleet, 60, 2_000).catch(() => undefined);
      await until("the hub has what the site has", async () => (await collectedCount(fleet)) > 40);
    },
    finds: ["oslo: site-full (warning)", "oslo: site-stream-altered"],
    evidence: { "site-full": /bytes of at most 100000, and discards new/, "site-stream-altered": /discard is new/ },
  },
  {
    name: "a hub stream that stores everything under other subjects",
    make: (fleet) => editHubStream(fleet, (config) => (config.subject_transform = { src: ">", dest: "moved.>" })),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /subject_transform is .*moved.*, declared none/ },
    cause: { "hub-stream-altered": /messages are stored under other subjects/ },
  },
  {
    name: "a limit on the hub's stream that drops all but the newest message of a subject",
    make: (fleet) => editHubStream(fleet, (config) => (config.max_msgs_per_subject = 1)),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /^max_msgs_per_subject is 1, declared none$/ },
    cause: { "hub-stream-altered": /older messages of a subject are dropped/ },
  },
  {
    name: "a second source of the site's stream: every message twice",
    modes: BOTH,
    make: (fleet) =>
      editHubStream(fleet, (config) => {
        const source = config.sources!.find(({ external }) => (external as { api: string }).api === siteApi("oslo"))!;
        const { subject_transforms: _, ...again } = source;
        config.sources!.push({ ...again, filter_subject: "events.>" });
      }),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /a source of stream EVENTS(_OSLO)? at \$JS\.oslo\.API.*which is not declared/ },
    cause: { "hub-stream-altered": /if it is of the same site, twice/ },
    async after(fleet) {
      const before = await collectedCount(fleet);
      await publish(fleet, 5);
      await until("all are delivered", async () => (await collectedCount(fleet)) >= before + 5);
      assert.deepEqual([(await fleet.collected("oslo")).state.messages, await sourceCount(fleet)], [before + 5, 1]);
    },
  },
  {
    name: "a window on the hub's stream in which messages of equal ids are dropped",
    make: (fleet) => editHubStream(fleet, (config) => (config.duplicate_window = 120e9)),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /^duplicate_window is 2m, declared none$/ },
  },
  {
    name: "a site whose stream keeps messages only for those who consume there",
    make: (fleet) => editSiteStream(fleet, (config) => (config.retention = "interest")),
    finds: ["oslo: site-stream-altered"],
    evidence: { "site-stream-altered": /^retention is interest, declared limits$/ },
    cause: { "site-stream-altered": /messages are removed before the hub has them/ },
  },
  {
    name: "a site's stream that was sealed",
    make: (fleet) => editSiteStream(fleet, (config) => (config.sealed = true)),
    finds: ["oslo: site-stream-altered"],
    evidence: { "site-stream-altered": /sealed is true, declared false/ },
    cause: { "site-stream-altered": /it accepts no more messages/ },
    cure: remake,
    says: "REMAKE=",
  },
  {
    name: "a hub stream from which nothing may be purged, not even a probe",
    make: (fleet) => editHubStream(fleet, (config) => (config.deny_purge = true)),
    finds: ["oslo: hub-stream-altered"],
    evidence: { "hub-stream-altered": /^deny_purge is true, declared false$/ },
    cure: remake,
    says: "REMAKE=",
  },
  {
    name: "a stream of others under the name of the probes' own stream",
    async make(fleet) {
      const manager = await (await fleet.application("oslo")).jetstreamManager();
      await manager.consumers.add("EVENTS", { durable_name: "ALL", ack_policy: AckPolicy.Explicit });
      await manager.streams.add({ name: "EVENTS_PROBE", subjects: ["mine.>"], max_bytes: 1e6 });
    },
    finds: ["oslo: probe-failed"],
    evidence: { "probe-failed": /^stream EVENTS_PROBE at the site was not made by this stack/ },
    cure: async (fleet) => (await fleet.atSite("oslo")).deleteStream("EVENTS_PROBE"),
    says: "fix what it names",
  },
  {
    name: "a hub's stream that is purged all the time: no rule fits",
    async make(fleet) {
      const js = await fleet.atHub("oslo");
      const over = new AbortController();
      const purging = (async () => {
        while (!over.signal.aborted) await js.purge("EVENTS", "_probe.>").catch(() => undefined);
      })();
      const end = async () => {
        over.abort();
        await purging;
      };
      purges.set(fleet, end);
      fleet.whenStopped(end);
    },
    finds: ["oslo: messages-dropped (warning)", "oslo: unknown"],
    evidence: {
      // How many probes are sent before the first one is missed depends on the time that each takes.
      "messages-dropped": /^\d+ messages? between/,
      unknown: /0 of \d+ probes arrived\n +server +good [^]*\n +delivery +good [^]*\n +hub stream +good/,
    },
    cause: { unknown: /Last good step: hub stream; first bad one: none was seen/ },
    cure: async (fleet) => purges.get(fleet)?.(),
    says: "look at the first step that is not good",
  },
];
