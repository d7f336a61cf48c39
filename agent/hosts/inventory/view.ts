/** One VM as the contract shows it, put together from what libvirt said and what was found out in addition. Pure. */
import type { DomainRecord, GuestAddress } from "../../../ffi/calls/mod.ts";
import type { Disk, GuestFacts, NetworkInterface, VM, VmStats } from "../../../lib/contract/vm.ts";
import { isLinkLocal } from "../../../lib/formats/ip/link_local.ts";
import { notRespondingText } from "../../../lib/vm/not_responding.ts";
import { lostLabelsText, OPEN_SCREEN_TEXT } from "../../../lib/vm/attention.ts";
import { isActiveState, stateReason, vmState } from "./states.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { Membership } from "../projects.ts";

/** Data of a VM in addition to its record. */
export interface Extras {
  readonly host: string;
  readonly addresses: readonly GuestAddress[];
  readonly sizes: ReadonlyMap<string, { capacity: number; allocation: number }>;
  /** Sources of disks that are not there. */
  readonly missing: ReadonlySet<string | undefined>;
  readonly stateSince: number | undefined;
  readonly startedAt: number | undefined;
  readonly operation: string | undefined;
  readonly powerRequest: VM["powerRequest"];
  /** Why nothing is known of it any more; undefined while it responds. */
  readonly notResponding: VM["notResponding"];
  readonly guest: GuestFacts | undefined;
  /** Its agents hold their channels open, and do not answer. */
  readonly agentSilent: boolean;
  readonly stats: VmStats | undefined;
  /** The last thing that went wrong, e.g. an I/O error that paused it. */
  readonly trouble: string | undefined;
  /** It was killed here, which libvirt may take for a crash. */
  readonly isForcedOff: boolean;
  /** Tags and group that another program took away. */
  readonly lostLabels: VM["lostLabels"];
  /** The mount a disk of it is on, where that does not respond; `since` is an ISO time. */
  readonly silentMount: { readonly path: string; readonly since: string } | undefined;
  /** Why it would not be started here: the end of a sentence. */
  readonly startRisk: string | undefined;
  /** An image that a snapshot which was cut short has left on a disk of it, and that may have data. */
  readonly leftImage: string | undefined;
  /** Project and end date. */
  readonly membership?: Membership;
  /** The process that runs it although libvirt takes it for off. */
  readonly lostPid: number | undefined;
}

/** An address worth showing first: global before link-local and loopback, IPv4 before IPv6. */
function rank(address: string): number {
  if (/^(127\.|::1$)/.test(address)) return 9;
  if (isLinkLocal(address)) return 5;
  return address.includes(":") ? 2 : 1;
}

function withAddresses(
  nic: DomainRecord["summary"]["interfaces"][number],
  known: readonly GuestAddress[],
): NetworkInterface {
  const own = known
    .filter((entry) => entry.mac.toLowerCase() === nic.mac.toLowerCase() && rank(entry.address) < 9)
    .sort((a, b) => rank(a.address) - rank(b.address) || a.address.localeCompare(b.address));
  const [first] = own;
  const unique = [...new Set(own.map((entry) => `${entry.address}/${entry.prefix}`))];
  return { ...nic, ...(first && { ipAddress: first.address }), ipAddresses: unique };
}

function withSize(disk: Disk, sizes: Extras["sizes"]): Disk {
  const size = sizes.get(disk.target);
  return size ? { ...disk, capacityBytes: size.capacity, allocationBytes: size.allocation } : disk;
}

/** GiB of all its disks together, to one decimal, below one to a MiB; null while one of them is unknown. */
function totalGib(disks: readonly Disk[]): number | null {
  const own = disks.filter((disk) => disk.device === "disk" || disk.device === "lun");
  if (own.some((disk) => disk.capacityBytes === undefined)) return null;
  const gib = own.reduce((sum, disk) => sum + disk.capacityBytes!, 0) / GIB, parts = gib < 1 ? 1024 : 10;
  return Math.round(gib * parts) / parts;
}

/** libvirt 9.0 that is killed before QEMU has begun waits for it for good, also after its next starts. */
const held = (name: string): string =>
  "libvirt is starting it, and does not answer for it. If that lasts, libvirt was ended while it started the VM: stop " +
  `libvirt, delete /run/libvirt/qemu/${oneLine(name, 100)}.xml on the host, and start libvirt.`;

/** Why libvirt pauses a VM to write its memory. */
const WRITING_MEMORY: ReadonlySet<string> = new Set(["saving", "dumping", "creating snapshot"]);

