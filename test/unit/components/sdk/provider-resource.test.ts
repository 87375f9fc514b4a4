import assert from "node:assert/strict";
import Module from "node:module";
import { join } from "node:path";
import { providerText } from "../../../../components/sdk/provider-resource";

const ROOT = join(__dirname, "../../../..");

/** What each provider module can do: Pulumi asks for nothing else. */
const PROVIDERS: Record<string, string[]> = {
  identity: ["create", "delete", "diff", "update"],
  fleet: ["check", "create", "delete", "diff", "update"],
  "hub-server": ["create", "delete", "diff", "read", "update"],
  "hub-link": ["create", "delete", "diff", "update"],
  "leaf-server": ["create", "delete", "diff", "read", "update"],
  streams: ["create", "delete", "diff", "read", "update"],
  guard: ["create", "delete", "diff", "update"],
  "smoke-test": ["check", "create", "diff", "update"],
};
const METHODS = ["check", "configure", "create", "delete", "diff", "read", "update"];

/** As Pulumi's dynamic provider does it (require-from-string), in the project's folder. */
function evaluate(text: string): Record<string, unknown> {
  const module = new Module("", undefined) as Module & { _compile(text: string, file: string): void };
  module._compile(text, "");
  return (module.exports as { handler: () => Record<string, unknown> }).handler();
}

describe("the text of a provider in the state", () => {
  const before_ = process.cwd();
  before(() => process.chdir(ROOT));
  after(() => process.chdir(before_));

  it("is this, for good: states hold it, and a change of it is a change of every resource", () => {
    assert.equal(providerText("streams"), "exports.handler=()=>require('./providers/load')('streams')");
    const elsewhere = providerText("streams", "/srv/elsewhere");
    assert.equal(elsewhere, "exports.handler=()=>require('nats-hub-leaf/load')('streams')");
  });

  for (const [name, methods] of Object.entries(PROVIDERS)) {
    it(`of ${name} is shorter than 80 bytes: each resource holds it twice`, () => {
      assert.equal(Buffer.byteLength(providerText(name)) < 80, true);
    });

    it(`of ${name} gives a provider that can ${methods.join(", ")}`, () => {
      const provider = evaluate(providerText(name));
      const found = METHODS.filter((method) => method in provider);
      assert.deepEqual(found, methods);
      assert.deepEqual([...new Set(found.map((method) => typeof provider[method]))], ["function"]);
    });

    it(`of ${name} gives what the module in providers/ has, so that edited code is in effect`, async () => {
      const module = (await import(`../../../../providers/${name}`)) as Record<string, unknown>;
      assert.deepEqual(Object.keys(evaluate(providerText(name))).sort(), Object.keys(module).sort());
    });
  }

  it("fails with the name of a module that is gone", () => {
    assert.throws(() => evaluate(providerText("no-such-provider")), /no-such-provider/);
  });
});
