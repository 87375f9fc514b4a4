import assert from "node:assert/strict";
import { withJournal } from "../../../../commands/state/merge-journal";
import type { Deployment } from "../../../../commands/stack/pending";
import type { JournalEntry, Made } from "../../../../machine/journal/journal";

const STACK = "urn:pulumi:dev::nats-hub-leaf::pulumi:pulumi:Stack::nats-hub-leaf-dev";
const FLEET = "urn:pulumi:dev::nats-hub-leaf::nats-hub-leaf:index:Fleet::fleet";
const IDENTITY = "pulumi-nodejs:dynamic/nats:Identity";
const identity = (site: string) =>
  `urn:pulumi:dev::nats-hub-leaf::nats-hub-leaf:index:Fleet$${IDENTITY}::${site}-identity`;
const PROVIDER = "urn:pulumi:dev::nats-hub-leaf::pulumi:providers:pulumi-nodejs::default";
const MARK = "4dabf18193072939515e22adb298388d";
const OF = { stack: "dev", project: "nats-hub-leaf", secrets: { type: "passphrase", state: { salt: "v1:x" } } };

const made = (site: string, more: Partial<Made> = {}): JournalEntry => ({
  made: {
    urn: identity(site),
    custom: true,
    id: site,
    type: IDENTITY,
    inputs: { owner: site },
    outputs: { owner: site, seeds: { [MARK]: "1b47061264138c4ac30d75fd1eb44270", value: { link: "a seed" } } },
    parent: FLEET,
    protect: false,
    dependencies: [],
    propertyDependencies: {},
    additionalSecretOutputs: ["seeds"],
    ...more,
  },
});
const begun = (site: string): JournalEntry => ({
  begun: { type: IDENTITY, name: `${site}-identity`, parent: FLEET, custom: true },
});
const urnsOf = ({ deployment }: Deployment) => (deployment?.resources ?? []).map(({ urn }) => urn);

describe("a state with the journal of a killed run", () => {
  describe("that was the stack's first", () => {
    const { merged: state, begun: left } = withJournal({}, [begun("oslo"), made("oslo"), begun("bergen")], OF);
    const resources = state.deployment?.resources ?? [];

    it("has the stack and its provider before what was made", () =>
      assert.deepEqual(urnsOf(state), [STACK, PROVIDER, identity("oslo")]));
    it("gives what was made the provider", () =>
      assert.equal(resources[2]?.provider, `${PROVIDER}::${resources[1]?.id ?? ""}`));
    it("has secrets that the import encrypts", () =>
      assert.deepEqual(resources[2]?.outputs?.seeds, {
        [MARK]: "1b47061264138c4ac30d75fd1eb44270",
        plaintext: '{"link":"a seed"}',
      }));
    it("says what encrypts them", () => assert.deepEqual(state.deployment?.secrets_providers, OF.secrets));
    it("says what was begun and not made", () =>
      assert.deepEqual(left, [{ urn: identity("bergen"), name: "bergen-identity", operation: "creating" }]));
  });

  describe("that added to a fleet", () => {
    const provider = { urn: PROVIDER, id: "its-id" };
    const before: Deployment = {
      deployment: {
        secrets_providers: { type: "passphrase", state: { salt: "v1:own" } },
        resources: [
          { urn: STACK, outputs: { hub: "there" } },
          provider,
          { urn: identity("oslo"), outputs: { rotation: 1 } },
          { urn: identity("bergen") },
        ],
      },
    };
    const { merged: state, begun: left } = withJournal(
      before,
      [begun("tromso"), made("tromso"), begun("oslo"), made("oslo"), begun("bergen")],
      OF,
    );

    it("has everything once, what the run had reached first", () =>
      assert.deepEqual(urnsOf(state), [STACK, PROVIDER, identity("tromso"), identity("oslo"), identity("bergen")]));
    it("keeps the stack's outputs and its provider", () => {
      assert.deepEqual(state.deployment?.resources?.[0]?.outputs, { hub: "there" });
      assert.deepEqual(state.deployment?.resources?.[1], provider);
    });
    it("has what was changed as it is now", () =>
      assert.equal(state.deployment?.resources?.[3]?.outputs?.owner, "oslo"));
    it("counts no change that was begun as a creation", () => assert.deepEqual(left, []));
    it("keeps what encrypts the secrets", () =>
      assert.deepEqual(state.deployment?.secrets_providers, before.deployment?.secrets_providers));
  });

  it("has components without an id or a provider", () => {
    const fleet = { urn: FLEET, custom: false, id: "", type: "nats-hub-leaf:index:Fleet", parent: STACK };
    const [, , component] = withJournal({}, [made("oslo", fleet)], OF).merged.deployment?.resources ?? [];
    assert.deepEqual(Object.keys(component ?? {}).sort(), ["custom", "inputs", "outputs", "parent", "type", "urn"]);
  });
});
