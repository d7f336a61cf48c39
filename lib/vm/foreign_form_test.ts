import assert from "node:assert/strict";
import { askedHref, askedInAddress, askedInForm, importForeignInput } from "./foreign_form.ts";

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

Deno.test("askedInForm() reads where a VM comes from, and its address says the same", async () => {
  const asked = await askedInForm(formOf({
    kind: "hyperv",
    origin: "/srv/a b&c",
    vm: "",
    generation: "2",
    osType: "windows",
    moreDisks: "data.vhdx\r\n\r\n logs.vhdx ",
  }));
  assert.deepEqual(asked, {
    kind: "hyperv",
    origin: "/srv/a b&c",
    generation: 2,
    osType: "windows",
    moreDisks: ["data.vhdx", "logs.vhdx"],
  });
  assert.deepEqual(askedInAddress(new URL(askedHref(asked!), "http://x").searchParams), asked);
  assert.equal(await askedInForm(formOf({ kind: "xen", origin: "/a" })), undefined);
  assert.equal(await askedInForm(formOf({ kind: "vmx", origin: "" })), undefined);
});

Deno.test("askedInForm() takes a file that was chosen for the definition, else the text", async () => {
  const form = formOf({ kind: "vmx", origin: "/a", definition: "old" });
  form.set("definitionFile", new File([], ""));
  assert.equal((await askedInForm(form))!.definition, "old");
  form.set("definitionFile", new File(["new"], "web.vmx"));
  assert.equal((await askedInForm(form))!.definition, "new");
  // An address holds none: it would be in logs, and too long.
  assert.deepEqual(askedInAddress(new URLSearchParams({ kind: "vmx", origin: "/a", definition: "x" })), {
    kind: "vmx",
    origin: "/a",
  });
});

Deno.test("importForeignInput() reads hardware, disks and network interfaces", () => {
  const asked = { kind: "vmx", origin: "/a" } as const;
  const form = formOf({
    name: "web",
    targetPool: "fast",
    diskFormat: "raw",
    cpuCount: "2",
    memoryMb: "512",
    firmware: "uefi",
    tpm: "no",
    disk0: "sata",
    disk1: "none",
    nic0: "network:default",
    model0: "e1000e",
    nic1: "bridge:br0",
    nic2: "none",
    model2: "virtio",
    keepMacs: "yes",
    verify: "yes",
  });
  assert.deepEqual(importForeignInput(form, asked), {
    ...asked,
    name: "web",
    targetPool: "fast",
    diskFormat: "raw",
    cpuCount: 2,
    memoryMb: 512,
    firmware: "uefi",
    tpm: false,
    disks: [{ bus: "sata" }, { leaveOut: true }],
    nics: [{ network: "default", model: "e1000e" }, { bridge: "br0" }, { leaveOut: true }],
    keepMacs: true,
    verify: true,
  });
  assert.deepEqual(importForeignInput(new FormData(), asked), { ...asked, keepMacs: false });
});
