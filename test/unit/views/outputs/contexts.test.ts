import assert from "node:assert/strict";
import {
  contextText,
  contextsOf,
  exampleCommands,
  isPrefix,
  prefixOf,
  withoutContexts,
} from "../../../../views/outputs/contexts";
import { DeployedFleet } from "../../../../views/outputs/deployed";
import { FLEET, MERGED, OSLO } from "./a-fleet";

const named = (fleet: DeployedFleet, name: string) => contextsOf(fleet, "dev").find((context) => context.name === name);
const namesOf = (fleet: DeployedFleet) => contextsOf(fleet, "dev").map(({ name }) => name);

describe("the contexts of the nats CLI", () => {
  it("log in at the site, and at the hub for what it collected of the site", () => {
    assert.deepEqual(namesOf({ ...FLEET, sites: [OSLO] }), [
      "dev-hub.system",
      "dev-oslo",
      "dev-oslo.operator",
      "dev-oslo.hub",
      "dev-oslo.hub-operator",
    ]);
  });

  it("log in at the hub alone for what it collected of all sites in one stream", () => {
    assert.deepEqual(namesOf({ ...MERGED, sites: [OSLO] }), [
      "dev-hub",
      "dev-hub.operator",
      "dev-hub.system",
      "dev-oslo",
      "dev-oslo.operator",
    ]);
  });

  it("have the key that is valid where they log in", () => {
    const keys = Object.fromEntries(
      contextsOf({ ...FLEET, sites: [OSLO] }, "dev").map(({ name, url, key }) => [
        name,
        `${key.owner}.${key.role} ${url}`,
      ]),
    );
    assert.deepEqual(keys, {
      "dev-hub.system": "hub.system nats://127.0.0.1:4222",
      "dev-oslo": "oslo.application nats://127.0.0.1:4223",
      "dev-oslo.operator": "oslo.operator nats://127.0.0.1:4223",
      "dev-oslo.hub": "oslo.reader nats://127.0.0.1:4222",
      "dev-oslo.hub-operator": "oslo.operator nats://127.0.0.1:4222",
    });
  });

  it("ask a site that is reached through the hub for its streams over its domain there", () => {
    const { url, domain, key } = named(FLEET, "dev-tromso.operator")!;
    assert.deepEqual([url, domain, key], ["nats://127.0.0.1:4222", "tromso", { owner: "tromso", role: "operator" }]);
  });

  it("leave out what cannot log in from here, and say so", () => {
    assert.equal(named(FLEET, "dev-tromso"), undefined);
    assert.equal(named(FLEET, "dev-bergen"), undefined);
    assert.equal(named(FLEET, "dev-bergen.operator"), undefined);
    assert.deepEqual(withoutContexts(FLEET), [
      "tromso is reached through the hub: its applications log in on its own machine",
      "bergen is declared offline: nothing logs in there yet",
    ]);
  });

  it("never have one name twice, whatever sites are called", () => {
    const sites = ["hub-operator", "oslo", "oslo-hub", "operator", "oslo-operator", "system", "hub-system"];
    const names = namesOf({
      ...FLEET,
      streams: [...FLEET.streams, ...MERGED.streams],
      sites: sites.map((name) => ({ ...OSLO, name })),
    });
    assert.deepEqual(names, [...new Set(names)]);
  });

  it("are files with the path of a seed and no seed", () => {
    assert.equal(
      contextText(named(FLEET, "dev-tromso.operator")!, "dev", "/keys/tromso.operator.nk"),
      `{
  "description": "nats-hub-leaf, stack dev: streams at tromso, through the hub",
  "url": "nats://127.0.0.1:4222",
  "nkey": "/keys/tromso.operator.nk",
  "jetstream_domain": "tromso"
}
`,
    );
  });

  it("come with commands to try", () => {
    assert.deepEqual(exampleCommands(FLEET, contextsOf(FLEET, "dev")), [
      "nats --context dev-oslo pub events.hello hello",
      "nats --context dev-oslo.hub stream get EVENTS --last-for events.hello",
      "nats --context dev-hub.system server request leafnodes",
    ]);
  });

  it("have examples of merged streams, too", () => {
    assert.deepEqual(exampleCommands(MERGED, contextsOf(MERGED, "dev")).slice(0, 2), [
      "nats --context dev-oslo pub events.any.b hello",
      "nats --context dev-hub stream get ALL --last-for oslo.events.any.b",
    ]);
  });

  it("read in the account that has the stream, where some are merged and some not", () => {
    const fleet = { ...FLEET, streams: [...FLEET.streams, ...MERGED.streams] };
    assert.match(exampleCommands(fleet, contextsOf(fleet, "dev"))[1]!, /--context dev-oslo\.hub stream get EVENTS /);
  });

  it("are named after the stack, without its organisation", () => {
    assert.deepEqual(["dev", "acme/nats/prod"].map(prefixOf), ["dev", "prod"]);
  });

  it("have no prefix that leads out of the folder", () => {
    assert.deepEqual(["dev", "a.b-c_1", "", "a/b", "..", "a..b", ".hidden", "a b", "-x"].map(isPrefix), [
      true,
      true,
      false,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
