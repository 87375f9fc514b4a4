import { EngineAccess, engineName, statusOf, withEngine } from "../../servers/docker/engine";
import { absence } from "../../servers/docker/whereabouts";
import type { Deployment, StateResource as Resource } from "../stack/pending";

// What a state says of Docker, held against the engines before the CLI runs: containers that somebody removed, and
// engines that are away. The CLI itself sees the first only after a refresh, and fails as a whole at the second.

/** An engine that cannot be reached. */
export interface Away {
  readonly name: string;
  readonly reason: string;
  /** The servers that it runs. */
  readonly servers: string[];
  /** URN of its Pulumi provider. */
  readonly provider: string;
}

export interface Containers {
  /** URNs of containers that are not there any more. */
  readonly removed: string[];
  /** URNs of containers whose limits or restart policy are not those that they were made with. */
  readonly changed: string[];
  readonly away: Away[];
}

const PROVIDER = "pulumi:providers:docker";
const CONTAINER = "docker:index/container:Container";
/** How the resource of a server's container is named. */
const CONTAINER_SUFFIX = "-container";

const typeOf = ({ urn }: Resource): string => (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
const nameOf = ({ urn }: Resource): string => urn.split("::").slice(3).join("::");

const accessOf = ({ inputs = {} }: Resource): EngineAccess => ({
  ...(typeof inputs.host === "string" ? { url: inputs.host } : {}),
  ...(typeof inputs.certPath === "string" ? { certificates: inputs.certPath } : {}),
});

const MEBIBYTE = 2 ** 20;

/** What became of a container since it was made; undefined when nothing did that the CLI would not see by itself. */
async function fateOf(
  engine: EngineAccess,
  { id = "", inputs = {} }: Resource,
): Promise<"removed" | "changed" | undefined> {
  try {
    const { HostConfig: now } = await withEngine(engine, (docker) => docker.getContainer(id).inspect());
    // An engine that does not account for memory or swap reports 0 or -1, whatever it was told.
    const isLimit = (found: number | undefined, megabytes: unknown) =>
      found === undefined || found <= 0 || found === Number(megabytes) * MEBIBYTE;
    const isAsMade =
      isLimit(now.Memory, inputs.memory) &&
      isLimit(now.MemorySwap, inputs.memorySwap) &&
      now.NanoCpus === Math.round(Number(inputs.cpus) * 1e9) &&
      now.RestartPolicy?.Name === inputs.restart;
    return isAsMade ? undefined : "changed";
  } catch (error) {
    return statusOf(error) === 404 ? "removed" : undefined;
  }
}

/** Looks at every container of the state; at once for all engines, reached as the settings `say` where they do. */
export async function lookAtContainers(
  state: Deployment,
  say: (engine: EngineAccess) => EngineAccess | undefined = () => undefined,
): Promise<Containers> {
  const resources = state.deployment?.resources ?? [];
  const providers = resources.filter((resource) => typeOf(resource) === PROVIDER);
  const found = await Promise.all(
    providers.map(async (provider): Promise<Containers> => {
      const deployed = accessOf(provider);
      const engine = say(deployed) ?? deployed;
      const isOnIt = ({ provider: reference = "" }: Resource) => reference.startsWith(`${provider.urn}::`);
      const containers = resources.filter((resource) => typeOf(resource) === CONTAINER && isOnIt(resource));
      const reason = await absence(engine);
      if (reason !== undefined) {
        const servers = containers.map((container) => nameOf(container).slice(0, -CONTAINER_SUFFIX.length));
        return {
          removed: [],
          changed: [],
          away: [{ name: engineName(engine), reason, servers, provider: provider.urn }],
        };
      }
      const fates = await Promise.all(containers.map((container) => fateOf(engine, container)));
      const of = (fate: string) => containers.filter((_, i) => fates[i] === fate).map(({ urn }) => urn);
      return { removed: of("removed"), changed: of("changed"), away: [] };
    }),
  );
  return {
    removed: found.flatMap(({ removed }) => removed),
    changed: found.flatMap(({ changed }) => changed),
    away: found.flatMap(({ away }) => away),
  };
}

/** What belongs to the servers of an engine and cannot be worked on while it is away, as patterns of URNs. */
export const exclusions = ({ servers, provider }: Away): string[] => [
  `**::${provider.split("::").at(-1) ?? ""}`,
  `**::${provider.split("::").at(-1) ?? ""}-network`,
  `**::${provider.split("::").at(-1) ?? ""}-image`,
  ...servers.flatMap((server) =>
    ["container", "config", "data", "server", "streams"].map((part) => `**::${server}-${part}`),
  ),
];

const VOLUME = "docker:index/volume:Volume";

/**
 * What an upgrade of one server touches, as patterns of URNs: its engine's image, its container, what starts it, and the
 * proof that its data flows. Nothing of a server that was never deployed.
 */
export function upgradeOf(server: string, state: Deployment): string[] {
  // An interrupted upgrade may have left the server without its container.
  const volume = (state.deployment?.resources ?? []).find(
    (resource) => typeOf(resource) === VOLUME && nameOf(resource) === `${server}-data`,
  );
  const engine = volume?.provider?.split("::").at(-2);
  if (engine === undefined) return [];
  return [`${engine}-image`, `${server}-container`, `${server}-server`, `${server}-streams`, "smoke-test"].map(
    (name) => `**::${name}`,
  );
}

const NETWORK = "docker:index/network:Network";

/**
 * Removes the containers and networks that a killed run made and could not write into the state any more: their names
 * would stand in the way of the next ones. Only what carries the stack's label, and nothing that the state has; what a
 * container stored lies in its volume, which is found again. Resolves with their names.
 */
export async function clearInterrupted(state: Deployment, stack: string): Promise<string[]> {
  const { resources, pending_operations: pending } = state.deployment ?? {};
  const providers = new Map((resources ?? []).map((resource) => [resource.urn, resource]));
  const known = new Set((resources ?? []).flatMap(({ id }) => id ?? []));
  const begun = (pending ?? []).flatMap(({ type, resource }) => (type === "creating" ? [resource] : []));
  const cleared = await Promise.all(
    begun.map(async (resource) => {
      const { provider = "", inputs = {} } = resource;
      const owner = providers.get(provider.slice(0, provider.lastIndexOf("::")));
      if (owner === undefined || typeof inputs.name !== "string") return [];
      const isOurs = (labels: Record<string, string> | undefined) => labels?.["nats-hub-leaf.stack"] === stack;
      const { name } = inputs;
      return withEngine(accessOf(owner), async (docker) => {
        if (typeOf(resource) === CONTAINER) {
          const found = await docker.getContainer(name).inspect();
          if (known.has(found.Id) || !isOurs(found.Config.Labels)) return [];
          await docker.getContainer(found.Id).remove({ force: true });
          return [name];
        }
        if (typeOf(resource) !== NETWORK) return [];
        const found = (await docker.getNetwork(name).inspect()) as { Id: string; Labels?: Record<string, string> };
        if (known.has(found.Id) || !isOurs(found.Labels)) return [];
        await docker.getNetwork(found.Id).remove();
        return [name];
      }).catch(() => []); // Nothing of that name is there, or its engine is away.
    }),
  );
  return cleared.flat();
}
