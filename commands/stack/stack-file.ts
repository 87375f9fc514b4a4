import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import type { Encryption } from "../../configs/reading/secrets-provider";
import { present } from "../../configs/values";

/** What `make` needs from Pulumi.<stack>.yaml before the CLI runs; stack-config.ts reads the settings. */
export interface StackFile extends Encryption {
  /** The setting `state`. */
  readonly state?: string;
  /** Made of its passphrase; absent where it has none, or another file has it. */
  readonly salt?: string;
}

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
  const salt = get("encryptionsalt");
  return {
    ...present({ state, secretsProvider: provider, salt }),
    isSealed: salt !== undefined || get("encryptedkey") !== undefined,
  };
}
