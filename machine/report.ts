import { AsyncLocalStorage } from "node:async_hooks";

const kept = new AsyncLocalStorage<string[]>();

/** Lines for the person who watches `pulumi preview` or `pulumi up`; the CLI shows them while the work goes on. */
export function report(line: string): void {
  const lines = kept.getStore();
  if (lines === undefined) console.log(line);
  else lines.push(line);
}

/** Does the work with its reports kept in `lines`: what happens on a scratch fleet is no news of the real one. */
export const keepingReports = <T>(lines: string[], work: () => Promise<T>): Promise<T> => kept.run(lines, work);
