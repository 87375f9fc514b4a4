import assert from "node:assert/strict";
import { AckPolicy, NatsConnection, consumerOpts, createInbox } from "nats";
import { parse } from "../../configs/format/parse";
import { render } from "../../configs/format/render";
import { AccountConfig, ServerConfig } from "../../configs/server-config";
import { sourceInfoOf } from "../../fleet/sourcing/collected";
import { LocalFiles } from "../../servers/files/server-files";
import { findNatsServer } from "../../servers/nats-server-binary";
import { flowControlForm, reload } from "../../servers/nats/system";
import { applyHub, writeConfig } from "../../servers/server-config";
import { TestFleet } from "../support/fleets/fleet";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { configOf, pidOf, restartWith, whileStopped } from "../support/fleets/servers";
import { until } from "../support/until";

/**
 * Flow control on subjects of both forms. nats-server 2.16 is to have the second one by default; 2.15 has it by a flag.
 * Where flow control is blocked, sourcing stalls after about 2.1 MB: bursts here are larger.
 */

const COLLECT = { maxBytes: "128MiB" };
const STREAMS = [
  { name: "EVENTS", subjects: ["events.>"], maxBytes: "64MiB", collect: COLLECT },
  { name: "ALARMS", subjects: ["alarms.>"], maxBytes: "64MiB", collect: { ...COLLECT, mode: "merged" as const } },
];

/** Puts the rights in the hub's file that the program gave before the second form, as if it had written them so. */
async function writeEarlierRights({ hub }: TestFleet): Promise<void> {
  const { feature_flags: _, ...config } = parse(configOf(hub.folder)) as unknown as ServerConfig &
    Record<string, unknown>;
  const isFirstForm = (one: object): boolean => !/"\$JS\.FC\.[a-z-]+\.\*/.test(JSON.stringify(one));
  for (const account of Object.values<AccountConfig>(config.accounts)) {
    if (account.exports !== undefined) account.exports = account.exports.filter(isFirstForm);
    if (account.imports !== undefined) account.imports = account.imports.filter(isFirstForm);
  }
  await writeConfig(new LocalFiles(hub.folder), render(config), await findNatsServer());
}

