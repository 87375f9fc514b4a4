import * as log from "@pulumi/pulumi/log";
import * as debuggable from "@pulumi/pulumi/runtime/debuggable";
import { isPlain } from "../../machine/plain";

/**
 * Frames kept when all are asked for: Pulumi's own, which it skips. Any more would be written into the state with every
 * resource, and here they are the same for each resource of a kind.
 */
const FRAMES = 5;

/**
 * Leaves out what the SDK does for its own debugging, which grows with every resource: a third of the program's time at
 * 50 sites.
 */
export function lightenSdk(): void {
  if (isPlain()) return;
  shortStackTraces();
  promisesWithoutStack();
  noDebugMessages();
}

/**
 * Pulumi records the whole stack of every resource and every promise, and maps each one through source maps. They stay
 * unmapped here (files keep their names and, as the transpiler only drops types, nearly their lines), and one that is
 * taken without a limit ends after the frames that made the resource. A promise's, of an error that says nothing, is
 * read by nobody.
 */
function shortStackTraces(): void {
  // The TypeScript compiler, which Pulumi loads, makes it 100: ten times the work, at each promise.
  Error.stackTraceLimit = 10;
  Error.prepareStackTrace = (error, frames) => {
    const isAll = Error.stackTraceLimit === Infinity;
    if (error.message === "" && !isAll) return String(error);
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- V8's call sites print themselves; their type does not say so.
    return [error, ...(isAll ? frames.slice(0, FRAMES) : frames)].join("\n    at ");
  };
}

/** The SDK's promises, which it watches for their end: each also keeps the stack of the moment when it was made. */
type Watch = (promise: Promise<unknown>, words: unknown) => Promise<unknown>;

/** The SDK still reports promises that never end. The stacks were 6 % of the program's processor time at 100 sites. */
function promisesWithoutStack(): void {
  const { debuggablePromise: watch } = debuggable as unknown as { debuggablePromise: Watch };
  const watchOnly: Watch = (promise, words) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return watch(promise, words);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
  Object.assign(debuggable, { debuggablePromise: watchOnly });
}

/**
 * The SDK sends its debug messages to the engine one after the other, some six for each resource, whether or not
 * anybody asked for them, and the program cannot end before the last has arrived.
 */
function noDebugMessages(): void {
  Object.assign(log, { debug: () => Promise.resolve() });
}
