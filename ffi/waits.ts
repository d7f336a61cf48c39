/**
 * What each of libvirt's functions can wait for without an end, read in libvirt 9.0. A function without an entry does not
 * compile: what it waits for decides what must not be asked while it hangs (`call_gate.ts`).
 */
import type { OPTIONAL, QEMU, REQUIRED } from "./symbols.ts";

/**
 * Kinds of waits, the least harmful first:
 *
 * - `none`: nothing beyond a free worker of libvirtd, or no round trip at all;
 * - `host`: something of the host as a whole: a probe of QEMU, the resolver, a server;
 * - `mutex`: the lock of one VM, which others hold during theirs;
 * - `agent`: the guest's agent, for which libvirt has time limits;
 * - `job`: the VM's job and QEMU's monitor, with the VM's lock free meanwhile;
 * - `net`: the lock of one network, held during external programs;
 * - `pool`: the lock of one storage pool, held during file access;
 * - `list`: the lock of each VM, pool or network in turn;
 * - `file`: file access or an external program with a VM's or a pool's lock held, which stops everything else about it.
 */
export const WAIT_KINDS = [
  "none",
  "host",
  "mutex",
  "agent",
  "job",
  "net",
  "pool",
  "list",
  "file",
] as const;
export type Wait = typeof WAIT_KINDS[number];

/** Whether a wait is as harmful as another, or more. */
export const isAtLeast = (wait: Wait, other: Wait): boolean =>
  WAIT_KINDS.indexOf(wait) >= WAIT_KINDS.indexOf(other);

/** Every function of libvirt that is called here. */
export type LibvirtSymbol = keyof typeof REQUIRED | keyof typeof OPTIONAL | keyof typeof QEMU;

