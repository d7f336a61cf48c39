/** Every call a worker can run: name → what it does, how long it may take, and which share of the pool it may use. */
import type { Connection } from "../connection.ts";
import * as backup from "./backup.ts";
import * as blockJob from "./block_job.ts";
import * as checkpoint from "./checkpoint.ts";
import * as capabilities from "./capabilities.ts";
import * as device from "./device.ts";
import * as domain from "./domain.ts";
import * as events from "./events.ts";
import * as guest from "./guest.ts";
import * as manage from "./manage.ts";
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
 * Kinds of calls and how many of each may be under way. `read` asks libvirtd alone and is quick; `write` changes
 * something and may take seconds; `rescue` is the way out when writes hang; `copy` moves disks'
 * content and may take hours; `storage` asks about pools and volumes, which waits behind a pool whose server is dead;
 * `stats` and `probe` ask QEMU, the guest or a file system, any of which may hang; `guest` is
 * what somebody wants of a guest agent, and `freeze` its longest answers, which must not wait behind guests that hang.
 */
export const LIMITS = {
  read: 6,
  write: 6,
  rescue: 3,
  copy: 3,
  storage: 3,
  stats: 2,
  probe: 3,
  guest: 3,
  freeze: 2,
} as const;
export type CallKind = keyof typeof LIMITS;

interface CallSpec<A, R> {
  readonly kind: CallKind;
  /** Time limit in seconds; after it the caller is told, and the thread is given up until the call returns. */
  readonly seconds: number;
  readonly run: (connection: Connection, args: A) => R;
}

const spec = <A, R>(
  kind: CallKind,
  seconds: number,
  run: (connection: Connection, args: A) => R,
): CallSpec<A, R> => ({
  kind,
  seconds,
  run,
});

