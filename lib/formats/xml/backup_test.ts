import assert from "node:assert/strict";
import { backupFiles, backupXml, checkpointXml, encryptedDisks, transientDisks } from "./backup.ts";
import { parseXml } from "./tree.ts";

Deno.test("backupXml() names the disks that are copied, and leaves the others out", () => {
  const xml = backupXml([{ target: "vda", file: "/a & b/<vda>.qcow2" }, { target: "vdb", file: undefined }]);
  const disks = parseXml(xml).children[0]!.children;
  assert.deepEqual(disks.map(({ attributes: { name, backup } }) => [name, backup]), [["vda", "yes"], [
    "vdb",
    "no",
  ]]);
  assert.deepEqual(backupFiles(xml), ["/a & b/<vda>.qcow2"]);
});

Deno.test("backupXml() copies what changed since a checkpoint where it may; checkpointXml() notes those disks", () => {
  const xml = backupXml([
    { target: "vda", file: "/a", isIncremental: true },
    { target: "vdb", file: "/b" },
  ], "c <1>");
  const [since, disks] = parseXml(xml).children;
  assert.equal(since!.text, "c <1>");
  assert.deepEqual(
    disks!.children.map((disk) => [disk.attributes.backupmode, disk.children[0]!.attributes.type]),
    [["incremental", "qcow2"], ["full", "qcow2"]],
  );
  const noted = parseXml(checkpointXml("c <1>", [{ target: "vda", isNoted: true }, {
    target: "vdb",
    isNoted: false,
  }]));
  assert.equal(noted.children[0]!.text, "c <1>");
  assert.deepEqual(noted.children.at(-1)!.children.map(({ attributes }) => attributes.checkpoint), [
    "bitmap",
    "no",
  ]);
});

Deno.test("backupXml() copies into files and devices that are there, in their formats; backupFiles() names both", () => {
  const xml = backupXml([
    { target: "vda", file: "/a", format: "qcow2" },
    { target: "vdb", file: "/dev/vg/b", format: "raw", isDevice: true },
  ]);
  const disks = parseXml(xml).children[0]!.children;
  assert.deepEqual(
    disks.map(({ attributes, children: [driver, target] }) => [
      attributes.type,
      driver!.attributes.type,
      Object.entries(target!.attributes).flat(),
    ]),
    [["file", "qcow2", ["file", "/a"]], ["block", "raw", ["dev", "/dev/vg/b"]]],
  );
  assert.deepEqual(backupFiles(xml), ["/a", "/dev/vg/b"]);
});

Deno.test("transientDisks() finds disks whose changes are dropped", () => {
  const disk = (target: string, inner: string) => `<disk>${inner}<target dev='${target}'/></disk>`;
  const domain = `<domain><devices>${disk("vda", "")}${disk("vdb", "<transient/>")}</devices></domain>`;
  assert.deepEqual(transientDisks(domain), ["vdb"]);
});

Deno.test("encryptedDisks() finds encryption of the disk and of its source", () => {
  const disk = (target: string, inner: string, source = "") =>
    `<disk><source file='/x'>${source}</source><target dev='${target}'/>${inner}</disk>`;
  const domain = `<domain><devices>${disk("vda", "")}${disk("vdb", "<encryption format='luks'/>")}${
    disk("vdc", "", "<encryption format='luks'/>")
  }</devices></domain>`;
  assert.deepEqual(encryptedDisks(domain), ["vdb", "vdc"]);
});
