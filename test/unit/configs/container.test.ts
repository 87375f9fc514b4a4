import assert from "node:assert/strict";
import { cpuText } from "../../../configs/container";

describe("a number of processors", () => {
  for (const [cpus, text] of [
    [1, "1.0"],
    [2, "2.0"],
    [0.5, "0.5"],
    [2.25, "2.25"],
    [10, "10."],
    [10.5, "10.5"],
  ] as const) {
    it(`is ${text} for ${cpus}, as the plugin reads it back`, () => assert.equal(cpuText(cpus), text));
  }
});
