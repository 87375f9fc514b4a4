import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

// What a run notes beside the state while the CLI does not write the state: see commands/state/journal.ts.

/** @param root the folder of the stack's files. */
export const journalFile = (root: string): string => join(resolve(root), "unfinished-run");

/** Why the plain CLI may do nothing with the stack, and the cure; undefined when there is no run that was killed. */
export function unfinishedRun(root: string): string | undefined {
  const file = journalFile(root);
  if (!existsSync(file)) return undefined;
  return (
    `a run of 'make up' was killed, and the state does not yet have what that run made (${file}); ` +
    "run 'make unlock', which gives it to the state, then this again"
  );
}

/** A resource as the engine made it, like one of the state, but with secrets as Pulumi's protocol has them. */
export interface Made {
  readonly urn: string;
  readonly custom: boolean;
  /** Empty for a component. */
  readonly id: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly parent: string;
  readonly protect: boolean;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly additionalSecretOutputs: readonly string[];
}

/** A resource that the engine was asked for, or one that it made. */
export interface JournalEntry {
  readonly begun?: { readonly type: string; readonly name: string; readonly parent: string; readonly custom: boolean };
  readonly made?: Made;
}
