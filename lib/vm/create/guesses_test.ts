import assert from "node:assert/strict";
import { freeVmName, guessSystem } from "./guesses.ts";

const SYSTEMS = [
  "debian11",
  "debian12",
  "ubuntu22.04",
  "ubuntu24.04",
  "fedora40",
  "win10",
  "win11",
  "win2k22",
  "alpinelinux3.19",
  "archlinux",
  "rocky9",
].map((id) => ({ id, name: id }));

Deno.test("guessSystem() reads the names images really have", () => {
  const names: [string, string | undefined][] = [
    ["/iso/debian-12.5.0-amd64-netinst.iso", "debian12"],
    ["/iso/debian-12.11.0-amd64-netinst.iso", "debian12"],
    ["ubuntu-24.04.1-live-server-amd64.iso", "ubuntu24.04"],
    ["Fedora-Server-dvd-x86_64-40-1.14.iso", "fedora40"],
    ["Win11_23H2_English_x64v2.iso", "win11"],
    ["Windows10.iso", "win10"],
    ["alpine-standard-3.19.1-x86_64.iso", "alpinelinux3.19"],
    ["archlinux-2026.11.01-x86_64.iso", "archlinux"],
    ["Rocky-9.4-x86_64-minimal.iso", "rocky9"],
    ["virtio-win-0.1.248.iso", undefined],
    ["debian-testing.iso", undefined],
    ["x86_64-12.iso", undefined],
    ["", undefined],
  ];
  for (const [name, id] of names) assert.equal(guessSystem(name, SYSTEMS), id, name);
});

Deno.test("freeName() makes a valid name that none has", () => {
  assert.equal(freeVmName("debian12", new Set()), "debian12");
  assert.equal(freeVmName("debian12", new Set(["debian12", "debian12-2"])), "debian12-3");
  assert.equal(freeVmName("ubuntu24.04", new Set()), "ubuntu24-04");
  assert.equal(freeVmName("12 <b>", new Set()), "b");
  assert.equal(freeVmName("---", new Set()), "vm");
  assert.match(freeVmName("x".repeat(80), new Set(["x".repeat(56)])), /^x{56}-2$/);
});
