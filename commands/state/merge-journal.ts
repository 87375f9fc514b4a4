import { randomUUID } from "node:crypto";
import { CREATING, type Deployment, type Pending, type StateResource } from "../stack/pending";
import { STACK_TYPE, childUrn, providerOf, stackUrn, typeOf } from "../../configs/text/urn";
import { SECRET_MARK } from "./fleet-state";
import type { JournalEntry, Made } from "../../machine/journal/journal";

// A state with what a killed run noted beside it: as the CLI would have written it at the moment of the kill.

/** The value of the mark of a secret. */
const IS_SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The value with its secrets as a state has them that is imported. */
function asInState(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asInState);
  if (typeof value !== "object" || value === null) return value;
  const { value: secret } = value as { value?: unknown };
  if ((value as Record<string, unknown>)[SECRET_MARK] === IS_SECRET)
    return { [SECRET_MARK]: IS_SECRET, plaintext: JSON.stringify(asInState(secret)) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asInState(item)]));
}

type Values = Record<string, unknown>;

/** A resource of the state; the order of the fields is of no matter. */
function resourceOf(made: Made, provider: string): StateResource {
  const { urn, custom, id, type, parent, protect } = made;
  const values = { inputs: asInState(made.inputs) as Values, outputs: asInState(made.outputs) as Values };
  const common = {
    urn,
    custom,
    type,
    ...values,
    ...(parent === "" ? {} : { parent }),
    ...(protect ? { protect } : {}),
  };
  if (!custom) return common;
  const { dependencies, propertyDependencies, additionalSecretOutputs } = made;
  return { ...common, id, provider, dependencies, propertyDependencies, additionalSecretOutputs } as StateResource;
}

/**
 * The state with what the run made; and what the run had begun to create, which the import of a state cannot hold.
 *
 * @param secrets what encrypts the secrets of the stack, as a state says it; for one that has none yet.
 */
export function withJournal(
  state: Deployment,
  entries: readonly JournalEntry[],
  { stack, project, secrets }: { stack: string; project: string; secrets: unknown },
): { merged: Deployment; begun: Pending[] } {
  const before = state.deployment?.resources ?? [];
  const root = stackUrn(stack, project);
  const found = before.find((resource) => typeOf(resource) === providerOf("pulumi-nodejs"));
  const provider = found ?? newProvider(root);
  const reference = `${provider.urn}::${provider.id ?? ""}`;

  const made = new Map(entries.flatMap(({ made: one }) => (one === undefined ? [] : [[one.urn, one]])));
  const known = new Set([...made.keys(), ...before.map(({ urn }) => urn)]);
  const stackItself =
    before.find(({ urn }) => urn === root) ?? ({ urn: root, custom: false, type: STACK_TYPE } as StateResource);
  // Each comes after those that it depends on, as in the journal; what the run had not reached comes last.
  const resources = [
    stackItself,
    provider,
    ...[...made.values()].filter(({ urn }) => urn !== root).map((one) => resourceOf(one, reference)),
    ...before.filter(({ urn }) => !made.has(urn) && urn !== root && urn !== provider.urn),
  ];
  const asked = entries.flatMap(({ begun }) => (begun === undefined ? [] : [{ ...begun, urn: urnOf(begun, root) }]));
  const unknown = asked.filter(({ urn, custom }) => custom && !known.has(urn));
  return {
    merged: {
      ...state,
      deployment: {
        ...state.deployment,
        secrets_providers: state.deployment?.secrets_providers ?? secrets,
        resources,
      },
    } as Deployment,
    begun: unknown.map(({ urn, name }) => ({ urn, name, operation: CREATING })),
  };
}

const urnOf = ({ parent, type, name }: { parent: string; type: string; name: string }, root: string): string =>
  childUrn(parent === "" ? root : parent, type, name);

/** The engine makes one for a stack that has none, and tells no program its number. */
function newProvider(root: string): StateResource {
  const type = providerOf("pulumi-nodejs");
  const urn = childUrn(root, type, "default");
  return { urn, custom: true, type, id: randomUUID(), inputs: {}, outputs: {} } as StateResource;
}
