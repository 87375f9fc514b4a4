import assert from "node:assert/strict";
import { fromSeed } from "@nats-io/nkeys";
import { declareHub, declareHubLink, declareLeaf } from "../../../../configs/plan/declare";
import { planHub } from "../../../../configs/plan/plan-hub";
import { planLeaf } from "../../../../configs/plan/plan-leaf";
import { render } from "../../../../configs/format/render";
import { LeafRemotes } from "../../../../configs/server-config";
import { SiteSettings } from "../../../../configs/settings";
import { siteStreamConfig, sourceOf } from "../../../../configs/streams";
import { covers } from "../../../../configs/subjects";
import { newKey, newSeed, settingsOf } from "../../../support/rules/settings";

const settings = settingsOf({
  hub: { maxPayload: "2MiB", maxFile: "5GiB", maxMemory: "100MiB", logs: { keep: 5 } },
  sites: [{ name: "oslo-2", rotation: 4, quota: "1GiB", reconnect: "250ms", syncInterval: "10s" }, { name: "bergen" }],
  streams: [
    { name: "EVENTS", subjects: ["events.>"] },
    { name: "LOGS", subjects: ["logs.*", "traces.*.>"], collect: { mode: "merged" } },
  ],
});
const PATHS = { store: "/store", log: "/log" };
const publicKeyOf = (seed: string): string => fromSeed(new TextEncoder().encode(seed)).getPublicKey();

const hub = declareHub(
  settings,
  { system: newKey(), operator: newKey(), reader: newKey() },
  { client: 4222, leafnodes: 7422, monitor: 8222 },
);
const ends = settings.sites.map((site: SiteSettings) => {
  const seed = newSeed();
  const keys = { operator: newKey(), reader: newKey() };
  return {
    site,
    seed,
    link: declareHubLink(settings, site, { ...keys, link: publicKeyOf(seed) }),
    leaf: planLeaf(
      declareLeaf(
        settings,
        site,
        { system: newKey(), operator: newKey(), application: newKey() },
        { client: 4223, monitor: 8223 },
        "nats-leaf://127.0.0.1:7422",
      ),
      seed,
      PATHS,
    ),
  };
});
const hubConfig = planHub(
  hub,
  ends.map(({ link }) => link),
  PATHS,
);

describe("the declarations", () => {
  it("of the hub show what restarts it and what reloads it", () => {
    assert.deepEqual(Object.keys(hub.restart), ["name", "host", "ports", "syncInterval", "logs"]);
    assert.deepEqual(Object.keys(hub.reload), ["limits", "maxPayload", "merged", "keys"]);
  });

  it("of the hub carry its settings", () => {
    assert.deepEqual(hub.restart.logs, { sizeLimit: 16 * 2 ** 20, keep: 5 });
    assert.deepEqual(hub.reload.limits, { maxFile: 5 * 2 ** 30, maxMemory: 100 * 2 ** 20 });
    assert.equal(hub.reload.maxPayload, 2 * 2 ** 20);
  });

  it("of a link carry the rotation and the site's names of the merged streams", () => {
    const [{ link }] = ends as [(typeof ends)[number]];
    assert.equal(link.rotation, 4);
    assert.deepEqual(link.merged, ["LOGS_OSLO_2"]);
  });

  it("of a site carry its settings", () => {
    const { leaf } = ends[0]!;
    assert.equal(leaf.jetstream.sync_interval, "10s");
    assert.equal(leaf.jetstream.max_file_store, 2 ** 30);
    assert.equal((leaf.leafnodes as LeafRemotes).reconnect, "250ms");
  });

  it("of the hub do not change when a site comes that merges nothing", () => {
    const before = settingsOf({ sites: [{ name: "oslo" }] });
    const after = settingsOf({ sites: [{ name: "oslo" }, { name: "bergen" }] });
    assert.deepEqual(declareHub(after, {}, {}), declareHub(before, {}, {}));
  });

  it("of a site's link do not change when another site comes", () => {
    const more = { ...settings, sites: [...settings.sites, { ...settings.sites[0]!, name: "tromso" }] };
    assert.deepEqual(declareHubLink(more, more.sites[0]!, {}), declareHubLink(settings, settings.sites[0]!, {}));
  });

  it("hold what a preview does not know yet without looking at it", () => {
    const unknown = Symbol("unknown");
    assert.equal(declareLeaf(settings, settings.sites[0]!, unknown, unknown, unknown).reload.hubUrl, unknown);
  });
});

