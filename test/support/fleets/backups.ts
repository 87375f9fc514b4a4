import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readManifest } from "../../../commands/backup/manifest";
import { restore } from "../../../commands/backup/restore";
import { save } from "../../../commands/backup/save";
import type { RawSettings } from "../../../configs/settings";
import { present } from "../../../configs/values";
import { countOf } from "../../../diagnosis/book/ledger";
import { lookAtBook } from "../../../fleet/book/look";
import { until } from "../until";
import { TestFleet } from "./fleet";
import { collectedMessages, publishAll, textsFrom } from "./messages";
import { loseStore } from "./stores";
import { observedOf } from "./watched";

/** Backups of a fleet's hub, in a folder that is removed with them; and what the hub then has. */

export const MODES = ["perSite", "merged"] as const;
export type Mode = (typeof MODES)[number];

const STREAM = { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB" };
export const streams = (mode: Mode, collect: object = {}): RawSettings => ({
  streams: [{ ...STREAM, collect: { mode, maxBytes: "64MiB", ...collect } }],
});

export class Backups {
  readonly folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-backup-test-"));
  readonly said: string[] = [];
  readonly say = (line: string): void => void this.said.push(line);
  [Symbol.dispose] = (): void => rmSync(this.folder, { recursive: true });

  at = (name: string): string => join(this.folder, name);

  save = (fleet: TestFleet, name = "one", passphrase?: string) =>
    save({
      stack: fleet.stack,
      fleet: observedOf(fleet),
      folder: this.at(name),
      say: this.say,
      ...present({ passphrase }),
    });

  restore = (fleet: TestFleet, name = "one", passphrase?: string) =>
    restore(readManifest(this.at(name), passphrase), {
      stack: fleet.stack,
      folder: this.at(name),
      fleet: observedOf(fleet),
    });
}

const filterOf = (mode: Mode, site: string): string => (mode === "merged" ? `${site}.events.>` : "events.>");

export async function textsOnHub(fleet: TestFleet, mode: Mode, site: string): Promise<string[]> {
  const reader = await (mode === "merged" ? fleet.connect(fleet.hub, "reader") : fleet.onHub(site, "reader"));
  return (await collectedMessages(reader, "EVENTS", filterOf(mode, site))).map(({ text }) => text);
}

export const arrives = (fleet: TestFleet, mode: Mode, site: string, count: number): Promise<unknown> =>
  until(`the hub has ${count} messages of ${site}`, async () => (await textsOnHub(fleet, mode, site)).length >= count);

export async function bookOf(fleet: TestFleet, site: string) {
  const facts = await lookAtBook({ root: fleet.root, access: fleet.accessAt(site), stream: fleet.stream("EVENTS") });
  assert.ok(facts);
  return {
    missing: countOf(facts.open, "missing"),
    doubled: countOf(facts.open, "doubled"),
    dropped: countOf(facts.open, "dropped"),
    waiting: facts.balance.waiting,
  };
}

export const NOTHING = { missing: 0, doubled: 0, dropped: 0, waiting: 0 };

/** A fleet of one site whose hub has 50 messages, all of them in a backup. */
export async function backedUp(
  backups: Backups,
  { collect = {}, passphrase }: { collect?: object; passphrase?: string } = {},
) {
  const fleet = await TestFleet.deploy({ ...streams("perSite", collect), sites: [{ name: "oslo" }] });
  const oslo = await fleet.application("oslo");
  await publishAll(oslo, "events.a", textsFrom(1, 50));
  await arrives(fleet, "perSite", "oslo", 50);
  await backups.save(fleet, "one", passphrase);
  return { fleet, oslo };
}

/** The hub's store is lost, and `up` has been run. */
export async function lost(fleet: TestFleet): Promise<void> {
  await loseStore(fleet.hub);
  await fleet.repair();
}
