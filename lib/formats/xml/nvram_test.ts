import assert from "node:assert/strict";
import { nvramHolder } from "./nvram.ts";

const uefi = (nvram: string) =>
  `<domain type='qemu'><name>web</name><uuid>1</uuid><os firmware='efi'>
  <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  <loader readonly='yes' secure='yes' type='pflash'>/o/CODE.fd</loader>${nvram}<cmdline>token=1</cmdline></os>
  <devices><graphics type='vnc' passwd='geheim'/></devices></domain>`;

Deno.test("nvramHolder() has the file and the firmware of the other domain, and nothing else of it", () => {
  for (
    const nvram of [
      "<nvram template='/t'>/nv/a &amp; b.fd</nvram>",
      "<nvram type='file'><source file='/nv/a &amp; b.fd'/></nvram>",
    ]
  ) {
    const text = nvramHolder(uefi(nvram), "u-2")!;
    for (
      const part of [
        "<domain type='qemu'>",
        "<name>nvram-u-2</name>",
        "<uuid>u-2</uuid>",
        "machine='pc-q35-7.2'",
        ">/o/CODE.fd</loader>",
        "<nvram>/nv/a &#38; b.fd</nvram>",
      ]
    ) assert.ok(text.includes(part), `${part} in ${text}`);
    for (const part of ["web", "token", "geheim", "secure"]) assert.ok(!text.includes(part), part);
  }
});

Deno.test("nvramHolder() knows where libvirt puts the file of a domain that names only its firmware", () => {
  const source = `<domain type='qemu'><name>web</name>
    <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os></domain>`;
  const text = nvramHolder(source, "u-2")!;
  assert.match(text, /<os firmware='efi'>/);
  assert.match(text, /<nvram>\/var\/lib\/libvirt\/qemu\/nvram\/web_VARS\.fd<\/nvram>/);
  assert.doesNotMatch(text, /<loader/);
});

Deno.test("nvramHolder() is none for a domain without an NVRAM file", () => {
  assert.equal(nvramHolder(uefi("").replace(" firmware='efi'", ""), "u"), undefined);
  assert.equal(nvramHolder("<domain><name>a</name><os><type>hvm</type></os></domain>", "u"), undefined);
});
