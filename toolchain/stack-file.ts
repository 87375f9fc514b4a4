import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";

/** What `make` has to know of Pulumi.<stack>.yaml before the CLI runs; the settings are read by stack-config.ts. */
export interface StackFile {
  /** The setting `state`. */
  readonly state?: string;
  /** What encrypts the secrets, where the file names it: a cloud's key service, or "passphrase". */
  readonly secretsProvider?: string;
  /** Whether it holds what secrets are encrypted with: the salt of a passphrase, or the key that a provider keeps. */
  readonly isSealed: boolean;
}

/** Whether a passphrase opens the secrets that this provider encrypts. */
export const isPassphrase = (provider: string): boolean => provider === "passphrase" || provider === "default";

export const stackFileName = (stack: string): string => `Pulumi.${stack}.yaml`;

/** The facts of a stack's file; of one that is not there, or is no YAML, none: others say what is wrong with it. */
export function readStackFile(projectFolder: string, stack: string): StackFile {
  const file = path.join(projectFolder, stackFileName(stack));
  return stackFileOf(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");
}

export function stackFileOf(text: string): StackFile {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const get = (...keys: string[]): string | undefined => {
    const value: unknown = document.errors.length > 0 ? undefined : document.getIn(keys);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const state = get("config", "nats-hub-leaf:state");
  const provider = get("secretsprovider");
  return {
    ...(state === undefined ? {} : { state }),
    ...(provider === undefined ? {} : { secretsProvider: provider }),
    isSealed: get("encryptionsalt") !== undefined || get("encryptedkey") !== undefined,
  };
}
