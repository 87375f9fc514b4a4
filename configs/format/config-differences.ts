import { Parsed, parse } from "./parse";
import { maskSeeds } from "../seeds";

/** How a configuration file differs from another one, in words: what a person changed in what this program wrote. */

type Entries = Record<string, Parsed>;

const isMap = (value: Parsed | undefined): value is Entries => typeof value === "object" && !Array.isArray(value);

/** Words whose values are secret, whatever they look like. */
const SECRET = /^(pass(word)?|token|nkey|seed|credentials|creds|key|secret)$/i;

/** Public keys are not secret, and identify users. */
const isPublic = (value: Parsed): boolean => typeof value === "string" && /^[UAN][A-Z2-7]{20,}$/.test(value);

function hidden(value: Parsed, key = ""): Parsed {
  if (Array.isArray(value)) return value.map((item) => hidden(item, key));
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hidden(item, name)]));
  if (SECRET.test(key) && !isPublic(value)) return "(hidden)";
  return typeof value === "string" ? maskSeeds(value.replace(/\/\/[^@/]*@/g, "//")) : value;
}

const text = (value: Parsed | undefined, key: string): string =>
  value === undefined ? "none" : JSON.stringify(hidden(value, key)).replaceAll('"', "");

/** What identifies an entry of a list: a user's name or key; for anything else, its whole content. */
function nameOf(item: Parsed): string | undefined {
  if (!isMap(item)) return undefined;
  const { nkey, user } = item;
  const name = nkey ?? user;
  return typeof name === "string" && (nkey === undefined || isPublic(name)) ? name : undefined;
}

function inList(path: string, key: string, now: Parsed[], before: Parsed[]): string[] {
  const [only, was, ...more] = [...now, ...before];
  const isOneEach = now.length === 1 && before.length === 1 && more.length === 0;
  if (isOneEach && isMap(only) && isMap(was) && (nameOf(only) ?? nameOf(was)) === undefined)
    return inValue(path, key, only, was);
  const named = (items: Parsed[]) => new Map(items.map((item) => [nameOf(item) ?? JSON.stringify(item), item]));
  const [here, there] = [named(now), named(before)];
  return [...new Set([...there.keys(), ...here.keys()])].flatMap((name): string[] => {
    const [is, old] = [here.get(name), there.get(name)];
    if (old === undefined) return [`${path} also has ${text(is, key)}`];
    if (is === undefined) return [`${path} lacks ${text(old, key)}`];
    return inValue(`${path} of ${name}`, key, is, old);
  });
}

function inValue(path: string, key: string, now: Parsed | undefined, before: Parsed | undefined): string[] {
  if (isMap(now) && isMap(before)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) =>
      inValue(path === "" ? name : `${path}.${name}`, name, now[name], before[name]),
    );
  }
  if (Array.isArray(now) && Array.isArray(before)) return inList(path, key, now, before);
  if (JSON.stringify(now) === JSON.stringify(before)) return [];
  return [`${path} is ${text(now, key)}, this program wrote ${text(before, key)}`];
}

/** Each difference between the current text and the one that was written; empty when both mean the same. */
export function configDifferences(now: string, written: string): string[] {
  const before = parse(written);
  try {
    return inValue("", "", parse(now), before);
  } catch {
    return ["nats-server cannot read it"];
  }
}
