/** Where this program departs from Pulumi's SDK; docs/architecture.md shows this table. */
export interface Bend {
  what: string;
  /** Where in the tree. */
  where: string;
  saves: string;
  /** What it relies on in other code. */
  reliesOn: string;
  /** Whether `NATS_HUB_LEAF_PLAIN_SDK=1` switches it off. */
  isOptional: boolean;
}

export const BENDS: readonly Bend[] = [
  {
    what: "Resources whose stored code is one line, which loads the provider from this package",
    where: "provider-resource.ts",
    saves: "the provider's code, twice in each resource; and a change of the code does not change every resource",
    reliesOn:
      "the property `__provider` of `pulumi-nodejs:dynamic` resources, and this package being there at `destroy`",
    isOptional: false,
  },
  {
    what: "Short call stacks, no debug messages",
    where: "light-sdk.ts",
    saves: "a third of the program's time at 50 sites",
    reliesOn: "V8's `prepareStackTrace`; the SDK calling `log.debug` on its module",
    isOptional: true,
  },
  {
    what: "Imports of single modules of the SDK",
    where: "pulumi.ts",
    saves: "0.25 s of each `preview` and `up`: the automation API and npm's dependency tree",
    reliesOn: "the paths of modules in the pinned `@pulumi/pulumi`",
    isOptional: true,
  },
  {
    what: "The provider of dynamic resources started without the TypeScript compiler",
    where: "launcher",
    saves: "0.5 s of each `preview` and `up`",
    reliesOn: "`plugins` in Pulumi.yaml; the SDK loading `typescript` and `@npmcli/arborist` by these names",
    isOptional: true,
  },
  {
    what: "Values without the resource that they come from, if `dependsOn` gives the order",
    where: "unbound.ts",
    saves: "a seventh of the state",
    reliesOn: "outputs that name their resources in `resources` and `allResources`",
    isOptional: true,
  },
  {
    what: "The program's TypeScript translated without the compiler, and kept in Pulumi's home",
    where: "../../machine/typescript/read.js, because commands and providers use it too",
    saves: "0.15 s of each `preview` and `up` in the program, and as much in the provider",
    reliesOn: "Node.js asking `Module._extensions` how to read a file",
    isOptional: true,
  },
  {
    what: "The CLI of this project's commands without its automatic log",
    where: "../../commands/stack/light-cli.ts, because it is set before the CLI starts",
    saves: "three fifths of the CLI's time when nothing changes at 200 sites (5.1 to 2.0 s of the processor)",
    reliesOn: "the CLI going on where it cannot make the folder `logs` in its home",
    isOptional: true,
  },
  {
    what: "State written once at the end, where `make up` adds ten or more sites of processes; a journal beside it until then",
    where: "../../commands/state/journal.ts, which decides it; journal.ts here notes the resources",
    saves:
      "two thirds of the processor time of a first `up` of 200 sites (115 to 37 s), and more than half of its memory (1.9 to 0.8 GB)",
    reliesOn: "`PULUMI_SKIP_CHECKPOINTS`; the SDK calling `registerResource` of its monitor; `pulumi stack import`",
    isOptional: true,
  },
  {
    what: "Logins signed by Node's own Ed25519",
    where: "../../servers/nats/authenticator.ts, because the servers' room uses it",
    saves: "some milliseconds for each of the hundreds of connections of a large fleet",
    reliesOn: "RFC 8410; `getRawSeed` of `@nats-io/nkeys`",
    isOptional: true,
  },
];
