/**
 * An error meant for the person who runs the program: where, what, cure. It carries no stack, because Pulumi prints
 * the stack of every provider error beside its message.
 */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refusal";
    this.stack = "";
  }
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For steps that may fail: only a Refusal is passed on. */
export function passUnlessRefusal(error: unknown): void {
  if (error instanceof Refusal) throw error;
}

/** Prints an error that ends a command: a program's own mistake keeps its stack trace. */
export function report(error: unknown): void {
  console.error(error instanceof Refusal ? error.message : error);
}
