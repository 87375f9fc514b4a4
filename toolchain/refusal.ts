/** Something a person has to put right: its message says where, what and the cure, and is shown without a stack trace. */
export class Refusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refusal";
  }
}

/** What to print for an error that ends a command: a program's own mistake keeps its stack trace. */
export function report(error: unknown): void {
  console.error(error instanceof Refusal ? error.message : error);
}
