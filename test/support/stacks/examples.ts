import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import type { RawSettings } from "../../../configs/settings";

/** The files of examples/, as people copy them. */

const EXAMPLES = resolve(__dirname, "../../../examples");

export const exampleFile = (name: string): string => readFileSync(join(EXAMPLES, name), "utf8");

/** The settings of an example's stack file. */
export function exampleSettings(name: string): RawSettings {
  const { config } = parse(exampleFile(`${name}/Pulumi.${name}.yaml`)) as { config: Record<string, unknown> };
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^[^:]*:/, ""), value]));
}
