import assert from "node:assert/strict";
import { diagnose } from "../../diagnosis/diagnose";
import { emptyStore, faultNamed } from "../support/faults/faults";
import { Rounds } from "../support/faults/rounds";
import { becomesWhole } from "../support/faults/whole";
import { TestFleet } from "../support/fleets/fleet";
import { collectedTexts, publishAll, textsFrom } from "../support/fleets/messages";
import { killServer } from "../support/fleets/servers";
import { whyNoSmallDisk } from "../support/fleets/small-disk";
import { until } from "../support/until";

/** A short form of the matrix of faults (`make bench ARGS=faults`); kills, stops and one lost disk are in three.test.ts. */

const SEED = 7;
const ROUNDS = {
  perSite: ["a server is frozen", "two of three are gone"],
  merged: ["a server's routes let nothing through", "a server's disk is full"],
} as const;
const MODES = ["perSite", "merged"] as const;

describe("faults of a hub of three", () => {
  const isLeftOut = (words: string) => words.includes("disk is full") && whyNoSmallDisk() !== undefined;
  const fleets = MODES.map((mode) => ({ mode, rounds: undefined as Promise<Rounds> | undefined }));
  before(() => {
    for (const one of fleets) one.rounds = Rounds.deploy({ mode: one.mode, perSecond: 100 });
  });
  after(() => Promise.all(fleets.map(async ({ rounds }) => (await rounds)?.[Symbol.asyncDispose]())));

  it("lose and double nothing that was acknowledged", async () => {
    const all = fleets.map(async ({ mode, rounds }) => {
      for (const words of ROUNDS[mode].filter((one) => !isLeftOut(one))) {
        const round = await (await rounds)!.run(SEED, faultNamed(words));
        console.error(
          `      ${mode}: ${round.fault}: ${round.acknowledged} messages, pause ${round.pauseMs.toFixed(0)} ms`,
        );
        const { lost, doubled, failures } = round;
        assert.deepEqual({ lost, doubled, failures }, { lost: [], doubled: [], failures: [] }, words);
        assert.ok(round.acknowledged > 1_000, words);
      }
    });
    for (const one of await Promise.allSettled(all)) if (one.status === "rejected") throw one.reason;
  });

  describe("with most of its disks lost", () => {
    let fleet: TestFleet;
    before(
      async () =>
        void (fleet = await TestFleet.deploy({ hub: { servers: 3, maxFile: "1GiB" }, sites: [{ name: "oslo" }] })),
    );
    after(() => fleet.stop());

    /** Publishes, and has the site forget: the hub alone has the messages. */
    async function collectAlone(from: number, to: number): Promise<void> {
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));
      await until(`the hub has ${to}`, async () => (await fleet.collected("oslo")).state.messages === to);
      await becomesWhole(fleet);
      await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
    }

    const hasAll = async (to: number): Promise<void> => {
      await becomesWhole(fleet);
      assert.deepEqual(await collectedTexts(fleet, "oslo", "events.>"), textsFrom(1, to));
      assert.deepEqual((await fleet.preview()).changes, []);
      await fleet.prove();
    };

    it("up keeps what the server has whose disk is left, and the doctor names the loss before", async () => {
      await collectAlone(1, 300);
      const [left, ...lost] = fleet.members;
      for (const { folder } of lost) {
        await killServer(folder);
        emptyStore(folder);
      }
      const codes = async () => diagnose(await fleet.look("oslo")).map(({ code }) => code);
      await until("nobody leads", async () => (await codes()).includes("hub-without-leader"));
      await fleet.up();
      await hasAll(300);
      assert.match(fleet.reports.join("\n"), new RegExp(`lost their disks; it gets a copy of .* ${left!.folder}`));
    });

    it("up does so when all three have ended", async () => {
      await collectAlone(301, 400);
      const [first, second, left] = fleet.members;
      for (const { folder } of fleet.members) await killServer(folder);
      for (const one of [first!, second!]) emptyStore(one.folder);
      await fleet.up();
      await hasAll(400);
      const said = fleet.reports.findLast((line) => line.includes("lost their disks"));
      assert.match(said!, new RegExp(left!.folder));
    });

    it("up starts all of them with empty disks when nothing is left, and the sites deliver what they hold", async () => {
      await publishAll(await fleet.application("oslo"), "events.a", textsFrom(401, 450));
      await until("the hub has 450", async () => (await fleet.collected("oslo")).state.messages === 450);
      for (const { folder } of fleet.members) {
        await killServer(folder);
        emptyStore(folder);
      }
      await fleet.up();
      await until("the hub has what the site holds", async () => {
        const texts = await collectedTexts(fleet, "oslo", "events.>").catch(() => []);
        return texts.at(-1) === "m450" && texts.length >= 50;
      });
    });
  });
});
