import { containersOf, declaredSites, sayPending, standingOf } from "./state/away";
import { clearInterrupted, upgradeOf } from "./state/containers";
import { QUIET, deployedState, exportSecrets, exportState, importState, pulumi } from "./stack/cli";
import type { PulumiStack } from "./stack/backend";
import { isEmpty, isLocal } from "./stack/dead-lock";
import { checkedFleet } from "./state/fleet-state";
import { refuseUpgrading } from "../fleet/streams/copies";
import { hubServers } from "../configs/placement";
import { handOver } from "../fleet/streams/hand-over";
import { inPreview, resizingOf } from "./resize/resize";
import { clearKilledRun, pendingOf } from "./state/killed-run";
import { refuseForgetting, withoutMachineOf } from "./state/forget";
import { newStack, requestOf } from "./new-stack";
import { dropContexts } from "./outputs";
import { type Deployment, perhapsCreated } from "./stack/pending";
import { say } from "../machine/progress";
import {
  IGNORE_PROTECTION,
  holdsProtected,
  leavingSites,
  namedInRemove,
  refuseUnconfirmed,
  refuseUnnamedRemoval,
} from "./state/protection";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { type Call, parsed, projectFolder, textOf } from "./parse";
import { repair } from "./repair";
import { ensuredState, forgetPending, withState, up } from "./up";

// What the commands that change a stack, or preview that, do around the real Pulumi CLI.

type Command = (target: PulumiStack, call: Call) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  up: (target, { rest }) => up(target, rest),

  async preview(target, { rest }) {
    const { knowing: ready, command, pending } = await readyToPreview(target);
    const exitCode = await pulumi(ready, [...command, QUIET, ...rest]);
    sayPending(pending, say);
    return exitCode;
  },

  async refresh(target, { rest }) {
    await clearKilledRun(target);
    await ensuredState(target);
    return await pulumi(target, ["refresh", "--yes", "--skip-preview", ...rest]);
  },

  async down(target, { rest }) {
    await clearKilledRun(target);
    const state = await exportState(target);
    if (state === undefined) {
      say(`stack '${target.stack}': does not exist; nothing to remove`);
      forgetContexts(target);
      return 0;
    }
    refuseUnconfirmed(target, "down", state);
    const begun = perhapsCreated(pendingOf(target, state));
    if (begun.length > 0) {
      throw new Refusal(
        `stack '${target.stack}': a run was interrupted while creating ${begun.join(", ")}; ` +
          `what it created is not in the state yet, and would stay behind. ` +
          `Run \`make up\` first, which takes it over, then \`make down\`; or \`make unlock\` to forget it`,
      );
    }
    const { pending } = await standingOf(target, state, { deployed: true });
    if (pending.length > 0) {
      throw new Refusal(
        `stack '${target.stack}': nothing is removed, because the machine of ${pending.map(({ site }) => site).join(", ")} ` +
          `cannot be reached: ${pending[0]?.reason ?? ""}; ${await wayToRemove(target, state)}`,
      );
    }
    // The guard is what is deleted first, and what may refuse; until then and after, the state keeps the protection.
    const lifted = holdsProtected(state) ? [IGNORE_PROTECTION] : [];
    const exitCode = await pulumi(target, ["destroy", "--yes", "--skip-preview", ...lifted, ...rest]);
    // A partial destroy (--target, --exclude) leaves resources, and with them the stack.
    if (exitCode !== 0 || !(await isEmpty(target))) return exitCode;
    forgetContexts(target);
    if (!(await isLocal(target))) return exitCode;
    return await pulumi(target, ["stack", "rm", "--yes", "--preserve-config"]);
  },

  async drain(target, call) {
    const server = textOf(call, "server") ?? "";
    await deployedState(target, "no hub to drain a server of");
    const checked = checkedFleet((await exportSecrets(target)) ?? {});
    const names = checked === undefined ? [] : hubServers(checked.settings.hub).map(({ name }) => name);
    if (checked === undefined || names.length < 2)
      throw new Refusal("make drain: the hub has one server, and nobody takes over from it");
    if (!names.includes(server))
      throw new Refusal(`make drain: name a server of the hub: SERVER=${names.join(", SERVER=")}`);
    await handOver(checked, server);
    say(`${server} leads no stream any more: stop it now, and start it again, before the hub elects it anew`);
    return 0;
  },

  async forget(target, call) {
    const site = textOf(call, "site") ?? "";
    await clearKilledRun(target);
    const state = await exportState(target);
    if (site === "" || state === undefined) throw new Refusal("make forget: name a site of the stack: SITE=oslo");
    refuseUnconfirmed(target, "forget", state);
    await refuseForgetting(state, site, declaredSites(target));
    await importState(target, withoutMachineOf(state, site));
    say(
      `the state no longer has what site ${site} had on its machine; 'make up' removes the rest of the site from the fleet`,
    );
    return await up(target, ["--skip-preview"], holdsProtected(state) ? [site] : []);
  },

  async repair(target, call) {
    const [site = "", stream = ""] = [textOf(call, "site"), textOf(call, "stream")];
    await clearKilledRun(target);
    const state = await deployedState(target, "nothing to repair");
    const accept = process.env.ACCEPT ?? "";
    if (accept !== "") refuseUnconfirmed(target, "repair", state);
    return await repair(
      state,
      target,
      { site, accept, note: process.env.NOTE ?? "", ...(stream === "" ? {} : { stream }) },
      say,
    );
  },

  async upgrade(target) {
    await clearKilledRun(target);
    const state = await exportState(target);
    if (state === undefined) throw new Refusal(`stack '${target.stack}': does not exist; run 'make up' first`);
    refuseUnconfirmed(target, "upgrade", state);
    refuseUnnamedRemoval(leavingSites(target, state), namedInRemove(), target);
    await clearInterrupted(state, target.stack);
    if (pendingOf(target, state).length > 0) await forgetPending(target);
    const standing = await standingOf(target, state);
    const { pending } = standing;
    const upgrading = { ...target, env: { ...target.env, ...standing.env, NATS_HUB_LEAF_UPGRADE: "1" } };
    const checked = checkedFleet((await exportSecrets(target)) ?? {});
    // One after the other, each proven before the next: what an interrupted upgrade has done needs nothing any more.
    for (const server of containersOf(target).filter((name) => !pending.some(({ site }) => site === name))) {
      const targets = upgradeOf(server, state).flatMap((pattern) => ["--target", pattern]);
      if (targets.length === 0) continue;
      if (checked !== undefined) await refuseUpgrading(checked, server).then(() => handOver(checked, server));
      say(`upgrade: ${server}`);
      const exitCode = await pulumi(upgrading, ["up", "--yes", "--skip-preview", ...targets]);
      if (exitCode !== 0) return exitCode;
    }
    return await up(upgrading, ["--skip-preview"]);
  },

  async unlock(target) {
    const cleared = await clearKilledRun(target);
    const state = await exportState(target);
    const pending = state === undefined ? [] : pendingOf(target, state);
    if (pending.length > 0) {
      await forgetPending(target);
      for (const { name, operation } of pending) say(`forgot that ${name} was interrupted while ${operation}`);
      const begun = perhapsCreated(pending);
      if (begun.length > 0) say(`if ${begun.join(", ")} was created, only \`make up\` will find it again`);
    }
    if (!cleared && pending.length === 0) say(`stack '${target.stack}': nothing to clear`);
    return 0;
  },
};

