/**
 * Linked hosts in one process: they keep to the protocol of links, and give what a real KVM Manager has given, with ids and
 * names of their own. For the bench of many hosts; it is told {@link StandIns} in its first line, and a {@link Telling} in
 * each further one, or {@link MoreFigures}. It answers the first with the invitations.
 */
import type { ConnectionStatus, HostStats, VM, VmStats } from "../../lib/contract/mod.ts";
import { hostileLink } from "../testbed/hostile_link.ts";
import { jsonLines } from "./answering_process.ts";

/** Properties of the stand-in hosts. */
export interface StandIns {
  readonly count: number;
  /** Prefix of their VMs' names. */
  readonly prefix: string;
  /** Answers of a real one. */
  readonly vms: readonly VM[];
  readonly status: ConnectionStatus;
  readonly stats: HostStats;
  /** Text of a real stream of figures in {@link FIGURES_MS}. */
  readonly figures: string;
}

/** An event of one of them: the state of one of its VMs. */
export interface Telling {
  readonly host: number;
  readonly vm: number;
  readonly state: VM["state"];
}

/** From now on they tell figures of each VM, too, made up: the test driver of a real one has none. */
export interface MoreFigures {
  readonly ofVms: true;
}

/** Answer to the first line: an invitation of each, and the ids of their VMs. */
export interface Invited {
  readonly invitations: readonly string[];
  readonly ids: readonly (readonly string[])[];
}

/** Milliseconds between figures, as a real one tells them. */
export const FIGURES_MS = 2000;

async function standIn({ prefix, vms, status, stats, figures }: StandIns, host: number) {
  const link = await hostileLink(status),
    ids = new Map(vms.map(({ id }) => [id, crypto.randomUUID() as string]));
  link.said.vms = vms.map((vm) => ({ ...vm, id: ids.get(vm.id)!, name: `${prefix}${host}-${vm.name}` }));
  link.said.answers.get_host_stats = stats;
  const own = [...ids].reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), figures);
  const told = { figures: own };
  // Not all at the same moment
  setTimeout(() => setInterval(() => link.tellFigures(told.figures), FIGURES_MS), Math.random() * FIGURES_MS);
  return { link, vms: link.said.vms, told };
}

/** An event with a VM's figures. */
function figuresOf({ id: vmId }: VM): string {
  const stats: VmStats = {
    vmId,
    cpuUsagePercent: 12.5,
    memoryUsedMb: 1234,
    memoryAvailableMb: 2048,
    timestamp: Date.now(),
    diskReadBytes: 1234567890,
    diskWriteBytes: 987654321,
    networkRxBytes: 1122334455,
    networkTxBytes: 5544332211,
  };
  return `event: vm-stats-updated\ndata: ${JSON.stringify({ vmId, stats })}\n\n`;
}

if (import.meta.main) {
  let hosts: Awaited<ReturnType<typeof standIn>>[] | undefined;
  for await (const line of jsonLines(Deno.stdin.readable)) {
    if (hosts === undefined) {
      const order = line as StandIns;
      hosts = [];
      for (let host = 0; host < order.count; host++) hosts.push(await standIn(order, host));
      const invited: Invited = {
        invitations: hosts.map(({ link }) => link.invitation),
        ids: hosts.map(({ vms }) => vms.map(({ id }) => id)),
      };
      console.log(JSON.stringify(invited));
      continue;
    }
    if ("ofVms" in (line as Telling | MoreFigures)) {
      for (const { told, vms } of hosts) told.figures += vms.map(figuresOf).join("");
      continue;
    }
    const { host, vm, state } = line as Telling, told = hosts[host]!;
    told.link.tell("vm-state-changed", { vmId: told.vms[vm]!.id, state });
  }
  Deno.exit();
}
