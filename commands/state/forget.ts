import { type Part, isPartOf, resourceName } from "../../configs/resources";
import { hubServers, routesLeave } from "../../configs/placement";
import { Settings } from "../../configs/settings";
import { WATCHER } from "../../configs/watch/watch";
import { CONTAINER, isOf, nameOf, providerUrn, typeOf } from "../../configs/text/urn";
import { mayDiscard } from "../../fleet/sourcing/discard";
import { lookAtContainers } from "./containers";
import type { Deployment } from "../stack/pending";
import { Refusal } from "../../machine/refusal";

// `make forget SITE=x`: the state lets go of what a lost machine had, so that `make up` can take the site out of the
// fleet. Nothing else could: every deletion would ask the machine.

/** What a state says of a server's own machine. */
const ON_ITS_MACHINE: readonly Part[] = ["container", "config", "data", "server"];

type Resources = NonNullable<NonNullable<Deployment["deployment"]>["resources"]>;

/** Errors: a Refusal while the site is declared, reachable or unknown, or its loss is not allowed. */
export async function refuseForgetting(state: Deployment, site: string, declared: readonly string[]): Promise<void> {
  const cannot = (why: string) => new Refusal(`site ${site} cannot be forgotten: ${why}`);
  if (declared.includes(site)) throw cannot("the settings still have it; take it out of 'sites' first");
  const { away } = await lookAtContainers(state);
  if (!away.some(({ servers }) => servers.includes(site))) {
    const isThere = (state.deployment?.resources ?? []).some(
      (resource) => nameOf(resource) === resourceName(site, "link"),
    );
    throw cannot(
      isThere ? "its machine answers; remove the site with 'make up'" : "the stack has no such site in Docker",
    );
  }
  if (!mayDiscard(site)) {
    throw cannot(`what it has not delivered would be lost with it; allow that with DISCARD=${site}`);
  }
}

/** The state without what the site's machine had, and without references to it. */
export function withoutMachineOf<T extends Deployment>(state: T, site: string): T {
  const resources: Resources = state.deployment?.resources ?? [];
  const partsOf = (server: string) => resources.filter((one) => isPartOf(nameOf(one), server, ON_ITS_MACHINE));
  const providerOf = (server: string) =>
    resources.find((resource) => nameOf(resource) === resourceName(server, "container"))?.provider;
  const provider = providerOf(site);
  // A watcher on that machine is lost with it, and nobody asks for it by name.
  const withWatcher = provider !== undefined && providerOf(WATCHER) === provider;
  const watcher = withWatcher ? [...partsOf(WATCHER), ...resources.filter(isOf("Watcher"))] : [];
  const lost = [...partsOf(site), ...watcher];
  const shared = resources.filter((resource) => resource.provider === provider && !lost.includes(resource));
  const isAlone = provider !== undefined && !shared.some((resource) => typeOf(resource) === CONTAINER);
  const isProvider = ({ urn }: { urn: string }) => provider !== undefined && providerUrn(provider) === urn;
  const gone = new Set(
    [...lost, ...(isAlone ? [...shared, ...resources.filter(isProvider)] : [])].map(({ urn }) => urn),
  );
  const kept = resources.filter(({ urn }) => !gone.has(urn)).map((resource) => withoutReferences(resource, gone));
  return { ...state, deployment: { ...state.deployment, resources: kept } };
}

interface References {
  dependencies?: string[];
  propertyDependencies?: Record<string, string[] | null>;
}

function withoutReferences<R extends Resources[number]>(resource: R, gone: ReadonlySet<string>): R {
  const { dependencies, propertyDependencies } = resource as R & References;
  const rest = (urns: string[] | null) => (urns ?? []).filter((urn) => !gone.has(urn));
  return {
    ...resource,
    ...(dependencies === undefined ? {} : { dependencies: rest(dependencies) }),
    ...(propertyDependencies === undefined
      ? {}
      : {
          propertyDependencies: Object.fromEntries(
            Object.entries(propertyDependencies).map(([key, urns]) => [key, rest(urns)]),
          ),
        }),
  };
}

/** Servers of the hub that the settings have on another engine than the state, while that one cannot be reached. */
export async function lostOfHub(state: Deployment, settings: Settings): Promise<string[]> {
  if (!routesLeave(settings)) return [];
  const resources: Resources = state.deployment?.resources ?? [];
  const hostOf = (provider = ""): unknown => resources.find(({ urn }) => urn === providerUrn(provider))?.inputs?.host;
  const moved = hubServers(settings.hub).filter(({ name, engine }) => {
    const container = resources.find((resource) => nameOf(resource) === resourceName(name, "container"));
    return container !== undefined && hostOf(container.provider) !== engine;
  });
  if (moved.length === 0) return [];
  const { away } = await lookAtContainers(state);
  return moved.flatMap(({ name }) => (away.some(({ servers }) => servers.includes(name)) ? [name] : []));
}
