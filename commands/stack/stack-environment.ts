import { isByPassphrase } from "../../configs/reading/secrets-provider";
import { pulumiHome } from "../../machine/locate";
import type { StackFile } from "./stack-file";

/** The stack whose secrets anyone may open: it is for trying out, on your own machine. */
export const DEV_STACK = "dev";

/** The stacks of this repository that are for trying out: their secrets are encrypted with an empty passphrase. */
export const TRIAL_STACKS: readonly string[] = [DEV_STACK, "cluster"];

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables that the Pulumi CLI needs in addition to the caller's environment. A value that the caller sets always
 * wins, even an empty passphrase.
 */
export function additions(
  stack: string,
  env: Environment,
  { state }: Pick<StackFile, "state"> = {},
): Record<string, string> {
  const added: Record<string, string> = { PULUMI_HOME: pulumiHome(env) };
  // The pinned version is the one that is tested; the daily "a new version is available" would only confuse.
  if (env.PULUMI_SKIP_UPDATE_CHECK === undefined) added.PULUMI_SKIP_UPDATE_CHECK = "true";
  // The state of a file backend is written at every step: compressed it is a fifth. Either form is read without this.
  if (env.PULUMI_DIY_BACKEND_GZIP === undefined) added.PULUMI_DIY_BACKEND_GZIP = "true";
  // Every diff looks at a live server; one after the other they make the preview of a large fleet slow.
  if (env.PULUMI_PARALLEL_DIFF === undefined) added.PULUMI_PARALLEL_DIFF = "true";
  if (state !== undefined && env.PULUMI_BACKEND_URL === undefined) added.PULUMI_BACKEND_URL = state;
  if (TRIAL_STACKS.includes(stack) && !hasPassphrase(env)) added.PULUMI_CONFIG_PASSPHRASE = "";
  return added;
}

const hasPassphraseFile = (env: Environment): boolean => (env.PULUMI_CONFIG_PASSPHRASE_FILE ?? "") !== "";

const hasPassphrase = (env: Environment): boolean =>
  env.PULUMI_CONFIG_PASSPHRASE !== undefined || hasPassphraseFile(env);

/** Whether `dev`'s empty passphrase, left in a shell, would take precedence over the file of this stack. */
const hidesFile = (stack: string, env: Environment): boolean =>
  !TRIAL_STACKS.includes(stack) && env.PULUMI_CONFIG_PASSPHRASE === "" && hasPassphraseFile(env);

/** The environment in which the Pulumi CLI runs. */
export function environmentOf(stack: string, env: Environment, file: Pick<StackFile, "state"> = {}): Environment {
  const own = hidesFile(stack, env) ? { ...env, PULUMI_CONFIG_PASSPHRASE: undefined } : env;
  return { ...own, ...additions(stack, own, file) };
}

/** Set when the environment names another backend than the stack's own: all servers would be created a second time. */
export function otherBackend(
  stack: string,
  { state }: Pick<StackFile, "state">,
  { PULUMI_BACKEND_URL: given }: Environment,
): string | undefined {
  if (state === undefined || given === undefined || given === state) return undefined;
  return (
    `stack '${stack}': its state is at ${state}, but PULUMI_BACKEND_URL names another backend; ` +
    `unset PULUMI_BACKEND_URL, or correct the setting 'state'`
  );
}

/**
 * Why the stack's secrets cannot be opened, or undefined when nothing speaks against it. A stack with a secrets provider
 * of its own (a cloud's key service) has no passphrase, and Pulumi Cloud is one.
 */
export function missingPassphrase(stack: string, file: StackFile, env: Environment): string | undefined {
  if (TRIAL_STACKS.includes(stack) || hasPassphrase(env)) return undefined;
  if (!isByPassphrase(file, file.state ?? env.PULUMI_BACKEND_URL)) return undefined;
  return (
    `stack '${stack}': its secrets are encrypted with a passphrase, but none is set; ` +
    `set PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it (or PULUMI_CONFIG_PASSPHRASE to the passphrase itself). ` +
    `Only ${TRIAL_STACKS.map((name) => `'${name}'`).join(" and ")} need none`
  );
}

/** The line that `make env` prints, for `eval`. It holds only what has to change: never a passphrase that the user set. */
export function exportLine(stack: string, env: Environment, file: Pick<StackFile, "state"> = {}): string {
  const assignments = Object.entries(additions(stack, env, file)).map(([name, value]) => `${name}=${quoted(value)}`);
  return `${hidesFile(stack, env) ? "unset PULUMI_CONFIG_PASSPHRASE; " : ""}export ${assignments.join(" ")}`;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
