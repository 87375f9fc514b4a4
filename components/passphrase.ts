import * as fs from "node:fs";
import * as path from "node:path";
import type { Encryption } from "../configs/reading/secrets-provider";
import { findProjectFolder } from "./sites-file";
import { present } from "../configs/values";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The passphrase that the Pulumi CLI takes: PULUMI_CONFIG_PASSPHRASE, even when that is empty, before the file; undefined
 * when none is set. Errors: those of a file that cannot be read.
 */
export function givenPassphrase(env: Environment): string | undefined {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file = "" } = env;
  if (passphrase !== undefined || file === "") return passphrase;
  return fs.readFileSync(file, "utf8").trim();
}

/** What the stack's file says of its encryption, by its lines: a parser of YAML would cost a tenth of a second at every preview. */
export function stackEncryption(stack: string): Encryption {
  const file = path.join(findProjectFolder(), `Pulumi.${stack}.yaml`);
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const secretsProvider = /^secretsprovider: *["']?([^"'\s]+)/m.exec(text)?.[1];
  return {
    ...present({ secretsProvider }),
    isSealed: /^(encryptionsalt|encryptedkey):/m.test(text),
  };
}
