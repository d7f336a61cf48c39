/**
 * Runs scenarios of `hangs.ts` in parallel on one private libvirtd with the product on it: arranged, hung for a
 * while, released. What must hold meanwhile and afterwards is looked at in all of it; what does not is told in words, all
 * of it and not the first alone.
 */
import assert from "node:assert/strict";
import { call, EventLog, shows } from "./product.ts";
import { HangWatch, type WatchFigures } from "./hang_watch.ts";
import type { ArrangedHang, AskedMeanwhile, HangScenario } from "./hangs.ts";
import { CALLS_LOGGED, callsOf } from "./libvirt_log.ts";
import { filesOf, releaseName, testName } from "./names.ts";
import { privateLibvirt, type PrivateMachine } from "./private_libvirt.ts";
import { removeFiles } from "./removal.ts";
import { CallError } from "./server.ts";
import { type PrivateServer, privateServer } from "./private_server.ts";
import { testerHeaders } from "./sign_in.ts";
import { type SlowStorage, slowStorage } from "./slow_storage.ts";
import { delay } from "./wait.ts";

/** How a run goes. */
export interface HangRunOptions {
  /** For how long it hangs. */
  readonly seconds: number;
  /** Whether somebody has pages open: their events, and what they read. */
  readonly pages: boolean;
  /** Is given the report before anything is taken down, which may fail as well. */
  readonly told?: (report: HangReport) => void;
}

/** Figures and violated bounds of {@link runHangs}. */
export interface HangReport {
  readonly figures: WatchFigures;
  /** Milliseconds of what was done to another VM while it hung, the worst of each. */
  readonly bystander: Readonly<Record<string, number>>;
  /** Milliseconds of what was asked about the scenarios themselves meanwhile. */
  readonly meanwhile: Readonly<Record<string, string>>;
  /** Seconds after the hang at which each VM that hangs was shown as such; null: never. */
  readonly shownAfter: Readonly<Record<string, number | null>>;
  /** Calls of libvirt's API that are made once at most while it hangs: `virDomainOpenChannel, one QEMU…` → how often. */
  readonly asked: Readonly<Record<string, number>>;
  /** Violated bounds; empty if all hold. */
  readonly problems: readonly string[];
}

/** Seconds the watch looks before anything hangs. */
const BEFORE = 10;
/** Seconds in which a VM that hangs is shown as such, and in which all is as before once nothing does. */
const SHOWN = 10, HEALED = 35;
/** Milliseconds another VM may take to start or stop, and to show its screen, on a machine without KVM that others share. */
const POWER = 4000, SCREEN = 3000;
/** Seconds between two rounds with the other VM. */
const ROUND = 20;
/** Milliseconds in which a VM that hangs is killed. */
const KILLED = 60_000;
/** Seconds after which what has returned with an error, as libvirt does after 30, may have been asked once more, by each manager. */
const ONCE_IN = 50;
/** Milliseconds after which what is asked about another VM is given up. */
const GIVEN_UP = 15_000;
/** Seconds after the hang at which what concerns it is asked: what happens by itself soon has happened. */
const ASKED = 14;
/** Milliseconds in which a page is there. */
const PAGE = 5000;
/** Milliseconds for what is looked at afterwards besides. */
const AFTERWARDS = 90_000;
/** MiB that slow storage takes in a second. */
const CREEPING = 6;

