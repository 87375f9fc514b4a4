import { createUser } from "@nats-io/nkeys";
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { publicKeyOf } from "../../configs/keys";
import { pulumiHome } from "../../machine/locate";
import { Stack } from "../support/stacks/cli";
import { filesBelow } from "../support/stacks/scratch-project";
import { commandOf, environmentOf, serversOf } from "../support/stacks/servers";
import { leafLogin } from "../support/stacks/leaf-login";
import { arrived, publish } from "../support/stacks/traffic";

// No seed may be read anywhere but in the one file that its server needs it in. Every seed of the stack, generated or
// given, is searched in everything that a life of the stack leaves behind.

const SEED = /S[UAONCXP][A-Z2-7]{56}/g;
const newSeed = () => new TextDecoder().decode(createUser().getSeed());

const settings = {
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  probes: { burst: "0B" },
};

/** What is in the file; undefined when it is older, or another command's CLI has renamed it since it was listed. */
function writtenSince(file: string, time: number): Buffer | undefined {
  try {
    return fs.statSync(file).mtimeMs >= time ? fs.readFileSync(file) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

describe("secrets", () => {
  let stack: Stack;
  let since: number;
  /** Every seed that the stack ever had. */
  const seeds = new Set<string>();
  const given = { link: newSeed(), application: newSeed() };
  /** A seed with its last letter changed is no seed any more, and gives the right one away. */
  const damaged = newSeed().slice(0, -4) + "AAAA";

  const remember = async (): Promise<void> => {
    for (const ofOwner of Object.values(await stack.seedsInState()))
      Object.values(ofOwner).forEach((seed) => seeds.add(seed));
  };

  before(async () => {
    since = Date.now();
    stack = await Stack.create("secrets", settings);
    await stack.setSecret("keys.bergen.link", given.link);
    await stack.setSecret("keys.bergen.application", given.application);
    Object.values(given).forEach((seed) => seeds.add(seed));
    await stack.succeeds("preview", "--diff");
    // From -v=3 on the CLI logs what its programs and providers say to each other, secrets included (RegisterResource RPC).
    await stack.succeeds("up", "--yes", "--skip-preview", "--diff", "--logtostderr", "-v=2");
    await remember();
    // What changes keys shows the most of them.
    await stack.succeeds("config", "set", "--path", "nats-hub-leaf:sites[0].rotation", "1");
    await stack.succeeds("preview", "--diff", "--show-config");
    await stack.succeeds("preview", "--json");
    await stack.up("--diff");
    await remember();
    await stack.succeeds("refresh", "--yes", "--skip-preview", "--diff");
    await stack.succeeds("stack", "output", "--json");
    await stack.succeeds("config");
    // A seed that the program has to refuse, and a server that cannot start with what it has.
    await stack.setSecret("keys.bergen.operator", damaged);
    await stack.fails("preview");
    await stack.succeeds("config", "rm", "--path", "nats-hub-leaf:keys.bergen.operator");
  });
  after(() => stack.remove());

  const assertNone = (where: string, text: string): void => {
    for (const seed of [...seeds, damaged]) assert.ok(!text.includes(seed), `${where} holds a seed in clear`);
    assert.deepEqual(text.match(SEED)?.length ?? 0, 0, `${where} holds something like a seed`);
  };

  it("are there: 3 keys of the hub, 4 of each site, 1 new by rotation, 1 of them refused", () => {
    assert.equal(seeds.size, 3 + 4 + 4 + 1);
  });

  it("are in clear in no state, history or backup of the CLI", () => {
    const texts = stack.stateTexts();
    for (const kind of ["stacks", "history", "backups"]) {
      assert.ok(
        texts.some(({ file }) => file.includes(`/.pulumi/${kind}/`)),
        `there is no ${kind}`,
      );
    }
    assert.ok(
      texts.some(({ text }) => text.includes("oslo-identity")),
      "the state was not read",
    );
    for (const { file, text } of texts) assertNone(file, text);
  });

  it("are in clear in no output of any command", () => {
    assert.ok(stack.printed.length > 10);
    for (const { command, output } of stack.printed) assertNone(command, output);
  });

  it("are in clear in no file of the project, and in no log of the CLI", () => {
    const files = filesBelow(stack.folder).filter((file) => !/\/\.(fleet|state)\//.test(file));
    for (const file of files) assertNone(file, fs.readFileSync(file, "latin1"));
    for (const file of filesBelow(path.join(pulumiHome(), "logs"))) {
      const bytes = writtenSince(file, since);
      if (bytes === undefined) continue;
      const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      // One that another command is still writing has no end.
      const unzipped = isGzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
      assertNone(file, unzipped.toString("latin1"));
    }
  });

  it("are in clear in no file of the servers but the site's configuration, which holds the link's", async () => {
    const links = Object.fromEntries(
      Object.entries(await stack.seedsInState()).map(([owner, { link }]) => [owner, link]),
    );
    for (const file of filesBelow(stack.fleet)) {
      const text = fs.readFileSync(file, "latin1");
      const site = /\/sites\/([^/]+)\/nats-server\.conf$/.exec(file)?.[1];
      assertNone(file, site === undefined ? text : text.replace(links[site]!, ""));
      if (site !== undefined) assert.ok(text.includes(links[site]!), `${file} is not the file that was meant`);
    }
  });

  it("are on the command line and in the environment of no server, nor is the passphrase", () => {
    const servers = serversOf(stack.fleet);
    assert.equal(servers.length, 3);
    for (const { pid } of servers) {
      const seen = `${commandOf(pid).join(" ")} ${environmentOf(pid)}`;
      assertNone(`process ${pid}`, seen);
      assert.ok(!seen.includes(stack.passphrase), `process ${pid} was given the passphrase`);
    }
  });

  it("are in files and folders for their owner alone", () => {
    const all = [
      stack.fleet,
      ...fs.readdirSync(stack.fleet, { recursive: true, encoding: "utf8" }).map((name) => path.join(stack.fleet, name)),
    ];
    const open = all.filter((file) => (fs.statSync(file).mode & 0o077) !== 0);
    assert.ok(all.length > 20);
    assert.deepEqual(
      open.map((file) => path.relative(stack.fleet, file)),
      [],
    );
  });

  it("that are given are used as they are", async () => {
    const { seeds: shown, hub } = await stack.outputs();
    assert.equal(shown.bergen!.application, given.application);
    assert.equal(await leafLogin(hub.leafnodes, given.link), "accepted");
    const texts = await publish(await stack.applicationOf("bergen"), "bergen");
    assert.deepEqual(await arrived(stack, "bergen", texts), texts.toSorted());
  });

  it("that are damaged are refused with where and what, and never shown", () => {
    const refused = stack.printed.find(({ code }) => code !== 0);
    assert.match(refused!.output, /keys\.bergen\.operator: is not a valid seed/);
  });

  it("that are shown as public keys belong to the seeds", async () => {
    const conf = fs.readFileSync(path.join(stack.fleet, "hub/nats-server.conf"), "utf8");
    assert.ok(conf.includes(publicKeyOf(given.link)));
  });
});
