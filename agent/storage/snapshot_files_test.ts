import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { snapshotFiles } from "./snapshot_files.ts";
import type { LinkCaller } from "./volumes.ts";
import { localMachine } from "../machine/machine.ts";

Deno.test("snapshotFiles() waits for a snapshot that is being made, and says which ones the VM had before", async () => {
  const xml = "<domainsnapshot><name>s</name><state>shutoff</state><disks/></domainsnapshot>";
  const asked: unknown[] = [];
  let refusals = 1;
  const link = {
    uri: "qemu:///system",
    machine: localMachine("qemu:///system"),
    call: (name: string, input: { known?: readonly string[] }) => {
      if (name === "domainsWithSnapshots") return Promise.resolve(["vm"]);
      asked.push(input.known);
      const refusal = new LibvirtError({
        kind: "libvirt",
        code: VIR_ERR.INVALID_ARG,
        message: "name must not be NULL",
      });
      return refusals-- > 0 ? Promise.reject(refusal) : Promise.resolve([{ xml, isCurrent: true }]);
    },
  } as unknown as LinkCaller;
  for (let times = 0; times < 2; times++) assert.deepEqual([...(await snapshotFiles(link)).keys()], ["vm"]);
  assert.deepEqual(asked, [[], [], ["s"]]);
});