/** What a preview needs: the stack, what cannot be reached, and the command that goes round it. */
export async function readyToPreview(target: PulumiStack) {
  const state = await ensuredState(target);
  const standing = await standingOf(target, state);
  const leaving = leavingSites(target, state);
  if (leaving.length > 0) {
    say(`the site ${leaving.join(", ")} is protected: 'make up' removes it only with REMOVE=${leaving.join(",")}`);
  }
  const isResized = resizingOf(target, state) !== undefined;
  const lifted = leaving.length === 0 && !isResized ? [] : [IGNORE_PROTECTION];
  // Only then: a refresh also shows where an engine differs from what it was told.
  const refresh = standing.removed.length + standing.changed.length === 0 ? [] : ["--refresh"];
  const command = ["preview", ...refresh, ...lifted, ...standing.options];
  const known = withState(target, standing);
  return {
    knowing: isResized ? inPreview(known) : known,
    command,
    pending: standing.pending,
    leaving,
    state,
  };
}

/** To remove, the CLI uses what the last run knew of the engines. */
async function wayToRemove(target: PulumiStack, state: Deployment): Promise<string> {
  const { pending } = await standingOf(target, state);
  return pending.length === 0
    ? "the settings have matching certificates: run 'make up' first, which installs them, then 'make down'"
    : "or, if the machine is lost for good, drop the site with 'make forget SITE=…'";
}

/** Takes away the NATS CLI contexts of a stack that is gone. */
function forgetContexts(target: PulumiStack): void {
  const words = dropContexts(target);
  if (words !== "") say(words);
}

/** Performs one of these commands. Errors: a Refusal. */
export async function run(args: readonly string[], name: string): Promise<number> {
  const call = parsed(name, args);
  const folder = projectFolder();
  if (name === "stack") return await newStack(folder, requestOf(call.stack, process.env), say);
  const perform = COMMANDS[name];
  if (perform === undefined) throw new Error(`${name} is none of ${Object.keys(COMMANDS).join(", ")}`);
  return await perform(await pulumiStack(folder, call.stack), call);
}
