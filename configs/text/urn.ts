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

/** The type of a package's provider, such as "docker". */
export const providerOf = (name: string): string => `pulumi:providers:${name}`;
export const DOCKER_PROVIDER = providerOf("docker");
export const CONTAINER = "docker:index/container:Container";
export const VOLUME = "docker:index/volume:Volume";
export const NETWORK = "docker:index/network:Network";

/** The URN of a resource's provider, from the reference that a state has to it: `<urn>::<id>`. */
export const providerUrn = (reference: string): string => reference.slice(0, reference.lastIndexOf("::"));

export const STACK_TYPE = "pulumi:pulumi:Stack";

/** The URN of a stack itself, which is the parent of all that has no other. */
export const stackUrn = (stack: string, project: string): string =>
  `urn:pulumi:${stack}::${project}::${STACK_TYPE}::${project}-${stack}`;

/** The URN of a resource below another one. */
export function childUrn(parent: string, type: string, name: string): string {
  const [stack = "", project = "", above = ""] = partsOf(parent);
  return [stack, project, above === STACK_TYPE ? type : `${above}$${type}`, name].join("::");
}
