import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { AddressInfo, Socket, createServer } from "node:net";
import { serverFiles } from "../../../machine/folders";
import * as fleet from "../../../providers/fleet";
import * as guard from "../../../providers/guard";
import * as hubLink from "../../../providers/hub-link";
import * as hubServer from "../../../providers/hub-server";
import * as identity from "../../../providers/identity";
import * as leafServer from "../../../providers/leaf-server";
import { processName } from "../../../machine/processes";
import { declareLink } from "../../../servers/server-config";
import { LocalFiles } from "../../../servers/files/server-files";
import type { Place } from "../../../servers/server-host";
import * as smokeTest from "../../../providers/smoke-test";
import * as streams from "../../../providers/streams";
import { markUnproven } from "../../../fleet/observation/unproven";
import { UNKNOWN } from "../../../configs/values";
import { newKey, newSeed } from "../../support/rules/settings";
import { closedPort, resourcesOf } from "./fleet-inputs";
import { reported } from "./reported";
import { inTempFolder } from "./temp-folder";
import { withOneUnknown } from "./with-one-unknown";

interface Diff {
  changes: boolean;
  replaces?: string[];
}

type AnyDiff = (id: string, olds: unknown, news: unknown) => Promise<Diff>;

const DIFFS = {
  identity: identity.diff,
  fleet: fleet.diff,
  "hub-server": hubServer.diff,
  "hub-link": hubLink.diff,
  "leaf-server": leafServer.diff,
  streams: streams.diff,
  guard: guard.diff,
  "smoke-test": smokeTest.diff,
} as unknown as Record<keyof ReturnType<typeof resourcesOf>, AnyDiff>;

