import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { BENDS } from "../../../../components/sdk/bends";

const SDK = resolve(__dirname, "../../../../components/sdk");

describe("the table of what bends the SDK", () => {
  for (const { what, where } of BENDS) {
    it(`names a place that is there: ${what}`, () => assert.ok(existsSync(join(SDK, where.split(",")[0] ?? ""))));
  }

  it("has everything that the one variable switches off, and each part that does is optional in it", () => {
    const switched = readdirSync(SDK, { recursive: true, encoding: "utf8" }).filter((file) => {
      const isText = /\.ts$|nodejs$/.test(file);
      return isText && file !== "bends.ts" && /isPlain\(\)|PLAIN_SDK/.test(readFileSync(join(SDK, file), "utf8"));
    });
    const optional = BENDS.filter(({ isOptional, where }) => isOptional && !where.includes("../"));
    assert.deepEqual(switched.map((file) => file.split("/")[0]).sort(), optional.map(({ where }) => where).sort());
  });

  it("is nothing that a program gets which embeds the components", () => {
    assert.doesNotMatch(readFileSync(join(SDK, "../index.ts"), "utf8"), /\.\/sdk/);
  });
});
