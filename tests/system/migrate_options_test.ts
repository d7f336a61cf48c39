/** migrate_vm(): what is looked at before a VM that runs moves, and how its memory is sent. */
import assert from "node:assert/strict";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name:
    "memory is sent by several connections, compressed, with a downtime and a limit; the plan estimates it",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const path = await randomImage(from, "disk.qcow2", 8);
    const { name, uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await shows(from.server, vmId, ({ state }) => state === "running");

    await t.step(
      "the plan says how fast the link is, what the guest changes, and how long it takes",
      async () => {
        const { estimate, possible, findings } = await call(from.server, "get_migration_plan", {
          vmId,
          toHost: "there",
        });
        assert.equal(possible, true);
        assert.deepEqual(findings, []);
        assert.ok(estimate!.lineBytesPerSecond > 1024 ** 2, String(estimate!.lineBytesPerSecond));
        assert.equal(typeof estimate!.dirtyBytesPerSecond, "number");
        assert.equal(estimate!.converges, true);
        assert.ok(estimate!.seconds! >= 1);
        // By a limit, it takes longer
        const limited = await call(from.server, "get_migration_plan", {
          vmId,
          toHost: "there",
          bandwidthMib: 1,
        });
        assert.equal(limited.estimate!.lineBytesPerSecond, 1024 ** 2);
        assert.ok(limited.estimate!.seconds! > estimate!.seconds!);
      },
    );

    await t.step("what does not go together, or is too new, is said before", async () => {
      const checksOf = async (how: object) =>
        (await call(from.server, "get_migration_plan", { vmId, toHost: "there", ...how })).findings
          .map(({ check, level }) => `${level} ${check}`);
      assert.deepEqual(await checksOf({ compression: "zstd" }), ["problem compression-several"]);
      assert.deepEqual(await checksOf({ compression: "xbzrle", connections: 2 }), [
        "problem compression-one",
      ]);
      const version = (await from.libvirt.virsh("version", "--daemon")).match(/daemon: (\d+)\.(\d+)/)!;
      const isOld = Number(version[1]) < 9 || (Number(version[1]) === 9 && Number(version[2]) < 4);
      assert.deepEqual(
        await checksOf({ compression: "zstd", connections: 2 }),
        isOld ? ["problem compression-version"] : [],
      );
      await refused(
        call(from.server, "migrate_vm", { vmId, toHost: "there", compression: "zstd" }),
        "VmNotMovable",
        /several connections/,
      );
    });

    for (
      const [what, how] of [
        ["by several connections", { connections: 3 }],
        ["compressed", { compression: "xbzrle" }],
        ["with a downtime, and not slowed down", { maxDowntimeMs: 900, slowGuest: false, bandwidthMib: 40 }],
      ] as const
    ) {
      await t.step(`it moves there ${what}, and back`, async () => {
        const wait = (server: typeof from.server) => shows(server, vmId, ({ state }) => state === "running");
        await call(from.server, "migrate_vm", { vmId, toHost: "there", ...how });
        assert.deepEqual([await from.vms(), await to.vms("--state-running")], [[], [name]]);
        await wait(to.server);
        await call(to.server, "migrate_vm", { vmId, toHost: "there", ...how });
        assert.deepEqual([await from.vms("--state-running"), await to.vms()], [[name], []]);
        await wait(from.server);
      });
    }

    await t.step(
      "a processor that the other host cannot give is a problem, with what is missing",
      async () => {
        const file = `${from.dataDir}/cpu.xml`;
        const xml = (await from.libvirt.virsh("dumpxml", name, "--inactive"))
          .replace(/<uuid>.*<\/uuid>/, "").replace(`<name>${name}</name>`, "<name>modern</name>")
          .replaceAll(/<cpu[\s\S]*<\/cpu>|<cpu[^>]*\/>/g, "").replaceAll(/<disk[\s\S]*<\/disk>/g, "")
          .replace(
            "<os>",
            "<cpu mode='custom' match='exact'><model>qemu64</model><feature policy='require' name='avx512f'/></cpu><os>",
          );
        await Deno.writeTextFile(file, xml);
        await from.libvirt.virsh("define", file);
        const modern = await until(
          "the VM to be known",
          async () => (await call(from.server, "get_vms")).find((each) => each.name === "modern"),
        );
        const { findings, possible } = await call(from.server, "get_migration_plan", {
          vmId: modern.id,
          toHost: "there",
        });
        assert.equal(possible, false);
        assert.match(findings.map(({ text }) => text).join(), /lacks what the VM has: .*avx512f/);
      },
    );
  },
});
