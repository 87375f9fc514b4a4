/** Two stacks and their plans, as people read them. */

/** The plan of the committed Pulumi.dev.yaml. */
export const DEV = `\
stack dev: a hub, 2 sites, 1 stream
  secrets      encrypted with an empty passphrase, which protects nothing
  data folder  .fleet

hub
  name            hub, of the server and of its JetStream domain
  runs            process on this machine
  clients         127.0.0.1:<allocated>
  leaf links      127.0.0.1:<allocated>
  monitoring      127.0.0.1:<allocated>
  stores          up to 10 GiB in files, 256 MiB in memory
  messages        up to 1 MiB
  synced          always
  log             16 MiB, and 3 older
  keys            generated
  account SYS     the servers' own
  account HUB     nothing
  account <SITE>  up to 1 GiB in files

every site
  runs        process on this machine
  clients     127.0.0.1:<allocated>
  monitoring  127.0.0.1:<allocated>
  stores      up to 2 GiB in files
  messages    up to 1 MiB
  synced      always
  log         16 MiB, and 3 older
  other keys  generated
  expected    online
  dials       nats-leaf://127.0.0.1:<allocated>
  link        plain, inside this machine
  reconnects  every 100ms
  link key    generated

sites
  site, domain  account
  oslo          OSLO
  bergen        BERGEN

streams
  stream     where  as             subjects  at most  age  storage  when full
  EVENTS     site   <SITE>/EVENTS  events.>  512 MiB  any  file     drops the oldest
    perSite  hub    <SITE>/EVENTS  events.>  1 GiB    any  file     drops the oldest
  <SITE>/EVENTS sources EVENTS of each site over $JS.<site>.API

leaf links
  TLS              off
  link keys        valid on the hub, for leaf connections only
    may publish    $JS.S.>, $JSC.R.>
    may subscribe  $JS.<site>.API.CONSUMER.>, $JS.FC.>

keys
  all: generated

smoke test
  first up  3 probes through each stream and a burst of 25 messages of 100 kB; 2.5 MB over the link of every online site
  arrive    within 30s
  again     when anything that it proves has changed
`;

/**
 * A hub in Docker; a process beside it, a container on another machine and one that is not there yet. Its salt is of a
 * passphrase that is not empty, and what stands for an encrypted seed is none.
 */
export const MIXED_STACK = `\
config:
  nats-hub-leaf:hub:
    runtime: docker
    host: 0.0.0.0
    address: 192.0.2.10
    ports: { leafnodes: 7422 }
  nats-hub-leaf:links: { plaintext: accepted }
  nats-hub-leaf:sites:
    - name: oslo
      hubAddress: 127.0.0.1:7422
    - name: bergen
      runtime: docker
      engine: ssh://ops@192.0.2.20
      host: 0.0.0.0
      address: 192.0.2.20
      syncInterval: 2s
    - name: tromso
      runtime: docker
      expect: offline
  nats-hub-leaf:streams:
    - name: EVENTS
      subjects: ["events.>", "alarms.*"]
      maxAge: 7d
      collect: { mode: merged, maxBytes: 5GiB }
    - name: LOGS
      subjects: ["logs.>"]
      storage: memory
      maxBytes: 64MiB
      discard: new
  nats-hub-leaf:keys:
    oslo:
      link: { secure: "v1:c2FsdA==:bm90IGEgc2VlZA==" }
encryptionsalt: v1:DkZlcvOgLSg=:v1:Bu0smjCBRWyJbB8B:xO/dcEEVI0pDr9O3L34hn+KJdgHNRg==
`;

export const MIXED = `\
stack mixed: a hub, 3 sites, 2 streams
  secrets      encrypted with a passphrase
  data folder  .fleet
  containers   nats:2.15.2; memory 512 MiB, cpus 1, 30s to stop

hub
  name            hub, of the server and of its JetStream domain
  runs            container on this machine
  clients         0.0.0.0:<allocated>
  leaf links      0.0.0.0:7422
  monitoring      inside the container
  reached at      192.0.2.10
  stores          up to 10 GiB in files, 256 MiB in memory
  messages        up to 1 MiB
  synced          always
  log             16 MiB, and 3 older
  keys            generated
  account SYS     the servers' own
  account HUB     up to 5 GiB in files
  account <SITE>  up to 1 GiB in files

every site
  stores      up to 2 GiB in files, 64 MiB in memory
  messages    up to 1 MiB
  log         16 MiB, and 3 older
  other keys  generated
  reconnects  every 100ms

sites
  site, domain  account  runs                               clients                monitoring             reached at  synced    expected
  oslo          OSLO     process on this machine            127.0.0.1:<allocated>  127.0.0.1:<allocated>  -           always    online
  bergen        BERGEN   container on ssh://ops@192.0.2.20  0.0.0.0:4222           inside the container   192.0.2.20  every 2s  online
  tromso        TROMSO   container on this machine          127.0.0.1:<allocated>  inside the container   -           always    offline

  leaf link of  dials                        link                                      link key
  oslo          nats-leaf://127.0.0.1:7422   plain, inside this machine                given
  bergen        nats-leaf://192.0.2.10:7422  PLAIN OVER THE NETWORK (accepted)         generated
  tromso        nats-leaf://hub:7422         plain, inside the stack's Docker network  generated

streams
  stream     where  as                    subjects         at most  age  storage  when full
  EVENTS     site   <SITE>/EVENTS_<SITE>  events.>         512 MiB  7d   file     drops the oldest
                                          alarms.*
    merged   hub    HUB/EVENTS            <site>.events.>  5 GiB    any  file     drops the oldest
                                          <site>.alarms.*
  LOGS       site   <SITE>/LOGS           logs.>           64 MiB   any  memory   refuses new ones
    perSite  hub    <SITE>/LOGS           logs.>           1 GiB    any  file     drops the oldest
  HUB/EVENTS sources EVENTS_<SITE> of each site over $JS.<site>.API, delivered at _source.<site>
  <SITE>/LOGS sources LOGS of each site over $JS.<site>.API

leaf links
  TLS              off
  link keys        valid on the hub, for leaf connections only
    may publish    $JS.S.>, $JSC.R.>, _R_.>, _source.<site>.>
    may subscribe  $JS.<site>.API.CONSUMER.>, $JS.FC.>

keys
  link key of oslo: given
  all others: generated

smoke test
  first up  3 probes through each stream and a burst of 25 messages of 100 kB; 5 MB over the link of every online site
  arrive    within 30s
  again     when anything that it proves has changed

pending (expect: offline): the hub's side is prepared, the site's own side is left alone
  tromso
`;
