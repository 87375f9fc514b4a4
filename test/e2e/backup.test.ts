import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { NatsConnection } from "nats";
import type { RawSettings } from "../../configs/settings";
import { JetStream } from "../../servers/nats/jetstream";
import { Stack } from "../support/stacks/cli";
import { type Ran, succeeded } from "../support/stacks/commands";
import { killHard, pidOf } from "../support/stacks/servers";
import { Traffic, endAll, publish, stored } from "../support/stacks/traffic";
import { until } from "../support/until";

// The disaster drill: the hub and all that it stored are destroyed while applications publish, and come back from a backup,
// with the commands of docs/backup.md. Every message is counted by its text.

const SITES = ["oslo", "bergen"];

for (const mode of ["perSite", "merged"] as const)
  describe(`the disaster drill, ${mode}`, () => {
    let stack: Stack;
    let folder: string;
    const traffic: Record<string, Traffic> = {};
    /** All that each site acknowledged. */
    const published: Record<string, string[]> = {};
    /** What the hub had of each site when the backup began. */
    let saved: Record<string, string[]> = {};
    let restored: Ran;

    const settings: RawSettings = {
      hub: { maxFile: "2GiB" },
      sites: SITES.map((name) => ({ name })),
      streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "128MiB", collect: { mode, maxBytes: "256MiB" } }],
    };
    const siteStream = (site: string) => (mode === "merged" ? `EVENTS_${site.toUpperCase()}` : "EVENTS");
    const hubReader = (site: string) =>
      mode === "merged" ? stack.client("hub", "reader") : stack.client(site, "reader", { at: "hub" });
    const hubOperator = (site: string) =>
      mode === "merged" ? stack.client("hub", "operator") : stack.client(site, "operator", { at: "hub" });
    const onHub = async (site: string): Promise<string[]> =>
      textsOf(await hubReader(site), "EVENTS", mode === "merged" ? `${site}.events.>` : "events.>");
    const atSite = async (site: string): Promise<string[]> =>
      textsOf(await stack.client(site, "operator"), siteStream(site), "events.>");
    const textsOf = async (client: NatsConnection, stream: string, pattern: string): Promise<string[]> =>
      (await stored(client, stream, pattern)).map(({ text }) => text);
    const command = (line: string, env: NodeJS.ProcessEnv = {}) =>
      stack.shell(`node commands/bin.js ${line} --stack ${stack.name}`, env);
    /** Runs a command until something holds, and kills it with all that it started. */
    const killed = async (line: string, what: string, look: () => boolean | Promise<boolean>): Promise<void> => {
      const running = stack.startShell(`node commands/bin.js ${line} --stack ${stack.name}`);
      let ran: Ran | undefined;
      void running.ended.then((one) => (ran = one));
      await until(what, async () => {
        if (ran !== undefined) throw new Error(`it ended before:\n${ran.output}`);
        return await look();
      });
      process.kill(-running.child.pid!, "SIGKILL");
      await running.ended;
    };

    before(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-drill-"));
      stack = await Stack.create(`drill-${mode.toLowerCase()}`, settings);
      succeeded(await stack.make("up"));
      for (const site of SITES) published[site] = await publish(await stack.applicationOf(site), site, { count: 200 });
      // Enough that a command can be killed in the middle.
      const big = (await stack.applicationOf("oslo")).jetstream();
      for (let i = 0; i < 120; i++) {
        const text = `oslo-big-${i} ${randomBytes(180_000).toString("base64")}`;
        await big.publish("events.big", text);
        published.oslo!.push(text);
      }
      for (const site of SITES) traffic[site] = Traffic.start(await stack.applicationOf(site), site);
      await until("the hub has what was published", async () => (await onHub("oslo")).length > 320, 60_000);
    });
    after(async () => {
      await endAll(traffic);
      await stack.remove();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    const to = () => path.join(folder, "backup");

    it("a backup that is killed does not look whole, and runs again to its end", async () => {
      const size = () =>
        fs.existsSync(to())
          ? fs.readdirSync(to()).reduce((sum, file) => sum + fs.statSync(path.join(to(), file)).size, 0)
          : 0;
      await killed(`backup --to ${to()}`, "the backup is under way", () => size() > 1_000_000);
      assert.ok(!fs.existsSync(path.join(to(), "manifest.json")));
      const { code, output } = await command(`restore --from ${to()}`);
      assert.notEqual(code, 0);
      assert.match(output, /holds no whole backup/);
      saved = Object.fromEntries(await Promise.all(SITES.map(async (site) => [site, await onHub(site)] as const)));
      const { output: words } = succeeded(await stack.makeWith("backup", { TO: to() }));
      assert.match(words, /a whole backup: \d streams/);
    });

    it("no source stops for it", async () => {
      const counts = Object.fromEntries(SITES.map((site) => [site, traffic[site]!.count]));
      await until("traffic goes on", () => SITES.every((site) => traffic[site]!.count > counts[site]! + 20));
    });

    it("the hub and its store are destroyed, after the site dropped what it had delivered", async () => {
      const taken = await onHub("oslo");
      await until("more arrives than the backup has", async () => (await onHub("oslo")).length > taken.length + 30);
      const site = new JetStream(await stack.client("oslo", "operator"));
      const { state } = (await site.stream(siteStream("oslo")))!;
      const hub = new JetStream(await hubOperator("oslo"));
      await until("the hub has all of it", async () =>
        ((await hub.stream("EVENTS"))?.sources ?? []).some(
          ({ seq = 0, external }) => external?.api === "$JS.oslo.API" && seq >= state.last_seq,
        ),
      );
      await site.purge(siteStream("oslo"), "events.>", state.last_seq);
      await killHard(pidOf(stack.fleet, "hub"));
      fs.rmSync(path.join(stack.fleet, "hub"), { recursive: true });
    });

    it("up makes an empty hub, which fetches what the sites hold", async () => {
      const ran = await stack.make("up");
      assert.equal(ran.code, 0, ran.output);
    });

    it("restore that is killed runs again to its end", async () => {
      const hub = async () => {
        const info = await new JetStream(await hubOperator("oslo")).stream("EVENTS").catch(() => undefined);
        return (info?.config.metadata["nats-hub-leaf.restoring"] !== undefined && info.state.messages > 10) === true;
      };
      await killed(`restore --from ${to()}`, "the restore is under way", hub);
      restored = await stack.makeWith("restore", { FROM: to() });
      assert.equal(restored.code, 0, restored.output);
    });

    it("has every message that the backup has or a site holds, exactly once", async () => {
      for (const site of SITES) published[site]!.push(...(await traffic[site]!.stop()));
      for (const site of SITES) {
        const held = await atSite(site);
        await until(`the hub has what ${site} holds`, async () => (await onHub(site)).includes(held.at(-1)!), 60_000);
        const texts = await onHub(site);
        assert.equal(new Set(texts).size, texts.length, `${site}: doubled`);
        const there = new Set(texts);
        assert.deepEqual(saved[site]!.filter((text) => !there.has(text)).map(short), [], `${site}: of the backup`);
        assert.deepEqual(held.filter((text) => !there.has(text)).map(short), [], `${site}: held there`);
        const known = new Set(published[site]);
        assert.deepEqual(texts.filter((text) => !known.has(text)).map(short), [], `${site}: never published`);
      }
    });

    it("says the gap in numbers, once, in the restore and in the book", async () => {
      const there = new Set(await onHub("oslo"));
      const lost = published.oslo!.filter((text) => !there.has(text)).length;
      assert.ok(lost > 0, "the test made no gap");
      assert.match(restored.output, new RegExp(`site oslo: ${lost} messages of \\S+ are missing`));
      assert.doesNotMatch(restored.output, /site bergen: \d+ messages/);
      // The last step of docs/backup.md: every site is proven again.
      const up = succeeded(await stack.make("up"));
      assert.match(up.output, new RegExp(`${lost} messages`), up.output);
      const doctor = await command("doctor");
      assert.equal(doctor.code, 1, doctor.output);
      succeeded(await stack.makeWith("repair", { SITE: "oslo", ACCEPT: "known", NOTE: "drill" }));
    });

    it("is good at the end", async () => {
      const { code, output } = await command("doctor");
      assert.equal(code, 0, output);
      await stack.isClean();
    });
  });

const short = (text: string): string => text.slice(0, 30);
