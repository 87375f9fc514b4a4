import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { RawSettings } from "../../../configs/settings";
import { FleetInputs, check } from "../../../providers/fleet";
import { makeAuthority, makeServerCertificate, newKey } from "../../../servers/x509";
import { newSeed, settingsOf } from "../../support/rules/settings";
import { closedPort } from "./fleet-inputs";
import { reported } from "./reported";
import { inTempFolder, withEnvironment } from "./temp-folder";

const BOTH = [{ name: "oslo" }, { name: "bergen" }];

describe("the check of the whole fleet", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ DISCARD: undefined }));
  let port = 0;
  before(async () => (port = await closedPort()));

  /** A nats-server that says `verdict` of every configuration that mentions `word`, and counts what it is asked. */
  const natsServer = (word = "no such word", version = "2.15.2"): string => {
    writeFileSync(
      temp.path("nats-server"),
      `#!/bin/sh
if [ "$1" = -v ]; then echo "nats-server: v${version}"; exit; fi
echo asked >>${temp.path("asked")}
while read -r line; do case "$line" in *"${word}"*) echo "$3:1:1: no ${word} here" >&2; exit 1;; esac; done <"$3"
`,
      { mode: 0o755 },
    );
    return temp.path("nats-server");
  };
  const asked = (): number =>
    existsSync(temp.path("asked")) ? readFileSync(temp.path("asked"), "utf8").trim().split("\n").length : 0;

  const inputs = (raw: RawSettings = {}, root = temp.path("dev")): FleetInputs => {
    const { keys: _keys, ...settings } = settingsOf({
      sites: BOTH,
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      natsServer: temp.path("nats-server"),
      rehearsal: "off",
      ...raw,
    });
    const url = `nats://127.0.0.1:${port}`;
    const sites = Object.fromEntries(settings.sites.map(({ name }) => [name, { url, operator: newSeed() }]));
    return { root, settings, access: { hubUrl: url, sites } };
  };
  const failures = async (olds: Partial<FleetInputs>, news: FleetInputs): Promise<string[]> =>
    ((await check(olds, news)).failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);

  it("gives back the inputs when nothing speaks against them, and touches nothing", async () => {
    natsServer();
    const news = inputs();
    assert.deepEqual(await check({}, news), { inputs: news });
    assert.equal(existsSync(news.root), false);
  });

  it("lets nats-server read the hub's configuration and that of every new site", async () => {
    natsServer();
    await check({}, inputs());
    assert.equal(asked(), 3);
  });

  it("lets nats-server read only what changed: the hub's, and the site's that did", async () => {
    natsServer();
    const olds = inputs();
    await check(olds, {
      ...olds,
      settings: inputs({ sites: [{ name: "oslo" }, { name: "bergen", quota: "3GiB" }] }).settings,
    });
    assert.equal(asked(), 2);
  });

  describe("with a nats-server that is newer than those of the tests", () => {
    const told = (raw: RawSettings = {}) => reported(async () => void (await check({}, inputs(raw))));
    const ofImage = { docker: { image: "nats:2.16-alpine" } };

    it("says so once, whatever runs it, with what to do, and goes on", async () => {
      natsServer(undefined, "2.16.0");
      assert.deepEqual(await told(), [
        `natsServer: ${temp.path("nats-server")} is nats-server 2.16.0, newer than 2.15, the latest that this program was ` +
          "tested with; update this program, or set natsServer to the path of one of 2.15",
      ]);
      assert.deepEqual(await failures({}, inputs()), []);
    });

    it("says so of the image, where containers run it", async () => {
      natsServer(undefined, "2.16.0");
      assert.deepEqual(await told({ ...ofImage, runtime: "docker" }), [
        "docker.image: nats:2.16-alpine is of nats-server 2.16, newer than 2.15, the latest that this program was tested " +
          "with; update this program, or name an image of 2.15",
      ]);
    });

    it("says nothing of an image that no container has, nor of a later patch", async () => {
      natsServer(undefined, "2.15.99");
      assert.deepEqual(await told(ofImage), []);
      assert.deepEqual(await told({ docker: { image: "nats:2.15.99" }, runtime: "docker" }), []);
    });
  });

  describe("with an engine that is away", () => {
    withEnvironment(() => ({ NATS_HUB_LEAF_AWAY: undefined, DOCKER_CERT_PATH: undefined }));
    const nowhere = { runtime: "docker", engine: "unix:///nowhere/docker.sock" } as const;
    const fleet = (): FleetInputs => {
      natsServer();
      return inputs({ sites: [{ name: "oslo" }, ...["bergen", "narvik"].map((name) => ({ name, ...nowhere }))] });
    };

    it("refuses the plain CLI once for all that is on it, and says what goes on without it", async () => {
      const found = await failures({}, fleet());
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(
        found[0] ?? "",
        /^sites: bergen, narvik cannot be worked on: Docker engine unix:\/\/\/nowhere\/docker\.sock: .*nothing listens on its socket; .*; or run 'make up', which leaves them as they are/,
      );
    });

    it("leaves it to 'make', which has looked already", async () => {
      process.env.NATS_HUB_LEAF_AWAY = "bergen,narvik";
      assert.deepEqual(await failures({}, fleet()), []);
      process.env.NATS_HUB_LEAF_AWAY = "";
      assert.deepEqual(await failures({}, fleet()), []);
    });

    it("names no way around it when the hub is there", async () => {
      natsServer();
      const [found = "", ...others] = await failures({}, inputs({ hub: nowhere }));
      assert.match(found, /^hub: hub cannot be worked on: Docker engine .*nothing listens on its socket/);
      assert.doesNotMatch(found, /make up/);
      assert.deepEqual(others, []);
    });
  });

  it("asks nats-server nothing when nothing changed", async () => {
    natsServer();
    const olds = inputs();
    assert.deepEqual(await failures(olds, olds), []);
    assert.equal(asked(), 0);
  });

  it("lets nats-server read eight of many new sites that are alike, and all that differ", async () => {
    natsServer();
    const alike = Array.from({ length: 40 }, (_, i) => ({ name: `site-${i}` }));
    const others = [
      { name: "x", maxPayload: "512KiB" },
      { name: "y", maxPayload: "256KiB" },
    ];
    assert.deepEqual(await failures({}, inputs({ sites: [...alike, ...others] })), []);
    assert.equal(asked(), 1 + 8 + 2);
  });

  it("passes on what nats-server refuses, with the server that it is about", async () => {
    natsServer('server_name: \\"bergen');
    assert.deepEqual(await failures({}, inputs()), [
      'site bergen: nats-server refuses its configuration: nats-server.conf:1:1: no server_name: "bergen here',
    ]);
  });

  it("refuses a nats-server that is missing, and a folder that cannot be made, together", async () => {
    writeFileSync(temp.path("dev"), "");
    const found = await failures({}, inputs({ natsServer: temp.path("none") }));
    assert.match(found[0] ?? "", /^natsServer: natsServer: .*none is not a nats-server that runs here/);
    assert.match(found[1] ?? "", /^dataFolder: .*dev: a part of the path is a file/);
    assert.equal(found.length, 2);
  });

  it("refuses to rename the hub, whose JetStream domain holds all collected data", async () => {
    natsServer();
    const olds = inputs();
    const [found, ...more] = await failures(olds, { ...olds, settings: inputs({ hub: { name: "centre" } }).settings });
    assert.match(found ?? "", /^hub\.name: changes from 'hub' to 'centre', .*destroy the stack first/);
    assert.deepEqual(more, []);
  });

  it("refuses another data folder while servers run in the old one", async () => {
    natsServer();
    const olds = inputs();
    assert.match(
      (await failures(olds, { ...olds, root: temp.path("elsewhere/dev") }))[0] ?? "",
      /^dataFolder: changes while/,
    );
  });

  it("takes a folder of another name beside the old one for a stack that was renamed", async () => {
    natsServer();
    const olds = inputs();
    const [reason = ""] = await failures(olds, { ...olds, root: temp.path("lab") });
    assert.match(reason, /^dataFolder: the stack was named '.*'pulumi stack rename .* --stack lab'\)$/);
  });

  describe("when the certificates of the links are given as files", () => {
    const [now, validity] = [Date.now(), 3_600_000];
    let ca: { certificate: string; key: string };
    before(async () => {
      const key = newKey();
      ca = { certificate: await makeAuthority({ name: "dev", key, validity, now }), key };
    });

    /** The folder of them; the hub's has these names. */
    const given = async (names: string[]): Promise<RawSettings["links"]> => {
      writeFileSync(temp.path("ca.pem"), ca.certificate);
      for (const owner of ["hub", "oslo"]) {
        const [role, key] = [owner === "hub" ? ("hub" as const) : ("site" as const), newKey()];
        const certificate = await makeServerCertificate({ owner, role, names, ca, key, validity, now });
        writeFileSync(temp.path(`${owner}.pem`), certificate);
        writeFileSync(temp.path(`${owner}-key.pem`), key);
      }
      return { tls: "given", certificates: temp.path() };
    };
    const found = async (names: string[], raw: RawSettings = {}, missing?: string): Promise<string[]> => {
      const links = await given(names);
      if (missing !== undefined) rmSync(temp.path(missing));
      const found = await failures({}, inputs({ sites: [{ name: "oslo" }], ...raw, links }));
      // There is no nats-server here, which is another failure.
      return found.filter((reason) => reason.startsWith("links: "));
    };

    it("passes when the hub's has the address that the sites dial, and not its own name that nobody dials", async () => {
      assert.deepEqual(await found(["127.0.0.1"]), []);
    });

    it("refuses a hub's without the address that the sites dial", async () => {
      const [reason, ...more] = await found(["hub"]);
      assert.match(
        reason ?? "",
        /^links: certificates of hub: certificate: is not for 127\.0\.0\.1, which the sites dial/,
      );
      assert.deepEqual(more, []);
    });

    it("refuses a hub's without the hub's name when the sites dial that, as on a network of containers", async () => {
      const [reason] = await found(["127.0.0.1"], { runtime: "docker" });
      assert.match(reason ?? "", /^links: certificates of hub: certificate: is not for hub, which the sites dial/);
      assert.deepEqual(await found(["hub"], { runtime: "docker" }), []);
    });

    it("names the file that is missing", async () => {
      const [reason, ...more] = await found(["127.0.0.1"], {}, "oslo-key.pem");
      assert.match(
        reason ?? "",
        /^links: links\.certificates: .*oslo-key\.pem: .*; put it there, or correct the folder$/,
      );
      assert.deepEqual(more, []);
    });
  });

  describe("when a site leaves", () => {
    const leave = async (expect: "online" | "offline") => {
      natsServer();
      const olds = inputs({ sites: [{ name: "oslo" }, { name: "bergen", expect }] });
      return failures(olds, { ...olds, settings: inputs({ sites: [{ name: "oslo" }] }).settings });
    };

    it("refuses while it is unknown which of its messages the hub lacks", async () => {
      const [found, ...more] = await leave("online");
      assert.match(
        found ?? "",
        /^sites: bergen cannot be removed: its streams cannot be read \(.*\); start the site.s server .*DISCARD=bergen$/,
      );
      assert.deepEqual(more, []);
    });

    it("lets it go when the loss is allowed for it", async () => {
      process.env.DISCARD = "bergen";
      assert.deepEqual(await leave("online"), []);
    });

    it("does not let it go when the loss is allowed for another", async () => {
      process.env.DISCARD = "oslo";
      assert.equal((await leave("online")).length, 1);
    });

    it("lets it go when it was declared offline and cannot be asked", async () => {
      assert.deepEqual(await leave("offline"), []);
    });
  });

  describe("when a site gets a new key", () => {
    const rotate = async (expect: "online" | "offline") => {
      natsServer();
      const olds = inputs({ sites: [{ name: "oslo", expect }] });
      return failures(olds, { ...olds, settings: inputs({ sites: [{ name: "oslo", expect, rotation: 1 }] }).settings });
    };

    it("refuses it for an offline one, which would be locked out", async () => {
      assert.deepEqual(await rotate("offline"), [
        "sites: oslo is offline, and a new key would lock it out; rotate the key when the site is online again",
      ]);
    });

    it("refuses a given one that changes, or is taken back, while the site is offline", async () => {
      natsServer();
      const olds = { ...inputs({ sites: [{ name: "oslo", expect: "offline" }] }), givenLinks: { oslo: "UA" } };
      const refusal =
        "keys.oslo.link: oslo is offline, and a new key would lock it out; change the key when the site is online again";
      assert.deepEqual(await failures(olds, { ...olds, givenLinks: { oslo: "UB" } }), [refusal]);
      assert.deepEqual(await failures(olds, { ...olds, givenLinks: {} }), [refusal]);
      assert.deepEqual(await failures({ ...olds, givenLinks: {} }, olds), [refusal]);
      assert.deepEqual(await failures(olds, olds), []);
    });

    it("lets an offline one keep the key that it has, while others change", async () => {
      natsServer();
      const olds = inputs({ sites: [{ name: "oslo", expect: "offline", rotation: 1 }] });
      const news = inputs({ sites: [{ name: "oslo", expect: "offline", rotation: 1 }, { name: "bergen" }] });
      assert.deepEqual(await failures(olds, { ...olds, settings: news.settings }), []);
    });

    it("lets an online one have it", async () => {
      assert.deepEqual(await rotate("online"), []);
    });
  });
});
