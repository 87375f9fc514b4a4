import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { authenticated, sealed, unsealed } from "../../../../commands/backup/sealed";
import { Derivation, keyOf, newDerivation } from "../../../../machine/journal/derivation";

const KEY = randomBytes(32);

async function* inChunks(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    await Promise.resolve();
    yield bytes.subarray(start, start + length);
  }
}

async function all(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const seal = (bytes: Buffer, name = "a"): Promise<Buffer> => all(sealed(inChunks(bytes, 10_000), KEY, name));
const open = (bytes: Buffer, key = KEY, name = "a"): Promise<Buffer> => all(unsealed(inChunks(bytes, 777), key, name));

describe("encrypted files", () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000, 131_072])
    it(`give back ${length} bytes`, async () => {
      const bytes = randomBytes(length);
      assert.ok((await open(await seal(bytes))).equals(bytes));
    });

  it("show nothing of what they hold, and are never the same twice", async () => {
    const bytes = Buffer.alloc(70_000, "secret");
    const [one, two] = [await seal(bytes), await seal(bytes)];
    assert.ok(!one.includes("secret"));
    assert.ok(!one.equals(two));
  });

  it("do not open with another key, nor under another name", async () => {
    const file = await seal(Buffer.from("text"));
    await assert.rejects(open(file, randomBytes(32)));
    await assert.rejects(open(file, KEY, "b"));
  });

  it("do not open when any byte was changed", async () => {
    const file = await seal(randomBytes(70_000));
    for (const at of [0, 15, 16, 40_000, 65_552, 65_553, file.length - 1]) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1;
      await assert.rejects(open(changed), `byte ${at}`);
    }
  });

  it("do not open when the end was cut off, at the end of a chunk too", async () => {
    const file = await seal(randomBytes(200_000));
    for (const length of [10, 16, 20, 16 + 65_552, 16 + 2 * 65_552, file.length - 1])
      await assert.rejects(open(file.subarray(0, length)), `${length} bytes`);
  });

  it("do not open when chunks changed places", async () => {
    const file = await seal(randomBytes(200_000));
    const chunk = (index: number) => file.subarray(16 + index * 65_552, 16 + (index + 1) * 65_552);
    await assert.rejects(
      open(Buffer.concat([file.subarray(0, 16), chunk(1), chunk(0), file.subarray(16 + 2 * 65_552)])),
    );
  });

  it("have a key of the passphrase, and another one for each derivation", () => {
    const quick: Derivation = { ...newDerivation(), cost: 2 ** 10 };
    assert.ok(keyOf("word", quick).equals(keyOf("word", quick)));
    assert.ok(!keyOf("word", quick).equals(keyOf("words", quick)));
    assert.ok(!keyOf("word", quick).equals(keyOf("word", { ...newDerivation(), cost: 2 ** 10 })));
  });

  it("refuse a cost that would take all memory", () => {
    assert.throws(() => keyOf("word", { ...newDerivation(), cost: 2 ** 30 }), /out of range/);
  });

  it("authenticate a text", () => {
    assert.equal(authenticated(KEY, "text"), authenticated(KEY, "text"));
    assert.notEqual(authenticated(KEY, "text"), authenticated(KEY, "texts"));
  });
});
