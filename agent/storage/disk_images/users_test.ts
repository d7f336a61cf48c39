import assert from "node:assert/strict";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { PoolVolume } from "../volumes.ts";
import { chainInPools, knownChain } from "./users.ts";

const inventory = { storage: { known: () => [] } } as unknown as LibvirtHost["inventory"];
const volume = (path: string, base?: string) =>
  ({ path, ...(base !== undefined && { backing: { path: base } }) }) as PoolVolume;

Deno.test("knownChain() knows nothing of an image whose file system may be away, and waits for no deleted one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const gone = `${folder}/pool/gone.qcow2`;
    assert.deepEqual(
      await knownChain(inventory, gone),
      { paths: [], unread: gone },
      "its folder is not there",
    );
    await Deno.mkdir(`${folder}/pool`);
    assert.deepEqual(
      await knownChain(inventory, gone),
      { paths: [], unread: gone },
      "a mount point without its mount",
    );
    await Deno.writeTextFile(`${folder}/pool/other.qcow2`, "");
    assert.deepEqual(await knownChain(inventory, gone), { paths: [] });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("chainInPools() follows what pools tell, and knows nothing of a volume of none", () => {
  const volumes = [volume("/a", "/b"), volume("/b", "/c"), volume("/loop", "/loop"), volume("/plain")];
  assert.deepEqual(chainInPools(volumes, "/a"), ["/b", "/c"]);
  assert.deepEqual(chainInPools(volumes, "/loop"), ["/loop"]);
  assert.deepEqual(chainInPools(volumes, "/plain"), []);
  assert.equal(chainInPools(volumes, "/c"), undefined);
});