describe("both ends of a leaf link", () => {
  for (const { site, seed, leaf } of ends) {
    const [remote] = (leaf.leafnodes as LeafRemotes).remotes;
    const account = hubConfig.accounts[remote!.account]!;

    describe(`of ${site.name}`, () => {
      it("name one account, which both have", () => {
        assert.ok(account !== undefined && Object.hasOwn(leaf.accounts, remote!.account));
      });

      it("name one key: its seed at the site, its public key in that account of the hub", () => {
        const leafUsers = account.users.filter((user) => user.allowed_connection_types?.includes("LEAFNODE"));
        assert.deepEqual(
          leafUsers.map(({ nkey }) => nkey),
          [publicKeyOf(seed)],
        );
      });

      it("have different domains", () => {
        assert.notEqual(leaf.jetstream.domain, hubConfig.jetstream.domain);
      });

      it("agree on the link's address", () => {
        assert.deepEqual(remote!.urls, ["nats-leaf://127.0.0.1:7422"]);
        assert.equal("listen" in hubConfig.leafnodes && hubConfig.leafnodes.listen, "127.0.0.1:7422");
      });

      for (const stream of settings.streams) {
        const source = sourceOf(stream, site.name);

        it(`agree on the domain that the hub's stream ${stream.name} asks`, () => {
          assert.equal(source.external.api, `$JS.${leaf.jetstream.domain}.API`);
        });

        it(`agree on the site's stream that the hub's stream ${stream.name} sources`, () => {
          assert.equal(source.name, siteStreamConfig(stream, site.name, "dev").name);
        });

        it(`let the request for stream ${stream.name} over the link`, () => {
          const [{ permissions }] = account.users as [(typeof account.users)[number]];
          const request = `${source.external.api}.CONSUMER.CREATE.${source.name}`;
          assert.ok(permissions!.subscribe!.allow!.some((pattern) => covers(pattern, request)));
        });

        if (stream.collect.mode === "merged") {
          it(`let the messages of stream ${stream.name} over the link and into the account HUB`, () => {
            const delivered = `${source.external.deliver}.x`;
            const [{ permissions }] = account.users as [(typeof account.users)[number]];
            assert.ok(permissions!.publish!.allow!.some((pattern) => covers(pattern, delivered)));
            const imports = hubConfig.accounts.HUB!.imports ?? [];
            assert.ok(
              imports.some(
                (given) =>
                  "stream" in given &&
                  given.stream.account === remote!.account &&
                  covers(given.stream.subject, delivered),
              ),
            );
          });

          it(`let the flow control of stream ${stream.name} through, in both forms`, () => {
            const exported = account.exports!.flatMap((given) => ("service" in given ? [given.service] : []));
            assert.ok(exported.includes(`$JS.FC.${source.name}.>`));
            assert.ok(exported.includes(`$JS.FC.${leaf.jetstream.domain}.*.${source.name}.>`));
          });
        }

        it(`keep the site's application from changing stream ${stream.name}`, () => {
          const [application] = leaf.accounts[remote!.account]!.users;
          const denied = application!.permissions!.publish!.deny!;
          assert.ok(denied.includes(`$JS.API.STREAM.DELETE.${source.name}`));
        });
      }

      it("share no other key", () => {
        const keysOf = (accounts: typeof leaf.accounts) =>
          Object.values(accounts).flatMap(({ users }) => users.map(({ nkey }) => nkey));
        const hubs = new Set(keysOf(hubConfig.accounts));
        assert.deepEqual(
          keysOf(leaf.accounts).filter((key) => hubs.has(key)),
          [],
        );
      });
    });
  }

  it("give each site another key and account", () => {
    const remotes = ends.map(({ leaf }) => (leaf.leafnodes as LeafRemotes).remotes[0]!);
    assert.equal(new Set(remotes.map(({ nkey }) => nkey)).size, 2);
    assert.equal(new Set(remotes.map(({ account }) => account)).size, 2);
  });

  it("keep every seed out of the hub's configuration", () => {
    for (const { seed } of ends) assert.ok(!render(hubConfig).includes(seed));
  });
});
