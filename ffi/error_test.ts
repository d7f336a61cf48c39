import assert from "node:assert/strict";
import { LibvirtError, readError, VIR_ERR } from "./error.ts";
import { cString } from "./memory.ts";

function virError(
  code: number,
  domain: number,
  message: Uint8Array | null,
  level: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, code, true);
  view.setInt32(4, domain, true);
  const pointer = message === null
    ? 0n
    : Deno.UnsafePointer.value(Deno.UnsafePointer.of(message as Uint8Array<ArrayBuffer>));
  view.setBigUint64(8, pointer, true);
  view.setInt32(16, level, true);
  return bytes;
}

Deno.test("readError() reads code, domain, text and level of struct _virError", () => {
  const message = cString("Domain not found: é");
  const error = readError(Deno.UnsafePointer.of(virError(42, 12, message, 2)));
  assert.deepEqual(error.toFailure(), {
    kind: "libvirt",
    code: VIR_ERR.NO_DOMAIN,
    domain: 12,
    level: 2,
    message: "Domain not found: é",
  });
});

Deno.test("readError() has words where libvirt has none", () => {
  for (const error of [readError(null), readError(Deno.UnsafePointer.of(virError(1, 0, null, 2)))]) {
    assert.equal(error.message, "libvirt failed without saying why");
    assert.equal(error.code, VIR_ERR.INTERNAL);
  }
});

Deno.test("LibvirtError.toFailure() crosses a thread and comes back whole", () => {
  const error = new LibvirtError({ kind: "lost", code: 38, domain: 7, level: 1, message: "gone" });
  const again = new LibvirtError(structuredClone(error.toFailure()));
  assert.deepEqual({ ...again, message: again.message }, { ...error, message: error.message });
  assert.ok(again instanceof Error);
});
