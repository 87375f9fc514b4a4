import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { killWhen } from "../support/stacks/commands";
import { pidOf, serversOf, statOf } from "../support/stacks/servers";
import { Traffic, arrived } from "../support/stacks/traffic";
import { occupy } from "../support/fleets/foreign-port";

// Sites in waves: the next one is touched only when the one before it is proven.

const NAMES = ["oslo", "bergen", "tromso"];

/** A change of `reconnect` restarts every site's server. */
const settings = (reconnect: string, oslo: object = {}): RawSettings => ({
  sites: [
    { name: "tromso", reconnect },
    { name: "bergen", reconnect, wave: 20 },
    { name: "oslo", reconnect, wave: 1, ...oslo },
  ],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
  probes: { burst: "0B" },
});

describe("sites in waves", () => {
  let stack: Stack;
  const pids = (): number[] => NAMES.map((site) => pidOf(stack.fleet, site));
  /** The servers of the sites, in the order in which they were started. */
  const started = (): string[] => {
    const at = (site: string): number => statOf(pidOf(stack.fleet, site))?.started ?? NaN;
    return NAMES.toSorted((a, b) => at(a) - at(b));
  };

  /** Whether another process runs the site; not while none does. */
  const isOther = (site: string, pid: number): boolean =>
    serversOf(`${stack.fleet}/sites/${site}`).some((server) => server.pid !== pid);

  before(async () => (stack = await Stack.create("waves", settings("100ms"))));
  after(() => stack.remove());

  it("are deployed and proven one wave after the other", async () => {
    const { output } = await stack.succeeds("preview");
    assert.match(output, /wave 1: oslo; bergen, tromso wait until this wave is proven/);
    assert.match(output, /wave 20: bergen; tromso waits until this wave is proven/);
    await stack.up();
    assert.deepEqual(started(), NAMES);
    await stack.isClean();
  });

  it("are left as they are when a wave before them fails, and follow when it is well", async () => {
    const before = pids();
    const traffic = Traffic.start(await stack.applicationOf("bergen"), "bergen");
    const { port, server } = await occupy();
    try {
      stack.configure(settings("150ms", { ports: { client: port } }));
      const { output } = await stack.refusedUp();
      assert.match(output, /wave 1: 1 of 1 sites are not proven; the servers of bergen, tromso are left as they are/);
      assert.match(output, new RegExp(`oslo.*${port}`));
      assert.deepEqual(pids().slice(1), before.slice(1));
    } finally {
      server.close();
    }
    const texts = await traffic.stop();
    assert.deepEqual(await arrived(stack, "bergen", texts), texts.toSorted());
    await stack.up();
    assert.equal(pids().filter((pid) => before.includes(pid)).length, 0);
    assert.deepEqual(started(), NAMES);
    await stack.isClean();
  });

  it("go on where a run was killed between two waves", async () => {
    stack.configure(settings("200ms"));
    const before = pids();
    const running = stack.start(["up", "--yes", "--skip-preview"]);
    await killWhen(running, "the first wave is restarted", () => isOther("oslo", before[0]!));
    await stack.make("up");
    assert.equal(pids().filter((pid) => before.includes(pid)).length, 0);
    await stack.isClean();
  });

  it("are one wave again without numbers, and no server is touched", async () => {
    const before = pids();
    const [tromso, bergen, oslo] = settings("200ms").sites as { name: string; reconnect: string }[];
    const sites = [tromso!, bergen!, oslo!].map(({ name, reconnect }) => ({ name, reconnect }));
    stack.configure({ ...settings("200ms"), sites });
    await stack.up();
    assert.deepEqual(pids(), before);
    await stack.isClean();
  });
});
