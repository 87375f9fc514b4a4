import assert from "node:assert/strict";
import { declareHub, declareHubLink, declareLeaf } from "../../../../configs/plan/declare";
import { publicKeyOf } from "../../../../configs/keys";
import { planHub } from "../../../../configs/plan/plan-hub";
import { planLeaf } from "../../../../configs/plan/plan-leaf";
import { render } from "../../../../configs/format/render";
import { RawSettings } from "../../../../configs/settings";
import { describeConfigFinding } from "../../../../diagnosis/files/finding";
import { CONFIG_FINDINGS } from "../../../../diagnosis/files/reference";
import { ACCOUNT_SEED, HUB, LEAF, OTHER_SEED, SEED, edited, judged } from "../../../support/fleets/hand-written";
import { newKey, newSeed, settingsOf } from "../../../support/rules/settings";
import { texts } from "./edits";
import { MISTAKES } from "./rules.cases";
import { FINE } from "./rules.fine";

const codes = (files: Readonly<Record<string, string>>, named?: Readonly<Record<string, string>>): string[] =>
  judged(files, named).findings.map(({ code }) => code);

describe("files written by hand", () => {
  for (const [what, mistake] of Object.entries(MISTAKES)) {
    it(`${what}: ${mistake.finds.join(", ")}`, () => {
      const { findings } = judged(texts(mistake), mistake.named);
      assert.deepEqual(findings.map(({ code }) => code).sort(), [...mistake.finds].sort());
      const first = findings.find(({ code }) => code === mistake.finds[0]);
      if (mistake.where !== undefined) assert.match(first!.where, mistake.where);
      if (mistake.evidence !== undefined) assert.match(first!.evidence, mistake.evidence);
    });
  }

  for (const [what, files] of Object.entries(FINE)) {
    it(`${what}: nothing`, () => {
      assert.deepEqual(judged(texts(files), files.named).findings, []);
    });
  }

  it("have a mistake here for every finding", () => {
    const found = new Set(Object.values(MISTAKES).flatMap(({ finds }) => finds));
    // What real servers say is in the tests of the command.
    const ofServers = [
      "server-refuses",
      "start-refused",
      "link-refused",
      "sourcing-failed",
      "file-missing",
      "cluster-incomplete",
    ];
    assert.deepEqual(
      Object.keys(CONFIG_FINDINGS).filter((code) => !found.has(code as never) && !ofServers.includes(code)),
      [],
    );
  });

  it("never show a seed, whichever mistake", function () {
    this.timeout(60_000); // All mistakes, one after the other.

    for (const mistake of Object.values(MISTAKES)) {
      const said = JSON.stringify(judged(texts(mistake), mistake.named));
      for (const seed of [SEED, OTHER_SEED, ACCOUNT_SEED]) assert.ok(!said.includes(seed.slice(0, 30)), said);
    }
  });

  it("are named in the order of files and lines", () => {
    const leaf = edited(LEAF, [
      ["nkey:", "credentials:"],
      [/ +account: SITE\n/, ""],
    ]);
    const hub = edited(HUB, [["system_account", "no_auth_user: hub\nsystem_account"]]);
    assert.deepEqual(
      judged({ "leaf.conf": leaf, "hub.conf": hub }).findings.map(({ where }) => where),
      ["leaf.conf:17", "leaf.conf:19", "hub.conf:45"],
    );
  });

  it("are an error where the mistake of one name cuts links off", () => {
    const second = edited(LEAF, [
      ["4223", "4224"],
      ["8223", "8224"],
      ["/data/leaf-a", "/data/leaf-b"],
      ["domain: site-a", "domain: site-b"],
    ]);
    const hub = edited(HUB, [['site-a.API.CONSUMER.>", "$JS.FC', '*.API.CONSUMER.>", "$JS.FC']]);
    const severities = judged({ "hub.conf": hub, "leaf.conf": LEAF, "second.conf": second }).findings.map(
      ({ code, severity }) => `${severity} ${code}`,
    );
    assert.deepEqual(severities, ["error server-name-doubled"]);
  });

  it("are a warning where two servers of one name do not meet", () => {
    const leaf = edited(LEAF, [["server_name: leaf-a", "server_name: hub"]]);
    const [finding, ...more] = judged({ "hub.conf": HUB, "leaf.conf": leaf }).findings;
    assert.deepEqual([finding?.code, finding?.severity, more], ["server-name-doubled", "warning", []]);
  });

  it("are shown with place, cause, evidence and what to do next", () => {
    const [finding] = judged({ "leaf.conf": edited(LEAF, [["nkey:", "credentials:"]]) }).findings;
    assert.equal(
      describeConfigFinding(finding!),
      [
        "leaf.conf:20: error in the configuration of leaf-a",
        "  cause     the nkey seed is in the leaf remote's 'credentials', which is the path of a JWT credentials file (nats-server issue 6723)",
        "  evidence  credentials holds SU…(masked)",
        "  next      put the seed in 'nkey' and remove 'credentials'; if the server ran with it, it has logged the seed in plain text: make a new key  [seed-in-credentials]",
        "  see       docs/findings.md#config-seed-in-credentials",
      ].join("\n"),
    );
  });
});

