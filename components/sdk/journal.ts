import type { RegisterResourceRequest, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb";
import { getMonitor, isDryRun } from "@pulumi/pulumi/runtime/settings";
import * as pulumi from "./pulumi";
import { type JournalEntry, type Made, journalFile, unfinishedRun } from "../../machine/journal/journal";
import { SealedLog } from "../../machine/journal/sealed-log";
import { givenPassphrase } from "../passphrase";

/** `Result.SUCCESS` of the protocol. */
const SUCCESS = 0;

/** A call of the SDK to the engine. */
type Register = (request: RegisterResourceRequest, done: Done) => unknown;
type Done = (error: unknown, response: RegisterResourceResponse) => void;

/**
 * Notes each resource beside the state as soon as the engine has made it, where `make up` has the CLI write the state only
 * at the end (commands/state/journal.ts): what a killed run made is put into the state from there. Nothing uses a key
 * before it is noted, for what depends on a resource is asked for later.
 *
 * @param root the folder of the stack's files.
 * Errors: a RunError when there is a journal of a run that was killed.
 */
export function keepJournal(root: string): void {
  if (isDryRun()) return;
  const unfinished = unfinishedRun(root);
  if (unfinished !== undefined) throw new pulumi.RunError(unfinished);
  if (process.env.NATS_HUB_LEAF_JOURNAL !== "1") return;
  const journal = new SealedLog(journalFile(root), givenPassphrase(process.env) ?? "");
  const monitor = getMonitor() as unknown as { registerResource: Register };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
    note(journal, { begun: { type, name, parent, custom: request.getCustom() } });
    return register(request, (error, response) => {
      const hasFailed = (error !== null && error !== undefined) || response.getResult() !== SUCCESS;
      if (hasFailed) return done(error, response);
      note(journal, { made: madeOf(request, response) });
      const hasSecrets = request.getAdditionalsecretoutputsList().length > 0;
      void (hasSecrets ? journal.sync() : Promise.resolve()).then(
        () => done(null, response),
        (failed: unknown) => done(failed, response),
      );
    });
  };
}

const note = (journal: SealedLog, entry: JournalEntry): void => journal.append(entry);

function madeOf(request: RegisterResourceRequest, response: RegisterResourceResponse): Made {
  return {
    urn: response.getUrn(),
    custom: request.getCustom(),
    id: response.getId(),
    type: request.getType(),
    inputs: request.getObject()?.toJavaScript() ?? {},
    outputs: response.getObject()?.toJavaScript() ?? {},
    parent: request.getParent(),
    protect: request.getProtect() === true,
    dependencies: request.getDependenciesList(),
    propertyDependencies: Object.fromEntries(
      [...request.getPropertydependenciesMap().entries()].map(([name, urns]) => [name, urns.getUrnsList()]),
    ),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
  };
}
