/** Judges of what guards disks against two VMs that write to them: libvirt's lock manager, a cluster around the host. */
import type { HostCluster, LockDriver } from "../../contract/lock_manager.ts";
import { installs } from "./distribution.ts";
import type { ClusterFacts, DoctorFacts, LockFacts } from "./facts.ts";
import { type Finding, judged, needsAction, passed, shellWord } from "./finding.ts";
import { message } from "../../i18n/message.ts";

/** Names of one kind that are told. */
const NAMED = 3;

/** `web1, web2 and 4 more`. */
export function fewNames(names: readonly string[]): string {
  const all = [...new Set(names)], more = all.length - NAMED;
  return all.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const DRIVERS: Readonly<Record<LockDriver, string>> = {
  none: "no lock manager",
  lockd: "virtlockd",
  sanlock: "sanlock",
  unknown: "a lock manager that cannot be read",
};
const ON = "kvm-manager lock-manager lockd --restart";

/** Whether two hosts that have storage in common guard it together. */
export const isSameGuard = (
  one: { readonly driver: LockDriver | null; readonly lockspace: string | null },
  other: { readonly driver: LockDriver | null; readonly lockspace: string | null },
): boolean => one.driver === other.driver && one.lockspace === other.lockspace;

/** How a host guards its disks, in words. */
export const guardText = (
  { driver, lockspace }: { readonly driver: LockDriver | null; readonly lockspace: string | null },
): string =>
  driver === null ? "an unknown lock manager" : DRIVERS[driver] + (lockspace ? ` in ${lockspace}` : "");

/** Hosts with storage in common that guard it otherwise than this one. */
export function otherGuards(facts: Pick<LockFacts, "driver" | "lockspace" | "others">): LockFacts["others"] {
  return facts.others.filter((other) =>
    other.storage !== null && other.driver !== null && !isSameGuard(facts, other)
  );
}

function mixtures(facts: LockFacts): Finding[] {
  return otherGuards(facts).map((other) =>
    needsAction(
      "problem",
      message`${other.host} has ${guardText(other)}, this host ${
        guardText(facts)
      }, and both have ${other.storage}: neither knows what VMs the other one runs`,
      "Have the same lock manager, and the same folder for leases, on all hosts that share storage.",
      facts.driver === "none" && other.driver === "lockd"
        ? `kvm-manager lock-manager lockd --lockspace ${shellWord(other.lockspace ?? "")} --restart`
        : undefined,
    )
  );
}

/** Hosts with the same folder of sanlock's leases and the same number in it. */
function sameNumbers({ driver, lockspace, hostNumber = null, others }: LockFacts): Finding[] {
  if (driver !== "sanlock" || hostNumber === null) return [];
  return others.filter((other) =>
    other.driver === driver && other.lockspace === lockspace && other.hostNumber === hostNumber
  ).map(({ host }) =>
    needsAction(
      "problem",
      message`${host} has the number ${hostNumber} as well: only one of both can join sanlock's leases`,
      "Give each host a number of its own (host_id).",
      "kvm-manager lock-manager sanlock --host-number NUMBER --restart",
    )
  );
}

/** Faults of a lock manager that is on. */
function faults(facts: LockFacts, { family, systemd }: DoctorFacts): Finding[] {
  const { driver, fault, plugin, daemon, pending, automatic, required, lockspace, hostNumber, leases } =
    facts;
  if (fault !== null) {
    return [needsAction("problem", fault, "Correct the file: libvirt does not start with it.")];
  }
  const findings: Finding[] = [];
  if (driver !== "none" && !plugin) {
    const part = driver === "sanlock" ? "sanlock" : "lockd";
    findings.push(needsAction(
      "problem",
      message`qemu.conf chooses ${
        DRIVERS[driver]
      }, whose driver is not installed: libvirt cannot be started again`,
      "Install it.",
      installs(part, family),
    ));
  }
  if (driver === "lockd" && !daemon) {
    findings.push(needsAction(
      "problem",
      lockspace === null
        ? "virtlockd does not run: no VM can be started or resumed"
        : "virtlockd does not run: no VM can be started or resumed, and libvirt cannot be started",
      "Start it. It must not be restarted while VMs run: they would lose their leases.",
      systemd ? "systemctl enable --now virtlockd.socket" : "virtlockd --daemon",
    ));
  }
  if (driver === "sanlock" && !daemon) {
    findings.push(needsAction(
      "problem",
      "sanlock does not run: no VM can be started, and one that is resumed gets no lease",
      "Start it, with its watchdog.",
      systemd ? "systemctl enable --now wdmd sanlock" : undefined,
    ));
  }
  const wanted = `${hostNumber}:${lockspace}`, joined = facts.sanlock?.joined ?? null;
  // Only root and sanlock's group are told what it has joined
  if (driver === "sanlock" && daemon && automatic && !pending && leases !== null && joined !== wanted) {
    findings.push(needsAction(
      "problem",
      joined === null
        ? message`sanlock has not joined as ${wanted}: no VM can be started`
        : message`sanlock has joined as ${joined}, and qemu-sanlock.conf says ${wanted}: it stays so until it is restarted`,
      "While no VM runs, restart sanlock, then libvirt. Each host needs a number of its own (host_id), and the folder.",
      systemd ? "systemctl restart sanlock libvirtd" : undefined,
    ));
  }
  if (pending) {
    findings.push(needsAction(
      "warning",
      "libvirt was started before its lock manager was changed",
      "Restart it: VMs go on running.",
      systemd ? "systemctl restart libvirtd" : undefined,
    ));
  }
  if (driver !== "none" && !automatic) {
    findings.push(needsAction(
      "warning",
      required
        ? "a VM without <lease> devices does not start (auto_disk_leases is 0)"
        : "VMs without <lease> devices are not guarded (auto_disk_leases and require_lease_for_disks are 0)",
      driver === "sanlock"
        ? "Set host_id and auto_disk_leases to 1 in qemu-sanlock.conf, unless something else gives VMs their leases."
        : "Set auto_disk_leases to 1 in qemu-lockd.conf, unless something else gives VMs their leases.",
    ));
  }
  if (driver === "lockd" && (facts.leases ?? 0) > 0 && facts.runningVms === 0) {
    findings.push(needsAction(
      "problem",
      message`virtlockd holds ${facts.leases} leases although no VM runs: VMs with these disks are refused as busy`,
      "VMs that were started before the lock manager was on leave them behind. Restart virtlockd, then libvirt.",
      systemd ? "systemctl restart virtlockd libvirtd" : undefined,
    ));
  }
  return findings;
}

/** Whether leases reach as far as the disks do. */
function reach({ driver, lockspace, lockspaceShared, sharedDisks }: LockFacts): Finding[] {
  if (driver === "none" || driver === "unknown" || sharedDisks.length === 0) return [];
  const elsewhere = `kvm-manager lock-manager ${driver} --lockspace FOLDER --restart`;
  const findings: Finding[] = [];
  if (lockspace !== null && lockspaceShared === false) {
    findings.push(needsAction(
      "warning",
      message`leases are in ${lockspace}, which is this host's own: other hosts do not see them`,
      "Mount storage there that all hosts share, or choose such a folder.",
      elsewhere,
    ));
  }
  const devices = sharedDisks.filter(({ storage, guarded }) =>
    guarded && /^(?:iscsi|mpath):|^iSCSI/.test(storage)
  );
  if (driver === "lockd" && lockspace === null && devices.length > 0) {
    findings.push(needsAction(
      "warning",
      message`leases of block devices (${
        fewNames(devices.map(({ vm }) => vm))
      }) are in this host's /dev: other hosts do not see them`,
      "Have leases in a folder that all hosts share.",
      elsewhere,
    ));
  }
  const network = sharedDisks.filter(({ guarded }) => !guarded);
  if (network.length > 0) {
    findings.push(needsAction(
      "warning",
      driver === "sanlock"
        ? message`sanlock gives no leases for network disks (${fewNames(network.map(({ vm }) => vm))})`
        : message`virtlockd gives no leases for network disks (${fewNames(network.map(({ vm }) => vm))})`,
      "Have the storage itself guard them: exclusive-lock of RBD images, reservations of iSCSI targets.",
    ));
  }
  return findings;
}

function judgeLockFacts(facts: LockFacts, host: DoctorFacts): Finding[] {
  const wrong = [...faults(facts, host), ...mixtures(facts), ...sameNumbers(facts), ...reach(facts)];
  if (wrong.length > 0) return wrong;
  const { driver, sharedDisks } = facts, vms = fewNames(sharedDisks.map(({ vm }) => vm));
  if (driver === "none" && sharedDisks.length > 0) {
    const storage = fewNames(sharedDisks.map((disk) => disk.storage));
    const onNetwork = sharedDisks.some((disk) => disk.guarded && !disk.shareable);
    const what = sharedDisks.every(({ shareable }) => shareable)
      ? `disks of ${vms} are shareable: several VMs may write to them at the same time`
      : `other hosts may reach disks of ${vms} (${storage}), and only QEMU's own locks keep a VM from being started twice`;
    return [
      needsAction(
        "warning",
        what,
        "Turn virtlockd on, on all of these hosts: Settings, Disk leases; docs/double-starts.md says what it guards.",
        onNetwork ? ON : undefined,
      ),
    ];
  }
  if (driver === "none") {
    return [passed("no lock manager is on, and no VM has a disk that other hosts are known to reach")];
  }
  return [
    passed(
      message`${DRIVERS[driver]} is on: a disk is given to one VM at a time${
        facts.lockspace ? `, by leases in ${facts.lockspace}` : ""
      }`,
    ),
  ];
}

/** libvirt's lock manager. */
export function judgeLocks(host: DoctorFacts): Finding[] {
  return judged(host.locks, "the lock manager", (facts) => facts === null ? [] : judgeLockFacts(facts, host));
}

/** VMs of a cluster, by the names that people know. */
export const clusterVms = ({ resources }: Pick<HostCluster, "resources">): string[] =>
  resources.filter(({ agent }) => /:VirtualDomain$/.test(agent)).map(({ vm, id }) => vm ?? id);

function judgeClusterFacts(facts: ClusterFacts): Finding[] {
  if (!facts.installed) return [];
  if (facts.error !== null) {
    return [passed(message`Pacemaker is installed, and tells nothing of a cluster: ${facts.error}`)];
  }
  const findings: Finding[] = [], vms = clusterVms(facts);
  const ofNodes = (is: (node: HostCluster["nodes"][number]) => boolean) =>
    fewNames(facts.nodes.filter(is).map(({ name }) => name));
  const unclean = ofNodes((node) => node.unclean), off = ofNodes((node) => !node.online && !node.unclean);
  if (!facts.quorum) {
    findings.push(
      needsAction(
        "problem",
        "the Pacemaker cluster has no quorum: it starts nothing",
        "Bring its hosts back.",
        "crm_mon -1",
      ),
    );
  }
  if (unclean !== "") {
    findings.push(
      needsAction(
        "problem",
        message`${unclean} must be fenced before its VMs start elsewhere`,
        "See why fencing has not succeeded.",
        "stonith_admin --history '*'",
      ),
    );
  }
  if (off !== "") {
    findings.push(
      needsAction("warning", message`hosts of the cluster are off: ${off}`, "Bring them back.", "crm_mon -1"),
    );
  }
  if (!facts.fencing && vms.length > 0) {
    findings.push(
      needsAction(
        "problem",
        "the cluster has no fencing (stonith-enabled is false): a host that does not answer may still run its VMs while they are started elsewhere",
        "Give it fence devices, and turn fencing on.",
        "crm_attribute --name stonith-enabled --update true",
      ),
    );
  }
  const failed = facts.resources.filter((resource) => resource.failed).map(({ id }) => id);
  if (failed.length > 0) {
    findings.push(
      needsAction(
        "warning",
        message`resources of the cluster have failed: ${fewNames(failed)}`,
        "See why.",
        "crm_mon -1 --failcounts",
      ),
    );
  }
  if (facts.autostart.length > 0) {
    findings.push(
      needsAction(
        "warning",
        message`Pacemaker manages ${fewNames(facts.autostart)}, and libvirt starts it with this host as well`,
        "Turn “Start with the host” off: Pacemaker alone decides where it runs.",
        `virsh autostart --disable ${shellWord(facts.autostart[0]!)}`,
      ),
    );
  }
  const what = `${facts.nodes.length} hosts, ${facts.resources.length} resources`;
  return [
    ...findings,
    passed(
      vms.length === 0
        ? message`a Pacemaker cluster: ${what}, no VMs`
        : message`a Pacemaker cluster: ${what}; it manages ${
          fewNames(vms)
        }: start, stop and move them there (crm_resource), not here`,
    ),
  ];
}

/** A Pacemaker cluster that the host is in. */
export function judgeCluster({ cluster }: DoctorFacts): Finding[] {
  return judged(cluster, "the cluster", (facts) => facts === null ? [] : judgeClusterFacts(facts));
}
