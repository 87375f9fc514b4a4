import { CLONE_ROWS } from "./clones";
import { CARRIED_ROWS } from "./carried";
import { DISK_ROWS } from "./disks";
import { HUB_ROWS } from "./hubs";
import { LINK_ROWS } from "./links";
import { LOSS_ROWS } from "./losses";
import { PAIR_ROWS } from "./pairs";
import { STREAM_ROWS } from "./streams";
import { STRESS_ROWS } from "./stress";
import { REFUSAL_ROWS } from "./refusals";
import { WATCHER_ROWS } from "./watchers";
import { Row } from "./catalogue";

/** The mistake that is made before the deployment: it has a test of its own. */
export const FAILED_STEP = {
  title: "another program on a site's port",
  finds: ["oslo: step-failed"],
  evidence: { "step-failed": /./ },
  cause: { "step-failed": /port \d+ \(client\) is taken by a process that this program did not start/ },
};

/** The whole catalogue, in the order in which docs/catalogue.md shows it. */
export const GROUPS: Record<string, readonly Row[]> = {
  "Servers, keys, links": [...LINK_ROWS, ...CLONE_ROWS],
  "What the link carries": CARRIED_ROWS,
  "Streams, sources, limits": STREAM_ROWS,
  "Full disks": DISK_ROWS,
  "A hub of three": HUB_ROWS,
  "Refused at the site, frozen, hung": REFUSAL_ROWS,
  "The watcher": WATCHER_ROWS,
  Losses: LOSS_ROWS,
  "Two mistakes at once": PAIR_ROWS,
  "Nothing wrong: busy, slow, or just back": STRESS_ROWS,
};
