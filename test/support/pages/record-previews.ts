import type { RawSettings } from "../../../configs/settings";
import { previewed } from "../../../commands/preview-report";
import { Stack } from "../stacks/cli";
import { withDockerPlugin } from "../docker/plugin";
import { killHard, pidOf } from "../stacks/servers";
import { publish } from "../stacks/traffic";
import { writeRecording } from "./preview-recordings";

// What `make recordings` does first: makes a real stack, and records the preview of each change that can be made to it:
//   ts-node test/support/pages/record-previews.ts [name …]

const EVENTS = { name: "EVENTS", subjects: ["events.>"] };
const BASE = {
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [EVENTS],
} satisfies RawSettings;

const CHANGES: Record<string, { settings: RawSettings; discard?: string[] }> = {
  "nothing-changed": { settings: BASE },
  "site-added": { settings: { ...BASE, sites: [...BASE.sites, { name: "tromso" }] } },
  "site-added-offline": { settings: { ...BASE, sites: [...BASE.sites, { name: "tromso", expect: "offline" }] } },
  "site-removed": { settings: { ...BASE, sites: [{ name: "oslo" }] } },
  "site-renamed": { settings: { ...BASE, sites: [{ name: "oslo" }, { name: "bodo" }] } },
  "site-moved": { settings: { ...BASE, sites: [{ name: "oslo", runtime: "docker" }, { name: "bergen" }] } },
  "sites-changed": {
    settings: {
      ...BASE,
      hub: { maxPayload: "2MiB" },
      sites: [
        { name: "oslo", quota: "1GiB" },
        { name: "bergen", maxPayload: "512KiB" },
      ],
    },
  },
  "hub-restarted": { settings: { ...BASE, hub: { syncInterval: "1m" } } },
  "key-rotated": { settings: { ...BASE, sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }] } },
  "stream-limits": {
    settings: { ...BASE, streams: [{ ...EVENTS, maxBytes: "256MiB", collect: { maxBytes: "2GiB" } }] },
  },
  "stream-subjects": { settings: { ...BASE, streams: [{ ...EVENTS, subjects: ["events.>", "alarms.>"] }] } },
  "stream-storage": { settings: { ...BASE, streams: [{ ...EVENTS, storage: "memory" }] } },
  "stream-loss-refused": { settings: { ...BASE, streams: [{ ...EVENTS, maxAge: "1h" }] } },
  "stream-loss-allowed": { settings: { ...BASE, streams: [{ ...EVENTS, maxAge: "1h" }] }, discard: ["oslo"] },
  "stream-replaced": { settings: { ...BASE, streams: [{ name: "ALARMS", subjects: ["alarms.>"] }] } },
  "several-at-once": {
    settings: {
      ...BASE,
      sites: [
        { name: "oslo", rotation: 1 },
        { name: "bergen", quota: "1GiB" },
        { name: "tromso", maxPayload: "512KiB" },
      ],
      streams: [{ ...EVENTS, subjects: ["events.>", "alarms.>"], collect: { maxBytes: "2GiB" } }],
    },
  },
  "rule-broken": { settings: { ...BASE, sites: [{ name: "oslo" }, { name: "oslo", maxPayload: "9MiB" }] } },
};

const only = process.argv.slice(2);

async function record(stack: Stack, name: string, settings: RawSettings, discard: string[] = []): Promise<void> {
  if (only.length > 0 && !only.includes(name)) return;
  process.env.DISCARD = discard.join(",");
  stack.configure(settings);
  writeRecording(name, await previewed(stack.folder, stack.name), discard);
}

async function main(): Promise<void> {
  const stack = await Stack.create("golden", BASE, { prepare: (folder) => void withDockerPlugin(folder) });
  process.env.PULUMI_CONFIG_PASSPHRASE = stack.passphrase;
  try {
    await record(stack, "first", BASE);
    await stack.up();
    await publish(await stack.applicationOf("oslo"), "oslo");
    for (const [name, { settings, discard }] of Object.entries(CHANGES)) await record(stack, name, settings, discard);
    await killHard(pidOf(stack.fleet, "bergen"));
    await record(stack, "server-died", BASE);
  } finally {
    await stack.remove();
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
