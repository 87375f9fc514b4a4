import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { journalFile } from "../../../machine/journal/journal";
import type { Stack } from "./cli";
import { succeeded } from "./commands";
import { type Victims, interrupt } from "./interrupt";
import { type ServerProcess, serversOf } from "./servers";
import { filesBelow } from "./scratch-project";

/** `make up`, killed in the middle of its work, and what the next one makes of it. */

const KEYS = /\bU[A-Z2-7]{55}\b/g;

const textOf = (file: string): string => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");
const keysIn = (text: string): string[] => [...new Set(text.match(KEYS) ?? [])].sort();

/** Lines of the journal; 0 without one. */
export const journalLines = (stack: Stack): number => textOf(journalFile(stack.fleet)).split("\n").length - 1;

/** What no later run may change: the processes, and the keys that their configurations have. */
export interface Living {
  readonly servers: readonly ServerProcess[];
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

function living(stack: Stack): Living {
  const servers = serversOf(stack.fleet);
  const configs = filesBelow(stack.fleet).filter((file) => path.basename(file) === "nats-server.conf");
  return { servers, keys: Object.fromEntries(configs.map((file) => [file, keysIn(textOf(file))])) };
}

/** Kills `make up` once `look` holds, and checks that no secret lies in the journal in clear. */
export async function killUp(stack: Stack, victims: Victims, what: string, look: () => boolean): Promise<Living> {
  await interrupt(stack.startMake("up", {}, ["--skip-preview"]), victims, what, look);
  assert.doesNotMatch(textOf(journalFile(stack.fleet)), /SU[A-Z2-7]{56}/);
  return living(stack);
}

/** `make up` finishes what the killed run began: it makes nothing twice, restarts nothing, and no key changes. */
export async function assertFinished(stack: Stack, sites: readonly string[], before: Living): Promise<void> {
  const ran = succeeded(await stack.make("up", {}));
  const after = living(stack);
  const hub = path.join(stack.fleet, "hub/nats-server.conf");
  const expected = [hub, ...sites.map((site) => path.join(stack.fleet, "sites", site, "nats-server.conf"))];
  assert.deepEqual(after.servers.map(({ config }) => config).sort(), expected.sort(), ran.output);
  for (const { pid, config } of before.servers)
    assert.ok(
      after.servers.some((one) => one.pid === pid && one.config === config),
      `${config} was restarted\n${ran.output}`,
    );
  for (const [file, keys] of Object.entries(before.keys).filter(([file]) => file !== hub))
    assert.deepEqual(after.keys[file], keys, `keys of ${file} changed\n${ran.output}`);
  const onHub = after.keys[hub] ?? [];
  for (const key of before.keys[hub] ?? []) assert.ok(onHub.includes(key), `the hub lost a key\n${ran.output}`);
  await assertWhole(stack, sites, onHub);
}

async function assertWhole(stack: Stack, sites: readonly string[], onHub: readonly string[]): Promise<void> {
  const { deployment } = await stack.exported();
  const identities = (deployment.resources ?? []).filter(({ urn }) => urn.endsWith("-identity"));
  const inState = identities.flatMap(({ outputs = {} }) => Object.values(outputs.keys as Record<string, string>));
  assert.deepEqual(
    onHub.filter((key) => !inState.includes(key)),
    [],
    "the hub has keys that the state does not know",
  );
  assert.equal(identities.length, sites.length + 1);
  assert.deepEqual(deployment.pending_operations ?? [], []);
  const { proof } = await stack.outputs({ again: true });
  assert.deepEqual(
    proof.map(({ site, status }) => `${site} ${status}`).sort(),
    sites.map((site) => `${site} proven`).sort(),
  );
  assert.equal(fs.existsSync(journalFile(stack.fleet)), false, "the journal is still there");
  await stack.isClean();
}

/** Sites named `site-1` and so on, each with one small stream. */
export const fleetOf = (count: number) => ({
  hub: { maxFile: `${Math.ceil(count / 8) + 1}GiB` },
  sites: Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}`, quota: "128MiB" })),
  streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "64MiB", collect: { maxBytes: "64MiB" } }],
});
