import type { ConsumerInfo, JetStreamManager } from "nats";
import { lookUntil } from "../../machine/until";
import type { JetStream } from "../../servers/nats/jetstream";

// Consumers of a hub's stream that is saved: what they acknowledge after that would be delivered to them a second time.

/** How long what was delivered may take until it is acknowledged; a slower reader gets it once more. */
const ACKNOWLEDGED_MS = 30_000;
/** After this they go on by themselves, whatever became of the run that paused them. */
const PAUSE_MS = 3_600_000;

/** When the pause ends that begins now. It tells this program's pauses from those of others. */
export const pauseUntil = (): string => new Date(Date.now() + PAUSE_MS).toISOString();

const managerOf = ({ connection }: JetStream): Promise<JetStreamManager> =>
  connection.jetstreamManager({ checkAPI: false });

async function consumersOf(manager: JetStreamManager, stream: string): Promise<ConsumerInfo[]> {
  const found: ConsumerInfo[] = [];
  for await (const one of manager.consumers.list(stream)) found.push(one);
  return found;
}

/** Pauses them, and waits until all that they delivered is acknowledged. */
export async function pauseReaders(js: JetStream, stream: string, until: string): Promise<void> {
  const manager = await managerOf(js);
  for (const { name, paused } of await consumersOf(manager, stream))
    if (paused !== true) await manager.consumers.pause(stream, name, new Date(until));
  const pending = async (): Promise<number> =>
    (await consumersOf(manager, stream)).reduce((sum, one) => sum + one.num_ack_pending, 0);
  await lookUntil(pending, (count) => count === 0, { within: ACKNOWLEDGED_MS, every: 200 });
}

/** Lets those go on that `pauseReaders` paused. */
export async function resumeReaders(js: JetStream, stream: string, until: string): Promise<void> {
  const manager = await managerOf(js);
  for (const { name, config } of await consumersOf(manager, stream))
    if (Date.parse(config.pause_until ?? "") === Date.parse(until)) await manager.consumers.resume(stream, name);
}
