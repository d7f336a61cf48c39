/** From a change by another program to the browser's event, compared with a program that receives libvirt's events. */
import { testMachine } from "../testbed/machine.ts";
import { startServer } from "../testbed/server.ts";
import type { StreamEvent } from "../testbed/sse.ts";
import { delay } from "../testbed/wait.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { Python, type PythonEvent, PythonListener } from "./python.ts";
import { comparison, longer } from "./row.ts";

/** `virDomainEventType`, and our word for the state after it. */
const CHANGES = {
  suspend: { event: 3, state: "paused" },
  resume: { event: 4, state: "running" },
} as const;

/** Milliseconds since 1970, finer than `Date.now()`: aligned with it at one of its ticks. */
function preciseClock(): () => number {
  const before = Date.now();
  let tick = before;
  while (tick === before) tick = Date.now();
  const origin = tick - performance.now();
  return () => origin + performance.now();
}

export const events: Bench = async function* (context) {
  await using machine = await testMachine({ purpose: "bench", guest: false, memoryMiB: 64, start: true });
  await using server = await startServer(context.server);
  await using python = Python.start();
  await using listener = await PythonListener.start();
  const now = preciseClock();
  const stream = server.events();
  const begun = stream.next(); // opens the stream
  await delay(1000);
  let pending: Promise<IteratorResult<StreamEvent, void>> = begun;
  const ourEvent = async (state: string): Promise<number> => {
    while (true) {
      const { value, done } = await pending;
      const at = now();
      pending = stream.next();
      if (done || !value) throw new Error("the event stream ended");
      const { vmId, state: after } = value.data as { vmId?: string; state?: string };
      if (value.event === "vm-state-changed" && vmId === machine.uuid && after === state) return at;
    }
  };
  const theirEvent = async (event: number): Promise<PythonEvent> => {
    while (true) {
      const received = await listener.event();
      if (received.name === machine.name && received.event === event) return received;
    }
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < roundsOf(context, 30); round++) {
    for (const [command, { event, state }] of Object.entries(CHANGES)) {
      const [our, their, { at }] = await Promise.all([
        ourEvent(state),
        theirEvent(event),
        python.ask(`${command} ${machine.name}`),
      ]);
      ours.push(our - at);
      theirs.push(their.at - at);
      await delay(50);
    }
  }
  const ended = stream.return();
  await server.stop(); // ends the stream, which is what the last read waits for
  await Promise.allSettled([pending, ended]);
  const peer = "python3-libvirt's callback";
  yield* [
    comparison({ what: "change elsewhere → event at the browser", ours, theirs, peer }),
    longer({ what: "change elsewhere → event: longer by", ours, theirs, peer, aim: { most: 5 } }),
  ];
};
