/**
 * Converts answers of our own agent to the contract's types. Their shape was checked (`results.ts`); their texts are
 * the guest's, so each is cut and made one line. Pure.
 */
import {
  GUEST_METADATA,
  type GuestFile,
  type GuestFilesystem,
  type GuestInfo,
  type GuestInterface,
  type GuestMetadatum,
  type GuestMetrics,
  type GuestPackages,
  type GuestProcess,
  type GuestSecurity,
  type GuestUnit,
  SERVICE_STATES,
  type UserInfo,
} from "../contract/guest.ts";
import { toldText } from "./told.ts";
import type { AgentResult } from "./results.ts";

const MEBIBYTE = 1024 * 1024;
/** Whole units, of which none is below zero or more than a number holds. */
const mebibytes = (bytes: number) => Math.round(bytes / MEBIBYTE);
const isLinkLocal = (address: string) => /^(fe80:|169\.254\.)/i.test(address);
const ADDRESS = /^[0-9a-fA-F:.]{2,45}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** The guest's network interfaces, without its loopback. */
export function ownInterfaces({ interfaces }: AgentResult<"get_network_info">): GuestInterface[] {
  return interfaces.flatMap(({ name, mac_address, loopback, ip_addresses }) => {
    const called = toldText(name, 64), mac = mac_address.toLowerCase();
    if (loopback || called === "") return [];
    const addresses = ip_addresses
      .filter(({ address, prefix }) => ADDRESS.test(address) && prefix <= 128)
      .map(({ address, prefix }) => `${address}/${prefix}`);
    return [{ name: called, ...(MAC.test(mac) && { mac }), addresses }];
  });
}

/** Operating system. */
export function ownSystem(
  told: AgentResult<"get_system_info">,
  interfaces: readonly GuestInterface[],
): GuestInfo {
  const given = {
    osId: toldText(told.os_id, 64),
    kernelVersion: toldText(told.kernel_version),
    architecture: toldText(told.architecture, 32),
    timeZone: toldText(told.timezone, 64),
  };
  return {
    osType: told.os_type === "linux" || told.os_type === "windows" ? told.os_type : "other",
    osVersion: toldText(told.os_version),
    hostname: toldText(told.hostname),
    ipAddresses: interfaces.flatMap(({ addresses }) => addresses.map((each) => each.replace(/\/.*/, "")))
      .filter((each) => !isLinkLocal(each)),
    macAddresses: interfaces.flatMap(({ mac }) => mac ?? []),
    ...Object.fromEntries(Object.entries(given).filter(([, text]) => text !== "")),
    ...(Math.abs(told.utc_offset_seconds) <= 86_400 && { utcOffsetSeconds: told.utc_offset_seconds }),
  };
}

/** Its file systems, by where they are mounted. */
export function ownFilesystems({ filesystems }: AgentResult<"get_disk_usage">): GuestFilesystem[] {
  return filesystems.map(({ device, mount_point, type, total, used }) => ({
    name: toldText(device),
    mountpoint: toldText(mount_point),
    type: toldText(type, 64),
    totalBytes: total,
    usedBytes: Math.min(used, total),
    disks: [],
  })).filter(({ mountpoint }) => mountpoint !== "")
    .sort((a, b) => a.mountpoint < b.mountpoint ? -1 : a.mountpoint > b.mountpoint ? 1 : 0);
}

/** Signed-in users. */
export function ownUsers({ users }: AgentResult<"get_users">): UserInfo[] {
  return users.map(({ user, login_ms }) => ({
    name: toldText(user),
    ...(login_ms > 0 && { since: login_ms }),
  })).filter(({ name }) => name !== "");
}

type Process = AgentResult<"get_processes">["processes"][number];

const processOf = (each: Process): GuestProcess => ({
  pid: each.pid,
  parentPid: each.parent_pid,
  name: toldText(each.name),
  command: toldText(each.command, 1024),
  user: toldText(each.user, 64),
  state: toldText(each.state, 32),
  cpuPercent: each.cpu_percent,
  memoryBytes: each.memory,
  threads: each.threads,
});

