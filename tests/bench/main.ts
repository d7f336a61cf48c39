/**
 * What things cost, ours beside what people use now: `deno task bench [--quick] [--json [FILE]] [--only=NAME,…]`.
 *
 * Everything is measured in turn on this machine, on the packed binary and the real libvirt. Other work on the
 * machine spoils absolute times; ratios and counts stand it.
 */
import { ensureLibvirtd } from "../testbed/libvirt.ts";
import { manyMachines } from "../testbed/many_machines.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import type { Bench, Context } from "./bench.ts";
import { backups } from "./backups.ts";
import { consoles } from "./console.ts";
import { creations } from "./creations.ts";
import { events } from "./events.ts";
import { firstFrame } from "./first_frame.ts";
import { first } from "./first.ts";
import { frames } from "./frames.ts";
import { guests } from "./guests.ts";
import { hundredGuests } from "./hundred_guests.ts";
import { listCosts, lists } from "./lists.ts";
import { memory } from "./memory.ts";
import { metrics } from "./metrics.ts";
import { opening } from "./opening.ts";
import { BINARY, buildBinary } from "../testbed/product_binary.ts";
import { holds, type Row } from "./row.ts";
import { scans } from "./scans.ts";
import { shell } from "./shell.ts";
import { pauses, starts } from "./starts.ts";
import { stats } from "./stats.ts";
import { sessions } from "./sessions.ts";
import { storage } from "./storage.ts";
import { table } from "./table.ts";
import { thousand } from "./thousand.ts";
import { weights } from "./weights.ts";
import { year } from "./year.ts";

/** Hosts to measure on, by how many stopped machines they have, and what is measured there. */
const SCENES: readonly {
  readonly machines: number;
  readonly benches: Readonly<Record<string, Bench>>;
  /** They take so long that they are run only when they are named. */
  readonly byName?: boolean;
}[] = [
  {
    machines: 0,
    benches: {
      first,
      memory,
      weights,
      stats,
      metrics,
      thousand,
      starts,
      pauses,
      creations,
      events,
      consoles,
      frames,
      firstFrame,
      storage,
      backups,
      sessions,
      shell,
      guests,
    },
  },
  { machines: 100, benches: { lists } },
  { machines: 0, benches: { year, hundredGuests }, byName: true },
  { machines: 1005, benches: { lists, listCosts, scans, memory, opening } },
];

/** The value of `--name=…`, or of `--name …`; empty when the option stands alone, undefined when it is not there. */
function option(name: string): string | undefined {
  for (const [index, arg] of Deno.args.entries()) {
    if (arg.startsWith(`--${name}=`)) return arg.slice(name.length + 3);
    if (arg !== `--${name}`) continue;
    const next = Deno.args[index + 1];
    return next === undefined || next.startsWith("--") ? "" : next;
  }
}

/** Progress goes to standard error: standard output has the result alone. */
const say = (text: string) => console.error(text);

async function runAll(server: Context["server"], quick: boolean, only: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { machines: count, benches, byName = false } of SCENES) {
    const wanted = Object.entries(benches).filter(([name]) =>
      only.length === 0 ? !byName : only.includes(name)
    );
    if (wanted.length === 0) continue;
    if (count > 0) say(`${count} machines…`);
    await using machines = count === 0 ? null : await manyMachines(count, "bench");
    for (const [name, bench] of wanted) {
      say(`${name}…`);
      try {
        rows.push(...await bench({ quick, server, machines: machines?.names ?? [] }));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        say(`SKIP ${name}: ${error.message}`);
      }
    }
  }
  return rows;
}

async function main(): Promise<void> {
  const [quick, only, json] = [Deno.args.includes("--quick"), option("only"), option("json")];
  await ensureLibvirtd();
  await buildBinary();
  const cache = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
  try {
    // As the product does by itself
    const server: Context["server"] = {
      ...{ binary: BINARY, logLevel: "info", guestInterval: 300 },
      env: { KVMM_CACHE_DIR: cache },
    };
    const rows = await runAll(server, quick, only?.split(",") ?? []);
    const result = JSON.stringify(rows.map((row) => ({ ...row, holds: holds(row) })), null, 2);
    if (json) await Deno.writeTextFile(json, result + "\n");
    console.log(json === "" ? result : table(rows));
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

if (import.meta.main) {
  await main();
  Deno.exit(); // a worker that still waits for libvirt must not hold the result up
}
