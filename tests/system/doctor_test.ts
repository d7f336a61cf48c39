/** The doctor on the real machine, through each of its doors. */
import assert from "node:assert/strict";
import { call } from "../testbed/product.ts";
import { PROJECT } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/libvirt.ts";

const ignore = await requirement("qemu") !== null;

async function doctor(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${PROJECT}/main.ts`, "doctor", ...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
interface Found {
  area: string;
  level: "ok" | "warning" | "problem";
  what: string;
  command?: string;
}
const LEVELS = ["ok", "warning", "problem"];

Deno.test({
  name: "doctor and get_host_health find the same on the real machine",
  ignore,
  fn: async (t) => {
    await using server = await startServer();
    const places = ["--data-dir", server.dataDir, "--runtime-dir", server.runtimeDir];
    const asked = (findings: readonly Found[], area: string) => findings.filter((each) => each.area === area);

    await t.step("the command line gives JSON, and the exit status is the worst level", async () => {
      const { code, stdout, stderr } = await doctor("-o", "json", ...places);
      assert.equal(stderr, "");
      const findings = JSON.parse(stdout) as Found[];
      assert.equal(code, Math.max(...findings.map(({ level }) => LEVELS.indexOf(level))));
      const version = /libvirt (\d+\.\d+\.\d+)/.exec(await virsh("version", "--daemon"))?.[1];
      assert.deepEqual(asked(findings, "libvirt").map(({ what }) => what), [
        `libvirt ${version} answers at qemu:///system`,
      ]);
      assert.equal(
        asked(findings, "kvm")[0]!.level === "ok",
        (await Deno.stat("/dev/kvm").catch(() => null)) !== null,
      );
      const answer = await call(server, "get_host_health");
      const same = (list: readonly Found[]) =>
        list.filter(({ area }) =>
          ["libvirt", "kvm", "qemu", "modules", "groups", "names", "clock"].includes(area)
        )
          .map(({ area, level, what }) => `${area} ${level} ${what}`);
      assert.deepEqual(same(answer), same(findings));
    });

    await t.step(
      "it tells of what is made wrong, with the command that mends it, and then no more",
      async () => {
        const path = `${server.dataDir}/kvm-manager.db`;
        await Deno.chmod(path, 0o644);
        const bad = await doctor(...places);
        assert.equal(bad.code, 2, bad.stdout);
        assert.match(
          bad.stdout,
          /PROBLEM {2}state +others may read \S+kvm-manager\.db.*\n.*\n +# chmod -R go-rwx/,
        );
        await Deno.chmod(path, 0o600);
        assert.doesNotMatch((await doctor(...places)).stdout, /others may read/);
      },
    );

    await t.step("without libvirt it says so, and looks at the rest", async () => {
      const { code, stdout } = await doctor(
        "--uri",
        "qemu+unix:///system?socket=/no/such/socket",
        ...places,
        "-o",
        "json",
      );
      const findings = JSON.parse(stdout) as Found[];
      assert.equal(code, 2);
      assert.equal(asked(findings, "libvirt")[0]!.level, "problem");
      assert.match(asked(findings, "storage")[0]!.what, /unknown while libvirt does not answer/);
      assert.ok(asked(findings, "names").length > 0);
    });

    await t.step("wrong usage is no finding", async () => {
      assert.equal((await doctor("--nonsense")).code, 64);
    });
  },
});