export const WAITS = {
  // Client side, or answered by libvirtd from memory
  virInitialize: "none",
  virGetVersion: "none",
  virGetLastError: "none",
  virResetLastError: "none",
  virSetErrorFunc: "none",
  virEventRegisterDefaultImpl: "none",
  virEventRunDefaultImpl: "none",
  virEventAddTimeout: "none",
  virEventRemoveTimeout: "none",
  virEventUpdateTimeout: "none",
  virConnectClose: "none",
  virConnectIsAlive: "none",
  virConnectSetKeepAlive: "none",
  virConnectGetType: "none",
  virConnectGetLibVersion: "none",
  virConnectGetVersion: "none",
  virNodeGetInfo: "none",
  virNodeGetCPUStats: "none",
  virNodeGetMemoryStats: "none",
  virTypedParamsFree: "none",
  virDomainFree: "none",
  virDomainGetName: "none",
  virDomainGetUUIDString: "none",
  virDomainGetID: "none",
  virDomainGetMessages: "mutex",
  virDomainInterfaceFree: "none",
  virDomainStatsRecordListFree: "none",
  virDomainSnapshotFree: "none",
  virDomainCheckpointFree: "none",
  virDomainCheckpointGetName: "none",
  virNetworkFree: "none",
  virNetworkGetName: "none",
  virNetworkGetUUIDString: "none",
  virNetworkDHCPLeaseFree: "none",
  virNWFilterGetName: "none",
  virNWFilterGetUUIDString: "none",
  virNWFilterFree: "none",
  virNodeDeviceGetName: "none",
  virNodeDeviceFree: "none",
  virStoragePoolFree: "none",
  virStoragePoolGetName: "none",
  virStoragePoolGetUUIDString: "none",
  virStorageVolGetName: "none",
  virStorageVolFree: "none",
  virSecretGetUUIDString: "none",
  virSecretFree: "none",
  virStreamNew: "none",
  virStreamFree: "none",
  virStreamEventAddCallback: "none",
  virStreamEventRemoveCallback: "none",

  // The host
  virConnectOpenAuth: "host",
  virConnectGetHostname: "host",
  virConnectGetCapabilities: "host",
  virConnectGetDomainCapabilities: "host",
  virConnectGetStoragePoolCapabilities: "host",
  virConnectDomainXMLToNative: "host",
  virConnectRegisterCloseCallback: "host",
  virConnectUnregisterCloseCallback: "host",
  virConnectDomainEventRegisterAny: "host",
  virConnectDomainEventDeregisterAny: "host",
  virConnectNetworkEventRegisterAny: "host",
  virConnectNetworkEventDeregisterAny: "host",
  virConnectStoragePoolEventRegisterAny: "host",
  virConnectStoragePoolEventDeregisterAny: "host",
  virConnectNodeDeviceEventRegisterAny: "host",
  virConnectNodeDeviceEventDeregisterAny: "host",
  virConnectDomainQemuMonitorEventRegister: "host",
  virConnectDomainQemuMonitorEventDeregister: "host",
  virConnectFindStoragePoolSources: "host",
  virConnectListAllNWFilters: "host",
  virNWFilterGetXMLDesc: "host",
  virConnectListAllNodeDevices: "host",
  virNodeDeviceGetXMLDesc: "host",
  virSecretDefineXML: "host",
  virSecretSetValue: "host",
  virSecretLookupByUsage: "host",
  virSecretUndefine: "host",
  virStreamRecv: "host",
  virStreamSend: "host",
  virStreamFinish: "host",
  virStreamAbort: "host",

  // The lock of a VM
  virDomainLookupByUUIDString: "mutex",
  virDomainGetState: "mutex",
  virDomainGetXMLDesc: "mutex",
  virDomainGetAutostart: "mutex",
  virDomainSetAutostart: "mutex",
  virDomainIsPersistent: "mutex",
  virDomainIsActive: "mutex",
  virDomainHasManagedSaveImage: "mutex",
  virDomainListAllSnapshots: "mutex",
  virDomainSnapshotLookupByName: "mutex",
  virDomainSnapshotGetXMLDesc: "mutex",
  virDomainSnapshotIsCurrent: "mutex",
  virDomainSnapshotNum: "mutex",
  virDomainListAllCheckpoints: "mutex",
  virDomainCheckpointLookupByName: "mutex",
  virDomainBackupGetXMLDesc: "mutex",
  virDomainInterfaceStats: "mutex", // ovs-vsctl with the lock held, for Open vSwitch
  virDomainAgentSetResponseTimeout: "mutex",

  // The guest's agent
  virDomainFSFreeze: "agent",
  virDomainFSThaw: "agent",
  virDomainGetGuestInfo: "agent",
  virDomainSetTime: "agent",
  virDomainSetUserPassword: "agent",
  virDomainAuthorizedSSHKeysGet: "agent",
  virDomainAuthorizedSSHKeysSet: "agent",
  virDomainInterfaceAddresses: "agent",
  virDomainQemuAgentCommand: "agent",

  // QEMU's monitor
  virDomainShutdownFlags: "job",
  virDomainReboot: "job",
  virDomainSuspend: "job",
  virDomainResume: "job",
  virDomainReset: "job",
  virDomainPMWakeup: "job",
  virDomainDetachDeviceFlags: "job",
  virDomainSnapshotDelete: "job",
  virDomainBlockJobSetSpeed: "job",
  virDomainAbortJob: "job",
  virDomainGetJobStats: "job",
  virDomainCheckpointDelete: "job",
  virDomainSetMetadata: "job",
  virDomainSetVcpusFlags: "job",
  virDomainSetMemoryFlags: "job",
  virDomainPinVcpuFlags: "job",
  virDomainBlockCommit: "job",
  virDomainGetBlockJobInfo: "job",
  virDomainBlockJobAbort: "job",
  virDomainBlockResize: "job",
  virDomainSetBlockIoTune: "job",
  virDomainSetInterfaceParameters: "job",
  virDomainListGetStats: "job",
  virDomainScreenshot: "job",
  virDomainSendKey: "job",

  // The lock of a network
  virNetworkLookupByName: "net",
  virNetworkIsActive: "net",
  virNetworkIsPersistent: "net",
  virNetworkGetAutostart: "net",
  virNetworkSetAutostart: "net",
  virNetworkGetXMLDesc: "net",
  virNetworkGetDHCPLeases: "net",
  virNetworkDefineXML: "net",
  virNetworkCreate: "net",
  virNetworkDestroy: "net",
  virNetworkUndefine: "net",
  virNetworkUpdate: "net",

  // The lock of a pool
  virStoragePoolLookupByName: "pool",
  virStoragePoolLookupByVolume: "pool",
  virStoragePoolIsPersistent: "pool",
  virStoragePoolIsActive: "pool",
  virStoragePoolGetAutostart: "pool",
  virStoragePoolSetAutostart: "pool",
  virStoragePoolGetInfo: "pool",
  virStoragePoolGetXMLDesc: "pool",
  virStoragePoolNumOfVolumes: "pool",
  virStoragePoolListAllVolumes: "pool",
  virStoragePoolDefineXML: "pool",
  virStoragePoolUndefine: "pool",
  virStorageVolLookupByName: "pool",

  // Each lock in turn
  virConnectListAllDomains: "list",
  virConnectGetAllDomainStats: "list",
  virConnectListAllNetworks: "list",
  virConnectListAllStoragePools: "list",
  virStorageVolLookupByPath: "list",

  // File access or a program, with a lock held
  virDomainGetBlockInfo: "file",
  virDomainOpenConsole: "file",
  virDomainOpenChannel: "file",
  virDomainCreateXML: "file",
  virDomainCreateWithFlags: "file",
  virDomainDestroyFlags: "file",
  virDomainManagedSave: "file",
  virDomainManagedSaveRemove: "file",
  virDomainManagedSaveGetXMLDesc: "file",
  virDomainManagedSaveDefineXML: "file",
  virDomainUndefineFlags: "file",
  virDomainDefineXMLFlags: "file",
  virDomainRename: "file",
  virDomainAttachDeviceFlags: "file",
  virDomainUpdateDeviceFlags: "file",
  virDomainSnapshotCreateXML: "file",
  virDomainRevertToSnapshot: "file",
  virDomainBackupBegin: "file",
  virDomainBlockCopy: "file",
  virStoragePoolBuild: "file",
  virStoragePoolCreate: "file",
  virStoragePoolDestroy: "file",
  virStoragePoolDelete: "file",
  virStoragePoolRefresh: "file",
  virStorageVolGetXMLDesc: "file",
  virStorageVolGetInfoFlags: "file",
  virStorageVolCreateXML: "file",
  virStorageVolCreateXMLFrom: "file",
  virStorageVolResize: "file",
  virStorageVolWipe: "file",
  virStorageVolDelete: "file",
  virStorageVolUpload: "file",
  virStorageVolDownload: "file",
} as const satisfies Record<LibvirtSymbol, Wait>;
