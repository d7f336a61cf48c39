import assert from "node:assert/strict";
import { DEVICE_ACTIONS, type DeviceAction, isDeviceAction, performDevice } from "./device_forms.ts";
import { DEVICE_DONE, fieldOf } from "./device_outcome.ts";

/** What a form asks the server for. */
async function asked(action: DeviceAction, fields: Record<string, string>): Promise<unknown> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const calls: unknown[] = [];
  const api = new Proxy({}, {
    get: (_target, method) => (input: unknown) => {
      calls.push([method, input]);
      return Promise.resolve({ live: true, persistent: true });
    },
  }) as Parameters<typeof performDevice>[0];
  await performDevice(api, action, "u-1", form);
  return calls[0];
}

const NEW = {
  what: "create",
  sizeGb: "20",
  pool: "default",
  format: "qcow2",
  image: "p/v",
  medium: "p/m.iso",
};

Deno.test("performDevice() makes a new disk of the fields about new disks alone", async () => {
  assert.deepEqual(
    await asked("attach_disk", {
      ...NEW,
      bus: "scsi",
      cache: "default",
      serial: "",
      discard: "unmap",
      where: "next",
    }),
    ["attachDisk", {
      vmId: "u-1",
      create: { sizeGb: 20, pool: "default", format: "qcow2" },
      bus: "scsi",
      cache: "default",
      discard: "unmap",
      live: false,
    }],
  );
});

Deno.test("performDevice() takes an image by its pool, a path before that, and a drive with or without medium", async () => {
  const image = { ...NEW, what: "existing" };
  assert.deepEqual(await asked("attach_disk", image), [
    "attachDisk",
    { vmId: "u-1", path: "p/v" },
  ]);
  assert.deepEqual(
    await asked("attach_disk", {
      ...image,
      imagePath: "/a.raw",
      imageFormat: "raw",
      readOnly: "yes",
      where: "live",
    }),
    ["attachDisk", { vmId: "u-1", path: "/a.raw", format: "raw", readOnly: true, persistent: false }],
  );
  assert.deepEqual(await asked("attach_disk", { what: "cdrom", medium: "", bus: "sata", cache: "none" }), [
    "attachDisk",
    { vmId: "u-1", device: "cdrom", bus: "sata" },
  ]);
});

Deno.test("performDevice() passes on what is no number for the server to name", async () => {
  assert.deepEqual(await asked("resize_disk", { device: "vda", sizeGb: "much" }), [
    "resizeDisk",
    { vmId: "u-1", target: "vda", sizeGb: "much" },
  ]);
  assert.deepEqual(await asked("resize_disk", { device: "vda", sizeGb: "" }), [
    "resizeDisk",
    { vmId: "u-1", target: "vda", sizeGb: 0 },
  ]);
});

Deno.test("performDevice() moves a disk, in the format it has where none is chosen", async () => {
  const fields = { device: "vda", pool: " fast ", format: "" };
  const input = { vmId: "u-1", target: "vda", pool: " fast " };
  assert.deepEqual(await asked("move_disk", fields), ["moveDisk", { ...input, keepSource: false }]);
  assert.deepEqual(await asked("move_disk", { ...fields, format: "raw", keepSource: "yes" }), [
    "moveDisk",
    { ...input, format: "raw", keepSource: true },
  ]);
});

Deno.test("performDevice() unticks what is not ticked, and leaves a drive's fixed properties alone", async () => {
  assert.deepEqual(await asked("update_disk", { device: "vda", cache: "none", bootOrder: "0", serial: "" }), [
    "updateDisk",
    {
      vmId: "u-1",
      target: "vda",
      cache: "none",
      bootOrder: 0,
      serial: "",
      readOnly: false,
      shareable: false,
    },
  ]);
  assert.deepEqual(await asked("update_disk", { device: "sda", drive: "yes", cache: "none" }), [
    "updateDisk",
    { vmId: "u-1", target: "sda", cache: "none" },
  ]);
});

