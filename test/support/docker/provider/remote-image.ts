import type { ImageInspectInfo } from "dockerode";
import { statusOf } from "./connection";
import type { Context, ResourceType } from "./resource-type";
import { flag, stated, text } from "./values";

export const remoteImage: ResourceType = {
  inputs: {
    name: { type: "string", required: true },
    keepLocally: { type: "boolean", inPlace: true },
    forceRemove: { type: "boolean", inPlace: true },
    pullTriggers: { type: "set", of: { type: "string" } },
    triggers: { type: "map" },
    platform: { type: "string", default: "" },
  },
  outputs: ["imageId", "repoDigest"],
  isAutonamed: false,
  alwaysDeleteBeforeReplace: false,

  async create(context, inputs, made) {
    const name = text(inputs, "name");
    try {
      const { Id } = await findImage(context, name, text(inputs, "platform"));
      made(Id + name);
    } catch (error) {
      throw new Error(`Unable to read Docker image into resource: ${(error as Error).message}`);
    }
  },

  async read(context, _id, before) {
    const name = text(before, "name");
    const found = await localImage(context, name);
    if (found === undefined) return undefined;
    const state = { imageId: found.Id, repoDigest: repoDigest(name, found.RepoDigests) };
    return { id: found.Id + name, state: stated(before, state, this.outputs) };
  },

  async update(context, _id, _before, inputs) {
    await findImage(context, text(inputs, "name"), text(inputs, "platform"));
  },

  async delete(context, _id, state) {
    const { docker, said } = context;
    const name = text(state, "name");
    if (flag(state, "keepLocally") || (await localImage(context, name)) === undefined) return;
    try {
      await docker.getImage(name).remove({ force: flag(state, "forceRemove") });
    } catch (error) {
      throw new Error(`Unable to remove Docker image: ${said(error)}`);
    }
  },
};

async function localImage({ docker, said }: Context, name: string): Promise<ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw new Error(`unable to inspect image ${name}: ${said(error)}`);
  }
}

/** The local image; one that is not there is pulled. */
export async function findImage(context: Context, name: string, platform = ""): Promise<ImageInspectInfo> {
  if (name === "") throw new Error("empty image name is not allowed");
  const local = await localImage(context, name);
  if (local !== undefined) return local;
  try {
    await pull(context, name, platform);
  } catch (error) {
    throw new Error(`unable to pull image ${name}: error pulling image ${name}: ${context.said(error)}`);
  }
  const pulled = await localImage(context, name);
  if (pulled === undefined) throw new Error(`unable to find or pull image ${name}`);
  return pulled;
}

async function pull({ docker }: Context, name: string, platform: string): Promise<void> {
  const hasTag = /[:@][^/]*$/.test(name);
  const fromImage = hasTag ? name : `${name}:latest`;
  const progress = await docker.createImage({ fromImage, ...(platform ? { platform } : {}) });
  // Like the plugin, which does not read what a pull that has begun says in the end.
  for await (const _ of progress);
}

function repoDigest(name: string, digests: readonly string[] = []): string {
  const [repository = ""] = name.split(":");
  const only = digests.length === 1 ? digests[0] : undefined;
  return only ?? digests.find((digest) => digest.startsWith(repository)) ?? digests[0] ?? "";
}
