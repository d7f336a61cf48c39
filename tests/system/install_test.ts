/** Installing, upgrading, removing: really, in a throwaway copy of this machine. Packages with Debian's own tools. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BINARY, buildBinary, PROJECT } from "../testbed/product_binary.ts";
import { exists, run } from "../testbed/process.ts";
import { type Throwaway, throwaway } from "../testbed/throwaway.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";

const ignore = await requirement("qemu") !== null || skippedUnlessRoot();
const INSTALLED = "/usr/local/bin/kvm-manager";
const PLACES = [
  INSTALLED,
  "/usr/local/lib/kvm-manager",
  "/etc/systemd/system/kvm-manager.service",
  "/etc/sysusers.d/kvm-manager.conf",
  "/etc/tmpfiles.d/kvm-manager.conf",
  "/var/cache/kvm-manager",
];
const CREDENTIAL = "/etc/credstore.encrypted/kvm-manager.encryption-key";
const OWN = ["/etc/kvm-manager", "/var/lib/kvm-manager", "/var/lib/kvm-manager-key", CREDENTIAL];

/** Runs a program that must end well. */
async function well(host: Throwaway, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(...argv);
  assert.equal(code, 0, `${argv.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}
/** Runs a program that must say no. */
async function no(host: Throwaway, says: RegExp, ...argv: string[]): Promise<void> {
  const { code, stdout, stderr } = await host.run(...argv);
  assert.equal(code, 1, `${argv.join(" ")}: ${stdout}${stderr}`);
  assert.match(stderr, says);
}
async function present(host: Throwaway, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) if ((await host.run("test", "-e", path)).code === 0) found.push(path);
  return found;
}
const modes = async (host: Throwaway, ...paths: string[]) =>
  (await well(host, "stat", "-c", "%a %U:%G", ...paths)).trim().split("\n");

Deno.test({
  name: "install, upgrade, rollback and uninstall: each twice, with no network, leaving nothing",
  ignore,
  fn: async (t) => {
    await buildBinary();
    await using host = await throwaway();
    /** The same program as another build. */
    const other = "/tmp/other";
    await well(host, "sh", "-c", `cp ${BINARY} ${other} && printf '\\n' >> ${other}`);

    await t.step(
      "install makes user, folders, unit and program, and is the same the second time",
      async () => {
        await well(host, BINARY, "install");
        const before = await well(host, "sha256sum", ...PLACES.slice(2, 5), INSTALLED);
        await well(host, "sh", "-c", "echo '# mine' >> /etc/kvm-manager/config.toml");
        await well(host, BINARY, "install");
        assert.equal(await well(host, "sha256sum", ...PLACES.slice(2, 5), INSTALLED), before);
        assert.match(await well(host, "cat", "/etc/kvm-manager/config.toml"), /# mine$/m);
        assert.deepEqual(await modes(host, INSTALLED, ...OWN, "/etc/kvm-manager/config.toml"), [
          "755 root:root",
          "750 root:kvm-manager",
          "700 kvm-manager:kvm-manager",
          "700 kvm-manager:kvm-manager",
          "600 root:root",
          "640 root:kvm-manager",
        ]);
        const identity = await well(host, "id", "kvm-manager"); // the groups in the order of their numbers
        for (const group of ["libvirt", "kvm"]) assert.ok(identity.includes(`(${group})`), identity);
        const leftovers = await well(
          host,
          "find",
          "/usr/local/bin",
          "/usr/local/lib/kvm-manager",
          "/etc",
          "-newer",
          BINARY,
          "(",
          "-name",
          "*.old",
          "-o",
          "-name",
          "*.new",
          ")",
        );
        assert.equal(leftovers, "");
      },
    );

    await t.step("the service's user starts what root unpacked, and cannot change it", async () => {
      await well(host, INSTALLED, "--version");
      const as = ["setpriv", "--reuid=kvm-manager", "--regid=kvm-manager", "--init-groups", "--reset-env"];
      assert.match(await well(host, ...as, INSTALLED, "--version"), /^kvm-manager \d/);
      assert.equal((await host.run(...as, "sh", "-c", "echo >> /var/cache/kvm-manager/*/main.js")).code, 2);
      assert.equal((await host.run("test", "-e", "/var/lib/kvm-manager/.cache")).code, 1);
    });

    await t.step("upgrade keeps the program before it, and rollback goes back and forth", async () => {
      const [old] = (await well(host, "sha256sum", INSTALLED)).split(" ");
      await well(host, other, "upgrade");
      const [now] = (await well(host, "sha256sum", INSTALLED)).split(" ");
      assert.notEqual(now, old);
      await well(host, INSTALLED, "upgrade", "--rollback");
      assert.equal((await well(host, "sha256sum", INSTALLED)).split(" ")[0], old);
      await well(host, INSTALLED, "upgrade", "--rollback");
      assert.equal((await well(host, "sha256sum", INSTALLED)).split(" ")[0], now);
    });

    await t.step("nothing older than the database is installed", async () => {
      const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
      try {
        const database = new DatabaseSync(`${folder}/kvm-manager.db`);
        database.exec("PRAGMA user_version = 999");
        database.close();
        const state = await Deno.readFile(`${folder}/kvm-manager.db`);
        await well(
          host,
          "sh",
          "-c",
          `echo ${state.toBase64()} | base64 -d > /var/lib/kvm-manager/kvm-manager.db`,
        );
        for (const argv of [[BINARY, "install"], [other, "upgrade"], [INSTALLED, "upgrade", "--rollback"]]) {
          await no(host, /database \(version 999\) was written by a newer .* Nothing was changed/, ...argv);
        }
        await well(host, "rm", "/var/lib/kvm-manager/kvm-manager.db");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });

    await t.step("a step that fails undoes those before it", async () => {
      await well(host, INSTALLED, "uninstall", "--yes", "--purge");
      const tool = "/usr/bin/systemd-sysusers";
      await well(
        host,
        "sh",
        "-c",
        `mv ${tool} /tmp/kept && printf '#!/bin/sh\\necho no such luck >&2; exit 1\\n' > ${tool}
        chmod 755 ${tool}`,
      );
      await no(
        host,
        /account kvm-manager: no such luck\. What was done before it was undone/,
        BINARY,
        "install",
      );
      assert.deepEqual(await present(host, [...PLACES.slice(0, 5), ...OWN]), []);
      await well(host, "mv", "/tmp/kept", tool);
    });

    await t.step("uninstall asks, keeps data unless --purge, and removes the rest", async () => {
      await well(host, BINARY, "install");
      await no(host, /there is no terminal to ask at/, INSTALLED, "uninstall");
      assert.deepEqual(await present(host, [INSTALLED]), [INSTALLED]);
      await well(host, INSTALLED, "uninstall", "--yes");
      assert.deepEqual(await present(host, [...PLACES, ...OWN]), OWN);
      await well(host, BINARY, "uninstall", "--yes", "--purge");
      assert.deepEqual(await present(host, [...PLACES, ...OWN]), []);
      assert.equal((await host.run("id", "kvm-manager")).code, 1);
    });

    await t.step("--root DIR puts everything below a folder, and touches nothing else", async () => {
      await well(host, BINARY, "install", "--root", "/tmp/image");
      const files = (await well(host, "find", "/tmp/image", "-type", "f", "-printf", "/%P %m\n")).trim()
        .split("\n");
      assert.deepEqual(files.sort(), [
        "/etc/kvm-manager/config.toml 640",
        "/etc/systemd/system/kvm-manager.service 644",
        "/etc/sysusers.d/kvm-manager.conf 644",
        "/etc/tmpfiles.d/kvm-manager.conf 644",
        "/usr/local/bin/kvm-manager 755",
        "/usr/local/lib/kvm-manager/installed.json 644",
      ]);
      assert.deepEqual(await present(host, [INSTALLED, ...OWN]), []);
    });
  },
});

/** Stands for systemctl: writes down what it is asked, and says of the service what the file `state` has. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> /tmp/systemctl.log
case $1 in
show) cat /tmp/state ;;
is-enabled) [ -e /tmp/enabled ] ;;
enable) touch /tmp/enabled ;;
disable) rm -f /tmp/enabled ;;
esac
`;

Deno.test({
  name:
    "the service is enabled and started; one that does not stay up takes the whole installation or upgrade back",
  ignore,
  fn: async (t) => {
    await buildBinary();
    await using host = await throwaway();
    await well(
      host,
      "sh",
      "-c",
      `mkdir -p /run/systemd/system && rm -f /usr/bin/systemctl &&
      echo ${btoa(SYSTEMCTL)} | base64 -d > /usr/bin/systemctl && chmod 755 /usr/bin/systemctl`,
    );
    const state = (word: string) =>
      well(host, "sh", "-c", `echo ${word} > /tmp/state; : > /tmp/systemctl.log`);
    const asked = async () => (await well(host, "cat", "/tmp/systemctl.log")).trim().split("\n");
    const sum = async () => (await well(host, "sha256sum", INSTALLED)).split(" ")[0];
    const other = "/tmp/other";
    await well(host, "sh", "-c", `cp ${BINARY} ${other} && printf '\\n' >> ${other}`);

    await t.step("an installation whose service fails leaves nothing", async () => {
      await state("failed");
      await no(
        host,
        /service is failed\. See why: journalctl -u kvm-manager.* was undone/s,
        BINARY,
        "install",
      );
      assert.deepEqual(await present(host, [...PLACES.slice(0, 5), ...OWN, "/tmp/enabled"]), []);
      assert.equal((await host.run("id", "kvm-manager")).code, 1);
    });

    await t.step("an installation whose service stays up has it at boot, too", async () => {
      await state("active");
      await well(host, BINARY, "install");
      assert.deepEqual((await asked()).filter((line) => !/^(show|is-enabled)/.test(line)), [
        "daemon-reload",
        "enable kvm-manager",
        "restart kvm-manager",
      ]);
    });

    await t.step(
      "an upgrade whose service fails puts the program before it back, and starts that",
      async () => {
        const before = await sum();
        await state("failed");
        await no(host, /service is failed/, other, "upgrade");
        assert.equal(await sum(), before);
        assert.equal((await asked()).at(-1), "try-restart kvm-manager");
        assert.deepEqual(await present(host, ["/tmp/enabled", "/usr/local/lib/kvm-manager/previous"]), [
          "/tmp/enabled",
        ]);
        await state("active");
        await well(host, other, "upgrade");
        assert.notEqual(await sum(), before);
      },
    );

    await t.step("uninstall stops it and takes it from the boot; status tells its state", async () => {
      await well(
        host,
        "sh",
        "-c",
        "printf 'ActiveState=active\\nSubState=running\\nUnitFileState=enabled\\n' > /tmp/state",
      );
      const { stdout } = await host.run(INSTALLED, "status");
      assert.match(stdout, /SERVICE +active \(running\), at boot: enabled/);
      await state("active");
      await well(host, INSTALLED, "uninstall", "--yes");
      assert.deepEqual(await asked(), ["disable --now kvm-manager", "daemon-reload"]);
      assert.deepEqual(await present(host, PLACES), []);
    });
  },
});

Deno.test({
  name: "the packages are what Debian's tools take for good, the same twice, and install, upgrade and purge",
  ignore: ignore || await requirement("packaging") !== null,
  fn: async (t) => {
    await buildBinary();
    const dist = `${PROJECT}/dist`;
    const before = await exists("/usr/bin/kvm-manager");
    const pack = async () => {
      await run([Deno.execPath(), "run", "-A", "scripts/package.ts"], { cwd: PROJECT });
      return await Deno.readTextFile(`${dist}/SHA256SUMS`);
    };
    const sums = await pack();
    const named = (end: RegExp) => {
      const name = sums.split("\n").map((line) => line.split("  ")[1] ?? "").find((each) => end.test(each));
      assert.ok(name !== undefined && name !== "", sums);
      return `${dist}/${name}`;
    };
    const [deb, rpm, tar] = [named(/\.deb$/), named(/\.rpm$/), named(/\.tar\.gz$/)];

    await t.step("the same binary gives the same packages", async () => {
      assert.equal(await pack(), sums);
      await run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], { cwd: dist });
    });

    await t.step("dpkg-deb, lintian, rpm and tar read them", async () => {
      assert.match(await run(["dpkg-deb", "-I", deb]), /Package: kvm-manager\n.*Version: \d/s);
      const files = (await run(["dpkg-deb", "-c", deb])).split("\n").map((line) =>
        line.split(/\s+/)[5]?.slice(1)
      );
      for (const path of (await run(["rpm", "-qpl", rpm])).trim().split("\n")) {
        assert.ok(files.includes(path) || files.includes(`${path}/`), path);
      }
      assert.match(await run(["rpm", "-K", "--nosignature", rpm]), /digests OK/);
      assert.match(await run(["tar", "-tzf", tar]), /\/kvm-manager\n/);
      // The program is a shell script with an archive behind it, and says so to the shell in time
      const lintian = [
        "--allow-root",
        "--fail-on=none",
        "--suppress-tags=shell-script-fails-syntax-check",
        deb,
      ];
      const lint = await new Deno.Command("lintian", { args: lintian })
        .output();
      const errors = new TextDecoder().decode(lint.stdout).split("\n").filter((line) =>
        line.startsWith("E: ")
      );
      assert.deepEqual(errors, []);
    });

    await t.step("dpkg installs, upgrades, removes and purges it", async () => {
      await using host = await throwaway();
      const dpkg = ["dpkg", "--force-depends"];
      await well(host, ...dpkg, "-i", deb);
      assert.match(await well(host, "/usr/bin/kvm-manager", "status", "--help"), /^Usage/);
      assert.deepEqual(await modes(host, ...OWN), [
        "750 root:kvm-manager",
        "700 kvm-manager:kvm-manager",
        "700 kvm-manager:kvm-manager",
        "600 root:root",
      ]);
      await well(host, ...dpkg, "-i", deb);
      await well(host, ...dpkg, "-r", "kvm-manager");
      assert.deepEqual(await present(host, ["/usr/bin/kvm-manager", "/var/cache/kvm-manager", ...OWN]), OWN);
      await well(host, ...dpkg, "-P", "kvm-manager");
      assert.deepEqual(await present(host, OWN), []);
    });

    await t.step("dpkg installs it into another root, and leaves this one alone", async () => {
      await using host = await throwaway();
      const root = "/tmp/image";
      await well(host, "mkdir", "-p", `${root}/var/lib/dpkg/info`, `${root}/var/lib/dpkg/updates`);
      await well(host, "touch", `${root}/var/lib/dpkg/status`);
      await well(host, "dpkg", `--root=${root}`, "--force-script-chrootless", "--force-depends", "-i", deb);
      const there = [`${root}/usr/bin/kvm-manager`, `${root}/var/lib/kvm-manager`];
      assert.deepEqual(await present(host, [...there, "/usr/bin/kvm-manager", ...OWN]), there);
    });
    assert.equal(
      await exists("/usr/bin/kvm-manager"),
      before,
      "the package was installed on this very machine",
    );
  },
});
