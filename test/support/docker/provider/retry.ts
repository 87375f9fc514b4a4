import { setTimeout as sleep } from "node:timers/promises";

/** As long as the plugin waits; it looks every 5 s, which no test has time for. */
const LIMIT_MS = 30_000;
const PAUSE_MS = 100;

/** Tries until it is removed. Errors: the plugin's when it is still in use after half a minute. */
export async function untilRemoved(remove: () => Promise<"removed" | "in_use" | "pending">): Promise<void> {
  for (const deadline = Date.now() + LIMIT_MS; ; await sleep(PAUSE_MS)) {
    const last = await remove();
    if (last === "removed") return;
    if (Date.now() > deadline) {
      throw new Error(`timeout while waiting for state to become 'removed' (last state: '${last}', timeout: 30s)`);
    }
  }
}
