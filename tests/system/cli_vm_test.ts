/** The command line with habits of virt-install, virsh, incus and kubectl, on real machines. */
import assert from "node:assert/strict";
import { CommandLine, type Said } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { readyServer, shows } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const noQemu = await requirement("qemu") !== null;
const noGuest = await requirement("guest") !== null;

function done({ status, out, err }: Said): string {
  assert.equal(status, 0, err);
  return out;
}

/** A server and its command line. */
async function withServer(
  run: (cli: CommandLine, server: Awaited<ReturnType<typeof readyServer>>) => Promise<void>,
) {
  await using server = await readyServer({ logLevel: "warn" });
  await run(new CommandLine({ KVMM_SOCKET: server.socket }), server);
}

Deno.test({
  name: "vm start, stop and wait take several names and patterns, and wait for state and agent",
  ignore: noGuest,
  fn: () =>
    withServer(async (cli, server) => {
      await using one = await testMachine({ purpose: "cli-many", memoryMiB: 192 });
      await using two = await testMachine({
        purpose: "cli-many",
        memoryMiB: 192,
        guest: false,
        agent: false,
      });
      for (const { uuid } of [one, two]) await shows(server, uuid, (vm) => vm.state === "stopped");
      const started = await cli.run(["vm", "start", "kvmm-test-cli-many*", "--wait", "--timeout", "1m"]);
      assert.match(done(started), /^NAME +RESULT\n(kvmm-test-cli-many\S+ +done\n){2}$/);
      assert.equal(await one.state(), "running");
      done(await cli.run(["vm", "wait", one.name, "agent", "--timeout", "90s"]));
      const late = await cli.run(["vm", "wait", two.name, "agent", "--timeout", "1s"]);
      assert.deepEqual([late.status, late.out], [7, ""]);
      assert.match(late.err, /its guest agent does not answer after 1 s \(it is running\)/);
      // The second has no guest that could hear it: it does not hold the first up, and is told of.
      const both = cli.run(["vm", "stop", one.name, two.name, "--wait", "--timeout", "40s"]);
      await one.waitFor("shut off");
      await virsh("destroy", two.name); // what it would be waited for in vain
      done(await both);
      await two.start();
      await shows(server, two.uuid, (vm) => vm.state === "running");
      const stopped = await cli.run(["vm", "stop", two.name, "--wait", "--timeout", "1s"]);
      assert.equal(stopped.status, 7, stopped.err);
      assert.match(stopped.err, new RegExp(`${two.name}: it is still running`));
      const off = await cli.run(["vm", "force-stop", one.name, two.name, "--yes", "-o", "json"]);
      assert.equal(off.status, 1);
      const { results } = JSON.parse(off.out) as { results: { name: string; success: boolean }[] };
      assert.deepEqual(results.map(({ name, success }) => [name, success]), [[one.name, false], [
        two.name,
        true,
      ]]);
    }),
});

Deno.test({
  name: "vm create takes virt-install's words; resize-disk grows; delete says what became of the disks",
  ignore: noQemu,
  fn: () =>
    withServer(async (cli) => {
      const name = await testName("cli-create");
      await using pool = await testPool("cli-create");
      try {
        const line = ["vm", "create", name, "--cpus", "1", "--memory", "128M", "--network", "none"];
        const disks = ["--input", JSON.stringify({ disks: [{ sizeGb: 1, pool: pool.name }] })];
        const dry = await cli.run([...line, ...disks, "--dry-run"]);
        assert.match(done(dry), /<memory unit='MiB'>128</);
        assert.doesNotMatch(await virsh("list", "--all", "--name"), new RegExp(name), "nothing was done");
        const wrong = await cli.run([...line, "--memory", "1M", "--dry-run"]);
        assert.equal(wrong.status, 2);
        assert.match(wrong.err, /minimum 128MB/);
        done(await cli.run([...line, ...disks]));
        done(await cli.run(["vm", "tag", name, "web", "production"]));
        assert.equal(
          done(await cli.run(["vm", "list", "--filter", `name=${name}`, "--columns", "name,cpus,tags"])),
          `NAME${" ".repeat(name.length - 2)}CPUS  TAGS\n${name}  1     web,production\n`,
        );
        done(await cli.run(["vm", "autostart", name, "on"]));
        assert.match(await virsh("dominfo", name), /Autostart: +enable/);
        assert.match(done(await cli.run(["vm", "resize-disk", name, "vda", "+2G"])), /3 GiB/);
        const kept = await cli.run(["vm", "delete", name, "--yes"]);
        assert.match(
          done(kept),
          new RegExp(`^Deleted ${name}\\.\n {2}kept +\\S+/${name}.* \\(not asked for`),
        );
      } finally {
        await removeDomain(name);
        await releaseName(name);
      }
    }),
});

Deno.test({
  name: "vm export and screenshot are the file itself in a pipe, and --out writes it",
  ignore: noQemu,
  fn: () =>
    withServer(async (cli, server) => {
      await using vm = await testMachine({
        purpose: "cli-files",
        memoryMiB: 128,
        guest: false,
        vnc: true,
        start: true,
      });
      await using folder = await testFolder();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const xml = done(await cli.run(["vm", "export", vm.name]));
      assert.match(xml, /^<domain [^]*<\/domain>\n$/);
      const out = `${folder.path}/vm.xml`;
      assert.equal(done(await cli.run(["vm", "export", vm.name, "--out", out])), "");
      assert.equal(await Deno.readTextFile(out), xml);
      assert.match(done(await cli.run(["vm", "export", vm.name, "-o", "json"])), /"fileName"/);
      const picture = `${folder.path}/vm.png`;
      done(await cli.run(["vm", "screenshot", vm.name, "--out", picture]));
      assert.deepEqual([...(await Deno.readFile(picture)).subarray(1, 4)], [
        ...new TextEncoder().encode("PNG"),
      ]);
      const again = await cli.run(["vm", "screenshot", vm.name, "--out", picture]);
      assert.deepEqual([again.status, /there already/.test(again.err)], [2, true]);
    }),
});

Deno.test({
  name: "vm edit asks again for an XML that libvirt does not take, and keeps what is right",
  ignore: noQemu,
  fn: () =>
    withServer(async (_cli, server) => {
      await using vm = await testMachine({ purpose: "cli-edit", memoryMiB: 128, guest: false });
      await using folder = await testFolder();
      await shows(server, vm.uuid, ({ state }) => state === "stopped");
      // The first time it makes it wrong, the second time right.
      const editor = `${folder.path}/editor`;
      await Deno.writeTextFile(
        editor,
        `#!/bin/sh
if [ -e "${folder.path}/again" ]; then
  sed -i -e '/<nonsense/d' -e 's#</name>#</name><title>edited</title>#' "$1"
else
  : >"${folder.path}/again"
  sed -i 's#<devices>#<devices>\\n<nonsense/>#' "$1"
fi
`,
        { mode: 0o755 },
      );
      await using terminal = new TerminalProgram([
        ...["env", `KVMM_SOCKET=${server.socket}`, `EDITOR=${editor}`],
        ...[await buildBinary(), "vm", "edit", vm.name],
      ]);
      await terminal.waitFor("Edit it again?");
      assert.match(terminal.text, /line \d+, <nonsense>/);
      await terminal.type("y\r");
      await terminal.waitFor("Saved.");
      assert.equal((await terminal.ended()).status, 0);
      await until("the title", async () => (await virsh("desc", "--title", vm.name)).trim() === "edited", {
        seconds: 10,
        every: 50,
      });
    }),
});
