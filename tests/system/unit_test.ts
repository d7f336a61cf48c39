/** The systemd unit: what systemd itself thinks of it, and that the product works under what it allows. */
import assert from "node:assert/strict";
import { CAPABILITIES } from "../../lib/system/install/unit.ts";
import { aloneWith } from "../testbed/alone.ts";
import { testbedDir } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { run } from "../testbed/process.ts";
import { directives, sandboxed } from "../testbed/sandbox.ts";
import { requirement } from "../testbed/skip.ts";
import { type Throwaway, throwaway } from "../testbed/throwaway.ts";
import { until } from "../testbed/wait.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";

const ignore = await requirement("sandbox") !== null || skippedUnlessRoot();
const UNIT = "/etc/systemd/system/kvm-manager.service";
const INSTALLED = "/usr/local/bin/kvm-manager";
/** Of 10; 9.6 is a service with no sandbox at all. */
const MOST_EXPOSURE = 4;

async function well(host: Throwaway, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(...argv);
  assert.equal(code, 0, `${argv.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** The product, installed in a throwaway copy of this machine. */
async function product(): Promise<Throwaway> {
  const host = await throwaway(testbedDir());
  await well(host, await buildBinary(), "install");
  // RuntimeDirectory= and ExecStartPre=+, as systemd does them
  await well(
    host,
    "install",
    "-d",
    "-o",
    "kvm-manager",
    "-g",
    "kvm-manager",
    "-m",
    "0750",
    "/run/kvm-manager",
  );
  await well(host, INSTALLED, "--version");
  return host;
}

async function sandboxOf(
  host: Throwaway,
  without: readonly string[] = [],
  writable: readonly string[] = [],
): Promise<string[]> {
  const unit = await well(host, "cat", UNIT);
  const paths = [
    ...directives(unit, "InaccessiblePaths"),
    ...directives(unit, "ReadWritePaths"),
    "/home",
    "/root",
  ]
    .map((path) => path.replace(/^-/, ""));
  const present = new Set<string>();
  for (const path of paths) if ((await host.run("test", "-e", path)).code === 0) present.add(path);
  return sandboxed(unit, (path) => present.has(path), { without, writable });
}

Deno.test({
  name: `systemd finds nothing wrong with the unit, and its exposure is at most ${MOST_EXPOSURE} (threat 21)`,
  ignore,
  fn: async () => {
    await using host = await product();
    const { stderr } = await host.run("systemd-analyze", "verify", "--man=no", UNIT);
    assert.deepEqual(stderr.split("\n").filter((line) => line.includes("kvm-manager")), []);
    const report = await well(host, "systemd-analyze", "security", "--offline=true", "--no-pager", UNIT);
    const score = Number(/Overall exposure level for kvm-manager\.service: ([\d.]+)/.exec(report)?.[1]);
    console.log(`systemd-analyze security: ${score} (at most ${MOST_EXPOSURE})`);
    assert.ok(score <= MOST_EXPOSURE, report);
  },
});

Deno.test({
  name: "under the unit's sandbox what the product does not need is refused (threats 19, 21)",
  ignore,
  fn: async () => {
    await using host = await product();
    const sandbox = await sandboxOf(host);
    await well(
      host,
      "sh",
      "-c",
      "mkdir -p /root/.ssh && echo secret > /root/.ssh/id_test && chmod 600 /root/.ssh/id_test",
    );
    const refused = async (...argv: string[]) => {
      const { code, stdout } = await host.run(...sandbox, ...argv);
      assert.notEqual(code, 0, `${argv.join(" ")} was possible: ${stdout}`);
    };
    const status = await well(host, ...sandbox, "cat", "/proc/self/status");
    const bits = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s+(\\w+)$`, "m").exec(status)?.[1]}`);
    const count = (value: bigint) => value.toString(2).replaceAll("0", "").length;
    for (const set of ["CapEff", "CapBnd", "CapPrm"]) {
      assert.equal(count(bits(set)), Object.keys(CAPABILITIES).length);
    }
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Uid:\s+(?!0\b)\d+/m);
    for (const path of ["/root/.ssh/id_test", "/etc/shadow"]) await refused("grep", "-q", ".", path);
    for (
      const path of ["/etc/x", "/usr/bin/x", "/boot/x", "/root/x", "/var/cache/kvm-manager/x", "/srv/x", "/x"]
    ) {
      await refused("touch", path);
    }
    await refused(
      "sh",
      "-c",
      "cat /var/cache/kvm-manager/*/main.js > /dev/null && echo >> /etc/kvm-manager/config.toml",
    );
    await refused("mount", "-t", "tmpfs", "x", "/mnt");
    await refused("chown", "root", "/var/lib/kvm-manager");
    await refused("setpriv", "--reuid=0", "true");
    await refused("unshare", "--mount", "true");
    await refused("mknod", "/var/lib/kvm-manager/sda", "b", "8", "0");
    for (const path of ["/var/lib/kvm-manager/x", "/run/kvm-manager/x", "/var/lib/libvirt/x", "/tmp/x"]) {
      await well(host, ...sandbox, "touch", path);
    }
  },
});

Deno.test({
  name:
    "under the unit's sandbox it reaches libvirt, makes a volume, starts a guest, shows its screen, saves its state",
  ignore,
  fn: async (t) => {
    using _accounts = await aloneWith("accounts");
    await using libvirt = await privateLibvirt("unit");
    const vm = await libvirt.machine();
    const folder = libvirt.uri.replace(/.*=/, "").replace(/\/run\/libvirt-sock$/, "");
    const screen = "<graphics type='vnc' port='-1'/><video><model type='vga'/></video></devices>";
    const definition = await Deno.readTextFile(vm.definition);
    await Deno.writeTextFile(vm.definition, definition.replace("</devices>", screen));
    await libvirt.virsh("define", vm.definition);
    await Deno.mkdir(`${folder}/pool`);
    await libvirt.virsh("pool-define-as", "unit", "dir", "--target", `${folder}/pool`);
    await libvirt.virsh("pool-start", "unit");
    // As Debian's libvirtd has it: the group's members get in
    const group = (await run(["getent", "group", "libvirt"])).split(":")[2];
    await run(["chown", `root:${group}`, `${folder}/run/libvirt-sock`]);
    await Deno.chmod(`${folder}/run/libvirt-sock`, 0o660);
    await using host = await product();
    // libvirtd asks who its clients are
    for (const name of ["passwd", "group"]) {
      await Deno.writeTextFile(`${folder}/${name}`, await well(host, "cat", `/etc/${name}`));
      await libvirt.inside("mount", "--bind", `${folder}/${name}`, `/etc/${name}`);
    }
    const call = (name: string, input: unknown = {}) =>
      host.run(INSTALLED, "call", name, JSON.stringify(input));
    const answer = async (name: string, input: unknown = {}) => {
      const { code, stdout, stderr } = await call(name, input);
      assert.equal(code, 0, `${name}: ${stderr}`);
      return JSON.parse(stdout);
    };

    const serve = async (without: readonly string[], writable: readonly string[] = []) => {
      const argv = [
        ...await sandboxOf(host, without, writable),
        INSTALLED,
        "serve",
        "--uri",
        libvirt.uri,
        "--virt-type",
        "qemu",
      ];
      const [program, ...args] = host.argv(...argv);
      const child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "piped" })
        .spawn();
      let log = "";
      const reading = (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
      })();
      await until("the product to reach libvirt", async () => {
        const { code, stdout } = await call("get_connection_status");
        return code === 0 && JSON.parse(stdout).connected === true;
      }, { seconds: 30, lastSeen: () => log });
      return {
        [Symbol.asyncDispose]: async () => {
          // The whole chain dies with its parent
          child.kill("SIGKILL");
          await child.status;
          await reading;
        },
      };
    };

    await t.step("with the unit's capabilities everything works", async () => {
      await using _server = await serve([]);
      const { vmId } = { vmId: vm.uuid };
      // A change of its definition needs a lock, for which the service has one folder of /run
      await answer("set_tags", { vmId, tags: ["unit"] });
      await answer("start_vm", { vmId });
      assert.equal(await vm.state(), "running");
      const volume = { pool: "unit", name: "made.qcow2", format: "qcow2", capacityBytes: 1 << 30 };
      await answer("create_volume", volume);
      assert.match(await libvirt.virsh("vol-list", "unit"), /made\.qcow2/);
      const picture = await answer("screenshot_vm", { vmId });
      assert.match(JSON.stringify(picture), /iVBOR|image\/png/);
      await well(host, INSTALLED, "status");
      await well(host, INSTALLED, "backup-state", "/root/unit.state");
      assert.equal((await well(host, "stat", "-c", "%a", "/root/unit.state")).trim(), "600");
      const { code, stderr } = await host.run(INSTALLED, "restore-state", "--yes", "/root/unit.state");
      assert.deepEqual([code, /a server runs on this state/.test(stderr)], [1, true], stderr);
      await answer("delete_volume", { pool: "unit", volume: "made.qcow2" });
      await answer("force_stop_vm", { vmId });
      const health = await answer("get_host_health") as { area: string; what: string }[];
      assert.deepEqual(health.filter(({ area }) => area === "groups").map(({ what }) => what), [
        "kvm-manager is in libvirt and kvm",
      ]);
      assert.deepEqual(health.filter(({ what }) => what.includes("could not be looked at")), []);
      const forwards = await host.run(...await sandboxOf(host), "nft", "list", "tables");
      assert.equal(forwards.code, 0, forwards.stderr);
      // Its group's members are operators at its socket, as `--socket-group auto` says
      await well(host, "useradd", "--create-home", "--groups", "kvm-manager", "ann");
      await well(host, "useradd", "--create-home", "bob");
      const as = (user: string, ...argv: string[]) =>
        host.run("setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", INSTALLED, ...argv);
      const seen = await as("ann", "vm", "list", "-o", "name");
      assert.deepEqual([seen.code, seen.stdout.trim()], [0, vm.name], seen.stderr);
      assert.equal((await as("ann", "user", "list")).code, 6);
      const shut = await as("bob", "vm", "list");
      assert.deepEqual(
        [shut.code, /used by root and its group alone/.test(shut.stderr)],
        [6, true],
        shut.stderr,
      );
      // Nothing it made is anybody else's to read
      const open = await well(
        host,
        "find",
        "/var/lib/kvm-manager",
        "/run/kvm-manager",
        "-perm",
        "/0007",
        "!",
        "-type",
        "l",
      );
      assert.equal(open, "");
    });

    const volume = (name: string) => ({ pool: "unit", volume: name });
    await t.step(
      "where it may not write, libvirt copies, and gets no image that is built on another",
      async () => {
        await using _server = await serve([]);
        const made = { pool: "unit", format: "qcow2", capacityBytes: 1 << 20 };
        await answer("create_volume", { ...made, name: "base.qcow2" });
        await answer("create_volume", { ...made, name: "over.qcow2", backing: "unit/base.qcow2" });
        await answer("clone_volume", { ...volume("base.qcow2"), name: "base-copy.qcow2" });
        const { code, stderr } = await call("clone_volume", { ...volume("over.qcow2"), name: "copy.qcow2" });
        assert.deepEqual([code, /built on .*base\.qcow2.*ReadWritePaths=/.test(stderr)], [2, true], stderr);
        assert.doesNotMatch(await libvirt.virsh("vol-list", "unit"), / copy\.qcow2/);
      },
    );
    await t.step("where it may, it names each image of the chain itself", async () => {
      await using _server = await serve([], [`${folder}/pool`]);
      await answer("clone_volume", { ...volume("over.qcow2"), name: "copy.qcow2" });
      assert.doesNotMatch(await libvirt.virsh("vol-dumpxml", "copy.qcow2", "unit"), /backingStore/);
    });
    await t.step("its group alone lets it in at libvirt: machines run without any capability", async () => {
      await using _server = await serve(Object.keys(CAPABILITIES));
      await answer("start_vm", { vmId: vm.uuid });
      assert.equal(await vm.state(), "running");
      await answer("force_stop_vm", { vmId: vm.uuid });
      const { code } = await host.run(
        ...await sandboxOf(host, Object.keys(CAPABILITIES)),
        "nft",
        "list",
        "tables",
      );
      assert.notEqual(code, 0);
    });
    await t.step("a saved state is put back once the server has stopped", async () => {
      await well(host, INSTALLED, "restore-state", "--yes", "/root/unit.state");
      const [owner] = (await well(host, "stat", "-c", "%U", "/var/lib/kvm-manager/kvm-manager.db")).trim()
        .split("\n");
      assert.equal(owner, "kvm-manager");
    });
  },
});
