/** create_vm while libvirtd dies: no image stays behind without its machine, and the next creation works. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { boot } from "../../agent/machine/kvm_probe.ts";
import { filesOf } from "../testbed/names.ts";
import { type PrivateLibvirt, privateLibvirt } from "../testbed/private_libvirt.ts";
import { ProcessError } from "../testbed/process.ts";
import { call, readyServer } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
/** When libvirtd is killed, as a share of the time that it takes on this machine: before, during and after its steps. */
const MOMENTS = [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1, "answered"] as const;

/** Paths of images in the pool, and of those a machine has. */
async function images(host: PrivateLibvirt, pool: string): Promise<{ there: string[]; used: string[] }> {
  const there = (await Array.fromAsync(Deno.readDir(pool))).map(({ name }) => `${pool}/${name}`).sort();
  const used: string[] = [];
  for (const uuid of (await host.virsh("list", "--all", "--uuid")).split("\n").filter(Boolean)) {
    const xml = await host.virsh("dumpxml", uuid.trim()).catch((error) => {
      if (error instanceof ProcessError && /Domain not found|failed to get domain/.test(error.message)) {
        return ""; // undone since
      }
      throw error;
    });
    used.push(...[...xml.matchAll(/<source file='([^']+)'/g)].map((match) => match[1]!));
  }
  return { there, used: used.sort() };
}

Deno.test({
  name: "create_vm() leaves no image without its machine, whenever libvirtd is killed (fault 1)",
  ignore,
  fn: async () => {
    await using host = await privateLibvirt("create-kill");
    const pool = `${filesOf(host.name)}/images`;
    await Deno.mkdir(pool);
    await host.virsh("pool-define-as", "images", "dir", "--target", pool);
    await host.virsh("pool-autostart", "images");
    await host.virsh("pool-start", "images");
    await using server = await readyServer({ uri: host.uri });
    const create = (name: string) =>
      call(server, "create_vm", { name, disks: [{ sizeGb: 1, pool: "images" }], nics: [] });
    await create("first"); // what is found out once is found out
    const begun = performance.now();
    await create("second");
    const took = performance.now() - begun;
    const outcomes = new Set<string>();
    for (const [index, moment] of MOMENTS.entries()) {
      const libvirtd = await host.pid() ?? assert.fail("there is no libvirtd");
      const asked = create(`vm-${index}`).then(() => "made", (error) => {
        if (!(error instanceof CallError)) throw error;
        return (error.body as { code: string }).code;
      });
      if (moment === "answered") await asked;
      else await delay(moment * took);
      Deno.kill(libvirtd, "SIGKILL"); // to look for it would take longer than some steps do
      await host.kill(); // waits until it is gone
      await host.start();
      outcomes.add(await asked);
      await until("the connection", async () => (await call(server, "get_connection_status")).connected, {
        seconds: 60,
      });
      let seen: Awaited<ReturnType<typeof images>> | undefined;
      await until("every image to have its machine", async () => {
        seen = await images(host, pool);
        return JSON.stringify(seen.there) === JSON.stringify(seen.used);
      }, { seconds: 90, lastSeen: () => `killed at ${moment} of ${took} ms: ${JSON.stringify(seen)}` });
    }
    assert.ok(outcomes.size > 1, `a kill changed nothing: ${[...outcomes]}`);
    const { id } = await create("last");
    assert.equal(await host.virsh("domuuid", "last"), id);
  },
});

Deno.test({
  name:
    "a start in which libvirtd was killed, and whose QEMU never answers the new one, is ended and begun again",
  ignore,
  fn: async () => {
    await using host = await privateLibvirt("start-stuck");
    const files = filesOf(host.name), dataDir = `${files}/data`;
    await Deno.mkdir(dataDir);
    const start = () => readyServer({ uri: host.uri, dataDir, seconds: 90 });
    let vmId = "";
    {
      await using server = await start();
      const name = "stuck", config = { name, memoryMb: 128, disks: [], nics: [], start: true };
      let answer = "";
      const made = call(server, "create_vm", config).then(
        () => answer = "made",
        (error) => answer = `${error}`,
      );
      const qemu = await until("its QEMU", () => host.qemuOf(name), { every: 1, lastSeen: () => answer });
      Deno.kill(qemu, "SIGSTOP");
      await delay(300);
      await host.kill();
      await server.kill();
      await made;
      await host.start();
      vmId = await host.virsh("domuuid", name);
    }
    assert.equal(await host.virsh("domstate", vmId, "--reason"), "paused (starting up)");
    {
      // As if it had been cut short so long ago that no start takes.
      using database = new DatabaseSync(`${dataDir}/kvm-manager.db`);
      const { id, record } = database.prepare("SELECT id, record FROM operations").get()!;
      const cut = { at: Date.now() - 151_000, cause: "process" };
      database.prepare("UPDATE operations SET record = ? WHERE id = ?")
        .run(JSON.stringify({ ...JSON.parse(String(record)), cut }), id!);
    }
    await using server = await start();
    // Pages show what starts up as running.
    await until(
      "it to run",
      async () => await host.virsh("domstate", vmId, "--reason") === "running (booted)",
      {
        seconds: 60,
        lastSeen: () => server.log().slice(-3000),
      },
    );
    assert.match(server.log(), /its QEMU is ended/);
  },
});

Deno.test({
  name: "boot() tells an emulator that runs a guest from one that hangs or cannot",
  ignore,
  fn: async () => {
    const emulator = "/usr/bin/qemu-system-x86_64";
    assert.equal((await boot(emulator, "tcg", 30_000)).trouble, null);
    assert.match((await boot(emulator, "tcg", 1)).trouble ?? "", /guests under it hang/);
    assert.match((await boot("/bin/false", "tcg")).trouble ?? "", /ended with 1/);
  },
});
