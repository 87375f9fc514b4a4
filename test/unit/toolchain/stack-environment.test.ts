import assert from "node:assert/strict";
import { additions, exportLine, missingPassphrase } from "../../../toolchain/stack-environment";

const HOME = { PULUMI_HOME: "/opt/p" };

describe("the environment of the Pulumi CLI", () => {
  it("gives the dev stack the empty passphrase when none is set", () => {
    assert.equal(additions("dev", HOME).PULUMI_CONFIG_PASSPHRASE, "");
  });

  it("leaves a passphrase alone that somebody set, be it empty or in a file", () => {
    assert.equal("PULUMI_CONFIG_PASSPHRASE" in additions("dev", { ...HOME, PULUMI_CONFIG_PASSPHRASE: "" }), false);
    assert.equal(
      "PULUMI_CONFIG_PASSPHRASE" in additions("dev", { ...HOME, PULUMI_CONFIG_PASSPHRASE_FILE: "f" }),
      false,
    );
  });

  it("gives no other stack a passphrase", () => {
    assert.equal("PULUMI_CONFIG_PASSPHRASE" in additions("prod", HOME), false);
  });

  it("asks for a passphrase on any other stack, and says how to set it", () => {
    assert.match(missingPassphrase("prod", "", {}) ?? "", /^stack 'prod': .*set PULUMI_CONFIG_PASSPHRASE_FILE/);
    assert.equal(missingPassphrase("prod", "", { PULUMI_CONFIG_PASSPHRASE: "x" }), undefined);
    assert.equal(missingPassphrase("dev", "", {}), undefined);
  });

  it("asks for none where a cloud's key service holds the secrets", () => {
    assert.equal(missingPassphrase("prod", "secretsprovider: awskms://alias/x\n", {}), undefined);
    assert.notEqual(missingPassphrase("prod", "secretsprovider: passphrase\n", {}), undefined);
  });

  it("is one line for the shell, with every value quoted", () => {
    assert.equal(
      exportLine("dev", { PULUMI_HOME: "/it's" }),
      `export PULUMI_HOME='/it'\\''s' PULUMI_SKIP_UPDATE_CHECK='true' PULUMI_DIY_BACKEND_GZIP='true' PULUMI_PARALLEL_DIFF='true' PULUMI_CONFIG_PASSPHRASE=''`,
    );
  });

  it("never shows a passphrase that somebody set", () => {
    assert.doesNotMatch(exportLine("prod", { ...HOME, PULUMI_CONFIG_PASSPHRASE: "s3cret" }), /s3cret/);
  });
});
