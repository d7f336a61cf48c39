import assert from "node:assert/strict";
import { localMachine } from "./machine.ts";

for (
  const [uri, isOurs, isSystem] of [
    ["qemu:///system", true, true],
    ["qemu:///system?", true, true],
    ["qemu:///session", true, false],
    ["qemu:///embed?root=/tmp/x", true, false],
    ["qemu+unix:///system?socket=/run/x", true, false],
    ["lxc:///system", true, false],
    ["qemu+unix:///system?socket=/run/x#elsewhere", false, false],
    ["qemu:///system#elsewhere", false, false],
    ["qemu+ssh://lab/system", false, false],
    ["qemu+tls://lab/system?socket=/run/x", false, false],
    ["test:///default", false, false],
  ] as const
) {
  const what = isOurs ? isSystem ? "this machine's system" : "of this machine" : "of another, or of none";
  Deno.test(`the libvirt at ${uri} is ${what}`, () => {
    const machine = localMachine(uri);
    assert.deepEqual([machine !== null, machine?.isSystem ?? false], [isOurs, isSystem]);
  });
}

Deno.test("when a VM was started is found by the system's libvirt alone: others have no such file", async () => {
  assert.equal(await localMachine("qemu:///session")!.startedAt("web"), undefined);
});

Deno.test("a server that listens everywhere, or says nothing, is reached on loopback", () => {
  const machine = localMachine("qemu:///session")!;
  for (const listen of [undefined, "", "0.0.0.0", "::"]) assert.equal(machine.addressOf(listen), "127.0.0.1");
  assert.equal(machine.addressOf("192.0.2.7"), "192.0.2.7");
});
