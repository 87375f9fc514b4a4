import * as crypto from "node:crypto";
import { givenPassphrase } from "../../components/passphrase";
import { isByPassphrase } from "../../configs/reading/secrets-provider";
import { Refusal } from "../../machine/refusal";
import { TRIAL_STACKS, type Environment } from "./stack-environment";
import type { PulumiStack } from "./backend";
import { type StackFile, readStackFile } from "./stack-file";

// What encrypts a stack's secrets, as far as its stack file and the environment tell. The only thing decrypted is the
// word that the Pulumi CLI puts into every salt to recognise a wrong passphrase.

const ITERATIONS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const WORD = "pulumi";

/** Whether `encryptionsalt` was made with the passphrase; undefined when it is none that this program can read. */
export function isOfPassphrase(encryptionsalt: string, passphrase: string): boolean | undefined {
  const [version, salt, ofWord, nonce, sealed] = encryptionsalt.split(":");
  if (version !== "v1" || ofWord !== "v1" || salt === undefined || nonce === undefined || sealed === undefined) {
    return undefined;
  }
  const bytes = Buffer.from(sealed, "base64");
  const key = crypto.pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), ITERATIONS, KEY_BYTES, "sha256");
  try {
    const decipher = crypto.createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const word = decipher.update(bytes.subarray(0, -TAG_BYTES)).toString() + decipher.final().toString();
    return word === WORD;
  } catch {
    // Another passphrase: the tag does not fit.
    return false;
  }
}

/**
 * Errors: a Refusal of an empty passphrase: nothing that is made to be shared may be encrypted with it.
 *
 * @param env of the CLI.
 */
export function refuseEmptyPassphrase(stack: string, file: StackFile, env: Environment): void {
  if (TRIAL_STACKS.includes(stack) || !isByPassphrase(file, env.PULUMI_BACKEND_URL)) return;
  if (readablePassphrase(env) !== "") return;
  throw new Refusal(
    `stack '${stack}': the passphrase is empty, which protects nothing; ` +
      "set PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds a good one, or let a key service encrypt the secrets " +
      "(SECRETS_PROVIDER of 'make stack', secretsprovider of its file)",
  );
}

/**
 * Why the CLI cannot open the stack's secrets, and the cure; undefined when the passphrase fits, as far as the stack's file
 * tells. It takes half a second: for what has failed.
 */
export function wrongPassphrase(target: PulumiStack): string | undefined {
  const { projectFolder, stack, env } = target;
  const file = readStackFile(projectFolder, stack);
  if (file.salt === undefined || !isByPassphrase(file, env.PULUMI_BACKEND_URL)) return undefined;
  return isOfPassphrase(file.salt, readablePassphrase(env) ?? "") === false ? passphraseCure(target) : undefined;
}

/** The cure for a wrong passphrase. The variable with the passphrase itself takes precedence over the one with a file. */
export function passphraseCure({ projectFolder, stack, env }: PulumiStack): string {
  const { PULUMI_CONFIG_PASSPHRASE: itself, PULUMI_CONFIG_PASSPHRASE_FILE: file = "" } = env;
  const variable = itself === undefined ? "PULUMI_CONFIG_PASSPHRASE_FILE" : "PULUMI_CONFIG_PASSPHRASE";
  const wrong = `stack '${stack}': its secrets are not encrypted with the passphrase of ${variable}, which is set in this shell; `;
  const { salt } = readStackFile(projectFolder, stack);
  if (TRIAL_STACKS.includes(stack) && (salt === undefined || isOfPassphrase(salt, "") === true))
    return `${wrong}'${stack}' needs none: run 'unset ${variable}'`;
  const hidden = itself !== undefined && file !== "" ? `, or run 'unset ${variable}' so that ${file} is used` : "";
  return `${wrong}set it to that of '${stack}'${hidden}`;
}

/** Errors: a Refusal when its file cannot be read. */
export function readablePassphrase(env: Environment): string | undefined {
  try {
    return givenPassphrase(env);
  } catch (error) {
    throw new Refusal(`PULUMI_CONFIG_PASSPHRASE_FILE: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
