import { z } from "zod";
import { Problem } from "../problem";

function typeName(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "a group of settings" : `${typeof value}`;
}

const at = (raw: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], raw);

/** The values of `keys` are seeds: no message may repeat one. */
const shown = (value: unknown, path: readonly PropertyKey[]): string =>
  path[0] === "keys" ? "the given value" : typeof value === "string" ? `'${value}'` : inShort(value);

const inShort = (value: unknown): string =>
  Array.isArray(value) && value.length > 0 ? `a list of ${value.length}` : JSON.stringify(value);

const isInList = (path: readonly PropertyKey[], code: string | undefined): boolean =>
  path.length > 0 || code === "too_small" || code === "too_big";

/** A mistake of shape, in the terms of the stack config. */
export function toProblem(issue: z.core.$ZodIssue, raw: unknown): Problem {
  const where = z.core.toDotPath(issue.path) || "stack config";
  const value = at(raw, issue.path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const names = issue.keys.map((key) => `'${key}'`).join(", ");
      const cure = "check the spelling against docs/settings.md, or remove it";
      return { where, problem: `${names} is not a setting`, cure };
    }
    case "invalid_type":
      if (value === undefined) return { where, problem: "is missing", cure: `give it (${issue.expected})` };
      return {
        where,
        problem: `is ${typeName(value)}, not ${issue.expected}`,
        cure: `write a value of type ${issue.expected}`,
      };
    case "invalid_value":
      return {
        where,
        problem: `${shown(value, issue.path)} is not allowed`,
        cure: `use one of ${issue.values.map(String).join(", ")}`,
      };
    case "too_small":
      return {
        where,
        problem: `${shown(value, issue.path)} is too small`,
        cure: `use ${String(issue.minimum)} or more`,
      };
    case "too_big":
      return {
        where,
        problem: `${shown(value, issue.path)} is too large`,
        cure: `use ${String(issue.maximum)} or less`,
      };
    case "invalid_union": {
      if (typeof value === "number") return { where, problem: `${value} is not allowed`, cure: "use 1, 3 or 5" };
      // Of a list: what is wrong in it.
      const [inList] = issue.errors.filter((errors) => errors.some(({ path, code }) => isInList(path, code))).flat();
      if (Array.isArray(value) && inList !== undefined)
        return toProblem({ ...inList, path: [...issue.path, ...inList.path] }, raw);
      return {
        where,
        problem: `${shown(value, issue.path)} is not allowed`,
        cure: where === "hub.servers" ? "give 1, 3 or 5, or a list" : 'use "always" or a duration such as "30s"',
      };
    }
    default:
      return { where, problem: `${shown(value, issue.path)} ${issue.message}`, cure: "see docs/settings.md" };
  }
}