describe("flow control", function () {
  this.timeout(120_000);

  const [MESSAGES, BYTES] = [60, 100_000];
  const FORMS = { oslo: "v1", bergen: "v2", tromso: "v2" };
  type Site = keyof typeof FORMS;
  const SITES = Object.keys(FORMS) as Site[];
  const OF_SECOND_FORM = SITES.filter((site) => FORMS[site] === "v2");
  const FLAG = "\nfeature_flags { js_ack_fc_v2: true }\n";

  let fleet: TestFleet;
  const applications = new Map<Site, NatsConnection>();
  before(async () => {
    fleet = await TestFleet.deploy({
      hub: { maxFile: "2GiB" },
      sites: [{ name: "oslo" }, { name: "bergen" }, { name: "tromso", reach: "hub" }],
      streams: STREAMS,
    });
    for (const site of OF_SECOND_FORM) await restartWith(fleet.site(site).folder, (text) => text + FLAG);
    for (const site of SITES) {
      assert.equal(flowControlForm(await fleet.status(fleet.site(site))), FORMS[site]);
      applications.set(site, await fleet.application(site));
    }
  });
  after(() => fleet.stop());

  /** Every site publishes a burst to each of its streams. */
  async function burst(name: string): Promise<void> {
    const payload = "x".repeat(BYTES);
    for (const site of SITES) {
      const js = applications.get(site)!.jetstream();
      for (const kind of ["events", "alarms"])
        await Promise.all(Array.from({ length: MESSAGES }, () => js.publish(`${kind}.${name}`, payload)));
    }
  }

  /** Messages of a burst on the hub. */
  async function arrived(name: string, site: Site, stream: string): Promise<number> {
    const subject = stream === "EVENTS" ? `events.${name}` : `${site}.alarms.${name}`;
    return (await (await fleet.atHub(site, stream)).subjects(stream, subject))[subject] ?? 0;
  }

  async function arrives(name: string, site: Site, stream: string): Promise<void> {
    await until("the burst is on the hub", async () => (await arrived(name, site, stream)) >= MESSAGES);
    assert.equal(await arrived(name, site, stream), MESSAGES);
  }

  for (const [form, edit] of [
    ["v2", (text: string) => text + FLAG],
    ["v1", (text: string) => text.replace(FLAG, "")],
  ] as const) {
    describe(`with ${form} at the hub`, () => {
      before(async () => {
        await restartWith(fleet.hub.folder, edit);
        assert.equal(flowControlForm(await fleet.status(fleet.hub)), form);
        await burst(form);
      });

      for (const site of SITES) {
        const where = site === "tromso" ? "a site that is reached through the hub" : "the site";
        for (const { name } of STREAMS) {
          const mode = name === "EVENTS" ? "perSite" : "merged";
          it(`and ${FORMS[site]} at ${where}: a burst gets through in mode ${mode}`, () => arrives(form, site, name));
        }
      }
    });
  }

  describe("with v2 at the hub again", () => {
    before(async () => {
      await restartWith(fleet.hub.folder, (text) => text + FLAG);
      await burst("read");
      for (const { name } of STREAMS) await arrives("read", "bergen", name);
    });

    for (const [stream, filter, isOfHub] of [
      ["EVENTS", "events.read", false],
      ["ALARMS", "bergen.alarms.read", true],
    ] as const) {
      it(`lets a reader acknowledge messages of ${stream}, and be pushed a burst`, async () => {
        const reader = isOfHub ? await fleet.connect(fleet.hub, "reader") : await fleet.onHub("bergen", "reader");
        const jsm = await reader.jetstreamManager();
        const pulling = { durable_name: "PULL", ack_policy: AckPolicy.Explicit, filter_subject: filter };
        await jsm.consumers.add(stream, pulling);
        const pulled = await (await reader.jetstream().consumers.get(stream, "PULL")).next({ expires: 5_000 });
        assert.equal(await pulled?.ackAck(), true);
        assert.equal((await jsm.consumers.info(stream, "PULL")).num_ack_pending, 0);

        const options = consumerOpts().bindStream(stream).filterSubject(filter).deliverTo(createInbox()).ackNone();
        const pushed = await reader.jetstream().subscribe(filter, options.flowControl().idleHeartbeat(1_000));
        let count = 0;
        for await (const _ of pushed) if (++count === MESSAGES) break;
        assert.equal(count, MESSAGES);
      });
    }

    it("lets no site send flow control or acknowledgements to another one, or hear those of another", async () => {
      const operator = (site: Site) => fleet.connect(fleet.site(site), "operator");
      const hub = await fleet.connect(fleet.hub, "operator");
      const clients = {
        "site oslo": await operator("oslo"),
        "site bergen": await operator("bergen"),
        "account OSLO": await fleet.onHub("oslo", "operator"),
        "account BERGEN": await fleet.onHub("bergen", "operator"),
        "account HUB": hub,
      };
      const heard = new Set<string>();
      for (const [where, client] of Object.entries(clients)) {
        for (const subject of ["$JS.FC.>", "$JS.ACK.>"])
          client.subscribe(subject, {
            callback: (_, { data }) => data.length > 0 && heard.add(`${new TextDecoder().decode(data)}: ${where}`),
          });
        await client.flush();
      }
      const ofBergen = (kind: string) => [`$JS.${kind}.ALARMS_BERGEN.c.1`, `$JS.${kind}.bergen.h.ALARMS_BERGEN.c.1`];
      const forged = [...ofBergen("FC"), ...ofBergen("ACK").map((subject) => `${subject}.1.1.1.1`)];
      for (const attacker of ["site oslo", "account OSLO"] as const) {
        for (const subject of forged) clients[attacker].publish(subject, attacker);
        await clients[attacker].flush();
      }
      // What comes after it over the same link has arrived: so would have the forged.
      const { seq } = await applications.get("oslo")!.jetstream().publish("events.after", "");
      await until("the link carried what came after", async () => {
        const source = sourceInfoOf(await fleet.collected("oslo"), "oslo");
        return (source?.seq ?? 0) >= seq;
      });
      for (const [form, subject] of ofBergen("FC").entries()) hub.publish(subject, `control of v${form + 1}`);
      await until("the site hears the hub in both forms", () =>
        [1, 2].every((form) => heard.has(`control of v${form}: site bergen`)),
      );
      for (const client of Object.values(clients)) await client.flush();
      assert.deepEqual([...heard].sort(), [
        "account OSLO: account OSLO",
        "account OSLO: site oslo",
        ...[1, 2].flatMap((form) =>
          ["account BERGEN", "account HUB", "site bergen"].map((where) => `control of v${form}: ${where}`),
        ),
        "site oslo: site oslo",
      ]);
    });
  });

  describe("with the rights of the first form only", () => {
    const linksOf = async () =>
      (await Promise.all(SITES.map((site) => fleet.links(site)))).flat().map(({ id, name }) => `${name} ${id}`);

    before(async () => {
      await whileStopped(fleet.hub.folder, () => writeEarlierRights(fleet));
      await burst("earlier");
    });

    it("stalls from a site of the second form into a merged stream", async () => {
      for (const site of OF_SECOND_FORM) {
        await until("the source is stalled", async () => {
          const source = sourceInfoOf(await fleet.collected(site, "ALARMS"), site);
          return source?.error?.err_code === 10228;
        });
        assert.ok((await arrived("earlier", site, "ALARMS")) < MESSAGES);
      }
    });

    it("goes on everywhere else", async () => {
      for (const site of SITES) await arrives("earlier", site, "EVENTS");
      await arrives("earlier", "oslo", "ALARMS");
    });

    it("is found by the smoke test, with the rights that are missing, at no site that needs none of them", async () => {
      await assert.rejects(fleet.proveImpatiently(), ({ message }: Error) => {
        assert.match(message, /BERGEN does not export the service \$JS\.FC\.bergen\.\*\.ALARMS_BERGEN\.>/);
        assert.doesNotMatch(message, /OSLO does not export/);
        return true;
      });
    });

    it("goes on where it stalled, once the hub was reloaded with the rights of both forms", async () => {
      const before = await linksOf();
      await applyHub(new LocalFiles(fleet.hub.folder), { url: fleet.hub.url, seed: fleet.hub.seeds.system });
      assert.deepEqual(await linksOf(), before);
      for (const site of OF_SECOND_FORM) await arrives("earlier", site, "ALARMS");
    });
  });
});

