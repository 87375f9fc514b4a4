import { once } from "node:events";
import { Server, createServer } from "node:http";
import { WatchStatus, behind, watchMetrics } from "../../views/outputs/watch-metrics";

/** What a watcher answers on loopback of its machine: its health at `/healthz`, its metrics at `/metrics`. Nothing in it is secret. */

const JSON_TYPE = "application/json";
const METRICS_TYPE = "text/plain; version=0.0.4";

/** Errors: that of the system when the port is taken. */
export async function serveHealth(
  { stack, port, isInContainer = false }: { stack: string; port: number; isInContainer?: boolean },
  status: () => WatchStatus,
): Promise<Server> {
  const server = createServer(({ method, url }, response) => {
    const seen = status();
    const why = behind(seen, Date.now());
    const answer = (code: number, type: string, text: string) =>
      response.writeHead(code, { "content-type": type }).end(method === "HEAD" ? "" : text);
    if (url === "/metrics") return answer(200, METRICS_TYPE, watchMetrics(stack, seen));
    if (url !== "/healthz") return answer(404, JSON_TYPE, '{"error":"ask /healthz or /metrics"}');
    return answer(why === undefined ? 200 : 503, JSON_TYPE, JSON.stringify({ status: why ?? "ok", ...seen }));
  });
  server.listen(port, isInContainer ? undefined : "127.0.0.1");
  await once(server, "listening");
  return server;
}
