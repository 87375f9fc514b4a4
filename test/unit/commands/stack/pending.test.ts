import assert from "node:assert/strict";
import { neverTakenOver, pendingOperations, perhapsCreated, type Deployment } from "../../../../commands/stack/pending";

const URN = (name: string): string => `urn:pulumi:dev::nats-hub-leaf::pulumi-nodejs:dynamic/nats:Server::${name}`;
const state = (resources: string[], pending: [string, string][]): Deployment => ({
  deployment: {
    resources: resources.map((name) => ({ urn: URN(name) })),
    pending_operations: pending.map(([type, name]) => ({ type, resource: { urn: URN(name) } })),
  },
});

describe("the operations in which a run was interrupted", () => {
  it("are none in the state of a stack that was never updated", () => {
    assert.deepEqual(pendingOperations({ deployment: {} }), []);
    assert.deepEqual(pendingOperations({}), []);
  });

  it("are known by the resource's own name", () => {
    assert.deepEqual(pendingOperations(state([], [["updating", "oslo-server"]])), [
      { urn: URN("oslo-server"), name: "oslo-server", operation: "updating" },
    ]);
  });

  it("may have made what the state does not hold only when they were creating", () => {
    const pending = pendingOperations(state([], [["updating", "a"], ["creating", "b"], ["deleting", "c"]])); // prettier-ignore
    assert.deepEqual(perhapsCreated(pending), ["b"]);
  });

  it("are never taken over when the program no longer has the resource", () => {
    const pending = pendingOperations(state([], [["creating", "b"], ["creating", "c"], ["deleting", "d"]])); // prettier-ignore
    assert.deepEqual(neverTakenOver(pending, state(["b"], [])), ["c"]);
  });
});