/** Runs them. @throws {Error} when they cannot be arranged; what does not hold is in the report */
export async function runHangs(
  scenarios: readonly HangScenario[],
  { seconds, pages, told }: HangRunOptions,
): Promise<HangReport> {
  await using undo = new AsyncDisposableStack();
  const name = await testName("hangs");
  undo.defer(() => releaseName(name));
  undo.defer(() => removeFiles(name));
  const folder = filesOf(name);
  await Deno.mkdir(folder, { recursive: true });
  // Mounted before there is the libvirtd, whose view of mounts is its own from then on
  const slow: SlowStorage[] = [], creeping: SlowStorage[] = [];
  for (const index of scenarios.keys()) {
    slow.push(undo.use(await slowStorage(await made(`${folder}/slow-${index}`))));
    const options = { writeRate: CREEPING };
    creeping.push(undo.use(await slowStorage(await made(`${folder}/creeping-${index}`), options)));
  }
  const host = undo.use(await privateLibvirt("hangs", { log: CALLS_LOGGED }));
  const bystander = await host.machine({ screen: true });
  const product = undo.use(await privateServer(host, { guestInterval: 60 }));
  const { server } = product;
  const arranged: ArrangedHang[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    arranged.push(
      await scenario.arrange({
        host,
        product,
        undo,
        slow: slow[index]!,
        creeping: creeping[index]!.path,
        folder: await made(`${folder}/plain-${name.slice(-8)}-${index}`),
      }),
    );
  }
  const hanging = arranged.flatMap(({ silent }) => silent),
    agents = arranged.flatMap(({ agents = [] }) => agents);
  const servers = [product, ...arranged.flatMap(({ others = [] }) => others)];
  for (const vmId of hanging) {
    await shows(server, vmId, ({ state, responsive }) => state === "running" && responsive);
  }
  for (const vmId of agents) await agentAnswers(product, vmId, 60);

  const problems: string[] = [];
  const held = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : error}`.slice(0, 500));
    }
  };
  const looking = pages ? undo.use(await OpenPages.open(product, hanging[0] ?? bystander.uuid)) : undefined;
  const watch = undo.use(new HangWatch(host, product));
  await delay(BEFORE * 1000);

  await using hang = new AsyncDisposableStack();
  const hangingFrom = Date.now();
  for (const { hang: begin } of arranged) hang.use(await begin());
  watch.hung();
  const began = performance.now(), beganAt = Date.now();
  const since = () => (performance.now() - began) / 1000;
  const shownAfter: Record<string, number | null> = Object.fromEntries(hanging.map((id) => [id, null]));
  const noticing = held("VMs that hang", async () => {
    for (let left = true; left && since() < seconds;) {
      left = false;
      for (const each of servers) {
        for (const { id, responsive, notResponding } of await call(each.server, "get_vms")) {
          if (shownAfter[id] !== null || !hanging.includes(id)) continue;
          if (responsive || notResponding === undefined) {
            left = true;
            continue;
          }
          shownAfter[id] = Math.round(since() * 10) / 10;
          const { since: told, call: by } = notResponding;
          if (told < hangingFrom - 1000 || told > Date.now() || by === "") {
            problems.push(`${id.slice(0, 8)}: told as not responding since ${told} by "${by}"`);
          }
          const listed = (await call(each.server, "list_hangs")).find(({ vmId }) => vmId === id);
          if (listed === undefined || listed.remedy === "") {
            problems.push(`${id.slice(0, 8)} is not in list_hangs`);
          }
        }
      }
      await delay(500);
    }
  });
  const bystanding: Record<string, number> = {};
  const rounds = held(
    "another VM",
    () => everyRound(seconds, since, () => round(product, bystander, bystanding)),
  );
  const meanwhile: Record<string, string> = {};
  const asking = (async () => {
    await delay(Math.max(0, ASKED - since()) * 1000);
    const all = arranged.flatMap(({ meanwhile = {} }) => Object.entries(meanwhile));
    await Promise.all(all.map(async ([what, asked]) => {
      const problem = await ask(asked, (took) => meanwhile[what] = took);
      if (problem !== undefined) problems.push(`${what}: ${problem}`);
    }));
  })();
  await Promise.all([noticing, rounds, asking]);
  await delay(Math.max(0, seconds - since()) * 1000);
  const killed = arranged.flatMap(({ killed }) => killed ?? []);
  const asked = await askedOf(host.logFile, beganAt, arranged, scenarios);
  for (const vmId of killed) {
    const problem = await ask(
      { ms: KILLED, ask: () => call(server, "force_stop_vm", { vmId }) },
      (took) => meanwhile[`force_stop_vm of ${vmId.slice(0, 8)}`] = took,
    );
    if (problem !== undefined) problems.push(`force_stop_vm of a VM that hangs: ${problem}`);
  }
  watch.released();
  await hang.disposeAsync();

  const releasedAt = Date.now(), left = hanging.filter((vmId) => !killed.includes(vmId));
  const end = performance.now() + HEALED * 1000;
  await held(`${HEALED} s after the release`, async () => {
    for (const each of servers) {
      for (const vmId of left) await healed(each, vmId, releasedAt, end);
    }
    for (const vmId of agents.filter((id) => !killed.includes(id))) {
      await agentAnswers(product, vmId, Math.max(1, (end - performance.now()) / 1000));
    }
    for (const vmId of killed) await shows(server, vmId, ({ state }) => state === "stopped", { seconds: 3 });
  });
  for (const [index, { afterwards }] of arranged.entries()) {
    if (afterwards) {
      await held(`${scenarios[index]!.name}, afterwards`, () => inTime(AFTERWARDS, afterwards()));
    }
  }
  await held("another VM, afterwards", () => round(product, bystander, {}));
  for (const [vmId, after] of Object.entries(shownAfter)) {
    if (after === null) problems.push(`the VM ${vmId.slice(0, 8)}, which hangs, was never shown as such`);
    else if (after > SHOWN) {
      problems.push(`the VM ${vmId.slice(0, 8)}, which hangs, was shown as such after ${after} s`);
    }
  }
  for (
    const [what, limit] of Object.entries({ start_vm: POWER, force_stop_vm: POWER, screenshot_vm: SCREEN })
  ) {
    const took = bystanding[what];
    if (took === undefined) problems.push(`${what} of another VM: never done`);
    else if (took > limit) problems.push(`${what} of another VM took ${took} ms`);
  }
  const most = (1 + Math.floor(seconds / ONCE_IN)) * servers.length;
  for (const [what, times] of Object.entries(asked)) {
    if (times > most) problems.push(`asked ${times} times while it hung: ${what}`);
  }
  if (looking !== undefined) problems.push(...looking.problems());
  problems.push(...watch.problems());
  const report = { problems, figures: watch.figures(), bystander: bystanding, meanwhile, shownAfter, asked };
  told?.(report);
  return report;
}

/** Another VM is started, looked at and stopped. @param took the worst of each, in milliseconds */
async function round(
  { server }: PrivateServer,
  vm: PrivateMachine,
  took: Record<string, number>,
): Promise<void> {
  const vmId = vm.uuid;
  for (const what of ["start_vm", "screenshot_vm", "force_stop_vm"] as const) {
    const began = performance.now();
    try {
      await inTime(GIVEN_UP, call(server, what, { vmId }));
    } finally {
      took[what] = Math.max(took[what] ?? 0, Math.round(performance.now() - began));
    }
    await shows(server, vmId, ({ state }) => state === (what === "force_stop_vm" ? "stopped" : "running"), {
      seconds: 2,
    });
  }
}

/** Does something again and again; the last time well before the end. */
async function everyRound(seconds: number, since: () => number, work: () => Promise<void>): Promise<void> {
  do {
    await work();
    await delay(ROUND * 1000);
  } while (since() < seconds - ROUND / 2);
}

/** Asks, in the time that is given. @returns what is wrong with the answer */
async function ask(
  { ms, ask, refused }: AskedMeanwhile,
  told: (took: string) => void,
): Promise<string | undefined> {
  const began = performance.now();
  try {
    await inTime(ms, ask());
    told(`${Math.round(performance.now() - began)} ms`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    told(`${Math.round(performance.now() - began)} ms: ${error.message.slice(0, 160)}`);
    return refused === true && error instanceof CallError ? undefined : error.message;
  }
}

/** How often libvirt was asked for what it is asked once while it hangs. */
async function askedOf(
  logFile: string,
  since: number,
  arranged: readonly ArrangedHang[],
  scenarios: readonly HangScenario[],
): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  const calls = callsOf(await Deno.readTextFile(logFile)).filter(({ at }) => at >= since);
  for (const [index, { once }] of arranged.entries()) {
    for (const { name, vm } of calls) {
      if (once[vm]?.test(name) !== true) continue;
      const what = `${name}, ${scenarios[index]!.name} (${vm.slice(0, 8)})`;
      times[what] = (times[what] ?? 0) + 1;
    }
  }
  return times;
}

/** Waits until a VM answers, and its load flows. @param end of the time there is, by `performance.now()` */
async function healed({ server }: PrivateServer, vmId: string, since: number, end: number): Promise<void> {
  const short = vmId.slice(0, 8);
  for (;;) {
    const { responsive, state } = await call(server, "get_vm", { vmId });
    const stats = responsive ? await call(server, "get_vm_stats", { vmId }) : undefined;
    if (responsive && state === "running" && stats!.timestamp > since) return;
    const seen = `the VM ${short} is ${state}, responsive ${responsive}, figures of ${
      stats?.timestamp ?? "never"
    }`;
    if (performance.now() > end) throw new Error(seen);
    await delay(500);
  }
}

/** Waits until our agent in a guest is connected and answers. */
async function agentAnswers({ server }: PrivateServer, vmId: string, seconds: number): Promise<void> {
  let last = "";
  const end = performance.now() + seconds * 1000;
  for (;;) {
    try {
      const { hostname } = await inTime(GIVEN_UP, call(server, "guest_get_info", { vmId }));
      assert.notEqual(hostname, "");
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > end) throw new Error(`the agent of ${vmId.slice(0, 8)} does not answer: ${last}`);
    await delay(1000);
  }
}

/** Somebody who has pages open: events flow to them, and they read. */
class OpenPages implements AsyncDisposable {
  #ended = false;
  #worst: Record<string, number> = {};
  readonly #reading: Promise<void>;

  private constructor(
    private readonly product: PrivateServer,
    private readonly events: EventLog,
    vmId: string,
  ) {
    this.#reading = this.#read(["/", "/vms", `/vms/${vmId}`, "/storage"]);
  }

  static async open(product: PrivateServer, vmId: string): Promise<OpenPages> {
    return new OpenPages(product, await EventLog.open(product.server), vmId);
  }

  /** Pages that were not there in time. */
  problems(): string[] {
    const slow = Object.entries(this.#worst).filter(([, ms]) => ms > PAGE);
    return slow.map(([path, ms]) => `the page ${path} took ${Math.round(ms)} ms`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#reading;
    await this.events[Symbol.asyncDispose]();
  }

  async #read(paths: readonly string[]): Promise<void> {
    const { url } = this.product.server;
    for (let turn = 0; !this.#ended; turn++) {
      const path = paths[turn % paths.length]!, began = performance.now();
      try {
        const signal = AbortSignal.timeout(2 * PAGE);
        const response = await fetch(url + path, { headers: testerHeaders(url), signal });
        await response.text();
      } catch (error) {
        if (!(error instanceof DOMException)) throw error; // late: that is told by its time
      }
      this.#worst[path] = Math.max(this.#worst[path] ?? 0, performance.now() - began);
      await delay(1500);
    }
  }
}

/** Waits no longer than so many milliseconds. @throws {Error} after that */
async function inTime<T>(ms: number, asked: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  asked.catch(() => {/* told already, where it comes too late */});
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function made(path: string): Promise<string> {
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** A report as lines to read. */
export function lines(report: HangReport): string {
  const readable = (_: string, value: unknown) => value === Infinity ? "given up" : value;
  return JSON.stringify(report, readable, 1);
}
