/** The terminal UI: until its first frame and its list, and what it costs while nothing happens. */
import { testMachine } from "../testbed/machine.ts";
import { known } from "../testbed/product.ts";
import { BINARY } from "../testbed/product_binary.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { startServer } from "../testbed/server.ts";
import { Tmux } from "../testbed/tmux.ts";
import { delay } from "../testbed/wait.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { cpuMs } from "./proc.ts";
import { alone, comparison } from "./row.ts";

/** Milliseconds that it is looked at while nothing happens, and before that. */
const IDLE_MS = { full: 60_000, quick: 10_000 }, SETTLE_MS = 5000;

/** Starts a program in a terminal, and waits for what it shows. */
async function until(wanted: string, args: readonly string[]): Promise<void> {
  await using program = new TerminalProgram(args);
  await program.waitFor(wanted, { every: 1 });
}

export const tui: Bench = async function* (context) {
  await using machine = await testMachine({ purpose: "bench", guest: false, memoryMiB: 64, start: true });
  await using server = await startServer(context.server);
  await known(server, machine.uuid);
  const env = Object.entries({ ...context.server.env, LANG: "C.UTF-8", TERM: "xterm-256color" })
    .map(([name, value]) => `${name}=${value}`);
  const ours = ["env", ...env, BINARY, "tui", "--socket", server.socket];
  const figures = await inTurn(roundsOf(context, 15), {
    frame: () => timed(() => until("KVM Manager", ours)),
    list: () => timed(() => until("NAME", ours)),
    // The same verb list without a terminal of its own: what reading the list takes at least
    verb: () => timed(() => until("NAME", ["env", ...env, BINARY, "vm", "list", "--socket", server.socket])),
    version: () => timed(() => until("kvm-manager", ["env", ...env, BINARY, "version"])),
  });
  const { frame, list, verb, version } = figures;
  const peer = "kvm-manager version, in a terminal";
  yield comparison({
    what: "terminal UI: first frame",
    ours: frame,
    theirs: version,
    peer,
    aim: { most: 300 },
  });
  yield comparison({ what: "terminal UI: the list", ours: list, theirs: verb, peer: "kvm-manager vm list" });

  await using terminal = await Tmux.start([BINARY, "tui", "--socket", server.socket], {
    columns: 120,
    rows: 40,
    env: context.server.env ?? {},
  });
  await terminal.shows("NAME");
  const pid = await terminal.pid();
  await delay(SETTLE_MS);
  const before = await cpuMs(pid), began = performance.now();
  await delay(context.quick ? IDLE_MS.quick : IDLE_MS.full);
  const share = (await cpuMs(pid) - before) / (performance.now() - began) * 100;
  yield alone({
    what: `terminal UI: share of a core while it is idle, ${context.machines.length + 1} machines`,
    ours: [share],
    unit: "%",
    aim: { most: 1 },
  });
};