describe("what a diff says", () => {
  const temp = inTempFolder();
  let port = 0;
  before(async () => (port = await closedPort()));
  const resources = () => resourcesOf(temp.path("dev"), port);
  const names = Object.keys(DIFFS) as (keyof typeof DIFFS)[];

  async function diff(
    name: keyof typeof DIFFS,
    olds: unknown,
    news: unknown,
  ): Promise<{ diff: Diff; lines: string[] }> {
    let result: Diff = { changes: false };
    const lines = await reported(async () => (result = await DIFFS[name]("id", olds, news)));
    return { diff: result, lines };
  }

  /** Has this process taken for the server in the folder. */
  function runsIn({ folder }: { folder: string }): void {
    const [pid = "", startTime] = processName().split(".");
    const [bootId, command] = ["/proc/sys/kernel/random/boot_id", "/proc/self/cmdline"].map((file) =>
      readFileSync(file, "latin1"),
    );
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      serverFiles(folder).record,
      JSON.stringify({
        pid: Number(pid),
        startTime,
        bootId: bootId!.trim(),
        command: command!.split("\0").slice(0, -1),
      }),
    );
  }

  for (const name of names) {
    it(`of ${name}: no replacement and no error when everything is unknown`, async () => {
      const { inputs, outputs } = resources()[name];
      const unknown = Object.fromEntries(Object.keys(inputs).map((key) => [key, UNKNOWN]));
      const { diff: found } = await diff(name, outputs, unknown);
      assert.deepEqual(found.replaces ?? [], []);
      assert.equal(typeof found.changes, "boolean");
    });

    it(`of ${name}: no replacement and no error when any one part is unknown`, async () => {
      const { inputs, outputs } = resources()[name];
      for (const [key, value] of Object.entries(inputs)) {
        for (const part of withOneUnknown(value)) {
          const { diff: found } = await diff(name, outputs, { ...inputs, [key]: part });
          assert.deepEqual(found.replaces ?? [], [], JSON.stringify({ [key]: part }));
          assert.equal(typeof found.changes, "boolean");
        }
      }
    });

    it(`of ${name}: the text of the provider is no change`, async () => {
      const { inputs, outputs } = resources()[name];
      const plain = await diff(name, outputs, inputs);
      const told = await diff(name, { ...outputs, __provider: "old" }, { ...inputs, __provider: "new" });
      assert.deepEqual(told, plain);
    });
  }

  describe("of identity", () => {
    it("no change when all is as it was", async () => {
      const { inputs, outputs } = resources().identity;
      assert.deepEqual((await diff("identity", outputs, inputs)).diff, { changes: false });
    });

    it("a change in place for a rotation, a port, a role, a given key and one taken back", async () => {
      const { inputs, outputs } = resources().identity;
      const given = { link: newSeed() };
      for (const [olds, news] of [
        [outputs, { ...inputs, rotation: 1 }],
        [outputs, { ...inputs, ports: { client: 4222, monitor: 20_001 } }],
        [outputs, { ...inputs, roles: ["link"] }],
        [outputs, { ...inputs, given }],
        [{ ...outputs, given }, inputs],
      ]) {
        assert.deepEqual((await diff("identity", olds, news)).diff, { changes: true });
      }
    });
  });

  describe("of fleet", () => {
    it("no change when all is as it was", async () => {
      const { inputs, outputs } = resources().fleet;
      assert.deepEqual((await diff("fleet", outputs, inputs)).diff, { changes: false });
    });

    it("a change when a site comes", async () => {
      const { inputs, outputs } = resources().fleet;
      const settings = { ...inputs.settings, sites: [...inputs.settings.sites, ...inputs.settings.sites] };
      assert.deepEqual((await diff("fleet", outputs, { ...inputs, settings })).diff, { changes: true });
    });

    it("a refusal when the environment names another Docker engine than the one that has the containers", async () => {
      const { inputs, outputs } = resources().fleet;
      await assert.rejects(
        diff("fleet", { ...outputs, engine: "tcp://10.0.0.7:2376" }, inputs),
        /on the Docker engine tcp:\/\/10\.0\.0\.7:2376, but DOCKER_HOST/,
      );
    });

    it("a refusal when the stack's servers run on another machine", async () => {
      const { inputs, outputs } = resources().fleet;
      await assert.rejects(diff("fleet", { ...outputs, machine: "another" }, inputs), /run on another machine, where/);
    });

    it("a refusal in another checkout, where nobody would find the stack's processes", async () => {
      const { inputs, outputs } = resources().fleet;
      await assert.rejects(
        diff("fleet", { ...outputs, folder: tmpdir() }, inputs),
        /servers run from .*, but this is another/,
      );
    });
  });

  describe("of hub-server", () => {
    it("a dead server is a change, and said so", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      assert.deepEqual(await diff("hub-server", outputs, inputs), {
        diff: { changes: true },
        lines: ["hub: the hub is not running; up repairs it"],
      });
    });

    it("one setting needs a restart, another one a reload", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      runsIn(inputs.place);
      const { restart, reload } = inputs.declaration;
      const restarted = { ...inputs, declaration: { reload, restart: { ...restart, syncInterval: 1000 } } };
      const reloaded = { ...inputs, declaration: { restart, reload: { ...reload, maxPayload: 2e6 } } };
      assert.deepEqual((await diff("hub-server", outputs, restarted)).lines, [
        "hub: up restarts the hub; every leaf link drops and comes back",
      ]);
      assert.deepEqual((await diff("hub-server", outputs, reloaded)).lines, ["hub: up reloads the hub; links stay"]);
    });

    it("a dead one is started, whatever else changes", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      const { restart, reload } = inputs.declaration;
      const news = { ...inputs, declaration: { restart, reload: { ...reload, maxPayload: 2e6 } } };
      assert.deepEqual((await diff("hub-server", outputs, news)).lines, ["hub: the hub is not running; up repairs it"]);
    });

    it("less storage needs a restart, more of it a reload", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      runsIn(inputs.place);
      const { restart, reload } = inputs.declaration;
      const linesFor = async (bytes: number) => {
        const limits = { ...reload.limits, maxFile: reload.limits.maxFile + bytes };
        return (
          await diff("hub-server", outputs, { ...inputs, declaration: { restart, reload: { ...reload, limits } } })
        ).lines[0]!;
      };
      assert.match(await linesFor(-1), /up restarts the hub/);
      assert.match(await linesFor(1), /up reloads the hub/);
    });

    it("other certificates for the way to its engine need no restart, another container does", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      const place = (certificates: string, container = "c") => {
        const engine = { url: "tcp://127.0.0.1:1", certificates };
        return { kind: "docker" as const, engine, container, name: "nats-dev-hub", folder: inputs.place.folder };
      };
      const before = { ...outputs, place: place("a") };
      const lines = async (now: Place) => (await diff("hub-server", before, { ...inputs, place: now })).lines.join();
      assert.match(await lines(place("a", "d")), /up restarts the hub/);
      // The way that it looks by is the new one.
      await assert.rejects(lines(place("b")), /open 'b\/ca\.pem'/);
    });

    it("another nats-server needs a restart", async () => {
      const { inputs, outputs } = resources()["hub-server"];
      runsIn(inputs.place);
      const { lines } = await diff("hub-server", outputs, {
        ...inputs,
        place: { ...inputs.place, natsServer: "/opt/nats-server" },
      });
      assert.match(lines[0] ?? "", /up restarts the hub/);
    });
  });

  describe("of hub-link", () => {
    /** The link, with its declaration beside the hub's. */
    const declared = () => {
      const { inputs, outputs } = resources()["hub-link"];
      declareLink(new LocalFiles(inputs.place.folder), inputs.declaration);
      return { inputs, outputs, declaration: inputs.declaration };
    };
    const REPLACEMENT = { changes: true, replaces: ["declaration"] };

    it("no change when all is as it was", async () => {
      const { inputs, outputs } = declared();
      assert.deepEqual((await diff("hub-link", outputs, inputs)).diff, { changes: false });
    });

    it("a replacement when the key rotates and is not known yet", async () => {
      const { inputs, outputs, declaration } = declared();
      const keys = { ...declaration.keys, link: UNKNOWN };
      const news = { ...inputs, declaration: { ...declaration, rotation: 1, keys } };
      assert.deepEqual((await diff("hub-link", outputs, news)).diff, REPLACEMENT);
    });

    it("a replacement when the key rotated and is known", async () => {
      const { inputs, outputs, declaration } = declared();
      const news = {
        ...inputs,
        declaration: { ...declaration, rotation: 1, keys: { ...declaration.keys, link: newKey() } },
      };
      assert.deepEqual((await diff("hub-link", outputs, news)).diff, REPLACEMENT);
    });

    it("a replacement when another key is given without a rotation", async () => {
      const { inputs, outputs, declaration } = declared();
      const news = { ...inputs, declaration: { ...declaration, keys: { ...declaration.keys, link: newKey() } } };
      assert.deepEqual((await diff("hub-link", outputs, news)).diff, REPLACEMENT);
    });

    it("no replacement when a given key stays through a rotation: dropping the old one would drop it", async () => {
      const { inputs, outputs, declaration } = declared();
      const news = { ...inputs, declaration: { ...declaration, rotation: 1 } };
      assert.deepEqual((await diff("hub-link", outputs, news)).diff, { changes: true });
    });

    it("no replacement when the link key is unknown and nothing rotates", async () => {
      const { inputs, outputs, declaration } = declared();
      const news = { ...inputs, declaration: { ...declaration, keys: { ...declaration.keys, link: UNKNOWN } } };
      assert.deepEqual((await diff("hub-link", outputs, news)).diff, { changes: false });
    });

    it("a change in place for anything else", async () => {
      const { inputs, outputs, declaration } = declared();
      for (const news of [
        { ...inputs, declaration: { ...declaration, limits: { maxFile: 1, maxMemory: 0 } } },
        { ...inputs, declaration: { ...declaration, merged: ["EVENTS_OSLO"] } },
        { ...inputs, declaration: { ...declaration, keys: { ...declaration.keys, operator: newKey() } } },
        { ...inputs, hub: { ...inputs.hub, seed: newSeed() } },
        { ...inputs, place: { ...inputs.place, natsServer: "/opt/nats-server" } },
      ]) {
        assert.deepEqual((await diff("hub-link", outputs, news)).diff, { changes: true });
      }
    });

    it("a change in place when another key of the site was declared later", async () => {
      const { inputs, outputs, declaration } = declared();
      const later = { ...declaration, keys: { ...declaration.keys, link: newKey() } };
      declareLink(new LocalFiles(inputs.place.folder), later);
      assert.deepEqual((await diff("hub-link", outputs, inputs)).diff, { changes: true });
    });

    it("a change in place when its declaration beside the hub is gone or was changed by hand", async () => {
      const { inputs, outputs } = resources()["hub-link"];
      assert.deepEqual((await diff("hub-link", outputs, inputs)).diff, { changes: true });
      declareLink(new LocalFiles(inputs.place.folder), { ...inputs.declaration, merged: ["X"] });
      assert.deepEqual((await diff("hub-link", outputs, inputs)).diff, { changes: true });
    });
  });

  describe("of leaf-server", () => {
    it("a dead server is a change, and said so", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      const { diff: found, lines } = await diff("leaf-server", outputs, inputs);
      assert.deepEqual(found, { changes: true });
      assert.match(lines.join("\n"), /is not running; up repairs it$/);
    });

    it("one setting needs a restart, another one a reload", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      runsIn(inputs.place);
      const { restart, reload } = inputs.declaration;
      const restarted = { ...inputs, declaration: { reload, restart: { ...restart, reconnect: 1000 } } };
      const reloaded = { ...inputs, declaration: { restart, reload: { ...reload, maxPayload: 2e6 } } };
      assert.match((await diff("leaf-server", outputs, restarted)).lines.join(), /up restarts its server/);
      assert.match((await diff("leaf-server", outputs, reloaded)).lines.join(), /up reloads its server/);
    });

    it("a dead one is started, whatever else changes and whatever is not known yet", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      const { restart, reload } = inputs.declaration;
      for (const maxPayload of [2e6, UNKNOWN]) {
        const news = { ...inputs, declaration: { restart, reload: { ...reload, maxPayload } } };
        const { lines } = await diff("leaf-server", outputs, news);
        assert.match(lines.join(), /: its server is not running; up repairs it$/);
      }
    });

    it("less storage needs a restart, more of it a reload", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      runsIn(inputs.place);
      const { restart, reload } = inputs.declaration;
      const linesFor = async (bytes: number) => {
        const limits = { ...reload.limits, maxFile: reload.limits.maxFile + bytes };
        const news = { ...inputs, declaration: { restart, reload: { ...reload, limits } } };
        return (await diff("leaf-server", { ...outputs, limits: reload.limits }, news)).lines[0]!;
      };
      assert.match(await linesFor(-1), /up restarts its server/);
      assert.match(await linesFor(1), /up reloads its server/);
    });

    it("TLS on or off needs a restart where only the hub reaches the site, for its link is gone by then", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      runsIn(inputs.place);
      const certificates = { kind: "generated" as const, ca: "", certificate: "", key: "" };
      const linesFor = async (operator: string | undefined) => {
        const access = { ...inputs.access, ...(operator === undefined ? {} : { operator }) };
        return (await diff("leaf-server", outputs, { ...inputs, access, certificates })).lines.join();
      };
      assert.match(await linesFor(undefined), /up reloads its server/);
      assert.match(await linesFor("SU"), /up restarts its server/);
    });

    it("other certificates for the way to its engine need no restart, another container does", async () => {
      const { inputs } = resources()["leaf-server"];
      const placed = (certificates: string, container = "c") => {
        const engine = { url: "tcp://127.0.0.1:1", certificates };
        const { folder } = inputs.place;
        return { ...inputs, place: { kind: "docker" as const, engine, container, name: "nats-dev-oslo", folder } };
      };
      const { outs: outputs } = await leafServer.create({ ...placed("a"), expect: "offline" });
      const lines = async (now: leafServer.LeafServerInputs) =>
        (await diff("leaf-server", { ...outputs, expect: "online" }, now)).lines.join();
      assert.match(await lines(placed("b")), /up reloads its server/);
      assert.match(await lines(placed("a", "d")), /up restarts its server/);
    });

    it("nothing of the server of an offline site: nobody looks at it", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      const { diff: first } = await diff("leaf-server", outputs, { ...inputs, expect: "offline" });
      assert.deepEqual(first, { changes: true });
    });

    it("an attempt that failed is made again, with its reason", async () => {
      const { inputs, outputs } = resources()["leaf-server"];
      const { diff: found, lines } = await diff("leaf-server", { ...outputs, problem: "no link" }, inputs);
      assert.deepEqual(found, { changes: true });
      assert.match(lines.join(), /up tries again: no link/);
    });
  });

  describe("of streams", () => {
    it("never a replacement, whatever changes", async () => {
      const { inputs, outputs } = resources().streams;
      for (const news of [
        { ...inputs, site: "bergen" },
        { ...inputs, stack: "prod" },
        { ...inputs, streams: [] },
        { ...inputs, streams: [{ ...inputs.streams[0]!, storage: "memory" as const }] },
        { ...inputs, access: { ...inputs.access, url: "nats://127.0.0.1:1" } },
        { ...inputs, expect: "offline" as const },
      ]) {
        assert.deepEqual((await diff("streams", outputs, news)).diff, { changes: true });
      }
    });

    it("no change when nothing is unknown, declared or failed", async () => {
      const { inputs, outputs } = resources().streams;
      const none = { streams: [] };
      assert.deepEqual((await diff("streams", { ...outputs, ...none }, { ...inputs, ...none })).diff, {
        changes: false,
      });
    });

    it("servers that do not answer are a change, and said so", async () => {
      const { inputs, outputs } = resources().streams;
      assert.deepEqual(await diff("streams", outputs, inputs), {
        diff: { changes: true },
        lines: ["site oslo: its servers do not answer; up repairs it"],
      });
    });

    it("an attempt that failed is made again", async () => {
      const { inputs, outputs } = resources().streams;
      const none = { streams: [] };
      const { diff: found } = await diff("streams", { ...outputs, ...none, problem: "no" }, { ...inputs, ...none });
      assert.deepEqual(found, { changes: true });
    });
  });

  describe("of guard", () => {
    it("no change when all is as it was, a change in place when a site or an access is another", async () => {
      const { inputs, outputs } = resources().guard;
      assert.deepEqual((await diff("guard", outputs, inputs)).diff, { changes: false });
      assert.deepEqual((await diff("guard", outputs, { ...inputs, sites: [] })).diff, { changes: true });
      const hub = { ...inputs.hub, seed: newSeed() };
      assert.deepEqual((await diff("guard", outputs, { ...inputs, hub })).diff, { changes: true });
    });
  });

  describe("of smoke-test", () => {
    it("a change when a look finds an error, named", async () => {
      const { inputs, outputs } = resources()["smoke-test"];
      assert.deepEqual(await diff("smoke-test", outputs, inputs), {
        diff: { changes: true },
        lines: ["smoke test: runs again: a look finds hub-down at oslo, site-down at oslo"],
      });
    });

    it("a change for a server that is not the one that was proven, named", async () => {
      const { inputs, outputs } = resources()["smoke-test"];
      const proven = { ...outputs.proven, servers: { hub: "", oslo: "NAHAPROVENONE" } };
      assert.deepEqual(await diff("smoke-test", { ...outputs, proven }, inputs), {
        diff: { changes: true },
        lines: ["smoke test: runs again: oslo: not the servers that were proven"],
      });
    });

    it("a change for a server that was changed since the proof, named", async () => {
      const { inputs, outputs } = resources()["smoke-test"];
      mkdirSync(inputs.root, { recursive: true });
      markUnproven(inputs.root, "oslo");
      assert.deepEqual(await diff("smoke-test", outputs, inputs), {
        diff: { changes: true },
        lines: ["smoke test: runs again: not proven since the last change: oslo"],
      });
    });

    it("a change at each run when it always runs", async () => {
      const { inputs, outputs } = resources()["smoke-test"];
      assert.deepEqual((await diff("smoke-test", outputs, { ...inputs, run: "always" })).diff, { changes: true });
    });
  });

  it("comes within five seconds when servers take connections and say nothing", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    try {
      const quiet = resourcesOf(temp.path("dev"), (silent.address() as AddressInfo).port);
      const started = performance.now();
      const answers: Diff[] = [];
      await reported(async () => {
        const all = ["streams", "smoke-test", "hub-server", "leaf-server"] as const;
        const found = all.map((name) => DIFFS[name]("id", quiet[name].outputs, quiet[name].inputs));
        answers.push(...(await Promise.all(found)));
      });
      assert.deepEqual(
        answers.map(({ changes }) => changes),
        [true, false, true, true],
      );
      assert.equal(performance.now() - started < 5_000, true);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
