/**
 * Hosts that a call waits for before it is carried out. After the start a host is read, or found not to
 * answer: until then calls would fail without a reason that users can see. A silent host holds up only its
 * own calls.
 */
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { within } from "../within.ts";

/** Milliseconds that a list of all hosts waits for the others once one was read: those that answer take about as long. */
const OTHERS_MS = 500;

type SettlingHost = Pick<LibvirtHost, "settled" | "inventory">;
/** The parts of the registry that find a call's hosts. */
export interface SettlingHosts {
  readonly local: SettlingHost;
  all(): readonly SettlingHost[];
  named(id: string): Pick<SettlingHost, "settled"> | undefined;
  withVm(vmId: string): SettlingHost | undefined;
}

const all = async (hosts: readonly SettlingHost[]) =>
  void await Promise.all(hosts.map((host) => host.settled()));

/** Waits until a host was read, or all are known not to answer, and a moment for the others. */
async function settledAny(hosts: readonly SettlingHost[]): Promise<void> {
  const rest = all(hosts);
  const isRead = ({ inventory }: SettlingHost) => inventory.filled;
  await firstOf(hosts.map(async (host) => {
    await host.settled();
    return isRead(host);
  }));
  await within(OTHERS_MS, rest);
}

/** Waits until one comes to true, or all have come to false. */
async function firstOf(looks: readonly Promise<boolean>[]): Promise<void> {
  const found = Promise.withResolvers<void>();
  for (const look of looks) void look.then((isFound) => isFound && found.resolve());
  await Promise.race([found.promise, Promise.all(looks)]);
}

/** Waits until the host that a VM belongs to was read; of one that is not known, until it is found or no host has it. */
async function settledVm(hosts: SettlingHosts, vmId: string): Promise<void> {
  const owner = hosts.withVm(vmId);
  if (owner !== undefined) return await owner.settled();
  await firstOf(
    hosts.all().map(async (host) => {
      await host.settled();
      return hosts.withVm(vmId) !== undefined;
    }),
  );
}

/** Waits, a bounded time, for the hosts that a call is about. Nothing of the input was checked yet. */
export async function settledFor(hosts: SettlingHosts, command: CommandName, input: unknown): Promise<void> {
  const { host, vmId, vmIds } = (input ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof host === "string") return await hosts.named(host)?.settled();
  const ids = Array.isArray(vmIds) ? vmIds : [vmId];
  const wanted = new Set(ids.filter((id) => typeof id === "string"));
  if (wanted.size > 0) return void await Promise.all([...wanted].map((id) => settledVm(hosts, id)));
  const { ofAllHosts, onAnyHost }: Command = COMMANDS[command];
  if (ofAllHosts) return await settledAny(hosts.all());
  return onAnyHost ? await all(hosts.all()) : await hosts.local.settled();
}
