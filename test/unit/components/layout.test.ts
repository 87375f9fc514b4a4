import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOMS } from "../../support/rules/rooms";

const ROOT = join(__dirname, "../../..");
const FOLDERS = [...ROOMS.map(({ room }) => room), "test"];

const files = FOLDERS.flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" }).map((name) => join(room, name)),
);
const text = (file: string): string => readFileSync(join(ROOT, file), "utf8");

describe("the layout of the program", () => {
  it("has a root of fewer than 60 lines", () => {
    assert.equal(text("index.ts").split("\n").length < 60, true);
  });

  it("has no room or file of everything and nothing", () => {
    const vague = files.filter((file) => /\b(utils?|helpers?|common|managers?)\b/i.test(basename(file)));
    assert.deepEqual(vague, []);
  });
});
