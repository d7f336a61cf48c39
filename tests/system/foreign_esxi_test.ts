/** A VM of an ESXi host or a vCenter is imported: libvirt's own driver asks a stand-in, disks come over HTTPS, the VM boots. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { ESXI_LOGIN, furnish, type StandInEsxi, standInEsxi } from "../testbed/esxi.ts";
import { testFolder } from "../testbed/folder.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { openOperations } from "../testbed/open_operations.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { hasBooted } from "../testbed/self_writer.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 2 ** 20;

/** Whether a request is one of a copy of the first disk: looks at its head end elsewhere. */
const isCopy = ({ method, headers }: IncomingMessage, path: string) =>
  method === "GET" && path === "web/web-flat.vmdk" && /-16777215$/.test(headers.range ?? "");

const filesIn = async ({ path }: TestPool) =>
  (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();

for (const kind of ["esxi", "vcenter"] as const) {
  Deno.test({
    name: `import_foreign_vm() takes a VM of ${kind} by libvirt's driver, and it boots`,
    ignore,
    fn: async (t) => {
      await using esxi = await standInEsxi(kind === "esxi" ? "esx" : "vcenter");
      await using folder = await testFolder();
      await using pool = await testPool("esxi");
      await using vm = await claimedVm("esxi");
      await using server = await readyServer();
      const { boot, data } = await furnish(esxi, folder.path);
      const origin = kind === "esxi" ? esxi.origin : `${esxi.origin}/Berlin/esxi1`;
      const from = { kind, origin } as const, signed = { ...from, ...ESXI_LOGIN };

      await t.step(
        "a certificate that was not compared is told, and nothing is sent to the server",
        async () => {
          const shown = esxi.fingerprint.toUpperCase().match(/../g)!.join(":");
          await refused(call(server, "list_foreign_vms", signed), "CertificateUnknown", new RegExp(shown));
          const other = "00".repeat(32);
          await refused(
            call(server, "list_foreign_vms", { ...signed, certificate: other }),
            "CertificateChanged",
          );
          await refused(call(server, "list_foreign_vms", signed), "CertificateUnknown");
          assert.deepEqual([esxi.calls, esxi.ranges], [[], []]);
        },
      );

      await t.step(
        "a wrong password is refused and not tried twice; without one it is asked for",
        async () => {
          const known = { ...from, certificate: esxi.fingerprint };
          await refused(call(server, "list_foreign_vms", known), "InvalidInput", /password/);
          await refused(
            call(server, "list_foreign_vms", { ...known, username: "root", password: "no such" }),
            "SourceLoginRefused",
          );
          assert.deepEqual(esxi.calls.filter((name) => name === "Login"), ["Login"]);
        },
      );

      await t.step("its VMs are listed, and it is signed out of", async () => {
        const listed = await call(server, "list_foreign_vms", signed);
        assert.deepEqual(listed, [
          { vm: "on", name: "on", state: "running" },
          { vm: "web & co", name: "web & co", state: "stopped" },
        ]);
        assert.equal(esxi.sessions.size, 0);
      });

      await t.step(
        "the preview has the hardware of its .vmx file, by the sign-in of a moment ago",
        async () => {
          const seen = await call(server, "inspect_foreign_vm", { ...from, vm: "web & co" });
          assert.deepEqual(
            [seen.originalName, seen.cpuCount, seen.memoryMb, seen.description, seen.guest],
            ["web & co", 2, 160, "from ESXi", "debian11-64"],
          );
          assert.deepEqual(
            seen.disks.map(({ file, capacityBytes, bus, was }) => [file, capacityBytes, bus, was]),
            [
              ["web.vmdk", 16 * MIB, "virtio", "scsi0:0 (pvscsi)"],
              ["data.vmdk", 8 * MIB, "virtio", "scsi0:1 (pvscsi)"],
            ],
          );
          assert.deepEqual(seen.nics.map(({ network, mac, model }) => [network, mac, model]), [
            ["VM Network", "00:50:56:9a:00:01", "virtio"],
          ]);
          assert.ok(!seen.warnings.some(({ code }) => code === "DiskElsewhere"));
        },
      );

      await t.step("a VM that runs, and one that is not there, are refused", async () => {
        await refused(call(server, "inspect_foreign_vm", { ...from, vm: "on" }), "VmMustBeOff");
        await refused(call(server, "inspect_foreign_vm", { ...from, vm: "none" }), "VmNotFound");
      });

      await t.step("imported, its disks are the same, and it boots", async () => {
        const made = await call(server, "import_foreign_vm", {
          ...from,
          vm: "web & co",
          name: vm.name,
          targetPool: pool.name,
          nics: [{ leaveOut: true }],
          disks: [{ bus: "virtio" }, { bus: "sata" }],
          verify: true,
        });
        const [first = "", second = ""] = made.disks.map(({ path }) => path);
        await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", boot, first]);
        await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", data, second]);
        assert.deepEqual(await filesIn(pool), [`${vm.name}-disk1.qcow2`, `${vm.name}-disk2.qcow2`]);
        await call(server, "start_vm", { vmId: made.vmId });
        await until("it to boot", () => hasBooted(first, `${folder.path}/scratch`), {
          seconds: 60,
          every: 1000,
        });
        await call(server, "force_stop_vm", { vmId: made.vmId });
        await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
      });

      await t.step("a server with another certificate is not spoken to any more", async () => {
        await esxi.renew();
        const before = esxi.calls.length;
        await refused(call(server, "list_foreign_vms", signed), "CertificateChanged");
        assert.equal(esxi.calls.length, before);
      });

      assert.ok(!server.log().includes(ESXI_LOGIN.password), "the password is in no log");
    },
  });
}

Deno.test({
  name: "an ESXi host whose line breaks, that changes a disk, or that answers nonsense, does no harm",
  ignore,
  fn: async (t) => {
    await using esxi = await standInEsxi();
    await using folder = await testFolder();
    await using pool = await testPool("esxibad");
    await using vm = await claimedVm("esxibad");
    await using server = await readyServer();
    const { boot } = await furnish(esxi, folder.path);
    const from = { kind: "esxi", origin: esxi.origin, ...ESXI_LOGIN } as const;
    await call(server, "list_foreign_vms", { ...from, certificate: esxi.fingerprint });
    const wish = {
      ...from,
      vm: "web & co",
      name: vm.name,
      targetPool: pool.name,
      nics: [{ leaveOut: true }],
      disks: [{}, { leaveOut: true }],
    };

    await t.step("a line that breaks twice: it goes on at the byte that it had", async () => {
      let cuts = 0;
      esxi.ranges.length = 0;
      esxi.misbehaves.folder = (request, response, path) => {
        const [, first = "0"] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
        if (!isCopy(request, path) || cuts === 2) return false;
        cuts++;
        response.writeHead(206, {
          "content-length": String(16 * MIB - Number(first)),
          "content-range": `bytes ${first}-${16 * MIB - 1}/${16 * MIB}`,
        });
        const bytes = Deno.readFileSync(boot).subarray(Number(first), Number(first) + 5 * MIB);
        response.write(bytes, () => request.socket.destroy());
        return true;
      };
      const begun = performance.now(), made = await call(server, "import_foreign_vm", wish);
      assert.ok(performance.now() - begun < 50_000, "a broken line is noticed at once");
      assert.equal(cuts, 2);
      const starts = esxi.ranges.filter(([path, range]) =>
        path === "web/web-flat.vmdk" && range.endsWith("-16777215")
      )
        .map(([, range]) => Number(/=(\d+)/.exec(range)![1]));
      assert.ok(starts.length >= 3 && starts[1]! > 0 && starts[2]! > starts[1]!, `${starts}`);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", boot, made.disks[0]!.path]);
      esxi.misbehaves.folder = undefined;
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
    });

    await t.step("a disk that is written to meanwhile is refused, and nothing stays", async () => {
      esxi.misbehaves.folder = (request, _response, path) => {
        if (isCopy(request, path)) Deno.utimeSync(boot, new Date(), new Date(2026, 1, 1));
        return false;
      };
      await refused(call(server, "import_foreign_vm", wish), "ImportFailed", /written to/);
      esxi.misbehaves.folder = undefined;
      assert.deepEqual(await filesIn(pool), []);
    });

    await t.step(
      "a VM that is started while its disks come is refused at the end, and nothing stays",
      async () => {
        esxi.misbehaves.folder = (request, _response, path) => {
          if (isCopy(request, path)) esxi.vms[0] = { ...esxi.vms[0]!, state: "poweredOn" };
          return false;
        };
        await refused(call(server, "import_foreign_vm", wish), "VmMustBeOff");
        esxi.misbehaves.folder = undefined;
        esxi.vms[0] = { ...esxi.vms[0]!, state: "poweredOff" };
        assert.deepEqual(await filesIn(pool), []);
      },
    );

    await t.step("cancelled in the middle, it ends at once and leaves nothing", async () => {
      let isHeld = false;
      esxi.misbehaves.folder = (request, response, path) => {
        if (!isCopy(request, path)) return false;
        response.writeHead(206, {
          "content-length": String(16 * MIB),
          "content-range": `bytes 0-${16 * MIB - 1}/${16 * MIB}`,
        });
        response.write(new Uint8Array(MIB));
        isHeld = true;
        return true;
      };
      const over = refused(call(server, "import_foreign_vm", wish), "JobCancelled");
      await until("it to copy", () => Promise.resolve(isHeld), { seconds: 60 });
      const [job] = await call(server, "list_jobs", { open: true });
      await call(server, "cancel_job", { jobId: job!.id });
      await over;
      esxi.misbehaves.folder = undefined;
      assert.deepEqual(await filesIn(pool), []);
    });

    await t.step("snapshots, and descriptions that lead elsewhere, are refused", async () => {
      const description = `${folder.path}/web.vmdk`, good = await Deno.readTextFile(description);
      const cases: readonly (readonly [string, RegExp])[] = [
        [good.replace("parentCID=ffffffff", "parentCID=12345678"), /Consolidate/],
        [good.replace("web-flat.vmdk", "../../etc/passwd"), /own folder/],
        [good.replace("RW 32768", "RW 327680"), /shorter/],
        ["x".repeat(300 * 1024), /vmkfstools/],
        ["KDMV", /vmkfstools/],
      ];
      for (const [text, why] of cases) {
        await Deno.writeTextFile(description, text);
        await refused(call(server, "inspect_foreign_vm", { ...from, vm: "web & co" }), "DiskRefused", why);
      }
      await Deno.writeTextFile(description, good);
    });

    await t.step("answers that are nonsense, very long, or never end, are given up", async () => {
      const nonsense: readonly ((response: ServerResponse) => void)[] = [
        (response) => response.end("nonsense"),
        (response) => response.end('<?xml version="1.0"?><a/>'),
        (response) => {
          response.writeHead(500);
          response.end();
        },
        (response) => {
          response.writeHead(301, { location: "http://169.254.169.254/" });
          response.end();
        },
        (response) => void response.socket!.destroy(),
        (response) => {
          response.writeHead(200, { "content-type": "text/xml" });
          const more = () => {
            while (!response.destroyed && response.write("<x>".repeat(100_000)));
            if (!response.destroyed) response.once("drain", more);
          };
          more();
        },
      ];
      for (const [at, answer] of nonsense.entries()) {
        esxi.misbehaves.soap = answer;
        const started = performance.now();
        await refused(call(server, "list_foreign_vms", from), "SourceUnreachable");
        assert.ok(performance.now() - started < 60_000, `case ${at} took too long`);
      }
      esxi.misbehaves.soap = undefined;
      assert.equal((await call(server, "list_foreign_vms", from)).length, 2);
    });
  },
});

Deno.test({
  name: "an import from ESXi that is killed with KVM Manager is undone whole, and the password is gone",
  ignore,
  fn: async () => {
    await using esxi = await standInEsxi();
    await using folder = await testFolder();
    await using pool = await testPool("esxikill");
    await using vm = await claimedVm("esxikill");
    const dataDir = `${folder.path}/data`, from = { kind: "esxi", origin: esxi.origin } as const;
    const { boot } = await furnish(esxi, folder.path);
    const wish = {
      ...from,
      vm: "web & co",
      name: vm.name,
      targetPool: pool.name,
      nics: [{ leaveOut: true }],
    };
    let isHeld = false;
    esxi.misbehaves.folder = (request, response, path) => {
      if (!isCopy(request, path)) return false;
      response.writeHead(206, {
        "content-length": String(16 * MIB),
        "content-range": `bytes 0-${16 * MIB - 1}/${16 * MIB}`,
      });
      response.write(new Uint8Array(MIB).fill(1));
      isHeld = true;
      return true;
    };
    {
      await using server = await readyServer({ dataDir });
      const signed = { ...from, ...ESXI_LOGIN, certificate: esxi.fingerprint };
      await call(server, "list_foreign_vms", signed);
      const asked = call(server, "import_foreign_vm", wish).catch(() => "cut off");
      await until("it to copy", () => Promise.resolve(isHeld), { seconds: 60 });
      assert.deepEqual(await filesIn(pool), [`${vm.name}-disk1.qcow2.part`]);
      await server.kill();
      assert.equal(await asked, "cut off");
    }
    esxi.misbehaves.folder = undefined;
    await using server = await readyServer({ dataDir });
    await until("what was made to be removed", async () => (await filesIn(pool)).length === 0, {
      seconds: 60,
    });
    await refused(call(server, "import_foreign_vm", wish), "InvalidInput", /password/);
    const made = await call(server, "import_foreign_vm", { ...wish, ...ESXI_LOGIN });
    await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", boot, made.disks[0]!.path]);
    await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
    const kept = await run(["sh", "-c", 'grep -rlF "$1" "$2" || true', "sh", ESXI_LOGIN.password, dataDir]);
    assert.equal(kept.trim(), "", "the password is in no file");
  },
});

/** Has copies of the first disk come slowly, a MiB at a time: an import is far from its end when it has come half way. */
function slowly(esxi: StandInEsxi, disk: string): void {
  esxi.misbehaves.folder = (request, response, path) => {
    const [, first = "0"] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
    if (!isCopy(request, path)) return false;
    const size = 16 * MIB;
    response.writeHead(206, {
      "content-length": String(size - Number(first)),
      "content-range": `bytes ${first}-${size - 1}/${size}`,
    });
    const bytes = Deno.readFileSync(disk);
    let at = Number(first);
    const timer = setInterval(() => {
      response.write(bytes.subarray(at, at += MIB));
      if (at >= size / 2 + Number(first)) clearInterval(timer);
    }, 1000);
    response.on("close", () => clearInterval(timer));
    return true;
  };
}

Deno.test({
  name:
    "an import from ESXi that was cut goes on with what had come, unless the disk or the part has changed",
  ignore,
  fn: async (t) => {
    await using esxi = await standInEsxi();
    await using folder = await testFolder();
    await using pool = await testPool("esxiagain");
    await using vm = await claimedVm("esxiagain");
    const dataDir = `${folder.path}/data`, from = { kind: "esxi", origin: esxi.origin } as const;
    const { boot } = await furnish(esxi, folder.path), part = `${vm.name}-disk1.qcow2.part`;
    const wish = {
      ...from,
      ...ESXI_LOGIN,
      certificate: esxi.fingerprint,
      vm: "web & co",
      name: vm.name,
      targetPool: pool.name,
      nics: [{ leaveOut: true }],
      disks: [{}, { leaveOut: true }],
    };
    /** Begins an import, and kills KVM Manager in its middle. */
    const cut = async () => {
      slowly(esxi, boot);
      {
        await using server = await readyServer({ dataDir });
        const asked = call(server, "import_foreign_vm", wish).catch(() => "cut off");
        await until("a part to be noted", async () => {
          const kept = openOperations(dataDir).some((record) => record.includes('"received"'));
          return kept && (await filesIn(pool)).includes(part);
        }, { seconds: 60 });
        await server.kill();
        assert.equal(await asked, "cut off");
      }
      esxi.misbehaves.folder = undefined;
      esxi.ranges.length = 0;
    };
    /** The byte at which the disk was read on from. */
    const start = () => {
      const [, range] = esxi.ranges.find(([path, range]) =>
        path === "web/web-flat.vmdk" && range.endsWith("-16777215")
      )!;
      return Number(/=(\d+)/.exec(range)![1]);
    };
    const settled = () =>
      until("the import to be settled", () => Promise.resolve(openOperations(dataDir).length === 0), {
        seconds: 60,
      });
    /** Imports it once more, and looks at what has come. */
    const again = async (server: TestServer) => {
      await settled();
      assert.deepEqual(await filesIn(pool), [part]);
      const made = await call(server, "import_foreign_vm", wish);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", boot, made.disks[0]!.path]);
      assert.deepEqual(await filesIn(pool), [`${vm.name}-disk1.qcow2`]);
      assert.deepEqual(openOperations(dataDir), []);
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
      return start();
    };

    await t.step("it goes on at the byte that was noted, also after a second cut", async () => {
      await cut();
      await cut();
      await using server = await readyServer({ dataDir });
      assert.ok(await again(server) >= 4 * MIB, "what had come is not transferred again");
      const [, job] = await call(server, "list_jobs");
      assert.match(job?.error?.message ?? "", /the next import of this disk goes on with it/);
    });

    await t.step("a part that somebody has changed is not gone on with", async () => {
      await cut();
      {
        using file = await Deno.open(`${pool.path}/${part}`, { write: true });
        await file.write(new Uint8Array(512).fill(7));
      }
      await using server = await readyServer({ dataDir });
      assert.equal(await again(server), 0);
    });

    await t.step("a disk that was written to at the source is transferred from the beginning", async () => {
      await cut();
      await Deno.utime(boot, new Date(), new Date(2026, 1, 1));
      await using server = await readyServer({ dataDir });
      assert.equal(await again(server), 0);
      assert.deepEqual(await filesIn(pool), []);
    });
  },
});
