/**
 * Frames kept when all are asked for: Pulumi skips its own five, then records the rest with every resource, in the state.
 */
const FRAMES = 7;

/**
 * Makes call stacks cheap. Pulumi records the whole stack of every resource and every promise: mapping each one through
 * source maps costs a third of the program's time at 50 sites, and the stacks are a seventh of the state. They stay
 * unmapped here (files keep their names and, as the transpiler only drops types, nearly their lines), and one that is
 * taken without a limit ends after the frames that made the resource.
 */
export function shortStackTraces(): void {
  Error.prepareStackTrace = (error, frames) => {
    const kept = Error.stackTraceLimit === Infinity ? frames.slice(0, FRAMES) : frames;
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- V8's call sites print themselves; their type does not say so.
    return [error, ...kept].join("\n    at ");
  };
}
