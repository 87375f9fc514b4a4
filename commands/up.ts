import { STACK_TYPE, nameOf, typeOf } from "../configs/text/urn";
import { engineNameOf } from "../configs/container";
import { PENDING_EXIT_CODE, type Standing, sayPending, settingsOf, standingOf } from "./state/away";
import { clearInterrupted } from "./state/containers";
import { lostOfHub, withoutMachineOf } from "./state/forget";
import { QUIET, ask, exportState, importState, pulumi } from "./stack/cli";
import type { PulumiStack } from "./stack/backend";
import { journaled } from "./state/journal";
import { clearKilledRun, endJournal, forgetBegun, pendingOf } from "./state/killed-run";
import { balanceOf } from "./state/book";
import { followWithContexts } from "./outputs";
import { refuseEmptyPassphrase } from "./stack/passphrase";
import { giveUp, resize, resizingOf } from "./resize/resize";
import { type Deployment, type Pending, neverTakenOver, perhapsCreated } from "./stack/pending";
import { say } from "../machine/progress";
import { proofTable } from "./words/proof-table";
import {
  IGNORE_PROTECTION,
  leavingSites,
  namedInRemove,
  previewRemoval,
  refuseUnconfirmed,
  refuseUnnamedRemoval,
} from "./state/protection";
import { readStackFile } from "./stack/stack-file";

// What `make up` does around the CLI's `up`; other commands that end with an `up` use it too.

/** @param removing protected sites that may go. */
export async function up(target: PulumiStack, args: readonly string[], removing = namedInRemove()): Promise<number> {
  await clearKilledRun(target);
  const state = await withoutLost(
    target,
    await ensuredState(target, (found) => refuseUnconfirmed(target, "up", found)),
  );
  const pending = pendingOf(target, state);
  const begun = perhapsCreated(pending);
  if (begun.length > 0) {
    say(`an earlier run was interrupted while creating ${begun.join(", ")}; this one takes over what it made`);
  }

  await clearInterrupted(state, target.stack);
  const standing = await standingOf(target, state);
  await refreshTouched(target, standing);
  const resizing = isWhole(args) ? resizingOf(target, state) : undefined;
  if (resizing !== undefined) {
    const failed = await resize(withState(target, standing), resizing, standing.options);
    return failed === 0 ? await up(target, args, removing) : failed;
  }
  const leaving = isWhole(args) ? leavingSites(target, state) : [];
  refuseUnnamedRemoval(leaving, isWhole(args) ? removing : [], target);
  const options = [...standing.options, ...args];
  const journal = leaving.length + pending.length === 0 ? await journaled(target, state, options) : {};
  const ready = withState(target, { ...standing, env: { ...standing.env, ...journal } });
  const exitCode = await upRemoving(ready, leaving, state, options);
  if (exitCode !== 0) {
    await endJournal(target);
    return exitCode;
  }
  if (pending.length > 0 && isWhole(args)) await settlePending(target, pending);
  if (isWhole(args)) await giveUp(target, state);
  const after = (await exportState(target)) ?? {};
  await endJournal(target, after);
  console.log(`\n${proofTable(outputsIn(after).proof)}`);
  for (const line of balanceOf(after, target.projectFolder)) console.log(line);
  await followWithContexts(target);
  sayPending(standing.pending, say);
  return standing.pending.length === 0 ? 0 : PENDING_EXIT_CODE;
}

/**
 * The state without servers of the hub whose machines are lost: the settings have them on other engines, where they start
 * with empty stores that the others fill. No resource of a lost machine could be replaced.
 */
async function withoutLost(target: PulumiStack, state: Deployment): Promise<Deployment> {
  const settings = settingsOf(target.projectFolder, target.stack);
  const lost = settings === undefined ? [] : await lostOfHub(state, settings);
  if (lost.length === 0) return state;
  const rest = lost.reduce(withoutMachineOf, state);
  await importState(target, rest);
  for (const name of lost)
    say(
      `${name}: its old engine cannot be reached, and the settings name another one: the state no longer has what was there. ` +
        `If that machine ever comes back, remove its container first: docker rm -f ${engineNameOf(target.stack, name)}`,
    );
  return rest;
}

