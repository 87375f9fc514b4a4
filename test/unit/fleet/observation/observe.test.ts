import { fromSeed } from "@nats-io/nkeys";
import fc from "fast-check";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { planLeaf } from "../../../../configs/plan/plan-leaf";
import { render } from "../../../../configs/format/render";
import { serverFiles } from "../../../../machine/folders";
import { diagnose, describeFinding } from "../../../../diagnosis/diagnose";
import { observe, readRemote } from "../../../../fleet/observation/observe";
import { newSeed } from "../../../support/rules/settings";
import { closedPort, resourcesOf } from "../../providers/fleet-inputs";
import { inTempFolder } from "../../providers/temp-folder";

const SEED = newSeed();
const KEY = fromSeed(new TextEncoder().encode(SEED)).getPublicKey();
const URL = "nats-leaf://127.0.0.1:7422";
const NO_FILE = () => undefined;

describe("the leaf remote of a configuration file", () => {
  const WANTED = { urls: [URL], account: "OSLO", key: KEY };

  const STYLES: Record<string, string> = {
    "as this program writes it": render(
      planLeaf(resourcesOf("/tmp/x", 7422)["leaf-server"].inputs.declaration, SEED, { store: "/s", log: "/l" }),
    ),
    "on one line": `leafnodes { remotes: [ { url: "${URL}", account: "OSLO", nkey: "${SEED}" } ] }`,
    "on many lines": `leafnodes {\n  remotes = [\n    {\n      urls: [ "${URL}" ]\n      account: OSLO\n      nkey: ${SEED}\n    }\n  ]\n}`,
    "with = between key and value": `leafnodes={remotes=[{url="${URL}",account=OSLO,nkey=${SEED}}]}`,
    "with blanks between key and value": `leafnodes {\nremotes [ { url "${URL}"; account OSLO; nkey ${SEED} } ]\n}`,
    "with comments": `# nkey: SUXXX\nleafnodes { // the link\n remotes [ { # one\n url: "${URL}" # hub\n account: "OSLO"\n nkey: "${SEED}" } ] }`,
    "with quoted keys and single quotes": `"leafnodes": {'remotes': [{"url": '${URL}', "account": 'OSLO', "nkey": '${SEED}'}]}`,
    "with the server's other words": `leaf { remotes: [ { url: "${URL}", local: OSLO, seed: ${SEED} } ] }`,
    "in any case": `LeafNodes { Remotes: [ { URLs: ["${URL}"], Account: OSLO, NKey: ${SEED} } ] }`,
    "among other blocks": `jetstream { domain: oslo }\nleafnodes { reconnect: "50ms", remotes: [ { url: "${URL}", account: OSLO, nkey: ${SEED} }, { url: "nats://x" } ] }\naccounts { OSLO: {} }`,
  };
  for (const [style, text] of Object.entries(STYLES)) {
    it(`is read ${style}`, () => {
      assert.deepEqual(readRemote(text, NO_FILE), WANTED);
    });
  }

  it("is none in a file without remotes", () => {
    for (const text of ["", "port: 4222", "leafnodes { port: 7422 }", "leafnodes { remotes: [] }", "leafnodes: off"]) {
      assert.equal(readRemote(text, NO_FILE), undefined, text);
    }
  });

  it("is no fact when the file makes no sense", () => {
    assert.throws(() => readRemote("leafnodes { remotes: [", NO_FILE), /line 1/);
  });

  it("has no key when the seed in it is damaged", () => {
    assert.deepEqual(
      readRemote(`leafnodes { remotes: [ { url: "${URL}", nkey: "${SEED.slice(0, -1)}" } ] }`, NO_FILE),
      {
        urls: [URL],
      },
    );
  });

  describe("sees what `credentials` holds", () => {
    const kind = (value: string, file?: string) =>
      readRemote(`leafnodes { remotes: [ { url: "${URL}", credentials: "${value}" } ] }`, (path) =>
        path === value ? file : undefined,
      )?.credentials;
    const JWT = `-----BEGIN NATS USER JWT-----\nabc\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${SEED}\n`;

    it("a seed (issue 6723)", () => {
      assert.equal(kind(SEED), "a seed");
    });

    it("the path of a file that holds nothing but a seed", () => {
      assert.equal(kind("/etc/oslo.nk", `${SEED}\n`), "a file that holds a bare seed");
    });

    it("the path of a credentials file", () => {
      assert.equal(kind("/etc/oslo.creds", JWT), "another file");
    });

    it("the path of a file that is not there", () => {
      assert.equal(kind("/etc/none.creds"), "a missing file");
    });

    it("also under the name `creds`", () => {
      assert.equal(
        readRemote(`leafnodes { remotes: [ { url: "${URL}", creds: ${SEED} } ] }`, NO_FILE)?.credentials,
        "a seed",
      );
    });

    it("nothing when there is none", () => {
      assert.equal("credentials" in readRemote(STYLES["on one line"]!, NO_FILE)!, false);
    });
  });

  it("gives away no seed, in whatever field it stands", () => {
    const field = fc.constantFrom(
      "account",
      "local",
      "nkey",
      "seed",
      "credentials",
      "creds",
      "url",
      "urls",
      "tls",
      "x",
    );
    fc.assert(
      fc.property(field, fc.constantFrom("", "nats-leaf://", "nats-leaf://u:"), (name, before) => {
        const seed = newSeed();
        const facts = readRemote(`leafnodes { remotes: [ { ${name}: "${before}${seed}@h:1" } ] }`, () => seed);
        return !JSON.stringify(facts).includes(seed.slice(2));
      }),
    );
  });

  it("shows no login of an address", () => {
    const [url] = readRemote('leafnodes { remotes: [ { url: "nats-leaf://oslo:s3cret@hub:7422" } ] }', NO_FILE)!.urls;
    assert.equal(url, "nats-leaf://hub:7422");
  });
});

