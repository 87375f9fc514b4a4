import assert from "node:assert/strict";
import { LocalFiles } from "../../../servers/files/server-files";
import { catchUp, missedLinks, thereOf } from "../../../servers/hub-members";
import { inTempFolder, withEnvironment } from "../providers/temp-folder";

describe("what a server of the hub missed while its machine was away", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ NATS_HUB_LEAF_AWAY: undefined }));

  const NAMES = ["hub-1", "hub-2", "hub-3"];
  const placeOf = (name: string) => ({ kind: "process" as const, folder: temp.path(name) });
  const members = () => NAMES.map((name) => ({ place: placeOf(name), url: `nats://${name}` }));
  const filesOf = (name: string) => new LocalFiles(temp.path(name));
  const declare = (server: string, ...sites: string[]): void => {
    for (const site of sites) filesOf(server).write(`links/${site}.UKEY.json`, `{"site":"${site}"}`);
  };
  const missed = (server: string) => missedLinks(filesOf(server), placeOf(server), members());

  it("is nothing when all have the same", async () => {
    for (const name of NAMES) declare(name, "oslo");
    assert.equal(await missed("hub-3"), undefined);
  });

  it("is what most of them have, and what none of the others has", async () => {
    declare("hub-1", "oslo", "tromso");
    declare("hub-2", "oslo", "tromso");
    declare("hub-3", "oslo", "bergen");
    const found = await missed("hub-3");
    assert.deepEqual(found, {
      added: new Map([["tromso.UKEY.json", '{"site":"tromso"}']]),
      dropped: ["bergen.UKEY.json"],
    });
    assert.deepEqual(catchUp(filesOf("hub-3"), found), ["tromso", "bergen"]);
    assert.deepEqual(filesOf("hub-3").list("links"), ["oslo.UKEY.json", "tromso.UKEY.json"]);
    assert.equal(await missed("hub-3"), undefined);
    assert.equal(await missed("hub-1"), undefined);
  });

  it("is not told by one of three: a site that is gone does not come back from a server that was away", async () => {
    declare("hub-1", "oslo");
    declare("hub-2", "oslo");
    declare("hub-3", "oslo", "bergen");
    assert.equal(await missed("hub-1"), undefined);
  });

  it("is not known while another one is away", async () => {
    declare("hub-1", "oslo");
    declare("hub-2", "oslo");
    process.env.NATS_HUB_LEAF_AWAY = "hub-2";
    assert.equal(await missed("hub-3"), undefined);
    assert.deepEqual(
      thereOf(members()).map(({ url }) => url),
      ["nats://hub-1", "nats://hub-3"],
    );
  });
});
