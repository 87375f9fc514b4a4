import { present } from "../../configs/values";
import { HUB_ACCOUNT, SYSTEM_ACCOUNT } from "../../configs/names";
import { DeployedFleet, DeployedSite, exampleSubject } from "./deployed";

/**
 * The contexts of the `nats` CLI. A context is named after where it logs in: `dev-oslo` at the site oslo, and the role
 * behind a dot, which no site's name has, so that two contexts cannot have one name.
 */

export interface NatsContext {
  name: string;
  /** What it is good for, in a few words. */
  description: string;
  url: string;
  /** The owner of the key that logs in. */
  key: { owner: string; role: string };
  /** The JetStream domain to ask, where it is not the server's own. */
  domain?: string;
}

/** What a context's prefix may be: part of a file's name. */
export const isPrefix = (text: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(text) && !text.includes("..");

/** The stack's own name; a stack of a Pulumi Cloud organisation has that one's name in front. */
export const prefixOf = (stack: string): string => stack.slice(stack.lastIndexOf("/") + 1);

/** @param prefix begins every name. */
export function contextsOf({ hub, sites, streams }: DeployedFleet, prefix: string): NatsContext[] {
  const has = (mode: "perSite" | "merged") => streams.some((stream) => stream.mode === mode);
  const onHub = (name: string, owner: string, role: string, description: string): NatsContext => ({
    name: `${prefix}-${name}`,
    description,
    url: hub.url,
    key: { owner, role },
  });
  const ofSite = ({ name, account, url, reach, expect }: DeployedSite): NatsContext[] => {
    const atSite = (role: string, suffix: string, description: string): NatsContext => ({
      name: `${prefix}-${name}${suffix}`,
      description,
      url,
      key: { owner: name, role },
    });
    const own: NatsContext[] =
      expect === "offline"
        ? []
        : reach === "hub"
          ? [
              {
                ...onHub(`${name}.operator`, name, "operator", `streams at ${name}, through the hub`),
                domain: name,
              },
            ]
          : [
              atSite("application", "", `applications at ${name}`),
              atSite("operator", ".operator", `streams at ${name}`),
            ];
    const reader = onHub(`${name}.hub`, name, "reader", `what the hub collected from ${name}: account ${account}`);
    const operator = onHub(`${name}.hub-operator`, name, "operator", `streams of account ${account} on the hub`);
    return [...own, ...(has("perSite") ? [reader, operator] : [])];
  };
  const merged = [
    onHub(hub.name, hub.name, "reader", `what the hub collected from all sites: account ${HUB_ACCOUNT}`),
    onHub(`${hub.name}.operator`, hub.name, "operator", `streams of account ${HUB_ACCOUNT}`),
  ];
  return [
    ...(has("merged") ? merged : []),
    onHub(`${hub.name}.system`, hub.name, "system", `links and servers: account ${SYSTEM_ACCOUNT} of the hub`),
    ...sites.flatMap(ofSite),
  ];
}

/** What of the fleet has no context here, and why. */
export const withoutContexts = ({ sites }: DeployedFleet): string[] =>
  sites.flatMap(({ name, reach, expect }) => {
    if (expect === "offline") return [`${name} is declared offline: nothing logs in there yet`];
    return reach === "hub" ? [`${name} is reached through the hub: its applications log in on its own machine`] : [];
  });

/** The text of a context's file. @param seedFile the absolute path of the file with the seed. */
export function contextText({ description, url, domain }: NatsContext, stack: string, seedFile: string): string {
  const context = {
    description: `nats-hub-leaf, stack ${stack}: ${description}`,
    url,
    nkey: seedFile,
    ...present({ jetstream_domain: domain }),
  };
  return `${JSON.stringify(context, null, 2)}\n`;
}

/** What to try first: publish at a site, read it at the hub, look at the links. */
export function exampleCommands({ hub, streams }: DeployedFleet, contexts: readonly NatsContext[]): string[] {
  const as = (role: string, owner?: string) =>
    contexts.find(({ key }) => key.role === role && (owner === undefined || key.owner === owner));
  const [application, system, [stream]] = [as("application"), as("system"), streams];
  const links = system === undefined ? [] : [`nats --context ${system.name} server request leafnodes`];
  if (application === undefined || stream === undefined) return links;
  const site = application.key.owner;
  const isMerged = stream.mode === "merged";
  const reader = as("reader", isMerged ? hub.name : site);
  const subject = exampleSubject(stream.subjects[0] ?? ">");
  const collected = isMerged ? `${site}.${subject}` : subject;
  return [
    `nats --context ${application.name} pub ${subject} hello`,
    ...(reader === undefined
      ? []
      : [`nats --context ${reader.name} stream get ${stream.name} --last-for ${collected}`]),
    ...links,
  ];
}
