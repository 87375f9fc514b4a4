import assert from "node:assert/strict";
import { exampleSubject } from "../../../../views/outputs/deployed";
import { snippetsOf, snippetsText } from "../../../../views/outputs/snippets";
import { FLEET, OSLO } from "./a-fleet";

describe("the connection snippets", () => {
  const snippets = snippetsOf(FLEET, OSLO);

  it("are for the nats CLI, TypeScript and Go", () => {
    assert.deepEqual(
      snippets.map(({ language }) => language),
      ["sh", "ts", "ts", "go"],
    );
  });

  for (const { title, text } of snippets) {
    it(`take the seed from the file that the environment names (${title})`, () => {
      assert.match(text, /NATS_SEED_FILE/);
      assert.doesNotMatch(text, /S[UAO][A-Z2-7]{20}/);
    });

    it(`name the site's server and a subject of its stream (${title})`, () => {
      assert.ok(text.includes("nats://127.0.0.1:4223"));
      assert.match(text, /\bevents\.hello\b/);
    });
  }

  it("are Markdown, each in its language", () => {
    assert.deepEqual(
      [...snippetsText(snippets).matchAll(/^```(\w+)$/gm)].map(([, language]) => language),
      ["sh", "ts", "ts", "go"],
    );
  });

  it("have a subject that the stream's pattern takes", () => {
    assert.deepEqual(["events.>", "a.*.c", "x", ">"].map(exampleSubject), ["events.hello", "a.any.c", "x", "hello"]);
  });
});
