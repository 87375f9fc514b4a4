import { digest } from "../machine/digest";
import { report } from "../machine/report";
import { SmokeTestInputs, SmokeTestOutputs } from "../fleet/proof/job";
import { diagnose } from "../diagnosis/diagnose";
import { sideBySide } from "../machine/side-by-side";
import { readable } from "../fleet/observation/observe-server";
import { observe } from "../fleet/observation/observe";
import { isOnline, prove, serverIds } from "../fleet/proof/prove";
import { observedOf } from "../fleet/proof/run";
import { isResized } from "../fleet/streams/moves";
import { unproven } from "../fleet/observation/unproven";
import { hasUnknown, inputsOnly } from "../configs/values";

/** The smoke test as a resource: when it runs, and what it leaves in the state. */

export { prove } from "../fleet/proof/prove";
export type { SmokeTestInputs, SmokeTestOutputs, SmokeTestSite } from "../fleet/proof/job";
export type { ProofRow } from "../fleet/proof/proof";

const listOf = (names: string[]): string =>
  names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;

/** Whole messages are sent. */
const burstBytes = ({ burst, burstMessage }: SmokeTestInputs["probes"]): number =>
  Math.ceil(burst / burstMessage) * burstMessage;

const AGAIN = "runs again: ";
const reportProof = (why: string, what: string): void =>
  report(`smoke test: ${why}${what}`, { kind: "proof", values: { what } });

const megabytes = (bytes: number): string => `${Number((bytes / 1e6).toFixed(2))} MB`;

export async function check(olds: Partial<SmokeTestInputs>, news: SmokeTestInputs) {
  const burst = news.sites.filter(
    (site) => isOnline(site) && olds.sites?.find((old) => old.site === site.site)?.declared !== site.declared,
  );
  if (news.wave !== undefined) {
    const { number, later } = news.wave;
    const waits = `${listOf(later)} ${later.length === 1 ? "waits" : "wait"} until this wave is proven`;
    if (burst.length > 0) report(`wave ${number}: ${listOf(news.sites.map(({ site }) => site))}; ${waits}`);
  } else if (burst.length > 0 && news.streams.length > 0) {
    const { probes, streams } = news;
    const others = burst.length === news.sites.filter(isOnline).length ? "" : "; one probe over each other link";
    reportProof(
      "",
      `${megabytes(burstBytes(probes) * streams.length)} over the link of ${listOf(burst.map(({ site }) => site))}${burst.length > 1 ? " each" : ""}${others}`,
    );
  }
  return { inputs: news };
}

export async function create(inputs: SmokeTestInputs) {
  return { id: "smoke-test", outs: await prove(inputs) };
}

export async function diff(_id: string, olds: SmokeTestOutputs, news: SmokeTestInputs) {
  if (hasUnknown(news) || news.run === "always" || olds.inputs !== digest(inputsOnly(news))) return { changes: true };
  const changed = unproven(olds.root);
  // Only for what this wave changed: the smoke test looks at all sites later.
  if (news.wave !== undefined) return { changes: news.sites.some(({ site }) => changed.includes(site)) };
  if (changed.length > 0) reportProof(AGAIN, `not proven since the last change: ${listOf(changed)}`);
  // What runs again anyway looks at every site.
  const [ids, wrong] = changed.length > 0 ? [{}, []] : await Promise.all([serverIds(news), lookOver(news, olds)]);
  const others = Object.keys(ids).filter((name) => ids[name] !== olds.proven.servers[name]);
  if (others.length > 0) reportProof(AGAIN, `${listOf(others)}: not the servers that were proven`);
  else if (wrong.length > 0) reportProof(AGAIN, `a look finds ${listOf(wrong)}`);
  return { changes: changed.length + others.length + wrong.length > 0 };
}

const LOOK_TIMEOUT_MS = 4_000;

/** Looks at every site and reports its warnings; resolves with its errors, such as "link-down at oslo". */
async function lookOver(inputs: SmokeTestInputs, olds: SmokeTestOutputs): Promise<string[]> {
  const online = inputs.sites.filter(isOnline);
  const found = await sideBySide(online, async (site) => {
    const facts = await readable(observe(observedOf(inputs, site, olds)), LOOK_TIMEOUT_MS);
    return facts === undefined ? [] : diagnose(facts);
  });
  const all = found.flat();
  for (const { site, cause, code } of all.filter(({ severity }) => severity === "warning"))
    report(`site ${site}: ${cause} [${code}]`, { kind: "found", server: site, values: { code } });
  return all.flatMap(({ severity, code, site }) => (severity === "error" ? [`${code} at ${site}`] : []));
}

export async function update(_id: string, olds: SmokeTestOutputs, news: SmokeTestInputs) {
  // Before the hub has got back what it held, nothing is proven: see commands/resize.
  return { outs: isResized() ? olds : await prove(news, olds) };
}
