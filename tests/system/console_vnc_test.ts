/** The graphical console on real machines: open_console(), the WebSocket, the VNC server behind it. */
import assert from "node:assert/strict";
import { CONSOLE_CLOSE } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, EventLog, readyServer, refused, shows } from "../testbed/product.ts";
import { KEY, lit, openSocket, Viewer } from "../testbed/rfb.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

type Vnc = boolean | { password?: string; socket?: boolean };
const machine = (vnc: Vnc, guest = false) =>
  testMachine({
    purpose: "console",
    ...(guest ? {} : { guest: false as const }),
    start: true,
    vnc,
    memoryMiB: guest ? 256 : 64,
  });
const running = (server: TestServer, vmId: string) => shows(server, vmId, ({ state }) => state === "running");

/** Opens a console and goes through its handshake. */
async function view(server: TestServer, vmId: string, viewOnly = false): Promise<Viewer> {
  const ticket = await call(server, "open_console", { vmId, kind: "vnc", viewOnly });
  return await Viewer.join(await openSocket(server, ticket));
}

/** Width and height of a machine's screen as libvirt's own screenshot has them. */
async function screenSize(name: string): Promise<[number, number]> {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await virsh("screenshot", name, file);
    const bytes = await Deno.readFile(file);
    const view = new DataView(bytes.buffer);
    // PNG: width and height stand at 16 and 20; PPM (an older QEMU): "P6\nWIDTH HEIGHT\n"
    if (view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)];
    const [, width, height] = /^P6\s+(\d+)\s+(\d+)/.exec(new TextDecoder().decode(bytes.subarray(0, 32))) ??
      [];
    return [Number(width), Number(height)];
  } finally {
    await Deno.remove(file);
  }
}

/** Waits until the firmware has written something on the screen. */
async function firstLight(viewer: Viewer): Promise<number> {
  return await until("something on the screen", async () => {
    const seen = lit(await viewer.frame());
    return seen > 100 && seen;
  }, { seconds: 30 });
}

Deno.test({
  name: "open_console() shows the machine's own screen, whatever its VNC server asks for",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    for (
      const [what, vnc] of Object.entries(
        {
          "TCP without a password": true,
          "TCP with a password": { password: "geheim12" },
          "a UNIX socket": { socket: true },
          "a password longer than VNC's eight characters": { password: "abcdefgh" },
        } satisfies Record<string, Vnc>,
      )
    ) {
      await t.step(what, async () => {
        await using vm = await machine(vnc);
        await running(server, vm.uuid);
        await using viewer = await view(server, vm.uuid);
        assert.ok(await firstLight(viewer) > 100);
        // The firmware changes its mode while it starts: asked again, both are of the same moment.
        await until("the size that libvirt's screenshot has", async () => {
          await using next = await view(server, vm.uuid);
          const [width, height] = await screenSize(vm.name);
          return next.width === width && next.height === height;
        }, { seconds: 20 });
      });
    }
  },
});

Deno.test({
  name:
    "open_console() gives tickets that are good once, for their machine, from our own pages (threats 12, 13)",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine(true);
    await using other = await machine(true);
    await running(server, vm.uuid);
    await running(server, other.uuid);
    const ticket = () => call(server, "open_console", { vmId: vm.uuid, kind: "vnc" });
    const refusedWith = (status: number, opening: Promise<unknown>) =>
      assert.rejects(opening, new RegExp(`Unexpected server response: ${status}`));

    const used = await ticket();
    await using _viewer = await Viewer.join(await openSocket(server, used));
    await refusedWith(403, openSocket(server, used));

    const elsewhere = await ticket();
    const { path } = await call(server, "open_console", { vmId: other.uuid, kind: "vnc" });
    await refusedWith(403, openSocket(server, { ...elsewhere, path }));
    await refusedWith(403, openSocket(server, elsewhere)); // burnt by the attempt

    await refusedWith(403, openSocket(server, { ...used, ticket: "" }));
    await refusedWith(403, openSocket(server, { ...used, ticket: "a".repeat(43) }));
    await refusedWith(404, openSocket(server, { ticket: "x", path: "/consoles/none/x" }));
    for (const origin of ["null", "http://evil.example", `${server.url}.evil.example`, `${server.url}0`]) {
      await refusedWith(403, openSocket(server, await ticket(), { origin }));
    }
    await refusedWith(403, openSocket(server, await ticket(), {}));
    await refusedWith(
      403,
      openSocket(server, await ticket(), { origin: server.url, "sec-fetch-site": "cross-site" }),
    );
    assert.doesNotMatch(server.log(), new RegExp(used.ticket), "a ticket is in the log");
  },
});

