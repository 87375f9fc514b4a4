import assert from "node:assert/strict";
import * as fs from "node:fs";
import { journalFile } from "../../machine/journal/journal";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import type { Victims } from "../support/stacks/interrupt";
import { reservedPorts, serversOf } from "../support/stacks/servers";
import { assertFinished, fleetOf, journalLines, killUp } from "../support/stacks/killed-up";

// Where many sites are added, the CLI writes the state only at the end: what a killed run made is known from its journal.

const SITES = 10;
/** The hub has room for more. */
const settings = { ...fleetOf(SITES), hub: fleetOf(2 * SITES).hub };
const sites = settings.sites.map(({ name }) => name);

/** Moments by the number of lines in the journal: two for each resource, 108 in all. */
const KILLS: readonly { victims: Victims; lines: number; while: string }[] = [
  { victims: "cli", lines: 25, while: "the keys of all sites are made" },
  { victims: "all", lines: 60, while: "sites are declared on the hub" },
  { victims: "program", lines: 75, while: "servers start" },
  { victims: "provider", lines: 90, while: "servers link" },
];

describe("an up that adds many sites", () => {
  let stack: Stack;
  before(async () => (stack = await Stack.create("journal", settings)));
  after(() => stack.remove());

  /** Begins with nothing, or goes on with what is there. */
  async function empty(): Promise<void> {
    if (await hasResources()) succeeded(await stack.make("down", { DISCARD: "1" }));
    await stack.leftNothing();
    if (!stack.exists()) succeeded(await stack.run(["stack", "init"]));
  }
  const hasResources = async (): Promise<boolean> => stack.exists() && (await stack.resources()).length > 0;

  for (const { victims, lines, while: what } of KILLS) {
    it(`killed while ${what} (${victims}) is finished by the next one`, async () => {
      await empty();
      const before = await killUp(stack, victims, `${lines} lines in the journal`, () => journalLines(stack) >= lines);
      await assertFinished(stack, sites, before);
    });
  }

  it("killed while it adds them to others is finished by the next one", async () => {
    const more = fleetOf(2 * SITES);
    stack.configure({ ...more, hub: settings.hub });
    const before = await killUp(stack, "all", "servers start", () => serversOf(stack.fleet).length > SITES + 3);
    assert.ok(journalLines(stack) > 0, "it kept no journal");
    await assertFinished(
      stack,
      more.sites.map(({ name }) => name),
      before,
    );
    stack.configure(settings);
  });

  describe("killed for good", () => {
    before(async () => {
      await empty();
      await killUp(stack, "all", "servers run", () => journalLines(stack) >= 80);
    });

    it("is finished by no plain CLI: it says what to run first", async () => {
      succeeded(await stack.run(["cancel", "--yes"]));
      const { output } = await stack.refusedUp();
      assert.match(output, /a run of 'make up' was killed.*run 'make unlock'/s);
    });

    it("gives make down all that it made, which refuses only what it had begun", async () => {
      const { code, output } = await stack.make("down", { DISCARD: "1" });
      assert.match(output, /the state now has the \d+ resources that it made/);
      assert.equal(fs.existsSync(journalFile(stack.fleet)), false);
      if (code === 0) return;
      assert.match(output, /was interrupted while creating/);
      succeeded(await stack.make("up"));
      succeeded(await stack.make("down", { DISCARD: "1" }));
    });

    it("leaves nothing then", () => stack.leftNothing());
  });

  describe("killed", () => {
    it("whose journal is damaged says how to go on, and that works", async () => {
      await empty();
      await killUp(stack, "all", "servers run", () => journalLines(stack) >= 80);
      const journal = journalFile(stack.fleet);
      const lines = fs.readFileSync(journal, "utf8").split("\n");
      fs.writeFileSync(journal, [...lines.slice(0, 30), "AAAA", ...lines.slice(31)].join("\n"));
      const { code, output } = await stack.make("up");
      assert.notEqual(code, 0);
      assert.match(output, /unfinished-run: line 31 cannot be opened: .*move it away and run 'make up'/);
      fs.rmSync(journal);
      succeeded(await stack.make("up"));
      const { proof } = await stack.outputs({ again: true });
      assert.deepEqual(
        proof.map(({ site, status }) => `${site} ${status}`).sort(),
        sites.map((site) => `${site} proven`).sort(),
      );
      await stack.isClean();
      succeeded(await stack.make("down", { DISCARD: "1" }));
      // Nobody knows the ports of the identities that were lost; with the folder they are free for others.
      for (const { file } of reservedPorts(stack.fleet)) fs.rmSync(file);
    });
  });
});
