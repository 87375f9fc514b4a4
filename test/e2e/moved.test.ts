import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { serversOf, statOf } from "../support/stacks/servers";
import { arrived, publish } from "../support/stacks/traffic";
import { until } from "../support/until";

describe("a project whose folder is renamed while its servers run", () => {
  let stack: Stack;
  let [home, elsewhere] = ["", ""];
  const texts: string[] = [];
  // Its addresses are IPv6 where this machine has a loopback of that kind; to the rest of the program either is the same.
  const host = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"))
    ? "::1"
    : "127.0.0.1";
  const SETTINGS = {
    hub: { host },
    sites: [{ name: "oslo", host }],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    probes: { burst: "0B" },
  };

  before(async () => {
    stack = await Stack.create("moved", SETTINGS);
    [home, elsewhere] = [stack.folder, `${stack.folder}-renamed`];
    await stack.up();
  });
  after(() => stack?.remove());

  const publishes = async (): Promise<void> => {
    texts.push(...(await publish(await stack.applicationOf("oslo"), "oslo", { first: texts.length })));
    assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
  };
  const WHERE = () =>
    `hub, oslo: started when this project's files were in ${home}, which was renamed or moved to ${elsewhere}`;
  /** The processes that it says to end. */
  const refusal = (output: string): number[] => {
    assert.ok(output.includes(WHERE()), output);
    assert.ok(output.includes(`put it back ('mv ${elsewhere} ${home}')`), output);
    return (/'kill ([\d ]+)' and run 'make up'/.exec(output)?.[1] ?? "").split(" ").map(Number);
  };

  it("is refused at once by every command, each with where its files were and the two ways out", async () => {
    await publishes();
    stack = await stack.movedTo(elsewhere);
    for (const command of ["up", "preview", "doctor", "repair", "down"]) {
      const { code, output } = await stack.make(command, { DISCARD: "1", SITE: "oslo" });
      assert.notEqual(code, 0, output);
      assert.equal(refusal(output).length, 2, output);
    }
  });

  it("goes on when it is put back, with the same servers", async () => {
    const pids = serversOf(home).map(({ pid }) => pid);
    stack = await stack.movedTo(home);
    succeeded(await stack.make("up"));
    assert.deepEqual(
      serversOf(home).map(({ pid }) => pid),
      pids,
    );
    await publishes();
    await stack.isClean();
  });

  it("goes on where it is when the servers end and up starts them there, with all that they held", async () => {
    stack = await stack.movedTo(elsewhere);
    const pids = refusal((await stack.make("doctor")).output);
    for (const pid of pids) process.kill(pid, "SIGTERM");
    await until("they ended", () => pids.every((pid) => ["Z", undefined].includes(statOf(pid)?.state)));
    succeeded(await stack.make("up"));
    await publishes();
    await stack.isClean();
    assert.match(succeeded(await stack.make("doctor")).output, /fleet: good/);
  });

  it("says so when the stack was renamed, and what to do works", async () => {
    const pulumi = (line: string) => stack.shell(`${stack.binary} ${line} --non-interactive`);
    succeeded(await pulumi("stack rename renamed --stack moved"));
    const { code, output } = await stack.shell("make --silent up STACK=renamed");
    assert.notEqual(code, 0, output);
    const [, cure = ""] =
      /was named 'moved' when .*: give it that name again \('pulumi (stack rename moved --stack renamed)'\)/.exec(
        output,
      ) ?? [];
    assert.ok(cure !== "", output);
    succeeded(await pulumi(cure));
    await stack.isClean();
    await publishes();
  });
});

describe("a passphrase in the shell that is not the stack's", () => {
  it("is named with its variable and what to do, by each command that needs it", async () => {
    const stack = await Stack.create("sealed", { sites: [] });
    try {
      await stack.setSecret("keys.hub.system", "SUAEXAMPLE");
      for (const command of ["up", "preview", "down"]) {
        const { code, output } = await stack.make(command, { PULUMI_CONFIG_PASSPHRASE: "abc" });
        assert.notEqual(code, 0, output);
        assert.match(
          output,
          /stack 'sealed': its secrets are not encrypted with the passphrase of PULUMI_CONFIG_PASSPHRASE, which is set in this shell; set it to that of 'sealed'$/m,
        );
      }
    } finally {
      await stack.remove();
    }
  });
});
