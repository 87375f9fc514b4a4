import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverFiles } from "../../machine/folders";
import { checkConfigs } from "../../commands/check-config";
import { startServer, stopServer } from "../support/fleets/servers";
import { newSeed } from "../support/rules/settings";
import { until } from "../support/until";

/** Hubs that let in a leaf server whose key they do not know: what is said of their files, and where the link comes out. */

interface OpenHub {
  it: string;
  hub: string;
  says: string[];
  account: string;
}

const HUBS: OpenHub[] = [
  { it: "a hub without users", hub: "", says: ["hub-without-users"], account: "$G" },
  {
    it: "a hub with users of the system account only",
    hub: "accounts { SYS { users: [ {user: sys, password: sys} ] } }\nsystem_account: SYS",
    says: ["hub-without-users", "unknown-key"],
    account: "$G",
  },
  {
    it: "a hub with no_auth_user and no keys",
    hub: "accounts { A { users: [ {user: a, password: a} ] }, B { users: [ {user: b, password: b} ] } }\nno_auth_user: b",
    says: ["no-auth-user", "unknown-key"],
    account: "B",
  },
];

async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(holders.map((holder) => once(holder, "listening")));
  const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
  await Promise.all(holders.map((holder) => once(holder.close(), "close")));
  return ports;
}

describe("a leaf server with a key that the hub does not know", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "nats-hub-leaf-open-"))));
  afterEach(async () => {
    await Promise.all(["hub", "leaf"].map((name) => stopServer(join(root, name))));
    rmSync(root, { recursive: true, force: true });
  });

  for (const { it: what, hub, says, account } of HUBS) {
    it(`is let into ${account} by ${what}`, async () => {
      const [client, leafnodes, monitor, atLeaf] = await freePorts(4);
      const files: Record<string, string> = {
        hub: `server_name: hub\nlisten: "127.0.0.1:${client}"\nhttp: "127.0.0.1:${monitor}"\nleafnodes { listen: "127.0.0.1:${leafnodes}" }\n${hub}`,
        leaf: `server_name: leaf\nlisten: "127.0.0.1:${atLeaf}"\nleafnodes { remotes: [ { url: "nats-leaf://127.0.0.1:${leafnodes}", nkey: ${newSeed()} } ] }\n`,
      };
      const folders = Object.keys(files).map((name) => join(root, name));
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(root, name));
        writeFileSync(serverFiles(join(root, name)).config, text, { mode: 0o600 });
      }
      const { findings } = await checkConfigs(folders.map((folder) => serverFiles(folder).config));
      // Nothing is sourced from it; that is not the point here.
      const codes = findings.map(({ code }) => code).filter((code) => code !== "leaf-without-jetstream");
      assert.deepEqual(codes.sort(), says);

      for (const folder of folders) await startServer(folder);
      const landed = await until("the hub has the link", async () => {
        const { leafs = [] } = (await (await fetch(`http://127.0.0.1:${monitor}/leafz`)).json()) as {
          leafs?: { account: string }[];
        };
        return leafs[0]?.account;
      });
      assert.equal(landed, account);
    });
  }
});