export const CALLS = {
  domainScan: spec("read", 60, domain.domainScan),
  domainRead: spec("read", 15, domain.domainRead),
  domainListStates: spec("read", 15, domain.domainListStates),
  domainXml: spec("read", 15, domain.domainXml),
  domainStart: spec("write", 120, domain.domainStart),
  domainShutdown: spec("write", 45, domain.domainShutdown),
  domainDestroy: spec("rescue", 60, domain.domainDestroy),
  domainSuspend: spec("write", 45, domain.domainSuspend),
  domainResume: spec("write", 45, domain.domainResume),
  domainWakeup: spec("write", 45, domain.domainWakeup),
  domainReboot: spec("write", 45, domain.domainReboot),
  domainReset: spec("write", 45, domain.domainReset),
  domainManagedSave: spec("write", 3600, domain.domainManagedSave),
  domainSetAutostart: spec("write", 30, domain.domainSetAutostart),
  domainSetMetadata: spec("write", 45, domain.domainSetMetadata),
  domainAttachDevice: spec("write", 60, device.domainAttachDevice),
  domainDetachDevice: spec("write", 60, device.domainDetachDevice),
  domainUpdateDevice: spec("write", 60, device.domainUpdateDevice),
  domainBlockResize: spec("write", 60, device.domainBlockResize),
  domainSetBlockIoTune: spec("write", 60, device.domainSetBlockIoTune),
  domainSetInterfaceLimits: spec("write", 60, device.domainSetInterfaceLimits),
  domainTraffic: spec("read", 15, nic.domainTraffic),
  domainUndefine: spec("write", 60, domain.domainUndefine),
  nvramErase: spec("write", 60, domain.nvramErase),
  domainUndefineKeeping: spec("write", 60, domain.domainUndefineKeeping),
  domainUndefineForBin: spec("write", 60, domain.domainUndefineForBin),
  domainDefine: spec("write", 60, domain.domainDefine),
  domainStartTransient: spec("write", 120, manage.domainStartTransient),
  domainStartOnce: spec("write", 120, manage.domainStartOnce),
  domainDefineXml: spec("write", 60, manage.domainDefineXml),
  domainValidateXml: spec("write", 60, manage.domainValidateXml),
  domainRename: spec("write", 60, manage.domainRename),
  domainKeeps: spec("read", 15, manage.domainKeeps),
  domainXmls: spec("read", 15, hardware.domainXmls),
  domainRedefine: spec("write", 60, hardware.domainRedefine),
  domainPending: spec("read", 30, hardware.domainPending),
  domainSetVcpus: spec("write", 60, hardware.domainSetVcpus),
  domainSetMemory: spec("write", 45, hardware.domainSetMemory),
  domainPinVcpu: spec("write", 45, hardware.domainPinVcpu),
  domainSetText: spec("write", 45, hardware.domainSetText),
  domainDiskSizes: spec("probe", 30, domain.domainDiskSizes),
  domainAddresses: spec("probe", 10, domain.domainAddresses),
  domainStats: spec("stats", 3, stats.domainStats),
  domainStatsOne: spec("stats", 3, stats.domainStatsOne),
  domainScreenshot: spec("probe", 10, screen.domainScreenshot),
  domainRenewPasswords: spec("write", 30, screenPasswords.domainRenewPasswords),
  domainProtectScreens: spec("write", 60, screenPasswords.domainProtectScreens),
  domainSendKeys: spec("write", 20, screen.domainSendKeys),
  backupBegin: spec("write", 300, backup.backupBegin),
  backupNow: spec("read", 15, backup.backupNow),
  backupProgress: spec("read", 15, backup.backupProgress),
  backupSpeed: spec("write", 30, backup.backupSpeed),
  backupAbort: spec("rescue", 60, backup.backupAbort),
  checkpointNames: spec("read", 15, checkpoint.checkpointNames),
  checkpointDelete: spec("write", 120, checkpoint.checkpointDelete),
  agentCommand: spec("guest", 40, guest.agentCommand),
  guestInfo: spec("guest", 60, guest.guestInfo),
  domainFreeze: spec("freeze", 90, guest.domainFreeze),
  domainThaw: spec("freeze", 90, guest.domainThaw),
  guestSetTime: spec("guest", 40, guest.guestSetTime),
  guestSetPassword: spec("guest", 40, guest.guestSetPassword),
  guestSshKeys: spec("guest", 40, guest.guestSshKeys),
  guestChangeSshKeys: spec("guest", 40, guest.guestChangeSshKeys),
  snapshotScan: spec("read", 30, snapshot.snapshotScan),
  snapshotXml: spec("read", 15, snapshot.snapshotXml),
  snapshotCreate: spec("write", 3600, snapshot.snapshotCreate),
  snapshotRecord: spec("write", 60, snapshot.snapshotRecord),
  snapshotOfDisks: spec("write", 300, snapshot.snapshotOfDisks),
  snapshotRedefine: spec("write", 60, snapshot.snapshotRedefine),
  snapshotForget: spec("write", 60, snapshot.snapshotForget),
  blockCommit: spec("write", 60, blockJob.blockCommit),
  blockCopy: spec("write", 120, blockJob.blockCopy),
  blockJobNow: spec("read", 15, blockJob.blockJobNow),
  blockJobPivot: spec("write", 300, blockJob.blockJobPivot),
  blockJobAbort: spec("rescue", 300, blockJob.blockJobAbort),
  snapshotRevert: spec("write", 3600, snapshot.snapshotRevert),
  snapshotDelete: spec("write", 3600, snapshot.snapshotDelete),
  networkScan: spec("read", 30, network.networkScan),
  networkLeases: spec("read", 15, network.networkLeases),
  networkDefine: spec("write", 120, network.networkDefine),
  networkStart: spec("write", 120, network.networkStart),
  networkStop: spec("write", 60, network.networkStop),
  networkSetAutostart: spec("write", 30, network.networkSetAutostart),
  networkDelete: spec("write", 60, network.networkDelete),
  networkUpdateDhcp: spec("write", 120, network.networkUpdateDhcp),
  networkChange: spec("write", 120, network.networkChange),
  filterNames: spec("read", 15, nic.filterNames),
  filterScan: spec("read", 15, nic.filterScan),
  nodeDevices: spec("read", 30, nodeDevice.nodeDevices),
  poolScan: spec("storage", 30, pool.poolScan),
  poolScanPatient: spec("storage", 86_400, pool.poolScan),
  poolXml: spec("storage", 15, pool.poolXml),
  poolRefresh: spec("probe", 120, pool.poolRefresh),
  poolMake: spec("write", 300, pool.poolMake),
  poolStart: spec("probe", 120, pool.poolStart),
  poolStop: spec("probe", 60, pool.poolStop),
  poolSetAutostart: spec("write", 30, pool.poolSetAutostart),
  poolUnbuild: spec("write", 120, pool.poolUnbuild),
  poolUndefine: spec("write", 30, pool.poolUndefine),
  poolCapabilities: spec("read", 15, pool.poolCapabilities),
  poolSources: spec("probe", 25, pool.poolSources),
  secretMake: spec("write", 15, secret.secretMake),
  secretOfVolume: spec("read", 15, secret.secretOfVolume),
  secretForget: spec("write", 15, secret.secretForget),
  volumeScan: spec("storage", 60, volume.volumeScan),
  volumeScanPatient: spec("storage", 86_400, volume.volumeScan),
  volumeAt: spec("storage", 15, volume.volumeAt),
  volumeNamed: spec("storage", 15, volume.volumeNamed),
  volumeCreate: spec("write", 600, volume.volumeCreate),
  volumeCopy: spec("copy", 86_400, volume.volumeCopy),
  volumeResize: spec("write", 600, volume.volumeResize),
  volumeUpload: spec("write", 600, volume.volumeUpload),
  volumePhysical: spec("read", 15, volume.volumePhysical),
  volumeRead: spec("probe", 60, volume.volumeRead),
  volumeWipe: spec("copy", 86_400, volume.volumeWipe),
  volumeDelete: spec("write", 600, volume.volumeDelete),
  domainCapabilities: spec("read", 60, capabilities.domainCapabilities),
  eventsOpen: spec("read", events.CONNECT_SECONDS, events.eventsOpen),
  eventsClose: spec("read", 15, events.eventsClose),
  nodeInfo: spec("read", 30, node.nodeInfo),
  nodeCounters: spec("read", 15, node.nodeCounters),
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
export type * from "./hardware.ts";
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
