import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { parse } from "../../../configs/format/parse";
import { HubDeclaration, HubLinkDeclaration, NOTHING_HELD } from "../../../configs/plan/plan-hub";
import { serverFiles } from "../../../machine/folders";
import {
  declareHub,
  declareLink,
  declaredLinks,
  dropLink,
  handChanges,
  heldIn,
  noteHeldLimits,
  noteHeldStreams,
  renderHub,
  writeConfig,
  writeHub,
  writtenDigest,
} from "../../../servers/server-config";
import { LocalFiles } from "../../../servers/files/server-files";
import { newKey } from "../../support/rules/settings";
import { inTempFolder } from "../providers/temp-folder";

const HUB: HubDeclaration = {
  restart: {
    name: "hub",
    host: "127.0.0.1",
    ports: { client: 4222, leafnodes: 7422, monitor: 8222 },
    syncInterval: "always",
    logs: { sizeLimit: 1_000_000, keep: 3 },
  },
  reload: {
    limits: { maxFile: 1e9, maxMemory: 1e6 },
    maxPayload: 1e6,
    merged: { maxFile: 1e6, maxMemory: 0 },
    keys: { system: newKey(), operator: newKey(), reader: newKey() },
  },
};

const link = (site: string, change: Partial<HubLinkDeclaration> = {}): HubLinkDeclaration => ({
  site,
  keys: { link: newKey(), operator: newKey(), reader: newKey() },
  rotation: 0,
  limits: { maxFile: 1e6, maxMemory: 0 },
  merged: [],
  ...change,
});

/** The nkeys of an account's users in the hub's configuration; undefined when there is no such account. */
function usersOf(files: LocalFiles, account: string): string[] | undefined {
  const accounts = parse(renderHub(files) ?? "").accounts as Record<string, { users: { nkey: string }[] }>;
  return accounts[account]?.users.map((user) => user.nkey);
}

