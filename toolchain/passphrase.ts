import * as crypto from "node:crypto";

// What encrypts a stack's secrets, as far as its stack file tells. Nothing is decrypted but the word that the Pulumi CLI
// puts into every salt to recognise a wrong passphrase.

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