describe("the pairing of files written by hand", () => {
  it("takes the only hub for what a remote dials, and says so", () => {
    const { findings, notes } = judged({
      "hub.conf": edited(HUB, [["127.0.0.1:7422", "0.0.0.0:17422"]]),
      "leaf.conf": LEAF,
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(notes, [
      "leaf.conf:17: nats-leaf://127.0.0.1:7422 is assumed to be hub.conf, which listens at 17422: it is the only hub among the files",
    ]);
  });

  it("chooses among hubs by their ports", () => {
    const other = edited(HUB, [
      ["7422", "7423"],
      ["server_name: hub", "server_name: other"],
      [/nkey: U\w+/, `nkey: ${newKey()}`],
    ]);
    assert.deepEqual(judged({ "other.conf": other, "hub.conf": HUB, "leaf.conf": LEAF }), { findings: [], notes: [] });
  });

  it("chooses among hubs of one port by their hosts", () => {
    const other = edited(HUB, [
      ["server_name: hub", "server_name: other"],
      [/nkey: U\w+/, `nkey: ${newKey()}`],
      ["127.0.0.1:7422", "10.0.0.9:7422"],
    ]);
    assert.deepEqual(judged({ "other.conf": other, "hub.conf": HUB, "leaf.conf": LEAF }), { findings: [], notes: [] });
  });

  it("judges one end alone, and says so", () => {
    const { findings, notes } = judged({ "leaf.conf": LEAF });
    assert.deepEqual(findings, []);
    assert.deepEqual(notes, [
      "leaf.conf:17: the hub at nats-leaf://127.0.0.1:7422 is not among the files, so only this end was checked",
    ]);
  });

  for (const scheme of ["tls", "wss"]) {
    it(`takes ${scheme}:// for TLS where the hub is not seen`, () => {
      const leaf = edited(LEAF, [["nats-leaf://127.0.0.1:", `${scheme}://hub.example.com:`]]);
      assert.deepEqual(judged({ "leaf.conf": leaf }).findings, []);
    });
  }

  it("says that accounts in JWTs are not judged", () => {
    const { notes } = judged(texts(FINE["operators at both ends"]!), FINE["operators at both ends"]!.named);
    assert.ok(notes.includes("hub.conf: its accounts and users are in JWTs, and were not checked"), notes.join("\n"));
  });

  it("says when no file has anything to do with leaf links", () => {
    assert.match(judged({ "a.conf": "port: 4222" }).notes.join(), /no file configures a hub .* or a leaf server/);
  });

  it("shows no password of a url", () => {
    const leaf = edited(LEAF, [
      [/nkey: SU.*/, ""],
      ["nats-leaf://", "nats-leaf://leaf:hidden@"],
    ]);
    assert.ok(!JSON.stringify(judged({ "leaf.conf": leaf })).includes("hidden"));
  });
});

describe("what this program renders, judged as if it were written by hand", () => {
  const PORTS = { client: 4222, leafnodes: 7422, monitor: 8222 };
  const STREAMS = { streams: [{ name: "EVENTS", subjects: ["events.>"] }] };
  const MERGED = { streams: [{ name: "EVENTS", subjects: ["events.>"], collect: { mode: "merged" as const } }] };

  function rendered(raw: RawSettings): Record<string, string> {
    const settings = settingsOf({ sites: [{ name: "oslo" }, { name: "bergen" }], ...raw });
    const keys = { system: newKey(), operator: newKey(), reader: newKey(), application: newKey() };
    const seeds = new Map(settings.sites.map(({ name }) => [name, newSeed()]));
    const links = settings.sites.map((site) =>
      declareHubLink(settings, site, {
        operator: newKey(),
        reader: newKey(),
        link: publicKeyOf(seeds.get(site.name)!),
      }),
    );
    const hub = planHub(declareHub(settings, keys, PORTS), links, { store: "/srv/hub" });
    const leaves = settings.sites.map((site, index) => {
      const ports = { client: 5000 + index, monitor: 6000 + index };
      const declared = declareLeaf(settings, site, keys, ports, "nats-leaf://127.0.0.1:7422");
      return [`${site.name}.conf`, render(planLeaf(declared, seeds.get(site.name)!, { store: `/srv/${site.name}` }))];
    });
    return { "hub.conf": render(hub), ...(Object.fromEntries(leaves) as Record<string, string>) };
  }

  const RENDERED: Readonly<Record<string, RawSettings>> = {
    "a stream for each site": STREAMS,
    "a merged stream": MERGED,
    "a stream for each site, with TLS": { ...STREAMS, links: { tls: "generated" } },
    "a merged stream, with TLS": { ...MERGED, links: { tls: "generated" } },
    "no streams": {},
  };
  for (const [what, raw] of Object.entries(RENDERED)) {
    it(`${what}: nothing`, () => {
      assert.deepEqual(judged(rendered(raw)), { findings: [], notes: [] });
    });
  }

  it("a site with its seed in credentials: that alone", () => {
    const files = rendered(STREAMS);
    assert.deepEqual(
      codes({ ...files, "oslo.conf": edited(files["oslo.conf"]!, [['nkey: "SU', 'credentials: "SU']]) }),
      ["seed-in-credentials"],
    );
  });
});
