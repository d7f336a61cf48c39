/** Common parts of all moves of a VM between hosts: targets of its parts, reports, its task. */
import type { IncomingDisk, IncomingVm, MigrationFinding } from "../../../lib/host/migration_protocol.ts";
import {
  ContractError,
  type Input,
  type NetworkChoices,
  type Output,
  type VM,
} from "../../../lib/contract/mod.ts";
import { message, vmName } from "../../../lib/i18n/message.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { t as tOperations } from "../../operations/outcome.ts";
import { findingText } from "./findings.ts";

/** The pools and networks that are chosen for it, by what it has. */
export function chosenPlaces(
  { pool, pools, networks }: Pick<Input<"migrate_vm">, "pool" | "pools" | "networks">,
): Pick<IncomingVm, "pool" | "pools" | "networks"> {
  return {
    ...(pool !== undefined && { pool }),
    ...(pools && { pools: Object.fromEntries(pools.map(({ target, pool }) => [target, pool])) }),
    ...(networks && { networks: networksByName(networks) }),
  };
}

/** Network of the host that a VM leaves → network where it goes. */
export const networksByName = (networks: NetworkChoices = []): Readonly<Record<string, string>> =>
  Object.fromEntries(networks.map(({ from, to }) => [from, to]));

/** Target places of its disks. @param sizeOf bytes of a disk as its guest sees it, by target */
export const shownDisks = (
  disks: readonly Pick<IncomingDisk, "target" | "isShared" | "pool" | "volume">[],
  sizeOf: (target: string) => number | undefined,
): Output<"migrate_vm">["disks"] =>
  disks.map(({ target, isShared, pool, volume }) => {
    const sizeBytes = isShared ? undefined : sizeOf(target);
    return {
      target,
      shared: isShared,
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(pool !== undefined && { pool }),
      ...(volume !== undefined && { volume }),
    };
  });

/** Findings for people. @param host label of the host that it moves to */
export const shownFindings = (
  findings: readonly MigrationFinding[],
  host: string,
): Output<"get_migration_plan">["findings"] =>
  findings.map((each) => ({
    check: each.check,
    level: each.isProblem ? "problem" : "warning",
    text: findingText(each, host),
  }));

export const isPossible = (findings: readonly MigrationFinding[]): boolean =>
  !findings.some(({ isProblem }) => isProblem);

/** @param host label of the host that it moves to @throws {ContractError} VmNotMovable */
export function requirePossible(findings: readonly MigrationFinding[], host: string): void {
  const problems = findings.filter(({ isProblem }) => isProblem);
  if (problems.length === 0) return;
  const reason = problems.map((each) => findingText(each, host)).join(" ");
  throw new ContractError("VmNotMovable", { host, reason });
}

/** The task that shows a move. @param host label of the host that it moves to */
export const moveTask = (vm: VM, host: string, actor: string) => ({
  command: "migrate_vm",
  title: message`Move ${vmName(vm)} to ${host}`,
  actor,
  vmId: vm.id,
  ifInterrupted: tOperations("operations.later"),
} as const);

/** Error of a failed move; a lost connection to libvirt stays as it is. @throws where its task was cancelled */
export function moveFailure(error: unknown, signal: AbortSignal): unknown {
  signal.throwIfAborted();
  return isConnectionLost(error) ? error : contractError(error, "MigrationFailed", "migrate_vm");
}
