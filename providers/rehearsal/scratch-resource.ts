import * as hubLink from "../hub-link";
import * as identity from "../identity";
import * as leafServer from "../leaf-server";
import * as streams from "../streams";

/** The part of a Pulumi provider that is used without Pulumi. */
interface Provider<I, O> {
  create(inputs: I): Promise<{ outs: O }>;
  diff(id: string, olds: O, news: I): Promise<{ changes: boolean }>;
  update(id: string, olds: O, news: I): Promise<{ outs: O }>;
  delete(id: string, outs: O): Promise<void>;
}

/** One resource, as Pulumi keeps it: created the first time, updated after that when something differs. */
export class Resource<I, O> {
  private state: O | undefined;

  constructor(
    private readonly id: string,
    private readonly provider: Provider<I, O>,
  ) {}

  get exists(): boolean {
    return this.state !== undefined;
  }

  get outs(): O {
    if (this.state === undefined) throw new Error(`${this.id}: a resource that was not created yet`);
    return this.state;
  }

  /** What a preview says: whether an update would change it. */
  differs = async (inputs: I): Promise<boolean> => (await this.provider.diff(this.id, this.outs, inputs)).changes;

  async apply(inputs: I, always = false): Promise<void> {
    const { create, update } = this.provider;
    if (this.state === undefined) this.state = (await create(inputs)).outs;
    else if (always || (await this.differs(inputs))) this.state = (await update(this.id, this.state, inputs)).outs;
  }

  delete = (): Promise<void> => this.provider.delete(this.id, this.outs);
}

/** What one site consists of. */
export interface SiteResources {
  identity: Resource<identity.IdentityInputs, identity.IdentityOutputs>;
  link: Resource<hubLink.HubLinkInputs, hubLink.HubLinkInputs>;
  server: Resource<leafServer.LeafServerInputs, leafServer.LeafServerOutputs>;
  streams: Resource<streams.StreamsInputs, streams.StreamsOutputs>;
}

export const siteResources = (name: string): SiteResources => ({
  identity: new Resource(name, identity),
  link: new Resource(name, hubLink),
  server: new Resource(name, leafServer),
  streams: new Resource(name, streams),
});
