/** A host whose resolver is dead, and whose own name is in no file: the product is ready all the same (issue 27). */
import assert from "node:assert/strict";
import { HangWatch } from "../testbed/hang_watch.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call } from "../testbed/product.ts";
import { privateServer } from "../testbed/private_server.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

/** Seconds after its start in which it has read its libvirt whole. */
const READY = 10;
/** Seconds it is watched then. */
const WATCHED = 20;

/** The host's own name is looked up where it is short: one with a domain is told as it is. */
const isShort = !Deno.hostname().includes(".") && !Deno.hostname().startsWith("localhost");

Deno.test({
  name: "a dead resolver delays nothing",
  ignore: await requirement("qemu") !== null || !isShort,
  fn: async () => {
    await using host = await privateLibvirt("resolver", { deadResolver: true });
    const { uuid: vmId } = await host.machine({ start: true });
    const began = performance.now();
    await using product = await privateServer(host, { ready: false });
    const vms = await until("the first list", async () => {
      try {
        return await call(product.server, "get_vms");
      } catch (error) {
        if (error instanceof CallError && error.status === 503) return null;
        throw error;
      }
    }, { every: 50, seconds: 30 });
    const took = (performance.now() - began) / 1000;
    assert.deepEqual(vms.map(({ id }) => id), [vmId]);
    assert.ok(took < READY, `it was ready after ${took.toFixed(1)} s`);
    await using watch = new HangWatch(host, product);
    watch.hung();
    await delay(WATCHED * 1000);
    watch.released();
    assert.deepEqual(watch.problems(), []);
  },
});
