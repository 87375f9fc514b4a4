import Table from "cli-table3";
import { latencyWords, timeWords } from "../../views/topology/standing";

/** One row of the stack output `proof`: what the smoke test found about one stream of one site. */
interface ProofRow {
  readonly site: string;
  readonly link: string;
  readonly account: string;
  readonly stream: string;
  readonly messages: number;
  readonly latencyMs?: number;
  readonly status: string;
  readonly provenAt?: string;
  readonly note?: string;
}

/** The table at the end of `make up`, or a line that says why there is none. */
export function proofTable(output: unknown): string {
  if (!Array.isArray(output)) return "the stack has no output 'proof': nothing was proven";
  if (output.length === 0) return "the stack's output 'proof' is empty: no site has data to prove";
  const rows = output as readonly Partial<ProofRow>[];
  const withNote = rows.some((row) => row.note !== undefined && row.note !== "");
  const table = new Table({
    head: [
      "site",
      "link",
      "account",
      "stream",
      "messages",
      "latency",
      "status",
      "last proven",
      ...(withNote ? ["note"] : []),
    ],
    colAligns: ["left", "left", "left", "left", "right", "right", "left"],
    // No colours: the table is also read in CI logs and files.
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const cells = [row.site, row.link, row.account, row.stream, row.messages, latency(row.latencyMs), row.status];
    const provenAt = row.provenAt === undefined ? "never" : timeWords(row.provenAt);
    table.push(
      [...cells, provenAt, ...(withNote ? [row.note] : [])].map((cell) => (cell === undefined ? "-" : String(cell))),
    );
  }
  return table.toString();
}

function latency(milliseconds: unknown): string | undefined {
  return typeof milliseconds === "number" ? latencyWords(milliseconds) : undefined;
}
