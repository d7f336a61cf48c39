/**
 * A hundred linked hosts with a hundred VMs each: ten real KVM Managers on libvirt's test driver, and stand-ins that give
 * what one of the real ones has given (stand_ins.ts). Other work on the machine spoils times: processor time is taken where
 * that says the same, and times of linked hosts are compared with those of the host itself.
 */
import { fileURLToPath } from "node:url";
import type { ConnectionStatus, HostStats, VM } from "../../lib/contract/mod.ts";
import { parseEvents } from "../testbed/sse.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { ownBrowser } from "../testbed/chromium.ts";
import { testFolder } from "../testbed/folder.ts";
import { delay, until } from "../testbed/wait.ts";
import { AnsweringProcess } from "./answering_process.ts";
import { watcher } from "./api.ts";
import { type Bench, type Context, roundsOf } from "./bench.ts";
import { inTurn, median, timed } from "./measure.ts";
import { cpuMs, memoryOf } from "./proc.ts";
import { alone, comparison, longer, type Row } from "./row.ts";
import { FIGURES_MS, type Invited, type MoreFigures, type StandIns, type Telling } from "./stand_ins.ts";

const HOSTS = 100, VMS = 100, REAL = 10;
/** Milliseconds after many joins, and after a start, until only what goes on by itself goes on. */
const SETTLE_MS = 10_000, START_MS = 45_000;
const STAND_INS = fileURLToPath(new URL("stand_ins.ts", import.meta.url));

/** A host of libvirt's test driver with so many VMs, for `test://FILE`. */
function testNode(host: number): string {
  const domains = Array.from(
    { length: VMS },
    (_, vm) =>
      `<domain type="test"><name>real${host}-vm${vm}</name><uuid>${crypto.randomUUID()}</uuid>` +
      `<memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>`,
  );
  return `<node><cpu><mhz>3000</mhz><model>i686</model><active>8</active><nodes>1</nodes><sockets>1</sockets>` +
    `<cores>8</cores><threads>1</threads></cpu><memory>268435456</memory>${domains.join("")}</node>`;
}

async function realHost({ server }: Context, folder: string, host: number) {
  const file = `${folder}/node${host}.xml`;
  await Deno.writeTextFile(file, testNode(host));
  const real = await startServer({
    ...server,
    uri: `test://${file}`,
    args: ["--listen", "https://127.0.0.1:0"],
    seconds: 90,
  });
  await until("its VMs", async () => ((await real.call("get_vms")) as VM[]).length === VMS, { seconds: 60 });
  return real;
}

const addressOf = (real: TestServer) => /https:\/\/127\.0\.0\.1:\d+/.exec(real.log())![0];

/** Figures that a real host sends in the time between two messages. */
async function figuresOf(real: TestServer): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(`${real.url}/api/v1/events?figures=only`, { signal: stop.signal });
  const decoder = new TextDecoder();
  let text = "";
  const reading = (async () => {
    for await (const bytes of response.body!) text += decoder.decode(bytes, { stream: true });
  })().catch(() => {/* it is ended below */});
  await delay(3 * FIGURES_MS);
  text = "";
  await delay(FIGURES_MS);
  stop.abort();
  await reading;
  return text.slice(text.indexOf("event:"), text.lastIndexOf("\n\n") + 2);
}

/** The events that pages get, and when. */
function pageEvents(server: TestServer) {
  const waiting = new Map<string, (at: number) => void>(), stop = new AbortController();
  let count = 0;
  const reading = (async () => {
    const response = await fetch(`${server.url}/api/v1/events`, { signal: stop.signal });
    for await (const { event, data } of parseEvents(response.body!)) {
      count++;
      if (event !== "vm-state-changed") continue;
      const { vmId, state } = data as { vmId: string; state: string };
      waiting.get(`${vmId} ${state}`)?.(performance.now());
    }
  })().catch(() => {/* it is ended with the bench */});
  return {
    get count() {
      return count;
    },
    /** Milliseconds until a VM is told to be in a state. */
    async latency(vmId: string, state: string, tell: () => Promise<unknown>): Promise<number> {
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(`${vmId} ${state}`, resolve);
      const begin = performance.now(), late = delay(5000).then(() => begin + 5000);
      await tell();
      const at = await Promise.race([promise, late]);
      waiting.delete(`${vmId} ${state}`);
      return at - begin;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
    },
  };
}

