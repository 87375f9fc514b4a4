/**
 * What is left of settings with mistakes of shape, so that the rules can still judge the rest and all problems are
 * reported at once. Places stay where they are: a site or stream is never dropped, its wrong parts are.
 */

type Path = readonly PropertyKey[];
type Container = Record<PropertyKey, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;

/** Stands for an entry without a usable name; no rule reports it. */
const PLACEHOLDERS: Record<string, (index: number) => Container> = {
  sites: (index) => ({ name: `unnamed-${index}` }),
  streams: (index) => ({ name: `UNNAMED_${index}`, subjects: [`unnamed.${index}`] }),
};

function parentOf(root: Container, path: Path): Container | undefined {
  const parent = path.slice(0, -1).reduce<unknown>((value, key) => (isContainer(value) ? value[key] : undefined), root);
  return isContainer(parent) ? parent : undefined;
}

function dropValue(root: Container, path: Path): void {
  const [list, index, key] = path;
  const placeholder = typeof index === "number" ? PLACEHOLDERS[String(list)]?.(index) : undefined;
  const entries = root[list as PropertyKey];
  if (placeholder !== undefined && isContainer(entries)) {
    if (key === undefined) entries[index as number] = placeholder;
    else if (key in placeholder && isContainer(entries[index as number]))
      (entries[index as number] as Container)[key] = placeholder[key];
    else Reflect.deleteProperty(parentOf(root, path) ?? {}, path.at(-1) ?? "");
  } else Reflect.deleteProperty(parentOf(root, path) ?? {}, path.at(-1) ?? "");
}

/** A copy of `raw` without what the issues of a schema complain of. */
export function salvage(raw: unknown, issues: readonly { path: Path; keys?: readonly string[] }[]): unknown {
  if (!isContainer(raw)) return {};
  const root = structuredClone(raw);
  for (const { path, keys } of issues) {
    if (keys === undefined) dropValue(root, path);
    else for (const key of keys) dropValue(root, [...path, key]);
  }
  return root;
}
