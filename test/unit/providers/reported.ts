/** The lines that `report` shows while `work` runs; nothing of them reaches the terminal. */
export async function reported(work: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines;
}
