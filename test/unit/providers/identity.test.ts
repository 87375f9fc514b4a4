import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { publicKeyOf } from "../../../configs/keys";
import { IdentityInputs, create, remove, update } from "../../../providers/identity";
import { newSeed } from "../../support/rules/settings";
import { inTempFolder, withEnvironment } from "./temp-folder";

describe("the identity of a server", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ PULUMI_HOME: temp.path("home") }));
  const inputs = (change: Partial<IdentityInputs> = {}): IdentityInputs => ({
    owner: "oslo",
    folder: temp.path("dev", "sites", "oslo"),
    root: temp.path("dev"),
    roles: ["link", "operator"],
    ports: { client: 0, monitor: 0 },
    rotation: 0,
    given: {},
    ...change,
  });
  const made = async (change: Partial<IdentityInputs> = {}) => (await create(inputs(change))).outs;
  const reserved = () => readdirSync(temp.path("home", "nats-hub-leaf", "ports"));

  it("has a key of its own for each role, and a port for each listener", async () => {
    const { keys, seeds, allocated } = await made();
    assert.deepEqual(Object.keys(keys), ["link", "operator"]);
    assert.deepEqual(Object.keys(allocated), ["client", "monitor"]);
    assert.notEqual(keys.link, keys.operator);
    assert.notEqual(allocated.client, allocated.monitor);
    assert.equal(publicKeyOf(seeds.link ?? ""), keys.link);
  });

  it("takes a given seed and makes the others", async () => {
    const link = newSeed();
    const { keys, seeds } = await made({ given: { link } });
    assert.deepEqual([seeds.link, keys.link], [link, publicKeyOf(link)]);
    assert.notEqual(seeds.operator, undefined);
  });

  it("takes a given port and reserves none for it", async () => {
    const { allocated } = await made({ ports: { client: 4222, monitor: 0 } });
    assert.equal(allocated.client, 4222);
    assert.deepEqual(reserved(), [String(allocated.monitor)]);
  });

  it("keeps all keys and ports through an update", async () => {
    const old = await made();
    const { outs } = await update("oslo", old, inputs());
    assert.deepEqual([outs.seeds, outs.allocated], [old.seeds, old.allocated]);
  });

  it("gets a new link key, and no other, by a rotation", async () => {
    const old = await made();
    const { outs } = await update("oslo", old, inputs({ rotation: 1 }));
    assert.notEqual(outs.keys.link, old.keys.link);
    assert.equal(outs.keys.operator, old.keys.operator);
    assert.deepEqual(outs.allocated, old.allocated);
  });

  it("keeps a given link key through a rotation", async () => {
    const given = { link: newSeed() };
    const old = await made({ given });
    const { outs } = await update("oslo", old, inputs({ given, rotation: 1 }));
    assert.equal(outs.seeds.link, given.link);
  });

  it("keeps its keys and gets one more when a role is added", async () => {
    const old = await made();
    const { outs } = await update("oslo", old, inputs({ roles: ["link", "operator", "reader"] }));
    assert.deepEqual([outs.keys.link, outs.keys.operator], [old.keys.link, old.keys.operator]);
    assert.match(outs.keys.reader ?? "", /^U/);
  });

  it("makes a key anew when a given one is taken back", async () => {
    const old = await made({ given: { link: newSeed() } });
    const { outs } = await update("oslo", old, inputs());
    assert.notEqual(outs.keys.link, old.keys.link);
    assert.equal(outs.keys.operator, old.keys.operator);
  });

  it("gives its reservation back when a port is given instead, and takes a new one when it is not any more", async () => {
    const old = await made({ ports: { client: 0 } });
    const given = (await update("oslo", old, inputs({ ports: { client: 4222 } }))).outs;
    assert.deepEqual([given.allocated, reserved()], [{ client: 4222 }, []]);
    const again = (await update("oslo", given, inputs({ ports: { client: 0 } }))).outs;
    assert.deepEqual(reserved(), [String(again.allocated.client)]);
  });

  it("leaves no file and no reservation when it goes", async () => {
    await remove("oslo", await made());
    assert.deepEqual([existsSync(temp.path("dev")), reserved()], [false, []]);
  });

  it("leaves alone what others have when it goes", async () => {
    const [oslo, hub] = [await made(), await made({ folder: temp.path("dev", "hub") })];
    await remove("oslo", oslo);
    assert.deepEqual([readdirSync(temp.path("dev")), reserved().length], [["hub"], 2]);
    await remove("hub", hub);
    assert.equal(existsSync(temp.path("dev")), false);
  });
});
