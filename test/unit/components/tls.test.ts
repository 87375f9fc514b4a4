import assert from "node:assert/strict";
import { Recorded, Registered, Secret, run } from "./recorder";

const FLEET = {
  sites: [{ name: "oslo" }, { name: "bergen", expect: "offline", hubAddress: "10.0.0.1:7000" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
};
const DAY = 86_400_000;
const SERVERS = ["hub", "oslo", "bergen"];

/** Every text outside of secrets. */
function plainTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Secret) return [];
  return Object.values(value).flatMap(plainTexts);
}

/** What Pulumi would be asked for when leaf links use TLS. */
describe("the program with TLS on leaf links", () => {
  let generated: Recorded;
  let given: Recorded;
  let none: Recorded;
  before(async () => {
    generated = await run({ ...FLEET, links: { tls: "generated", validity: "30d", renewBefore: "10d" } });
    given = await run({ ...FLEET, links: { tls: "given", certificates: "certs" } });
    none = await run({ ...FLEET, links: { plaintext: "accepted" } });
  });
  const of = (name: string, recorded = generated): Registered => {
    const found = recorded.resources.get(name);
    assert.ok(found, `there is no resource ${name}`);
    return found;
  };
  const certificatesOf = (server: string, recorded: Recorded) => of(`${server}-server`, recorded).inputs.certificates;
  const declared = (server: string, recorded: Recorded) =>
    of(`${server}-server`, recorded).inputs.declaration as {
      restart: { tls?: boolean };
      reload: { tls?: boolean; hubUrl: string };
    };
  const newIn = (recorded: Recorded): string[] => {
    const before = new Set(none.all.map(({ type, name }) => `${type} ${name}`));
    return recorded.all.map(({ type, name }) => `${type} ${name}`).filter((resource) => !before.has(resource));
  };

  describe("that the program generates", () => {
    it("makes one CA and a certificate for each server, of the fleet, and nothing else", () => {
      assert.deepEqual(newIn(generated).sort(), [
        "pulumi-nodejs:dynamic/nats:Authority links-authority",
        "pulumi-nodejs:dynamic/nats:Certificate bergen-certificate",
        "pulumi-nodejs:dynamic/nats:Certificate hub-certificate",
        "pulumi-nodejs:dynamic/nats:Certificate oslo-certificate",
      ]);
      for (const name of ["links-authority", "hub-certificate", "oslo-certificate"])
        assert.equal(of(name).parent, "fleet", name);
    });

    it("has the CA outlive what it signs, and renews it while there is time to get the next certificate", () => {
      const { name, validity, renewBefore } = of("links-authority").inputs;
      assert.deepEqual([name, validity, renewBefore], ["dev", 300 * DAY, 40 * DAY]);
    });

    it("gives the hub's certificate the names that sites dial, and a site's none", () => {
      const inputs = SERVERS.map((server) => of(`${server}-certificate`).inputs);
      assert.deepEqual(
        inputs.map(({ owner, role, names }) => [owner, role, names]),
        [
          ["hub", "hub", ["10.0.0.1", "127.0.0.1", "hub"]],
          ["oslo", "site", []],
          ["bergen", "site", []],
        ],
      );
    });

    it("takes their validity from the settings", () => {
      for (const server of SERVERS) {
        const { validity, renewBefore } = of(`${server}-certificate`).inputs;
        assert.deepEqual([validity, renewBefore], [30 * DAY, 10 * DAY], server);
      }
    });

    it("has every certificate signed by that CA, whose key it gets as a secret", () => {
      for (const server of SERVERS) {
        const ca = { certificate: "certificate of links-authority", key: new Secret("private key of links-authority") };
        assert.deepEqual(of(`${server}-certificate`).inputs.ca, ca, server);
      }
    });

    it("gives each server its own certificate, with its key as a secret, and the CA's without", () => {
      for (const server of SERVERS) {
        const name = `${server}-certificate`;
        const own = { certificate: `certificate of ${name}`, key: new Secret(`private key of ${name}`) };
        const ca = "certificate of links-authority";
        assert.deepEqual(certificatesOf(server, generated), { kind: "generated", ca, ...own });
      }
    });

    it("has no private key in clear in any input", () => {
      assert.equal(generated.privateKeys.length, 4);
      for (const { name, inputs } of generated.all) {
        const leaks = plainTexts(inputs).filter((text) => generated.privateKeys.some((key) => text.includes(key)));
        assert.deepEqual(leaks, [], name);
      }
    });

    it("names the output that holds a key: the engine would store it in clear otherwise", () => {
      for (const name of ["links-authority", ...SERVERS.map((server) => `${server}-certificate`)])
        assert.deepEqual(of(name).secretOutputs, ["key"], name);
    });

    it("knows in a first preview which certificates it will make, and for which names", async () => {
      const preview = await run({ ...FLEET, links: { tls: "generated" } }, true);
      const { owner, role, names } = of("hub-certificate", preview).inputs;
      assert.deepEqual([owner, role, names], ["hub", "hub", ["10.0.0.1", "127.0.0.1", "hub"]]);
    });
  });

  describe("with certificates that are given as files", () => {
    it("makes no resource for them", () => {
      assert.deepEqual(newIn(given), []);
    });

    it("gives each server the folder and its name only: keys never enter the state", () => {
      for (const server of SERVERS)
        assert.deepEqual(certificatesOf(server, given), { kind: "given", folder: "certs", server });
    });
  });

  it("gives a container the same certificates as a process", async () => {
    const inDocker = await run({ ...FLEET, runtime: "docker", links: { tls: "generated" } });
    for (const server of SERVERS)
      assert.deepEqual(certificatesOf(server, inDocker), certificatesOf(server, generated), server);
  });

  it("has both ends of every link declared with TLS, whoever made the certificates", () => {
    for (const recorded of [generated, given]) {
      assert.equal(declared("hub", recorded).restart.tls, true);
      for (const site of ["oslo", "bergen"]) assert.equal(declared(site, recorded).reload.tls, true);
    }
  });

  it("lets sites dial tls://, which is another URL than without: a server cannot change the TLS of one that stays", () => {
    for (const recorded of [generated, given]) {
      assert.match(declared("oslo", recorded).reload.hubUrl, /^tls:\/\/127\.0\.0\.1:2000\d$/);
      assert.equal(declared("bergen", recorded).reload.hubUrl, "tls://10.0.0.1:7000");
    }
  });

  describe("when there is none", () => {
    it("gives no server certificates", () => {
      for (const server of SERVERS) assert.equal("certificates" in of(`${server}-server`, none).inputs, false, server);
    });

    it("declares no TLS at either end", () => {
      assert.equal("tls" in declared("hub", none).restart, false);
      assert.equal("tls" in declared("oslo", none).reload, false);
    });

    it("lets sites dial nats-leaf://", () => {
      assert.equal(declared("bergen", none).reload.hubUrl, "nats-leaf://10.0.0.1:7000");
    });
  });
});
