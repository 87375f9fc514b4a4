import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RawSettings } from "../../configs/settings";
import { countOf } from "../../diagnosis/book/ledger";
import { lookAtBook } from "../../fleet/book/look";
import { readManifest } from "../../commands/backup/manifest";
import { restore } from "../../commands/backup/restore";
import { save } from "../../commands/backup/save";
import { present } from "../../configs/values";
import { TestFleet } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { loseStore } from "../support/fleets/stores";
import { observedOf } from "../support/fleets/watched";
import { until } from "../support/until";

/** A backup of the hub, the loss of its store, and the way back; every message is counted by its text. */

const MODES = ["perSite", "merged"] as const;
type Mode = (typeof MODES)[number];

const STREAM = { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB" };
const streams = (mode: Mode, collect: object = {}): RawSettings => ({
  streams: [{ ...STREAM, collect: { mode, maxBytes: "64MiB", ...collect } }],
});

class Backups {
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

async function textsOnHub(fleet: TestFleet, mode: Mode, site: string): Promise<string[]> {
  if (mode === "perSite") return collectedTexts(fleet, site, filterOf(mode, site));
  const reader = await fleet.connect(fleet.hub, "reader");
  const consumer = await reader.jetstream().consumers.get("EVENTS", { filterSubjects: filterOf(mode, site) });
  const { num_pending: count } = await consumer.info();
  const texts: string[] = [];
  if (count === 0) return texts;
  for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
    texts.push(message.string());
    if (texts.length === count) break;
  }
  return texts;
}

const arrives = (fleet: TestFleet, mode: Mode, site: string, count: number): Promise<unknown> =>
  until(`the hub has ${count} messages of ${site}`, async () => (await textsOnHub(fleet, mode, site)).length >= count);

async function bookOf(fleet: TestFleet, site: string) {
  const facts = await lookAtBook({ root: fleet.root, access: fleet.accessAt(site), stream: fleet.stream("EVENTS") });
  assert.ok(facts);
  return {
    missing: countOf(facts.open, "missing"),
    doubled: countOf(facts.open, "doubled"),
    dropped: countOf(facts.open, "dropped"),
    waiting: facts.balance.waiting,
  };
}

const NOTHING = { missing: 0, doubled: 0, dropped: 0, waiting: 0 };

for (const mode of MODES)
  describe(`a backup of the hub, ${mode}`, function () {
    this.timeout(120_000);

    it("brings back a hub that lost its store: everything once, and the gap in numbers", async () => {
      using backups = new Backups();
      await using fleet = await TestFleet.deploy(streams(mode));
      await fleet.prove();
      const oslo = await fleet.application("oslo");
      await publishAll(oslo, "events.a", textsFrom(1, 300));
      await arrives(fleet, mode, "oslo", 300);
      await backups.save(fleet);
      await publishAll(oslo, "events.a", textsFrom(301, 400));
      await arrives(fleet, mode, "oslo", 400);
      assert.deepEqual(await bookOf(fleet, "oslo"), NOTHING);
      // Only the site's newest 60 messages are left there: 40 are neither in the backup nor at the site.
      const site = await fleet.atSite("oslo");
      const { state } = (await site.stream(mode === "merged" ? "EVENTS_OSLO" : "EVENTS"))!;
      await site.purge(mode === "merged" ? "EVENTS_OSLO" : "EVENTS", "events.>", state.last_seq - 59);
      await loseStore(fleet.hub);
      await fleet.repair();
      await fleet.prove();
      await publishAll(oslo, "events.a", textsFrom(401, 420));
      await backups.restore(fleet);
      await arrives(fleet, mode, "oslo", 380);
      const texts = await textsOnHub(fleet, mode, "oslo");
      assert.deepEqual(texts, [...textsFrom(1, 300), ...textsFrom(341, 420)]);
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      assert.deepEqual(await bookOf(fleet, "bergen"), NOTHING);
      await publishAll(oslo, "events.a", textsFrom(421, 430));
      await arrives(fleet, mode, "oslo", 390);
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      await fleet.prove();
      assert.deepEqual(await bookOf(fleet, "oslo"), { ...NOTHING, missing: 40 });
      assert.deepEqual((await fleet.preview()).changes, []);
    });
  });
void [existsSync, readFileSync, readdirSync, statSync, writeFileSync];
