import { Cases, merged, sites, stream, withSubjects } from "../../support/rules/rule-cases";

/** Every rule about streams with what it refuses and what it lets pass; rules.test.ts runs them. */
export const STREAM_CASES: Cases = {
  streamNamesDiffer: {
    refuses: [
      {
        what: "two streams with one name",
        raw: { streams: [stream("EVENTS"), stream("EVENTS", { subjects: ["other.>"] })] },
        says: ["streams[1].name: 'EVENTS' is used twice"],
      },
    ],
    passes: [{ what: "streams whose names differ", raw: { streams: [stream("EVENTS"), stream("LOGS")] } }],
  },

  streamNamesDifferAtSites: {
    refuses: [
      {
        what: "a stream that has at a site the name of a merged one",
        raw: { sites: sites("bergen", "oslo"), streams: [merged("EVENTS"), stream("EVENTS_OSLO")] },
        says: [`streams 'EVENTS_OSLO': has the name of another stream at site 'oslo' ("merged" adds the site's name)`],
      },
    ],
    passes: [
      {
        what: "the same names where no site has that name",
        raw: { sites: sites("bergen"), streams: [merged("EVENTS"), stream("EVENTS_OSLO")] },
      },
    ],
  },

  mergedNamesDifferOnTheHub: {
    refuses: [
      {
        what: "merged streams of two sites whose flow control would meet under one name",
        raw: { sites: sites("b", "a-b"), streams: [merged("EVENTS_A"), merged("EVENTS")] },
        says: [
          "streams: stream 'EVENTS_A' of site 'b' and stream 'EVENTS' of site 'a-b' " +
            "both take the name EVENTS_A_B in the account HUB",
        ],
      },
      {
        what: "a merged stream with the name that another one has at a site",
        raw: { sites: sites("oslo"), streams: [merged("EVENTS_OSLO"), merged("EVENTS")] },
        says: [
          "streams: stream 'EVENTS_OSLO' and stream 'EVENTS' of site 'oslo' " +
            "both take the name EVENTS_OSLO in the account HUB",
        ],
      },
      {
        what: "a site whose merged stream has the name of another's stand-in for probes",
        raw: { sites: sites("a", "a-probe"), streams: [merged("EVENTS")] },
        says: [
          "streams: stream 'EVENTS' of site 'a' and stream 'EVENTS' of site 'a-probe' " +
            "both take the name EVENTS_A_PROBE in the account HUB",
        ],
      },
    ],
    passes: [
      {
        what: "the same names when the hub collects them by site",
        raw: { sites: sites("b", "a-b"), streams: [stream("EVENTS_A"), stream("EVENTS")] },
      },
      {
        what: "merged streams of many sites",
        raw: { sites: sites("oslo", "oslo-2"), streams: [merged("EVENTS"), merged("LOGS")] },
      },
    ],
  },

  probeNamesAreFree: {
    refuses: [
      {
        what: "a stream that the smoke test would take for its own, and delete",
        raw: { streams: [stream("EVENTS"), stream("EVENTS_PROBE")] },
        says: [
          "streams[1].name: 'EVENTS_PROBE' ends in _PROBE, like the streams that the smoke test makes and deletes",
        ],
      },
    ],
    passes: [{ what: "a stream about probes", raw: { streams: [stream("PROBES"), stream("_PROBE_1")] } }],
  },

  subjectsAreValid: {
    refuses: [
      {
        what: "a subject that is none",
        raw: withSubjects("a.b", "a..c"),
        says: ["streams[0].subjects[1]: 'a..c' has an empty token"],
      },
      {
        what: "a subject of the server's own",
        raw: withSubjects("$JS.API.>"),
        says: ["streams[0].subjects[0]: '$JS.API.>' touches the reserved subjects '$JS.>'"],
      },
      {
        what: "a stream of all subjects: it would store the servers' own messages",
        raw: withSubjects(">"),
        says: ["streams[0].subjects[0]: '>' touches the reserved subjects '$JS.>'"],
      },
      {
        what: "a subject of the probes",
        raw: withSubjects("_probe.a"),
        says: ["streams[0].subjects[0]: '_probe.a' touches the reserved subjects '_probe.>'"],
      },
    ],
    passes: [{ what: "subjects with wildcards", raw: withSubjects("events.*.door.>", "*") }],
  },

  subjectsDoNotOverlap: {
    refuses: [
      {
        what: "two streams that would store the same message",
        raw: {
          streams: [stream("EVENTS", { subjects: ["a", "b.*"] }), stream("LOGS", { subjects: ["c", "b.x"] })],
        },
        says: ["streams[1].subjects[1]: 'b.x' overlaps 'b.*' of streams[0].subjects[1] (stream EVENTS)"],
      },
      {
        what: "one subject within another of the same stream",
        raw: withSubjects("a.>", "a.b"),
        says: ["streams[0].subjects[1]: 'a.b' overlaps 'a.>' of streams[0].subjects[0] (stream EVENTS)"],
      },
    ],
    passes: [
      {
        what: "streams with subjects apart",
        raw: { streams: [stream("EVENTS", { subjects: ["a.*"] }), stream("LOGS", { subjects: ["a.*.c", "b.>"] })] },
      },
    ],
  },

  zeroIsNoLimit: {
    refuses: [
      {
        what: "a stream of no bytes, at the site and on the hub",
        raw: { streams: [stream("A", { maxBytes: "0B", collect: { maxBytes: "0B" } })] },
        says: [
          "streams[0].maxBytes: is 0, which means no limit to nats-server",
          "streams[0].collect.maxBytes: is 0, which means no limit to nats-server",
        ],
      },
      {
        what: "a sync interval of no time",
        raw: { hub: { syncInterval: "0s" }, sites: [{ name: "oslo", syncInterval: "0s" }] },
        says: [
          "hub.syncInterval: is 0, which means two minutes to nats-server",
          "sites[0].syncInterval: is 0, which means two minutes to nats-server",
        ],
      },
      {
        what: "a log of no size",
        raw: { hub: { logs: { sizeLimit: "0B" } } },
        says: ["hub.logs.sizeLimit: is 0, which means an endless log to nats-server"],
      },
    ],
    passes: [
      { what: "small limits", raw: { hub: { syncInterval: "1ms" }, streams: [stream("A", { maxBytes: "1B" })] } },
      {
        what: "an age of 0: it keeps the messages in JetStream too",
        raw: { streams: [stream("A", { maxAge: "0s" })] },
      },
    ],
  },

  agesAreNotTooShort: {
    refuses: [
      {
        what: "ages that JetStream refuses",
        raw: { streams: [stream("A", { maxAge: "99ms", collect: { maxAge: "1ms" } })] },
        says: [
          "streams[0].maxAge: 99 ms is less than JetStream accepts",
          "streams[0].collect.maxAge: 1 ms is less than JetStream accepts",
        ],
      },
    ],
    passes: [
      {
        what: "the shortest age, and none",
        raw: { streams: [stream("A", { maxAge: "100ms", collect: { maxAge: "0s" } })] },
      },
    ],
  },

  replicasFitTheHub: {
    refuses: [
      {
        what: "copies on servers that the hub does not have",
        raw: { streams: [stream("A", { collect: { replicas: 3 } })] },
        says: ["streams[0].collect.replicas: 3 copies need as many hub servers, but this hub is one server"],
      },
    ],
    passes: [{ what: "one copy", raw: { streams: [stream("A", { collect: { replicas: 1 } })] } }],
  },
};
