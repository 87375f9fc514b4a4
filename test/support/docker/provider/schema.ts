import { Properties, UNKNOWN, Value, hasUnknown, isAbsent, isObject, isZero } from "./values";

/**
 * The part of Terraform's schemas that decides what a change does. The official plugin compares the state as it was last
 * read with the program's inputs, field by field, under these rules; which is how a container can differ for ever.
 */

interface Rules {
  readonly required?: true;
  /** The engine fills it in: not given by the program, it is no change. */
  readonly computed?: true;
  /** A change is made in place; that of any other field replaces the resource. */
  readonly inPlace?: true;
  /** An empty text counts as not given. */
  readonly emptyIsAbsent?: true;
  readonly default?: Value;
  readonly pattern?: RegExp;
}

export type Fields = Readonly<Record<string, Field>>;
export type Field = Rules &
  (
    | { readonly type: "string" | "number" | "boolean" | "map" }
    /** A set is a list in any order. */
    | { readonly type: "list" | "set"; readonly of: Field }
    | { readonly type: "object"; readonly fields: Fields }
  );

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** The inputs with their defaults, and all that is wrong with them. */
export function checked(fields: Fields, given: Properties): { inputs: Properties; failures: Failure[] } {
  const failures = wrongIn(fields, given, "");
  return { inputs: withDefaults(fields, given), failures };
}

function withDefaults(fields: Fields, given: Properties): Properties {
  const inputs = Object.entries(given).flatMap(([key, value]): [string, Value][] => {
    const field = fields[key];
    return value === null ? [] : [[key, field === undefined ? value : filled(field, value)]];
  });
  const missing = Object.entries(fields).flatMap(([key, field]): [string, Value][] =>
    field.default !== undefined && isAbsent(given[key]) ? [[key, field.default]] : [],
  );
  return Object.fromEntries([...inputs, ...missing]);
}

function filled(field: Field, value: Value): Value {
  if (field.type === "object" && isObject(value)) return withDefaults(field.fields, value);
  if ((field.type === "list" || field.type === "set") && Array.isArray(value)) {
    return value.map((item) => filled(field.of, item));
  }
  return value;
}

function wrongIn(fields: Fields, given: Properties, path: string): Failure[] {
  const unknown = Object.keys(given).filter((key) => fields[key] === undefined && !key.startsWith("__"));
  return [
    ...unknown.map((key) => ({
      property: path + key,
      reason: `unexpected input '${path}${key}': the plugin has none of this name, or its test replacement does not implement it`,
    })),
    ...Object.entries(fields).flatMap(([key, field]) => wrong(field, given[key], path + key)),
  ];
}

function wrong(field: Field, value: Value | undefined, path: string): Failure[] {
  const because = (reason: string): Failure[] => [{ property: path, reason: `${path}: ${reason}` }];
  if (value === UNKNOWN) return [];
  if (isAbsent(value)) return field.required ? because("missing required argument") : [];
  switch (field.type) {
    case "string":
    case "number":
    case "boolean":
      if (typeof value === "object" || typeof value !== field.type)
        return because(`expected a ${field.type}, got ${JSON.stringify(value)}`);
      if (field.pattern && !field.pattern.test(value.toString())) {
        return because(`"${value.toString()}" doesn't match the pattern ${field.pattern.source}`);
      }
      return [];
    case "map":
      return isObject(value) ? [] : because(`expected a map, got ${JSON.stringify(value)}`);
    case "object":
      return isObject(value) ? wrongIn(field.fields, value, `${path}.`) : because("expected an object");
    case "list":
    case "set":
      if (!Array.isArray(value)) return because(`expected a list, got ${JSON.stringify(value)}`);
      return value.flatMap((item, i) => wrong(field.of, item, `${path}[${i}]`));
  }
}

export interface Change {
  readonly key: string;
  readonly kind: "add" | "update" | "delete";
  readonly replaces: boolean;
}

/** What the inputs change of a resource in this state. */
export function changes(fields: Fields, state: Properties, inputs: Properties): Change[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const [before, after] = [state[key], inputs[key]];
    if (same(field, before, after)) return [];
    const kind = isZero(before) ? "add" : isAbsent(after) ? "delete" : "update";
    return [{ key, kind, replaces: field.inPlace !== true }];
  });
}

/** Whether the input asks for what the state has. */
export function same(field: Field, state: Value | undefined, given: Value | undefined): boolean {
  if (hasUnknown(given)) return false;
  const input = isAbsent(given) || (field.emptyIsAbsent && given === "") ? field.default : given;
  if (isAbsent(input)) return field.computed === true || field.emptyIsAbsent === true || isZero(state);
  switch (field.type) {
    case "string":
    case "number":
    case "boolean":
      return input === state || (isZero(input) && isZero(state));
    case "map":
      return sameMap(state, input);
    case "object": {
      const [before, after] = [isObject(state) ? state : {}, isObject(input) ? input : {}];
      return Object.entries(field.fields).every(([key, inner]) => same(inner, before[key], after[key]));
    }
    case "list":
      return sameList(field.of, asList(state), asList(input));
    case "set":
      return sameSet(field.of, asList(state), asList(input));
  }
}

const asList = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

const sameList = (of: Field, state: Value[], input: Value[]): boolean =>
  state.length === input.length && input.every((item, i) => same(of, state[i], item));

function sameSet(of: Field, state: Value[], input: Value[]): boolean {
  if (state.length !== input.length) return false;
  const left = [...state];
  return input.every((item) => {
    const found = left.findIndex((candidate) => same(of, candidate, item));
    if (found >= 0) left.splice(found, 1);
    return found >= 0;
  });
}

function sameMap(state: Value | undefined, input: Value): boolean {
  const [before, after] = [isObject(state) ? state : {}, isObject(input) ? input : {}];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].every((key) => before[key] === after[key]);
}

/** The inputs as a refresh leaves them: what the program gave, where the state differs from it as the state has it. */
export function refreshed(fields: Fields, inputs: Properties, state: Properties): Properties {
  const kept = Object.entries(inputs).flatMap(([key, given]): [string, Value][] => {
    const field = fields[key];
    const found = state[key];
    if (field === undefined || same(field, found, given)) return [[key, given]];
    return isAbsent(found) ? [] : [[key, found]];
  });
  return Object.fromEntries(kept);
}

/** The inputs that a program would need for a resource in this state; for an import. */
export function imported(fields: Fields, state: Properties): Properties {
  const needed = Object.entries(fields).flatMap(([key, field]): [string, Value][] => {
    const found = state[key];
    const isGiven = !isAbsent(found) && (field.required || !(isZero(found) || found === field.default));
    return isGiven ? [[key, found]] : [];
  });
  return Object.fromEntries(needed);
}
