/** Each error whose text advises something, and how that is tried. */
import { claimedVm } from "../../testbed/claimed_vm.ts";
import { call, knownPool, refused } from "../../testbed/product.ts";
import {
  ANOTHER,
  lastingPool,
  OUTSIDE,
  type RemedyTrial,
  SAYS,
  sharedFolder,
  stopped,
  suspended,
  WAIT,
} from "./trial.ts";
import { deleteVolume } from "../../testbed/delete_volume.ts";
import { OF_BACKUPS } from "./backups.ts";
import { OF_BOUNDS } from "./bounds.ts";
import { OF_DEVICES } from "./devices.ts";

const ACCESS: RemedyTrial = {
  not: "a way in that the tests of access go: access_test, password_again_test, people",
};

const SAVED = "tests/system/saved_memory_test.ts";

const MAINTENANCE = "tests/system/maintenance_test.ts", MCP = "tests/system/mcp_test.ts";

/** Code of each error whose text advises something → how that is tried. */
export const OF_ERRORS: Readonly<Record<string, RemedyTrial>> = {
  ...Object.fromEntries(
    ("EncodedBody FileExpected PathRefused UnknownKey NicAmbiguous BusNotSupported LimitsNotSupported ShareExists " +
      "HostDeviceNotFound HostDeviceAmbiguous HostDeviceRefused TopologyMismatch NetworkOverlaps PortInUse " +
      "PortForwardExists WeakPassword ContentExpected UploadOffset UploadNotFound BackupHostKeyUnknown FormExpected " +
      "ImageChecksumAmbiguous NameAmbiguous NoUsbController HostKeyUnknown InvitationRefused CertificateUnknown SourceLoginRefused")
      .split(" ")
      .map((code) => [code, ANOTHER]),
  ),
  ...Object.fromEntries(
    ("TooManyAttempts VmBusy OperationUnsettled GuestBusy StorageUnknown StorageBusy BackupFolderBusy " +
      "TooManyRequests LibvirtTimeout HostBusy").split(" ").map((code) => [code, WAIT]),
  ),
  ...Object.fromEntries(
    ("PlainHttp PasskeyNeedsName StoragePoolReadOnly BackupElsewhere NoSerialLine SerialElsewhere ScreenElsewhere VmOnSeveralHosts NoScreen GuestToolsMissing " +
      "GuestOutputLost GuestOutputTooMuch NoIommu StorageNotResponding StoragePoolNotResponding NetworkNotResponding " +
      "ProxyChangesHost ForeignHost LibvirtUnavailable PermissionDenied LibvirtBusy LibvirtNotResponding OvaDamaged FileDamaged ShareMounted DeviceNotReleased LinkUndecided LinkedHostNonsense")
      .split(" ").map((code) => [code, OUTSIDE]),
  ),
  ...Object.fromEntries(
    ("VmLogMissing GuestSilent JobCancelled ScheduleRunFailed BackupRunFailed ChecksumMismatch ImageChecksumMismatch " +
      "ConnectionLost StoreUnavailable Internal BackupHostKeyChanged HostKeyChanged CertificateChanged")
      .split(" ").map((
        code,
      ) => [code, SAYS]),
  ),
  ...Object.fromEntries(
    ("NotSignedIn TokenInvalid PasswordNeeded SignInExpired NoAccount NotByToken SetupKey ConsoleTicket HostAccount SecondFactorOn " +
      "LastAdministrator RoleInUse").split(" ").map((code) => [code, ACCESS]),
  ),
  BootWouldResume: { by: SAVED, words: "BootWouldResume", then: "await way()" },
  ContinueFailed: {
    by: SAVED,
    words: '"ContinueFailed", /belongs',
    then: 'call(server, "discard_saved_memory"',
  },
  HostInMaintenance: { by: MAINTENANCE, words: '"HostInMaintenance"', then: "inMaintenance: true" },
  DrainUnderWay: {
    by: MAINTENANCE,
    words: '"DrainUnderWay"',
    then: 'call(from.server, "end_maintenance"',
  },
  MovesFull: WAIT,
  QuotaExceeded: {
    by: "tests/system/projects_test.ts",
    words: '"QuotaExceeded", /0 VMs/',
    then: 'call(server, "set_quota", { projectId, vms: 1 })',
  },
  ProjectTakesNoVms: {
    by: "tests/system/projects_members_test.ts",
    words: '"ProjectTakesNoVms"',
    then: 'call(server, "update_project"',
  },
  NotNamedByProject: {
    by: "tests/system/projects_members_test.ts",
    words: '"NotNamedByProject"',
    then: 'make(ann, { image: "base.qcow2"',
  },
  PlacementRuleBroken: { by: MAINTENANCE, words: '"PlacementRuleBroken"', then: "breakRules: true" },
  TooManyProfiles: { not: "a profile is deleted as any other, which profiles_test does" },
  TooManyTools: { not: "a tool is deleted as any other, which profiles_test does" },
  ProjectAlreadyAssigned: { not: "unassign_profile takes it away, as profiles_test does before it goes on" },
  NameCollision: { not: "rename_to gives it another name, as the import of profiles_test does" },
  TooManyPlacementRules: { not: "a rule is deleted as any other, which maintenance_test does" },
  TooManyReplications: { not: "a replication is ended as any other, which replication_test does" },
  ReplicationBusy: WAIT,
  VmNotOwner: { by: "tests/system/replication_test.ts", words: '"VmNotOwner"', then: "reclaim: true" },
  McpSessionNotFound: { not: "another session is begun, as each step of mcp_test does" },
  PlanNotFound: {
    by: MCP,
    words: '"PlanNotFound"',
    then: 'const fresh = await planned(mcp, "force_stop_vm"',
  },
  PlanOutdated: {
    by: MCP,
    words: '"PlanOutdated"',
    then: 'const fresh = await planned(mcp, "force_stop_vm"',
  },
  RestoredNotMoved: {
    by: "tests/system/copy_volume_test.ts",
    words: '"RestoredNotMoved"',
    then: 'call(from.server, "migrate_vm"',
  },
  SshKeyNotRotated: {
    by: "tests/system/ssh_host_test.ts",
    words: '"SshKeyNotRotated"',
    then: "force: true",
  },
  EncryptionKeyMissing: {
    by: "tests/system/sealed_secrets_test.ts",
    words: '"EncryptionKeyMissing"',
    then: '"rotate_credential", { credentialId: "encryption-key"',
  },
  SecretUnreadable: {
    by: "tests/system/sealed_secrets_test.ts",
    words: '"SecretUnreadable"',
    then: "passphrase",
  },
  HostMoveKeeps: {
    by: "tests/system/add_host_test.ts",
    words: '"HostMoveKeeps"',
    then: "force: true",
  },
  HostKeeps: {
    by: "tests/system/add_host_test.ts",
    words: '"HostKeeps"',
    then: "force: true",
  },
  GuestNotClean: {
    by: "tests/system/foreign_import_test.ts",
    words: '"GuestNotClean"',
    then: "allowUnclean: true",
  },
  NvramLeft: {
    by: "tests/system/vm_nvram_test.ts",
    words: "As the text advises",
    then: `call(server, "rename_vm"`,
  },
  MemoryLeft: {
    by: SAVED,
    words: '"MemoryLeft", text',
    then: "await make()",
  },
  VmNotResponding: {
    by: "tests/testbed/hang_run.ts",
    words: "notResponding === undefined",
    then: 'call(server, "force_stop_vm"',
  },
  DiskIsBase: {
    by: "tests/system/pairs_images_test.ts",
    words: "api.startVm({ vmId }), isRefused(/in the bin/)",
    then: "api.deleteBinEntry",
  },
  VmIdInBin: {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await using other = await claimedVm("remedy-id");
        const { xml } = await call(server, "get_vm_xml", { vmId, secure: true, inactive: true });
        const { bin } = await call(server, "delete_vm", { vmId, deleteDisks: false });
        const bring = (how: object) => call(server, "import_vm", { xml, ...how });
        await refused(bring({}), "VmIdInBin");
        const made = await bring({ name: other.name, newId: true });
        await call(server, "delete_vm", { vmId: made.vmId, permanently: true });
        await call(server, "delete_bin_entry", { entryId: bin!.entryId });
        await bring({});
        await knownPool(server, pool);
      }),
  },
  HostDeviceChanged: {
    by: "tests/system/pairs_devices_test.ts",
    words: "HostDeviceChanged",
    then: "api.detachHostDevice",
  },
  UploadOfOther: {
    by: "tests/system/pairs_upload_test.ts",
    words: '"delete_upload", at), "UploadOfOther"',
    then: 'call(server, "delete_upload", at)',
  },
  MediaLocked: { by: "tests/system/vm_disks_test.ts", words: "MediaLocked", then: "target, force: true" },
  NetworkNotActive: {
    by: "tests/system/networks_test.ts",
    words: "Start it first.",
    then: 'call(server, "start_network"',
  },
  NetworkInUse: {
    by: "tests/system/networks_test.ts",
    words: "NetworkInUse",
    then: 'call(server, "stop_network", { name })',
  },
  AddressLeased: { by: "tests/system/networks_test.ts", words: "AddressLeased", then: "allowLeased: true" },
  BinEntryInUse: {
    by: "tests/system/storage_users_test.ts",
    words: "BinEntryInUse",
    then: 'call(server, "restore_bin_entry"',
  },
  BinNameTaken: { by: "tests/system/bin_test.ts", words: "BinNameTaken", then: "name: `${name}-2`" },
  TemplateInUse: {
    by: "tests/system/templates_test.ts",
    words: "TemplateInUse",
    then: 'call(server, "delete_template", { templateId: template.id });',
  },
  TooManyUploads: {
    by: "tests/system/volume_content_test.ts",
    words: "TooManyUploads",
    then: 'call(server, "delete_upload"',
  },
  VmStillRunning: {
    here: (server) =>
      stopped(server, async (vmId) => {
        await call(server, "start_vm", { vmId });
        await refused(call(server, "delete_vm", { vmId }), "VmStillRunning");
        await call(server, "force_stop_vm", { vmId });
        await call(server, "delete_vm", { vmId, permanently: true });
      }),
  },
  XmlIdentity: {
    here: (server) =>
      stopped(server, async (vmId, { name }) => {
        await using other = await claimedVm("remedy-name");
        const { xml, etag } = await call(server, "get_vm_xml", { vmId, secure: true, inactive: true });
        const changed = xml.replace(`<name>${name}</name>`, `<name>${other.name}</name>`);
        await refused(call(server, "set_vm_xml", { vmId, xml: changed, etag: etag! }), "XmlIdentity");
        await call(server, "rename_vm", { vmId, name: other.name });
        await call(server, "rename_vm", { vmId, name });
      }),
  },
  XmlChanged: {
    here: (server) =>
      stopped(server, async (vmId) => {
        const read = () => call(server, "get_vm_xml", { vmId, secure: true, inactive: true });
        const { xml, etag } = await read();
        await call(server, "update_vm", { vmId, description: "another" });
        await refused(call(server, "set_vm_xml", { vmId, xml, etag: etag! }), "XmlChanged");
        const now = await read();
        await call(server, "set_vm_xml", { vmId, xml: now.xml, etag: now.etag! });
      }),
  },
  StoragePoolNotActive: {
    here: async (server) => {
      const pool = await lastingPool("remedy-pool");
      await knownPool(server, pool.name);
      await call(server, "stop_storage_pool", { pool: pool.name });
      const make = () =>
        call(server, "create_volume", { pool: pool.name, name: "a.qcow2", capacityBytes: 2 ** 20 });
      await refused(make(), "StoragePoolNotActive");
      await call(server, "start_storage_pool", { pool: pool.name });
      await make();
    },
  },
  StoragePoolInUse: {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await call(server, "start_vm", { vmId });
        await refused(call(server, "stop_storage_pool", { pool }), "StoragePoolInUse");
        await call(server, "force_stop_vm", { vmId });
        await call(server, "stop_storage_pool", { pool });
        await call(server, "start_storage_pool", { pool });
      }),
  },
  StoragePoolNeeded: {
    by: "tests/system/pairs_built_on_test.ts",
    words: "StoragePoolNeeded",
    then: "api.deleteTemplate({ templateId })",
  },
  BinNotEmpty: {
    here: async (server) => {
      const pool = await lastingPool("remedy-bin");
      await knownPool(server, pool.name);
      await call(server, "create_volume", { pool: pool.name, name: "a.qcow2", capacityBytes: 2 ** 20 });
      const { bin } = await deleteVolume(server, pool.name, "a.qcow2");
      const remove = () => call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true });
      await refused(remove(), "BinNotEmpty");
      await call(server, "delete_bin_entry", { entryId: bin!.entryId });
      await remove();
    },
  },
  CpuCountAboveMaximum: {
    here: (server) =>
      stopped(server, async (vmId) => {
        await refused(call(server, "update_vm", { vmId, cpu: { count: 3 } }), "CpuCountAboveMaximum");
        await call(server, "update_vm", { vmId, cpu: { count: 3, max: 3 } });
      }),
  },
  MemoryAboveMaximum: {
    here: (server) =>
      stopped(server, async (vmId) => {
        await refused(call(server, "update_vm", { vmId, memory: { currentMb: 4096 } }), "MemoryAboveMaximum");
        await call(server, "update_vm", { vmId, memory: { currentMb: 1024, maxMb: 1024 } });
      }),
  },
  NotHotpluggable: {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await call(server, "start_vm", { vmId });
        const attach = (how: object) =>
          call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 }, bus: "sata", ...how });
        await refused(attach({ live: true }), "NotHotpluggable");
        await attach({ persistent: true, live: false });
        await attach({ bus: "virtio" });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  ShareWhileSaved: {
    here: (server) =>
      suspended(server, async (vmId) => {
        await using folder = await sharedFolder();
        const attach = () => call(server, "attach_share", { vmId, folder: folder.path, tag: "remedy" });
        await refused(attach(), "ShareWhileSaved");
        await call(server, "discard_saved_memory", { vmId });
        await attach();
      }),
  },
  HasSavedMemory: {
    here: (server) =>
      suspended(server, async (vmId) => {
        const detach = () => call(server, "detach_disk", { vmId, target: "vda" });
        await refused(detach(), "HasSavedMemory");
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
        await call(server, "resize_disk", { vmId, target: "vda", sizeGb: 1 });
        await call(server, "start_vm", { vmId });
        await call(server, "suspend_vm", { vmId });
        await refused(detach(), "HasSavedMemory");
        await call(server, "discard_saved_memory", { vmId });
        await detach();
      }),
  },
  ShareNeedsRestart: {
    by: "tests/system/vm_shares_test.ts",
    words: '"look", live: true }), "ShareNeedsRestart"',
    then: 'call(server, "detach_share", { vmId, tag: "look" })',
  },
  BackupInUse: {
    by: "tests/system/schedules_test.ts",
    words: "BackupInUse",
    then: 'call(server, "delete_backup"',
  },
  ...OF_DEVICES,
  ...OF_BACKUPS,
  ...OF_BOUNDS,
  DownloadTargetRefused: {
    by: "tests/system/images_test.ts",
    words: "DownloadTargetRefused",
    then: '"set_image_policy", { internet: true, hosts: ["127.0.0.1"] }',
  },
};
