import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for what `look` finds: anything but undefined and false. Errors: after the time is over (ms), with `what`; a look
 * that has no answer after as much time is given up. By default that is more than the 40 s for which a nats-server lets a
 * source rest that missed its site.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  let last = "";
  for (const deadline = Date.now() + timeoutMs; ; await sleep(20)) {
    try {
      const found = await answerOf(look, timeoutMs);
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = `; last error: ${String(error)}`;
    }
    if (Date.now() >= deadline) throw new Error(`it never came to pass that ${what} (${timeoutMs / 1000} s)${last}`);
  }
}

async function answerOf<T>(look: () => Promise<T> | T, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the last look has no answer")), timeoutMs);
  });
  try {
    return await Promise.race([look(), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
