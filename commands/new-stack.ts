import * as fs from "node:fs";
import * as path from "node:path";
import { NO_STATE_URL, STATE_URL } from "../configs/settings";
import { type Document, parseDocument, visit } from "yaml";
import { exportState } from "./stack/cli";
import { refuseEmptyPassphrase } from "./stack/passphrase";
import type { Deployment } from "./stack/pending";
import type { Say } from "../machine/progress";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import {
  TRIAL_STACKS,
  type Environment,
  environmentOf,
  missingPassphrase,
  otherBackend,
} from "./stack/stack-environment";
import { type StackFile, readStackFile, stackFileName, stackFileOf } from "./stack/stack-file";
import { stackTemplate } from "./stack/stack-template";
import { initStack } from "./up";
import { present } from "../configs/values";

// `make stack STACK=qa [FROM=staging] [STATE=s3://…] [SECRETS_PROVIDER=awskms://…]`: the file of a new environment, and
// its stack in its backend, with what encrypts its secrets in the file from the first commit. Run again after an
// interruption, it finishes what is missing.

export interface StackRequest {
  readonly stack: string;
  /** The stack whose file is copied; without it the file is a short example. */
  readonly from?: string;
  readonly state?: string;
  readonly secretsProvider?: string;
}

const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

export function requestOf(stack: string, env: Environment): StackRequest {
  const [from, state, secretsProvider] = [given(env.FROM), given(env.STATE), given(env.SECRETS_PROVIDER)];
  return {
    stack,
    ...present({ from, state, secretsProvider }),
  };
}

const PROVIDER = /^(passphrase$|(awskms|azurekeyvault|gcpkms|hashivault):\/\/\S+$)/;

/** Errors: a Refusal of what cannot be a stack of this project. */
export function refuseRequest({ stack, state, secretsProvider }: StackRequest): void {
  if (TRIAL_STACKS.includes(stack)) throw new Refusal("make stack: name the new environment: make stack STACK=qa");
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(stack)) {
    throw new Refusal(
      `make stack: '${stack}' is not a valid stack name: use 1 to 31 lower-case letters, digits or '-', starting with a letter`,
    );
  }
  if (state !== undefined && !STATE_URL.test(state)) throw new Refusal(`make stack: STATE=${state} ${NO_STATE_URL}`);
  if (secretsProvider !== undefined && !PROVIDER.test(secretsProvider)) {
    throw new Refusal(
      `make stack: SECRETS_PROVIDER=${secretsProvider} is not supported: use passphrase, or the URL of a key: awskms://…, ` +
        "azurekeyvault://…, gcpkms://…, hashivault://…",
    );
  }
}

/** Errors: a Refusal when the secrets could not be encrypted, or the environment names another backend. */
function refuseUnsafe(stack: string, file: StackFile, env: Environment): void {
  const problem = otherBackend(stack, file, env) ?? missingPassphrase(stack, file, env);
  if (problem !== undefined) throw new Refusal(problem);
  refuseEmptyPassphrase(stack, file, environmentOf(stack, env, file));
}

/** The text of another stack's file, without what belongs to that stack's secrets. */
export function copyOf(text: string, { stack, from = "", state, secretsProvider }: StackRequest): string {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) throw new Refusal(`${stackFileName(from)}: is not YAML; correct it first`);
  for (const key of ["encryptionsalt", "encryptedkey"]) document.delete(key);
  const encrypted = encryptedIn(document);
  if (encrypted.length > 0) {
    throw new Refusal(
      `${stackFileName(from)}: ${encrypted.join(", ")} is encrypted with that stack's own key; copy the file without it ` +
        `to ${stackFileName(stack)}, then run 'make stack STACK=${stack}' and set it again`,
    );
  }
  if (state !== undefined) document.setIn(["config", "nats-hub-leaf:state"], state);
  if (secretsProvider !== undefined) document.set("secretsprovider", secretsProvider);
  return `# Environment '${stack}', created as a copy of '${from}'.\n${document.toString({ lineWidth: 0 })}`;
}

