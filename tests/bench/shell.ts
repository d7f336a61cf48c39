/** Verbs of the command line from their start to their end, against virsh and against a runtime that does nothing. */
import { testMachine } from "../testbed/machine.ts";
import { run } from "../testbed/process.ts";
import { known } from "../testbed/product.ts";
import { BINARY } from "../testbed/product_binary.ts";
import { startServer } from "../testbed/server.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { comparison } from "./row.ts";
import { virshProcess } from "./virsh_process.ts";

/** Times of the start are small: many rounds make them out in the noise. A start of QEMU takes long. */
const ROUNDS = 25, START_ROUNDS = 9;
const RUNTIME = "a runtime that prints one line";

/** As the packed program starts its runtime. */
const FLOOR = [
  "run",
  "--allow-all",
  "--deny-run",
  "--deny-ffi",
  "--no-remote",
  "--no-npm",
  "--no-config",
  "--no-lock",
];

/** Verbs warm, each a process of its own as virsh is; what they take at least is the runtime's start with one line. */
export const shell: Bench = async function* (context) {
  const options = { purpose: "bench", guest: false, memoryMiB: 64 } as const;
  await using a = await testMachine(options);
  await using b = await testMachine(options);
  await using server = await startServer(context.server);
  const hello = await Deno.makeTempFile({ prefix: "kvmm-bench-", suffix: ".js" });
  try {
    await Deno.writeTextFile(hello, "console.log(1);\n");
    await known(server, a.uuid);
    const env = { ...context.server.env, KVMM_SOCKET: server.socket };
    const ours = (...args: string[]) => timed(() => run([BINARY, ...args], { env }));
    const theirs = (...args: string[]) => timed(() => virshProcess(...args));

    const look = await inTurn(roundsOf(context, ROUNDS), {
      list: () => ours("vm", "list"),
      virshList: () => theirs("list", "--all"),
      show: () => ours("vm", "show", a.name),
      virshShow: () => theirs("dominfo", b.name),
      version: () => ours("version"),
      floor: () => timed(() => run([Deno.execPath(), ...FLOOR, hello])),
    });
    const { floor } = look;
    yield* [
      comparison({
        what: "shell: vm list, warm",
        ours: look.list,
        theirs: look.virshList,
        peer: "virsh list --all",
        aim: { most: 100 },
      }),
      comparison({ what: "shell: vm show", ours: look.show, theirs: look.virshShow, peer: "virsh dominfo" }),
      comparison({ what: "shell: vm list", ours: look.list, theirs: floor, peer: RUNTIME }),
      comparison({ what: "shell: version", ours: look.version, theirs: floor, peer: RUNTIME }),
    ];

    // Both are forced off in the round they are started in
    const offs = { ours: [] as number[], theirs: [] as number[] };
    const starts = await inTurn(roundsOf(context, START_ROUNDS), {
      ours: async () => {
        const ms = await ours("vm", "start", a.name);
        offs.ours.push(await ours("vm", "force-stop", a.name, "--yes"));
        return ms;
      },
      theirs: async () => {
        const ms = await theirs("start", b.name);
        offs.theirs.push(await theirs("destroy", b.name));
        return ms;
      },
    });
    for (const values of Object.values(offs)) values.shift(); // the round that does not count
    yield comparison({ what: "shell: vm start", ...starts, peer: "virsh start" });
    yield comparison({ what: "shell: vm force-stop", ...offs, peer: "virsh destroy" });
  } finally {
    await Deno.remove(hello);
  }
};
