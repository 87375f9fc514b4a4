import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { findNatsServer } from "../../servers/nats-server-binary";
import { Stack } from "../support/stacks/cli";

// Every resource knows the nats-server that the last update named, also the one that is only deleted later.

describe("another nats-server in place of one that is taken away", () => {
  let stack: Stack;
  const place = (name: string): string => path.join(stack.folder, name);
  const settings = (natsServer: string, sites: RawSettings["sites"]): RawSettings => ({
    natsServer: place(natsServer),
    sites,
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  });
  const both = [{ name: "oslo" }, { name: "bergen" }];
  const bring = async (...of: Parameters<typeof settings>): Promise<void> => {
    stack.configure(settings(...of));
    await stack.up();
  };

  before(async () => {
    stack = await Stack.create("nats-server", {});
    const { path: binary } = await findNatsServer();
    for (const name of ["first", "second"]) fs.symlinkSync(binary, place(name));
    await bring("first", both);
  });
  after(() => stack.remove());

  it("is followed by a clean preview", async () => {
    await bring("second", both);
    await stack.isClean();
  });

  it("is the one that a removal works with", async () => {
    fs.rmSync(place("first"));
    await bring("second", [{ name: "oslo" }]);
    assert.deepEqual(
      (await stack.outputs()).proof.map(({ site, status }) => [site, status]),
      [["oslo", "proven"]],
    );
  });
});
