import * as fs from "node:fs";
import * as path from "node:path";
import { PENDING_EXIT_CODE, type Standing, containersOf, declaredSites, sayPending, standingOf } from "./away";
import { clearInterrupted } from "./containers";
import { ask, exportSecrets, exportState, importState, pulumi } from "./cli";
import { backendFolder, lockFolder, type PulumiStack } from "./backend";
import { endLeftBehind, livingOwners, readLocks } from "./dead-run";
import { refuseForgetting, withoutMachineOf } from "./forget";
import { dropContexts, followWithContexts } from "./outputs";
import { type Deployment, type Pending, neverTakenOver, pendingOperations, perhapsCreated } from "./pending";
import type { Say } from "./progress";
import { proofTable } from "./proof-table";
import { pulumiStack } from "./pulumi-stack";
import { Refusal, report } from "./refusal";
import { repair } from "./repair";
import { run } from "./run";
import { exportLine } from "./stack-environment";

// What `make up`, `down`, `preview`, `refresh`, `unlock` and `env` do around the real Pulumi CLI:
//   ts-node toolchain/stack.ts <command> <stack> [options for the CLI …]

const say: Say = (line) => process.stderr.write(`${line}\n`);

/** All outputs of a large fleet are thousands of lines; the table of the proof says what matters of them. */
const QUIET = "--suppress-outputs";

type Command = (target: PulumiStack, args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  up,

  async preview(target, args) {
    const { knowing: ready, command, pending } = await readyToPreview(target);
    const exitCode = await pulumi(ready, [...command, QUIET, ...args]);
    sayPending(pending, say);
    return exitCode;
  },

  async refresh(target, args) {
    await clearDeadRun(target);
    await ensureStack(target);
    return await pulumi(target, ["refresh", "--yes", "--skip-preview", ...args]);
  },

  async down(target, args) {
    await clearDeadRun(target);
    const state = await exportState(target);
    if (state === undefined) {
      say(`stack '${target.stack}': there is none; nothing to remove`);
      forgetContexts(target);
      return 0;
    }
    const begun = perhapsCreated(pendingOperations(state));
    if (begun.length > 0) {
      throw new Refusal(
        `stack '${target.stack}': a run was interrupted while creating ${begun.join(", ")}; ` +
          `what it had made is not in the state yet, and would stay behind. ` +
          `Run \`make up\` first, which takes it over, then \`make down\`; or \`make unlock\` to forget it`,
      );
    }
    const { pending } = await standingOf(target, state, { deployed: true });
    if (pending.length > 0) {
      throw new Refusal(
        `stack '${target.stack}': nothing is removed, for the machine of ${pending.map(({ site }) => site).join(", ")} ` +
          `cannot be reached: ${pending[0]?.reason ?? ""}; ${await wayToRemove(target, state)}`,
      );
    }
    const exitCode = await pulumi(target, ["destroy", "--yes", "--skip-preview", ...args]);
    // A partial destroy (--target, --exclude) leaves resources, and with them the stack.
    if (exitCode !== 0 || !(await isEmpty(target))) return exitCode;
    forgetContexts(target);
    if ((await localBackend(target)) === undefined) return exitCode;
    return await pulumi(target, ["stack", "rm", "--yes", "--preserve-config"]);
  },

  async forget(target, [site = ""]) {
    await clearDeadRun(target);
    const state = await exportState(target);
    if (site === "" || state === undefined) throw new Refusal("make forget: name a site of the stack: SITE=oslo");
    await refuseForgetting(state, site, declaredSites(target));
    await importState(target, withoutMachineOf(state, site));
    say(
      `the state has let go of what site ${site} had on its machine; 'make up' takes the rest of it out of the fleet`,
    );
    return await up(target, ["--skip-preview"]);
  },

  async repair(target, [site = "", stream = ""]) {
    await clearDeadRun(target);
    const state = await exportSecrets(target);
    if (state === undefined) throw new Refusal(`stack '${target.stack}': there is none; nothing to repair`);
    const accept = process.env.ACCEPT ?? "";
    return await repair(state, target, { site, accept, ...(stream === "" ? {} : { stream }) }, say);
  },

  async upgrade(target) {
    await clearDeadRun(target);
    const state = await exportState(target);
    if (state === undefined) throw new Refusal(`stack '${target.stack}': there is none; run 'make up' first`);
    await clearInterrupted(state, target.stack);
    if (pendingOperations(state).length > 0) await forgetPending(target);
    const standing = await standingOf(target, state);
    const { pending } = standing;
    const upgrading = { ...target, env: { ...target.env, ...standing.env, NATS_HUB_LEAF_UPGRADE: "1" } };
    // One after the other, each proven before the next: what an interrupted upgrade has done needs nothing any more.
    for (const server of containersOf(target).filter((name) => !pending.some(({ site }) => site === name))) {
      say(`upgrade: ${server}`);
      const targets = upgradeOf(server).flatMap((pattern) => ["--target", pattern]);
      const exitCode = await pulumi(upgrading, ["up", "--yes", "--skip-preview", ...targets]);
      if (exitCode !== 0) return exitCode;
    }
    return await up(upgrading, ["--skip-preview"]);
  },

  async unlock(target) {
    const cleared = await clearDeadRun(target);
    const state = await exportState(target);
    const pending = state === undefined ? [] : pendingOperations(state);
    if (pending.length > 0) {
      await forgetPending(target);
      for (const { name, operation } of pending) say(`forgot that ${name} was interrupted while ${operation}`);
      const begun = perhapsCreated(pending);
      if (begun.length > 0) say(`if ${begun.join(", ")} got as far as to exist, only \`make up\` will find it again`);
    }
    if (!cleared && pending.length === 0) say(`stack '${target.stack}': nothing to clear`);
    return 0;
  },
};

