import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/errors.ts";
import { contractError } from "./failure.ts";
import { staleTargetError } from "./stale_target_error.ts";

const VM = "6f1d3f3e-9a53-4c1e-8d6e-0c6a2a3b4c5d";

/** Error that a caller gets when libvirt refuses with a code. @param runs whether the VM runs by then */
async function told(command: CommandName, input: object, code: number, runs = false): Promise<string> {
  const thrown = new LibvirtError({ kind: "libvirt", message: "libvirt's words", code, domain: 10 });
  const error = contractError(thrown, "LibvirtFailed") as ContractError;
  const machines = { refresh: () => Promise.resolve(), active: () => runs ? [VM] : [] };
  return (await staleTargetError(machines, command, input, error)).message;
}

Deno.test("staleTargetError() says that a thing is gone, not what libvirt says of it", async () => {
  const { NO_DOMAIN, NO_NETWORK, NO_STORAGE_POOL, NO_STORAGE_VOL } = VIR_ERR;
  assert.equal(await told("set_tags", { vmId: VM, tags: [] }, NO_DOMAIN), `VM not found: ${VM}`);
  assert.equal(await told("delete_network", { name: "lan" }, NO_NETWORK), "Network not found: lan");
  assert.equal(
    await told("refresh_storage_pool", { pool: "p" }, NO_STORAGE_POOL),
    "Storage pool not found: p",
  );
  assert.equal(
    await told("delete_volume", { pool: "p", volume: "v" }, NO_STORAGE_VOL),
    "Volume not found: v (storage pool p)",
  );
});

Deno.test("staleTargetError() says that a VM was stopped meanwhile, when it was", async () => {
  const stopped = VIR_ERR.OPERATION_INVALID;
  assert.equal(await told("screenshot_vm", { vmId: VM }, stopped), "VM is not running");
  assert.equal(await told("screenshot_vm", { vmId: VM }, stopped, true), "Libvirt failed: libvirt's words");
});

Deno.test("staleTargetError() leaves every other error as it is", async () => {
  const words = "Libvirt failed: libvirt's words";
  assert.equal(await told("get_vms", {}, VIR_ERR.NO_DOMAIN), words, "it is about no machine");
  assert.equal(await told("create_vm", { name: "a" }, VIR_ERR.NO_NETWORK), words);
  assert.equal(await told("set_tags", { vmId: VM }, VIR_ERR.OPERATION_FAILED), words);
  const own = new ContractError("VmBusy" satisfies ErrorCode, { operation: "starting" });
  const machines = { refresh: () => Promise.reject(new Error("not asked")), active: () => [] };
  assert.equal(await staleTargetError(machines, "screenshot_vm", { vmId: VM }, own), own);
});
