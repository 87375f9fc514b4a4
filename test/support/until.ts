import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for what `look` finds: anything but undefined and false. Errors: after the time is over (ms), with `what`. By
 * default that is more than the 40 s for which a nats-server lets a source rest that missed its site.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  let last = "";
  for (const deadline = Date.now() + timeoutMs; ; await sleep(20)) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = `; last error: ${String(error)}`;
    }
    if (Date.now() >= deadline) throw new Error(`it never came to pass that ${what} (${timeoutMs / 1000} s)${last}`);
  }
}
