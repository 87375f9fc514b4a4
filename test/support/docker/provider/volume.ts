import { LABELS } from "./network";
import type { ResourceType } from "./resource-type";
import { statusOf } from "./connection";
import { untilRemoved } from "./retry";
import { labelMap, labelsOf, stated, text, textMap } from "./values";

export const volume: ResourceType = {
  inputs: {
    name: { type: "string", computed: true },
    labels: LABELS,
    driver: { type: "string", computed: true },
    driverOpts: { type: "map" },
  },
  outputs: ["driver", "mountpoint"],
  isAutonamed: true,
  alwaysDeleteBeforeReplace: false,

  async create({ docker, said }, inputs, made) {
    try {
      // The engine takes a volume that is there already for the one that is wanted.
      const { name } = await docker.createVolume({
        Name: text(inputs, "name"),
        Labels: labelMap(inputs),
        Driver: text(inputs, "driver") || "local",
        DriverOpts: textMap(inputs, "driverOpts"),
      });
      made(name);
    } catch (error) {
      throw new Error(`Unable to create volume: ${said(error)}`);
    }
  },

  async read({ docker, said }, id, before) {
    try {
      const found = await docker.getVolume(id).inspect();
      const state = {
        name: found.Name,
        labels: labelsOf(found.Labels),
        driver: found.Driver,
        driverOpts: found.Options ?? {},
        mountpoint: found.Mountpoint,
      };
      return { id: found.Name, state: stated(before, state, this.outputs) };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw new Error(`Unable to inspect volume: ${said(error)}`);
    }
  },

  update: () => Promise.resolve(),

  async delete({ docker, said }, id) {
    await untilRemoved(async () => {
      try {
        await docker.getVolume(id).remove({ force: true });
        return "removed";
      } catch (error) {
        if (/volume is in use/i.test(said(error))) return "in_use";
        throw new Error(said(error));
      }
    });
  },
};
