/** Pulumi's names of resources: `urn:pulumi:<stack>::<project>::<type of parent>$<type>::<name>`. */

const partsOf = (urn: string): string[] => urn.split("::");

/** The resource's own name, such as `oslo-server`. */
export const nameOf = ({ urn }: { readonly urn: string }): string => partsOf(urn).slice(3).join("::");

/** Its type without that of its parents, such as `docker:index/container:Container`. */
export const typeOf = ({ urn }: { readonly urn: string }): string => partsOf(urn)[2]?.split("$").at(-1) ?? "";

/** Whether it is a dynamic resource of this program, of the kind, such as `Identity`. */
export const isOf =
  (kind: string) =>
  (resource: { readonly urn: string }): boolean =>
    typeOf(resource) === `pulumi-nodejs:dynamic/nats:${kind}`;

export const DOCKER_PROVIDER = "pulumi:providers:docker";
export const CONTAINER = "docker:index/container:Container";
export const VOLUME = "docker:index/volume:Volume";
export const NETWORK = "docker:index/network:Network";

/** The URN of a resource's provider, from the reference that a state has to it: `<urn>::<id>`. */
export const providerUrn = (reference: string): string => reference.slice(0, reference.lastIndexOf("::"));
