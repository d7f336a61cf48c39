import assert from "node:assert/strict";
import { LibvirtError } from "../../../ffi/error.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { setLogLevel } from "../../log.ts";
import { removeLost } from "./revert.ts";
import { localMachine } from "../../machine/machine.ts";

const HERE = localMachine("qemu:///system");

Deno.test("removeLost() leaves an image to the settlement of the operation when libvirt goes away, and to it alone", async () => {
  setLogLevel("error");
  const failing = (kind: LibvirtError["kind"]) => {
    const call = () => Promise.reject(new LibvirtError({ kind, message: kind }));
    return { link: { machine: HERE, call }, machine: HERE } as unknown as LibvirtHost;
  };
  for (const kind of ["lost", "unavailable", "timeout"] as const) {
    await assert.rejects(removeLost(failing(kind), "/image"), { message: kind });
  }
  await removeLost(failing("libvirt"), "/image");
});
