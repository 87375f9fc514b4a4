import * as fs from "node:fs";
import * as path from "node:path";
import { maskSeeds } from "../configs/seeds";
import { alertRules } from "../views/outputs/alerts";
import {
  NatsContext,
  contextsOf,
  exampleCommands,
  isPrefix,
  prefixOf,
  withoutContexts,
} from "../views/outputs/contexts";
import { DASHBOARD_FILE, dashboard } from "../views/outputs/dashboard";
import { ALERTS_FILE, EXPORTER_PORT as DEFAULT_PORT, exportersOf, prometheusConfig } from "../views/outputs/prometheus";
import { snippetsOf, snippetsText } from "../views/outputs/snippets";
import { prefixesOf, removeContexts, writeContexts } from "./state/context-files";
import { Deployed, deployedFleet, isDeployed } from "./state/deployed-fleet";
import { exportSecrets } from "./stack/cli";
import type { PulumiStack } from "./stack/backend";
import { say } from "../machine/progress";
import { type Call, parsed, projectFolder, textOf } from "./parse";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";

// What `make contexts`, `snippets` and `prometheus` do with a stack that is deployed.

const sayIfAny = (words: string): void => {
  if (words !== "") say(words);
};

type Target = Pick<PulumiStack, "projectFolder" | "stack" | "env">;

const writerOf = ({ projectFolder: project, stack }: Target) => ({ project, stack });

/** The table of contexts, and what to try. */
export function contextWords({ fleet }: Deployed, contexts: readonly NatsContext[]): string {
  const width = Math.max(...contexts.map(({ name }) => name.length));
  return [
    ...contexts.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`),
    ...withoutContexts(fleet).map((line) => `site ${line}`),
    "for example:",
    ...exampleCommands(fleet, contexts).map((line) => `  ${line}`),
  ].join("\n");
}

function contexts(target: Target, deployed: Deployed, prefix: string): string {
  if (!isPrefix(prefix)) throw new Refusal(`PREFIX='${maskSeeds(prefix)}': use letters, digits, '_', '-' and '.'`);
  const wanted = contextsOf(deployed.fleet, prefix);
  const stale = writeContexts(deployed, wanted, prefix, target.projectFolder, target.env);
  for (const name of stale) say(`removed the context ${name}: the stack no longer has this site or stream`);
  return contextWords(deployed, wanted);
}

/** After an `up`: existing contexts follow the fleet. If that fails, the `up` does not fail. */
export async function followWithContexts(target: PulumiStack): Promise<void> {
  try {
    const prefixes = prefixesOf(writerOf(target), target.env);
    if (prefixes.length === 0) return;
    const deployed = deployedFleet(await exportSecrets(target), target.stack);
    for (const prefix of prefixes) contexts(target, deployed, prefix);
  } catch (error) {
    say(
      `the NATS CLI contexts stay as they were: ${maskSeeds(error instanceof Error ? error.message : String(error))}`,
    );
  }
}

/** Removes all contexts. Returns what to say about it; empty when there were none. */
export function dropContexts(target: Target): string {
  const names = removeContexts(writerOf(target), target.env);
  return names.length === 0 ? "" : `removed ${names.length} NATS CLI contexts: ${names.join(", ")}`;
}

function snippets({ fleet }: Deployed, name: string): string {
  const direct = fleet.sites.filter(({ reach }) => reach === "direct");
  const site = direct.find((one) => name === "" || one.name === name);
  if (site === undefined) {
    const there = direct.map((one) => one.name).join(", ");
    throw new Refusal(`make snippets: applications cannot log in at ${name} from here; SITE=… may be one of: ${there}`);
  }
  return snippetsText(snippetsOf(fleet, site));
}

function prometheus({ fleet }: Deployed, folder: string, port: string): string {
  const exporterPort = Number(port);
  if (!Number.isInteger(exporterPort) || exporterPort < 1 || exporterPort + fleet.sites.length > 65535)
    throw new Refusal(
      `EXPORTER_PORT='${port}': give the port of the hub's exporter; the sites' exporters use the ports after it`,
    );
  const files = {
    "prometheus.yml": prometheusConfig(fleet, { exporterPort }),
    [ALERTS_FILE]: alertRules(fleet),
    [DASHBOARD_FILE]: dashboard(fleet),
  };
  try {
    fs.mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  } catch (error) {
    throw new Refusal(`${folder}: cannot be written (${(error as Error).message}); choose another folder with TO=…`);
  }
  const exporters = exportersOf(fleet, exporterPort);
  return [
    ...Object.keys(files).map((name) => path.join(folder, name)),
    ...(exporters.length === 0 ? [] : ["exporters:", ...exporters.map(({ command }) => `  ${command.join(" ")}`)]),
    `check: promtool check config ${path.join(folder, "prometheus.yml")}`,
  ].join("\n");
}

async function printed(name: string, call: Call): Promise<string> {
  const { stack, values } = call;
  const target = await pulumiStack(projectFolder(), stack);
  if (name === "contexts" && values.remove !== undefined) return dropContexts(target) || "this stack has no contexts";
  const state = await exportSecrets(target);
  // After a plain `pulumi destroy`, which knows nothing of them.
  if (name === "contexts" && !isDeployed(state)) sayIfAny(dropContexts(target));
  const deployed = deployedFleet(state, stack);
  switch (name) {
    case "contexts":
      return contexts(target, deployed, textOf(call, "prefix") ?? prefixOf(stack));
    case "snippets":
      return snippets(deployed, textOf(call, "site") ?? "");
    default:
      return prometheus(
        deployed,
        textOf(call, "to") ?? path.join(".prometheus", stack),
        textOf(call, "exporter-port") ?? String(DEFAULT_PORT),
      );
  }
}

/** Errors: a Refusal. */
export async function run(args: readonly string[], name: string): Promise<number> {
  console.log(maskSeeds(await printed(name, parsed(name, args))));
  return 0;
}
