/** Guests: what a program and a copy cost beyond the agent itself, and what 100 idle guests cost. */
import { cpuUsage } from "node:process";
import { GuestWatch } from "../../agent/guest/watch.ts";
import type { GuestFactRecords } from "../../agent/guest/fact_records.ts";
import type { GuestService } from "../../agent/guest/service.ts";
import { OwnBackend } from "../../agent/guest/own/backend.ts";
import { OwnAgentLines } from "../../agent/guest/own/lines.ts";
import { FakeGuest, RESULTS } from "../../agent/guest/own/testing.ts";
import { SYSTEM_CLOCK } from "../../agent/clock.ts";
import type { Inventory } from "../../agent/hosts/inventory/inventory.ts";
import type { GuestFacts } from "../../lib/contract/mod.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { BareGuest } from "./bare_guest.ts";
import { type Bench, type Context, roundsOf } from "./bench.ts";
import { differences, inTurn, timed } from "./measure.ts";
import { alone, comparison } from "./row.ts";

const MB = 1_000_000;
/** Bytes that the figures are for, and those really transferred: QEMU's agent takes about a megabyte a second. */
const TOLD = 100 * MB;
const sizesOf = ({ quick }: Context) =>
  quick ? { ours: 10 * MB, qemu: 2 * MB } : { ours: TOLD, qemu: 8 * MB };
/** Idle guests, the pace at which they are asked, and the share of a core that they may cost. */
const IDLE = 100, INTERVAL = 300, SHARE = 0.02;

/** Milliseconds after which a copy will not end any more: through QEMU's agent a second a megabyte, on an idle machine. */
const COPY_MS = 180_000;

/** Copies so many bytes into a guest. @returns milliseconds for 100 MB */
async function copy({ url }: TestServer, vmId: string, size: number): Promise<number> {
  const body = new Uint8Array(size);
  crypto.getRandomValues(body.subarray(0, 65_536));
  const ms = await timed(async () => {
    const answer = await fetch(`${url}/api/v1/vms/${vmId}/guest/content?path=/tmp/bench`, {
      method: "PUT",
      body,
      signal: AbortSignal.timeout(COPY_MS),
    });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.body?.cancel();
  });
  return ms * TOLD / size;
}

/** CPU time of asking so many guests once, the guests' own part in this process included. @returns milliseconds */
async function idleGuests(): Promise<number> {
  const vms = Array.from({ length: IDLE }, (_, index) =>
    aVm({
      id: `idle-${index}`,
      name: `idle-${index}`,
      guestAgent: "connected",
      guestAgents: { "qemu-ga": "not configured", "kvm-manager-agent": "connected" },
    }));
  const lines = new OwnAgentLines(
    () => Promise.resolve(new FakeGuest(({ method }) => RESULTS.get(method)).streams),
    SYSTEM_CLOCK,
  );
  const xml = "<domain><devices><channel type='unix'><target type='virtio' name='org.kvmmanager.agent.0' " +
    "state='connected'/></channel></devices></domain>";
  const agent = new OwnBackend({ call: () => Promise.resolve(xml) } as never, lines, SYSTEM_CLOCK);
  const byId = new Map(vms.map((vm) => [vm.id, vm]));
  const guests: Pick<GuestService, "agentFor" | "whoCan"> = {
    whoCan: async (vm, ability) => await agent.hindrance(vm, ability) === undefined ? agent.kind : undefined,
    agentFor: (vmId) => Promise.resolve({ vm: byId.get(vmId)!, agent }),
  };
  const facts = new Map<string, GuestFacts>();
  const watch = new GuestWatch({
    guests,
    lines,
    clock: SYSTEM_CLOCK,
    interval: INTERVAL,
    inventory: { vms: () => vms, update: () => {} } as unknown as Inventory,
    records: {
      get: (id: string) => facts.get(id),
      put: (id: string, value: GuestFacts) => void facts.set(id, value),
    } as unknown as GuestFactRecords,
  });
  const before = cpuUsage(), end = new AbortController();
  while (vms.some(({ id }) => watch.reading(id) === undefined)) await watch.tick(end.signal);
  const { user, system } = cpuUsage(before);
  await lines.stop();
  return (user + system) / 1000;
}

/** Programs, copies, idle guests. */
export const guests: Bench = async function* (context) {
  const guest = await buildAgentGuest(), memoryMiB = 512;
  const options = { guest, memoryMiB, start: true } as const;
  await using served = await testMachine({ ...options, purpose: "served", agent: false, ownAgent: true });
  await using bare = await BareGuest.start(guest, memoryMiB);
  await using qemu = await testMachine({ ...options, purpose: "qemu" });
  await using server = await readyServer(context.server);
  for (const { uuid } of [served, qemu]) {
    await shows(server, uuid, ({ guestAgent }) => guestAgent === "connected", { seconds: 240 });
  }
  await using agent = await bare.agent();
  const ran = await inTurn(roundsOf(context, 15), {
    ours: () => timed(() => call(server, "guest_exec", { vmId: served.uuid, command: "true" })),
    theirs: () => timed(() => agent.exec("true", { limitMs: 60_000 })),
  });
  yield* [
    comparison({ what: "exec of true", ...ran, peer: "the agent, at its socket" }),
    alone({
      what: "exec of true, beyond the agent's own time",
      ours: differences(ran.ours, ran.theirs),
      aim: { most: 15 },
    }),
  ];
  const size = sizesOf(context);
  const copied = await inTurn(roundsOf(context, 3), {
    ours: () => copy(server, served.uuid, size.ours),
    raw: async () => await bare.raw(agent, size.ours) * TOLD / size.ours,
    qemu: () => copy(server, qemu.uuid, size.qemu),
  });
  const what = "100 MB into a guest";
  yield* [
    comparison({
      what,
      ours: copied.ours,
      theirs: copied.raw,
      peer: "the raw virtio-serial port",
      aim: { ratio: 2 },
    }),
    comparison({
      what,
      ours: copied.ours,
      theirs: copied.qemu,
      peer: "qemu-guest-agent",
      aim: { ratio: 1 / 3 },
    }),
  ];
  const idle: number[] = [];
  for (let round = 0; round < roundsOf(context, 5); round++) idle.push(await idleGuests());
  yield alone({
    what: `CPU of asking ${IDLE} guests (made up, their own part counted) once in ${INTERVAL} s`,
    ours: idle,
    aim: { most: INTERVAL * 1000 * SHARE },
  });
};