/** What a preview needs: the stack, what cannot be reached, and the command that goes round it. */
export async function readyToPreview(target: PulumiStack) {
  await ensureStack(target);
  const state = (await exportState(target)) ?? {};
  const standing = await standingOf(target, state);
  // Only then: a refresh also shows what an engine says otherwise than it was told.
  const refresh = standing.removed.length + standing.changed.length === 0 ? [] : ["--refresh"];
  const command = ["preview", ...refresh, ...standing.options];
  return { knowing: knowing(target, standing), command, pending: standing.pending, state };
}

/** The CLI removes with what the last run knew of the engines. */
async function wayToRemove(target: PulumiStack, state: Deployment): Promise<string> {
  const { pending } = await standingOf(target, state);
  return pending.length === 0
    ? "the settings have certificates that fit: run 'make up' first, which takes them over, then 'make down'"
    : "or drop it with 'make forget SITE=…' when it is lost for good";
}

async function up(target: PulumiStack, args: readonly string[]): Promise<number> {
  await clearDeadRun(target);
  const pending = await ensureStack(target);
  const begun = perhapsCreated(pending);
  if (begun.length > 0) {
    say(`an earlier run was interrupted while creating ${begun.join(", ")}; this one takes over what it made`);
  }

  // With the preview, for 2 s more: every rule is then judged before anything at all is touched.
  await clearInterrupted((await exportState(target)) ?? {}, target.stack);
  const standing = await standingOf(target, (await exportState(target)) ?? {});
  await refreshTouched(target, standing);
  const exitCode = await pulumi(knowing(target, standing), ["up", "--yes", QUIET, ...standing.options, ...args]);
  if (exitCode !== 0) return exitCode;
  if (pending.length > 0 && isWhole(args)) await settlePending(target, pending);
  console.log(`\n${await proof(target)}`);
  await followWithContexts(target);
  sayPending(standing.pending, say);
  return standing.pending.length === 0 ? 0 : PENDING_EXIT_CODE;
}

const knowing = (target: PulumiStack, { env }: Standing): PulumiStack => ({
  ...target,
  env: { ...target.env, ...env },
});

/** Lets the state know of containers that somebody removed or changed, so that the run makes them as they should be. */
async function refreshTouched(target: PulumiStack, { removed, changed }: Standing): Promise<void> {
  const names = (urns: readonly string[]) => urns.map((urn) => urn.split("::").at(-1)).join(", ");
  if (removed.length > 0) say(`somebody removed ${names(removed)}; making it anew, with its data`);
  if (changed.length > 0) say(`somebody changed ${names(changed)} by hand; making it as it was`);
  const targets = [...removed, ...changed].flatMap((urn) => ["--target", urn]);
  if (targets.length > 0) await ask(target, ["refresh", "--yes", "--skip-preview", ...targets]);
}

