/** The doctor on the real machine, through each of its doors. */
import assert from "node:assert/strict";
import { OWN_FILE } from "../../agent/system/certificate/certificates.ts";
import { DATABASE_FILE } from "../../agent/store/database.ts";
import { call } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";
import { startServer } from "../testbed/server.ts";
import { virsh } from "../testbed/libvirt.ts";

const ignore = await requirement("qemu") !== null;

async function doctor(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(await buildBinary(), {
    args: ["doctor", ...args],
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
      const [kvm] = (await call(server, "get_create_options")).virtTypes.filter(({ id }) => id === "kvm");
      const [said] = asked(findings, "kvm");
      // Each has tried it for itself, for some seconds: where the machine is busy, one may come to another end
      const isAgreed = (said!.level === "ok") === kvm!.available;
      assert.ok(isAgreed || /hangs/.test(`${said!.what} ${kvm!.reason}`), `${said!.what} / ${kvm!.reason}`);
      const answer = await call(server, "get_host_health");
      const same = (list: readonly Found[]) =>
        list.filter(({ area }) =>
          [...isAgreed ? ["kvm"] : [], "libvirt", "qemu", "modules", "groups", "names", "clock"].includes(
            area,
          )
        )
          .map(({ area, level, what }) => `${area} ${level} ${what}`);
      assert.deepEqual(same(answer), same(findings));
    });

    await t.step(
      "it reports a wrong setting with the command that mends it, and no longer once it is mended",
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

Deno.test({
  name: "doctor as root follows no link that the service's user put into the data folder",
  ignore: skippedUnlessRoot(),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await Deno.chmod(folder, 0o711);
      const secret = `${folder}/secret`, dataDir = `${folder}/data`;
      await Deno.writeTextFile(secret, "root's alone", { mode: 0o600 });
      await Deno.mkdir(dataDir, { mode: 0o700 });
      for (const name of [DATABASE_FILE, OWN_FILE]) await Deno.symlink(secret, `${dataDir}/${name}`);
      await Deno.chown(dataDir, 61_001, 61_001);
      const { stdout } = await doctor(
        ...["--uri", "test:///default", "--data-dir", dataDir, "--runtime-dir", folder, "-o", "json"],
      );
      const said = (JSON.parse(stdout) as Found[])
        .filter(({ area }) => area === "state" || area === "certificate").map(({ what }) => what).join("\n");
      // Root would have seen what is in the file: neither a database nor a certificate.
      assert.doesNotMatch(said, /not a database|holds no certificate/, said);
      assert.match(said, /unable to open database file|Permission denied/, said);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
