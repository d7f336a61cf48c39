/** Every call a worker can run: name → what it does, how long it may take, and which share of the pool it may use. */
import type { Connection } from "../connection.ts";
import * as capabilities from "./capabilities.ts";
import * as device from "./device.ts";
import * as domain from "./domain.ts";
import * as events from "./events.ts";
import * as manage from "./manage.ts";
import * as hardware from "./hardware.ts";
import * as network from "./network.ts";
import * as nic from "./nic.ts";
import * as node from "./node.ts";
import * as pool from "./pool.ts";
import * as screen from "./screen.ts";
import * as schema from "./schema.ts";
import * as secret from "./secret.ts";
import * as stats from "./stats.ts";
import * as volume from "./volume.ts";

/**
 * Kinds of calls and how many of each may be under way. `read` asks libvirtd alone and is quick; `write` changes
 * something and may take seconds; `rescue` is the way out when writes hang; `copy` moves disks'
 * content and may take hours; `storage` asks about pools and volumes, which waits behind a pool whose server is dead;
 * `stats` and `probe` ask QEMU, the guest or a file system, any of which may hang.
 */
export const LIMITS = { read: 6, write: 6, rescue: 3, copy: 3, storage: 3, stats: 2, probe: 3 } as const;
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
  domainGlance: spec("read", 15, domain.domainGlance),
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
  domainTraffic: spec("read", 15, nic.domainTraffic),
  domainUndefine: spec("write", 60, domain.domainUndefine),
  domainDefine: spec("write", 60, domain.domainDefine),
  domainDefineXml: spec("write", 60, manage.domainDefineXml),
  domainTryXml: spec("write", 60, manage.domainTryXml),
  domainRename: spec("write", 60, manage.domainRename),
  domainKeeps: spec("read", 15, manage.domainKeeps),
  domainSchemaFault: spec("read", 30, schema.domainSchemaFault),
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
  domainSendKeys: spec("write", 20, screen.domainSendKeys),
  networkScan: spec("read", 30, network.networkScan),
  networkLeases: spec("read", 15, network.networkLeases),
  networkMake: spec("write", 120, network.networkMake),
  networkStart: spec("write", 120, network.networkStart),
  networkStop: spec("write", 60, network.networkStop),
  networkSetAutostart: spec("write", 30, network.networkSetAutostart),
  networkDelete: spec("write", 60, network.networkDelete),
  networkUpdateDhcp: spec("write", 120, network.networkUpdateDhcp),
  networkChange: spec("write", 120, network.networkChange),
  filterNames: spec("read", 15, nic.filterNames),
  filterScan: spec("read", 15, nic.filterScan),
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
export type * from "./capabilities.ts";
export type * from "./device.ts";
export type * from "./domain.ts";
export type * from "./events.ts";
export type * from "./manage.ts";
export type * from "./hardware.ts";
export type * from "./network.ts";
export type * from "./nic.ts";
export type * from "./node.ts";
export type * from "./pool.ts";
export type * from "./screen.ts";
export type * from "./schema.ts";
export type * from "./secret.ts";
export type * from "./stats.ts";
export type * from "./volume.ts";
