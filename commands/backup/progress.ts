import { formatSize } from "../../configs/text/units";
import type { Say } from "../../machine/progress";

// What a person sees of bytes that take their time.

const EVERY_MS = 2_000;

/** The same bytes; says every two seconds how many have passed. */
export async function* shown(
  bytes: AsyncIterable<Uint8Array>,
  say: Say,
  what: string,
  every = EVERY_MS,
): AsyncGenerator<Uint8Array> {
  let [passed, last] = [0, Date.now()];
  for await (const chunk of bytes) {
    yield chunk;
    passed += chunk.length;
    if (Date.now() - last < every) continue;
    last = Date.now();
    say(`${what}: ${formatSize(passed)} so far`);
  }
}
