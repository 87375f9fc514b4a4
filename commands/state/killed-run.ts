import * as fs from "node:fs";
import * as path from "node:path";
import { readJson, writePrivate } from "../../machine/folders";
import { type JournalEntry, journalFile } from "../../machine/journal/journal";
import { say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { readSealed } from "../../machine/journal/sealed-log";
import type { PulumiStack } from "../stack/backend";
import { exportState, importState } from "../stack/cli";
import { clearLock, isLocked, projectName } from "../stack/dead-lock";
import { readablePassphrase } from "../stack/passphrase";
import { type Deployment, type Pending, pendingOperations } from "../stack/pending";
import { readStackFile } from "../stack/stack-file";
import { settingsOf } from "./away";
import { withJournal } from "./merge-journal";

// What a killed run leaves on this machine: its lock, processes of the CLI, and the journal of what it made.

const rootOf = ({ projectFolder, stack }: PulumiStack): string =>
  path.resolve(projectFolder, settingsOf(projectFolder, stack)?.dataFolder ?? ".fleet", stack);

/** The journal of a run on this stack, whether the run goes on or is over; undefined when there is none. */
function journalOf(target: PulumiStack): string | undefined {
  const file = journalFile(rootOf(target));
  return fs.existsSync(file) ? file : undefined;
}

/** What killed runs with a journal had begun to create: a state that is imported holds no operation that has begun. */
const begunFile = (target: PulumiStack): string => path.join(rootOf(target), "begun.json");
const begunBy = (target: PulumiStack): Pending[] => readJson<Pending[]>(begunFile(target)) ?? [];

/** All that was begun and not ended: of the state, and of killed runs with a journal. */
export const pendingOf = (target: PulumiStack, state: Deployment): Pending[] => [
  ...pendingOperations(state),
  ...begunBy(target),
];

export const forgetBegun = (target: PulumiStack): void => fs.rmSync(begunFile(target), { force: true });

/**
 * Clears what a killed run left, and puts into the state what it had made. Returns whether there was anything. Errors: a
 * Refusal while a run on the stack lives.
 */
export async function clearKilledRun(target: PulumiStack): Promise<boolean> {
  // Before the locks: a run that begins now has its lock before its journal.
  const journal = journalOf(target);
  const hadLock = await clearLock(target, journal !== undefined);
  if (journal === undefined) return hadLock;
  const state = (await exportState(target)) ?? {};
  await takeOver(target, entriesOf(target, journal), state);
  fs.rmSync(journal);
  return true;
}

/** Ends the journal of a run whose CLI has ended itself, if the state has what the run made. */
export async function endJournal(target: PulumiStack, state?: Deployment): Promise<void> {
  const journal = journalOf(target);
  if (journal === undefined || (await isLocked(target))) return;
  if (isWritten(entriesOf(target, journal), state ?? (await exportState(target)) ?? {})) fs.rmSync(journal);
}

/** Errors: a Refusal when the passphrase is not that of the run. */
const entriesOf = ({ env }: PulumiStack, journal: string): JournalEntry[] =>
  readSealed(journal, readablePassphrase(env) ?? "") as JournalEntry[];

/** A run that ends itself has written all that it made, also when it failed. */
function isWritten(entries: readonly JournalEntry[], { deployment }: Deployment): boolean {
  const ids = new Map((deployment?.resources ?? []).map(({ urn, id = "" }) => [urn, id]));
  return entries.every(({ made }) => made === undefined || ids.get(made.urn) === made.id);
}

/** Whatever the state lacks of the journal is given to it: what was made, and what was begun. */
async function takeOver(target: PulumiStack, entries: readonly JournalEntry[], state: Deployment): Promise<void> {
  const { projectFolder, stack } = target;
  const { salt } = readStackFile(projectFolder, stack);
  if (salt === undefined)
    throw new Refusal(`Pulumi.${stack}.yaml: the line 'encryptionsalt: …' is missing; restore it`);
  const secrets = { type: "passphrase", state: { salt } };
  const { merged, begun } = withJournal(state, entries, { stack, project: projectName(projectFolder), secrets });
  // First: with it the next run knows what it takes over, also when this one is killed here.
  if (begun.length > 0) writePrivate(begunFile(target), JSON.stringify(begun));
  const more = resourceCount(merged) - resourceCount(state);
  if (more === 0) return;
  await importState(target, merged);
  say(
    `stack '${stack}': the killed run had not written its state; the state now has the ${more} resources that it made`,
  );
}

const resourceCount = ({ deployment }: Deployment): number => deployment?.resources?.length ?? 0;
