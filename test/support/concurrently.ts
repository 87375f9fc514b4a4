/** Starts all of the work, at most `limit` at a time and in order; each result is awaited where it is needed. */
export function concurrently<T>(limit: number, work: readonly (() => Promise<T>)[]): Promise<T>[] {
  let free = limit;
  const waiting: (() => void)[] = [];
  const turn = () => (free-- > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)));
  const done = () => {
    free++;
    waiting.shift()?.();
  };
  return work.map((one) => {
    const result = turn().then(one).finally(done);
    // Its own awaiter sees the failure; until then it is not unhandled.
    result.catch(() => undefined);
    return result;
  });
}