describe("a fleet that was deployed before the second form of flow control", function () {
  this.timeout(120_000);

  it("is updated by a reload of the hub alone: no link drops, no message is lost", async () => {
    await using fleet = await TestFleet.deploy({ streams: STREAMS });
    await writeEarlierRights(fleet);
    await reload(await fleet.system());
    const state = async () => ({
      pids: [fleet.hub, fleet.site("oslo"), fleet.site("bergen")].map(({ folder }) => pidOf(folder)),
      links: [...(await fleet.links("oslo")), ...(await fleet.links("bergen"))].map(({ id }) => id),
    });
    const before = await state();
    assert.deepEqual(await fleet.preview(), {
      changes: ["hub"],
      reports: ["hub: up reloads the hub: this version of the program writes another configuration; links stay"],
    });

    const application = await fleet.application("oslo");
    const texts = textsFrom(1, 2_000);
    const publishing = publishAll(application, "alarms.during", texts);
    await fleet.up();
    await publishing;
    assert.deepEqual(await state(), before);
    const js = await fleet.atHub("oslo", "ALARMS");
    const count = async () => (await js.subjects("ALARMS", "oslo.alarms.during"))["oslo.alarms.during"];
    await until("all is on the hub", async () => (await count())! >= texts.length);
    assert.equal(await count(), texts.length);
    assert.deepEqual((await fleet.preview()).changes, []);
    await fleet.prove();
  });
});
