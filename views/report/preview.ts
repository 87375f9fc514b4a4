import { nameOf, typeOf } from "../../configs/text/urn";
import { UNKNOWN, hasUnknown } from "../../configs/values";

/** What `pulumi preview --json` says, as far as the report reads it: never outputs, and nothing that is secret. */

export interface PreviewJson {
  /** The stack's config as the program gets it; secrets are masked by the CLI. */
  config?: Record<string, string>;
  steps?: PreviewStep[];
  diagnostics?: Diagnostic[];
}

export interface PreviewStep {
  op: string;
  urn: string;
  oldState?: { inputs?: Record<string, unknown> };
  newState?: { inputs?: Record<string, unknown> };
}

export interface Diagnostic {
  severity: string;
  message: string;
  /** Of the resource that it is about. */
  urn?: string;
}

/** What a preview intends with one resource. */
export interface Step {
  op: "create" | "update" | "replace" | "delete";
  /** The class in components/sdk/resources.ts, or in the Docker package. */
  kind: string;
  /** The resource's own name, such as `oslo-server`. */
  name: string;
  olds: Inputs;
  news: Inputs;
}

/** The inputs of a resource, by path. Nothing is assumed: a state may be of an older program. */
export type Inputs = Record<string, unknown>;

const OPS: readonly string[] = ["create", "update", "replace", "delete"] satisfies Step["op"][];

const isOp = (op: string): op is Step["op"] => OPS.includes(op);

/** The steps that do something, of the resources that the fleet is made of. */
export function stepsOf({ steps = [] }: PreviewJson): Step[] {
  return steps.flatMap(({ op, urn, oldState, newState }): Step[] => {
    const [type, name] = [typeOf({ urn }), nameOf({ urn })];
    if (!isOp(op) || !/^(pulumi-nodejs:dynamic\/nats|docker:index\/.*):/.test(type)) return [];
    const kind = type.split(":").at(-1) ?? "";
    return [{ op, kind, name, olds: oldState?.inputs ?? {}, news: newState?.inputs ?? {} }];
  });
}

/** The value at a path such as `declaration.restart.name`; undefined when there is none. */
export function at(inputs: Inputs, path: string): unknown {
  let value: unknown = inputs;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The text at a path; empty when there is none, or none that is known. */
export function textAt(inputs: Inputs, path: string): string {
  const value = at(inputs, path);
  return typeof value === "string" && value !== UNKNOWN ? value : "";
}

/** The number at a path; undefined when there is none. */
export function numberAt(inputs: Inputs, path: string): number | undefined {
  const value = at(inputs, path);
  return typeof value === "number" ? value : undefined;
}

/** Whether any part of the value at a path is not known before the update. */
export const isUnknown = (inputs: Inputs, path: string): boolean => hasUnknown(at(inputs, path));
