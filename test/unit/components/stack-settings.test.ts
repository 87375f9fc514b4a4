import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { stackSettings } from "../../../components/stack-settings";
import { newSeed } from "../../support/settings";
import { withEnvironment } from "../providers/temp-folder";
import { configOf } from "./recorder";

describe("the settings of a stack", () => {
  withEnvironment(() => ({ PULUMI_CONFIG_PASSPHRASE: "a good one", PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));
  beforeEach(() => pulumi.runtime.setMocks({ newResource: neverCalled, call: neverCalled }, "nats-hub-leaf", "dev"));
  afterEach(() => pulumi.runtime.setAllConfig({}));

  const neverCalled = () => {
    throw new Error("settings make no resource");
  };
  const settings = (config: Record<string, string>) => {
    pulumi.runtime.setAllConfig(config);
    return stackSettings();
  };
  function refusal(config: Record<string, string>): string {
    try {
      settings(config);
    } catch (error) {
      assert.equal(pulumi.RunError.isInstance(error), true, String(error));
      return (error as Error).message;
    }
    throw new Error("the settings were not refused");
  }

  it("are the defaults when none is given", () => {
    const { runtime, dataFolder, sites, smokeTest } = settings({});
    assert.deepEqual([runtime, dataFolder, sites, smokeTest], ["process", ".fleet", [], "onChange"]);
  });

  it("are read from text and from JSON, as Pulumi gives them", () => {
    const { dataFolder, sites, hub } = settings({
      "nats-hub-leaf:dataFolder": "/srv/fleet",
      "nats-hub-leaf:sites": '[{"name":"oslo","quota":"3GiB"}]',
      "nats-hub-leaf:hub": '{"maxPayload":"2MiB"}',
    });
    assert.deepEqual([dataFolder, sites[0]?.quota, hub.maxPayload], ["/srv/fleet", 3 * 2 ** 30, 2 * 2 ** 20]);
  });

  it("keep a text a text, also one that looks like a number or a list", () => {
    assert.equal(settings({ "nats-hub-leaf:dataFolder": "2026" }).dataFolder, "2026");
    assert.equal(settings({ "nats-hub-leaf:dataFolder": "[fleet" }).dataFolder, "[fleet");
  });

  it("with mistakes are refused with all of them at once: shape, rules and names", () => {
    const message = refusal({
      ...configOf({
        sites: [{ name: "oslo", quotta: "1GiB" }, { name: "bergen" }, { name: "bergen" }],
        streams: [{ name: "EVENTS", subjects: ["events.>", "$JS.x"], maxBytes: "many" }],
      }),
      "nats-hub-leaf:site": "[]",
    });
    assert.match(message, /^the settings have 5 problems:\n/);
    for (const problem of [
      /- site: is not a setting; use one of runtime, .*sites/,
      /- sites\[0\]: 'quotta' is not a setting/,
      /- sites\[2\]\.name: 'bergen' is used twice/,
      /- streams\[0\]\.subjects\[1\]: '\$JS\.x' touches the reserved subjects/,
      /- streams\[0\]\.maxBytes: 'many' is not a size/,
    ]) {
      assert.match(message, problem);
    }
  });

  it("refuse a misspelt top-level key, and leave those of other programs and of Pulumi alone", () => {
    const others = { "aws:region": "eu", "pulumi:tags": "{}" };
    settings(others);
    assert.match(
      refusal({ ...others, "nats-hub-leaf:Sites": "[]" }),
      /^the settings have 1 problem:\n {2}- Sites: is not/,
    );
  });

  it("show no seed in a refusal", () => {
    const seed = newSeed();
    const message = refusal(
      configOf({
        keys: { oslo: { link: seed, wrong: seed }, hub: { system: `${seed}X` } },
        hub: { host: seed, name: seed },
      }),
    );
    assert.equal(message.includes(seed.slice(2)), false);
  });

  describe("with an empty passphrase", () => {
    const remote = () => configOf({ hub: { host: "10.0.0.1" } });

    it("are refused when the hub is not on this machine's loopback", () => {
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      assert.match(refusal(remote()), /hub\.host: 10\.0\.0\.1 is not a loopback address, .*empty passphrase/);
    });

    it("are taken on loopback", () => {
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      assert.equal(settings({}).hub.host, "127.0.0.1");
    });

    it("are taken when the passphrase stands in a file", () => {
      process.env.PULUMI_CONFIG_PASSPHRASE = "";
      process.env.PULUMI_CONFIG_PASSPHRASE_FILE = "/etc/passphrase";
      assert.equal(settings(remote()).hub.host, "10.0.0.1");
    });
  });
});
