import { setTimeout as sleep } from "node:timers/promises";

/** How long something is waited for, and how often it is looked at; in milliseconds. */
export interface Patience {
  within: number;
  every: number;
}

/**
 * Looks again and again, until the outcome is one to stop at or the time is over. Resolves with the last look.
 *
 * @param isDone whether to stop. `Boolean` where the look itself says so.
 */
export async function lookUntil<T>(
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
  { within, every }: Patience,
): Promise<T> {
  for (const deadline = Date.now() + within; ; await sleep(every)) {
    const seen = await look();
    if (isDone(seen) || Date.now() >= deadline) return seen;
  }
}

/** Retries while the failure may be temporary. Errors: the last one. */
export async function tryAgain<T>(
  work: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  { within, every }: Patience,
): Promise<T> {
  for (const deadline = Date.now() + within; ; await sleep(every)) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || Date.now() >= deadline) throw error;
    }
  }
}
