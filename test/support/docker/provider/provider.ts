import { randomBytes } from "node:crypto";
import { Config, Connection } from "./connection";
import { container } from "./container";
import { network } from "./network";
import { remoteImage } from "./remote-image";
import type { Context, ResourceType } from "./resource-type";
import { Change, Failure, changes, checked, imported, refreshed } from "./schema";
import { Properties, UNKNOWN, Value, isAbsent } from "./values";
import { volume } from "./volume";

/**
 * Replaces, in tests, the official plugin of @pulumi/docker, which is a binary of its own: the same resources with the
 * same rules on a real engine, as far as this project uses them. What it does not know it refuses.
 */

const TYPES: Readonly<Record<string, ResourceType>> = {
  "docker:index/network:Network": network,
  "docker:index/volume:Volume": volume,
  "docker:index/remoteImage:RemoteImage": remoteImage,
  "docker:index/container:Container": container,
};

/** The resource is there, but not as it should be: it is kept in the state, with the reason. */
export class HalfMade extends Error {
  constructor(
    readonly id: string,
    readonly state: Properties,
    reason: string,
  ) {
    super(reason);
  }
}

export interface Diff {
  readonly changes: readonly Change[];
  readonly deleteBeforeReplace: boolean;
}

/** Where the plugin notes which inputs are its own defaults. */
const DEFAULTS = "__defaults";
const AUTONAMED_DIGITS = 7;

export class DockerProvider {
  private connection: Connection | undefined;

  async configure(config: Config): Promise<void> {
    this.connection = await Connection.open(config);
  }

  check(urn: string, before: Properties, given: Properties): { inputs: Properties; failures: Failure[] } {
    const type = typeOf(urn);
    const named = type.isAutonamed && isAbsent(given.name) ? { ...given, name: autoname(urn, before) } : given;
    const { inputs, failures } = checked(type.inputs, named);
    const defaults = Object.keys(inputs).filter((key) => isAbsent(given[key]));
    return { inputs: { ...inputs, [DEFAULTS]: defaults.sort() }, failures };
  }

  diff(urn: string, state: Properties, inputs: Properties, ignored: readonly string[]): Diff {
    const type = typeOf(urn);
    const isIgnored = (key: string) => ignored.some((path) => path.split(/[.[]/)[0] === key);
    const found = changes(type.inputs, state, inputs).filter(({ key }) => !isIgnored(key));
    const replaces = found.some((change) => change.replaces);
    // Two of one name cannot stand side by side; a name that the plugin made up is not given twice.
    const nameIsGiven = type.isAutonamed && !madeUp(inputs).includes("name");
    return { changes: found, deleteBeforeReplace: replaces && (type.alwaysDeleteBeforeReplace || nameIsGiven) };
  }

  /** Errors: HalfMade when something was created all the same. */
  async create(urn: string, inputs: Properties): Promise<{ id: string; state: Properties }> {
    const type = typeOf(urn);
    const context = await this.context();
    const planned = withoutInternals(inputs);
    const made: string[] = [];
    try {
      await type.create(context, inputs, (id) => made.push(id));
    } catch (error) {
      const reason = `creating ${urn}: ${asOne(error)}`;
      if (made[0] === undefined) throw new Error(asOne(error));
      throw new HalfMade(made[0], planned, reason);
    }
    const found = await type.read(context, made[0] ?? "", planned);
    if (found === undefined) throw new Error(`${urn} is gone as soon as it was created`);
    return found;
  }

  /** What a preview knows of a resource that will be created. */
  planned(urn: string, inputs: Properties): Properties {
    const unknown = typeOf(urn).outputs.map((key): [string, Value] => [key, UNKNOWN]);
    return { ...Object.fromEntries(unknown), ...withoutInternals(inputs) };
  }

  async read(urn: string, id: string, state: Properties, inputs: Properties) {
    const type = typeOf(urn);
    const found = await type.read(await this.context(), id, state).catch((error: unknown) => {
      throw new Error(`refreshing ${urn}: ${asOne(error)}`);
    });
    if (found === undefined) return undefined;
    const isImport = Object.keys(state).length === 0;
    const given = isImport
      ? imported(type.inputs, found.state)
      : refreshed(type.inputs, withoutInternals(inputs), found.state);
    const defaults = madeUp(inputs).filter((key) => given[key] === inputs[key]);
    return { ...found, inputs: { ...given, [DEFAULTS]: defaults } };
  }

  async update(urn: string, id: string, state: Properties, inputs: Properties): Promise<Properties> {
    const type = typeOf(urn);
    const after = this.updated(urn, state, inputs);
    try {
      await type.update(await this.context(), id, state, inputs);
    } catch (error) {
      throw new HalfMade(id, after, `updating ${urn}: ${asOne(error)}`);
    }
    return after;
  }

  /** The state after an update; like the plugin, without a look at what the engine made of it. */
  updated(urn: string, state: Properties, inputs: Properties): Properties {
    const fields = Object.entries(typeOf(urn).inputs);
    const dropped = fields.flatMap(([key, field]) => (isAbsent(inputs[key]) && !field.computed ? [key] : []));
    const kept = Object.entries(state).filter(([key]) => !dropped.includes(key));
    return { ...Object.fromEntries(kept), ...withoutInternals(inputs) };
  }

  async delete(urn: string, id: string, state: Properties): Promise<void> {
    try {
      await typeOf(urn).delete(await this.context(), id, state);
    } catch (error) {
      throw new Error(`deleting ${urn}: ${asOne(error)}`);
    }
  }

  private async context(): Promise<Context> {
    const { connection } = this;
    if (connection === undefined) throw new Error("the provider is not configured");
    return { docker: await connection.client(), said: (error) => connection.said(error) };
  }
}

function typeOf(urn: string): ResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = TYPES[token];
  if (type === undefined) throw new Error(`the test replacement of the Docker plugin does not implement ${token}`);
  return type;
}

const withoutInternals = (inputs: Properties): Properties =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));

const madeUp = (inputs: Properties): string[] => {
  const defaults = inputs[DEFAULTS];
  return Array.isArray(defaults) ? defaults.map(String) : [];
};

function autoname(urn: string, before: Properties): Value {
  if (madeUp(before).includes("name") && !isAbsent(before.name)) return before.name;
  const suffix = randomBytes(4).toString("hex").slice(0, AUTONAMED_DIGITS);
  return `${urn.split("::").at(-1)}-${suffix}`;
}

/** As the plugin words even a single error. */
const asOne = (error: unknown): string => `1 error occurred:\n\t* ${(error as Error).message}\n\n`;
