import assert from "node:assert/strict";
import fc from "fast-check";
import { formatSize, parseDuration, parseSize, serverDuration } from "../../../../configs/text/units";

describe("a size", () => {
  const SIZES: Readonly<Record<string, number>> = {
    "0B": 0,
    "1B": 1,
    "2500kB": 2_500_000,
    "3MB": 3_000_000,
    "1GB": 1_000_000_000,
    "1TB": 1_000_000_000_000,
    "1KiB": 1024,
    "256MiB": 268_435_456,
    "1.5GiB": 1_610_612_736,
    "1TiB": 1_099_511_627_776,
    " 16 MiB ": 16_777_216,
  };
  for (const [text, bytes] of Object.entries(SIZES)) {
    it(`"${text}" is ${bytes} bytes`, () => {
      assert.equal(parseSize(text), bytes);
    });
  }

  for (const text of [
    "",
    "16",
    "MiB",
    "-1MiB",
    "16mib",
    "16 M",
    "1,5GiB",
    "1e3B",
    "16MiB!",
    "30s",
    ".5GiB",
    "9999999TiB",
  ]) {
    it(`"${text}" is none`, () => {
      assert.equal(parseSize(text), undefined);
    });
  }

  it("is a whole number of bytes", () => {
    assert.equal(parseSize("0.3B"), 0);
    assert.equal(parseSize("1.0001KiB"), 1024);
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = parseSize(text);
        assert.ok(bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0));
      }),
    );
  });

  const SHOWN: Readonly<Record<string, number>> = {
    "0 B": 0,
    "1023 B": 1023,
    "1 KiB": 1024,
    "1.5 KiB": 1536,
    "256 MiB": 268_435_456,
    "2 GiB": 2_147_483_648,
    "3 TiB": 3_298_534_883_328,
  };
  for (const [text, bytes] of Object.entries(SHOWN)) {
    it(`of ${bytes} bytes is shown as ${text}`, () => {
      assert.equal(formatSize(bytes), text);
    });
  }

  it("that is shown can be read again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 43 }), (bytes) => {
        const again = parseSize(formatSize(bytes));
        assert.ok(again !== undefined && Math.abs(again - bytes) <= bytes * 0.051);
      }),
    );
  });
});

describe("a duration", () => {
  const DURATIONS: Readonly<Record<string, number>> = {
    "0s": 0,
    "100ms": 100,
    "30s": 30_000,
    "1.5m": 90_000,
    "2h": 7_200_000,
    "7d": 604_800_000,
  };
  for (const [text, ms] of Object.entries(DURATIONS)) {
    it(`"${text}" is ${ms} milliseconds`, () => {
      assert.equal(parseDuration(text), ms);
    });
  }

  for (const text of ["", "30", "s", "-30s", "30S", "1m30s", "30 seconds", "16MiB", "always"]) {
    it(`"${text}" is none`, () => {
      assert.equal(parseDuration(text), undefined);
    });
  }

  const WRITTEN: Readonly<Record<string, number>> = {
    "0s": 0,
    "250ms": 250,
    "1s": 1000,
    "1500ms": 1500,
    "120s": 120_000,
  };
  for (const [text, ms] of Object.entries(WRITTEN)) {
    it(`of ${ms} milliseconds is written ${text} for the server`, () => {
      assert.equal(serverDuration(ms), text);
    });
  }

  it("that is written for the server is the same duration when read again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        assert.equal(parseDuration(serverDuration(ms)), ms);
      }),
    );
  });
});