/** Running processes. */
export function ownProcesses(
  { total, processes }: AgentResult<"get_processes">,
): { total: number; processes: GuestProcess[] } {
  return { total, processes: processes.map(processOf) };
}

/** Its load. Counters are whole numbers, whatever a guest makes of them. */
export function ownMetrics(told: AgentResult<"get_metrics">): GuestMetrics {
  const { memory, disks, networks } = told;
  const whole = (value: number) => Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);
  return {
    cpuUsagePercent: Math.min(told.cpu_percent, 100),
    cores: told.core_percent.map((each) => Math.min(each, 100)),
    ...(told.load_average.length === 3 && { loadAverage: told.load_average }),
    memoryUsedMb: mebibytes(memory.used),
    memoryTotalMb: mebibytes(memory.total),
    memoryAvailableMb: mebibytes(Math.min(memory.available, memory.total)),
    swapUsedMb: mebibytes(Math.min(memory.swap_used, memory.swap_total)),
    swapTotalMb: mebibytes(memory.swap_total),
    diskIo: disks.map(({ name, bytes_read, bytes_written }) => ({
      name: toldText(name, 64),
      readBytes: whole(bytes_read),
      writeBytes: whole(bytes_written),
    })),
    networkIo: networks.filter(({ name }) => name !== "lo").map(({ name, rx_bytes, tx_bytes }) => ({
      name: toldText(name, 64),
      rxBytes: whole(rx_bytes),
      txBytes: whole(tx_bytes),
    })),
    processes: told.processes.map(processOf),
  };
}

/** Its services. */
export function ownServices({ services }: AgentResult<"get_services">): GuestUnit[] {
  return services.map(({ name, description, state, startup }) => ({
    name: toldText(name),
    description: toldText(description),
    state: SERVICE_STATES.find((each) => each === state) ?? "unknown",
    startup: toldText(startup, 32),
  })).filter(({ name }) => name !== "");
}

/** Its packages. */
export function ownPackages(told: AgentResult<"get_packages">): GuestPackages {
  return {
    manager: toldText(told.manager, 32),
    total: told.total,
    upgrades: told.upgrades,
    packages: told.packages.map(({ name, version, architecture, upgrade }) => ({
      name: toldText(name),
      version: toldText(version),
      architecture: toldText(architecture, 32),
      ...(toldText(upgrade) !== "" && { upgrade: toldText(upgrade) }),
    })),
    hasMore: told.has_more,
  };
}

/** Security features. */
export function ownSecurity(told: AgentResult<"get_security">): GuestSecurity {
  return {
    selinux: toldText(told.selinux, 32),
    apparmor: toldText(told.apparmor, 32),
    apparmorProfiles: told.apparmor_profiles,
    lockdown: toldText(told.lockdown, 32),
    secureBoot: toldText(told.secure_boot, 32),
    rebootRequired: told.reboot_required,
  };
}

const METADATA_KEY = /^[A-Za-z0-9._-]+$/;

/**
 * Metadata that host and guest have left for each other, by key. Invalid keys, and entries beyond the limit, are left
 * out.
 */
export function ownMetadata({ metadata }: AgentResult<"get_metadata">): GuestMetadatum[] {
  return Object.entries(metadata)
    .filter(([key]) => key.length <= GUEST_METADATA.key && METADATA_KEY.test(key))
    .sort(([a], [b]) => a < b ? -1 : 1).slice(0, GUEST_METADATA.most)
    .map(([key, value]) => ({ key, value: value.slice(0, GUEST_METADATA.value) }));
}

const KINDS: Readonly<Record<string, GuestFile["kind"]>> = {
  file: "file",
  directory: "folder",
  link: "link",
};

/** Files of a folder, folders first. Names are kept as they are: they are paths. */
export function ownFiles(entries: AgentResult<"file_list">["entries"]): GuestFile[] {
  return entries.map(({ name, type, size, modified_ms, mode, user, group }) => ({
    name,
    kind: KINDS[type] ?? "other",
    size,
    modifiedAt: Math.max(0, modified_ms),
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    owner: toldText(user, 64),
    group: toldText(group, 64),
  })).sort((a, b) => Number(b.kind === "folder") - Number(a.kind === "folder") || (a.name < b.name ? -1 : 1));
}
