import assert from "node:assert/strict";
import { addressParts, hostPort } from "../../../../configs/text/address";

describe("an address", () => {
  it("is host and port, an IPv6 address in brackets", () => {
    assert.equal(hostPort("hub.example", 7422), "hub.example:7422");
    assert.equal(hostPort("::1", 7422), "[::1]:7422");
  });

  for (const [text, parts] of [
    ["hub.example", { host: "hub.example" }],
    ["hub.example:7422", { host: "hub.example", port: 7422 }],
    ["10.0.0.7:1", { host: "10.0.0.7", port: 1 }],
    ["fd00::1", { host: "fd00::1" }],
    ["[fd00::1]:7422", { host: "fd00::1", port: 7422 }],
    ["hub:99999", undefined],
    ["hub:0", undefined],
    ["nats://hub", undefined],
    ["a b", undefined],
    ["", undefined],
  ] as const) {
    it(`'${text}' is ${parts === undefined ? "none" : JSON.stringify(parts)}`, () =>
      assert.deepEqual(addressParts(text), parts));
  }
});
