import { concurrently } from "../concurrently";

/** A test for each case of a class: the work is done for several at a time, and each outcome is judged in its own test. */
export function eachCase<C extends { kind: string; what: string }, T>(
  casesOf: (kind: "good" | "mistakes") => C[],
  atOnce: number,
  work: (one: C) => Promise<T>,
  judge: (one: C, outcome: T) => void,
): void {
  for (const kind of ["mistakes", "good"] as const) {
    describe(kind, () => {
      const cases = casesOf(kind);
      let outcomes: Promise<T>[] = [];
      let isOver = false;

      before(() => {
        outcomes = concurrently(
          atOnce,
          cases.map((one) => () => (isOver ? Promise.reject(new Error("the tests are over")) : work(one))),
        );
      });

      // With -g most cases are nobody's: no more of them begin, and no server of theirs is left.
      after(async () => {
        isOver = true;
        await Promise.allSettled(outcomes);
      });

      cases.forEach((one, index) => {
        it(`${one.kind}: ${one.what}`, async () => judge(one, await outcomes[index]!));
      });
    });
  }
}
