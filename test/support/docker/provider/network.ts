import type { NetworkInspectInfo } from "dockerode";
import type { ResourceType } from "./resource-type";
import { untilRemoved } from "./retry";
import type { Field } from "./schema";
import { flag, labelMap, labelsOf, objects, stated, text, textMap } from "./values";

export const LABELS: Field = {
  type: "set",
  of: {
    type: "object",
    fields: { label: { type: "string", required: true }, value: { type: "string", required: true } },
  },
};

export const network: ResourceType = {
  inputs: {
    name: { type: "string" },
    labels: LABELS,
    driver: { type: "string", computed: true },
    options: { type: "map", computed: true },
    internal: { type: "boolean", computed: true },
    attachable: { type: "boolean" },
    ipv6: { type: "boolean" },
    ipamDriver: { type: "string", default: "default" },
    ipamOptions: { type: "map" },
    ipamConfigs: {
      type: "set",
      computed: true,
      of: {
        type: "object",
        fields: {
          subnet: { type: "string" },
          ipRange: { type: "string" },
          gateway: { type: "string" },
          auxAddress: { type: "map" },
        },
      },
    },
  },
  outputs: ["driver", "internal", "ipamConfigs", "options", "scope"],
  isAutonamed: true,
  alwaysDeleteBeforeReplace: false,

  async create({ docker, said }, inputs, made) {
    const ipamConfigs = objects(inputs, "ipamConfigs").map((config) => ({
      Subnet: text(config, "subnet"),
      IPRange: text(config, "ipRange"),
      Gateway: text(config, "gateway"),
      AuxiliaryAddresses: textMap(config, "auxAddress"),
    }));
    try {
      const { id } = await docker.createNetwork({
        Name: text(inputs, "name"),
        // Engines before API 1.44 look only when asked; the plugin's client asks.
        CheckDuplicate: true,
        Labels: labelMap(inputs),
        Driver: text(inputs, "driver") || "bridge",
        Options: textMap(inputs, "options"),
        Internal: flag(inputs, "internal"),
        Attachable: flag(inputs, "attachable"),
        EnableIPv6: flag(inputs, "ipv6"),
        IPAM: { Driver: text(inputs, "ipamDriver"), Options: textMap(inputs, "ipamOptions"), Config: ipamConfigs },
      });
      made(id);
    } catch (error) {
      throw new Error(`Unable to create network: ${said(error)}`);
    }
  },

  async read({ docker }, id, before) {
    const found = await docker
      .getNetwork(id)
      .inspect()
      // The plugin takes any error for "it is gone".
      .catch(() => undefined);
    return found === undefined ? undefined : { id: found.Id, state: stated(before, stateOf(found), this.outputs) };
  },

  update: () => Promise.resolve(),

  async delete({ docker, said }, id) {
    const target = docker.getNetwork(id);
    await untilRemoved(async () => {
      try {
        await target.inspect();
      } catch {
        return "removed";
      }
      try {
        await target.remove();
        return "removed";
      } catch (error) {
        if (/has active endpoints/i.test(said(error))) return "pending";
        throw new Error(said(error));
      }
    });
  },
};

const stateOf = (found: NetworkInspectInfo) => ({
  name: found.Name,
  labels: labelsOf(found.Labels),
  driver: found.Driver,
  options: found.Options ?? {},
  internal: found.Internal,
  attachable: found.Attachable,
  ingress: found.Ingress,
  ipv6: found.EnableIPv6,
  ipamDriver: found.IPAM?.Driver,
  ipamOptions: found.IPAM?.Options ?? {},
  ipamConfigs: (found.IPAM?.Config ?? []).map((config) => ({
    ...(config.Subnet ? { subnet: config.Subnet } : {}),
    ...(config.IPRange ? { ipRange: config.IPRange } : {}),
    ...(config.Gateway ? { gateway: config.Gateway } : {}),
  })),
  scope: found.Scope,
});
