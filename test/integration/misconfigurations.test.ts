import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { parse } from "../../configs/parse";
import { render } from "../../configs/render";
import { AccountConfig, LeafRemotes, ServerConfig, UserConfig } from "../../configs/server-config";
import { RawSettings } from "../../configs/settings";
import { siteApi } from "../../configs/streams";
import { concurrently } from "../support/concurrently";
import { codesOf, findingsOf, provenOf } from "../support/findings";
import { TestFleet, TestServer } from "../support/fleet";
import { restartWith, stopServer } from "../support/servers";
import { newSeed } from "../support/settings";
import { until } from "../support/until";

/**
 * Every mistake is made on real servers of a fleet of its own, beside a healthy site. Then the smoke test names it and
 * still proves the healthy site, the cure that it names is applied, and the smoke test passes.
 */

interface Mistake {
  it: string;
  settings?: RawSettings;
  make(fleet: TestFleet): Promise<void>;
  /** All findings, `site: code`. */
  finds: string[];
  /** What is true of the evidence of every finding about oslo. */
  evidence: RegExp;
  cause?: RegExp;
}

const MERGED: RawSettings = {
  streams: [
    { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
  ],
};

const oslo = (fleet: TestFleet): TestServer => fleet.site("oslo");

/** Changes the server's configuration file, read as what it says, and restarts the server with it. */
const misconfigure = (server: TestServer, change: (config: ServerConfig) => void): Promise<void> =>
  restartWith(server.folder, (text) => {
    const config = parse(text) as unknown as ServerConfig;
    change(config);
    return render(config);
  });

const remoteOf = ({ leafnodes }: ServerConfig) => (leafnodes as LeafRemotes).remotes[0]!;

const linkUser = ({ users }: AccountConfig): UserConfig =>
  users.find((user) => user.allowed_connection_types?.includes("LEAFNODE"))!;

/** Takes the link's user out of its account on the hub. */
function takeLinkUser(config: ServerConfig, account: string): UserConfig {
  const { users } = config.accounts[account]!;
  const [user] = users.splice(users.indexOf(linkUser(config.accounts[account]!)), 1);
  return user!;
}

/** Lets the hub's link users of a site subscribe to these subjects only. */
const allowOnly = (fleet: TestFleet, account: string, subscribe: string[]): Promise<void> =>
  misconfigure(fleet.hub, (config) => {
    linkUser(config.accounts[account]!).permissions!.subscribe = { allow: subscribe };
  });

const linked = (fleet: TestFleet, ...sites: string[]) =>
  until(`${sites.join(", ")} linked`, async () => {
    const links = await Promise.all(sites.map((site) => fleet.links(site)));
    return links.every((ofSite) => ofSite.length > 0);
  });

const MISTAKES: Mistake[] = [
  {
    it: "a site whose server is down",
    make: (fleet) => stopServer(oslo(fleet).folder),
    finds: ["oslo: site-down"],
    evidence: /^nats:\/\/127\.0\.0\.1:\d+: .*REFUSED/,
  },
  {
    it: "a hub that is down",
    make: (fleet) => stopServer(fleet.hub.folder),
    finds: ["bergen: hub-down", "oslo: hub-down"],
    evidence: /^nats:\/\/127\.0\.0\.1:\d+: .*REFUSED/,
  },
  {
    it: "a site that dials a port where nobody listens",
    make: (fleet) =>
      restartWith(oslo(fleet).folder, (text) =>
        text.replace(/nats-leaf:\/\/127\.0\.0\.1:\d+/, "nats-leaf://127.0.0.1:1"),
      ),
    finds: ["oslo: link-down"],
    evidence: /hub \/leafz has no oslo; the site dials nats-leaf:\/\/127\.0\.0\.1:1; .*refused/,
  },
  {
    it: "a site that dials the hub's client port",
    make: (fleet) =>
      misconfigure(oslo(fleet), (config) => (remoteOf(config).urls = [fleet.hub.url.replace("nats:", "nats-leaf:")])),
    finds: ["oslo: link-down"],
    evidence: /hub \/leafz has no oslo; .*wrong port/,
  },
  {
    it: "a hub whose leafnode port cannot be reached",
    make: (fleet) =>
      misconfigure(fleet.hub, (config) => ((config.leafnodes as { listen: string }).listen = "127.0.0.1:-1")),
    finds: ["bergen: link-down", "oslo: link-down"],
    evidence: /hub \/leafz has no oslo; the site dials nats-leaf:\/\/127\.0\.0\.1:\d+/,
  },
  {
    it: "a site with a key that the hub does not know",
    make: (fleet) => misconfigure(oslo(fleet), (config) => (remoteOf(config).nkey = newSeed())),
    finds: ["oslo: wrong-key"],
    evidence: /its remote has key U\w{55}, declared is U\w{55}; links on the hub: none/,
  },
  {
    it: "a key that stands in another account of the hub",
    make: async (fleet) => {
      await misconfigure(fleet.hub, ({ accounts, ...rest }) => {
        accounts.HUB!.users.push(takeLinkUser({ accounts, ...rest }, "OSLO"));
        accounts.HUB!.jetstream = { max_mem: 0, max_file: 1e6 };
      });
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: wrong-account-on-hub"],
    evidence: /^hub \/leafz: oslo -> HUB$/,
    cause: /the hub put the link in account HUB, not OSLO/,
  },
  {
    it: "a site without a key, let in by the hub's no_auth_user",
    make: async (fleet) => {
      await restartWith(fleet.hub.folder, (text) =>
        `no_auth_user: anon\n${text}`.replace(
          /^accounts: \{$/m,
          "accounts: {\n  ANON: { users: [{user: anon, password: anon}] }",
        ),
      );
      await restartWith(oslo(fleet).folder, (text) => text.replace(/^.*nkey: "SU.*$/m, ""));
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: isolation-broken", "oslo: wrong-account-on-hub"],
    evidence: /^hub \/leafz: oslo -> ANON$|^nats-leaf:\S+ kept the link$/,
  },
  {
    it: "a leaf remote without an account",
    make: async (fleet) => {
      await misconfigure(
        oslo(fleet),
        (config) => delete (remoteOf(config) as Partial<LeafRemotes["remotes"][number]>).account,
      );
      await linked(fleet, "oslo");
    },
    finds: ["oslo: wrong-account-at-site"],
    evidence: /^site \/leafz: \$G; account in the remote: none$/,
  },
  {
    it: "a seed in the field 'credentials' (nats-server issue 6723)",
    make: (fleet) => restartWith(oslo(fleet).folder, (text) => text.replace('nkey: "SU', 'credentials: "SU')),
    finds: ["oslo: seed-in-credentials"],
    evidence: /credentials holds a seed; links on the hub: none/,
  },
  {
    it: "a bare seed in a credentials file",
    make: (fleet) => {
      const file = join(oslo(fleet).folder, "oslo.creds");
      writeFileSync(file, `${oslo(fleet).seeds.link}\n`, { mode: 0o600 });
      return restartWith(oslo(fleet).folder, (text) => text.replace(/nkey: "SU\w+"/, `credentials: "${file}"`));
    },
    finds: ["oslo: seed-in-credentials"],
    evidence: /credentials holds a file that holds a bare seed; links on the hub: none/,
  },
  {
    it: "a site with another JetStream domain",
    make: async (fleet) => {
      await misconfigure(oslo(fleet), (config) => (config.jetstream.domain = "trondheim"));
      await linked(fleet, "oslo");
    },
    finds: ["oslo: wrong-domain"],
    evidence: /domains: site 'trondheim', hub 'hub'; the hub asks for '\$JS\.oslo\.API'/,
  },
  {
    it: "a site with the JetStream domain of the hub",
    make: async (fleet) => {
      await misconfigure(oslo(fleet), (config) => (config.jetstream.domain = "hub"));
      await linked(fleet, "oslo");
    },
    finds: ["oslo: equal-domains"],
    evidence: /domains: site 'hub', hub 'hub'; the hub asks for '\$JS\.oslo\.API'/,
  },
  {
    it: "a site that lacks its stream",
    make: async (fleet) => (await fleet.atSite("oslo")).deleteStream("EVENTS"),
    finds: ["oslo: stream-missing-at-site"],
    evidence: /\$JS\.API\.STREAM\.INFO\.EVENTS at the site: stream not found/,
  },
  {
    it: "a hub that lacks the stream of a site",
    make: async (fleet) => (await fleet.atHub("oslo")).deleteStream("EVENTS"),
    finds: ["oslo: stream-missing-on-hub"],
    evidence: /JetStream of the hub: stream not found/,
    cause: /the hub has no stream OSLO\/EVENTS/,
  },
  {
    it: "a hub stream that sources nothing",
    make: async (fleet) => {
      await (await fleet.atHub("oslo")).setSources(await fleet.collected("oslo"), []);
    },
    finds: ["oslo: source-missing"],
    evidence: /its sources name no stream of the site/,
  },
  {
    it: "a hub stream that asks where no site answers",
    make: async (fleet) => {
      const source = { name: "EVENTS", external: { api: siteApi("trondheim"), deliver: "" } };
      await (await fleet.atHub("oslo")).setSources(await fleet.collected("oslo"), [source]);
    },
    finds: ["oslo: source-wrong-api"],
    evidence: /external\.api '\$JS\.trondheim\.API', declared '\$JS\.oslo\.API'/,
  },
  {
    it: "a link that must not carry the source's requests",
    make: async (fleet) => {
      await allowOnly(fleet, "OSLO", ["$JS.FC.>"]);
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: source-never-active"],
    evidence: /source EVENTS: active never, lag 0/,
  },
  {
    it: "a link that must not carry flow control: small probes pass, the burst stalls",
    make: async (fleet) => {
      await allowOnly(fleet, "OSLO", ["$JS.oslo.API.CONSUMER.>"]);
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: flow-control-blocked"],
    evidence: /^(?<arrived>[12]\d) of 28 probes arrived, the rest of the burst did not|10228/,
  },
  {
    it: "a site whose stream was changed by hand and takes no probes",
    make: async (fleet) => {
      const js = await fleet.atSite("oslo");
      const { config } = (await js.stream("EVENTS"))!;
      await js.updateStream({ ...config, subjects: ["events.>"] });
    },
    finds: ["oslo: probe-failed"],
    evidence: /^the site's stream EVENTS did not acknowledge _probe\.EVENTS\.\w+: /,
  },
  {
    it: "a link that carries more than sourcing needs",
    make: async (fleet) => {
      await misconfigure(fleet.hub, ({ accounts }) => delete linkUser(accounts.OSLO!).permissions);
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: isolation-broken"],
    evidence: /^\$JS\.hub\.API\.STREAM\.NAMES was answered$/,
    cause: /JetStream of 'hub' from the site's application succeeded/,
  },
  {
    it: "two sites in one account of the hub",
    make: async (fleet) => {
      await misconfigure(fleet.hub, (config) => {
        config.accounts.OSLO!.users.push(takeLinkUser(config, "BERGEN"));
        for (const user of config.accounts.OSLO!.users) delete user.permissions;
      });
      await linked(fleet, "oslo", "bergen");
    },
    finds: [
      "bergen: isolation-broken",
      "bergen: isolation-broken",
      "bergen: isolation-broken",
      "bergen: wrong-account-on-hub",
      "oslo: isolation-broken",
      "oslo: isolation-broken",
      "oslo: isolation-broken",
    ],
    evidence: /answered/,
  },
  {
    it: "a hub that does not let flow control through to a merged stream",
    settings: MERGED,
    make: async (fleet) => {
      await misconfigure(fleet.hub, ({ accounts }) => {
        const { exports = [] } = accounts.OSLO!;
        const { imports = [] } = accounts.HUB!;
        accounts.OSLO!.exports = exports.filter((one) => !("service" in one && one.service.startsWith("$JS.FC.")));
        accounts.HUB!.imports = imports.filter(
          (one) => !("service" in one && one.service.subject.startsWith("$JS.FC.EVENTS_OSLO")),
        );
      });
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: flow-control-blocked"],
    evidence: /^(?<arrived>[12]\d) of 28 probes arrived, the rest of the burst did not|10228/,
  },
  {
    it: "a link that must not deliver to a merged stream",
    settings: MERGED,
    make: async (fleet) => {
      await misconfigure(fleet.hub, ({ accounts }) => {
        const { publish } = linkUser(accounts.OSLO!).permissions!;
        publish!.allow = publish!.allow!.filter((subject) => !subject.startsWith("_source."));
      });
      await linked(fleet, "oslo", "bergen");
    },
    finds: ["oslo: source-never-active"],
    evidence: /source EVENTS_OSLO: active \d+ ms ago, and it never took a message/,
    cause: /nothing of what it delivers arrives/,
  },
];

describe("misconfigurations", function () {
  this.timeout(120_000);

  async function findAndCure({ settings, make, finds }: Mistake) {
    await using fleet = await TestFleet.deploy(settings);
    const healthy = ["bergen", "oslo"].filter((site) => !finds.some((finding) => finding.startsWith(`${site}: `)));
    await make(fleet);
    const findings = await findingsOf(fleet);
    const proven = healthy.filter((site) => provenOf(fleet, site).length > 0);
    await fleet.up();
    const rows = await fleet.prove();
    return { findings, healthy, proven, rows };
  }

  let outcomes: ReturnType<typeof findAndCure>[] = [];
  before(() => {
    outcomes = concurrently(
      3,
      MISTAKES.map((mistake) => () => findAndCure(mistake)),
    );
  });

  MISTAKES.forEach((mistake, i) => {
    it(`finds ${mistake.it}`, async () => {
      const { findings, healthy, proven, rows } = await outcomes[i]!;
      assert.deepEqual(codesOf(findings), mistake.finds, JSON.stringify(findings, null, 2));
      for (const { cause, evidence } of findings.filter(({ site }) => site === "oslo")) {
        assert.match(evidence, mistake.evidence);
        assert.match(cause, mistake.cause ?? /./);
      }
      assert.deepEqual(proven, healthy, "sites without a mistake are proven in the same run");
      assert.deepEqual(
        rows.map(({ site, status }) => `${site} ${status}`),
        ["oslo proven", "bergen proven"],
        "the cure works",
      );
    });
  });

  it("finds a step that failed: another program on a site's port", async () => {
    const other = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    try {
      await using fleet = await TestFleet.deploy({
        sites: [{ name: "oslo", ports: { client: port } }, { name: "bergen" }],
      });
      const [finding, ...more] = await findingsOf(fleet);
      assert.deepEqual(codesOf([finding!, ...more]), ["oslo: step-failed"]);
      assert.match(
        finding!.cause,
        new RegExp(`port ${port} \\(client\\) is taken by a process that this program did not start`),
      );
      assert.equal(provenOf(fleet, "bergen").length, 1);
      assert.ok(other.listening, "the other program was left alone");
      other.close();
      await once(other, "close");
      await fleet.up();
      assert.equal((await fleet.prove()).length, 2);
    } finally {
      other.close();
    }
  });

  it("does not take a site that is expected offline for a mistake", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo", expect: "offline" }, { name: "bergen" }] });
    const rows = await fleet.prove();
    assert.deepEqual(
      rows.map(({ site, status, link, messages }) => [site, status, link, messages]),
      [
        ["oslo", "pending", "pending", 0],
        ["bergen", "proven", "up", 28],
      ],
    );
    await fleet.up({ sites: [{ name: "oslo" }, { name: "bergen" }] });
    assert.deepEqual(
      (await fleet.prove()).map(({ status }) => status),
      ["proven", "proven"],
    );
  });
});