const listPage = async (server: TestServer) => {
  const response = await fetch(`${server.url}/vms`);
  const text = await response.text();
  if (!response.ok || !text.includes("vm-table")) throw new Error(`the list page: HTTP ${response.status}`);
};
/** Milliseconds of processor that something takes the server. */
async function cpuOf(server: TestServer, run: () => Promise<unknown>): Promise<number> {
  const before = await cpuMs(server.pid);
  await run();
  return await cpuMs(server.pid) - before;
}

/** Part of a core that it uses by itself, in percent. */
async function idlePercent(server: TestServer, seconds: number): Promise<number> {
  const begin = performance.now(), before = await cpuMs(server.pid);
  await delay(seconds * 1000);
  return (await cpuMs(server.pid) - before) / (performance.now() - begin) * 100;
}

/** Runs in the page: whether the list can be scrolled to its last row, as in the bench `opening`. */
function lastRowIsThere(count: number): boolean {
  scrollTo(0, document.documentElement.scrollHeight);
  const table = document.querySelector("table.vm-table");
  const rows = table?.getAttribute("aria-rowcount") ?? "0";
  return Number(rows) >= count && table?.querySelector(`tr[aria-rowindex="${rows}"]`) !== null;
}

/** Runs in the page: the ids of the VMs whose rows are drawn. */
const drawnIds = (): string[] =>
  [...document.querySelectorAll<HTMLAnchorElement>("table.vm-table tbody a[href*='/vms/']")].flatMap((
    { href },
  ) => /\/vms\/([0-9a-f-]{36})$/.exec(href)?.[1] ?? []);

/** Runs in the page: when a VM's row shows that it is paused, or no longer; milliseconds since 1970. */
async function drawnAt({ vmId, paused }: { vmId: string; paused: boolean }): Promise<number> {
  const row = document.querySelector(`table.vm-table a[href$="/vms/${vmId}"]`)!.closest("tr")!;
  while (/paused/i.test(row.textContent!) !== paused) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return Date.now();
}

type OwnBrowser = Awaited<ReturnType<typeof ownBrowser>>;

/** Opens the list. @returns its page, when that was begun, and the milliseconds until the first row is there */
async function openList(chromium: OwnBrowser, { url }: TestServer) {
  const page = await chromium.page(), begin = performance.now();
  await page.goto(`${url}/vms`, { waitUntil: "commit" });
  await page.waitForSelector("table.vm-table tr[aria-rowindex='2']");
  return { page, begin, first: performance.now() - begin };
}

/** Times of opening it with few VMs. */
async function openings(chromium: OwnBrowser, near: TestServer, rounds: number): Promise<number[]> {
  const taken: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { page, first } = await openList(chromium, near);
    await page.context().close();
    if (round >= 0) taken.push(first);
  }
  return taken;
}

/** Context of {@link drawn}. */
interface Drawing {
  readonly chromium: OwnBrowser;
  readonly near: TestServer;
  /** Of the VMs of each stand-in. */
  readonly ids: Invited["ids"];
  readonly tell: (telling: Telling) => Promise<void>;
  readonly what: string;
  /** Milliseconds of {@link openings}, without linked hosts. */
  readonly small: readonly number[];
}

/** The list in Chromium: until its rows are there, and until an event is drawn. */
async function* drawn({ chromium, near, ids, tell, what, small }: Drawing): AsyncGenerator<Row> {
  const firsts: number[] = [], lasts: number[] = [], events: number[] = [];
  for (let round = -1; round < small.length; round++) {
    const { page, begin, first } = await openList(chromium, near);
    await page.waitForFunction(lastRowIsThere, HOSTS * VMS, { polling: "raf" });
    const last = performance.now() - begin;
    const shown = new Set(await page.evaluate(drawnIds));
    const host = ids.findIndex((of) => of.some((id) => shown.has(id)));
    const vm = ids[host]!.findIndex((id) => shown.has(id)), vmId = ids[host]![vm]!;
    for (const state of ["paused", "running", "paused", "running"] as const) {
      const drawing = page.evaluate(drawnAt, { vmId, paused: state === "paused" });
      await delay(200);
      const told = Date.now();
      await tell({ host, vm, state });
      const took = await drawing - told;
      if (round >= 0) events.push(took);
    }
    await page.context().close();
    if (round < 0) continue;
    firsts.push(first);
    lasts.push(last);
  }
  yield comparison({
    what: `${what}: opening the list in Chromium, first rows`,
    ours: firsts,
    theirs: small,
    peer: "one host with one VM",
    aim: { most: 1000 },
  });
  yield alone({ what: `${what}: opening the list in Chromium, the last row`, ours: lasts });
  yield alone({ what: `${what}: an event of a host until it is drawn`, ours: events, aim: { most: 100 } });
}

