import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { savedDevices, withSaved } from "./saved_devices.ts";

const xmlOf = (disks: string[], mac = "52:54:00:00:00:01") =>
  `<domain type='qemu'><name>web</name><memory>1</memory><devices>${
    disks.map((path, at) =>
      `<disk type='file' device='disk'><source file='${path}'/><target dev='vd${"ab"[at]}'/></disk>`
    ).join("")
  }<interface type='network'><mac address='${mac}'/><source network='default'/></interface></devices></domain>`;

/** A host with one VM that is defined with one disk. @param saved answers what its memory was saved with */
function hostOf(saved: () => string, { isOn = false, managedSave = true } = {}) {
  const summary = summarizeDomain(xmlOf(["/a"])), calls: string[] = [];
  const record = { uuid: "id", name: "web", managedSave, summary };
  const call = (name: string) => {
    calls.push(name);
    return new Promise<string>((resolve) => resolve(saved()));
  };
  const inventory = { record: () => record, active: () => isOn ? ["id"] : [] };
  const vm = { id: "id", name: "web", disks: summary.disks, networkInterfaces: [] } as unknown as VM;
  return { host: { link: { call }, inventory } as unknown as LibvirtHost, vm, calls };
}

Deno.test("withSaved() has a VM twice whose memory was saved with other devices, and asks once", async () => {
  const { host, vm, calls } = hostOf(() => xmlOf(["/a", "/b"]));
  for (const _time of [1, 2]) {
    const [defined, saved, ...more] = await withSaved(host, [vm]);
    assert.deepEqual([defined, more], [vm, []]);
    assert.deepEqual(saved!.disks.map(({ source }) => source), ["/a", "/b"]);
    assert.deepEqual(saved!.networkInterfaces.map(({ mac }) => mac), ["52:54:00:00:00:01"]);
  }
  assert.deepEqual(calls, ["domainSavedXml"]);
  const other = hostOf(() => xmlOf(["/a"], "52:54:00:00:00:02"));
  assert.equal((await withSaved(other.host, [other.vm])).length, 2);
});

Deno.test("withSaved() has a VM once whose memory was saved as it is defined, or that has none", async () => {
  const same = hostOf(() => xmlOf(["/a"]));
  assert.deepEqual(await withSaved(same.host, [same.vm]), [same.vm]);
  for (const without of [{ managedSave: false }, { isOn: true }]) {
    const { host, vm, calls } = hostOf(() => xmlOf(["/b"]), without);
    assert.deepEqual([await withSaved(host, [vm]), calls], [[vm], []]);
  }
});

Deno.test("withSaved() leaves damaged memory out, and what does not respond, which it tells", async () => {
  const fails = (kind: "libvirt" | "timeout") =>
    hostOf(() => {
      throw new LibvirtError({ kind, message: "no" });
    });
  const damaged = fails("libvirt"), hung = fails("timeout");
  assert.deepEqual(await withSaved(damaged.host, [damaged.vm]), [damaged.vm]);
  const unread: string[] = [];
  for (const _time of [1, 2]) {
    assert.deepEqual(await withSaved(hung.host, [hung.vm], ({ id }) => unread.push(id)), [hung.vm]);
  }
  assert.deepEqual(unread, [hung.vm.id, hung.vm.id]);
  assert.equal(hung.calls.length, 2, "it is asked again");
  await assert.rejects(savedDevices(hung.host, hung.vm), { kind: "timeout" }, "who deletes is told");
});
