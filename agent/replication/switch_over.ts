/** Steps of a planned switch-over: whether the other host takes the VM, and the VM here is shut down, or started again. */
import { ContractError } from "../../lib/contract/mod.ts";
import { maintenance as maintenanceTexts } from "../../lib/i18n/en/maintenance.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Principal } from "../access.ts";
import { sleep } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { isOff } from "../vm/lifecycle/undefine.ts";
import { findingText } from "../vm/migration/findings.ts";
import type { ReplicationConversation } from "./conversation.ts";
import type { StoredReplication } from "./records.ts";

const { t: tMaintenance } = textsOf(maintenanceTexts);

/** Milliseconds between looks whether a guest has shut down. */
const LOOK_MS = 500;

/** The task that shows it. */
export type ReplicationJob = Pick<JobHandle, "signal" | "log" | "progress">;

/** @throws {ContractError} HostInMaintenance where the other host takes no VM now */
export function requireOpen({ label, maintenance }: LinkedHost): void {
  if (maintenance === undefined) return;
  const reason = maintenance.note || tMaintenance("maintenance.no_reason");
  throw new ContractError("HostInMaintenance", { host: label, reason });
}

/**
 * Looks whether the VM could run there, by what that host has now.
 *
 * @throws {ContractError} ReplicationNotPossible where it is to be started
 */
export async function requireRunnable(
  talk: ReplicationConversation,
  start: boolean,
  job: ReplicationJob,
): Promise<void> {
  const { label } = talk.host;
  try {
    for (const finding of (await talk.ask({ do: "check" })).findings) {
      const text = findingText(finding, label);
      if (start && finding.isProblem) throw new ContractError("ReplicationNotPossible", { reason: text });
      job.log(text);
    }
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "InvalidInput") throw error;
    // It makes the VM all the same, and says then what is missing
    job.log(`${oneLine(label, 60)} has an older KVM Manager, which cannot look at networks before`);
  }
}

/** Starts a VM again that was shut down for a switch-over which did not take place. */
export async function startAgain(
  host: LibvirtHost,
  { vmId, vmName: name }: StoredReplication,
  principal: Principal,
  job: ReplicationJob,
): Promise<void> {
  const vm = vmName({ vmId, name });
  try {
    await host.run("start_vm", { vmId }, principal);
    job.log(message`${vm}: it was not switched over, and is started here again`);
  } catch (error) {
    job.log(
      message`${vm}: it was not switched over, and could not be started here again: ${messageOf(error)}`,
    );
    log.warn("a VM that was shut down for a switch-over is off", { vm: vmId, error });
  }
}

/** Has the guest shut down. @throws {ContractError} ReplicationFailed where it does not; it goes on then */
export async function shutDown(
  host: LibvirtHost,
  vmId: string,
  principal: Principal,
  seconds: number,
  job: ReplicationJob,
): Promise<void> {
  const { clock } = host, until = clock.monotonic() + seconds * 1000;
  await host.run("stop_vm", { vmId }, principal);
  for (;;) {
    const domain = await host.link.call("domainRead", { uuid: vmId });
    if (domain !== null && isOff(domain)) break;
    job.signal.throwIfAborted();
    if (clock.monotonic() > until) {
      throw new ContractError("ReplicationFailed", {
        error: message`the guest did not shut down within ${seconds} seconds, and goes on here`,
      });
    }
    await sleep(clock, LOOK_MS, job.signal);
  }
  await host.inventory.refresh(vmId);
}
