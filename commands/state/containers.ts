import { type Part, SMOKE_TEST, engineResource, resourceName, serverOf } from "../../configs/resources";
import { WATCHER } from "../../configs/watch/watch";
import { CONTAINER, DOCKER_PROVIDER, NETWORK, VOLUME, nameOf, providerUrn, typeOf } from "../../configs/text/urn";
import { EngineAccess, engineName, statusOf, withEngine } from "../../servers/docker/engine";
import { absence } from "../../servers/docker/whereabouts";
import type { Deployment, StateResource as Resource } from "../stack/pending";

// Compares what a state says of Docker with the engines before the CLI runs: containers that were removed by hand, and
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

const accessOf = ({ inputs = {} }: Resource): EngineAccess => ({
  ...(typeof inputs.host === "string" ? { url: inputs.host } : {}),
  ...(typeof inputs.certPath === "string" ? { certificates: inputs.certPath } : {}),
});

const MEBIBYTE = 2 ** 20;

/** What happened to a container since it was created; undefined for nothing, or for what the CLI sees on its own. */
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

/**
 * Looks at every container of the state, on all engines at the same time; engines are reached as the settings `say`, if
 * they do.
 */
export async function lookAtContainers(
  state: Deployment,
  say: (engine: EngineAccess) => EngineAccess | undefined = () => undefined,
): Promise<Containers> {
  const resources = state.deployment?.resources ?? [];
  const providers = resources.filter((resource) => typeOf(resource) === DOCKER_PROVIDER);
  const found = await Promise.all(
    providers.map(async (provider): Promise<Containers> => {
      const deployed = accessOf(provider);
      const engine = say(deployed) ?? deployed;
      const isOnIt = ({ provider: reference = "" }: Resource) => providerUrn(reference) === provider.urn;
      const containers = resources.filter((resource) => typeOf(resource) === CONTAINER && isOnIt(resource));
      const reason = await absence(engine);
      if (reason !== undefined) {
        const servers = containers.flatMap((container) => serverOf(nameOf(container), "container") ?? []);
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

const pattern = (name: string): string => `**::${name}`;

/** What belongs to the servers of an engine and cannot be worked on while it is away, as patterns of URNs. */
export function exclusions({ servers, provider: urn }: Away): string[] {
  const provider = nameOf({ urn });
  const parts: readonly Part[] = ["container", "config", "data", "server", "streams"];
  const names = servers.flatMap((server) => parts.map((part) => resourceName(server, part)));
  const ofEngine = (["network", "image"] as const).map((part) => engineResource(provider, part));
  const watcher = servers.includes(WATCHER) ? [engineResource(provider, "watcher-image"), WATCHER] : [];
  return [provider, ...ofEngine, ...names, ...watcher].map(pattern);
}

/**
 * What an upgrade of one server touches, as patterns of URNs: its engine's image, its container, what starts it, and the
 * proof that its data flows. Nothing of a server that was never deployed.
 */
export function upgradeOf(server: string, state: Deployment): string[] {
  // An interrupted upgrade may have left the server without its container.
  const volume = (state.deployment?.resources ?? []).find(
    (resource) => typeOf(resource) === VOLUME && nameOf(resource) === resourceName(server, "data"),
  );
  if (volume?.provider === undefined) return [];
  const engine = nameOf({ urn: providerUrn(volume.provider) });
  const parts = (["container", "server", "streams"] as const).map((part) => resourceName(server, part));
  return [engineResource(engine, "image"), ...parts, SMOKE_TEST].map(pattern);
}

/**
 * Removes the containers and networks that a killed run created and could not record in the state: their names would
 * block the next ones. Only what carries the stack's label, and nothing that the state has; what a container stored
 * lies in its volume, which is found again. Resolves with their names.
 */
export async function clearInterrupted(state: Deployment, stack: string): Promise<string[]> {
  const { resources, pending_operations: pending } = state.deployment ?? {};
  const providers = new Map((resources ?? []).map((resource) => [resource.urn, resource]));
  const known = new Set((resources ?? []).flatMap(({ id }) => id ?? []));
  const begun = (pending ?? []).flatMap(({ type, resource }) => (type === "creating" ? [resource] : []));
  const cleared = await Promise.all(
    begun.map(async (resource) => {
      const { provider = "", inputs = {} } = resource;
      const owner = providers.get(providerUrn(provider));
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
