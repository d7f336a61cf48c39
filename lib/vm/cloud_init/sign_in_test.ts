import assert from "node:assert/strict";
import { builtinCatalog } from "../../image/catalog.ts";
import { imageUser, isCloudImageName, nobodySignsIn } from "./sign_in.ts";

Deno.test("nobodySignsIn() knows every way that cloud-config lets somebody in", () => {
  const closed: unknown[] = [
    null,
    { hostname: "web" },
    { users: ["default"] },
    { users: [{ name: "ann", sudo: "ALL=(ALL) NOPASSWD:ALL" }] },
    { users: [{ name: "ann", ssh_authorized_keys: [] }] },
    // cloud-init locks a password unless it is told not to
    { users: [{ name: "ann", hashed_passwd: "$6$x$y" }] },
    { users: [{ name: "ann", passwd: "$6$x$y", lock_passwd: true }] },
    { runcmd: ["apt-get update"] },
    { password: "" },
  ];
  for (const config of closed) assert.equal(nobodySignsIn(config), true, JSON.stringify(config));
  const open: unknown[] = [
    { ssh_authorized_keys: ["ssh-ed25519 AAAA"] },
    { password: "typed" },
    { chpasswd: { users: [{ name: "root", password: "x" }] } },
    { users: [{ name: "ann", ssh_authorized_keys: ["ssh-ed25519 AAAA"] }] },
    { users: [{ name: "ann", ssh_import_id: ["gh:ann"] }] },
    { users: [{ name: "ann", plain_text_passwd: "x", lock_passwd: false }] },
    { user: { name: "ann", ssh_authorized_keys: "ssh-ed25519 AAAA" } },
    { runcmd: [["sh", "-c", "echo root:x | chpasswd"]] },
    { write_files: [{ path: "/root/.ssh/authorized_keys", content: "ssh-ed25519 AAAA" }] },
  ];
  for (const config of open) assert.equal(nobodySignsIn(config), false, JSON.stringify(config));
});

Deno.test("imageUser() is the user whom each image of the catalogue makes", () => {
  for (const { id, osId, user } of builtinCatalog()) {
    if (user !== undefined) assert.equal(imageUser(osId), user, id);
  }
  assert.equal(imageUser(undefined), "cloud-user");
});

Deno.test("isCloudImageName() knows images that set themselves up", () => {
  const cloud = [
    "debian-12-genericcloud-amd64.qcow2",
    "noble-server-cloudimg-amd64.img",
    "pool/debian-12-generic-amd64.qcow2",
  ];
  for (const name of cloud) assert.equal(isCloudImageName(name), true, name);
  for (const name of ["web.qcow2", "/cloud/web.qcow2", "generic.qcow2"]) {
    assert.equal(isCloudImageName(name), false, name);
  }
});
