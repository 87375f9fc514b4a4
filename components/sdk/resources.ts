import * as pulumi from "./pulumi";
import type { AuthorityInputs } from "../../providers/authority";
import type { CertificateInputs } from "../../providers/certificate";
import type { FleetInputs } from "../../providers/fleet";
import type { GuardInputs } from "../../providers/guard";
import type { HubLinkInputs } from "../../providers/hub-link";
import type { HubServerInputs } from "../../providers/hub-server";
import type { IdentityInputs } from "../../providers/identity";
import type { LeafServerInputs } from "../../providers/leaf-server";
import type { ProofRow, SmokeTestInputs } from "../../providers/smoke-test";
import type { StreamsInputs } from "../../providers/streams";
import type { WatcherInputs } from "../../providers/watcher";
import { DeclaredArgs } from "./declared";
import { ProviderResource } from "./provider-resource";

/** The dynamic resources. Each says what it is for; its inputs and its life cycle are in `providers`. */

type Options = pulumi.CustomResourceOptions;

/** The nkeys and ports of one server: made once, then kept. */
export class Identity extends ProviderResource {
  /** Public keys by role. */
  declare readonly keys: pulumi.Output<Record<string, string>>;
  /** Seeds by role. Secret. */
  declare readonly seeds: pulumi.Output<Record<string, string>>;
  /** Ports by listener. */
  declare readonly allocated: pulumi.Output<Record<string, number>>;

  constructor(name: string, args: DeclaredArgs<IdentityInputs>, opts: Options) {
    const outputs = { keys: undefined, seeds: undefined, allocated: undefined };
    super("identity", "Identity", name, { ...args, ...outputs }, { ...opts, additionalSecretOutputs: ["seeds"] });
  }
}

/** The stack's own CA for leaf links. */
export class Authority extends ProviderResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM. Secret. */
  declare readonly key: pulumi.Output<string>;

  constructor(name: string, args: DeclaredArgs<AuthorityInputs>, opts: Options) {
    const outputs = { certificate: undefined, key: undefined };
    super("authority", "Authority", name, { ...args, ...outputs }, { ...opts, additionalSecretOutputs: ["key"] });
  }
}

/** The certificate of one server for its leaf links. */
export class Certificate extends ProviderResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  /** PEM. Secret. */
  declare readonly key: pulumi.Output<string>;

  constructor(name: string, args: DeclaredArgs<CertificateInputs>, opts: Options) {
    const outputs = { certificate: undefined, key: undefined };
    super("certificate", "Certificate", name, { ...args, ...outputs }, { ...opts, additionalSecretOutputs: ["key"] });
  }
}

/** Judges the fleet as a whole before anything is touched. */
export class FleetCheck extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<FleetInputs>, opts: Options) {
    super("fleet", "FleetCheck", name, args, opts);
  }
}

/** The hub's server. */
export class HubServer extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<HubServerInputs>, opts: Options) {
    super("hub-server", "HubServer", name, args, opts);
  }
}

/** A site's account and link key on the hub. */
export class HubLink extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<HubLinkInputs>, opts: Options) {
    super("hub-link", "HubLink", name, args, opts);
  }
}

/** A site's server. */
export class LeafServer extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<LeafServerInputs>, opts: Options) {
    super("leaf-server", "LeafServer", name, args, opts);
  }
}

/** A site's streams, and the hub's that source them. */
export class Streams extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<StreamsInputs>, opts: Options) {
    super("streams", "Streams", name, args, opts);
  }
}

/** The watcher beside the hub. */
export class Watcher extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<WatcherInputs>, opts: Options) {
    super("watcher", "Watcher", name, args, opts);
  }
}

/** Refuses `destroy` while messages would be lost. */
export class Guard extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<GuardInputs>, opts: Options) {
    super("guard", "Guard", name, args, opts);
  }
}

/** Proves the sites of a wave, before the next one is touched. */
export class WaveTest extends ProviderResource {
  constructor(name: string, args: DeclaredArgs<SmokeTestInputs>, opts: Options) {
    super("smoke-test", "WaveTest", name, args, opts);
  }
}

/** Proves sourcing and isolation with real messages. */
export class SmokeTest extends ProviderResource {
  declare readonly proof: pulumi.Output<ProofRow[]>;

  constructor(name: string, args: DeclaredArgs<SmokeTestInputs>, opts: Options) {
    super("smoke-test", "SmokeTest", name, { ...args, proof: undefined }, opts);
  }
}
