import { createUser } from "@nats-io/nkeys";
import { allocatePort, releasePort } from "../machine/ports";
import { makeFolder, removeOfStack } from "../machine/folders";
import { changed } from "../configs/values";
import { publicKeyOf } from "../servers/nats/authenticator";

/** The nkeys and the ports of one server: made once, then kept. */

export interface IdentityInputs {
  /** The server's name. */
  owner: string;
  /** The server's folder; its ports are reserved for it. */
  folder: string;
  /** The folder of all the program's files, removed when it becomes empty. */
  root: string;
  /** The keys to make, such as "link". */
  roles: string[];
  /** Ports to use, by listener; 0 has one allocated. */
  ports: Record<string, number>;
  /** A change makes a new "link" key. */
  rotation: number;
  /** Seeds to use instead of making them, by role. Secret. */
  given: Record<string, string>;
}

export interface IdentityOutputs extends IdentityInputs {
  /** Public keys by role. */
  keys: Record<string, string>;
  /** Seeds by role. Secret. */
  seeds: Record<string, string>;
  /** The ports in use, by listener. */
  allocated: Record<string, number>;
}

const textOf = (seed: Uint8Array): string => new TextDecoder().decode(seed);

async function makeIdentity(inputs: IdentityInputs, old?: IdentityOutputs): Promise<IdentityOutputs> {
  makeFolder(inputs.folder);
  const rotated = old !== undefined && old.rotation !== inputs.rotation;
  const seeds: Record<string, string> = {};
  for (const role of inputs.roles) {
    // A given key that is no longer given is replaced by a generated one: the operator took it back.
    const kept = (rotated && role === "link") || old?.given[role] !== undefined ? undefined : old?.seeds[role];
    seeds[role] = inputs.given[role] ?? kept ?? textOf(createUser().getSeed());
  }
  const allocated: Record<string, number> = {};
  for (const [listener, port] of Object.entries(inputs.ports)) {
    const before = old?.ports[listener] === 0 ? old.allocated[listener] : undefined;
    if (port !== 0 && before !== undefined) releasePort(before, inputs.folder);
    allocated[listener] = port !== 0 ? port : (before ?? (await allocatePort(inputs.folder)));
  }
  for (const [listener, port] of Object.entries(old?.allocated ?? {}))
    if (!(listener in inputs.ports)) releasePort(port, inputs.folder);
  const keys = Object.fromEntries(Object.entries(seeds).map(([role, seed]) => [role, publicKeyOf(seed)]));
  return { ...inputs, keys, seeds, allocated };
}

export async function create(inputs: IdentityInputs) {
  return { id: inputs.owner, outs: await makeIdentity(inputs) };
}

export async function diff(_id: string, olds: IdentityOutputs, news: IdentityInputs) {
  const changes = (["roles", "ports", "rotation", "given", "folder"] as const).some((key) =>
    changed(news[key], olds[key]),
  );
  return { changes };
}

export async function update(_id: string, olds: IdentityOutputs, news: IdentityInputs) {
  return { outs: await makeIdentity(news, olds) };
}

export async function remove(_id: string, { allocated, folder, root }: IdentityOutputs): Promise<void> {
  for (const port of Object.values(allocated)) releasePort(port, folder);
  // With the root when nothing else is there: the fleet's check, which has it, may never have passed.
  removeOfStack(folder, root);
}

export { remove as delete };
