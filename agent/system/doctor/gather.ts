/** Looks at the host: everything that the judges of `lib/doctor` judge. What cannot be read is said to be unknown. */
import { spaceOf } from "../../../lib/storage/pool_space.ts";
import { join } from "node:path";
import dns from "node:dns";
import { DatabaseSync } from "node:sqlite";
import type { NodeRecord, PoolRecord } from "../../../ffi/calls/mod.ts";
import { hostUserName } from "../../../ffi/libc.ts";
import { familyOf } from "../../../lib/system/doctor/distribution.ts";
import type {
  AccountFacts,
  ClockFacts,
  DoctorFacts,
  KvmFacts,
  LibvirtFacts,
  LockFacts,
  PoolFacts,
  PortFacts,
  StateFacts,
  TpmFacts,
} from "../../../lib/system/doctor/facts.ts";
import type { HostFact } from "../../../lib/system/doctor/finding.ts";
import type { ConnectionStatus } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { readQemuUser } from "../../../lib/formats/xml/capabilities.ts";
import { child, childText, parseXml } from "../../../lib/formats/xml/tree.ts";
import { textAt } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { hostSockets, ownerOf } from "../../network/forwards/sockets.ts";
import { findTool } from "../../network/forwards/tools.ts";
import { versionText } from "../../hosts/node_info.ts";
import { parseListen } from "../../../lib/network/listen_address.ts";
import { localHostname } from "../../machine/local.ts";
import { isReadOnly } from "../../storage/mounts.ts";
import { closedFolder } from "../../hosts/inaccessible_directory.ts";
import { hasSystemd } from "../install/system.ts";
import type { Settings } from "../../settings.ts";
import { DATABASE_FILE, KNOWN_VERSION, versionOf } from "../../store/database.ts";
import { lastBackup } from "../../store/state.ts";
import { Secrets } from "../../sealing/secrets.ts";
import { OWN_FILE } from "../certificate/certificates.ts";
import { clusterVms } from "../../../lib/system/doctor/checks_locks.ts";
import { hostCluster } from "../lock_manager/cluster.ts";
import { type LockSources, lookAtLocks, onlyOwnDisks } from "../lock_manager/look.ts";
import { certificateOf, isOwn } from "./certificate.ts";
import { firewallFacts } from "./firewall.ts";
import { there } from "./files.ts";

/** libvirt as it is reached: the server's own link, or one made for the occasion. */
export interface Libvirt {
  readonly status: ConnectionStatus;
  node(): Promise<NodeRecord>;
  pools(): Promise<PoolRecord[]>;
  /** Why KVM cannot be used, or null when it works: what new VMs are decided by. */
  kvmTrouble(): Promise<string | null>;
}

/** Dependencies of the checks. */
export interface DoctorContext {
  readonly settings: Settings;
  readonly libvirt: Libvirt;
  /** The server runs, and has the port. */
  readonly serves: boolean;
  /** VMs and pools, and how linked hosts are asked; undefined where libvirt's folders are not this host's own. */
  readonly locks: (() => Promise<LockSources & { readonly autostart: readonly string[] }>) | undefined;
  /** Works in the data folder: root does it as the folder's owner. No other work may run meanwhile. */
  readonly inDataDir: <T>(run: () => Promise<T>) => Promise<T>;
}

/** Value of a fact, or the reason why it is not known. */
async function fact<T>(look: () => Promise<T> | T): Promise<HostFact<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}

const SOCKETS = ["/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock"];
const LIBRARIES = [
  "/usr/lib64",
  "/usr/lib",
  "/lib",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
];

