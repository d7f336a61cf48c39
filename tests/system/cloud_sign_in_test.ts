/** A VM without a way to sign in is reported by every interface. */
import assert from "node:assert/strict";
import { asRoot, personWith } from "../testbed/people.ts";
import { NO_SIGN_IN } from "../../lib/contract/mod.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, refused } from "../testbed/product.ts";
import { removeSeeds, removeVolume } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k ann@example.org";
const IMAGE = "debian-12-genericcloud-amd64.qcow2";

Deno.test({
  name:
    "create_vm, set_cloud_init and the command line say that no user can sign in, and a key is remembered",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("sign-in");
    await using first = await claimedVm("sign-in");
    await using second = await claimedVm("sign-in");
    await using left = new AsyncDisposableStack();
    for (const { name } of [first, second]) {
      left.defer(() => removeVolume("default", `${name}.qcow2`));
      left.defer(() => removeSeeds("default", name));
    }
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/${IMAGE}`, "64M"]);
    await knownPool(server, pool.name);
    await call(server, "refresh_storage_pool", { pool: pool.name });
    await until(
      "the image to be known",
      async () => (await call(server, "list_images")).images.some((image) => image.pool === pool.name),
    );
    const disks = [{ path: `${pool.name}/${IMAGE}`, copyAs: "qcow2" as const, pool: pool.name }];
    const codes = (warnings: readonly { code: string }[]) =>
      warnings.map(({ code }) => code).filter((code) => code === "NobodySignsIn");

    const config = { name: first.name, virtType: "qemu" as const, memoryMb: 128, nics: [], disks };
    const bare = await call(server, "check_vm_config", config);
    assert.deepEqual(codes(bare.warnings), ["NobodySignsIn"], "a cloud image without cloud-init");
    const made = await call(server, "create_vm", {
      ...config,
      cloudInit: { form: { users: [{ name: "debian", sudo: "nopasswd" }] } },
    });
    assert.deepEqual(made.warnings.filter(({ field }) => field === "cloudInit"), [
      { field: "cloudInit", code: "NobodySignsIn", message: NO_SIGN_IN },
    ]);
    await known(server, made.id);
    assert.deepEqual(codes((await call(server, "get_cloud_init", { vmId: made.id })).warnings), [
      "NobodySignsIn",
    ]);
    const yaml = await call(server, "set_cloud_init", {
      vmId: made.id,
      cloudInit: { userData: "#cloud-config\nusers:\n  - name: ann\n    passwd: $6$x$y\n" },
    });
    assert.deepEqual(codes(yaml.warnings), ["NobodySignsIn"], "a locked password");
    const cloudInit = { form: { users: [{ name: "debian", sshKeys: [KEY] }] } };
    const open = await asRoot(server, "set_cloud_init", { vmId: made.id, cloudInit });
    assert.deepEqual(open.warnings, []);
    assert.deepEqual(await asRoot(server, "get_ssh_keys", {}), { sshKeys: [KEY] });
    await assert.rejects(asRoot(server, "set_ssh_keys", { sshKeys: ["no key"] }), /InvalidInput/);
    await asRoot(server, "set_ssh_keys", { sshKeys: [] });
    await asRoot(server, "set_cloud_init", { vmId: made.id, cloudInit });
    assert.deepEqual(await asRoot(server, "get_ssh_keys", {}), { sshKeys: [] }, "cleared stays cleared");
    // An API token may have fewer rights than its account, whose VMs get the keys
    const ann = await personWith(server, "ann", [{ role: "viewer", on: { kind: "everything" } }]);
    await refused(ann.call("set_ssh_keys", { sshKeys: [KEY] }), "NotByToken");

    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const said = await cli.run([
      ...["vm", "create", second.name, "--virt-type", "qemu", "--memory-mb", "128", "--network", "none"],
      ...["--image", `${pool.name}/${IMAGE}`, "--user", "debian"],
    ]);
    assert.equal(said.status, 0, said.err);
    assert.match(said.out + said.err, /No user can sign in: no password and no key/);
  },
});
