/** Every call a worker can run: name → what it does and is about, how long it may take, and which share of the pool it may use. */
import type { Connection } from "../connection.ts";
import type { LibvirtSymbol } from "../waits.ts";
import * as about from "./keys.ts";
import type { CallKey } from "./keys.ts";
import * as backup from "./backup.ts";
import * as blockJob from "./block_job.ts";
import * as checkpoint from "./checkpoint.ts";
import * as capabilities from "./capabilities.ts";
import * as device from "./device.ts";
import * as domain from "./domain.ts";
import * as events from "./events.ts";
import * as guest from "./guest.ts";
import * as job from "./job.ts";
import * as manage from "./manage.ts";
import * as migrate from "./migrate.ts";
import * as hardware from "./hardware.ts";
import * as network from "./network.ts";
import * as nic from "./nic.ts";
import * as node from "./node.ts";
import * as nodeDevice from "./node_device.ts";
import * as pool from "./pool.ts";
import * as screen from "./screen.ts";
import * as screenPasswords from "./screen_passwords.ts";
import * as secret from "./secret.ts";
import * as snapshot from "./snapshot.ts";
import * as stats from "./stats.ts";
import * as volume from "./volume.ts";

/**
 * Kinds of calls: how many of each may run or hang at the same time, and the seconds after which one that has not returned
 * counts as hanging (`call_gate.ts`), where that is less than its time limit.
 *
 * `read` asks libvirtd alone and is quick; `write` changes something and may take seconds, `slow` a minute and `long` hours in good health; `rescue` is the
 * way out when others hang; `canary` finds out whether libvirtd answers at all; `copy` moves disks' content and may take hours, `migrate` VMs to other hosts; `storage` asks about pools and volumes, and `scan` for
 * all volumes of a pool, file by file; `stats`
 * and `probe` ask QEMU, the guest or a file system, any of which may hang; `guest` is what somebody wants of a guest agent,
 * and `freeze` its longest answers, which must not wait behind guests that hang. `stream` opens consoles and channels, and
 * `transfer` moves content through a stream, outside the pool.
 */
export const CALL_KINDS = {
  read: { most: 6, overdue: 8 },
  write: { most: 6, overdue: 10 },
  slow: { most: 4, overdue: 120 },
  long: { most: 4, overdue: Infinity },
  rescue: { most: 3, overdue: 8 },
  canary: { most: 1, overdue: 5 },
  copy: { most: 3, overdue: Infinity },
  migrate: { most: 4, overdue: Infinity },
  storage: { most: 3, overdue: 8 },
  scan: { most: 2, overdue: 60 },
  stats: { most: 2, overdue: 6 },
  probe: { most: 3, overdue: 9 },
  guest: { most: 3, overdue: Infinity },
  freeze: { most: 2, overdue: Infinity },
  stream: { most: 4, overdue: 15 },
  transfer: { most: Infinity, overdue: 60 },
} as const satisfies Record<string, { most: number; overdue: number }>;
export type CallKind = keyof typeof CALL_KINDS;

export interface CallSpec<A, R> {
  readonly kind: CallKind;
  /** Time limit in seconds; after it the caller is told, and the thread is given up until the call returns. */
  readonly seconds: number;
  /** The function of libvirt with the worst wait among those it calls (a test). */
  readonly slowest: LibvirtSymbol;
  /** The objects it is about. */
  readonly about: (args: A) => readonly CallKey[];
  readonly run: (connection: Connection, args: A) => R;
}

const spec = <A, R>(
  kind: CallKind,
  seconds: number,
  slowest: LibvirtSymbol,
  about: (args: NoInfer<A>) => readonly CallKey[],
  run: (connection: Connection, args: A) => R,
): CallSpec<A, R> => ({ kind, seconds, slowest, about, run });

