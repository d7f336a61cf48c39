import assert from "node:assert/strict";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { localPrincipal } from "../../testing.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { giveViewerFile } from "../viewer_file.ts";
import { vncConsole } from "./console.ts";
import { vncTarget } from "./target.ts";
import { localMachine } from "../../machine/machine.ts";

const VM_ID = "5c5d3b0e-0000-4000-8000-000000000001";
const domain = (graphics: string) =>
  `<domain type='kvm'><name>a</name><devices>${graphics}</devices></domain>`;
/** Definitions of screens on hostile and ordinary hosts. */
const SCREENS = {
  everywhere: "<graphics type='vnc' port='5900' listen='0.0.0.0' passwd='theirs'/>",
  "everywhere by IPv6": "<graphics type='vnc' port='5900' listen='::' passwd='theirs'/>",
  nowhere: "<graphics type='vnc' port='5900'/>",
  loopback: "<graphics type='vnc' port='5900' listen='127.0.0.1'/>",
  "an address": "<graphics type='vnc' port='5900' listen='192.0.2.7'/>",
  socket: "<graphics type='vnc' socket='/run/docker.sock'><listen type='socket'/></graphics>",
};

const hostWith = (graphics: string, isHere: boolean) =>
  ({
    id: "lab",
    machine: isHere ? localMachine("qemu:///system") : null,
    link: { call: () => Promise.resolve(domain(graphics)) },
    inventory: { active: () => [VM_ID] },
    requireVm: () => ({ id: VM_ID, name: "a" }),
  }) as unknown as LibvirtHost;
const vm = { id: VM_ID, name: "a" } as VM;
const isElsewhere = (error: unknown) => error instanceof ContractError && error.code === "ScreenElsewhere";

for (const [where, graphics] of Object.entries(SCREENS)) {
  Deno.test(`a screen of another machine's VM that listens on ${where} is refused by each way to it`, async () => {
    const host = hostWith(graphics, false);
    await assert.rejects(vncTarget(host, vm), isElsewhere);
    await assert.rejects(vncConsole.check(host, vm, undefined), isElsewhere);
    const peer = { gone: new AbortController().signal };
    const call = { host, vm, grant: { viewOnly: false }, peer } as Parameters<typeof vncConsole.serve>[0];
    assert.match((await vncConsole.serve(call)).reason, /on host lab/);
    if (where !== "socket") {
      await assert.rejects(giveViewerFile(host, VM_ID, localPrincipal("api")), isElsewhere);
    }
  });
}

Deno.test("a screen of this machine that listens everywhere is reached on loopback", async () => {
  assert.equal((await vncTarget(hostWith(SCREENS.everywhere, true), vm)).host, "127.0.0.1");
  assert.equal((await vncTarget(hostWith(SCREENS["an address"], true), vm)).host, "192.0.2.7");
  assert.match(
    (await giveViewerFile(hostWith(SCREENS.nowhere, true), VM_ID, localPrincipal("api"))).content,
    /127\.0\.0\.1/,
  );
});
