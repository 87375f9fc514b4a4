import { RawSettings } from "../../configs/settings";
import { siteApi } from "../../configs/streams";
import { Row } from "./catalogue";
import { editHubStream, editSiteStream, linkUser, misconfigureHub } from "./catalogue-mistakes";
import { TestFleet } from "./fleet";
import { publishAll, textsFrom } from "./messages";
import { until } from "./until";

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

const keepingNew = (maxBytes: string): NonNullable<RawSettings["streams"]>[number] => ({
  name: "EVENTS",
  subjects: ["events.>"],
  maxBytes: "32MiB",
  collect: { discard: "new", maxBytes },
});

async function fillHubStream(fleet: TestFleet): Promise<void> {
  await editHubStream(fleet, (config) => Object.assign(config, { discard: "new", max_bytes: 100_000 }));
  await publish(fleet, 60, 2_000);
  await until("the hub's stream is full", async () => (await fleet.collected("oslo")).state.bytes > 95_000);
}

export const STREAM_ROWS: Row[] = [
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
    finds: ["oslo: hub-has-subjects"],
    evidence: { "hub-has-subjects": /its subjects events\.> overlap what it collects/ },
    cure: (fleet) => editHubStream(fleet, (config) => (config.subjects = [])),
    says: "take the subjects off the hub's stream",
  },
  {
    name: "subjects on the hub's stream and a link that carries all: every message twice",
    make: async (fleet) => {
      await misconfigureHub(fleet, ({ accounts }) => delete linkUser(accounts.OSLO!).permissions);
      await editHubStream(fleet, (config) => (config.subjects = ["_probe.EVENTS.>"]));
    },
    finds: ["oslo: isolation-broken", "oslo: probes-doubled"],
    evidence: { "probes-doubled": /28 of 28 probes stand twice/, "isolation-broken": /answered/ },
    cure: (fleet) => editHubStream(fleet, (config) => (config.subjects = [])),
    says: "it must have no subjects of its own",
  },
  {
    name: "a site whose stream was changed by hand and takes no probes",
    make: (fleet) => editSiteStream(fleet, (config) => (config.subjects = ["events.>"])),
    finds: ["oslo: probe-failed"],
    evidence: { "probe-failed": /^the site's stream EVENTS did not acknowledge _probe\.EVENTS\.\w+: / },
  },
  {
    name: "a hub stream that is full and discards new messages",
    make: fillHubStream,
    finds: ["oslo: hub-full"],
    evidence: { "hub-full": /bytes of at most 100000, and discards new/ },
  },
  {
    name: "a merged stream that is full and discards new messages",
    modes: ["merged"],
    make: fillHubStream,
    finds: ["bergen: hub-full", "oslo: hub-full"],
    evidence: { "hub-full": /bytes of at most 100000, and discards new/ },
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
    finds: ["oslo: hub-full"],
    evidence: { "hub-full": /its account uses \d+ bytes of at most 100000/ },
  },
  {
    name: "a site's stream that is full and discards new messages",
    make: async (fleet) => {
      await editSiteStream(fleet, (config) => Object.assign(config, { discard: "new", max_bytes: 100_000 }));
      await publish(fleet, 60, 2_000).catch(() => undefined);
      await until("the hub has what the site has", async () => (await collectedCount(fleet)) > 40);
    },
    finds: ["oslo: site-full (warning)"],
    evidence: { "site-full": /bytes of at most 100000, and discards new/ },
  },
  {
    name: "a hub stream that stores everything under other subjects: no rule fits",
    make: (fleet) => editHubStream(fleet, (config) => (config.subject_transform = { src: ">", dest: "moved.>" })),
    finds: ["oslo: unknown"],
    evidence: { unknown: /0 of 1 probes arrived\n +server +good [^]*\n +delivery +good [^]*\n +hub stream +good/ },
    cause: { unknown: /Last good step: hub stream; first bad one: none was seen/ },
    cure: (fleet) => editHubStream(fleet, (config) => delete config.subject_transform),
    says: "look at the first step that is not good",
  },
];
