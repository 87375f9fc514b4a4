import { ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { onPath } from "../../../machine/locate";

/** A headless Chromium, asked over a pipe in the DevTools protocol, which needs neither a port nor a package. */

const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

const found = BROWSERS.flatMap((name) => onPath(name, process.env)).at(0);

/** Why there is no browser here; never where nothing may be skipped. */
export const missingBrowser =
  found !== undefined || process.env.CI === "true" ? undefined : "there is no chromium on PATH (Debian: chromium)";

type Answer = Record<string, unknown>;

interface Message {
  id?: number;
  method?: string;
  params?: Answer;
  sessionId?: string;
  result?: Answer;
  error?: { message: string };
}

export class Browser {
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly listeners: ((message: Message) => void)[] = [];
  private readonly requests: Writable;
  private lastId = 0;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    this.requests = process.stdio[3] as Writable;
    let rest = "";
    (process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.heard(JSON.parse(message) as Message);
    });
    process.once("exit", (code) => {
      for (const answer of this.waiting.values()) answer({ error: { message: `the browser ended with code ${code}` } });
    });
    this.requests.on("error", () => undefined);
  }

  static async start(): Promise<Browser> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-browser-"));
    const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const child = spawn(
      found ?? BROWSERS[0]!,
      [...options, ...quiet, `--user-data-dir=${folder}`, "--remote-debugging-pipe", "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], env: { ...process.env, HOME: folder } },
    );
    await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    const browser = new Browser(child, folder);
    await browser.ask("Browser.getVersion");
    return browser;
  }

  async open(file: string, { width = 1280, dark = false } = {}): Promise<Page> {
    const { targetId } = await this.ask("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.ask("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId as string, file);
    await page.load(width, dark);
    return page;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    if (this.process.exitCode === null) {
      void this.ask("Browser.close").catch(() => undefined);
      const kill = setTimeout(() => this.process.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(kill);
    }
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async ask(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    const id = ++this.lastId;
    const answer = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    this.requests.write(
      `${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
    );
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  listen(listener: (message: Message) => void): void {
    this.listeners.push(listener);
  }

  private heard(message: Message): void {
    if (message.id === undefined) return this.listeners.forEach((listener) => listener(message));
    this.waiting.get(message.id)?.(message);
    this.waiting.delete(message.id);
  }
}

export class Page {
  /** What the page logged, and the exceptions that nothing caught. */
  readonly complaints: string[] = [];
  /** What it asked for besides itself. */
  readonly requested: string[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly session: string,
    private readonly file: string,
  ) {}

  async load(width: number, dark: boolean): Promise<void> {
    const url = `file://${this.file}`;
    const loaded = new Promise<void>((resolve) =>
      this.browser.listen(({ method, params = {}, sessionId }) => {
        if (sessionId !== this.session) return;
        if (method === "Page.loadEventFired") resolve();
        if (
          method === "Runtime.exceptionThrown" ||
          method === "Runtime.consoleAPICalled" ||
          method === "Log.entryAdded"
        )
          this.complaints.push(JSON.stringify(params));
        const request = params.request as { url: string } | undefined;
        if (method === "Network.requestWillBeSent" && request !== undefined && request.url !== url)
          this.requested.push(request.url);
      }),
    );
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.ask(`${domain}.enable`);
    await this.ask("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    const scheme = { name: "prefers-color-scheme", value: dark ? "dark" : "light" };
    await this.ask("Emulation.setEmulatedMedia", { features: [scheme] });
    await this.ask("Page.navigate", { url });
    await loaded;
  }

  /** What the expression gives, which may be a promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.ask("Runtime.evaluate", {
      ...{ expression, returnByValue: true, awaitPromise: true },
    })) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string }; text: string } };
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Runs the function of a page's script in the page, with one argument. */
  run<A, T>(work: (argument: A) => T | Promise<T>, argument: A): Promise<T> {
    return this.evaluate<T>(`(${work.toString()})(${JSON.stringify(argument)})`);
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.ask("Page.captureScreenshot", { captureBeyondViewport: true });
    fs.writeFileSync(file, Buffer.from(data as string, "base64"));
  }

  close = (): Promise<unknown> => this.ask("Page.close");

  private ask = (method: string, params: Answer = {}): Promise<Answer> =>
    this.browser.ask(method, params, this.session);
}
