/** Errors: VMs and their power. */
import type { ErrorKind } from "./kind.ts";

export const VM_ERRORS = {
  VmOnSeveralHosts: {
    text:
      "Several hosts have a VM with the id {vmId} ({hosts}), and it is not known which one it belongs to. Undefine it where " +
      "it does not belong (virsh undefine), then try again.",
    status: 409,
    exit: 5,
  },
  VmNotMovable: { text: "The VM cannot move to {host}: {reason}", status: 409, exit: 5 },
  MigrationFailed: { text: "The VM did not move: {error}", status: 502, exit: 1 },
  MovesFull: {
    text: "{host} takes {limit} VMs that move there at once. Try again once one of them is there.",
    status: 429,
    exit: 3,
  },
  PlacementRuleBroken: {
    text: "On {host} this goes against rules of placement ({rules}). Choose another host, or use breakRules.",
    status: 409,
    exit: 5,
  },
  VmNotFound: { text: "VM not found: {vmId}", status: 404, exit: 4 },
  VmAlreadyRunning: { text: "VM is already running", status: 409, exit: 5 },
  VmNotRunning: { text: "VM is not running", status: 409, exit: 5 },
  VmNotPaused: { text: "VM is not paused", status: 409, exit: 5 },
  VmStillRunning: { text: "Cannot delete running VM. Stop it first.", status: 409, exit: 5 },
  VmNotPersistent: {
    text: "VM is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  VmBusy: {
    text: "VM is busy with another operation ({operation}). Wait for it to end, then try again.",
    status: 409,
    exit: 5,
  },
  VmNotResponding: {
    text:
      "VM has not responded since {since} ({call}). Force it off if it stays so; other VMs are not affected.",
    status: 503,
    exit: 3,
  },
  OperationUnsettled: {
    text:
      "{subject} is held by {operation}, which was cut short and is not settled yet. Try again in a moment.",
    status: 409,
    exit: 5,
  },
  VncNotConfigured: { text: "VNC not configured for this VM", status: 409, exit: 5 },
  NoViewer: {
    text: "remote-viewer cannot reach this VM's screen: {reason}",
    status: 409,
    exit: 5,
  },
  ConsoleTicket: {
    text: "This console ticket has expired or was already used. Open the console again.",
    status: 403,
    exit: 6,
  },
  BootSourceMissing: { text: "VM cannot boot from {from}: {reason}", status: 409, exit: 5 },
  BootWouldResume: {
    text:
      "VM is suspended: its saved memory would go on instead of booting. Resume it and shut it down first, or discard " +
      "its saved memory, then boot it from {from}.",
    status: 409,
    exit: 5,
  },
  VmLogMissing: {
    text: "There is no QEMU log of this VM yet. libvirt begins it at the first start under the VM's name.",
    status: 404,
    exit: 4,
  },
  VmLogUnavailable: { text: "QEMU's log of this VM cannot be read: {reason}", status: 409, exit: 5 },
  StartFailed: { text: "Failed to start VM: {error}", status: 502, exit: 1 },
  ContinueFailed: {
    text:
      "Failed to continue the suspended VM: {error}. If its saved memory is damaged, discard it: the VM boots then, and " +
      "what was in its memory is lost.",
    status: 502,
    exit: 1,
  },
  StopFailed: { text: "Failed to stop VM: {error}", status: 502, exit: 1 },
  ForceStopFailed: { text: "Failed to force stop VM: {error}", status: 502, exit: 1 },
  PauseFailed: { text: "Failed to pause VM: {error}", status: 502, exit: 1 },
  ResumeFailed: { text: "Failed to resume VM: {error}", status: 502, exit: 1 },
  RebootFailed: { text: "Failed to reboot VM: {error}", status: 502, exit: 1 },
  ResetFailed: { text: "Failed to reset VM: {error}", status: 502, exit: 1 },
  SuspendFailed: { text: "Failed to suspend VM: {error}", status: 502, exit: 1 },
  NoSavedMemory: { text: "VM has no saved memory", status: 409, exit: 5 },
  DiscardFailed: { text: "Failed to discard the saved memory of the VM: {error}", status: 502, exit: 1 },
  DeleteFailed: { text: "Failed to delete VM: {error}", status: 502, exit: 1 },
  DiskDeleteFailed: { text: "Failed to delete disk: {path} - {error}", status: 502, exit: 1 },
  UpdateFailed: { text: "Failed to update VM: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
