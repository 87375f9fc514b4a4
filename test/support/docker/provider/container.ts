import { createOptions, resources, restartPolicy } from "./container-create";
import { CONTAINER_OUTPUTS, containerInputs } from "./container-inputs";
import { containerState, graceSeconds, wasStopped } from "./container-state";
import { findImage } from "./remote-image";
import type { Context, ResourceType } from "./resource-type";
import { same } from "./schema";
import { Properties, flag, objects, text, texts } from "./values";

/** Changes of these reach the engine; every other change in place is one of the state alone. */
const UPDATED = ["restart", "maxRetryCount", "cpuShares", "memory", "memoryReservation", "cpuSet", "memorySwap"];

export const container: ResourceType = {
  inputs: containerInputs,
  outputs: CONTAINER_OUTPUTS,
  isAutonamed: true,
  alwaysDeleteBeforeReplace: true,

  async create(context, inputs, made) {
    const { docker, said } = context;
    const image = text(inputs, "image");
    await findImage(context, image).catch((error: unknown) => {
      throw new Error(`Unable to create container with image ${image}: ${(error as Error).message}`);
    });
    const options = createOptions(inputs);
    const { id } = await docker.createContainer(options).catch((error: unknown) => {
      throw new Error(`Unable to create container: ${said(error)}`);
    });
    made(id);
    await attach(context, id, objects(inputs, "networksAdvanced"));
    if (!flag(inputs, "start")) return;
    await start(context, id);
  },

  async read({ docker, said }, id, before) {
    try {
      // Not by id: an error then could mean anything.
      const all = await docker.listContainers({ all: true });
      if (!all.some(({ Id }) => Id === id)) return undefined;
      const found = await docker.getContainer(id).inspect();
      return { id: found.Id, state: containerState(before, found) };
    } catch (error) {
      throw new Error(said(error));
    }
  },

  async update(context, id, before, inputs) {
    const { docker, said } = context;
    if (wasStopped(before, inputs)) await start(context, id);
    const isChanged = (key: string) => {
      const field = containerInputs[key];
      return field !== undefined && !same(field, before[key], inputs[key]);
    };
    if (!UPDATED.some(isChanged)) return;
    try {
      await docker.getContainer(id).update({ ...resources(inputs), RestartPolicy: restartPolicy(inputs) });
    } catch (error) {
      throw new Error(`Unable to update a container: ${said(error)}`);
    }
  },

  async delete({ docker, said }, id, state) {
    const target = docker.getContainer(id);
    const unless = (what: string, ignored: RegExp) => (error: unknown) => {
      if (!ignored.test(said(error))) throw new Error(`${what} ${id}: ${said(error)}`);
    };
    await target.stop({ t: graceSeconds(state) }).catch((error: unknown) => {
      // 304: it is stopped already.
      if ((error as { statusCode?: number }).statusCode === 304) return;
      unless("Error stopping container", /No such container/i)(error);
    });
    await target
      .remove({ v: flag(state, "removeVolumes"), force: true })
      .catch(unless("Error deleting container", /No such container|is already in progress/i));
    const condition = flag(state, "rm") ? "removed" : "not-running";
    await target
      .wait({ condition })
      .catch(unless("Error waiting for container removal", /No such container|is already in progress/i));
  },
};

async function start({ docker, said }: Context, id: string): Promise<void> {
  try {
    await docker.getContainer(id).start();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 304) return;
    throw new Error(`Unable to start container: ${said(error)}`);
  }
}

/** In place of the network that it was created with. */
async function attach({ docker, said }: Context, id: string, networks: Properties[]): Promise<void> {
  if (networks.length === 0) return;
  try {
    await docker.getNetwork("bridge").disconnect({ Container: id });
  } catch (error) {
    if (!/is not connected to the network bridge/i.test(said(error))) {
      throw new Error(`Unable to disconnect the default network: ${said(error)}`);
    }
  }
  for (const network of networks) {
    const name = text(network, "name");
    const address = text(network, "ipv4Address");
    const EndpointConfig = {
      Aliases: texts(network, "aliases"),
      IPAMConfig: address === "" ? {} : { IPv4Address: address },
    };
    try {
      await docker.getNetwork(name).connect({ Container: id, EndpointConfig });
    } catch (error) {
      throw new Error(`Unable to connect to network '${name}': ${said(error)}`);
    }
  }
}
