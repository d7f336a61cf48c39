/** A verb of the command line from its start to its end, against virsh and against a runtime that does nothing. */
import { run } from "../testbed/process.ts";
import { BINARY } from "../testbed/product_binary.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/virsh.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { beside } from "./row.ts";

/** Times of the start are small: many rounds make them out in the noise. */
const ROUNDS = 25;

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

/** `vm list` warm; what it takes at least is the runtime's start with a program of one line. */
export const shell: Bench = async function* (context) {
  await using server = await startServer(context.server);
  const hello = await Deno.makeTempFile({ prefix: "kvmm-bench-", suffix: ".js" });
  try {
    await Deno.writeTextFile(hello, "console.log(1);\n");
    const env = { ...context.server.env, KVMM_SOCKET: server.socket };
    const { ours, theirs, floor, version } = await inTurn(roundsOf(context, ROUNDS), {
      ours: () => timed(() => run([BINARY, "vm", "list"], { env })),
      version: () => timed(() => run([BINARY, "version"], { env })),
      theirs: () => timed(() => virsh("list", "--all")),
      floor: () => timed(() => run([Deno.execPath(), ...FLOOR, hello])),
    });
    yield* [
      beside({ what: "shell: vm list, warm", ours, theirs, peer: "virsh list --all", aim: { most: 100 } }),
      beside({ what: "shell: the same", ours, theirs: floor, peer: "a runtime that prints one line" }),
      beside({
        what: "shell: version",
        ours: version,
        theirs: floor,
        peer: "a runtime that prints one line",
      }),
    ];
  } finally {
    await Deno.remove(hello);
  }
};
