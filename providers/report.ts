/** Lines for the person who watches `pulumi preview` or `pulumi up`; the CLI shows them while the work goes on. */
export function report(line: string): void {
  console.log(line);
}
