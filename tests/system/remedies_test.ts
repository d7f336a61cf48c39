/**
 * What errors and notes advise, carried out: advice that another rule refuses leaves nobody a way on. Every text that advises
 * something is in a table here, with how it is tried or why it is not; a new one without an entry fails.
 */
import assert from "node:assert/strict";
import { ERRORS } from "../../lib/contract/errors.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { qemuPid } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, knownPool, readyServer, refused, shows } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;
const ROOT = new URL("../../", import.meta.url);

/** How a piece of advice is tried, or why it is not. */
type Entry =
  /** Carried out below. */
  | { readonly here: (server: TestServer) => Promise<void> }
  /** Carried out by that test, which has these words. */
  | { readonly by: string; readonly words: string }
  | { readonly not: string };

const ANOTHER: Entry = { not: "another value is given: the same command takes it, as its own tests show" };
const WAIT: Entry = { not: "it is waited for, and tried again" };
const OUTSIDE: Entry = { not: "it is done in the guest, on the host, or at a server, by no command of ours" };
const SAYS: Entry = { not: "it says what is so, and advises nothing" };
const ACCESS: Entry = {
  not: "a way in that the tests of access go: access_test, password_again_test, people",
};

/** A VM that is off, with a disk in a pool. */
async function stopped(
  server: TestServer,
  work: (vmId: string, vm: { name: string; pool: string }) => Promise<void>,
) {
  await using pool = await testPool("remedy");
  await using vm = await testMachine({ purpose: "remedy", guest: false, disks: [{ pool, size: "8M" }] });
  await known(server, vm.uuid);
  await knownPool(server, pool.name);
  await work(vm.uuid, { name: vm.name, pool: pool.name });
}

