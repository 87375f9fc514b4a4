import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../configs/settings";
import { leafLinks } from "../servers/nats/system";
import { Containers } from "../test/support/stacks/grounds";
import { Stack } from "../test/support/stacks/cli";
import { killHard } from "../test/support/stacks/servers";
import { Traffic, stored } from "../test/support/stacks/traffic";
import { until } from "../test/support/until";

/** A hub in a container whose process is killed from its host: the engine starts it again by itself. */

const LONGEST_MS = 150_000;

/** What a stack made of containers loses, doubles, and how long each round takes from the link to everything. */
export async function measureContainer(settings: RawSettings, rounds: number) {
  const ground = await Containers.start("bench");
  const stack = await Stack.create("bench", { ...settings, runtime: "docker" }, ground.options);
  try {
    await stack.up();
    return await measured(ground, stack, rounds, settings.streams?.[0]?.collect?.mode === "merged");
  } finally {
    await stack.remove();
    await ground.stop();
  }
}

async function measured(ground: Containers, stack: Stack, rounds: number, isMerged: boolean) {
  await using traffic = Traffic.start(await stack.applicationOf("oslo"), "oslo");
  const ofHub = (owner: string, role: string) => stack.client(owner, role, { at: "hub" });
  const reader = () => ofHub(isMerged ? "hub" : "oslo", "reader");
  const onHub = async (): Promise<string[]> => {
    const all = await stored(await reader(), "EVENTS", ">");
    return all.flatMap(({ text }) => (text.startsWith("oslo-") ? [text] : []));
  };
  const ms: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The source is at rest again before the next outage.
    await sleep(3_000);
    const pid = await ground.pid(stack, "hub");
    await killHard(pid);
    await until("its engine started it again", async () => ![0, pid].includes(await ground.pid(stack, "hub")));
    const isLinked = async () => (await leafLinks(await ofHub("hub", "system"))).some(({ name }) => name === "oslo");
    await until("the link is back", isLinked);
    const [started, count] = [performance.now(), traffic.count];
    const isOver = async () => (await onHub()).length >= count || performance.now() - started > LONGEST_MS;
    await until("everything is there", isOver, 2 * LONGEST_MS);
    ms.push(performance.now() - started);
  }
  const sent = await traffic.stop();
  const found = await until("the hub has the last one", async () => {
    const texts = await onHub();
    return texts.includes(sent.at(-1) ?? "") && texts;
  });
  const there = new Set(found);
  return { ms, lost: sent.filter((text) => !there.has(text)).length, doubled: found.length - there.size };
}
