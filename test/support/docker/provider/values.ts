/** What the inputs and outputs of a resource are made of: JSON. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

/** What the engine puts, in a preview, in place of a value that is known only after the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const hasUnknown = (value: Value | undefined): boolean =>
  value === UNKNOWN || children(value).some((child) => hasUnknown(child));

const children = (value: Value | undefined): Value[] =>
  typeof value === "object" && value !== null ? Object.values(value) : [];

export const isAbsent = (value: Value | undefined): value is null | undefined => value === undefined || value === null;

/** Terraform, which the official plugin wraps, does not tell these from what was never given. */
export const isZero = (value: Value | undefined): boolean =>
  isAbsent(value) ||
  value === "" ||
  value === 0 ||
  value === false ||
  (typeof value === "object" && Object.keys(value).length === 0);

export const isObject = (value: Value | undefined): value is Record<string, Value> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// --- typed looks at checked inputs

export const text = (of: Properties, key: string): string => (typeof of[key] === "string" ? of[key] : "");
export const count = (of: Properties, key: string): number => (typeof of[key] === "number" ? of[key] : 0);
export const flag = (of: Properties, key: string): boolean => of[key] === true;
export const object = (of: Properties, key: string): Properties => (isObject(of[key]) ? of[key] : {});

export const list = (of: Properties, key: string): Value[] => {
  const value = of[key];
  return Array.isArray(value) ? value : [];
};
export const texts = (of: Properties, key: string): string[] => list(of, key).map(String);
export const objects = (of: Properties, key: string): Properties[] => list(of, key).filter(isObject);
export const textMap = (of: Properties, key: string): Record<string, string> => {
  const map = object(of, key);
  return Object.fromEntries(Object.keys(map).map((name) => [name, text(map, name)]));
};

/** `[{ label, value }]`, as the plugin has labels, from the engine's map, and back. */
export const labelsOf = (map: Readonly<Record<string, string>> | null | undefined): Properties[] =>
  Object.entries(map ?? {}).map(([label, value]) => ({ label, value }));
export const labelMap = (of: Properties): Record<string, string> =>
  Object.fromEntries(objects(of, "labels").map((label) => [text(label, "label"), text(label, "value")]));

/** Without what is undefined, and, of what is empty, without what `before` did not have either. */
export function stated(before: Properties, found: Record<string, Value | undefined>, always: readonly string[]) {
  const state: Properties = { ...before };
  for (const [key, value] of Object.entries(found)) {
    if (value === undefined) continue;
    if (!isZero(value) || before[key] !== undefined || always.includes(key)) state[key] = value;
  }
  return state;
}
