import assert from "node:assert/strict";
import * as hubServer from "../../providers/hub-server";
import { declareHub } from "../../configs/plan/declare";
import { hubServers } from "../../configs/placement";
import type { LinkCertificates } from "../../servers/files/link-tls";
import { publicKeyOf } from "../../servers/nats/authenticator";
import { clusterTroubles, waitForLeader } from "../../servers/nats/cluster";
import { closeShared, shared } from "../../servers/nats/connection";
import { routes } from "../../servers/nats/asking";
import { varz } from "../../servers/nats/system";
import { readText, serverFiles } from "../../machine/folders";
import { type KeyPair, factsOf, makeAuthority, makeServerCertificate, newKey } from "../../servers/x509";
import { shownCertificate } from "../support/stacks/shown-certificate";
import { freePorts } from "../support/free-ports";
import { newSeed, settingsOf } from "../support/rules/settings";
import { until } from "../support/until";
import { inTempFolder } from "../unit/providers/temp-folder";

// Routes that leave their machine, on loopback: real servers, with certificates of one CA.

const DAY_MS = 86_400_000;
const NAMES = ["hub-1", "hub-2", "hub-3"];

async function newAuthority(name: string): Promise<KeyPair> {
  const key = newKey();
  return { key, certificate: await makeAuthority({ name, key, validity: DAY_MS, now: Date.now() }) };
}

async function certificateOf(owner: string, ca: KeyPair, names = [owner, "127.0.0.1"]): Promise<LinkCertificates> {
  const key = newKey();
  const parts = { owner, role: "routes" as const, names, key, ca, validity: DAY_MS, now: Date.now() };
  return { kind: "generated", ca: ca.certificate, certificate: await makeServerCertificate(parts), key };
}

describe("routes with TLS", () => {
  // Outside: its folder goes when the servers are stopped.
  const temp = inTempFolder();

  describe("of three servers", () => {
    let [first, ca]: [number, KeyPair | undefined] = [0, undefined];
    const system = newSeed();
    const routesKey = newSeed();
    const running = new Map<string, hubServer.HubServerOutputs>();
    const at = (i: number) => ({
      client: first + i,
      leafnodes: first + 3 + i,
      monitor: first + 6 + i,
      cluster: first + 9 + i,
    });
    const accessTo = (i: number) => ({ url: `nats://127.0.0.1:${at(i).client}`, seed: system });
    const all = () => NAMES.map((_, i) => accessTo(i));

    /** The server as a machine of its own would have it. */
    function inputsOf(name: string, routesCertificates: LinkCertificates, others = NAMES): hubServer.HubServerInputs {
      const settings = settingsOf({ hub: { servers: 3 } });
      const keys = { system: publicKeyOf(system), operator: publicKeyOf(newSeed()), reader: publicKeyOf(newSeed()) };
      const i = NAMES.indexOf(name);
      const server = hubServers(settings.hub)[i]!;
      const of = others
        .filter((other) => other !== name)
        .map((other) => `127.0.0.1:${at(NAMES.indexOf(other)).cluster}`);
      const { restart, reload } = declareHub(settings, keys, at(i), { member: { server, routes: [] } });
      const known = running.get(name)?.declaration.reload.keys;
      return {
        place: { kind: "process", folder: temp.path(name) },
        root: temp.path("root"),
        declaration: {
          restart: { ...restart, cluster: { name: "hub", host: "127.0.0.1", tls: true } },
          reload: { ...reload, keys: known ?? keys, routes: of },
        },
        routesCertificates,
        secrets: { system, routes: routesKey },
      };
    }
    async function bring(inputs: hubServer.HubServerInputs): Promise<void> {
      const name = inputs.declaration.restart.name;
      const before = running.get(name);
      const { outs } =
        before === undefined ? await hubServer.create(inputs) : await hubServer.update(name, before, inputs);
      running.set(name, outs);
    }
    const startOf = async (i: number) => (await varz(await shared(accessTo(i)))).start;

    beforeEach(async () => {
      [first, ca] = [await freePorts(12), await newAuthority("routes")];
      for (const name of NAMES) await bring(inputsOf(name, await certificateOf(name, ca)));
      await waitForLeader(all());
    });
    afterEach(async () => {
      for (const [name, outs] of running) await hubServer.delete(name, outs);
      running.clear();
      await closeShared();
    });

    it("form a cluster, and show a certificate for the address that is dialed", async () => {
      assert.deepEqual(await clusterTroubles(all()), []);
      const shown = await shownCertificate("127.0.0.1", at(1).cluster);
      assert.deepEqual(factsOf(shown!).names.sort(), ["127.0.0.1", "hub-2"]);
    });

    it("take renewed certificates by a reload: the server runs on, and shows the new one", async () => {
      const before = [await startOf(0), (await shownCertificate("127.0.0.1", at(0).cluster))?.serialNumber];
      await bring(inputsOf("hub-1", await certificateOf("hub-1", ca!)));
      const after = [await startOf(0), (await shownCertificate("127.0.0.1", at(0).cluster))?.serialNumber];
      assert.equal(after[0], before[0]);
      assert.notEqual(after[1], before[1]);
      assert.deepEqual(await clusterTroubles(all()), []);
    });

    it("take another address by a reload: the server runs on", async () => {
      const before = await startOf(0);
      await bring(inputsOf("hub-1", running.get("hub-1")!.routesCertificates!, ["hub-1", "hub-2"]));
      assert.equal(await startOf(0), before);
      await bring(inputsOf("hub-1", running.get("hub-1")!.routesCertificates!));
      await until("the routes are there", async () => (await routes(await shared(accessTo(0)))).length > 0);
      assert.deepEqual(await clusterTroubles(all()), []);
    });

    it("let no server in whose certificate is of another CA, though it knows the routes key", async () => {
      const [outs] = [running.get("hub-3")!];
      await hubServer.delete("hub-3", outs);
      running.delete("hub-3");
      const strange = await certificateOf("hub-3", await newAuthority("strange"));
      await bring(inputsOf("hub-3", strange));
      const logOf = (name: string): string => readText(serverFiles(temp.path(name)).log) ?? "";
      const refused = /TLS route handshake error/;
      // It dials the others, and they dial it.
      await until("the servers refuse each other", () => refused.test(logOf("hub-1")) && refused.test(logOf("hub-3")));
      assert.equal((await routes(await shared(accessTo(2)))).length, 0);
      await waitForLeader(all().slice(0, 2));
    });
  });
});
