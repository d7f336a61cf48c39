/** Commands: what our way adds to libvirt's own time. */
import { testMachine } from "../testbed/machine.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/virsh.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { Python } from "./python.ts";
import { comparison, longer } from "./row.ts";

const AIM = { most: 5 };

/** Starts of equal machines, each forced off again by the same hand. */
export const starts: Bench = async function* (context) {
  await using machines = new AsyncDisposableStack();
  const [a, b] = await Promise.all(
    [1, 2].map(async () =>
      machines.use(await testMachine({ purpose: "bench", guest: false, memoryMiB: 64 }))
    ),
  );
  await using server = await startServer(context.server);
  await using python = Python.start();
  const offs = { ours: [] as number[], virsh: [] as number[] };
  const figures = await inTurn(roundsOf(context, 12), {
    ours: async () => {
      const vmId = a!.uuid;
      const ms = await timed(() => server.call("start_vm", { vmId }));
      offs.ours.push(await timed(() => server.call("force_stop_vm", { vmId })));
      return ms;
    },
    virsh: async () => {
      const ms = await timed(() => virsh("start", b!.name));
      offs.virsh.push(await timed(() => virsh("destroy", b!.name)));
      return ms;
    },
    python: async () => {
      const { ms } = await python.ask(`start ${b!.name}`);
      await python.ask(`destroy ${b!.name}`);
      return ms;
    },
  });
  for (const values of Object.values(offs)) values.shift(); // the round that does not count
  yield* [
    comparison({ what: "start", ours: figures.ours, theirs: figures.virsh, peer: "virsh start, connected" }),
    longer({
      what: "start: longer by",
      ours: figures.ours,
      theirs: figures.virsh,
      peer: "virsh, connected",
      aim: AIM,
    }),
    longer({
      what: "start: longer by",
      ours: figures.ours,
      theirs: figures.python,
      peer: "python3-libvirt",
      aim: AIM,
    }),
    comparison({ what: "force stop", ours: offs.ours, theirs: offs.virsh, peer: "virsh destroy, connected" }),
  ];
};

/**
 * Pause and resume take libvirt a few milliseconds, so what we add is not lost in the noise of QEMU's start.
 *
 * Our part of each of the two, as marks on the way showed it (first quartile, in milliseconds; two cores that others
 * used, too): HTTP there and back 2, the principal and the route 0.8, rights and schema 0.2, the claim and its display
 * 0.5, to the worker and back 0.3, reading the VM afterwards 1.8 (seven calls of libvirt's, and three readings of its
 * XML), the audit 0.1: its sync to disk comes later. Together 5.7, so 11 for both. libvirt's event of a change by
 * another program has the VM read once more, which the next command waits for: here that of the peer.
 */
export const pauses: Bench = async function* (context) {
  await using machine = await testMachine({ purpose: "bench", guest: false, memoryMiB: 64, start: true });
  await using server = await startServer(context.server);
  await using python = Python.start();
  const vmId = machine.uuid;
  const figures = await inTurn(roundsOf(context, 40), {
    ours: () =>
      timed(async () => {
        await server.call("pause_vm", { vmId });
        await server.call("resume_vm", { vmId });
      }),
    python: async () =>
      (await python.ask(`suspend ${machine.name}`)).ms + (await python.ask(`resume ${machine.name}`)).ms,
  });
  yield* [
    longer({
      what: "pause and resume, both: longer by",
      ours: figures.ours,
      theirs: figures.python,
      peer: "python3-libvirt",
      aim: { most: 10 },
    }),
  ];
};