/** The settings that hold an encrypted value. */
function encryptedIn(document: Document): string[] {
  const found = new Set<string>();
  visit(document, {
    Pair(_, pair, ancestors) {
      if (String(pair.key) !== "secure") return;
      const setting = ancestors
        .filter((node) => "key" in node)
        .map((node) => String((node as { key: unknown }).key))[1];
      found.add(setting ?? "a value");
    },
  });
  return [...found];
}

/** Writes the file in one step, and never over another. Returns whether there was none. */
function writeOnce(file: string, text: string): boolean {
  if (fs.existsSync(file)) return false;
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(unfinished, text);
    fs.linkSync(unfinished, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}

function newText(projectFolder: string, request: StackRequest): string {
  const { from } = request;
  if (from === undefined) return stackTemplate(request);
  const file = path.join(projectFolder, stackFileName(from));
  if (!fs.existsSync(file)) throw new Refusal(`make stack: FROM=${from}: there is no ${stackFileName(from)}`);
  return copyOf(fs.readFileSync(file, "utf8"), request);
}

/** Errors: a Refusal when an existing file does not agree with what was asked for. */
function refuseOther(projectFolder: string, { stack, state, secretsProvider }: StackRequest): void {
  const file = readStackFile(projectFolder, stack);
  const other = [
    ...(state !== undefined && state !== file.state ? ["STATE"] : []),
    ...(secretsProvider !== undefined && secretsProvider !== (file.secretsProvider ?? "passphrase")
      ? ["SECRETS_PROVIDER"]
      : []),
  ];
  if (other.length === 0) return;
  throw new Refusal(
    `${stackFileName(stack)}: already exists, stays as it is, and does not agree with ${other.join(" and ")}; ` +
      "leave that out, or edit the file",
  );
}

/** Makes the environment, or what is missing of it. */
export async function newStack(projectFolder: string, request: StackRequest, say: Say): Promise<number> {
  const { stack } = request;
  refuseRequest(request);
  const name = stackFileName(stack);
  const file = path.join(projectFolder, name);
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : newText(projectFolder, request);
  refuseUnsafe(stack, stackFileOf(text), process.env);
  const isNew = writeOnce(file, text);
  if (!isNew) refuseOther(projectFolder, request);
  say(isNew ? `${name}: written` : `${name}: already exists and stays as it is`);

  const target = await pulumiStack(projectFolder, stack);
  const state = await exportState(target);
  const isSealed = () => readStackFile(projectFolder, stack).isSealed;
  if (state !== undefined && isSealed()) throw new Refusal(`stack '${stack}': already exists; nothing to create`);
  if (state === undefined) await initStack(target);
  else fs.appendFileSync(file, sealOf(state, fs.readFileSync(file, "utf8")));
  if (!isSealed()) throw new Refusal(`${name}: has no encryption for its secrets; see the output of Pulumi`);
  say(`stack '${stack}': created. Commit ${name} as it is now: its last lines hold what encrypts its secrets`);
  say(
    `  then edit its settings (docs/settings.md), look with 'make preview STACK=${stack}', and 'make up STACK=${stack}'`,
  );
  return 0;
}

/** What the CLI would have written into the stack file if it had not been interrupted after it created the stack. */
export function sealOf(state: Deployment, text: string): string {
  const { type, state: kept = {} } = state.deployment?.secrets_providers ?? {};
  const lines = [
    ...(typeof kept.salt === "string" ? [`encryptionsalt: ${kept.salt}`] : []),
    ...(type === "cloud" && typeof kept.encryptedkey === "string" ? [`encryptedkey: ${kept.encryptedkey}`] : []),
    ...(type === "cloud" && typeof kept.url === "string" && stackFileOf(text).secretsProvider === undefined
      ? [`secretsprovider: ${kept.url}`]
      : []),
  ];
  return lines.length === 0 ? "" : `${text.endsWith("\n") ? "" : "\n"}${lines.join("\n")}\n`;
}
