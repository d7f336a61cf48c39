/** Loads of running machines: what one look costs, and what asking us costs. */
import { WorkerPool } from "../../ffi/worker_pool.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/virsh.ts";
import { watcher } from "./api.ts";
import { delay } from "../testbed/wait.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { Python } from "./python.ts";
import { comparison } from "./row.ts";

/** Machines that run meanwhile: firmware that found nothing to boot, so they take hardly any processor. */
const RUNNING = 6;
/** Groups that agent/metrics asks for. */
const GROUPS = ["cpu", "balloon", "interface", "block"] as const;
const VIRSH = [
  "domstats",
  ...["--list-active", "--nowait"],
  ...["--cpu-total", "--balloon", "--interface", "--block"],
];

export const stats: Bench = async function* (context) {
  await using machines = new AsyncDisposableStack();
  const network = machines.use(await testNetwork("bench"));
  const running = await Promise.all(
    Array.from({ length: RUNNING }, async () =>
      machines.use(
        await testMachine({
          purpose: "bench",
          guest: false,
          start: true,
          memoryMiB: 64,
          network,
          disks: [{}],
        }),
      )),
  );
  await using server = await startServer(context.server);
  await using _page = await watcher(server.url); // loads are read every 2 s while somebody looks
  await using python = Python.start();
  const pool = new WorkerPool({ uri: "qemu:///system" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => pool.close());
  await delay(3000);
  const figures = await inTurn(roundsOf(context, 20), {
    ours: () =>
      timed(() => Promise.all(running.map(({ uuid }) => server.call("get_vm_stats", { vmId: uuid })))),
    call: () =>
      timed(() => pool.call("domainStats", { uuids: running.map(({ uuid }) => uuid), groups: GROUPS })),
    virsh: () => timed(() => virsh(...VIRSH)),
    python: async () => (await python.ask("stats")).ms,
  });
  const [what, look] = [`loads of ${RUNNING}, asked of us`, `one look at the loads of ${RUNNING}`];
  yield* [
    comparison({ what, ours: figures.ours, theirs: figures.virsh, peer: "virsh domstats, connected" }),
    comparison({ what, ours: figures.ours, theirs: figures.python, peer: "python3-libvirt" }),
    comparison({ what: look, ours: figures.call, theirs: figures.virsh, peer: "virsh domstats, connected" }),
    comparison({
      what: look,
      ours: figures.call,
      theirs: figures.python,
      peer: "python3-libvirt",
      aim: { ratio: 1.15 },
    }),
  ];
};
