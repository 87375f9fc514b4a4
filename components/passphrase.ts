import * as fs from "node:fs";

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
