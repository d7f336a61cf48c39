/** The cold scan: from the start of the process until the whole list is there. */
import { atSocket } from "../testbed/sign_in.ts";
import { until } from "../testbed/wait.ts";
import { countOf, type ListedVm } from "./api.ts";
import { type Bench, type Context, roundsOf } from "./bench.ts";
import { inTurn } from "./measure.ts";
import { CScan } from "./c.ts";
import { launch } from "./launch.ts";
import { cpuMs } from "./proc.ts";
import { Python, pythonOnce } from "./python.ts";
import { comparison } from "./row.ts";

/** One start of ours. Milliseconds. */
interface Scan {
  readonly whole: number;
  /** From the moment libvirt is connected. */
  readonly scan: number;
  /** CPU time since the start of the process, and since libvirt is connected. */
  readonly cpu: number;
  readonly scanCpu: number;
}

/** The list as far as it is there. */
async function listed(socket: string): Promise<ListedVm[]> {
  try {
    return await atSocket(socket, "get_vms", {}) as ListedVm[];
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    if (code !== "LibvirtUnavailable") throw error;
    return []; // it is still reading
  }
}

async function scanOnce(context: Context): Promise<Scan> {
  await using product = await launch(context);
  await Promise.all([product.url, product.connectedAt]);
  const cpuBefore = await cpuMs(product.pid);
  await until(
    "the whole list",
    async () => countOf(await listed(product.socket), context.machines) === context.machines.length,
    { every: 5 },
  );
  const whole = performance.now() - product.begin;
  const cpu = await cpuMs(product.pid);
  const since = performance.timeOrigin + product.begin + whole - await product.connectedAt;
  return { whole, scan: since, cpu, scanCpu: cpu - cpuBefore };
}

export const scans: Bench = async function* (context) {
  await using python = Python.start();
  await using c = await CScan.start();
  const ours: Scan[] = [];
  const pythonCpu: number[] = [];
  const pythonWarmCpu: number[] = [];
  const figures = await inTurn(roundsOf(context, 12), {
    ours: async () => {
      ours.push(await scanOnce(context));
      return ours.at(-1)!.whole;
    },
    once: async () => {
      const begin = performance.now();
      pythonCpu.push((await pythonOnce()).cpu);
      return performance.now() - begin;
    },
    warm: async () => {
      const { ms, cpu } = await python.ask("scan");
      pythonWarmCpu.push(cpu);
      return ms;
    },
    c: () => c.scan(),
  });
  ours.shift(); // the round that does not count
  pythonCpu.shift();
  pythonWarmCpu.shift();
  const what = `cold scan of ${context.machines.length}`;
  const peer = "python3-libvirt";
  yield* [
    comparison({
      what: `${what}, from the start of the process`,
      ours: figures.ours,
      theirs: figures.once,
      peer,
      aim: { ratio: 0.75 },
    }),
    comparison({
      what: `${what}, from the connection`,
      ours: ours.map(({ scan }) => scan),
      theirs: figures.warm,
      peer,
      aim: { ratio: 0.75 },
    }),
    comparison({
      what: `${what}, from the connection`,
      ours: ours.map(({ scan }) => scan),
      theirs: figures.c,
      peer: "the same calls in C",
      aim: { ratio: 1.2 },
    }),
    comparison({
      what: `${what}: CPU, the start of the process included`,
      ours: ours.map(({ cpu }) => cpu),
      theirs: pythonCpu,
      peer,
    }),
    comparison({
      what: `${what}: CPU from the connection`,
      ours: ours.map(({ scanCpu }) => scanCpu),
      theirs: pythonWarmCpu,
      peer,
      aim: { ratio: 0.4 },
    }),
  ];
};
