import { setTimeout as sleep } from "node:timers/promises";

/** A pause that can be cut short before and while it lasts. */
export class Rest {
  private readonly cut = new AbortController();

  /** @param end ends it too. */
  constructor(private readonly end: AbortSignal) {}

  cutShort = (): void => this.cut.abort();

  get isCutShort(): boolean {
    return this.cut.signal.aborted;
  }

  async last(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.end, this.cut.signal]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
