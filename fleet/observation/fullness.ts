import { AccountInfo, JetStream, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";

/** Why a stream takes no more messages. */

/** Limits that this program never sets; an adopted stream may have them. */
interface Limits {
  max_msgs?: number;
  max_bytes?: number;
  discard?: string;
  storage?: string;
}

const limitsOf = ({ config }: StreamInfo): Limits => config;

/** What the account uses of the kind of storage that the stream has, and may use at most. */
function accountRoom({ storage }: Limits, account: AccountInfo): { used: number; limit: number } {
  return storage === "memory"
    ? { used: account.memory, limit: account.limits.max_memory }
    : { used: account.storage, limit: account.limits.max_storage };
}

/** Judged by the size of its usual messages; undefined when one more fits. */
export function fullness(info: StreamInfo, account: AccountInfo | undefined): string | undefined {
  const limits = limitsOf(info);
  const { max_msgs = -1, max_bytes = -1, discard } = limits;
  const { state } = info;
  const next = state.messages === 0 ? 0 : Math.ceil(state.bytes / state.messages);
  if (discard === "new") {
    if (max_bytes > 0 && state.bytes + next > max_bytes)
      return `it holds ${state.bytes} bytes of at most ${max_bytes}, and discards new messages`;
    if (max_msgs > 0 && state.messages >= max_msgs)
      return `it holds ${state.messages} messages of at most ${max_msgs}, and discards new ones`;
  }
  if (account === undefined) return undefined;
  const { used, limit } = accountRoom(limits, account);
  return limit >= 0 && used > 0 && used + next > limit
    ? `its account uses ${used} bytes of at most ${limit}`
    : undefined;
}

/** What a file store adds to a message, and the header that the hub adds to one that it sources, at most. */
const ADDED_BYTES = 22 + 8 + 4 + 256;

const storedBytes = ({ subject, payload, headerLines }: StoredMessage): number =>
  headerLines.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 12) +
  subject.length +
  payload.length +
  ADDED_BYTES;

interface Waiting {
  /** JetStream of the site, and the site's stream. */
  js: Pick<JetStream, "nextMessage">;
  local: StreamInfo;
  /** The last sequence that the hub took. */
  position: number;
  /** Largest message that the site takes. */
  maxPayload: number;
}

/**
 * Why the hub's stream does not take the very next message that waits at the site, with what is missing; undefined when
 * it does. That message is read only where one of the largest size would not fit.
 */
export async function fullForNext(
  onHub: StreamInfo,
  account: AccountInfo | undefined,
  { js, local, position, maxPayload }: Waiting,
): Promise<string | undefined> {
  if (local.state.messages === 0 || local.state.last_seq <= position) return undefined;
  const limits = limitsOf(onHub);
  const { max_bytes = -1, discard } = limits;
  const { state } = onHub;
  const rooms: { left: number; words: string }[] = [];
  if (discard === "new" && max_bytes > 0)
    rooms.push({
      left: max_bytes - state.bytes,
      words: `it holds ${state.bytes} bytes of at most ${max_bytes} and discards new messages`,
    });
  const ofAccount = account === undefined ? undefined : accountRoom(limits, account);
  if (ofAccount !== undefined && ofAccount.limit >= 0)
    rooms.push({
      left: ofAccount.limit - ofAccount.used,
      words: `its account uses ${ofAccount.used} bytes of at most ${ofAccount.limit}`,
    });
  const [least] = rooms.sort((a, b) => a.left - b.left);
  if (least === undefined || least.left >= maxPayload + 65_536) return undefined;
  const next = await js.nextMessage(local.config.name, ">", position + 1);
  if (next === undefined) return undefined;
  const lacking = storedBytes(next) - least.left;
  return lacking <= 0
    ? undefined
    : `${least.words}; the next message that waits at the site takes about ${storedBytes(next)} bytes: ${lacking} bytes of room are missing`;
}
