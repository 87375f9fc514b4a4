import { createServer } from "node:net";
import { declareHub, declareHubLink, declareLeaf } from "../../../configs/plan/declare";
import { digest } from "../../../machine/digest";
import { FleetInputs } from "../../../providers/fleet";
import { machineId } from "../../../machine/folders";
import { GuardInputs } from "../../../providers/guard";
import { HubLinkInputs } from "../../../providers/hub-link";
import { HubServerInputs, HubServerOutputs } from "../../../providers/hub-server";
import { IdentityInputs, IdentityOutputs } from "../../../providers/identity";
import { LeafServerInputs, LeafServerOutputs } from "../../../providers/leaf-server";
import { SmokeTestInputs, SmokeTestOutputs } from "../../../providers/smoke-test";
import { StreamsInputs, StreamsOutputs } from "../../../providers/streams";
import { newKey, newSeed, settingsOf } from "../../support/rules/settings";

/** Keys take milliseconds to make: the n-th key or seed of all resources is the same one each time. */
function numbered(make: () => string): () => () => string {
  const made: string[] = [];
  return () => {
    let n = 0;
    return () => (made[n++] ??= make());
  };
}
const seeds = numbered(newSeed);
const publicKeys = numbered(newKey);

/** A loopback port on which nothing listens. */
export function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Inputs and outputs of every kind of resource, as a stack of one site has them whose servers are gone. */
export function resourcesOf(root: string, port: number) {
  const [key, seed] = [publicKeys(), seeds()];
  const { keys: _keys, ...settings } = settingsOf({
    sites: [{ name: "oslo" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  });
  const all = { ...settings, keys: {} };
  const [site] = settings.sites;
  if (site === undefined) throw new Error("the test has a site");
  const url = `nats://127.0.0.1:${port}`;
  const [folder, siteFolder] = [`${root}/hub`, `${root}/sites/oslo`];
  const operator = seed();

  const identityInputs: IdentityInputs = {
    owner: "oslo",
    folder: siteFolder,
    root,
    roles: ["link", "operator"],
    ports: { client: 0, monitor: 20_001 },
    rotation: 0,
    given: {},
  };
  const fleetInputs: FleetInputs = {
    root,
    settings,
    access: { hubUrl: url, sites: { oslo: { url, operator } } },
  };
  const place = { kind: "process" as const, folder };
  const sitePlace = { kind: "process" as const, folder: siteFolder };
  const hubServerInputs: HubServerInputs = {
    place,
    root,
    declaration: declareHub(
      all,
      { system: key(), operator: key(), reader: key() },
      { client: port, leafnodes: port, monitor: port },
    ),
    secrets: { system: seed() },
  };
  const hubLinkInputs: HubLinkInputs = {
    place,
    root,
    declaration: declareHubLink(all, site, { link: key(), operator: key(), reader: key() }),
    hub: { url, seed: seed() },
  };
  const leafServerInputs: LeafServerInputs = {
    expect: "online",
    place: sitePlace,
    root,
    declaration: declareLeaf(
      all,
      site,
      { system: key(), operator: key(), application: key() },
      { client: port, monitor: port },
      `nats-leaf://127.0.0.1:${port}`,
    ),
    access: { hubUrl: url, system: seed(), link: seed() },
  };
  const streamsInputs: StreamsInputs = {
    site: "oslo",
    expect: "online",
    stack: "dev",
    root,
    streams: settings.streams,
    access: { url, hubUrl: url, operator },
  };
  const guardInputs: GuardInputs = {
    sites: [{ site: "oslo", expect: "online" }],
    streams: settings.streams,
    hub: { url, seed: seed() },
    access: fleetInputs.access,
  };
  const smokeTestInputs: SmokeTestInputs = {
    run: "onChange",
    stack: "dev",
    root,
    hub: { name: "hub", url, leafUrl: `nats-leaf://127.0.0.1:${port}` },
    sites: [{ site: "oslo", expect: "online", url, place: sitePlace, declared: "1" }],
    streams: settings.streams,
    probes: settings.probes,
    secrets: {
      system: seed(),
      hubOperator: seed(),
      sites: { oslo: { application: seed(), operator, link: seed() } },
    },
  };

  return {
    identity: {
      inputs: identityInputs,
      outputs: {
        ...identityInputs,
        keys: { link: key(), operator: key() },
        seeds: { link: seed(), operator: seed() },
        allocated: { client: 20_000, monitor: 20_001 },
      } satisfies IdentityOutputs,
    },
    fleet: { inputs: fleetInputs, outputs: { root, machine: machineId(), inputs: digest(fleetInputs) } },
    "hub-server": {
      inputs: hubServerInputs,
      outputs: { ...hubServerInputs, running: true } satisfies HubServerOutputs,
    },
    "hub-link": { inputs: hubLinkInputs, outputs: hubLinkInputs },
    "leaf-server": {
      inputs: leafServerInputs,
      outputs: {
        expect: "online",
        place: sitePlace,
        root,
        url,
        restart: digest([leafServerInputs.declaration.restart, sitePlace]),
        config: "0",
        inputs: digest(leafServerInputs),
        running: true,
        problem: "",
      } satisfies LeafServerOutputs,
    },
    streams: {
      inputs: streamsInputs,
      outputs: { ...streamsInputs, made: true, problem: "" } satisfies StreamsOutputs,
    },
    guard: { inputs: guardInputs, outputs: guardInputs },
    "smoke-test": {
      inputs: smokeTestInputs,
      outputs: {
        root,
        inputs: digest(smokeTestInputs),
        declared: { oslo: "1" },
        proof: [],
        proven: { servers: { hub: "", oslo: "" }, streams: {} },
      } satisfies SmokeTestOutputs,
    },
  };
}
