import type { ConfigMap, ConfigNode, Position } from "../../configs/format/parse";

/** A value and where it stands. */
export interface Located<T> {
  value: T;
  at: Position;
}

/** A text, or the texts of a list. */
export function textsOf(node: ConfigNode | undefined): Located<string>[] {
  const nodes = Array.isArray(node?.value) ? node.value : node === undefined ? [] : [node];
  return nodes.flatMap(({ value, at }) => (typeof value === "string" ? [{ value, at }] : []));
}

/** A map of a configuration, asked in nats-server's words: any case, and any of the names that it takes for one setting. */
export class Section {
  private readonly entries: ReadonlyMap<string, ConfigNode>;

  constructor(
    map: ConfigMap,
    readonly at: Position,
  ) {
    this.entries = new Map([...map].map(([key, node]) => [key.toLowerCase(), node]));
  }

  static of(node: ConfigNode | undefined): Section | undefined {
    return node?.value instanceof Map ? new Section(node.value, node.at) : undefined;
  }

  /** The names of its entries, in lower case. */
  get names(): string[] {
    return [...this.entries.keys()];
  }

  node(...names: string[]): ConfigNode | undefined {
    return names.map((name) => this.entries.get(name)).find((node) => node !== undefined);
  }

  section = (...names: string[]): Section | undefined => Section.of(this.node(...names));

  text(...names: string[]): Located<string> | undefined {
    const node = this.node(...names);
    return typeof node?.value === "string" ? { value: node.value, at: node.at } : undefined;
  }

  number(...names: string[]): Located<number> | undefined {
    const node = this.node(...names);
    return typeof node?.value === "number" ? { value: node.value, at: node.at } : undefined;
  }

  isOn = (...names: string[]): boolean => this.node(...names)?.value === true;

  /** A text, or the texts of a list. */
  texts = (...names: string[]): Located<string>[] => textsOf(this.node(...names));

  /** The maps of a list. */
  sections(...names: string[]): Section[] {
    const { value } = this.node(...names) ?? {};
    return Array.isArray(value) ? value.flatMap((item) => Section.of(item) ?? []) : [];
  }

  /** Every entry that is a map, with its key as it is written; what only serves as a variable is left out. */
  static named(map: ConfigMap): [string, Section][] {
    return [...map].flatMap(([key, node]) => {
      const section = node.isVariable === true ? undefined : Section.of(node);
      return section === undefined ? [] : [[key, section] as [string, Section]];
    });
  }
}