async function libvirtFacts({ libvirt }: DoctorContext): Promise<LibvirtFacts> {
  const { connected, uri, error } = libvirt.status;
  const node = connected ? await libvirt.node() : null;
  const [sockets, libraries] = await Promise.all([
    there(SOCKETS),
    there(LIBRARIES.map((folder) => `${folder}/libvirt.so.0`)),
  ]);
  return {
    connected,
    uri,
    error,
    version: node && versionText(node.libvirtVersion),
    qemuVersion: node && node.hypervisorVersion > 0 ? versionText(node.hypervisorVersion) : null,
    offersKvm: node !== null && /<domain type='kvm'\/?>/.test(node.capabilities),
    hasLibrary: connected || libraries.length > 0,
    sockets,
  };
}

async function kvmFacts({ libvirt }: DoctorContext): Promise<KvmFacts> {
  const info = await Deno.stat("/dev/kvm").catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  const modules = await there(["kvm", "kvm_intel", "kvm_amd"].map((name) => `/sys/module/${name}`));
  const flags = /^flags\s*:(.*)$/m.exec(await textAt("/proc/cpuinfo") ?? "")?.[1]?.trim().split(/\s+/) ?? [];
  const nested = await Promise.all(
    ["kvm_intel", "kvm_amd"].map((name) => textAt(`/sys/module/${name}/parameters/nested`)),
  );
  const said = nested.find((each) => each !== undefined)?.trim();
  return {
    device: info !== null,
    groupMayUse: info?.mode !== null && info?.mode !== undefined &&
      ((info.mode & 0o060) === 0o060 && info.gid !== 0 || (info.mode & 0o006) === 0o006),
    modules: modules.map((path) => path.slice("/sys/module/".length)),
    flags: flags.filter((flag) => flag === "vmx" || flag === "svm"),
    nested: said === undefined ? null : /^[1Yy]/.test(said),
    arch: Deno.build.arch,
    trouble: info !== null && libvirt.status.connected ? await libvirt.kvmTrouble() : null,
  };
}

/** swtpm's folder of the keys and certificates by which it certifies the TPMs of VMs. */
const TPM_AUTHORITY = "/var/lib/swtpm-localca";

/** libvirt runs swtpm as a user of its own, whose folder this is; root before that user was there. */
async function tpmFacts(): Promise<TpmFacts> {
  const none: TpmFacts = { folder: TPM_AUTHORITY, foreign: [] };
  try {
    const { uid } = await Deno.stat(TPM_AUTHORITY);
    const foreign: string[] = [];
    for await (const { name } of Deno.readDir(TPM_AUTHORITY)) {
      const path = join(TPM_AUTHORITY, name);
      if ((await Deno.lstat(path)).uid !== uid) foreign.push(path);
    }
    return { ...none, foreign };
  } catch (error) {
    // Not installed; or only root and swtpm itself may look: the service is told by the start that fails
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return none;
    throw error;
  }
}

/** A module is there when it is loaded, or built into the kernel. */
async function moduleNames(): Promise<string[]> {
  const names = ["tun", "bridge", "vhost_net"];
  const release = Deno.osRelease();
  const builtIn = (await textAt(`/lib/modules/${release}/modules.builtin`) ?? "").split("\n");
  const isBuiltIn = (name: string) =>
    builtIn.some((path) => path.replaceAll("-", "_").endsWith(`/${name}.ko`));
  // Some modules that are built in have no folder there, but their device
  const traces: Record<string, string> = {
    tun: "/dev/net/tun",
    vhost_net: "/dev/vhost-net",
    bridge: "/proc/sys/net/bridge",
  };
  const found: string[] = [];
  for (const name of names) {
    const paths = await there([`/sys/module/${name}`, traces[name]!]);
    if (paths.length > 0 || isBuiltIn(name)) found.push(name);
  }
  return found;
}

async function accountFacts(): Promise<AccountFacts> {
  const status = await Deno.readTextFile("/proc/self/status");
  const gids = [
    ...(/^Groups:(.*)$/m.exec(status)?.[1] ?? "").trim().split(/\s+/),
    ...(/^Gid:(.*)$/m.exec(status)?.[1] ?? "").trim().split(/\s+/),
  ];
  const groups = (await textAt("/etc/group") ?? "").split("\n").map((line) => line.split(":"));
  const uid = Deno.uid() ?? 0;
  return {
    uid,
    user: hostUserName(uid) ?? String(uid),
    groups: groups.filter(([, , gid]) => gid !== undefined && gids.includes(gid)).map(([name]) => name ?? ""),
    existing: groups.map(([name]) => name ?? "").filter((name) => name === "libvirt" || name === "kvm"),
  };
}

