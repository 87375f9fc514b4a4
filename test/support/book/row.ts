import assert from "node:assert/strict";
import { readdirSync, truncateSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RawSettings } from "../../../configs/settings";
import { serverFiles } from "../../../machine/folders";
import { repairSite } from "../../../doctor/repair/repair";
import { Mode } from "../catalogue/catalogue";
import { Played } from "./played";
import { whileStopped } from "../fleets/servers";
import { observedAt } from "../fleets/watched";

/** Ways to lose, to double and to drop messages, made on real servers; every message has an id, and all are counted. */

/** What the book must tell of a site; nothing when absent. */
export interface Told {
  missing?: number;
  doubled?: number;
  dropped?: number;
}

export interface BookRow {
  name: string;
  modes: readonly Mode[];
  settings?: (mode: Mode) => RawSettings;
  make(played: Played): Promise<unknown>;
  /** By site; of sites that are not named the book must tell nothing. */
  tells: Record<string, Told>;
  /** Dropped from a store of the hub that is lost, and delivered again to the next one. */
  again?: number;
  /** What a declared limit had taken from a hub's stream that is gone: the balance of the new one does not show it. */
  leftBefore?: number;
  /** What the first difference of oslo says of the cause. */
  cause?: RegExp;
}

export const BOTH = ["perSite", "merged"] as const;

export const streamOf =
  (more: object, collect: object = {}) =>
  (mode: Mode): RawSettings => ({
    streams: [
      {
        name: "EVENTS",
        subjects: ["events.>"],
        maxBytes: "32MiB",
        ...more,
        collect: { mode, maxBytes: "32MiB", ...collect },
      },
    ],
  });

/** Damages a message block of a stream's store, as a bad disk does. */
export async function damage({ folder }: { folder: string }, account: string, stream: string): Promise<void> {
  await whileStopped(folder, () => {
    const blocks = join(serverFiles(folder).store, "jetstream", account, "streams", stream, "msgs");
    const [block] = readdirSync(blocks)
      .filter((name) => name.endsWith(".blk"))
      .sort();
    const file = join(blocks, block!);
    const text = readFileSync(file);
    // In the middle of the block: what stands behind a record that cannot be read is gone with it.
    text.fill(0xff, Math.floor(text.length / 2), Math.floor(text.length / 2) + 64);
    writeFileSync(file, text);
    truncateSync(join(blocks, "index.db"), Math.min(10, statSync(join(blocks, "index.db")).size));
  });
}

/** Writes down that all differences are known. */
export async function known({ fleet }: Played): Promise<void> {
  const known = { accept: "known", note: "a test", say: () => undefined } as const;
  for (const site of ["oslo", "bergen"]) {
    const observed = observedAt(fleet, site);
    await repairSite({ observed, streams: observed.streams, ...known });
  }
}

/** The difference that the book tells must be the one that the ids tell. */
export async function judgeBook(row: BookRow, played: Played): Promise<string[]> {
  const wrong: string[] = [];
  const sums = { told: 0, gone: 0 };
  const { sites } = await played.look();
  for (const site of ["oslo", "bergen"]) {
    const report = sites.find((one) => one.site === site)!;
    const { book } = report.streams[0]!;
    const { gone, doubled } = await played.truth(site);
    const finding = (kind: string) => report.findings.find(({ code }) => code === `messages-${kind}`);
    const count = (kind: string) => Number(/^(\d+) message/.exec(finding(kind)?.cause ?? "0 messages")?.[1]);
    const told = { missing: count("missing"), doubled: count("doubled"), dropped: count("dropped") };
    if (book === undefined) wrong.push(`${site}: no book`);
    for (const kind of ["missing", "doubled", "dropped"] as const) {
      const expected = row.tells[site]?.[kind] ?? 0;
      if (!Number.isNaN(expected) && told[kind] !== expected)
        wrong.push(`${site}: tells ${told[kind]} ${kind}, expected ${expected}`);
    }
    const { byLimits = 0, waiting = 0 } = book ?? {};
    const { leftBefore = 0, again = 0 } = site === "oslo" ? row : {};
    sums.told += told.missing + told.dropped + waiting + leftBefore - again;
    sums.gone += gone;
    // What left a merged stream is told with the first site: both sites together are compared.
    if (played.mode === "merged" && row.tells.bergen?.dropped !== undefined) {
      if (site === "bergen" && sums.told !== sums.gone)
        wrong.push(`tells ${sums.told} missing, dropped and waiting, by ids ${sums.gone} are gone`);
    } else if (byLimits === 0 && told.missing + told.dropped + waiting + leftBefore - again !== gone)
      wrong.push(
        `${site}: tells ${told.missing} missing, ${told.dropped} dropped and ${waiting} waiting, by ids ${gone} are gone`,
      );
    if (told.doubled !== doubled) wrong.push(`${site}: tells ${told.doubled} doubled, by ids ${doubled}`);
    if (row.cause !== undefined && site === "oslo" && row.tells.oslo !== undefined) {
      const evidence = ["missing", "doubled", "dropped"].map((kind) => finding(kind)?.evidence ?? "").join("\n");
      if (!row.cause.test(evidence)) wrong.push(`${site}: says ${evidence}`);
    }
  }
  assert.ok(sites.length > 0);
  return wrong;
}
