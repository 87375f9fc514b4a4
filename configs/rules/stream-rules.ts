import { HUB_ACCOUNT, PROBE_SUFFIX, probeStreamName, siteStreamName } from "../names";
import { Problem } from "../problem";
import { Rule, distinct, ms, repeated } from "./rule";
import { serverCount } from "../placement";
import { overlaps, reservedBy, subjectProblem } from "../subjects";

const MIN_AGE = 100;

/** The rules about streams: their names, subjects and limits. */
export const STREAM_RULES = {
  streamNamesDiffer: ({ streams }) =>
    repeated(streams, (stream) => stream.name).map(({ again, index }) => ({
      where: `streams[${index}].name`,
      problem: `'${again.name}' is used twice`,
      cure: "stream names must differ",
    })),

  streamNamesDifferAtSites: ({ streams, sites }) =>
    sites.flatMap((site) =>
      repeated(
        distinct(streams, (stream) => stream.name),
        (stream) => siteStreamName(stream, site.name),
      ).map(({ again }) => ({
        where: `streams '${again.name}'`,
        problem: `has the name of another stream at site '${site.name}' ("merged" adds the site's name)`,
        cure: "rename one of them",
      })),
    ),

  // `$JS.FC.<stream>.>` of every site, and of its stand-in for probes, meets the hub's own streams in the account HUB.
  mergedNamesDifferOnTheHub: ({ streams, sites }) => {
    const merged = distinct(streams, (stream) => stream.name).filter(({ collect }) => collect.mode === "merged");
    const taken = merged.flatMap((stream) => [
      { name: stream.name, by: `stream '${stream.name}'` },
      ...distinct(sites, (site) => site.name).flatMap((site) => {
        const name = siteStreamName(stream, site.name);
        return [name, probeStreamName(name)].map((each) => ({
          name: each,
          by: `stream '${stream.name}' of site '${site.name}'`,
        }));
      }),
    ]);
    const clashes = distinct(
      repeated(taken, ({ name }) => name),
      ({ first, again }) => `${first.by} ${again.by}`,
    );
    return clashes.map(({ first, again }) => ({
      where: "streams",
      problem: `${first.by} and ${again.by} both take the name ${again.name} in the account ${HUB_ACCOUNT}`,
      cure: "rename a stream or a site (\"merged\" adds the site's name to the stream's)",
    }));
  },

  probeNamesAreFree: ({ streams }) =>
    streams.flatMap(({ name }, i) =>
      name.endsWith(PROBE_SUFFIX)
        ? [
            {
              where: `streams[${i}].name`,
              problem: `'${name}' ends in ${PROBE_SUFFIX}, like the streams that the smoke test makes and deletes`,
              cure: "choose another name",
            },
          ]
        : [],
    ),

  subjectsAreValid: ({ streams }) =>
    streams.flatMap((stream, i) =>
      stream.subjects.flatMap((subject, j): Problem[] => {
        const where = `streams[${i}].subjects[${j}]`;
        const invalid = subjectProblem(subject);
        if (invalid !== undefined) {
          return [
            {
              where,
              problem: `'${subject}' ${invalid}`,
              cure: "write tokens separated by dots, '*' for one token, '>' at the end for the rest",
            },
          ];
        }
        const taken = reservedBy(subject);
        if (taken === undefined) return [];
        return [
          {
            where,
            problem: `'${subject}' touches the reserved subjects '${taken}'`,
            cure: "choose subjects of your own, such as 'events.>'",
          },
        ];
      }),
    ),

  subjectsDoNotOverlap: ({ streams }) => {
    const all = streams.flatMap((stream, i) =>
      stream.subjects.map((subject, j) => ({ subject, where: `streams[${i}].subjects[${j}]`, stream: stream.name })),
    );
    return all.flatMap((a, i) =>
      all
        .slice(i + 1)
        .filter((b) => overlaps(a.subject, b.subject))
        .map((b) => ({
          where: b.where,
          problem: `'${b.subject}' overlaps '${a.subject}' of ${a.where} (stream ${a.stream})`,
          cure: "each message must belong to one stream: make the subjects distinct",
        })),
    );
  },

  zeroIsNoLimit: ({ hub, sites, streams }) => {
    const servers = [{ where: "hub", ...hub }, ...sites.map((site, i) => ({ where: `sites[${i}]`, ...site }))];
    const values = [
      ...servers.flatMap(({ where, syncInterval, logs }) => [
        { where: `${where}.syncInterval`, value: syncInterval, meaning: "two minutes" },
        { where: `${where}.logs.sizeLimit`, value: logs.sizeLimit, meaning: "an endless log" },
      ]),
      ...streams.flatMap(({ maxBytes, collect }, i) => [
        { where: `streams[${i}].maxBytes`, value: maxBytes, meaning: "no limit" },
        { where: `streams[${i}].collect.maxBytes`, value: collect.maxBytes, meaning: "no limit" },
      ]),
    ];
    return values
      .filter(({ value }) => value === 0)
      .map(({ where, meaning }) => ({
        where,
        problem: `is 0, which means ${meaning} to nats-server`,
        cure: "use a value above 0",
      }));
  },

  agesAreNotTooShort: ({ streams }) =>
    streams.flatMap(({ maxAge, collect }, i) =>
      [
        { where: `streams[${i}].maxAge`, age: maxAge },
        { where: `streams[${i}].collect.maxAge`, age: collect.maxAge },
      ]
        .filter(({ age }) => age > 0 && age < MIN_AGE)
        .map(({ where, age }) => ({
          where,
          problem: `${ms(age)} is less than JetStream accepts`,
          cure: `use ${ms(MIN_AGE)} or more, or "0s" to keep messages`,
        })),
    ),

  replicasFitTheHub: ({ hub, streams }) =>
    streams.flatMap(({ collect: { replicas } }, i): Problem[] => {
      const where = `streams[${i}].collect.replicas`;
      const servers = serverCount(hub);
      if (replicas > servers) {
        const has = servers === 1 ? "this hub is one server" : `this hub has ${servers}`;
        const problem = `${replicas} copies need as many hub servers, but ${has}`;
        return [{ where, problem, cure: `use ${servers === 1 ? "1" : `${servers} or fewer`}` }];
      }
      return replicas % 2 === 1
        ? []
        : [
            {
              where,
              problem: `${replicas} copies survive no more failures than ${replicas - 1}`,
              cure: `use ${replicas - 1} or ${replicas + 1}`,
            },
          ];
    }),
} satisfies Record<string, Rule>;