describe("the hub's configuration from its declarations", () => {
  const temp = inTempFolder();
  const folder = () => temp.path("hub");
  const hub = () => new LocalFiles(folder());

  /** A nats-server that finds every configuration valid, or none. */
  const binary = (verdict: string) => {
    writeFileSync(temp.path("server"), `#!/bin/sh\n${verdict}\n`, { mode: 0o755 });
    return { path: temp.path("server"), version: "2.15.2" };
  };
  const valid = () => binary('echo "valid (sha256:0a1b)" >&2');
  const invalid = () => binary('echo "nats-server: $3:1:1: no" >&2; exit 1');

  describe("with what accounts hold besides", () => {
    const declared = { maxFile: 1e6, maxMemory: 0 };
    const holds = (maxFile: number) => ({ maxFile, maxMemory: 0 });
    const note = (...needs: number[]) => noteHeldLimits(hub(), "OSLO", declared, needs.map(holds));
    beforeEach(() => {
      declareHub(hub(), HUB);
      declareLink(hub(), link("oslo"));
    });

    it("notes only what is more than declared, and forgets it again", () => {
      const before = renderHub(hub());
      note(9e5);
      assert.deepEqual([heldIn(hub()), existsSync(temp.path("hub/held.json"))], [NOTHING_HELD, false]);
      note(3e6, 2e6);
      noteHeldStreams(hub(), "oslo", ["EVENTS_OSLO"]);
      assert.deepEqual(heldIn(hub()), { limits: { OSLO: holds(3e6) }, merged: { oslo: ["EVENTS_OSLO"] } });
      assert.notEqual(renderHub(hub()), before);
      note(0);
      noteHeldStreams(hub(), "oslo", []);
      assert.deepEqual([renderHub(hub()), existsSync(temp.path("hub/held.json"))], [before, false]);
    });

    it("notes nothing that the hub has no room for, with which it would not start again, but less where that is enough", () => {
      note(1e9);
      assert.deepEqual(heldIn(hub()), NOTHING_HELD);
      note(1e9, 2e6);
      assert.deepEqual(heldIn(hub()).limits, { OSLO: holds(2e6) });
    });
  });

  it("is none while the hub is not declared", () => {
    declareLink(hub(), link("oslo"));
    assert.equal(renderHub(hub()), undefined);
  });

  it("is the same text for the same declarations, in whatever order they came", () => {
    const [oslo, bergen] = [link("oslo"), link("bergen")];
    declareHub(hub(), HUB);
    declareLink(hub(), oslo);
    declareLink(hub(), bergen);
    const [text] = [renderHub(hub())];
    dropLink(hub(), oslo, false);
    declareLink(hub(), oslo);
    assert.equal(renderHub(hub()), text);
  });

  it("has an account with the link key of every declared site", () => {
    const oslo = link("oslo");
    declareHub(hub(), HUB);
    declareLink(hub(), oslo);
    assert.deepEqual(usersOf(hub(), "OSLO"), [oslo.keys.link, oslo.keys.operator, oslo.keys.reader]);
    assert.equal(usersOf(hub(), "BERGEN"), undefined);
  });

  it("has both link keys of a site while its key rotates, and the new one alone afterwards", () => {
    const old = link("oslo");
    const renewed = { ...old, rotation: 1, keys: { ...old.keys, link: newKey() } };
    declareHub(hub(), HUB);
    declareLink(hub(), old);
    declareLink(hub(), renewed);
    const { operator, reader } = old.keys;
    assert.deepEqual(usersOf(hub(), "OSLO"), [old.keys.link, renewed.keys.link, operator, reader]);
    dropLink(hub(), old, false);
    assert.deepEqual(usersOf(hub(), "OSLO"), [renewed.keys.link, operator, reader]);
  });

  it("has the operator that was declared last, whichever link key comes first and whatever the rotation", () => {
    const [first, second] = [newKey(), newKey()].sort();
    declareHub(hub(), HUB);
    for (const [before, after] of [
      [first, second],
      [second, first],
    ]) {
      for (const rotation of [0, 1, 2]) {
        const old = link("oslo", { rotation: 1, keys: { ...link("oslo").keys, link: before! } });
        const renewed = link("oslo", { rotation, keys: { ...link("oslo").keys, link: after! } });
        declareLink(hub(), old);
        declareLink(hub(), renewed);
        const { operator, reader } = renewed.keys;
        assert.deepEqual(usersOf(hub(), "OSLO"), [before, after, operator, reader]);
        for (const one of [old, renewed]) dropLink(hub(), one, false);
      }
    }
  });

  it("loses the account with its last key", () => {
    const oslo = link("oslo");
    declareHub(hub(), HUB);
    declareLink(hub(), oslo);
    dropLink(hub(), oslo, false);
    assert.equal(usersOf(hub(), "OSLO"), undefined);
  });

  it("keeps the account of a removed site for its data, without a key that a leaf could use", () => {
    const oslo = link("oslo");
    declareHub(hub(), HUB);
    declareLink(hub(), oslo);
    dropLink(hub(), oslo, true);
    assert.deepEqual(usersOf(hub(), "OSLO"), [oslo.keys.operator, oslo.keys.reader]);
  });

  it("takes a kept account back into use when the site returns", () => {
    const [old, again] = [link("oslo"), link("oslo")];
    declareHub(hub(), HUB);
    declareLink(hub(), old);
    dropLink(hub(), old, true);
    declareLink(hub(), again);
    assert.deepEqual(usersOf(hub(), "OSLO"), [again.keys.link, again.keys.operator, again.keys.reader]);
    assert.equal(declaredLinks(hub()).length, 1);
  });

  it("keeps the account of one site apart from a site whose name begins like it", () => {
    const [oslo, east] = [link("oslo"), link("oslo-east")];
    declareHub(hub(), HUB);
    declareLink(hub(), oslo);
    declareLink(hub(), east);
    dropLink(hub(), oslo, false);
    assert.deepEqual(declaredLinks(hub()), [east]);
  });

  it("knows no links of a hub without a folder", () => {
    assert.deepEqual(declaredLinks(new LocalFiles(temp.path("none"))), []);
  });

  it("passes over what a killed writer left beside the declarations", () => {
    declareLink(hub(), link("oslo"));
    writeFileSync(temp.path("hub", "links", "oslo.U1.json.123.tmp"), "{ half");
    assert.equal(declaredLinks(hub()).length, 1);
  });

  it("lies in private files, the declarations too", () => {
    declareHub(hub(), HUB);
    declareLink(hub(), link("oslo"));
    const files = readdirSync(folder(), { recursive: true, encoding: "utf8" }).map((name) => temp.path("hub", name));
    assert.deepEqual(
      files.map((file) => statSync(file).mode & 0o777).filter((mode) => mode !== 0o600 && mode !== 0o700),
      [],
    );
  });

  it("is written only when nats-server finds it valid, with the digest beside it", async () => {
    mkdirSync(folder());
    assert.equal(await writeConfig(hub(), "a: 1\n", valid()), "sha256:0a1b");
    await assert.rejects(writeConfig(hub(), "a: 2\n", invalid()), { message: "nats-server.conf:1:1: no" });
    assert.equal(readFileSync(serverFiles(folder()).config, "utf8"), "a: 1\n");
    assert.equal(writtenDigest(hub()), "sha256:0a1b");
    assert.deepEqual(readdirSync(folder()).sort(), [
      "nats-server.conf",
      "nats-server.conf.digest",
      "nats-server.conf.written",
    ]);
  });

  it("shows what was edited by hand, and whether the server has read it", async () => {
    mkdirSync(folder());
    const digest = await writeConfig(hub(), "a: 1\n", valid());
    assert.deepEqual(handChanges(hub(), digest), []);
    assert.deepEqual(handChanges(hub(), "sha256:other"), ["the server does not run the configuration in its file"]);
    hub().write("nats-server.conf", "a: 2\n");
    assert.deepEqual(handChanges(hub(), "sha256:other"), ["a is 2, this program wrote 1"]);
    assert.match(
      handChanges(hub(), digest).join(),
      /^a is 2, this program wrote 1 \(in the file; the server has not read it/,
    );
    hub().remove("nats-server.conf.written");
    assert.deepEqual(handChanges(hub(), digest), []);
  });

  it("is written from its declarations under a lock that is gone afterwards", async () => {
    declareHub(hub(), HUB);
    assert.equal(await writeHub(hub(), valid()), "sha256:0a1b");
    assert.equal(readFileSync(serverFiles(folder()).config, "utf8"), renderHub(hub()));
    assert.equal(existsSync(`${folder()}.lock`), false);
  });

  it("is refused while the hub is not declared", async () => {
    await assert.rejects(writeHub(hub(), valid()), /the hub is not declared; run 'pulumi up' on the whole stack/);
    assert.equal(existsSync(`${folder()}.lock`), false);
  });
});
