import assert from "node:assert/strict";
import {
  diskFile,
  fileOfFolderPath,
  folderPath,
  relayUri,
  type VmwarePlace,
  vmwarePlace,
} from "./vmware_place.ts";

Deno.test("vmwarePlace() reads servers with ports and paths, and refuses what is none", () => {
  assert.deepEqual(vmwarePlace("esxi", "esxi1.example.com"), {
    host: "esxi1.example.com",
    port: 443,
    path: "",
  });
  assert.deepEqual(vmwarePlace("esxi", "https://[fd00::2]:8443/"), { host: "fd00::2", port: 8443, path: "" });
  assert.deepEqual(vmwarePlace("vcenter", "vc/Berlin/A cluster/esxi1"), {
    host: "vc",
    port: 443,
    path: "Berlin/A cluster/esxi1",
  });
  const none: readonly (readonly ["esxi" | "vcenter", string])[] = [
    ["esxi", ""],
    ["esxi", "esxi1/x"],
    ["esxi", "esxi1:0"],
    ["esxi", "esxi1:70000"],
    ["esxi", "root@esxi1"],
    ["vcenter", "vc"],
    ["vcenter", "vc/Berlin"],
    ["vcenter", "vc/Berlin/../esxi1"],
    ["vcenter", "vc/Berlin//esxi1"],
  ];
  for (const [kind, text] of none) assert.equal(typeof vmwarePlace(kind, text), "string", text);
});

Deno.test("relayUri() leads to loopback, with the path encoded", () => {
  const vcenter = vmwarePlace("vcenter", "vc/Berlin/A cluster/e?1") as VmwarePlace;
  assert.equal(relayUri(vcenter, 4000), "vpx://127.0.0.1:4000/Berlin/A%20cluster/e%3F1?transport=http");
  assert.equal(
    relayUri(vmwarePlace("esxi", "e") as VmwarePlace, 4000),
    "esx://127.0.0.1:4000/?transport=http",
  );
});

Deno.test("folderPath() and fileOfFolderPath() are each other's opposite", () => {
  const file = { datacenter: "A/B & c", datastore: "store #1", path: "web & co/ü?.vmx" };
  assert.deepEqual(fileOfFolderPath(folderPath(file)), file);
  assert.equal(fileOfFolderPath("/sdk"), undefined);
  assert.equal(fileOfFolderPath("/folder/%ff?dcPath=a&dsName=b"), undefined);
});

Deno.test("diskFile() follows a path where libvirt knows it, and none that leads upwards", () => {
  const vmx = { datacenter: "d", datastore: "one", path: "web/web.vmx" };
  const sources = ["[one] web/web.vmdk", "[two] other/data.vmdk"];
  assert.deepEqual(diskFile(vmx, "web.vmdk", sources), { ...vmx, path: "web/web.vmdk" });
  assert.deepEqual(diskFile(vmx, "/vmfs/volumes/5f0a-1/other/data.vmdk", sources), {
    ...vmx,
    datastore: "two",
    path: "other/data.vmdk",
  });
  assert.equal(diskFile(vmx, "/vmfs/volumes/5f0a-1/unknown/data.vmdk", sources), undefined);
  assert.equal(diskFile(vmx, "/etc/passwd", sources), undefined);
  assert.equal(diskFile(vmx, "../x.vmdk", sources), undefined);
});