Deno.test({
  name: "open_console() says why there is none",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine(false);
    await running(server, vm.uuid);
    const ask = (vmId: string) => call(server, "open_console", { vmId, kind: "vnc" });
    await refused(ask(vm.uuid), "VncNotConfigured", "VNC not configured for this VM");
    await refused(ask("nobody"), "VmNotFound", "VM not found: nobody");
    await call(server, "force_stop_vm", { vmId: vm.uuid });
    await refused(ask(vm.uuid), "VmNotRunning", "VM is not running");
    await refused(server.call("open_console", { vmId: vm.uuid, kind: "telnet" }), "InvalidInput");
  },
});

Deno.test({
  name: "A console closes with the machine, and says so; another can be opened when it runs again",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine(true);
    await running(server, vm.uuid);
    await using viewer = await view(server, vm.uuid);
    await using second = await view(server, vm.uuid);
    await firstLight(second);
    await virsh("destroy", vm.name);
    const stopped = { code: CONSOLE_CLOSE.vmStopped, reason: "VM is not running" };
    assert.deepEqual(await viewer.ended, stopped);
    assert.deepEqual(await second.ended, stopped);
    await virsh("start", vm.name);
    await running(server, vm.uuid);
    await using again = await view(server, vm.uuid);
    await firstLight(again);
  },
});

Deno.test({
  name: "A console passes keys on, unless its ticket is for looking only",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine(true, true);
    await using events = await EventLog.open(server);
    await running(server, vm.uuid);
    await vm.waitForBoot();
    const reboots = () =>
      events.of("activity").filter(({ action, vmId }) => action === "reboot" && vmId === vm.uuid).length;
    // The kernel of the guest restarts at once on Ctrl+Alt+Del: nothing in it handles the keys.
    await using looking = await view(server, vm.uuid, true);
    looking.press(KEY.control, KEY.alt, KEY.delete);
    await firstLight(looking);
    await delay(1000);
    assert.equal(reboots(), 0, "a viewer's keys reached the guest");
    await using typing = await view(server, vm.uuid);
    typing.press(KEY.control, KEY.alt, KEY.delete);
    await until("the guest's restart", () => Promise.resolve(reboots() > 0), { seconds: 20 });
  },
});

Deno.test({
  name: "A viewer that does not read costs the server next to nothing (threat 20, fault 16)",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine(true);
    await running(server, vm.uuid);
    const deaf = await view(server, vm.uuid);
    await firstLight(deaf);
    const before = await server.rss();
    deaf.socket.pause();
    // Whole screens, 1.2 MB each, again and again
    for (let round = 0; round < 400; round++) {
      deaf.ask();
      if (round % 10 === 0) await delay(5);
    }
    await delay(2000);
    const grown = await server.rss() - before;
    assert.ok(grown < 40e6, `the server grew by ${Math.round(grown / 1e6)} MB`);
    await using other = await view(server, vm.uuid);
    assert.ok(await firstLight(other) > 0, "others are served meanwhile");
    deaf.socket.terminate();
  },
});

Deno.test({
  name: "get_viewer_file() is what remote-viewer opens, with the password",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await machine({ password: "geheim12" });
    await using hidden = await machine({ socket: true });
    const { vncPort } = await running(server, vm.uuid);
    await running(server, hidden.uuid);
    const { content, fileName } = await call(server, "get_viewer_file", { vmId: vm.uuid });
    assert.equal(fileName, `${vm.name}.vv`);
    const settings = Object.fromEntries(content.split("\n").slice(1, -1).map((line) => line.split("=", 2)));
    assert.equal(settings.type, "vnc");
    assert.equal(settings.port, String(vncPort));
    assert.equal(settings.password, "geheim12");
    const port = 5900 + Number((await virsh("vncdisplay", vm.name)).split(":")[1]);
    assert.equal(vncPort, port);
    await refused(call(server, "get_viewer_file", { vmId: hidden.uuid }), "NoViewer", /UNIX socket only/);
  },
});
