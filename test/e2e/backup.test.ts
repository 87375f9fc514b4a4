import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { NatsConnection } from "nats";
import type { RawSettings } from "../../configs/settings";
import { JetStream } from "../../servers/nats/jetstream";
import { Stack } from "../support/stacks/cli";
import { type Ran, killWhen, succeeded } from "../support/stacks/commands";
import { killHard, pidOf } from "../support/stacks/servers";
import { MOST_SILENCE_MS, Traffic, endAll, pause, publish, stored } from "../support/stacks/traffic";
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
    /** The backup of the merged fleet is encrypted. */
    const passphrase = (): Record<string, string> =>
      mode === "merged" ? { BACKUP_PASSPHRASE_FILE: path.join(folder, "passphrase") } : {};
    const command = (line: string, env: NodeJS.ProcessEnv = passphrase()) =>
      stack.shell(`node commands/bin.js ${line} --stack ${stack.name}`, env);
    const killed = (line: string, what: string, look: () => boolean | Promise<boolean>): Promise<void> =>
      killWhen(stack.startShell(`node commands/bin.js ${line} --stack ${stack.name}`, passphrase()), what, look);

    /** Looks at the hub's sources, again and again, for the longest silence of one; -1 for one that was never heard. */
    function watchSources() {
      const longest = { ms: 0, looks: 0 };
      let isEnding = false;
      const look = async () => {
        const hubs = await Promise.all(SITES.map(hubOperator));
        for (; !isEnding; await pause(100)) {
          for (const hub of hubs)
            for (const { active } of (await new JetStream(hub).stream("EVENTS"))?.sources ?? [])
              longest.ms = active < 0 || longest.ms < 0 ? -1 : Math.max(longest.ms, active / 1e6);
          longest.looks++;
        }
      };
      const ended = look();
      ended.catch(() => undefined);
      return {
        stop: async () => {
          isEnding = true;
          await ended;
          return longest;
        },
      };
    }

    before(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-drill-"));
      fs.writeFileSync(path.join(folder, "passphrase"), "a long one\n", { mode: 0o600 });
      fs.writeFileSync(path.join(folder, "wrong"), "another\n", { mode: 0o600 });
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

    it("a backup that is killed does not look whole, and runs again to its end, while every source goes on", async () => {
      const size = () =>
        fs.existsSync(to())
          ? fs.readdirSync(to()).reduce((sum, file) => sum + fs.statSync(path.join(to(), file)).size, 0)
          : 0;
      await killed(`backup --to ${to()}`, "the backup is under way", () => size() > 1_000_000);
      assert.ok(!fs.existsSync(path.join(to(), "manifest.json")));
      const { code, output } = await command(`restore --from ${to()}`);
      assert.notEqual(code, 0);
      assert.match(output, /holds no complete backup/);
      saved = Object.fromEntries(await Promise.all(SITES.map(async (site) => [site, await onHub(site)] as const)));
      const silences = watchSources();
      const { output: words } = succeeded(await stack.makeWith("backup", { TO: to(), ...passphrase() }));
      const longest = await silences.stop();
      assert.ok(longest.looks > 5 && longest.ms >= 0 && longest.ms < MOST_SILENCE_MS, JSON.stringify(longest));
      assert.match(
        words,
        mode === "merged" ? /a complete backup: 1 streams.*, encrypted/ : /a complete backup: 2 streams.*not encrypted/,
      );
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

    it("restore refuses a changed file, and a wrong passphrase, before anything is touched", async () => {
      const created = async () => (await new JetStream(await hubOperator("oslo")).stream("EVENTS"))?.created;
      const before = await created();
      const [name = ""] = fs.readdirSync(to()).filter((file) => /EVENTS\.(sealed|snapshot)$/.test(file));
      const file = path.join(to(), name);
      const bytes = fs.readFileSync(file);
      bytes[bytes.length - 100]! ^= 1;
      fs.writeFileSync(file, bytes);
      const changed = await command(`restore --from ${to()}`);
      bytes[bytes.length - 100]! ^= 1;
      fs.writeFileSync(file, bytes);
      assert.notEqual(changed.code, 0);
      assert.match(changed.output, /was changed or is damaged \(its checksum differs\)\n.*nothing was touched/);
      if (mode === "merged") {
        const wrong = await command(`restore --from ${to()}`, { BACKUP_PASSPHRASE_FILE: path.join(folder, "wrong") });
        assert.match(wrong.output, /the passphrase is not the one/);
      }
      assert.equal(await created(), before);
    });

    it("restore that is killed runs again to its end", async () => {
      const hub = async () => {
        const info = await new JetStream(await hubOperator("oslo")).stream("EVENTS").catch(() => undefined);
        return (info?.config.metadata["nats-hub-leaf.restoring"] !== undefined && info.state.messages > 10) === true;
      };
      await killed(`restore --from ${to()}`, "the restore is under way", hub);
      restored = await stack.makeWith("restore", { FROM: to(), ...passphrase() });
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
