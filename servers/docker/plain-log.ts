/** The engine puts 8 bytes before each piece of an output: where it went, and how long it is. */
export function plainLog(multiplexed: Buffer): string {
  const pieces: string[] = [];
  for (let at = 0; at + 8 <= multiplexed.length;) {
    const end = at + 8 + multiplexed.readUInt32BE(at + 4);
    pieces.push(multiplexed.toString("utf8", at + 8, end));
    at = end;
  }
  return pieces.join("");
}
