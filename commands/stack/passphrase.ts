import * as crypto from "node:crypto";
import { givenPassphrase } from "../../components/passphrase";
import { isByPassphrase } from "../../configs/reading/secrets-provider";
import { Refusal } from "../../machine/refusal";
import { DEV_STACK, type Environment } from "./stack-environment";
import type { StackFile } from "./stack-file";

// What encrypts a stack's secrets, as far as its stack file and the environment tell. Nothing is decrypted but the word
// that the Pulumi CLI puts into every salt to recognise a wrong passphrase.

const ITERATIONS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const WORD = "pulumi";

/** Whether `encryptionsalt` was made with an empty passphrase; undefined when it is none that this program can read. */
export function isOfEmptyPassphrase(encryptionsalt: string): boolean | undefined {
  const [version, salt, ofWord, nonce, sealed] = encryptionsalt.split(":");
  if (version !== "v1" || ofWord !== "v1" || salt === undefined || nonce === undefined || sealed === undefined) {
    return undefined;
  }
  const bytes = Buffer.from(sealed, "base64");
  const key = crypto.pbkdf2Sync("", Buffer.from(salt, "base64"), ITERATIONS, KEY_BYTES, "sha256");
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
  if (stack === DEV_STACK || !isByPassphrase(file, env.PULUMI_BACKEND_URL)) return;
  if (readablePassphrase(env) !== "") return;
  throw new Refusal(
    `stack '${stack}': the passphrase is empty, which protects nothing; ` +
      "set PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds a good one, or let a key service encrypt the secrets " +
      "(SECRETS_PROVIDER of 'make stack', secretsprovider of its file)",
  );
}

function readablePassphrase(env: Environment): string | undefined {
  try {
    return givenPassphrase(env);
  } catch (error) {
    throw new Refusal(`PULUMI_CONFIG_PASSPHRASE_FILE: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
