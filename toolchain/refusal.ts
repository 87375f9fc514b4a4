import { Refusal } from "../providers/refusal";

export { Refusal };

/** What to print for an error that ends a command: a program's own mistake keeps its stack trace. */
export function report(error: unknown): void {
  console.error(error instanceof Refusal ? error.message : error);
}
