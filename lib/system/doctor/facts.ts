/** Facts about a host, as plain data: gathered at the edge, judged by pure functions. */
import type { HostCluster, LockManager } from "../../contract/lock_manager.ts";
import type { DistributionFamily } from "./distribution.ts";
import type { HostFact } from "./finding.ts";

/** Whether libvirt lets us in. */
export interface LibvirtFacts {
  readonly connected: boolean;
  readonly uri: string;
  /** Why not. */
  readonly error: string | null;
  /** `9.0.0`, where connected. */
  readonly version: string | null;
  /** QEMU's version as libvirt sees it; null where libvirt finds none. */
  readonly qemuVersion: string | null;
  /** libvirt would use KVM for guests. */
  readonly offersKvm: boolean;
  /** A client library could be loaded. */
  readonly hasLibrary: boolean;
  /** Sockets of libvirtd or virtqemud that are there. */
  readonly sockets: readonly string[];
}

export interface KvmFacts {
  /** /dev/kvm is there. */
  readonly device: boolean;
  /** Its group may use it, or everyone. */
  readonly groupMayUse: boolean;
  /** Modules of the kernel: kvm, kvm_intel, kvm_amd. */
  readonly modules: readonly string[];
  /** Of the processor: vmx, svm. On ARM there is no such flag. */
  readonly flags: readonly string[];
  /** Guests can have guests; null where the module does not say. */
  readonly nested: boolean | null;
  readonly arch: string;
  /** Why libvirt's guests cannot use it, by the same trial as for new VMs; null when they can, or it was not tried. */
  readonly trouble: string | null;
}

/** The certificate authority of the TPM emulator. */
export interface TpmFacts {
  /** Its folder. */
  readonly folder: string;
  /** Files there that do not belong to its own user; none where there is no emulator. */
  readonly foreign: readonly string[];
}

export interface AccountFacts {
  readonly uid: number;
  readonly user: string;
  /** Groups of the user, by name. */
  readonly groups: readonly string[];
  /** Groups that there are on the host, of those that matter. */
  readonly existing: readonly string[];
}

export interface FirewallFacts {
  readonly nft: boolean;
  readonly ip: boolean;
  /** Why nft does not work; null where it does, or is not there. */
  readonly trouble: string | null;
  /** Chains at the forward hook: `ip filter FORWARD`. */
  readonly forwardChains: readonly { readonly name: string; readonly drops: boolean }[];
  /** Docker has rules of its own. */
  readonly docker: boolean;
  readonly ufw: boolean;
  readonly firewalld: boolean;
  /** libvirt's `firewall_backend`; null where libvirt chooses. */
  readonly backend: string | null;
  readonly dnsmasq: boolean;
}

export interface PoolFacts {
  readonly name: string;
  readonly active: boolean;
  readonly autostart: boolean;
  /** Its folder; null where it is none. */
  readonly path: string | null;
  /** Bytes; null while it is not active. */
  readonly capacity: number | null;
  readonly available: number | null;
  /** Topmost folder on the way that QEMU's user may not enter; null where the way is open or unknown. */
  readonly closedFolder: string | null;
  /** Its folder is mounted read-only. */
  readonly readOnly: boolean;
}

export interface ClockFacts {
  /** Programs that keep the clock, that run: chronyd, systemd-timesyn, ntpd. */
  readonly services: readonly string[];
  /** systemd-timesyncd says it has set the clock; null where it is not the one. */
  readonly synchronised: boolean | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface PortFacts {
  /**
   * Addresses that the web server is to listen at, `127.0.0.1:8440`, and the program that has the port; null if it is
   * free.
   */
  readonly listen: readonly { readonly at: string; readonly holder: string | null }[];
  /** It is our own server that has them. */
  readonly ours: boolean;
  /** Program that listens for DNS or DHCP at every address, where libvirt's networks need to: `named (process 12)`. */
  readonly dns: string | null;
  readonly dhcp: string | null;
}

export interface StateFacts {
  readonly dataDir: string;
  /** Version of the database; null where there is none yet. */
  readonly version: number | null;
  readonly known: number;
  /** Damage that SQLite found; null for none. */
  readonly damage: string | null;
  /** Files of it that others may read. */
  readonly open: readonly string[];
  /** Bytes free where it is. */
  readonly free: number | null;
  /** When the state was saved last, in milliseconds since 1970. */
  readonly savedAt: number | null;
  readonly now: number;
}

/** Protection of disks against two VMs that write to them. */
export type LockFacts = Omit<LockManager, "sees" | "obstacle">;

/** A Pacemaker cluster around the host, and names of its VMs here that libvirt itself starts with the host. */
export interface ClusterFacts extends HostCluster {
  readonly autostart: readonly string[];
}

/** Everything together. */
export interface DoctorFacts {
  readonly family: DistributionFamily;
  readonly systemd: boolean;
  readonly libvirt: HostFact<LibvirtFacts>;
  readonly kvm: HostFact<KvmFacts>;
  readonly qemuImg: HostFact<boolean>;
  readonly tpm: HostFact<TpmFacts>;
  /** Kernel modules that are loaded or built in, of those that matter. */
  readonly modules: HostFact<readonly string[]>;
  readonly account: HostFact<AccountFacts>;
  readonly firewall: HostFact<FirewallFacts>;
  /** Pools; null where libvirt cannot be asked. */
  readonly pools: HostFact<readonly PoolFacts[] | null>;
  /** Lock manager; null where the host's libvirt is not the system's, or cannot be asked. */
  readonly locks: HostFact<LockFacts | null>;
  readonly cluster: HostFact<ClusterFacts | null>;
  readonly clock: HostFact<ClockFacts>;
  readonly names: HostFact<{ readonly hostname: string; readonly error: string | null }>;
  readonly ports: HostFact<PortFacts>;
  readonly state: HostFact<StateFacts>;
  /** The certificate that serves; null where there is none. */
  readonly certificate: HostFact<
    { readonly path: string; readonly validUntil: number; readonly now: number } | null
  >;
}
