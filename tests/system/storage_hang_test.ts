/** Storage that hangs, as an NFS server does that is gone: nothing else does (issue "Storage", fault 9). */
import assert from "node:assert/strict";
import { filesOf, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, readyServer, refusal, shows } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { slowStorage } from "../testbed/slow_storage.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "slowStorage") !== null;

/** Milliseconds in which everything that is not about the hanging pool answers. */
const AT_ONCE = 3000;
/** … in which a question about it is refused. */
const BOUNDED = 12_000;

async function timed<T>(what: string, work: Promise<T>, ms = AT_ONCE): Promise<T> {
  const began = performance.now();
  const answer = await work;
  const took = performance.now() - began;
  assert.ok(took < ms, `${what} took ${Math.round(took)} ms`);
  return answer;
}

Deno.test({
  name: "storage that hangs holds nothing else up, says so, and heals",
  ignore,
  fn: async (t) => {
    const name = await testName("hang");
    const folder = filesOf(name);
    try {
      await Deno.mkdir(folder, { recursive: true });
      await using slow = await slowStorage(folder);
      await using libvirt = await privateLibvirt("hang");
      await Deno.mkdir(`${folder}/good`);
      for (const [pool, path] of [["slow", slow.path], ["good", `${folder}/good`]] as const) {
        await libvirt.virsh("pool-define-as", pool, "dir", "--target", path);
        await libvirt.virsh("pool-start", pool);
      }
      const vm = await libvirt.machine();
      await using server = await readyServer({ uri: libvirt.uri });
      const made = (pool: string, volume: string) =>
        call(server, "create_volume", { pool, name: volume, format: "qcow2", capacityBytes: 1 << 20 });
      await made("slow", "before.qcow2");
      await t.step("while it hangs", async () => {
        await using _hung = await slow.hang();
        const refresh = refusal(call(server, "refresh_storage_pool", { pool: "slow" }));
        assert.equal((await timed("refresh_storage_pool", refresh, 4000)).code, "StorageNotResponding");
        await timed("get_vms", call(server, "get_vms"));
        await timed("get_storage_pools", call(server, "get_storage_pools"));
        await timed("get_volumes of another pool", call(server, "get_volumes", { pool: "good" }));
        await timed("start_vm", call(server, "start_vm", { vmId: vm.uuid }));
        await shows(server, vm.uuid, ({ state }) => state === "running");
        for (const path of ["/", "/vms", `/vms/${vm.uuid}`, "/storage", "/storage/slow", "/networks"]) {
          const response = await timed(
            path,
            fetch(server.url + path, { headers: testerHeaders(server.url) }),
          );
          const text = await response.text();
          assert.equal(response.status, 200, path);
          if (path === "/storage/slow") {
            assert.match(text, /The storage behind slow does not answer|has not responded since/);
          }
        }
        await timed("force_stop_vm", call(server, "force_stop_vm", { vmId: vm.uuid }));
        const asked = refusal(call(server, "get_volumes", { pool: "slow" }));
        const { code } = await timed("get_volumes of the pool that hangs", asked, BOUNDED);
        assert.ok(["StoragePoolNotResponding", "StorageNotResponding"].includes(code), code);
      });
      await t.step("afterwards all is well again", async () => {
        await until("it to be read again", async () => {
          try {
            await call(server, "refresh_storage_pool", { pool: "slow" });
            return true;
          } catch (error) {
            const isSilent = error instanceof CallError &&
              (error.body as { code: string }).code === "StorageNotResponding";
            if (!isSilent) throw error;
            return false;
          }
        }, { seconds: 10 });
        const volumes = await call(server, "get_volumes", { pool: "slow" });
        assert.deepEqual(volumes.map(({ name }) => name), ["before.qcow2"]);
        await made("slow", "after.qcow2");
        await made("good", "after.qcow2");
      });
    } finally {
      await removeFiles(name);
    }
  },
});