describe("what is seen of a site whose servers are gone", () => {
  const temp = inTempFolder();

  async function seen(config?: string, log?: string) {
    const port = await closedPort();
    const { inputs } = resourcesOf(temp.path("dev"), port)["smoke-test"];
    const folder = temp.path("dev", "sites", "oslo");
    const files = serverFiles(folder);
    for (const [file, text] of [
      [files.config, config],
      [files.log, log],
    ] as const) {
      if (text === undefined) continue;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const { operator, link } = inputs.secrets.sites.oslo!;
    return observe({
      access: { site: "oslo", expect: "online", url: inputs.hub.url, hubUrl: inputs.hub.url, operator },
      root: inputs.root,
      place: { kind: "process", folder },
      system: inputs.secrets.system,
      hubDomain: "hub",
      linkSeed: link,
      streams: inputs.streams,
      before: {},
      probes: {},
    });
  }

  it("is that they do not answer; nothing is thrown, and what is unknown is absent", async () => {
    const facts = await seen();
    assert.match(facts.hub.unreachable ?? "", /^nats:\/\/127\.0\.0\.1:\d+: .*REFUSED/);
    assert.deepEqual(facts.streams, [
      { name: "EVENTS", collectedAs: "OSLO/EVENTS", api: "$JS.oslo.API", deliver: "$JS.S" },
    ]);
    assert.deepEqual(facts.leaf.errors, []);
    assert.equal("remote" in facts.leaf, false);
  });

  it("is the remote of the file that is there, and nothing of one that makes no sense", async () => {
    assert.equal((await seen(`leafnodes { remotes: [ { url: "${URL}" } ] }`)).leaf.remote?.urls[0], URL);
    assert.equal((await seen("leafnodes {")).leaf.remote, undefined);
  });

  it("is the errors of its log since its last start, each once, seeds masked", async () => {
    const seed = newSeed();
    const facts = await seen(
      undefined,
      [
        "[1] 2026/01/01 00:00:00.000000 [ERR] of an earlier start",
        "[2] 2026/01/01 00:00:01.000000 [INF] Starting nats-server",
        `[2] 2026/01/01 00:00:02.000000 [ERR] open ${seed}: no such file`,
        "[2] 2026/01/01 00:00:03.000000 [ERR] 127.0.0.1:7422 - lid:5 - Leafnode Error 'Authorization Violation'",
        "[2] 2026/01/01 00:00:04.000000 [ERR] 127.0.0.1:7422 - lid:6 - Leafnode Error 'Authorization Violation'",
        "[2] 2026/01/01 00:00:05.000000 [INF] something else",
      ].join("\n"),
    );
    assert.deepEqual(facts.leaf.errors, ["open SU…(masked): no such file", "Leafnode Error 'Authorization Violation'"]);
  });

  it("shows no seed in any finding, whatever its file and its log hold", async () => {
    const seed = newSeed();
    const facts = await seen(
      `leafnodes { remotes: [ { url: "nats-leaf://${seed}@h", account: "${seed}", credentials: "${seed}" } ] }`,
      `[2] 2026/01/01 00:00:02.000000 [ERR] open ${seed}: no such file`,
    );
    delete facts.hub.unreachable;
    delete facts.leaf.unreachable;
    const text = diagnose(facts).map(describeFinding).join("\n");
    assert.match(text, /\[seed-in-credentials\]/);
    assert.equal(text.includes(seed.slice(2)), false);
  });
});
