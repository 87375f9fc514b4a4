import Table from "cli-table3";
import { exportLine } from "./stack/stack-environment";
import { readStackFile } from "./stack/stack-file";
import { VARIABLES, parsed, projectFolder } from "./parse";

// What `nats-hub-leaf env` does: lists every variable that any part reads. With --export (`make env`): prints the line
// that prepares a shell for the plain CLI.

/** How a value is shown: never a secret itself. */
const shown = (name: string, value: string | undefined): string =>
  value === undefined
    ? ""
    : name === "PULUMI_CONFIG_PASSPHRASE"
      ? "set"
      : value.replace(/\/\/[^/@]*@/, "//…@").slice(0, 30);

export function variablesTable(env: NodeJS.ProcessEnv): string {
  const table = new Table({
    head: ["variable", "set to", "meaning"],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [33, 34, 60],
  });
  const plain = (text: string) => text.replaceAll(/\[([^\]]*)\]\(([^)#]*)[^)]*\)/g, "docs/$2").replaceAll("`", "");
  for (const [name, meaning] of Object.entries(VARIABLES)) table.push([name, shown(name, env[name]), plain(meaning)]);
  return table.toString();
}

export async function run(args: readonly string[]): Promise<number> {
  const { stack, values } = parsed("env", args);
  if (values.export === true) console.log(exportLine(stack, process.env, readStackFile(projectFolder(), stack)));
  else console.log(variablesTable(process.env));
  return await Promise.resolve(0);
}
