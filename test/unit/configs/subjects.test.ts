import assert from "node:assert/strict";
import fc from "fast-check";
import { covers, overlaps, reservedBy, subjectProblem } from "../../../configs/subjects";

// The oracle lists every subject of up to four tokens over a small alphabet and matches token by token. Patterns have at
// most three tokens and two literals of their own: where two of them differ, one of these subjects shows it.
const ALPHABET = ["a", "b", "c"];
const SUBJECTS: string[][] = [1, 2, 3, 4].flatMap((length) =>
  Array.from({ length }).reduce<string[][]>(
    (heads) => heads.flatMap((head) => ALPHABET.map((token) => [...head, token])),
    [[]],
  ),
);

function matches(pattern: string, subject: readonly string[]): boolean {
  const [token, ...rest] = pattern.split(".");
  if (token === ">") return subject.length > 0;
  if (subject.length === 0 || (token !== "*" && token !== subject[0])) return false;
  return rest.length === 0 ? subject.length === 1 : matches(rest.join("."), subject.slice(1));
}

const matched = (pattern: string): string[][] => SUBJECTS.filter((subject) => matches(pattern, subject));

const pattern = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, rest]) => [...(rest ? tokens.slice(0, 2) : tokens), ...(rest ? [">"] : [])].join("."));
const anyPattern = fc.oneof(pattern, fc.constant(">"));

describe("two subject patterns", () => {
  it("overlap exactly when some subject matches both", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (a, b) => {
        assert.equal(
          overlaps(a, b),
          matched(a).some((subject) => matches(b, subject)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("overlap whichever comes first", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (a, b) => {
        assert.equal(overlaps(a, b), overlaps(b, a));
      }),
    );
  });

  it("cover one another exactly when each subject of the second matches the first", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (a, b) => {
        assert.equal(
          covers(a, b),
          matched(b).every((subject) => matches(a, subject)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("overlap when one covers the other", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (a, b) => {
        if (covers(a, b)) assert.ok(overlaps(a, b));
      }),
    );
  });

  const OVERLAP: readonly (readonly [string, string])[] = [
    ["events.>", "events.a.b"],
    ["a.*.c", "a.b.*"],
    [">", "a"],
    ["*.b", "a.>"],
  ];
  for (const [a, b] of OVERLAP) {
    it(`overlap: ${a} and ${b}`, () => {
      assert.equal(overlaps(a, b), true);
    });
  }

  const DISTINCT: readonly (readonly [string, string])[] = [
    ["events.>", "events"],
    ["events.>", "event.a"],
    ["a.*", "a.b.c"],
    ["a.*.c", "a.b.d"],
  ];
  for (const [a, b] of DISTINCT) {
    it(`do not overlap: ${a} and ${b}`, () => {
      assert.equal(overlaps(a, b), false);
    });
  }
});

describe("a stream's subject", () => {
  for (const subject of ["a", "events.>", "a.*.b", "*", "sensor-1.temp_c", "ümlaut.ø", "$foo.a"]) {
    it(`may be ${subject}`, () => {
      assert.equal(subjectProblem(subject), undefined);
    });
  }

  const WRONG: Readonly<Record<string, string>> = {
    "": "is empty",
    "a b": "contains white space or a control character",
    "a\u0000": "contains white space or a control character",
    "a\u007f": "contains white space or a control character",
    "a..b": "has an empty token",
    ".a": "has an empty token",
    "a.": "has an empty token",
    ">.a": "has '>' before its last token",
    "a.b*": "has a wildcard inside a token",
    "a.>>": "has a wildcard inside a token",
  };
  for (const [subject, problem] of Object.entries(WRONG)) {
    it(`may not be ${JSON.stringify(subject)}: it ${problem}`, () => {
      assert.equal(subjectProblem(subject), problem);
    });
  }

  const RESERVED: Readonly<Record<string, string>> = {
    ">": "$JS.>",
    "$JS.API.INFO": "$JS.>",
    "$JSC.R.x": "$JSC.>",
    "$NRG.x": "$NRG.>",
    "$SYS.>": "$SYS.>",
    "$KV.bucket.key": "$KV.>",
    "$O.bucket.>": "$O.>",
    "$MQTT.x": "$MQTT.>",
    "_INBOX.*": "_INBOX.>",
    "_R_.x": "_R_.>",
    "_probe.EVENTS.1": "_probe.>",
    "_source.oslo.>": "_source.>",
    "*.temp": "$JS.>",
  };
  for (const [subject, taken] of Object.entries(RESERVED)) {
    it(`${subject} touches the reserved ${taken}`, () => {
      assert.equal(reservedBy(subject), taken);
    });
  }

  for (const subject of ["events.>", "*", "$JSX.a", "probe.>", "_sources.a"]) {
    it(`${subject} touches no reserved one`, () => {
      assert.equal(reservedBy(subject), undefined);
    });
  }
});
