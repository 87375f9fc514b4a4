import { formatSize } from "../../configs/text/units";
import { say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { closeShared } from "../../servers/nats/connection";
import { parsed, projectFolder, textOf } from "../parse";
import { deployedState } from "../stack/cli";
import { pulumiStack } from "../stack/pulumi-stack";
import { fleetOf } from "../state/fleet-state";
import type { Manifest } from "./manifest";
import { backupPassphrase } from "./passphrase";
import { save } from "./save";
import { present } from "../../configs/values";

// What `nats-hub-leaf backup --to <folder>` does.

/** Errors: a Refusal. */
export async function run(args: readonly string[], name: string): Promise<number> {
  const call = parsed(name, args);
  const folder = textOf(call, "to") ?? "";
  if (folder === "") throw new Refusal("backup: say where to: --to <folder>, or make backup TO=<folder>");
  const passphrase = backupPassphrase(process.env);
  const project = projectFolder();
  const state = await deployedState(await pulumiStack(project, call.stack));
  try {
    const fleet = fleetOf(state, call.stack, project);
    const manifest = await save({ stack: call.stack, fleet, folder, ...present({ passphrase }), say });
    console.log(words(folder, manifest));
    return 0;
  } finally {
    void closeShared();
  }
}

function words(folder: string, { streams, leftOut, encryption }: Manifest): string {
  const bytes = streams.reduce((sum, one) => sum + one.bytes, 0);
  const messages = streams.reduce((sum, one) => sum + one.messages, 0);
  return [
    `${folder}: a complete backup: ${streams.length} streams, ${messages} messages, ${formatSize(bytes)}, ` +
      (encryption === undefined ? "not encrypted: whoever reads this folder reads the messages" : "encrypted"),
    ...(leftOut.length === 0
      ? []
      : [`not in the backup, because the stack has no key for them or they are not its own: ${leftOut.join(", ")}`]),
    "back up the stack's state and its passphrase too: without them no site gets a new key (docs/backup.md)",
  ].join("\n");
}
