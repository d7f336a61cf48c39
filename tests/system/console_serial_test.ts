/** Serial consoles: a real shell on a real ttyS0, through the product's WebSocket. */
import assert from "node:assert/strict";
import { CONSOLE_CLOSE } from "../../lib/contract/console_close.ts";
import { URI, virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { openSocket } from "../testbed/rfb.ts";
import { SerialClient } from "../testbed/serial.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("serial") !== null;

Deno.test({
  name: "a serial console is a shell: typed into, read from, taken over, and gone with its machine",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "serial", start: true });
    const vmId = vm.uuid;
    await vm.waitForBoot();
    await shows(server, vmId, ({ state }) => state === "running");
    const open = (force = false) => SerialClient.open(server, vmId, force);

    await t.step("what is typed is run, and what it prints arrives", async () => {
      await using console = await open();
      await console.run("echo sum $((40 + 2))", "sum 42");
      console.socket.send(JSON.stringify({ type: "resize", cols: 120, rows: 40 }));
      await console.run("echo still $((1 + 1))", "still 2");
      assert.match(await vm.serial(), /sum 42/, "libvirt's own log of the line says the same");
    });
    await t.step("1 MB arrives whole and in order", async () => {
      await using console = await open();
      const lines = 16_000, width = 64;
      await console.run("stty -echo; echo quiet $((1 + 2))", "quiet 3");
      const from = console.text.length;
      console.type(
        `awk 'BEGIN { for (n = 0; n < ${lines}; n++) printf "%0${width - 2}d\\n", n; print "EN" "D" }'\n`,
      );
      await console.waitFor("END", { from, seconds: 180 });
      const got = console.text.slice(from).match(/\d{62}/g) ?? [];
      assert.equal(got.length, lines);
      got.forEach((line, index) => assert.equal(line, String(index).padStart(width - 2, "0")));
      await console.run("stty echo; echo loud $((1 + 2))", "loud 3");
    });
    await t.step("32 KB typed at once arrive whole", async () => {
      await using console = await open();
      await console.run(
        "stty raw -echo; echo ready $((9 * 9)); head -c 32768 | md5sum; stty sane",
        "ready 81",
      );
      const bytes = new Uint8Array(32_768).map((_, index) => 97 + index % 26);
      const from = console.text.length;
      console.socket.send(bytes);
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", "yes abcdefghijklmnopqrstuvwxyz | tr -d '\\n' | head -c 32768 | md5sum"],
      }).output();
      await console.waitFor(new TextDecoder().decode(stdout).slice(0, 32), { from, seconds: 60 });
    });
    await t.step("a second one is told who is in the way, and the first goes on", async () => {
      await using first = await open();
      await first.run("echo one $((4 * 4))", "one 16");
      await using second = await open();
      const { code, reason } = await second.closed;
      assert.equal(code, CONSOLE_CLOSE.inUse);
      assert.match(reason, /Another session holds the serial console/);
      await first.run("echo $((3 * 3))", "9");
    });
    await t.step("taking over ends the first, which is told", async () => {
      await using first = await open();
      await first.run("echo one $((4 * 4))", "one 16");
      await using second = await open(true);
      const { code, reason } = await first.closed;
      assert.equal(code, CONSOLE_CLOSE.takenOver);
      assert.match(reason, /took the serial console over/);
      await second.run("echo $((7 * 6))", "42");
    });
    await t.step("six who take over at once leave one of them with the line", async () => {
      const all = await Promise.all(Array.from({ length: 6 }, () => open(true)));
      // Each is told as soon as the next one has the line; the last one keeps it.
      const holders = () => all.filter(({ socket }) => socket.readyState === socket.OPEN);
      await until("five to be told that they lost it", () => Promise.resolve(holders().length <= 1), {
        seconds: 60,
        lastSeen: () => `${holders().length} are open`,
      });
      const held = holders();
      assert.equal(held.length, 1);
      await held[0]!.run("echo $((11 * 11))", "121");
      for (const each of all) await each[Symbol.asyncDispose]();
    });
    await t.step("virsh in the way is told of as well, and can be taken over from", async () => {
      const virshConsole = (...flags: string[]) =>
        new TerminalProgram(["virsh", "-c", URI, "console", vm.name, ...flags]);
      await using holder = virshConsole();
      await holder.waitFor("Connected to domain");
      await delay(500);
      await using refused = await open();
      assert.equal((await refused.closed).code, CONSOLE_CLOSE.inUse);
      await using console = await open(true);
      await console.run("echo $((12 * 12))", "144");
      await holder.ended();
      await using taker = virshConsole("--force");
      assert.equal((await console.closed).code, CONSOLE_CLOSE.takenOver);
      await taker.type("\x1d"); // Ctrl+] leaves virsh
      await taker.ended();
    });
    await t.step("20 opened and closed leave no descriptor behind, and no worker (fault 6)", async () => {
      const count = async (what: "fd" | "task") =>
        (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/${what}`))).length;
      await delay(8000); // the worker ends some seconds after the last console
      const [descriptors, threads] = [await count("fd"), await count("task")];
      for (let n = 0; n < 20; n++) {
        await using console = await open(true);
        await console.run("", "# ");
      }
      await until("everything to be given back", async () => {
        const now = [await count("fd"), await count("task")] as const;
        // Files are read by threads that end ten seconds later: one left for each console would be twenty
        return now[0] <= descriptors + 2 && now[1] <= threads + 8;
      }, {
        seconds: 60,
        lastSeen: async () => `${await count("fd")} of ${descriptors}, ${await count("task")} of ${threads}`,
      });
    });
    await t.step("what is no message of ours ends it", async () => {
      for (const message of ["hello", '{"type":"resize"}', "{"]) {
        await using console = await open();
        console.socket.send(message);
        assert.equal((await console.closed).code, CONSOLE_CLOSE.protocol);
      }
    });
    await t.step("it survives a reboot of the guest, and goes with the machine", async () => {
      await using console = await open();
      await console.run("echo before $((4 * 4))", "before 16");
      const boots = await vm.boots();
      await call(server, "reset_vm", { vmId });
      await vm.waitForBoot(boots + 1);
      await console.run("echo after $((5 * 5))", "after 25", { seconds: 60 });
      await virsh("destroy", vm.name);
      const { code, reason } = await console.closed;
      assert.deepEqual([code, reason], [CONSOLE_CLOSE.vmStopped, "VM is not running"]);
      await refused(call(server, "open_console", { vmId, kind: "serial" }), "VmNotRunning");
    });
    await t.step("it is back when the machine is", async () => {
      await call(server, "start_vm", { vmId });
      await vm.waitForBoot();
      await using console = await open();
      await console.run("echo again $((6 * 6))", "again 36");
    });
    await t.step("a ticket is good once", async () => {
      const ticket = await call(server, "open_console", { vmId, kind: "serial" });
      const first = await openSocket(server, ticket);
      await assert.rejects(openSocket(server, ticket), /403/);
      first.close();
    });
    await t.step("its audit is kept", async () => {
      const activity = await call(server, "get_activity", { vmId, limit: 50 });
      assert.ok(activity.some(({ action, result }) => action === "open_console" && result === "ok"));
      assert.equal(
        JSON.stringify(activity).includes("sum 42"),
        false,
        "input and output are in no log",
      );
    });
  },
});
