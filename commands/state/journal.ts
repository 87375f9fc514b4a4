import * as path from "node:path";
import { serversInDocker } from "../../configs/placement";
import { isByPassphrase } from "../../configs/reading/secrets-provider";
import type { Settings } from "../../configs/settings";
import { DOCKER_PROVIDER, typeOf } from "../../configs/text/urn";
import { same } from "../../configs/values";
import { isPlain } from "../../machine/plain";
import type { PulumiStack } from "../stack/backend";
import { isLocal } from "../stack/dead-lock";
import { readablePassphrase } from "../stack/passphrase";
import type { Deployment, StateResource } from "../stack/pending";
import { readStackFile } from "../stack/stack-file";
import { settingsOf } from "./away";
import { checkedFleet } from "./fleet-state";

// The CLI writes the whole state twice for each resource. Where many sites are added it writes the state once instead, at the
// end, and the program notes each resource in a journal beside it (components/sdk/journal.ts). killed-run.ts gives the state
// what a killed run noted.

/** For fewer new sites the state is small, or written a few times only. */
const MANY = 10;
const PACKAGE = path.join(__dirname, "../..");
/** Options of the CLI that change no more than what it prints; with others, such as --refresh, it writes the state. */
const OF_WORDS =
  /^(--skip-preview|--yes|-y|--color|always|never|raw|auto|--non-interactive|--diff|--(suppress|show)-\w+)$/;

const resourcesOf = ({ deployment }: Deployment) => deployment?.resources ?? [];

/**
 * What tells the CLI and the program to keep a journal in place of writing the state at each step. Empty where that could
 * lose something: only a run that adds sites, and neither removes nor replaces anything, may do it.
 */
export async function journaled(
  target: PulumiStack,
  state: Deployment,
  options: readonly string[],
): Promise<Record<string, string>> {
  const { projectFolder, stack, env } = target;
  const settings = settingsOf(projectFolder, stack);
  const isOwn = path.resolve(projectFolder) === PACKAGE;
  if (!options.every((option) => OF_WORDS.test(option))) return {};
  if (settings === undefined || !isOwn || isPlain(env)) return {};
  if (!hasKeyFor(target, state) || !isOfProcesses(settings, state) || !addsMany(settings, state)) return {};
  if (!(await isLocal(target))) return {};
  return { PULUMI_SKIP_CHECKPOINTS: "true", NATS_HUB_LEAF_JOURNAL: "1" };
}

/** Whether this process can encrypt and decrypt what the stack's own secrets are encrypted with. */
function hasKeyFor({ projectFolder, stack, env }: PulumiStack, { deployment }: Deployment): boolean {
  const file = readStackFile(projectFolder, stack);
  const type = deployment?.secrets_providers?.type ?? "passphrase";
  return (
    type === "passphrase" &&
    file.salt !== undefined &&
    isByPassphrase(file, env.PULUMI_BACKEND_URL) &&
    readablePassphrase(env) !== undefined
  );
}

const isOfProcesses = (settings: Settings, state: Deployment): boolean =>
  serversInDocker(settings).length === 0 && !resourcesOf(state).some((one) => typeOf(one) === DOCKER_PROVIDER);

/** Whether an earlier run has not finished to delete or to replace it. */
const isLeaving = (resource: StateResource): boolean =>
  resource.delete === true || resource.pendingReplacement === true;

/** Whether the settings have many new sites, and nothing else has changed. */
export function addsMany(settings: Settings, state: Deployment): boolean {
  if (resourcesOf(state).some(isLeaving)) return false;
  if (resourcesOf(state).length === 0) return settings.sites.length >= MANY;
  const before = checkedFleet(state)?.settings;
  // Without the check no server was deployed, and with given keys a change of one would not show here.
  if (before === undefined || Object.keys(settings.keys).length > 0) return false;
  const { sites, keys: _none, ...rest } = settings;
  const { sites: old, ...restBefore } = before;
  const now = new Map(sites.map((site) => [site.name, site]));
  return (
    same(rest, restBefore) && old.every((site) => same(site, now.get(site.name))) && sites.length >= old.length + MANY
  );
}
