/** Where progress goes. Standard error: standard output of `make env` and others is read by programs. */
export type Say = (line: string) => void;

/** What the commands round the Pulumi CLI say. */
export const say: Say = (line) => process.stderr.write(`${line}\n`);

export const sayOnTerminal: Say = (line) => process.stderr.write(`toolchain: ${line}\n`);

const HEARTBEAT_SECONDS = 15;

/**
 * Runs one step and says when it began, that it still runs (a build takes minutes; silence looks like a hang), and how
 * long it took.
 */
export async function step<T>(say: Say, what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  say(`${what} ...`);
  const heartbeat = setInterval(() => say(`${what} ... still running, ${seconds()}`), HEARTBEAT_SECONDS * 1000);
  try {
    const result = await work();
    say(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