/** What an upgrade of one server touches: its image, its container, what starts it, and the proof that its data flows. */
const upgradeOf = (server: string): string[] =>
  [`docker*-image`, `${server}-container`, `${server}-server`, `${server}-streams`, "smoke-test"].map(
    (name) => `**::${name}`,
  );

/** Whether an `up` reaches every resource: options such as --target leave some out. */
function isWhole(args: readonly string[]): boolean {
  return !args.some((option) => /^(-t|--target|--exclude)/.test(option));
}

/** Makes the stack where it is missing (the committed Pulumi.<stack>.yaml stays as it is), and says what is pending. */
async function ensureStack(target: PulumiStack): Promise<Pending[]> {
  const state = await exportState(target);
  if (state !== undefined) return pendingOperations(state);
  await ask(target, ["stack", "init"]);
  return [];
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
async function forgetPending(target: PulumiStack): Promise<void> {
  await importState(target, (await exportState(target)) ?? {});
}

/** The folder of the file backend, or undefined: only there can this machine tell whether a lock's owner lives. */
async function localBackend({ binary, projectFolder, env }: PulumiStack): Promise<string | undefined> {
  const printed = await run(binary, ["whoami", "--json", "--non-interactive"], { cwd: projectFolder, env });
  return backendFolder((JSON.parse(printed) as { url: string }).url, projectFolder);
}

/** Takes away the lock of a run that is dead; refuses while one lives. Returns whether there was something to clear. */
async function clearDeadRun(target: PulumiStack): Promise<boolean> {
  const backend = await localBackend(target);
  if (backend === undefined) return false;
  const locks = readLocks(lockFolder(backend, projectName(target.projectFolder), target.stack));
  if (locks.length === 0) return false;

  const reasons = await livingOwners(locks);
  if (reasons.length > 0) throw new Refusal(reasons.map((why) => `stack '${target.stack}': ${why}`).join("\n"));

  say(
    `stack '${target.stack}': process ${locks.map(({ pid }) => pid).join(", ")} was killed and left its lock; clearing it`,
  );
  await endLeftBehind(target.projectFolder, say);
  await run(target.binary, ["cancel", "--yes", "--non-interactive", "--stack", target.stack], {
    cwd: target.projectFolder,
    env: target.env,
  });
  return true;
}

/** Takes away the NATS CLI contexts of a stack that is gone. */
function forgetContexts(target: PulumiStack): void {
  const words = dropContexts(target);
  if (words !== "") say(words);
}

async function isEmpty(target: PulumiStack): Promise<boolean> {
  const listed = JSON.parse(await ask(target, ["stack", "export"])) as {
    deployment?: { resources?: unknown[] | null };
  };
  return (listed.deployment?.resources ?? []).length === 0;
}

async function proof(target: PulumiStack): Promise<string> {
  const outputs = JSON.parse(await ask(target, ["stack", "output", "--json"])) as Record<string, unknown>;
  return proofTable(outputs.proof);
}

function projectName(projectFolder: string): string {
  const file = path.join(projectFolder, "Pulumi.yaml");
  const name = /^name:\s*["']?([A-Za-z0-9_.-]+)/m.exec(fs.readFileSync(file, "utf8"))?.[1];
  if (name === undefined) throw new Refusal(`${file}: it has no line 'name: …'`);
  return name;
}

async function main(command: string, stack: string, args: readonly string[]): Promise<number> {
  const projectFolder = path.resolve(__dirname, "..");
  if (command === "env") {
    console.log(exportLine(stack, process.env));
    return 0;
  }
  const perform = COMMANDS[command];
  if (perform === undefined) {
    throw new Refusal(
      `toolchain/stack.ts: '${command}' is no command; there are env, ${Object.keys(COMMANDS).join(", ")}`,
    );
  }
  return await perform(await pulumiStack(projectFolder, stack), args);
}

/** A server that hangs keeps its connection open, and with it this process. */
const endSoon = (): void => void setTimeout(() => process.exit(), 500).unref();

if (require.main === module) {
  const [command = "", stack = "", ...args] = process.argv.slice(2);
  main(command, stack, args)
    .then(
      (exitCode) => (process.exitCode = exitCode),
      (error: unknown) => {
        report(error);
        process.exitCode = 1;
      },
    )
    .finally(endSoon);
}
