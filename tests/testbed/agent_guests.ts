/** A host with many running guests that all have our own agent in them. */
import { buildAgentGuest } from "./agent_guest.ts";
import { type TestMachine, testMachine } from "./machine.ts";

/** Running machines that are removed when disposed of. */
export interface AgentGuests extends AsyncDisposable {
  readonly machines: readonly TestMachine[];
}

/** Guests that boot at the same time: more would only wait for each other. */
const BATCH = 4;
/** As little as the tiny guest with the agent boots in: a hundred must find room. */
const SMALL = { memoryMiB: 96, codeCacheMiB: 16 } as const;

/** Memory in MB that stays free for everything else on the host. */
const SPARE_MB = 4000;

/**
 * Boots so many guests of the tiny kind, or as many as the host has memory for.
 *
 * @param said is told how many have come up, after each batch
 */
export async function agentGuests(
  count: number,
  purpose: string,
  said: (count: number) => void = () => {},
): Promise<AgentGuests> {
  const guest = await buildAgentGuest();
  await using undo = new AsyncDisposableStack();
  const machines: TestMachine[] = [];
  while (machines.length < count && Deno.systemMemoryInfo().available > SPARE_MB * 1_000_000) {
    const batch = Math.min(BATCH, count - machines.length);
    const started = await Promise.all(Array.from({ length: batch }, async () => {
      const machine = await testMachine({
        purpose,
        guest,
        start: true,
        ...SMALL,
        agent: false,
        ownAgent: true,
        serial: "file",
      });
      return undo.use(machine);
    }));
    await Promise.all(started.map((machine) => machine.waitForBoot(1, { seconds: 240 })));
    machines.push(...started);
    said(machines.length);
  }
  const cleanup = undo.move();
  return { machines, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}
