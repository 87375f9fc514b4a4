/**
 * Leaves call stacks as they are, without source maps. Pulumi records the call stack of every resource and every
 * promise, and mapping each one costs a third of the program's time at 50 sites. Files keep their names and, as the
 * transpiler only drops types, nearly their lines.
 */
export function plainStackTraces(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
}
