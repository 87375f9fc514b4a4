const tails = new Map<string, Promise<unknown>>();

/** Runs `work` after all earlier work of the same key in this process: reading and writing back a shared stream. */
export function exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
  const result = (tails.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
  tails.set(key, result);
  return result;
}
