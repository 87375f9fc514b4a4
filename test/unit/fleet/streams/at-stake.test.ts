import assert from "node:assert/strict";
import { lossWords } from "../../../../fleet/streams/at-stake";
import { StreamInfo } from "../../../../servers/nats/jetstream";
import { otherOwner } from "../../../../fleet/sourcing/stream-owner";

describe("what would be lost with streams that leave", () => {
  const waiting = { words: "5 messages of stream EVENTS have not reached the hub" };
  const others = { words: "stream EVENTS belongs to stack prod, and the 3 messages that it holds go", isOthers: true };

  it("is shown with what to wait for", () => {
    assert.equal(
      lossWords([waiting], "oslo"),
      "5 messages of stream EVENTS have not reached the hub; wait until the hub has them, or allow the loss with DISCARD=oslo",
    );
  });

  it("is not known where nobody can read it: the server is needed first", () => {
    const unread = { words: "its streams cannot be read (TIMEOUT)", isUnread: true };
    assert.match(
      lossWords([unread], "oslo"),
      /\(TIMEOUT\); start the site's server \('pulumi up' with the site\), or allow/,
    );
  });

  it("is shown with how to save what somebody else's stream holds", () => {
    assert.equal(
      lossWords([others], "oslo"),
      "stream EVENTS belongs to stack prod, and the 3 messages that it holds go; save or move them ('nats stream backup'), or allow the loss with DISCARD=oslo",
    );
  });

  it("is shown with both ways where both apply", () => {
    assert.match(
      lossWords([waiting, others], "oslo"),
      /; wait until the hub has them, save or move them .*, or allow the loss/,
    );
  });
});

describe("a stream on a server", () => {
  const marked = (metadata?: Record<string, string>) => ({ config: { metadata } }) as unknown as StreamInfo;

  it("is the stack's own with its mark, and nobody else's", () => {
    assert.equal(otherOwner(marked({ "nats-hub-leaf.stack": "dev" }), "dev"), undefined);
    assert.equal(otherOwner(marked({ "nats-hub-leaf.stack": "prod" }), "dev"), "belongs to stack prod");
    assert.equal(otherOwner(marked({}), "dev"), "was not made by this program");
    assert.equal(otherOwner(marked(), "dev"), "was not made by this program");
  });
});