/** `virStoragePoolState` of a pool that can be used. */
const RUNNING = [2, 3];

async function poolFacts({ libvirt }: DoctorContext): Promise<PoolFacts[] | null> {
  if (!libvirt.status.connected) return null;
  const [records, node] = await Promise.all([libvirt.pools(), libvirt.node()]);
  const user = readQemuUser(node.capabilities);
  return await Promise.all(records.map(async (record): Promise<PoolFacts> => {
    const path = childText(child(parseXml(record.xml), "target"), "path") ?? null;
    const isFolder = path !== null && !path.startsWith("/dev/");
    const active = RUNNING.includes(record.state), space = active ? spaceOf(record) : undefined;
    const closed = isFolder && user && active ? await closedFolder(join(path, "disk"), user) : undefined;
    return {
      name: record.name,
      active,
      autostart: record.autostart,
      path: isFolder ? path : null,
      capacity: space?.capacity ?? null,
      available: space?.available ?? null,
      closedFolder: closed ?? null,
      readOnly: isFolder && active && await isReadOnly(path),
    };
  }));
}

/** Programs that keep the clock, by the first 15 letters of their names, as the kernel has them. */
const CLOCKS = new Set(["chronyd", "systemd-timesyn", "ntpd", "ntpd-rs", "openntpd"]);

