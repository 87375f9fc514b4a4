import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { MockMonitor, MockResourceArgs } from "@pulumi/pulumi/runtime/mocks";
import { publicKeyOf } from "../../../servers/nats/authenticator";
import { newSeed } from "../../support/rules/settings";

/**
 * Runs the program of index.ts as Pulumi would, with mocks for its resources that throw on anything else. What is
 * recorded is what goes to Pulumi's engine, where a secret is marked and an unknown value is a sentinel.
 */

export interface Registered {
  type: string;
  name: string;
  parent: string | undefined;
  dependsOn: string[];
  /** Secrets stand as `Secret`. */
  inputs: Record<string, unknown>;
  secretOutputs: string[];
  /** Name of an explicit provider resource; empty for the default one. */
  provider: string;
  deleteBeforeReplace: boolean;
  protect: boolean;
}

export class Secret {
  constructor(readonly value: unknown) {}
}

export interface Recorded {
  all: Registered[];
  /** By name; of the two that share one, the component and its child, the child. */
  resources: Map<string, Registered>;
  outputs: Record<string, pulumi.Output<unknown>>;
  /** The seeds that the identities made. */
  seeds: string[];
  /** The private keys of certificates that were made. */
  privateKeys: string[];
}

const PROJECT = "nats-hub-leaf";
const STACK = "dev";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

function withSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withSecrets);
  const entries = value as Record<string, unknown>;
  if (entries[SIGNATURE] === SECRET_SIGNATURE) return new Secret(withSecrets(entries.value));
  return Object.fromEntries(Object.entries(entries).map(([key, item]) => [key, withSecrets(item)]));
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

type Inputs = Record<string, unknown>;

/** What a provider would return; the engine marks its secret outputs. */
class Engine {
  readonly seeds: string[] = [];
  readonly privateKeys: string[] = [];
  private ports = 20_000;

  constructor(private readonly isFirstPreview: boolean) {}

  outputsOf({ type, name, inputs }: MockResourceArgs): Record<string, unknown> {
    const kind = type.split(":").at(-1) ?? "";
    if (type.startsWith(`${PROJECT}:index:`)) return {};
    if (/^(docker:index\/(network|volume|container):|pulumi:providers:docker$)/.test(type)) return inputs as Inputs;
    if (type === "docker:index/remoteImage:RemoteImage") return { ...(inputs as Inputs), imageId: "sha256:0a1b" };
    if (!type.startsWith("pulumi-nodejs:dynamic/nats:")) throw new Error(`no mock of ${type}`);
    switch (kind) {
      case "Identity":
        return this.isFirstPreview ? {} : this.identityOf(inputs as IdentityInputs);
      case "Authority":
      case "Certificate":
        return this.isFirstPreview ? {} : this.certificateOf(name);
      case "SmokeTest":
        return { proof: [] };
      case "FleetCheck":
      case "HubServer":
      case "HubLink":
      case "LeafServer":
      case "Streams":
      case "Guard":
        return {};
      default:
        throw new Error(`no mock of ${type}`);
    }
  }

  private identityOf({ roles, ports, given: maybeSecret }: IdentityInputs): Record<string, unknown> {
    const known = withSecrets(maybeSecret);
    const given = (known instanceof Secret ? known.value : known) as Record<string, string>;
    const seeds = Object.fromEntries(roles.map((role) => [role, given[role] ?? newSeed()]));
    this.seeds.push(...Object.values(seeds));
    const keys = Object.fromEntries(Object.entries(seeds).map(([role, seed]) => [role, publicKeyOf(seed)]));
    const allocated = Object.fromEntries(Object.keys(ports).map((listener) => [listener, this.ports++]));
    return { seeds: pulumi.secret(seeds), keys, allocated };
  }

  private certificateOf(name: string): Record<string, unknown> {
    const key = `private key of ${name}`;
    this.privateKeys.push(key);
    return { certificate: `certificate of ${name}`, key: pulumi.secret(key) };
  }
}

interface IdentityInputs {
  roles: string[];
  ports: Record<string, number>;
  /** Secret when there are any. */
  given: unknown;
}

/** Runs the program with these settings. `isFirstPreview`: before anything was made. */
export async function run(settings: Record<string, unknown>, isFirstPreview = false): Promise<Recorded> {
  const all: Registered[] = [];
  const engine = new Engine(isFirstPreview);
  const record = (request: RegisterResourceRequest) => {
    const parent = nameOf(request.getParent());
    all.push({
      type: request.getType(),
      name: request.getName(),
      parent: parent === "" ? undefined : parent,
      dependsOn: request.getDependenciesList().map(nameOf).sort(),
      inputs: withSecrets(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
      secretOutputs: request.getAdditionalsecretoutputsList(),
      provider: nameOf(request.getProvider().replace(/::[^:]*$/, "")),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      protect: request.getProtect() === true,
    });
  };
  const register = MockMonitor.prototype.registerResource;
  MockMonitor.prototype.registerResource = function (request: RegisterResourceRequest, callback) {
    record(request);
    return register.call(this, request, callback);
  };
  try {
    await pulumi.runtime.setMocks(
      {
        newResource: (args) => ({ id: isFirstPreview ? undefined : `${args.name}-id`, state: engine.outputsOf(args) }),
        call: ({ token }) => {
          throw new Error(`no mock of ${token}`);
        },
      },
      PROJECT,
      STACK,
      isFirstPreview,
    );
    pulumi.runtime.setAllConfig(configOf(settings));
    const { default: program } = (await import("../../../index")) as unknown as {
      default: () => Promise<Recorded["outputs"]>;
    };
    const outputs = await program();
    await pulumi.runtime.disconnect();
    const isDynamic = ({ type }: Registered) => !type.startsWith(`${PROJECT}:index:`);
    const byRank = [...all.filter((one) => !isDynamic(one)), ...all.filter(isDynamic)];
    const resources = new Map(byRank.map((resource) => [resource.name, resource]));
    return { all, resources, outputs, seeds: engine.seeds, privateKeys: engine.privateKeys };
  } finally {
    MockMonitor.prototype.registerResource = register;
    pulumi.runtime.setAllConfig({});
  }
}

/** Settings as Pulumi passes them on: text, and JSON for what is no text. */
export const configOf = (settings: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `${PROJECT}:${name}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
