import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../../../configs/settings";
import { messageOf } from "../../../machine/refusal";
import type { Mode } from "../catalogue/catalogue";
import { TestFleet } from "../fleets/fleet";
import type { SmallDisk } from "../fleets/small-disk";
import { Random } from "../soak/random";
import { Count } from "./count";
import { FAULTS, type Fault, struck } from "./faults";
import { Traffic } from "./traffic";
import { becomesWhole } from "./whole";

/** Rounds of faults over one fleet: messages at all sites, one fault, and the count of what the hub then has. */

const SITES = ["oslo", "bergen", "tromso"];

export interface Round {
  seed: number;
  mode: Mode;
  fault: string;
  /** The server that was struck. */
  server: string;
  /** Messages that sites acknowledged in this round. */
  acknowledged: number;
  lost: string[];
  doubled: string[];
  pauseMs: number;
  /** Why `up` had to be run again. */
  failures: string[];
}

export interface Options {
  mode: Mode;
  /** Messages a second at each site, at most. @default 200 */
  perSecond?: number;
  /** Whether the fleet has a watcher. @default false */
  isWatched?: boolean;
  said?: (round: Round) => void;
}

function settingsOf({ mode, isWatched = false }: Options): RawSettings {
  const maxBytes = "512MiB";
  const collect = mode === "merged" ? { mode, maxBytes: "1GiB" } : { maxBytes };
  return {
    hub: { servers: 3, maxFile: "4GiB" },
    sites: SITES.map((name) => ({ name, quota: "1GiB" })),
    streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes, collect }],
    ...(isWatched ? { watch: { deploy: true } } : {}),
  };
}

/** The fault that a seed makes: neighbours make each of them in turn. */
const faultOf = (seed: number): Fault => {
  const fault = FAULTS[seed % FAULTS.length];
  if (fault === undefined) throw new Error(`a seed is a whole number, not ${seed}`);
  return fault;
};

export class Rounds implements AsyncDisposable {
  private readonly disks = new Map<string, SmallDisk>();
  private readonly traffic: Traffic;
  private readonly count: Count;

  private constructor(
    readonly fleet: TestFleet,
    private readonly options: Options,
  ) {
    this.traffic = new Traffic(fleet, options.perSecond ?? 200);
    this.count = new Count(fleet, options.mode, this.traffic);
  }

  static deploy = async (options: Options): Promise<Rounds> =>
    new Rounds(await TestFleet.deploy(settingsOf(options)), options);

  async run(seed: number, fault = faultOf(seed)): Promise<Round> {
    const { fleet, traffic, disks, options } = this;
    const random = new Random(seed);
    const failures: string[] = [];
    const up = () =>
      fleet.up().catch((error: unknown) => {
        failures.push(messageOf(error));
        return fleet.up();
      });
    const stage = { fleet, random, disks, up };
    const before = traffic.acknowledged;
    const server = await struck(fault, stage);
    const prepared = await fault.prepare?.(stage, server);
    await becomesWhole(fleet);
    await traffic.during(async () => {
      await sleep(random.between(500, 1_500));
      await fault.make(stage, server, prepared);
      await becomesWhole(fleet).catch(async (error: unknown) => {
        failures.push(messageOf(error));
        await fleet.up();
        await becomesWhole(fleet);
      });
      await sleep(500);
    });
    await this.count.arrived();
    const counted = await this.count.further();
    await prepared?.[Symbol.asyncDispose]();
    await up();
    const { mode } = options;
    const acknowledged = traffic.acknowledged - before;
    const round = { seed, mode, fault: fault.words, server: server.name, acknowledged, ...counted, failures };
    options.said?.(round);
    return round;
  }

  /** What is lost or doubled when every message of all rounds is counted once more. */
  whole = () => this.count.whole();

  [Symbol.asyncDispose] = (): Promise<void> => this.fleet.stop();
}
