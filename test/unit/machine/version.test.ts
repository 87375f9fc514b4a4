import assert from "node:assert/strict";
import { isLaterMinor, isAtLeast, versionIn } from "../../../machine/version";

describe("versions of programs", () => {
  it("finds the version in what nats-server prints", () => {
    assert.equal(versionIn("nats-server: v2.15.2\n"), "2.15.2");
  });

  it("finds no version in other words", () => {
    assert.equal(versionIn("command not found"), undefined);
  });

  it("compares numbers, not text", () => {
    assert.equal(isAtLeast("2.9.10", "2.15.0"), false);
    assert.equal(isAtLeast("2.100.0", "2.15.0"), true);
  });

  it("takes the minimum itself", () => {
    assert.equal(isAtLeast("2.15.0", "2.15.0"), true);
  });

  it("takes a pre-release for older than its release", () => {
    assert.equal(isAtLeast("2.15.0-RC.1", "2.15.0"), false);
    assert.equal(isAtLeast("2.15.1-RC.1", "2.15.0"), true);
  });

  it("knows a later minor release, with or without its patch, and no later patch", () => {
    for (const later of ["2.16.0", "2.16", "3.0.1", "2.16.0-RC.1", "2.100.0"])
      assert.ok(isLaterMinor(later, "2.15.2"), later);
    for (const other of ["2.15.99", "2.15", "2.9.9", "1.99.0", "alpine"])
      assert.ok(!isLaterMinor(other, "2.15.2"), other);
  });

  it("never takes a text without a version", () => {
    assert.equal(isAtLeast("dev", "0.0.0"), false);
  });
});
