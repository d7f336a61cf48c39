/** The list of machines: from our memory, against asking libvirt for it. */
import { startServer, type TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";
import { countOf, getVms } from "./api.ts";
import { type Bench, type Context, roundsOf } from "./bench.ts";
import { callsOf } from "./calls.ts";
import { differences, inTurn, median, timed } from "./measure.ts";
import { cpuMs } from "./proc.ts";
import { Python } from "./python.ts";
import { alone, comparison } from "./row.ts";
import { virshProcess } from "./virsh_process.ts";

/** Lists asked for while libvirt's side is watched. */
const LISTS = 200;

/** A server that knows all machines of the scene. */
async function ready({ server, machines }: Context): Promise<TestServer> {
  const started = await startServer(server);
  await until(
    "the whole list",
    async () => countOf(await getVms(started.url).catch(() => []), machines) === machines.length,
  );
  return started;
}

export const lists: Bench = async function* (context) {
  await using server = await ready(context);
  await using python = Python.start();
  const figures = await inTurn(roundsOf(context, 15), {
    ours: () => timed(() => getVms(server.url)),
    virsh: () => timed(() => virshProcess("list", "--all")),
    // What virsh takes for its start, its connection and one call
    start: () => timed(() => virshProcess("uri")),
    python: async () => (await python.ask("scan")).ms,
  });
  const { ours, virsh: whole, start } = figures;
  const what = `list of ${context.machines.length}`;
  yield* [
    comparison({ what, ours, theirs: whole, peer: "virsh list --all" }),
    comparison({ what, ours, theirs: differences(whole, start), peer: "the same, without virsh's start" }),
    comparison({
      what,
      ours,
      theirs: figures.python,
      peer: "python3-libvirt: info + XML + parse",
      aim: { most: 9.9, ratio: 0.05 },
    }),
  ];
};

/** Costs of a warm list for libvirt, and for the processor. */
export const listCosts: Bench = async function* (context) {
  await using server = await ready(context);
  await using python = Python.start();
  const many = async () => {
    for (let count = 0; count < LISTS; count++) await getVms(server.url);
  };
  await many();
  const before = await cpuMs(server.pid);
  await many();
  const ours = (await cpuMs(server.pid) - before) / LISTS;
  const scans = await Promise.all([1, 2, 3].map(() => python.ask("scan")));
  const what = `list of ${context.machines.length}`;
  yield* [
    comparison({
      what: `${what}: calls to libvirt`,
      ours: [await callsOf(server.pid, many) / LISTS],
      theirs: [await callsOf(python.pid, () => python.ask("scan"))],
      peer: "python3-libvirt",
      unit: "calls",
      aim: { most: 0.1 },
    }),
    comparison({
      what: `${what}: CPU (libvirtd's not counted)`,
      ours: [ours],
      theirs: [median(scans.map(({ cpu }) => cpu))],
      peer: "python3-libvirt",
    }),
    alone({
      what: `${what}: size of the answer`,
      ours: [JSON.stringify(await getVms(server.url)).length / 1000],
      unit: "KB",
    }),
  ];
};