const anon = async (server: TestServer) => (await memoryOf(server.pid)).anon;

export const hosts: Bench = async function* (context) {
  const seconds = context.quick ? 20 : 60, what = `${HOSTS} linked hosts × ${VMS} VMs`;
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await testFolder());
  const near = undo.use(await startServer({ ...context.server, uri: "test:///default" }));
  await delay(START_MS);
  const idleBefore = await idlePercent(near, seconds), before = await anon(near);
  const chromium = undo.use(await ownBrowser());
  const small = await openings(chromium, near, roundsOf(context, 9));

  const reals: TestServer[] = [];
  for (let host = 0; host < REAL; host++) reals.push(undo.use(await realHost(context, folder, host)));
  const [first] = reals as [TestServer];
  const order: StandIns = {
    count: HOSTS - REAL,
    prefix: "recorded",
    vms: await first.call("get_vms") as VM[],
    status: await first.call("get_connection_status") as ConnectionStatus,
    stats: await first.call("get_host_stats") as HostStats,
    figures: await figuresOf(first),
  };
  const standIns = undo.use(new AnsweringProcess([Deno.execPath(), "run", "-A", STAND_INS]));
  await standIns.write(JSON.stringify(order));
  const { invitations, ids } = await standIns.read() as Invited;
  const tell = (telling: Telling) => standIns.write(JSON.stringify(telling));

  const joins: number[] = [];
  for (const [host, real] of reals.entries()) {
    const { invitation } = await real.call("invite_host", {
      address: addressOf(real),
      role: "administrator",
    }) as {
      invitation: string;
    };
    joins.push(await timed(() => near.call("join_host", { name: `real${host}`, invitation })));
  }
  for (const [host, invitation] of invitations.entries()) {
    await near.call("join_host", { name: `recorded${host}`, invitation });
  }
  const count = async () => ((await near.call("get_vms")) as VM[]).length;
  await until("the VMs of all", async () => await count() >= HOSTS * VMS, { seconds: 120 });
  yield alone({ what: `${what}: joining a host`, ours: joins, aim: { most: 2000 } });

  await delay(SETTLE_MS);
  yield alone({
    what: `${what}: CPU of a core without a page open, ${seconds} s`,
    ours: [await idlePercent(near, seconds)],
    unit: "%",
    aim: { most: 5 },
  });
  yield alone({ what: `${what}: the same without a linked host`, ours: [idleBefore], unit: "%" });
  yield alone({
    what: `${what}: memory above the idle program's`,
    ours: [await anon(near) - before],
    unit: "MB",
    aim: { most: 400 },
  });

  const rounds = roundsOf(context, 9), pageCpu: number[] = [];
  await listPage(near);
  const pages: number[] = [];
  for (let round = 0; round < rounds; round++) {
    pageCpu.push(await cpuOf(near, async () => pages.push(await timed(() => listPage(near)))));
  }
  yield alone({ what: `${what}: page of the list`, ours: pages, aim: { most: 1000 } });
  yield alone({ what: `${what}: page of the list, CPU`, ours: pageCpu, aim: { most: 1000 } });
  yield alone({
    what: `${what}: list by the API, CPU`,
    ours: [
      await cpuOf(near, async () => {
        for (let round = 0; round < rounds; round++) await count();
      }) / rounds,
    ],
  });

  // A command on a linked host, compared with the same at that host
  const [vm] = await first.call("get_vms") as [VM];
  const vmId = vm.id,
    overhead = async (server: TestServer, command: string) =>
      await timed(() => server.call(command, { vmId }));
  const calls = await inTurn(roundsOf(context, 60), {
    ours: () => overhead(near, "get_vm_xml"),
    theirs: () => overhead(first, "get_vm_xml"),
  });
  yield longer({
    what: `${what}: a question to a linked host`,
    ours: calls.ours,
    theirs: calls.theirs,
    peer: "that host itself",
    aim: { most: 10 },
  });
  let paused = false;
  const toggles = (server: TestServer) => async () => {
    const took = await overhead(server, paused ? "resume_vm" : "pause_vm");
    paused = !paused;
    return took;
  };
  // Two a turn, so that each pauses and resumes as often
  const both = (server: TestServer) => async () => (await toggles(server)() + await toggles(server)()) / 2;
  const changes = await inTurn(roundsOf(context, 30), { ours: both(near), theirs: both(first) });
  yield longer({
    what: `${what}: a change on a linked host`,
    ours: changes.ours,
    theirs: changes.theirs,
    peer: "that host itself",
    aim: { most: 10 },
  });

  // With a page open, figures come from all hosts
  await using page = pageEvents(near);
  await using _open = await watcher(near.url);
  await delay(SETTLE_MS);
  const told = page.count, openPercent = await idlePercent(near, seconds);
  yield alone({
    what: `${what}: CPU of a core with a page open, ${seconds} s`,
    ours: [openPercent],
    unit: "%",
  });
  yield alone({
    what: `${what}: events a second to that page`,
    ours: [(page.count - told) / seconds],
    unit: "calls",
  });
  let at = 0;
  const latency = () => {
    const telling: Telling = {
      host: at * 7 % ids.length,
      vm: at % VMS,
      state: at % 2 === 0 ? "paused" : "running",
    };
    at++;
    return page.latency(ids[telling.host]![telling.vm]!, telling.state, () => tell(telling));
  };
  const latencies = async () => {
    const taken: number[] = [];
    for (let round = 0; round < roundsOf(context, 60); round++) {
      taken.push(await latency());
      await delay(30 + Math.random() * 100);
    }
    return taken;
  };
  const events = await latencies();
  yield alone({ what: `${what}: an event of a host until a page has it`, ours: events, aim: { most: 100 } });
  const ninth = events.toSorted((a, b) => a - b)[Math.floor(events.length * 0.9)]!;
  yield alone({ what: `${what}: the same, nine of ten`, ours: [ninth], aim: { most: 100 } });

  yield* drawn({ chromium, near, ids, tell, what, small });

  // Ten hosts hang
  for (const real of reals) Deno.kill(real.pid, "SIGSTOP");
  try {
    const listed: number[] = [], hung: number[] = [];
    for (const seconds of [0, 10, 30]) {
      await delay(seconds * 1000 / (context.quick ? 3 : 1));
      for (let round = 0; round < 3; round++) listed.push(await cpuOf(near, () => listPage(near)));
      hung.push(...await latencies());
    }
    yield comparison({
      what: `${what}, 10 of them hang: page of the list, CPU`,
      ours: [median(listed)],
      theirs: [median(pageCpu)],
      peer: "none hangs",
      aim: { ratio: 1.3 },
    });
    yield comparison({
      what: `${what}, 10 of them hang: an event of another host`,
      ours: [median(hung)],
      theirs: [median(events)],
      peer: "none hangs",
      aim: { ratio: 1.5 },
    });
  } finally {
    for (const real of reals) Deno.kill(real.pid, "SIGCONT");
  }

  await standIns.write(JSON.stringify({ ofVms: true } satisfies MoreFigures));
  await delay(SETTLE_MS);
  const toldBefore = page.count, allPercent = await idlePercent(near, seconds);
  const figures = `${what}, figures of each VM every ${FIGURES_MS / 1000} s (made up)`;
  yield alone({ what: `${figures}: CPU of a core with a page open`, ours: [allPercent], unit: "%" });
  yield alone({
    what: `${figures}: events a second to that page`,
    ours: [(page.count - toldBefore) / seconds],
    unit: "calls",
  });
  yield alone({
    what: `${figures}: an event of a host until a page has it`,
    ours: await latencies(),
    aim: { most: 100 },
  });
};
