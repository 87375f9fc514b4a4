import { collectingAccount } from "../../configs/names";
import type { StreamSettings } from "../../configs/settings";
import type { Observed } from "../../fleet/observation/observed";
import { atHub } from "../../fleet/sourcing/collected";
import { messageOf, Refusal } from "../../machine/refusal";
import { shared } from "../../servers/nats/connection";
import type { JetStream } from "../../servers/nats/jetstream";

// The hub's declared streams, each once: a merged stream has many sites.

export interface HubStream {
  /** `OSLO/EVENTS`, in messages and in the manifest. */
  name: string;
  account: string;
  stream: StreamSettings;
  /** Whose messages it collects, in the order of the settings. */
  sites: Observed[];
  /** JetStream of its account on the hub. */
  js: () => Promise<JetStream>;
}

export function hubStreamsOf(fleet: readonly Observed[]): HubStream[] {
  const streams = new Map<string, HubStream>();
  for (const site of fleet)
    for (const stream of site.streams) {
      const account = collectingAccount(stream, site.access.site);
      const name = `${account}/${stream.name}`;
      const known = streams.get(name);
      if (known !== undefined) known.sites.push(site);
      else streams.set(name, { name, account, stream, sites: [site], js: () => atHub(site.access, stream) });
    }
  return [...streams.values()];
}

/** The system account of the hub. Errors: a Refusal when the hub does not answer. */
export async function hubSystem(fleet: readonly Observed[]) {
  const [site] = fleet;
  if (site === undefined) throw new Refusal("the stack has no sites, so the hub collects nothing");
  const { hubUrl } = site.access;
  return await shared({ url: hubUrl, seed: site.system }).catch((error: unknown) => {
    throw new Refusal(`hub: does not answer at ${hubUrl} (${messageOf(error)}); start it with 'make up'`);
  });
}