async function clockFacts(): Promise<ClockFacts> {
  const services = new Set<string>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/comm`).catch(() => ""); // it ended meanwhile
    if (CLOCKS.has(command.trim())) services.add(command.trim());
  }
  const [done] = await there(["/run/systemd/timesync/synchronized"]);
  return {
    services: [...services].sort(),
    synchronised: services.has("systemd-timesyn") ? done !== undefined : null,
    now: Date.now(),
  };
}

/** Milliseconds for the name service: where it is away, it waits for long. */
const NAMES_MS = 3000;

async function nameFacts(): Promise<{ hostname: string; error: string | null }> {
  const hostname = localHostname();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) =>
    timer = setTimeout(() => resolve(`no answer within ${NAMES_MS / 1000} seconds`), NAMES_MS)
  );
  const asked = new Promise<string | null>((resolve) =>
    dns.lookup(hostname, (error) => resolve(error === null ? null : error.code ?? error.message))
  );
  const error = await Promise.race([asked, late]);
  clearTimeout(timer);
  return { hostname, error };
}

async function portFacts({ settings: { listen }, serves }: DoctorContext): Promise<PortFacts> {
  const sockets = await hostSockets();
  const everywhere = (wanted: number) =>
    sockets.find((socket) =>
      socket.protocol === "udp" && socket.port === wanted && socket.address.value === 0n
    );
  const name = async (socket: typeof sockets[number] | undefined) =>
    socket === undefined ? null : await ownerOf(socket);
  const held = async (at: string) => {
    const { port } = parseListen(at);
    const holder = sockets.find((socket) => socket.protocol === "tcp" && socket.port === port && port !== 0);
    return { at, holder: await name(holder) };
  };
  const [dnsHolder, dhcpHolder] = await Promise.all([name(everywhere(53)), name(everywhere(67))]);
  // libvirt's own dnsmasq binds DHCP at every address, to one bridge
  const others = (found: string | null) => found !== null && /^dnsmasq /.test(found) ? null : found;
  return {
    listen: await Promise.all(listen.map(held)),
    ours: serves,
    dns: others(dnsHolder),
    dhcp: others(dhcpHolder),
  };
}

async function stateFacts({ settings: { dataDir } }: DoctorContext): Promise<StateFacts> {
  const path = join(dataDir, DATABASE_FILE);
  const [isThere] = await there([path]);
  let version: number | null = null, damage: string | null = null;
  if (isThere !== undefined) {
    try {
      using database = new DatabaseSync(path, { readOnly: true });
      version = versionOf(database);
      const check = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
      if (check !== "ok") damage = String(check);
    } catch (error) {
      damage = messageOf(error).replaceAll(/\s+/g, " ");
    }
  }
  const open: string[] = [];
  const secret = [`${path}-wal`, join(dataDir, OWN_FILE), new Secrets(dataDir).keyFile];
  for (const each of await there([dataDir, path, ...secret])) {
    const { mode, isDirectory } = await hostFiles.stat(each);
    // A folder that others may enter hides nothing, but neither does it show: its files count
    if (!isDirectory && ((mode ?? 0) & 0o007) !== 0) open.push(each);
  }
  const [folder] = await there([dataDir]);
  const space = folder === undefined ? null : await hostFiles.statfs(folder);
  const saved = await lastBackup(dataDir);
  return {
    dataDir,
    version,
    known: KNOWN_VERSION,
    damage,
    open,
    free: space && Number(space.bavail) * Number(space.bsize),
    savedAt: saved ? Date.parse(saved.createdAt) : null,
    now: Date.now(),
  };
}

/** Disks that other hosts reach are looked for first: where there are none, files that only root may read matter little. */
async function lockFacts(sources: LockSources): Promise<LockFacts | null> {
  try {
    return await lookAtLocks(sources);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied && await onlyOwnDisks(sources)) return null;
    throw error;
  }
}

/** Looks at everything. Never throws: what fails is unknown. */
export async function gatherFacts(patient: DoctorContext): Promise<DoctorFacts> {
  const sources = patient.libvirt.status.connected
    ? await fact(async () => await patient.locks?.())
    : { value: undefined };
  const ofSources = <T>(
    look: (given: LockSources & { readonly autostart: readonly string[] }) => Promise<T>,
  ) =>
    "unknown" in sources
      ? sources
      : fact(async () => sources.value === undefined ? null : await look(sources.value));
  const [libvirt, kvm, qemuImg, tpm, modules, account, firewall, pools] = await Promise.all([
    fact(() => libvirtFacts(patient)),
    fact(() => kvmFacts(patient)),
    fact(async () => await findTool("qemu-img") !== undefined),
    fact(tpmFacts),
    fact(moduleNames),
    fact(accountFacts),
    fact(firewallFacts),
    fact(() => poolFacts(patient)),
  ]);
  const [clock, names, ports, release, systemd] = await Promise.all([
    fact(clockFacts),
    fact(nameFacts),
    fact(() => portFacts(patient)),
    fact(async () => await textAt("/etc/os-release") ?? null),
    fact(hasSystemd),
  ]);
  const [locks, cluster] = await Promise.all([
    ofSources(lockFacts),
    ofSources(async ({ autostart }) => {
      const found = await hostCluster(), vms = clusterVms(found);
      return { ...found, autostart: autostart.filter((name) => vms.includes(name)) };
    }),
  ]);
  // One after the other, and alone: the whole process may be somebody else meanwhile.
  const state = await fact(() => patient.inDataDir(() => stateFacts(patient)));
  const certificate = await fact(async () => {
    const look = () => certificateOf(patient.settings);
    const found = await (isOwn(patient.settings) ? patient.inDataDir(look) : look());
    return found ? { path: found.path, validUntil: Date.parse(found.validUntil), now: Date.now() } : null;
  });
  return {
    family: familyOf("value" in release ? release.value ?? "" : ""),
    systemd: "value" in systemd && systemd.value,
    libvirt,
    kvm,
    qemuImg,
    tpm,
    modules,
    account,
    firewall,
    pools,
    locks,
    cluster,
    clock,
    names,
    ports,
    state,
    certificate,
  };
}