/** A VM whose memory is saved. */
const suspended = (server: TestServer, work: (vmId: string, vm: { name: string }) => Promise<void>) =>
  stopped(server, async (vmId, vm) => {
    await call(server, "start_vm", { vmId });
    await call(server, "suspend_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "suspended");
    await work(vmId, vm);
  });

const SAVED = "tests/system/saved_memory_test.ts";

/** Code of each error whose text advises something → how that is tried. */
const OF_ERRORS: Readonly<Record<string, Entry>> = {
  ...Object.fromEntries(
    ("EncodedBody FileExpected PathRefused UnknownKey NicAmbiguous BusNotSupported LimitsNotSupported ShareExists " +
      "HostDeviceNotFound HostDeviceAmbiguous HostDeviceRefused TopologyMismatch NetworkOverlaps PortInUse " +
      "PortForwardExists WeakPassword ContentExpected UploadOffset UploadNotFound BackupHostKeyUnknown FormExpected " +
      "ImageChecksumAmbiguous NameAmbiguous NoUsbController")
      .split(" ")
      .map((code) => [code, ANOTHER]),
  ),
  ...Object.fromEntries(
    ("TooManyAttempts VmBusy OperationUnsettled GuestBusy StorageUnknown StorageBusy BackupFolderBusy " +
      "TooManyRequests LibvirtTimeout").split(" ").map((code) => [code, WAIT]),
  ),
  ...Object.fromEntries(
    ("PlainHttp PasskeyNeedsName StoragePoolReadOnly NoSerialLine SerialElsewhere NoScreen GuestToolsMissing " +
      "GuestOutputLost GuestOutputTooMuch NoIommu StorageNotResponding StoragePoolNotResponding NetworkNotResponding " +
      "ProxyChangesHost ForeignHost LibvirtUnavailable PermissionDenied LibvirtBusy LibvirtNotResponding OvaDamaged ShareMounted DeviceNotReleased")
      .split(" ").map((code) => [code, OUTSIDE]),
  ),
  ...Object.fromEntries(
    ("VmLogMissing GuestSilent JobCancelled ScheduleRunFailed BackupRunFailed ChecksumMismatch ImageChecksumMismatch " +
      "ConnectionLost StoreUnavailable Internal BackupHostKeyChanged").split(" ").map((code) => [code, SAYS]),
  ),
  ...Object.fromEntries(
    ("NotSignedIn TokenInvalid PasswordNeeded SignInExpired NoAccount NotByToken SetupKey ConsoleTicket HostAccount SecondFactorOn " +
      "LastAdministrator RoleInUse").split(" ").map((code) => [code, ACCESS]),
  ),
  BootWouldResume: { by: SAVED, words: "BootWouldResume" },
  ContinueFailed: { by: SAVED, words: "ContinueFailed" },
  NvramLeft: { by: "tests/system/vm_nvram_test.ts", words: "As the text advises" },
  MemoryLeft: {
    by: "tests/system/saved_memory_test.ts",
    words: "memory that an earlier VM of a name has left",
  },
  VmNotResponding: { by: "tests/testbed/hang_run.ts", words: "force_stop_vm of a VM that hangs" },
  DiskIsBase: { by: "tests/system/pairs_images_test.ts", words: "then it starts" },
  VmIdInBin: { by: "tests/system/coverage_test.ts", words: "VmIdInBin" },
  HostDeviceChanged: { by: "tests/system/pairs_devices_test.ts", words: "HostDeviceChanged" },
  UploadOfOther: { by: "tests/system/pairs_upload_test.ts", words: "UploadOfOther" },
  MediaLocked: { by: "tests/system/vm_disks_test.ts", words: "MediaLocked" },
  NetworkNotActive: { by: "tests/system/networks_test.ts", words: "Start it first." },
  NetworkInUse: { by: "tests/system/networks_test.ts", words: "delete_network(), forced, takes it away" },
  AddressLeased: { by: "tests/system/networks_test.ts", words: "allowLeased: true" },
  BinEntryInUse: { by: "tests/system/storage_users_test.ts", words: 'call(server, "restore_bin_entry"' },
  BinNameTaken: { by: "tests/system/bin_test.ts", words: "BinNameTaken" },
  TemplateInUse: { by: "tests/system/templates_test.ts", words: "TemplateInUse" },
  TooManyUploads: { by: "tests/system/volume_content_test.ts", words: "delete_upload" },
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
      await using pool = await testPool("remedy-pool");
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
    words: "api.deleteTemplate({ templateId })",
  },
  BinNotEmpty: {
    here: async (server) => {
      await using pool = await testPool("remedy-bin");
      await knownPool(server, pool.name);
      await call(server, "create_volume", { pool: pool.name, name: "a.qcow2", capacityBytes: 2 ** 20 });
      const { bin } = await call(server, "delete_volume", { pool: pool.name, volume: "a.qcow2" });
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
        const folder = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-share-" });
        try {
          const attach = () => call(server, "attach_share", { vmId, folder, tag: "remedy" });
          await refused(attach(), "ShareWhileSaved");
          await call(server, "discard_saved_memory", { vmId });
          await attach();
        } finally {
          await Deno.remove(folder);
        }
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
  ShareHinders: { not: "needs a guest with virtiofs: vm_shares_test has the refusal, not the two ways on" },
  ShareNeedsRestart: { by: "tests/system/vm_shares_test.ts", words: "has it from its next start on" },
  NoFreeSlot: { not: "vm_disks_test fills the slots; the disk for the next start is what it adds before" },
  HostDeviceInUse: { not: "needs a device of the host that two VMs may have" },
  HostDeviceUsedByHost: { not: "needs a device that the host uses and may lose" },
  BackupRunning: { not: "a run that lasts; cancelling tasks is tried by jobs_test" },
  ScheduleOwnerLost: { not: "needs an account that was removed; scheduler_test has the refusal" },
  BackupOwnerLost: { not: "needs an account that was removed; as with schedules" },
  BackupInUse: { by: "tests/system/schedules_test.ts", words: "BackupInUse" },
  BackupTargetInUse: { not: "needs a target on another server; deleting a backup is tried by backups_test" },
  BackupDamaged: {
    not: "needs several copies, one of them damaged; backups_test verifies and restores whole ones",
  },
  TooManyTemplates: {
    not: "making so many templates takes too long; deleting one is tried by templates_test",
  },
  TooManySchedules: { by: "tests/system/schedules_test.ts", words: "TooManySchedules" },
  TooManyBackups: { not: "as with schedules: the same bound" },
  TooManyBackupTargets: { not: "as with schedules: the same bound" },
  TooManyAlerts: { not: "as with schedules: the same bound" },
  DownloadTargetRefused: { by: "tests/system/images_test.ts", words: "DownloadTargetRefused" },
};

/** Whether a text says more than what is so. */
const advises = (text: string) =>
  /[.] [A-Z]/.test(text) || /\b(?:first|instead)\b/i.test(text) ||
  /: (?:change|eject|delete|repair|try) /.test(text);

/** Advice in reasons and notes, by words that are in the source that says it. */
const OF_REASONS: readonly { readonly file: string; readonly text: string; readonly entry: Entry }[] = [
  {
    file: "lib/vm/snapshots.ts",
    text: "it is suspended. Start it, or discard its saved memory, first",
    entry: {
      here: (server) =>
        suspended(server, async (vmId) => {
          const take = () => call(server, "create_snapshot", { vmId, name: "s" });
          await refused(
            take(),
            "SnapshotNotPossible",
            /is suspended\. Start it, or discard its saved memory, first/,
          );
          await call(server, "discard_saved_memory", { vmId });
          await call(server, "create_snapshot", { vmId, name: "off" });
          await call(server, "start_vm", { vmId });
          await call(server, "suspend_vm", { vmId });
          await refused(take(), "SnapshotNotPossible");
          await call(server, "start_vm", { vmId });
          await take();
          await call(server, "force_stop_vm", { vmId });
        }),
    },
  },
  {
    file: "agent/vm/lifecycle/rename.ts",
    text: "resume it and shut it down, or discard its saved memory",
    entry: {
      here: (server) =>
        suspended(server, async (vmId, { name }) => {
          await using other = await claimedVm("remedy-off");
          const rename = () => call(server, "rename_vm", { vmId, name: other.name });
          await refused(
            rename(),
            "VmMustBeOff",
            /: resume it and shut it down, or discard its saved memory$/,
          );
          await call(server, "start_vm", { vmId });
          await call(server, "force_stop_vm", { vmId });
          await rename();
          await call(server, "rename_vm", { vmId, name });
          await call(server, "start_vm", { vmId });
          await call(server, "suspend_vm", { vmId });
          await refused(rename(), "VmMustBeOff");
          await call(server, "discard_saved_memory", { vmId });
          await rename();
          await call(server, "rename_vm", { vmId, name });
        }),
    },
  },
  {
    file: "agent/vm/disk_bitmaps.ts",
    text: "qemu-img bitmap --remove",
    entry: { by: "tests/system/foreign_bitmaps_test.ts", words: `"--remove", disk, "leftover"` },
  },
  {
    file: "agent/vm/disk_bitmaps.ts",
    text: "Delete that with that program",
    entry: { by: "tests/system/foreign_bitmaps_test.ts", words: "deleted as advised, all goes on" },
  },
  {
    file: "agent/vm/cloud_init/handlers.ts",
    text: "Start it, or discard its saved memory, first.",
    entry: {
      not: "needs a VM with a cloud-init CD that is suspended; both ways are tried with snapshots above",
    },
  },
];

/** Notes on VMs that need a person (`attention`), by their beginnings. */
const OF_NOTES: Readonly<Record<string, Entry>> = {
  "libvirt is starting it, and does not answer for it": OUTSIDE,
  "It still runs as process": OUTSIDE,
  "A disk of it is on": OUTSIDE,
  "It crashed. Look at its log": {
    here: (server) =>
      stopped(server, async (vmId, { name }) => {
        await call(server, "start_vm", { vmId });
        Deno.kill((await qemuPid(name))!, "SIGKILL");
        await shows(server, vmId, ({ state, attention }) =>
          state === "crashed" && /crashed/.test(attention.join()));
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "It was paused by an I/O error": { not: "needs a disk that is full; resuming is tried by vm_power_test" },
  "libvirt paused it while it wrote its memory": {
    by: "tests/system/snapshot_kills_test.ts",
    words: "another program's snapshot",
  },
  "Its watchdog paused it": SAYS,
  "libvirt starts it with the host (autostart)": SAYS,
  "The medium of its drive": { by: "tests/system/vm_disks_test.ts", words: "eject_media" },
  "The image of its disk": {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        const { target } = await call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 } });
        const { disks } = await call(server, "get_vm", { vmId });
        await Deno.remove(disks.find((disk) => disk.target === target)!.source!);
        await assert.rejects(call(server, "start_vm", { vmId }));
        await call(server, "detach_disk", { vmId, target });
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "Its screen has no password until": { by: "tests/system/screen_passwords_test.ts", words: "until-restart" },
};

/** The beginnings of the notes that the view of a VM has in its source. */
async function notes(): Promise<string[]> {
  const source = await Deno.readTextFile(new URL("agent/hosts/inventory/view.ts", ROOT));
  const from = source.indexOf("const held ="),
    to = source.indexOf("/** Whether a screen can be used without");
  return [...source.slice(from, to).matchAll(/(?:push\(|\? |: |=>)\s*[`"]([A-Zl][^`"$]{12,})/g)].map((
    [, text],
  ) => text!);
}

Deno.test("every text that advises something says here how that is tried", async () => {
  const advising = Object.entries(ERRORS).filter(([, { text }]) => advises(text)).map(([code]) => code);
  assert.deepEqual(advising.filter((code) => !Object.hasOwn(OF_ERRORS, code)), [], "advice without an entry");
  assert.deepEqual(Object.keys(OF_ERRORS).filter((code) => !Object.hasOwn(ERRORS, code)), [], "no error");
  const found = await notes();
  assert.ok(found.length >= 8, found.join("\n"));
  const unknown = found.filter((text) => !Object.keys(OF_NOTES).some((start) => text.startsWith(start)));
  assert.deepEqual(unknown, [], "a note without an entry");
  for (const start of Object.keys(OF_NOTES)) assert.ok(found.some((text) => text.startsWith(start)), start);
  for (const { file, text } of OF_REASONS) {
    assert.ok((await Deno.readTextFile(new URL(file, ROOT))).includes(text), `${file} does not say: ${text}`);
  }
  const all = [
    ...Object.values(OF_ERRORS),
    ...Object.values(OF_NOTES),
    ...OF_REASONS.map(({ entry }) => entry),
  ];
  for (const entry of all) {
    if (!("by" in entry)) continue;
    assert.ok(
      (await Deno.readTextFile(new URL(entry.by, ROOT))).includes(entry.words),
      `${entry.by}: ${entry.words}`,
    );
  }
});

Deno.test({
  name: "what is advised can be done, and helps",
  ignore,
  fn: async (t) => {
    await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
    const entries = [
      ...Object.entries(OF_ERRORS),
      ...Object.entries(OF_NOTES),
      ...OF_REASONS.map(({ text, entry }) => [text, entry] as const),
    ];
    for (const [what, entry] of entries) {
      if ("here" in entry) await t.step(what, () => entry.here(server));
    }
  },
});
