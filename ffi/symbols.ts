/**
 * libvirt's C functions that we call: names, parameters (with their C names) and results.
 *
 * Source: libvirt's public headers. Everything here exists since libvirt 7.0 or earlier; what is newer belongs
 * into `OPTIONAL` and becomes a capability. `ptr` results are owned by the caller unless a comment says otherwise.
 */

const ptr = "pointer";
const buf = "buffer";
const int = "i32";
const uint = "u32";

/** Functions that must be there. */
export const REQUIRED = {
  // Library
  virInitialize: { parameters: [], result: int },
  virGetVersion: { parameters: [buf, /* libVer */ ptr, /* type */ ptr /* typeVer */], result: int },
  virGetLastError: { parameters: [], result: ptr }, // borrowed, thread-local
  virResetLastError: { parameters: [], result: "void" },
  virSetErrorFunc: { parameters: [ptr, /* userData */ ptr /* handler */], result: "void" },

  // Event loop
  virEventRegisterDefaultImpl: { parameters: [], result: int },
  virEventRunDefaultImpl: { parameters: [], result: int },
  virEventAddTimeout: {
    parameters: [int, /* timeout */ ptr, /* cb */ ptr, /* opaque */ ptr /* ff */],
    result: int,
  },
  virEventRemoveTimeout: { parameters: [int /* timer */], result: int },
  virEventUpdateTimeout: { parameters: [int, /* timer */ int /* timeout */], result: "void" },

  // Connection
  virConnectOpenAuth: { parameters: [buf, /* name */ buf, /* auth */ uint /* flags */], result: ptr },
  virConnectClose: { parameters: [ptr /* conn */], result: int },
  virConnectRef: { parameters: [ptr /* conn */], result: int },
  virConnectIsAlive: { parameters: [ptr /* conn */], result: int },
  virConnectSetKeepAlive: { parameters: [ptr, /* conn */ int, /* interval */ uint /* count */], result: int },
  virConnectRegisterCloseCallback: {
    parameters: [ptr, /* conn */ ptr, /* cb */ ptr, /* opaque */ ptr /* freecb */],
    result: int,
  },
  virConnectUnregisterCloseCallback: { parameters: [ptr, /* conn */ ptr /* cb */], result: int },
  virConnectGetType: { parameters: [ptr /* conn */], result: ptr }, // static
  virConnectGetHostname: { parameters: [ptr /* conn */], result: ptr },
  virConnectGetLibVersion: { parameters: [ptr, /* conn */ buf /* libVer */], result: int },
  virConnectGetVersion: { parameters: [ptr, /* conn */ buf /* hvVer */], result: int },
  virConnectGetCapabilities: { parameters: [ptr /* conn */], result: ptr },
  virConnectGetDomainCapabilities: {
    parameters: [
      ptr, /* conn */
      buf, /* emulatorbin */
      buf, /* arch */
      buf, /* machine */
      buf, /* virttype */
      uint, /* flags */
    ],
    result: ptr,
  },

  virConnectCompareHypervisorCPU: {
    parameters: [
      ptr, /* conn */
      buf, /* emulator */
      buf, /* arch */
      buf, /* machine */
      buf, /* virttype */
      buf, /* xmlCPU */
      uint, /* flags */
    ],
    result: int,
  },

  // Node
  virNodeGetInfo: { parameters: [ptr, /* conn */ buf /* info */], result: int },
  virNodeGetCPUStats: {
    parameters: [ptr, /* conn */ int, /* cpuNum */ buf, /* params */ buf, /* nparams */ uint /* flags */],
    result: int,
  },
  virNodeGetMemoryStats: {
    parameters: [ptr, /* conn */ int, /* cellNum */ buf, /* params */ buf, /* nparams */ uint /* flags */],
    result: int,
  },

  // Domains
  virConnectListAllDomains: {
    parameters: [ptr, /* conn */ buf, /* domains */ uint /* flags */],
    result: int,
  },
  virDomainLookupByUUIDString: { parameters: [ptr, /* conn */ buf /* uuidstr */], result: ptr },
  virDomainFree: { parameters: [ptr /* domain */], result: int },
  virDomainGetName: { parameters: [ptr /* domain */], result: ptr }, // borrowed
  virDomainGetUUIDString: { parameters: [ptr, /* domain */ buf /* buf */], result: int },
  virDomainGetID: { parameters: [ptr /* domain */], result: uint },
  virDomainGetState: {
    parameters: [ptr, /* domain */ buf, /* state */ buf, /* reason */ uint /* flags */],
    result: int,
  },
  virDomainGetXMLDesc: { parameters: [ptr, /* domain */ uint /* flags */], result: ptr },
  virDomainGetAutostart: { parameters: [ptr, /* domain */ buf /* autostart */], result: int },
  virDomainSetAutostart: { parameters: [ptr, /* domain */ int /* autostart */], result: int },
  virDomainIsPersistent: { parameters: [ptr /* dom */], result: int },
  virDomainIsActive: { parameters: [ptr /* dom */], result: int },
  virDomainHasManagedSaveImage: { parameters: [ptr, /* dom */ uint /* flags */], result: int },
  virConnectDomainXMLToNative: {
    parameters: [ptr, /* conn */ buf, /* nativeFormat */ buf, /* domainXml */ uint /* flags */],
    result: ptr,
  },
  virDomainCreateXML: { parameters: [ptr, /* conn */ buf, /* xmlDesc */ uint /* flags */], result: ptr },
  virDomainCreateWithFlags: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainShutdownFlags: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainDestroyFlags: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainSuspend: { parameters: [ptr /* domain */], result: int },
  virDomainResume: { parameters: [ptr /* domain */], result: int },
  virDomainReboot: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainReset: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainManagedSave: { parameters: [ptr, /* dom */ uint /* flags */], result: int },
  virDomainManagedSaveRemove: { parameters: [ptr, /* dom */ uint /* flags */], result: int },
  virDomainManagedSaveGetXMLDesc: { parameters: [ptr, /* domain */ uint /* flags */], result: ptr },
  virDomainManagedSaveDefineXML: {
    parameters: [ptr, /* domain */ buf, /* dxml */ uint /* flags */],
    result: int,
  },
  virDomainPMWakeup: { parameters: [ptr, /* dom */ uint /* flags */], result: int },
  virDomainUndefineFlags: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainAttachDeviceFlags: {
    parameters: [ptr, /* domain */ buf, /* xml */ uint /* flags */],
    result: int,
  },
  virDomainDetachDeviceFlags: {
    parameters: [ptr, /* domain */ buf, /* xml */ uint /* flags */],
    result: int,
  },
  virDomainUpdateDeviceFlags: {
    parameters: [ptr, /* domain */ buf, /* xml */ uint /* flags */],
    result: int,
  },
  virDomainDefineXMLFlags: { parameters: [ptr, /* conn */ buf, /* xml */ uint /* flags */], result: ptr },
  virDomainRename: { parameters: [ptr, /* dom */ buf, /* new_name */ uint /* flags */], result: int },
  virDomainListAllSnapshots: {
    parameters: [ptr, /* domain */ buf, /* snaps */ uint /* flags */],
    result: int,
  },
  virDomainSnapshotLookupByName: {
    parameters: [ptr, /* domain */ buf, /* name */ uint /* flags */],
    result: ptr,
  },
  virDomainSnapshotCreateXML: {
    parameters: [ptr, /* domain */ buf, /* xmlDesc */ uint /* flags */],
    result: ptr,
  },
  virDomainSnapshotGetXMLDesc: { parameters: [ptr, /* snapshot */ uint /* flags */], result: ptr },
  virDomainSnapshotIsCurrent: { parameters: [ptr, /* snapshot */ uint /* flags */], result: int },
  virDomainRevertToSnapshot: { parameters: [ptr, /* snapshot */ uint /* flags */], result: int },
  virDomainSnapshotDelete: { parameters: [ptr, /* snapshot */ uint /* flags */], result: int },
  virDomainSnapshotFree: { parameters: [ptr /* snapshot */], result: int },
  virDomainSnapshotNum: { parameters: [ptr, /* domain */ uint /* flags */], result: int },
  virDomainBackupBegin: {
    parameters: [ptr, /* domain */ buf, /* backupXML */ buf, /* checkpointXML */ uint /* flags */],
    result: int,
  },
  virDomainBackupGetXMLDesc: { parameters: [ptr, /* domain */ uint /* flags */], result: ptr },
  virDomainBlockJobSetSpeed: {
    parameters: [ptr, /* dom */ buf, /* disk */ "usize", /* bandwidth */ uint /* flags */],
    result: int,
  },
  virDomainAbortJob: { parameters: [ptr /* dom */], result: int },
  virDomainMigrateToURI3: {
    parameters: [
      ptr,
      /* domain */ buf,
      /* dconnuri */ buf,
      /* params */ uint,
      /* nparams */ uint, /* flags */
    ],
    result: int,
  },
  virDomainMigrateSetMaxDowntime: {
    parameters: [ptr, /* domain */ "u64", /* downtime: unsigned long long */ uint /* flags */],
    result: int,
  },
  virDomainGetJobStats: {
    parameters: [ptr, /* domain */ buf, /* type */ buf, /* params */ buf, /* nparams */ uint /* flags */],
    result: int,
  },
  virTypedParamsFree: { parameters: [ptr, /* params */ int /* nparams */], result: "void" },
  virDomainFSFreeze: {
    parameters: [ptr, /* dom */ buf, /* mountpoints */ uint, /* nmountpoints */ uint /* flags */],
    result: int,
  },
  virDomainFSThaw: {
    parameters: [ptr, /* dom */ buf, /* mountpoints */ uint, /* nmountpoints */ uint /* flags */],
    result: int,
  },
  virDomainGetGuestInfo: {
    parameters: [ptr, /* domain */ uint, /* types */ buf, /* params */ buf, /* nparams */ uint /* flags */],
    result: int,
  },
  virDomainSetTime: {
    parameters: [ptr, /* dom */ "i64", /* seconds */ uint, /* nseconds */ uint /* flags */],
    result: int,
  },
  virDomainSetUserPassword: {
    parameters: [ptr, /* dom */ buf, /* user */ buf, /* password */ uint /* flags */],
    result: int,
  },
  virDomainAuthorizedSSHKeysGet: {
    parameters: [ptr, /* domain */ buf, /* user */ buf, /* keys */ uint /* flags */],
    result: int,
  },
  virDomainAuthorizedSSHKeysSet: {
    parameters: [ptr, /* domain */ buf, /* user */ buf, /* keys */ uint, /* nkeys */ uint /* flags */],
    result: int,
  },
  virDomainListAllCheckpoints: {
    parameters: [ptr, /* domain */ buf, /* checkpoints */ uint /* flags */],
    result: int,
  },
  virDomainCheckpointGetName: { parameters: [ptr /* checkpoint */], result: ptr },
  virDomainCheckpointLookupByName: {
    parameters: [ptr, /* domain */ buf, /* name */ uint /* flags */],
    result: ptr,
  },
  virDomainCheckpointDelete: { parameters: [ptr, /* checkpoint */ uint /* flags */], result: int },
  virDomainCheckpointFree: { parameters: [ptr /* checkpoint */], result: int },
  virDomainSetMetadata: {
    parameters: [
      ptr, /* domain */
      int, /* type */
      buf, /* metadata */
      buf, /* key */
      buf, /* uri */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainSetVcpusFlags: {
    parameters: [ptr, /* domain */ uint, /* nvcpus */ uint /* flags */],
    result: int,
  },
  virDomainSetMemoryFlags: {
    parameters: [ptr, /* domain */ "u64", /* memory, KiB */ uint /* flags */],
    result: int,
  },
  virDomainPinVcpuFlags: {
    parameters: [ptr, /* domain */ uint, /* vcpu */ buf, /* cpumap */ int, /* maplen */ uint /* flags */],
    result: int,
  },
  virDomainGetBlockInfo: {
    parameters: [ptr, /* domain */ buf, /* disk */ buf, /* info */ uint /* flags */],
    result: int,
  },
  virDomainBlockCommit: {
    parameters: [
      ptr, /* dom */
      buf, /* disk */
      buf, /* base */
      buf, /* top */
      "u64", /* bandwidth */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainBlockCopy: {
    parameters: [
      ptr, /* dom */
      buf, /* disk */
      buf, /* destxml */
      ptr, /* params */
      int, /* nparams */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainGetBlockJobInfo: {
    parameters: [ptr, /* dom */ buf, /* disk */ buf, /* info */ uint /* flags */],
    result: int,
  },
  virDomainBlockJobAbort: { parameters: [ptr, /* dom */ buf, /* disk */ uint /* flags */], result: int },
  virDomainBlockResize: {
    parameters: [ptr, /* dom */ buf, /* disk */ "u64", /* size */ uint /* flags */],
    result: int,
  },
  virDomainSetBlockIoTune: {
    parameters: [
      ptr, /* dom */
      buf, /* disk */
      buf, /* params */
      int, /* nparams */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainSetInterfaceParameters: {
    parameters: [
      ptr, /* domain */
      buf, /* device */
      buf, /* params */
      int, /* nparams */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainInterfaceStats: {
    parameters: [ptr, /* dom */ buf, /* device */ buf, /* stats */ "usize" /* size */],
    result: int,
  },
  virDomainInterfaceAddresses: {
    parameters: [ptr, /* dom */ buf, /* ifaces */ uint, /* source */ uint /* flags */],
    result: int,
  },
  virDomainInterfaceFree: { parameters: [ptr /* iface */], result: "void" },
  virConnectGetAllDomainStats: {
    parameters: [ptr, /* conn */ uint, /* stats */ buf, /* retStats */ uint /* flags */],
    result: int,
  },
  virDomainListGetStats: {
    parameters: [buf, /* doms */ uint, /* stats */ buf, /* retStats */ uint /* flags */],
    result: int,
  },
  virDomainStatsRecordListFree: { parameters: [ptr /* stats */], result: "void" },

  // Screen, keys, console
  virDomainScreenshot: {
    parameters: [ptr, /* domain */ ptr, /* stream */ uint, /* screen */ uint /* flags */],
    result: ptr, // the picture's MIME type
  },
  virDomainSendKey: {
    parameters: [
      ptr, /* domain */
      uint, /* codeset */
      uint, /* holdtime */
      buf, /* keycodes */
      int, /* nkeycodes */
      uint, /* flags */
    ],
    result: int,
  },
  virDomainOpenConsole: {
    parameters: [ptr, /* dom */ buf, /* dev_name */ ptr, /* st */ uint /* flags */],
    result: int,
  },
  virDomainOpenChannel: {
    parameters: [ptr, /* dom */ buf, /* name */ ptr, /* st */ uint /* flags */],
    result: int,
  },

  // Networks
  virConnectListAllNetworks: { parameters: [ptr, /* conn */ buf, /* nets */ uint /* flags */], result: int },
  virNetworkLookupByName: { parameters: [ptr, /* conn */ buf /* name */], result: ptr },
  virNetworkFree: { parameters: [ptr /* network */], result: int },
  virNetworkGetName: { parameters: [ptr /* network */], result: ptr }, // borrowed
  virNetworkGetUUIDString: { parameters: [ptr, /* network */ buf /* buf */], result: int },
  virNetworkIsActive: { parameters: [ptr /* net */], result: int },
  virNetworkIsPersistent: { parameters: [ptr /* net */], result: int },
  virNetworkGetAutostart: { parameters: [ptr, /* network */ buf /* autostart */], result: int },
  virNetworkGetXMLDesc: { parameters: [ptr, /* network */ uint /* flags */], result: ptr },
  virNetworkGetDHCPLeases: {
    parameters: [ptr, /* network */ ptr, /* mac */ buf, /* leases */ uint /* flags */],
    result: int,
  },
  virNetworkDHCPLeaseFree: { parameters: [ptr /* lease */], result: "void" },
  virNetworkDefineXML: { parameters: [ptr, /* conn */ buf /* xml */], result: ptr },
  virNetworkCreate: { parameters: [ptr /* network */], result: int },
  virNetworkDestroy: { parameters: [ptr /* network */], result: int },
  virNetworkUndefine: { parameters: [ptr /* network */], result: int },
  virNetworkSetAutostart: { parameters: [ptr, /* network */ int /* autostart */], result: int },
  virNetworkUpdate: {
    parameters: [
      ptr, /* network */
      uint, /* command */
      uint, /* section */
      int, /* parentIndex */
      buf, /* xml */
      uint, /* flags */
    ],
    result: int,
  },

  // Network filters
  virConnectListAllNWFilters: {
    parameters: [ptr, /* conn */ buf, /* filters */ uint /* flags */],
    result: int,
  },
  virNWFilterGetName: { parameters: [ptr /* nwfilter */], result: ptr }, // borrowed
  virNWFilterGetUUIDString: { parameters: [ptr, /* nwfilter */ buf /* buf */], result: int },
  virNWFilterGetXMLDesc: { parameters: [ptr, /* nwfilter */ uint /* flags */], result: ptr }, // owned
  virNWFilterFree: { parameters: [ptr /* nwfilter */], result: int },

  // Devices of the host
  virConnectListAllNodeDevices: {
    parameters: [ptr, /* conn */ buf, /* devices */ uint /* flags */],
    result: int,
  },
  virNodeDeviceGetXMLDesc: { parameters: [ptr, /* dev */ uint /* flags */], result: ptr }, // owned
  virNodeDeviceFree: { parameters: [ptr /* dev */], result: int },

  // Storage
  virConnectListAllStoragePools: {
    parameters: [ptr, /* conn */ buf, /* pools */ uint /* flags */],
    result: int,
  },
  virStoragePoolFree: { parameters: [ptr /* pool */], result: int },
  virStoragePoolGetName: { parameters: [ptr /* pool */], result: ptr }, // borrowed
  virStoragePoolGetUUIDString: { parameters: [ptr, /* pool */ buf /* buf */], result: int },
  virStorageVolGetName: { parameters: [ptr /* vol */], result: ptr }, // borrowed
  virStoragePoolIsPersistent: { parameters: [ptr /* pool */], result: int },
  virStoragePoolGetAutostart: { parameters: [ptr, /* pool */ buf /* autostart */], result: int },
  virStoragePoolGetInfo: { parameters: [ptr, /* pool */ buf /* info */], result: int },
  virStoragePoolGetXMLDesc: { parameters: [ptr, /* pool */ uint /* flags */], result: ptr },
  virStoragePoolLookupByName: { parameters: [ptr, /* conn */ buf /* name */], result: ptr },
  virStoragePoolLookupByVolume: { parameters: [ptr /* vol */], result: ptr },
  virStoragePoolDefineXML: { parameters: [ptr, /* conn */ buf, /* xml */ uint /* flags */], result: ptr },
  virStoragePoolUndefine: { parameters: [ptr /* pool */], result: int },
  virStoragePoolBuild: { parameters: [ptr, /* pool */ uint /* flags */], result: int },
  virStoragePoolDestroy: { parameters: [ptr /* pool */], result: int },
  virStoragePoolDelete: { parameters: [ptr, /* pool */ uint /* flags */], result: int },
  virStoragePoolIsActive: { parameters: [ptr /* pool */], result: int },
  virStoragePoolNumOfVolumes: { parameters: [ptr /* pool */], result: int },
  virConnectGetStoragePoolCapabilities: {
    parameters: [ptr, /* conn */ uint /* flags */],
    result: ptr,
  },
  virStorageVolWipe: { parameters: [ptr, /* vol */ uint /* flags */], result: int },
  virStoragePoolCreate: { parameters: [ptr, /* pool */ uint /* flags */], result: int },
  virStoragePoolSetAutostart: { parameters: [ptr, /* pool */ int /* autostart */], result: int },
  virStoragePoolRefresh: { parameters: [ptr, /* pool */ uint /* flags */], result: int },
  virStoragePoolListAllVolumes: {
    parameters: [ptr, /* pool */ buf, /* vols */ uint /* flags */],
    result: int,
  },
  virStorageVolLookupByName: { parameters: [ptr, /* pool */ buf /* name */], result: ptr },
  virStorageVolGetXMLDesc: { parameters: [ptr, /* vol */ uint /* flags */], result: ptr },
  virStorageVolCreateXML: { parameters: [ptr, /* pool */ buf, /* xmlDesc */ uint /* flags */], result: ptr },
  virStorageVolCreateXMLFrom: {
    parameters: [ptr, /* pool */ buf, /* xmlDesc */ ptr, /* clonevol */ uint /* flags */],
    result: ptr,
  },
  virStorageVolResize: { parameters: [ptr, /* vol */ "u64", /* capacity */ uint /* flags */], result: int },
  virStorageVolGetInfoFlags: {
    parameters: [ptr, /* vol */ buf, /* info */ uint /* flags */],
    result: int,
  },
  virStorageVolUpload: {
    parameters: [ptr, /* vol */ ptr, /* stream */ "u64", /* offset */ "u64", /* length */ uint /* flags */],
    result: int,
  },
  virStorageVolDownload: {
    parameters: [ptr, /* vol */ ptr, /* stream */ "u64", /* offset */ "u64", /* length */ uint /* flags */],
    result: int,
  },
  virStorageVolLookupByPath: { parameters: [ptr, /* conn */ buf /* path */], result: ptr },
  virStorageVolDelete: { parameters: [ptr, /* vol */ uint /* flags */], result: int },
  virStorageVolFree: { parameters: [ptr /* vol */], result: int },

  virConnectFindStoragePoolSources: {
    parameters: [ptr, /* conn */ buf, /* type */ buf, /* srcSpec */ uint /* flags */],
    result: ptr,
  },

  // Secrets
  virSecretDefineXML: { parameters: [ptr, /* conn */ buf, /* xml */ uint /* flags */], result: ptr },
  virSecretSetValue: {
    parameters: [ptr, /* secret */ buf, /* value */ "usize", /* value_size */ uint /* flags */],
    result: int,
  },
  virSecretLookupByUsage: {
    parameters: [ptr, /* conn */ int, /* usageType */ buf /* usageID */],
    result: ptr,
  },
  virSecretGetUUIDString: { parameters: [ptr, /* secret */ buf /* buf */], result: int },
  virSecretUndefine: { parameters: [ptr /* secret */], result: int },
  virSecretFree: { parameters: [ptr /* secret */], result: int },

  // Streams
  virStreamNew: { parameters: [ptr, /* conn */ uint /* flags */], result: ptr },
  virStreamRecv: { parameters: [ptr, /* stream */ buf, /* data */ "usize" /* nbytes */], result: int },
  virStreamEventAddCallback: {
    parameters: [ptr, /* stream */ int, /* events */ ptr, /* cb */ ptr, /* opaque */ ptr /* ff */],
    result: int,
  },
  virStreamEventRemoveCallback: { parameters: [ptr /* stream */], result: int },
  virStreamSend: { parameters: [ptr, /* st */ buf, /* data */ "usize" /* nbytes */], result: int },
  virStreamFinish: { parameters: [ptr /* st */], result: int },
  virStreamAbort: { parameters: [ptr /* st */], result: int },
  virStreamFree: { parameters: [ptr /* st */], result: int },

  // Events
  virConnectDomainEventRegisterAny: {
    parameters: [
      ptr, /* conn */
      ptr, /* dom */
      int, /* eventID */
      ptr, /* cb */
      ptr, /* opaque */
      ptr, /* freecb */
    ],
    result: int,
  },
  virConnectDomainEventDeregisterAny: { parameters: [ptr, /* conn */ int /* callbackID */], result: int },
  virConnectNetworkEventRegisterAny: {
    parameters: [
      ptr, /* conn */
      ptr, /* net */
      int, /* eventID */
      ptr, /* cb */
      ptr, /* opaque */
      ptr, /* freecb */
    ],
    result: int,
  },
  virConnectNetworkEventDeregisterAny: { parameters: [ptr, /* conn */ int /* callbackID */], result: int },
  virConnectStoragePoolEventRegisterAny: {
    parameters: [
      ptr, /* conn */
      ptr, /* pool */
      int, /* eventID */
      ptr, /* cb */
      ptr, /* opaque */
      ptr, /* freecb */
    ],
    result: int,
  },
  virConnectStoragePoolEventDeregisterAny: {
    parameters: [ptr, /* conn */ int /* callbackID */],
    result: int,
  },
  virConnectNodeDeviceEventRegisterAny: {
    parameters: [
      ptr, /* conn */
      ptr, /* dev */
      int, /* eventID */
      ptr, /* cb */
      ptr, /* opaque */
      ptr, /* freecb */
    ],
    result: int,
  },
  virConnectNodeDeviceEventDeregisterAny: { parameters: [ptr, /* conn */ int /* callbackID */], result: int },
  virNodeDeviceGetName: { parameters: [ptr /* dev */], result: ptr }, // borrowed
} as const satisfies Record<string, Deno.ForeignFunction>;

/** Functions newer than libvirt 7.0: absent ones are `null`, and the capability of the same name is off. */
export const OPTIONAL = {
  virDomainAgentSetResponseTimeout: {
    parameters: [ptr, /* domain */ int, /* timeout */ uint /* flags */],
    result: int,
    optional: true,
  },
  virDomainGetMessages: {
    parameters: [ptr, /* domain */ buf, /* msgs */ uint /* flags */],
    result: int,
    optional: true,
  },
  virDomainStartDirtyRateCalc: {
    parameters: [ptr, /* domain */ int, /* seconds */ uint /* flags */],
    result: int,
    optional: true,
  },
} as const satisfies Record<string, Deno.ForeignFunction & { optional: true }>;

/** Functions of libvirt-qemu.so, which comes with libvirt.so and has its connections and errors. */
export const QEMU = {
  virDomainQemuAgentCommand: {
    parameters: [ptr, /* domain */ buf, /* cmd */ int, /* timeout, seconds */ uint /* flags */],
    result: ptr,
  },
  virConnectDomainQemuMonitorEventRegister: {
    parameters: [
      ptr, /* conn */
      ptr, /* dom */
      buf, /* event */
      ptr, /* cb */
      ptr, /* opaque */
      ptr, /* freecb */
      uint, /* flags */
    ],
    result: int,
  },
  virConnectDomainQemuMonitorEventDeregister: {
    parameters: [ptr, /* conn */ int /* callbackID */],
    result: int,
  },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** The C library's part: memory libvirt hands over is freed with `free`; `dlsym` finds a harmless function's address. */
export const LIBC = {
  free: { parameters: [ptr /* ptr */], result: "void" },
  dlsym: { parameters: [ptr, /* handle */ buf /* symbol */], result: ptr },
  socket: { parameters: [int, /* domain */ int, /* type */ int /* protocol */], result: int },
  sendto: {
    parameters: [int, /* sockfd */ buf, /* buf */ "usize", /* len */ int, /* flags */ buf, /* addr */ uint],
    result: "isize",
  },
  close: { parameters: [int /* fd */], result: int },
} as const satisfies Record<string, Deno.ForeignFunction>;