/** Runs the CLI's `up`; the protection of the sites in `leaving`, and of nothing else, does not hold it up. */
async function upRemoving(
  target: PulumiStack,
  leaving: readonly string[],
  state: Deployment,
  options: readonly string[],
): Promise<number> {
  // With the preview, which takes 2 s more: every rule is then checked before anything is touched.
  if (leaving.length === 0) return await pulumi(target, ["up", "--yes", QUIET, ...options]);
  const whole = options.filter((option) => option !== "--skip-preview");
  const refused = await previewRemoval(target, leaving, state, whole);
  if (refused !== 0) return refused;
  return await pulumi(target, ["up", "--yes", QUIET, "--skip-preview", IGNORE_PROTECTION, ...whole]);
}

export const withState = (target: PulumiStack, { env }: Standing): PulumiStack => ({
  ...target,
  env: { ...target.env, ...env },
});

/** Tells the state about containers that were removed or changed by hand, so that the run restores them. */
async function refreshTouched(target: PulumiStack, { removed, changed }: Standing): Promise<void> {
  const names = (urns: readonly string[]) => urns.map((urn) => nameOf({ urn })).join(", ");
  if (removed.length > 0) say(`removed by hand: ${names(removed)}; recreating it, with its data`);
  if (changed.length > 0) say(`changed by hand: ${names(changed)}; restoring it`);
  const targets = [...removed, ...changed].flatMap((urn) => ["--target", urn]);
  if (targets.length > 0) await ask(target, ["refresh", "--yes", "--skip-preview", ...targets]);
}

/** Whether an `up` reaches every resource: options such as --target leave some out. */
function isWhole(args: readonly string[]): boolean {
  return !args.some((option) => /^(-t|--target|--exclude)/.test(option));
}

/**
 * Creates the stack in its backend; the CLI writes into the stack file what encrypts its secrets. Without an explicit
 * provider the CLI would use the passphrase, and silently drop the file's `secretsprovider`. Errors: a Refusal of an
 * empty passphrase.
 */
export async function initStack(target: PulumiStack): Promise<void> {
  const file = readStackFile(target.projectFolder, target.stack);
  const { secretsProvider } = file;
  refuseEmptyPassphrase(target.stack, file, target.env);
  await ask(target, [
    "stack",
    "init",
    ...(secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider]),
  ]);
}

/**
 * The state of the stack, which is made where it is missing (the committed Pulumi.<stack>.yaml stays as it is).
 *
 * @param judge may refuse before that.
 */
export async function ensuredState(
  target: PulumiStack,
  judge: (found: Deployment | undefined) => void = () => undefined,
): Promise<Deployment> {
  const found = await exportState(target);
  judge(found);
  if (found === undefined) await initStack(target);
  return found ?? {};
}

/** After a whole `up`: what was pending has been taken over, or is named a last time. */
async function settlePending(target: PulumiStack, pending: readonly Pending[]): Promise<void> {
  const lost = neverTakenOver(pending, (await exportState(target)) ?? {});
  if (lost.length > 0) {
    say(
      `stack '${target.stack}': an interrupted run had begun to create ${lost.join(", ")}, which the program no longer ` +
        `has; if it left something running or stored, remove that by hand`,
    );
  }
  await forgetPending(target);
}

/**
 * An import of a state drops its pending operations and nothing else: no resource is read, changed or lost, which a
 * `refresh` could not promise while a server is down.
 */
export async function forgetPending(target: PulumiStack): Promise<void> {
  await importState(target, (await exportState(target)) ?? {});
  forgetBegun(target);
}

/** The outputs of the stack; the CLI itself takes a second of a large fleet's to show them. */
const outputsIn = ({ deployment }: Deployment): Readonly<Record<string, unknown>> =>
  (deployment?.resources ?? []).find((resource) => typeOf(resource) === STACK_TYPE)?.outputs ?? {};