Deno.test("performDevice() changes limits alone where the form is about them alone", async () => {
  const fields = {
    device: "vda",
    readBytesSec: "5",
    readBytesSecWas: "",
    writeIopsSec: "7",
    writeIopsSecWas: "7",
  };
  assert.deepEqual(await asked("update_disk", fields), [
    "updateDisk",
    { vmId: "u-1", target: "vda", readBytesSec: 5 * 2 ** 20 },
  ]);
  assert.deepEqual(
    await asked("update_nic", { device: "52:54:00:00:00:01", inboundAverage: "", inboundAverageWas: "8" }),
    ["updateNic", { vmId: "u-1", mac: "52:54:00:00:00:01", inboundAverage: 0 }],
  );
});

Deno.test("performDevice() changes of a card only what is not as it was", async () => {
  const was = {
    device: "52:54:00:00:00:01",
    source: "network:a",
    sourceWas: "network:a",
    model: "virtio",
    modelWas: "virtio",
    newMac: "52:54:00:00:00:01",
    newMacWas: "52:54:00:00:00:01",
    filter: "f",
    filterWas: "f",
  };
  const base = { vmId: "u-1", mac: "52:54:00:00:00:01" };
  assert.deepEqual(await asked("update_nic", was), ["updateNic", base]);
  assert.deepEqual(
    await asked("update_nic", { ...was, source: "bridge:br:0", filter: "", model: "e1000e" }),
    ["updateNic", { ...base, bridge: "br:0", filter: "", model: "e1000e" }],
  );
  assert.deepEqual(await asked("update_nic", { device: base.mac, linkUp: "false" }), [
    "updateNic",
    { ...base, linkUp: false },
  ]);
});

Deno.test("performDevice() makes the one tick a filter, and its going none", async () => {
  const was = { device: "52:54:00:00:00:01", filterWas: "", filterAddressesWas: "" };
  const base = { vmId: "u-1", mac: "52:54:00:00:00:01" };
  assert.deepEqual(
    await asked("update_nic", {
      ...was,
      antiSpoofing: "yes",
      filter: "",
      filterAddresses: "10.0.0.1, fd00::1",
    }),
    ["updateNic", { ...base, filter: "clean-traffic", filterAddresses: ["10.0.0.1", "fd00::1"] }],
  );
  assert.deepEqual(
    await asked("update_nic", { ...was, filterWas: "clean-traffic", filter: "" }),
    ["updateNic", { ...base, filter: "" }],
  );
  assert.deepEqual(
    await asked("update_nic", { ...was, filterWas: "clean-traffic", antiSpoofing: "yes", filter: "" }),
    ["updateNic", base],
  );
});

Deno.test("performDevice() plugs a new card in", async () => {
  assert.deepEqual(
    await asked("attach_nic", {
      source: "direct:eno1",
      model: "virtio",
      newMac: "",
      filter: "",
      plugged: "yes",
    }),
    ["attachNic", { vmId: "u-1", direct: "eno1", model: "virtio", linkUp: true }],
  );
});

Deno.test("DEVICE_ACTIONS are words of ours alone, and each says that it was done", () => {
  for (const name of Object.keys(DEVICE_ACTIONS)) assert.ok(isDeviceAction(name) && DEVICE_DONE[name], name);
  for (const name of ["constructor", "delete_vm", "", null]) assert.equal(isDeviceAction(name), false);
});

Deno.test("fieldOf() names the field of this form that an error is about", () => {
  const form = new FormData();
  form.set("medium", "");
  assert.equal(fieldOf("DiskRefused", form), "medium");
  assert.equal(fieldOf("NotLarger", form), undefined);
  assert.equal(fieldOf("constructor", form), undefined);
  assert.equal(fieldOf("InvalidInput", form, "medium"), "medium");
  assert.equal(fieldOf("DiskRefused", form, "path"), "medium");
  assert.equal(fieldOf("InvalidInput", form, "readBytesSec"), undefined);
});
