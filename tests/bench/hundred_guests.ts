/**
 * Measures the cost of a hundred guests with our agent while no client reads figures: CPU of the product alone, with
 * real guests. They take many minutes to boot under emulation, and most of the host's memory, so it is run by its name
 * alone.
 */
import { agentGuests } from "../testbed/agent_guests.ts";
import { call, readyServer } from "../testbed/product.ts";
import { delay, until } from "../testbed/wait.ts";
import type { Bench, Context } from "./bench.ts";
import { cpuMs } from "./proc.ts";
import { alone } from "./row.ts";

const GUESTS = 100;
/** Share of a core that they may cost. */
const MOST_PERCENT = 2;
/** Seconds from one look into a guest to the next: each is asked once while it is measured. */
const INTERVAL = 300;
/** Seconds after which a server without such looks has settled, and for which it is measured. */
const SETTLED = 60, MEASURED = 120;

/** Percent of a core that a process takes for so many seconds. */
async function percent(pid: number, seconds: number): Promise<number> {
  const [cpu, began] = [await cpuMs(pid), performance.now()];
  await delay(seconds * 1000);
  return (await cpuMs(pid) - cpu) / (performance.now() - began) * 100;
}

/** Percent of a core that the product takes once it knows each of these guests, which it looks into once at its start. */
async function shareOf(
  { server }: Pick<Context, "server">,
  { args, guests, seconds }: {
    readonly args: readonly string[];
    readonly guests: number;
    readonly seconds: number;
  },
): Promise<number> {
  await using started = await readyServer({ ...server, args });
  await delay(SETTLED * 1000);
  await until("all guests to have told what they are", async () => {
    const vms = await call(started, "get_vms");
    return vms.filter(({ guest }) => guest !== undefined).length >= guests;
  }, { seconds: 600, every: 5000 });
  return await percent(started.pid, seconds);
}

/** Percent of a core that the product takes, which looks into no guest again. */
const withoutLooks = (context: Pick<Context, "server">, guests: number): Promise<number> =>
  shareOf(context, { args: ["--guest-interval", "0"], guests, seconds: MEASURED });

/** Percent of a core that the product takes with its defaults. */
const withLooks = (context: Pick<Context, "server">, guests: number): Promise<number> =>
  shareOf(context, { args: [], guests, seconds: INTERVAL });

export const hundredGuests: Bench = async function* (context) {
  const none = await withoutLooks(context, 0);
  await using guests = await agentGuests(GUESTS, "hundred", (count) => console.error(`${count} guests…`));
  const { length: count } = guests.machines;
  const off = await withoutLooks(context, count);
  const looked = await withLooks(context, count);
  const row = (what: string, ours: number) => ({ what: `CPU, ${what}`, ours: [ours], unit: "%" } as const);
  yield* [
    alone(row("nothing runs", none)),
    alone(row(`${count} guests with our agent, guest figures off`, off)),
    alone({
      ...row(`${count} guests with our agent, no open page`, looked),
      aim: { most: MOST_PERCENT },
    }),
  ];
};
