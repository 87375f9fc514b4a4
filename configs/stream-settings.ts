import { z } from "zod";
import { about, duration, size, streamName } from "./text/setting";

const discard = z.enum(["old", "new"]);
const storage = z.enum(["file", "memory"]);

const collect = about(
  "how the hub collects the stream",
  z
    .strictObject({
      mode: about(
        "`perSite`: a hub stream in the site's own account. `merged`: one hub stream in the account HUB that sources all sites, every subject prefixed by the site's name",
        z.enum(["perSite", "merged"]).default("perSite"),
        { change: "another stream; the old one is kept" },
      ),
      maxBytes: about("most bytes of the hub's stream; in `perSite`, of each one", size().prefault("1GiB")),
      maxAge: about("age at which the hub drops a message; `0s` keeps messages", duration().prefault("0s")),
      replicas: about(
        "copies of the hub's stream, each on a server of its own: 1, 3 or 5, at most as many as the hub has servers",
        z.int().min(1).max(5).default(1),
        { unset: "`1`; with several servers 3" },
      ),
      discard: about(
        "what a full hub stream does: `old` drops its oldest message, `new` refuses the new one",
        discard.default("old"),
      ),
      storage: about("where the hub keeps the stream, `file` or `memory`", storage.default("file"), {
        change: "refused",
      }),
    })
    .prefault({}),
);

/** The settings of one stream. */
export const streamSettings = z.strictObject({
  name: about(
    "1 to 64 letters, digits, `_`, `-`; `merged` adds the site's name at the sites (`EVENTS_OSLO`)",
    streamName,
    { change: "another stream; the old one is kept" },
  ),
  subjects: about("1 to 32 subjects, `*` and `>` allowed", z.array(z.string()).min(1).max(32)),
  maxBytes: about("most bytes at each site", size().prefault("512MiB")),
  maxAge: about(
    "age at which a site drops a message; choose it for the longest outage that you plan for; `0s` keeps messages",
    duration().prefault("0s"),
  ),
  storage: about("where the site keeps the stream, `file` or `memory`", storage.default("file"), {
    change: "refused",
  }),
  discard: about(
    "what a full stream does: `old` drops its oldest message, `new` refuses the new one",
    discard.default("old"),
  ),
  adopt: about("take over a stream of this name that this program did not make", z.boolean().default(false)),
  collect,
});