function attention(
  name: string,
  state: VM["state"],
  reason: string | undefined,
  extras: Extras,
  screen: VM["openScreen"],
  disks: readonly Disk[],
): string[] {
  const found: string[] = [];
  if (extras.lostPid !== undefined) {
    found.push(
      `It still runs as process ${extras.lostPid} of the host, but libvirt takes it for off. Shut it down from ` +
        `within the guest, or run "kill ${extras.lostPid}" on the host, then start it here.`,
    );
  }
  if (extras.membership?.endText !== undefined) found.push(extras.membership.endText);
  if (extras.lostLabels !== undefined) found.push(lostLabelsText(name, extras.lostLabels));
  if (extras.notResponding !== undefined) {
    found.push(reason === "starting up" ? held(name) : notRespondingText(extras.notResponding));
  }
  if (extras.silentMount !== undefined) {
    const { path, since } = extras.silentMount, at = oneLine(path, 200);
    found.push(
      `A disk of it is on ${at}, which has not responded since ${since}. Check the server behind it; if it does not ` +
        `come back, force the VM off and run "umount -l ${at}" on the host.`,
    );
  }
  if (state === "crashed") {
    found.push("It crashed. Look at its log under /var/log/libvirt/qemu, then start it again.");
  }
  if (state === "stopped" && reason === "daemon") {
    found.push(
      "libvirt was restarted, could not take over the VM's running process, and ended it. Start it again.",
    );
  }
  if (state === "paused" && reason === "I/O error") {
    found.push("It was paused by an I/O error: a disk is full or gone. Give it room, then resume it.");
  }
  if (state === "paused" && extras.operation === undefined && WRITING_MEMORY.has(reason ?? "")) {
    found.push(
      "libvirt paused it while it wrote its memory, for a snapshot or a dump. If no such work goes on, libvirt was ended " +
        "in the middle of it: resume the VM.",
    );
  }
  if (state === "paused" && reason === "watchdog") {
    found.push("Its watchdog paused it: the guest had stopped answering.");
  }
  if (extras.trouble !== undefined) found.push(extras.trouble);
  for (const { target, device, source } of disks) {
    if (source === undefined || !extras.missing.has(source)) continue;
    found.push(
      device === "cdrom" || device === "floppy"
        ? `The medium of its drive ${target} is missing: ${oneLine(source, 200)}. Put it back, or eject it.`
        : `The image of its disk ${target} is missing: ${
          oneLine(source, 200)
        }. Put it back, or detach the disk.`,
    );
  }
  if (extras.startRisk !== undefined) found.push(extras.startRisk);
  if (extras.leftImage !== undefined) {
    found.push(
      `A snapshot that was cut short has left ${
        oneLine(extras.leftImage, 200)
      }, which is built on a disk of it and may ` +
        "have data: the VM does not start. Delete that volume if nothing of it is needed.",
    );
  }
  if (screen === "open") {
    found.push(OPEN_SCREEN_TEXT);
  }
  if (screen === "until-restart") {
    found.push(
      "Its screen has no password until QEMU is started again: shut the VM down and start it, or suspend and start it.",
    );
  }
  return found;
}

/** That a VM runs, or libvirt will start it, although it would not be started here. */
function startRisk({ state, autostart }: DomainRecord, { startRisk: reason }: Extras): string | undefined {
  if (reason === undefined || !(isActiveState(state) || autostart)) return undefined;
  const what = isActiveState(state) ? "It runs" : "libvirt starts it with the host (autostart)";
  return `${what}, although ${reason}.`;
}

/** Whether a screen can be used without a password, and for how long. The test driver has no screens. */
function openScreen(
  { state, summary: { openScreen, generatedPasswords, virtType } }: DomainRecord,
): VM["openScreen"] {
  if (!openScreen || virtType === "test") return undefined;
  // Of one that is off, the definition of the next start is what was read.
  return generatedPasswords && isActiveState(state) ? "until-restart" : "open";
}

/** Puts a VM together. Fields that are unknown are left out, never zero. */
export function vmView(record: DomainRecord, extras: Extras): VM {
  const { summary } = record;
  const told = vmState(record.state, record.reason, record.managedSave);
  const state = told === "crashed" && extras.isForcedOff && !isActiveState(record.state) ? "stopped" : told;
  const reason = stateReason(record.state, record.reason);
  const disks = summary.disks.map((disk) => withSize(disk, extras.sizes));
  const screen = openScreen(record);
  const vnc = summary.graphics.find((each) => each.type === "vnc" && each.port !== undefined);
  return {
    id: record.uuid,
    name: record.name,
    state,
    responsive: extras.notResponding === undefined,
    ...(extras.notResponding && { notResponding: extras.notResponding }),
    cpuCount: summary.cpuCount,
    maxCpuCount: summary.maxCpuCount,
    memoryMb: summary.memoryMb,
    maxMemoryMb: summary.maxMemoryMb,
    diskSizeGb: totalGib(disks),
    networkInterfaces: summary.interfaces.map((nic) => withAddresses(nic, extras.addresses)),
    disks,
    graphics: summary.graphics,
    tags: summary.tags,
    autostart: record.autostart,
    persistent: record.persistent,
    guestAgent: extras.agentSilent && summary.guestAgent === "connected" ? "silent" : summary.guestAgent,
    guestAgents: summary.guestAgents,
    firmware: summary.firmware,
    virtType: summary.virtType,
    host: extras.host,
    attention: attention(
      record.name,
      state,
      reason,
      { ...extras, startRisk: startRisk(record, extras) },
      screen,
      disks,
    ),
    ...defined({
      title: summary.title,
      guest: extras.guest,
      stateReason: reason,
      stateSince: extras.stateSince,
      operation: extras.operation,
      powerRequest: extras.powerRequest,
      osType: summary.osType,
      osVariant: summary.osVariant,
      vncPort: vnc?.port,
      openScreen: screen,
      createdAt: summary.createdAt,
      startedAt: extras.startedAt,
      description: summary.description,
      group: summary.group,
      project: extras.membership?.project,
      endsAt: extras.membership?.endsAt,
      machine: summary.machine,
      arch: summary.arch,
      stats: extras.stats,
      lostLabels: extras.lostLabels,
      pendingChanges: isActiveState(record.state) && record.persistent ? record.pending : undefined,
    }),
  };
}

/** Leaves out what is undefined: an optional field is absent, not present and empty. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
