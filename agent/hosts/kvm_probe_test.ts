import assert from "node:assert/strict";
import { type Boot, troubleOf } from "./kvm_probe.ts";

const boot = (took: number, trouble: string | null = null): Boot => ({ took, trouble });
const never = () => assert.fail("emulation was tried");

Deno.test("troubleOf() takes a guest that booted soon, and one that did not boot, as they are", async () => {
  assert.equal(await troubleOf(boot(100), never), null);
  assert.equal(await troubleOf(boot(4000, "it hangs"), never), "it hangs");
});

Deno.test("troubleOf() tells a KVM that is slower than emulation from a busy host", async () => {
  assert.match(
    await troubleOf(boot(3100), () => Promise.resolve(boot(100))) ?? "",
    /hang, or are slower than emulated ones/,
  );
  assert.equal(await troubleOf(boot(3100), () => Promise.resolve(boot(2000))), null);
  assert.equal(await troubleOf(boot(3100), () => Promise.resolve(boot(4000, "it hangs"))), null);
});