export const CALLS = {
  domainScan: spec("read", 60, "virConnectGetAllDomainStats", about.allVms, domain.domainScan),
  domainRead: spec("read", 15, "virDomainGetXMLDesc", about.vm, domain.domainRead),
  domainListStates: spec("read", 15, "virConnectListAllDomains", about.allVms, domain.domainListStates),
  domainsWithSnapshots: spec(
    "read",
    15,
    "virConnectListAllDomains",
    about.allVms,
    domain.domainsWithSnapshots,
  ),
  domainSavedXml: spec("probe", 15, "virDomainManagedSaveGetXMLDesc", about.vm, domain.domainSavedXml),
  domainXml: spec("read", 15, "virDomainGetXMLDesc", about.vm, domain.domainXml),
  foreignDomains: spec("slow", 90, "virConnectListAllDomains", about.none, domain.foreignDomains),
  foreignXml: spec("slow", 90, "virDomainGetXMLDesc", about.none, domain.domainXml),
  domainStart: spec("write", 120, "virDomainCreateWithFlags", about.vm, domain.domainStart),
  domainShutdown: spec("slow", 45, "virDomainShutdownFlags", about.vm, domain.domainShutdown),
  domainDestroy: spec("rescue", 60, "virDomainDestroyFlags", about.vm, domain.domainDestroy),
  domainSuspend: spec("write", 45, "virDomainSuspend", about.vm, domain.domainSuspend),
  domainResume: spec("write", 45, "virDomainResume", about.vm, domain.domainResume),
  domainWakeup: spec("write", 45, "virDomainPMWakeup", about.vm, domain.domainWakeup),
  domainReboot: spec("slow", 45, "virDomainReboot", about.vm, domain.domainReboot),
  domainReset: spec("write", 45, "virDomainReset", about.vm, domain.domainReset),
  domainManagedSave: spec("long", 3600, "virDomainManagedSave", about.vm, domain.domainManagedSave),
  domainDiscardMemory: spec("write", 60, "virDomainManagedSaveRemove", about.vm, domain.domainDiscardMemory),
  domainSetAutostart: spec("write", 30, "virDomainSetAutostart", about.vm, domain.domainSetAutostart),
  domainSetMetadata: spec("write", 45, "virDomainSetMetadata", about.vm, domain.domainSetMetadata),
  domainAttachDevice: spec("write", 60, "virDomainAttachDeviceFlags", about.vm, device.domainAttachDevice),
  domainDetachDevice: spec("write", 60, "virDomainDetachDeviceFlags", about.vm, device.domainDetachDevice),
  domainUpdateDevice: spec("write", 60, "virDomainUpdateDeviceFlags", about.vm, device.domainUpdateDevice),
  domainBlockResize: spec("write", 60, "virDomainBlockResize", about.vm, device.domainBlockResize),
  domainSetBlockIoTune: spec("write", 60, "virDomainSetBlockIoTune", about.vm, device.domainSetBlockIoTune),
  domainSetInterfaceLimits: spec(
    "write",
    60,
    "virDomainSetInterfaceParameters",
    about.vm,
    device.domainSetInterfaceLimits,
  ),
  domainTraffic: spec("read", 15, "virDomainInterfaceStats", about.vm, nic.domainTraffic),
  domainUndefine: spec("write", 60, "virDomainUndefineFlags", about.vm, domain.domainUndefine),
  nvramErase: spec("write", 60, "virDomainUndefineFlags", about.vmOfXml, domain.nvramErase),
  domainUndefineKeeping: spec("write", 60, "virDomainUndefineFlags", about.vm, domain.domainUndefineKeeping),
  domainUndefineForBin: spec("write", 60, "virDomainUndefineFlags", about.vm, domain.domainUndefineForBin),
  domainDefine: spec("write", 60, "virDomainDefineXMLFlags", about.vmOfXml, domain.domainDefine),
  domainStartTransient: spec("write", 120, "virDomainCreateXML", about.vmOfXml, manage.domainStartTransient),
  domainStartOnce: spec("write", 120, "virDomainCreateXML", about.vmOfXml, manage.domainStartOnce),
  domainDefineXml: spec("write", 60, "virDomainDefineXMLFlags", about.vmOfXml, manage.domainDefineXml),
  domainValidateXml: spec("write", 60, "virDomainDefineXMLFlags", about.vmOfXml, manage.domainValidateXml),
  domainRename: spec("write", 60, "virDomainRename", about.vm, manage.domainRename),
  domainKeeps: spec("read", 15, "virDomainSnapshotNum", about.vm, manage.domainKeeps),
  domainXmls: spec("read", 15, "virDomainGetXMLDesc", about.vm, hardware.domainXmls),
  domainRedefine: spec("write", 60, "virDomainDefineXMLFlags", about.vm, hardware.domainRedefine),
  domainPending: spec("read", 30, "virDomainGetXMLDesc", about.vm, hardware.domainPending),
  domainSetVcpus: spec("write", 60, "virDomainSetVcpusFlags", about.vm, hardware.domainSetVcpus),
  domainSetMemory: spec("write", 45, "virDomainSetMemoryFlags", about.vm, hardware.domainSetMemory),
  domainPinVcpu: spec("write", 45, "virDomainPinVcpuFlags", about.vm, hardware.domainPinVcpu),
  domainSetText: spec("write", 45, "virDomainSetMetadata", about.vm, hardware.domainSetText),
  domainDiskSizes: spec("probe", 30, "virDomainGetBlockInfo", about.vm, domain.domainDiskSizes),
  domainAddresses: spec("probe", 10, "virDomainInterfaceAddresses", about.vm, domain.domainAddresses),
  domainStats: spec("stats", 6, "virDomainListGetStats", about.none, stats.domainStats),
  domainStatsOne: spec("stats", 4, "virDomainListGetStats", about.vm, stats.domainStatsOne),
  domainScreenshot: spec("probe", 10, "virDomainScreenshot", about.vm, screen.domainScreenshot),
  domainRenewPasswords: spec(
    "write",
    30,
    "virDomainUpdateDeviceFlags",
    about.vm,
    screenPasswords.domainRenewPasswords,
  ),
  domainProtectScreens: spec(
    "write",
    60,
    "virDomainUpdateDeviceFlags",
    about.vm,
    screenPasswords.domainProtectScreens,
  ),
  domainSendKeys: spec("write", 20, "virDomainSendKey", about.vm, screen.domainSendKeys),
  backupBegin: spec("slow", 300, "virDomainBackupBegin", about.vm, backup.backupBegin),
  backupNow: spec("read", 15, "virDomainBackupGetXMLDesc", about.vm, backup.backupNow),
  backupProgress: spec("read", 15, "virDomainGetJobStats", about.vm, backup.backupProgress),
  backupSpeed: spec("write", 30, "virDomainBlockJobSetSpeed", about.vm, backup.backupSpeed),
  jobAbort: spec("rescue", 60, "virDomainAbortJob", about.vm, job.jobAbort),
  domainMigratableXml: spec("read", 15, "virDomainGetXMLDesc", about.vm, migrate.domainMigratableXml),
  domainMigrate: spec("migrate", 86_400, "virDomainMigrateToURI3", about.vm, migrate.domainMigrate),
  migrationDowntime: spec(
    "rescue",
    60,
    "virDomainMigrateSetMaxDowntime",
    about.vm,
    migrate.migrationDowntime,
  ),
  dirtyRateStart: spec("read", 15, "virDomainStartDirtyRateCalc", about.vm, migrate.dirtyRateStart),
  dirtyRate: spec("stats", 4, "virDomainListGetStats", about.vm, migrate.dirtyRate),
  migrationProgress: spec("read", 15, "virDomainGetJobStats", about.vm, migrate.migrationProgress),
  checkpointNames: spec("read", 15, "virDomainListAllCheckpoints", about.vm, checkpoint.checkpointNames),
  checkpointDelete: spec("slow", 120, "virDomainCheckpointDelete", about.vm, checkpoint.checkpointDelete),
  agentCommand: spec("guest", 40, "virDomainQemuAgentCommand", about.vm, guest.agentCommand),
  guestInfo: spec("guest", 60, "virDomainGetGuestInfo", about.vm, guest.guestInfo),
  domainFreeze: spec("freeze", 90, "virDomainFSFreeze", about.vm, guest.domainFreeze),
  domainThaw: spec("rescue", 90, "virDomainFSThaw", about.vm, guest.domainThaw),
  guestSetTime: spec("guest", 40, "virDomainSetTime", about.vm, guest.guestSetTime),
  guestSetPassword: spec("guest", 40, "virDomainSetUserPassword", about.vm, guest.guestSetPassword),
  guestSshKeys: spec("guest", 40, "virDomainAuthorizedSSHKeysGet", about.vm, guest.guestSshKeys),
  guestChangeSshKeys: spec("guest", 40, "virDomainAuthorizedSSHKeysSet", about.vm, guest.guestChangeSshKeys),
  snapshotScan: spec("read", 30, "virDomainSnapshotGetXMLDesc", about.vm, snapshot.snapshotScan),
  snapshotXml: spec("read", 15, "virDomainSnapshotGetXMLDesc", about.vm, snapshot.snapshotXml),
  snapshotCreate: spec("long", 3600, "virDomainSnapshotCreateXML", about.vm, snapshot.snapshotCreate),
  snapshotRecord: spec("write", 60, "virDomainSnapshotCreateXML", about.vm, snapshot.snapshotRecord),
  snapshotOfDisks: spec("slow", 300, "virDomainSnapshotCreateXML", about.vm, snapshot.snapshotOfDisks),
  snapshotRedefine: spec("write", 60, "virDomainSnapshotCreateXML", about.vm, snapshot.snapshotRedefine),
  snapshotForget: spec("write", 60, "virDomainSnapshotDelete", about.vm, snapshot.snapshotForget),
  blockCommit: spec("write", 60, "virDomainBlockCommit", about.vm, blockJob.blockCommit),
  blockCopy: spec("write", 120, "virDomainBlockCopy", about.vm, blockJob.blockCopy),
  blockJobNow: spec("read", 15, "virDomainGetBlockJobInfo", about.vm, blockJob.blockJobNow),
  blockJobPivot: spec("slow", 300, "virDomainBlockJobAbort", about.vm, blockJob.blockJobPivot),
  blockJobAbort: spec("rescue", 300, "virDomainBlockJobAbort", about.vm, blockJob.blockJobAbort),
  snapshotRevert: spec("long", 3600, "virDomainRevertToSnapshot", about.vm, snapshot.snapshotRevert),
  snapshotDelete: spec("long", 3600, "virDomainSnapshotDelete", about.vm, snapshot.snapshotDelete),
  networkScan: spec("read", 30, "virConnectListAllNetworks", about.allNetworks, network.networkScan),
  networkLeases: spec("read", 15, "virNetworkGetDHCPLeases", about.network, network.networkLeases),
  networkDefine: spec("write", 120, "virNetworkCreate", about.allNetworks, network.networkDefine),
  networkStart: spec("write", 120, "virNetworkCreate", about.network, network.networkStart),
  networkStop: spec("write", 60, "virNetworkDestroy", about.network, network.networkStop),
  networkSetAutostart: spec(
    "write",
    30,
    "virNetworkSetAutostart",
    about.network,
    network.networkSetAutostart,
  ),
  networkDelete: spec("write", 60, "virNetworkUndefine", about.network, network.networkDelete),
  networkUpdateDhcp: spec("write", 120, "virNetworkUpdate", about.network, network.networkUpdateDhcp),
  networkChange: spec("write", 120, "virNetworkUpdate", about.network, network.networkChange),
  filterNames: spec("read", 15, "virConnectListAllNWFilters", about.hostPart("filters"), nic.filterNames),
  filterScan: spec("read", 15, "virConnectListAllNWFilters", about.hostPart("filters"), nic.filterScan),
  nodeDevices: spec(
    "read",
    30,
    "virConnectListAllNodeDevices",
    about.hostPart("devices"),
    nodeDevice.nodeDevices,
  ),
  poolScan: spec("storage", 30, "virConnectListAllStoragePools", about.allPools, pool.poolScan),
  poolRead: spec("storage", 30, "virStoragePoolGetXMLDesc", about.pool, pool.poolRead),
  poolXml: spec("storage", 15, "virStoragePoolGetXMLDesc", about.pool, pool.poolXml),
  poolRefresh: spec("probe", 120, "virStoragePoolRefresh", about.pool, pool.poolRefresh),
  poolMake: spec("long", 300, "virStoragePoolCreate", about.allPools, pool.poolMake),
  poolStart: spec("probe", 120, "virStoragePoolCreate", about.pool, pool.poolStart),
  poolStop: spec("probe", 60, "virStoragePoolDestroy", about.pool, pool.poolStop),
  poolSetAutostart: spec("write", 30, "virStoragePoolSetAutostart", about.pool, pool.poolSetAutostart),
  poolUnbuild: spec("long", 120, "virStoragePoolDelete", about.pool, pool.poolUnbuild),
  poolUndefine: spec("write", 30, "virStoragePoolUndefine", about.pool, pool.poolUndefine),
  poolCapabilities: spec(
    "read",
    15,
    "virConnectGetStoragePoolCapabilities",
    about.hostPart("capabilities"),
    pool.poolCapabilities,
  ),
  poolSources: spec("probe", 25, "virConnectFindStoragePoolSources", about.server, pool.poolSources),
  secretMake: spec("write", 15, "virSecretDefineXML", about.hostPart("secrets"), secret.secretMake),
  secretOfVolume: spec(
    "read",
    15,
    "virSecretLookupByUsage",
    about.hostPart("secrets"),
    secret.secretOfVolume,
  ),
  secretForget: spec("write", 15, "virSecretLookupByUsage", about.hostPart("secrets"), secret.secretForget),
  volumeScan: spec("scan", 86_400, "virStorageVolGetXMLDesc", about.pool, volume.volumeScan),
  volumeAt: spec("storage", 15, "virStorageVolGetXMLDesc", about.poolOfPath, volume.volumeAt),
  volumeNamed: spec("storage", 15, "virStorageVolGetXMLDesc", about.pool, volume.volumeNamed),
  volumeCreate: spec("long", 600, "virStorageVolCreateXML", about.pool, volume.volumeCreate),
  volumeCopy: spec("copy", 86_400, "virStorageVolCreateXMLFrom", about.poolAndSource, volume.volumeCopy),
  volumeResize: spec("long", 600, "virStorageVolResize", about.poolOfPath, volume.volumeResize),
  volumeUpload: spec("long", 600, "virStorageVolUpload", about.poolOfPath, volume.volumeUpload),
  volumePhysical: spec("storage", 15, "virStorageVolGetInfoFlags", about.poolOfPath, volume.volumePhysical),
  volumeRead: spec("probe", 60, "virStorageVolDownload", about.poolOfPath, volume.volumeRead),
  volumeWipe: spec("copy", 86_400, "virStorageVolWipe", about.poolOfPath, volume.volumeWipe),
  volumeDelete: spec("slow", 600, "virStorageVolDelete", about.poolOfPath, volume.volumeDelete),
  domainCapabilities: spec(
    "read",
    60,
    "virConnectGetDomainCapabilities",
    about.hostPart("capabilities"),
    capabilities.domainCapabilities,
  ),
  compareCpu: spec(
    "read",
    60,
    "virConnectCompareHypervisorCPU",
    about.hostPart("capabilities"),
    capabilities.compareCpu,
  ),
  eventsOpen: spec(
    "read",
    events.CONNECT_SECONDS,
    "virConnectOpenAuth",
    about.hostPart("events"),
    events.eventsOpen,
  ),
  eventsClose: spec(
    "read",
    15,
    "virConnectDomainEventDeregisterAny",
    about.hostPart("events closed"),
    events.eventsClose,
  ),
  libvirtVersion: spec(
    "canary",
    10,
    "virConnectGetLibVersion",
    about.hostPart("answer"),
    node.libvirtVersion,
  ),
  nodeInfo: spec("read", 30, "virConnectGetCapabilities", about.hostPart("information"), node.nodeInfo),
  hostName: spec("probe", 120, "virConnectGetHostname", about.hostPart("name"), node.hostName),
  nodeCounters: spec("read", 15, "virNodeGetCPUStats", about.hostPart("load"), node.nodeCounters),
} as const;

export type Calls = typeof CALLS;
export type CallName = keyof Calls;
/** Arguments of a call: none for those that take the connection alone. */
export type CallArgs<N extends CallName> = unknown extends Parameters<Calls[N]["run"]>[1] ? undefined
  : Parameters<Calls[N]["run"]>[1];
export type CallResult<N extends CallName> = ReturnType<Calls[N]["run"]>;
export type * from "./backup.ts";
export type * from "./block_job.ts";
export type * from "./capabilities.ts";
export type * from "./checkpoint.ts";
export type * from "./device.ts";
export type * from "./domain.ts";
export type * from "./events.ts";
export type * from "./guest.ts";
export type * from "./manage.ts";
export type * from "./migrate.ts";
export type * from "./hardware.ts";
export type { CallKey, ObjectKey } from "./keys.ts";
export type * from "./network.ts";
export type * from "./nic.ts";
export type * from "./node.ts";
export type * from "./pool.ts";
export type * from "./screen.ts";
export type { SchemaFault } from "../schema_protocol.ts";
export type * from "./secret.ts";
export type * from "./snapshot.ts";
export type * from "./stats.ts";
export type * from "./volume.ts";
