/** `kvm-manager tui` in a real terminal (tmux), on real VMs. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { BINARY_ENV, buildBinary } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";
import { Tmux, type TmuxOptions } from "../testbed/tmux.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "tmux") !== null;

const tui = async (args: readonly string[], options: TmuxOptions = {}) =>
  await Tmux.start([await buildBinary(), "tui", ...args], {
    ...options,
    env: { ...BINARY_ENV, ...options.env },
  });

/** As much of a name as the narrowest list shows. */
const begin = (name: string) => name.slice(0, 14);

/** Searches for a VM, so that it is the one that is selected. @param label stands before what is typed */
async function find(terminal: Tmux, name: string, label = "Search"): Promise<void> {
  await terminal.press("/");
  await terminal.type(name);
  await terminal.press("Enter");
  // Others' VMs are on the same libvirt: only the one that is searched for has this name
  await terminal.shows(new RegExp(`${label}: ${name}\\n.*NAME.*\\n[▶>] ${begin(name)}[^\\n]*\\n\\n`));
}

/** Goes down in a form to a field that is empty. */
async function goTo(terminal: Tmux, field: string): Promise<void> {
  const current = async () => /^▶ (\S+)/m.exec(await terminal.screen())?.[1];
  for (let at = await current(); at !== field;) {
    const before = at;
    await terminal.press("Down");
    at = await until("the next field", async () => {
      const now = await current();
      return now !== before && now;
    }, { seconds: 5, every: 20 });
  }
}

Deno.test({
  name: "tui: VMs are found, started, looked at, stopped, killed after y, kept after n",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tui" });
    await using other = await testMachine({ purpose: "tui-other", guest: false, memoryMiB: 64 });
    await known(server, vm.uuid);
    await known(server, other.uuid);
    await using terminal = await tui(["--socket", server.socket]);

    await t.step("the list has them, with the keys that mean something", async () => {
      const screen = await terminal.shows(/live *\n +NAME +STATE/);
      assert.match(screen, /\? keys/);
    });
    await t.step("search leaves out the others", async () => {
      await find(terminal, vm.name);
      assert.doesNotMatch(await terminal.screen(), /tui-other/);
    });
    await t.step("s starts it, and the list shows it by its events", async () => {
      await terminal.press("s");
      await terminal.shows(/● running/);
      assert.equal(await vm.state(), "running");
      // What it is by virsh is shown within the two seconds
      await vm.waitForBoot();
      await virsh("suspend", vm.name);
      await terminal.shows(/◐ paused/, { seconds: 2 });
      await terminal.press("s");
      await terminal.shows(/● running/);
      await vm.waitFor("running");
    });
    await t.step("details", async () => {
      await terminal.press("Enter");
      const screen = await terminal.shows(vm.uuid);
      assert.match(screen, /State +● running/);
      assert.match(screen, /CPUs +1/);
      await terminal.press("Escape");
      await terminal.shows(/Enter details/);
    });
    await t.step("the page of keys names every one", async () => {
      await terminal.press("?");
      const screen = await terminal.shows("Everywhere");
      for (const each of ["Force off", "Reboot", "Suspend to disk", "search"]) {
        assert.ok(screen.includes(each), each);
      }
      await terminal.press("Escape");
      await terminal.shows(/Enter details/);
    });
    await t.step("K asks; n, Esc and what is pasted kill nothing; y does", async () => {
      for (const no of ["n", "Escape"]) {
        await terminal.press("K");
        await terminal.shows(/Force off: .*\?/);
        await terminal.press(no);
        await terminal.shows(/Enter details/);
      }
      await terminal.press("K");
      await terminal.shows(/Force off: .*\?/);
      await terminal.paste("y\ny");
      await terminal.press("x", "Enter");
      assert.match(await terminal.screen(), /Force off: .*\?/);
      assert.equal(await vm.state(), "running");
      await terminal.press("y");
      await terminal.shows(/was powered off/);
      await vm.waitFor("shut off");
      await terminal.shows(/○ stopped/);
      await terminal.press("K"); // means nothing for one that is off
      assert.doesNotMatch(await terminal.screen(), /Force off: /);
    });
    await t.step("t asks the guest to shut down", async () => {
      await terminal.press("s");
      await terminal.shows(/● running/);
      await vm.waitForBoot();
      await terminal.press("t");
      await terminal.shows(/Shut down: .*\?/);
      await terminal.press("y");
      await terminal.shows(/was asked to shut down/);
      await vm.waitFor("shut off");
      await terminal.shows(/○ stopped/);
    });
    await t.step("D deletes after y alone", async () => {
      await terminal.press("Escape");
      await find(terminal, other.name);
      await terminal.press("D");
      await terminal.shows(/Delete: .*\?/);
      await terminal.press("n");
      await terminal.shows(/Enter details/);
      await terminal.press("D");
      await terminal.shows(/Delete: .*\?/);
      await terminal.press("y");
      await terminal.shows(/was deleted/);
      await until(
        "it to be gone",
        async () => !(await virsh("list", "--all", "--name")).includes(other.name),
      );
    });
    await t.step("q leaves; the terminal is as it was", async () => {
      await terminal.press("q");
      assert.deepEqual(await terminal.ended(), { status: 0, isCooked: true, isPlain: true });
    });
  },
});

Deno.test({
  name: "tui: in German at 80×24, with German's letter for yes",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tui-de", guest: false, memoryMiB: 64 });
    await known(server, vm.uuid);
    await using terminal = await tui(["--socket", server.socket], { env: { LANG: "de_DE.UTF-8" } });
    await terminal.shows(/\[1 VMs\] +2 Aufgaben +3 Hosts.* live *\n +NAME +STATUS/);
    await find(terminal, vm.name, "Suche");
    const screen = await terminal.shows(/○ ausgeschaltet/);
    for (const key of ["Enter Details", "s Starten", "D Löschen", ": Befehle", "? Tasten", "q beenden"]) {
      assert.ok(screen.includes(key), `${key} in ${screen}`);
    }
    await terminal.press("D");
    await terminal.shows(/Löschen: .*\?/);
    await terminal.press("n");
    await terminal.shows(/Enter Details/);
    await terminal.press("D");
    await terminal.shows(/ j +Löschen, ja/);
    await terminal.press("j");
    await terminal.shows(/wurde gelöscht/);
    await until(
      "it to be gone",
      async () => !(await virsh("list", "--all", "--name")).includes(vm.name),
    );
  },
});

Deno.test({
  name: "tui: the palette has the contract's commands; a form is filled in, refused, mended, and carried out",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tuiform", guest: false, memoryMiB: 64 });
    await known(server, vm.uuid);
    await using terminal = await tui(["--socket", server.socket], { columns: 120, rows: 40 });
    await terminal.shows(/live *\n +NAME +STATE/);
    const created = `${vm.name}-b`;

    await t.step("a command is found by letters, and its answer is shown", async () => {
      await terminal.press("C-p");
      await terminal.type("vm tags");
      await terminal.shows(/vm tags +Replace a VM's tags/);
      await terminal.press("Enter");
      await terminal.shows("vm-id*");
      await terminal.type(vm.name);
      await terminal.press("Enter");
      await terminal.type("blue, deep");
      await terminal.press("C-s");
      await terminal.shows("vm tags: done");
      await shows(server, vm.uuid, ({ tags }) => tags.join() === "blue,deep");
    });
    await t.step("what the server refuses is said in the form, which keeps what was filled in", async () => {
      await terminal.shows(/create a VM/);
      await terminal.press("n");
      await terminal.shows("Create a VM");
      await terminal.type("1nvalid");
      await terminal.press("C-s");
      await terminal.shows(/Invalid VM name/);
      await terminal.press("C-u");
      await terminal.type(created);
      for (const field of ["disk", "network"]) {
        await goTo(terminal, field);
        await terminal.type("none");
      }
      await terminal.press("C-s");
      await terminal.shows(/› vm create[\s\S]*\bID\b/);
      const vms = await call(server, "get_vms");
      const made = vms.find(({ name }) => name === created);
      assert.ok(made, "it was created");
      await terminal.press("Escape");
    });
    await t.step("what loses something asks: a command of the palette, too", async () => {
      await terminal.press(":");
      await terminal.type("vm delete");
      await terminal.shows(/vm delete +Delete a stopped VM/);
      await terminal.press("Enter");
      await terminal.shows("vm-id*");
      await terminal.type(created);
      await terminal.press("C-s");
      await terminal.shows(/This loses/);
      await terminal.press("n");
      await terminal.shows("Ctrl+s carry out");
      assert.ok((await call(server, "get_vms")).some(({ name }) => name === created));
      await terminal.press("C-s");
      await terminal.shows(/This loses/);
      await terminal.press("y");
      await until(
        "it to be gone",
        async () => !(await call(server, "get_vms")).some(({ name }) => name === created),
      );
      await terminal.press("Escape");
    });
    await t.step("tasks and hosts are pages", async () => {
      await terminal.press("Escape");
      await terminal.press("2");
      await terminal.shows(/\[2 Tasks\]/);
      await terminal.press("3");
      await terminal.shows(/\[3 Hosts\][\s\S]*connected/);
    });
    await t.step("clicks select rows, open pages and press keys", async () => {
      const click = async (x: number, y: number) => {
        for (const end of ["M", "m"]) await terminal.type(`\x1b[<0;${x};${y}${end}`);
      };
      const header = (await terminal.screen()).split("\n")[0]!;
      await click(header.indexOf("1 VMs") + 2, 1);
      await terminal.shows(/\[1 VMs\]/);
      /** Clicks on its row until that is seen: rows move while other tests make and delete VMs. */
      const clickUntil = (what: string, isSeen: (screen: string) => boolean) =>
        until(what, async () => {
          const screen = await terminal.screen();
          if (isSeen(screen)) return true;
          await click(5, screen.split("\n").findIndex((each) => each.includes(vm.name)) + 1);
          return false;
        }, { every: 500 });
      await clickUntil("its row to be selected", (screen) => screen.includes(`▶ ${vm.name}`));
      await clickUntil("it to be opened", (screen) => screen.includes(vm.uuid));
    });
  },
});

Deno.test({
  name: "tui: the serial console of a guest, left by Ctrl+a t, and by the guest's end",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tuicon", start: true });
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    await using terminal = await tui(["--socket", server.socket]);
    await find(terminal, vm.name);
    await terminal.press("c");
    await terminal.shows("Ctrl+a t leaves");
    await terminal.press("Enter");
    await terminal.type("echo sum $((40 + 2))\r");
    await terminal.shows("sum 42");
    // Keys of the UI are the guest's here
    await terminal.type("echo Kq?\r");
    await terminal.shows(/^Kq\?/m);
    await terminal.press("C-a", "t");
    await terminal.shows(/left the console/);
    assert.equal(await terminal.value("alternate_on"), "1");
    await terminal.press("c");
    await terminal.shows("Ctrl+a t leaves");
    await virsh("destroy", vm.name);
    await terminal.shows(/○ stopped/);
    // The next key is the UI's again
    await terminal.press("Enter");
    await terminal.shows(vm.uuid);
    await terminal.press("C-c");
    assert.deepEqual(await terminal.ended(), { status: 0, isCooked: true, isPlain: true });
  },
});

Deno.test({
  name: "tui: from 80×24 to 200×50 and small, without colours, in ASCII under LANG=C",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tuisize", guest: false, memoryMiB: 64 });
    await known(server, vm.uuid);

    await t.step(
      "columns come and go with the width; no line is longer; the help stays at the end",
      async () => {
        await using terminal = await tui(["--socket", server.socket]);
        await terminal.shows(begin(vm.name));
        assert.doesNotMatch(await terminal.screen(), /SYSTEM/);
        for (const [columns, rows] of [[200, 50], [80, 24], [132, 43]] as const) {
          await terminal.resize(columns, rows);
          // Until it is drawn again, tmux shows the old frame, cut, and beyond it what a wider one before has left: a rule as wide
          // as this one may stand there, on another row.
          const drawn = new RegExp(
            `^(?:.*\\n){${rows - 3},${rows - 2}}─{${columns}}\\n(.*\\n)? .*q quit\\n*$`,
          );
          const last = (await terminal.shows(drawn)).trimEnd().split("\n");
          assert.equal(last.length, rows);
          if (columns === 200) assert.match(last.join("\n"), /SYSTEM.*TAGS/);
        }
        await terminal.resize(30, 8);
        await terminal.shows("too small");
        await terminal.resize(80, 24);
        await terminal.shows(/q quit/);
      },
    );
    await t.step("NO_COLOR", async () => {
      // deno-lint-ignore no-control-regex -- colours are what is looked for
      const colour = /\x1b\[[0-9;]*\b(3[0-7]|4[0-7]|9[0-7])m/;
      await using coloured = await tui(["--socket", server.socket]);
      await coloured.shows(begin(vm.name));
      assert.match(await coloured.screen({ attributes: true }), colour);
      await using plain = await tui(["--socket", server.socket], { env: { NO_COLOR: "1" } });
      await plain.shows(begin(vm.name));
      const screen = await plain.screen({ attributes: true });
      assert.doesNotMatch(screen, colour);
      assert.match(screen, /▶/);
    });
    await t.step("LANG=C: nothing but ASCII, whatever a VM is called", async () => {
      await virsh("desc", vm.name, "--title", "Größe 日本");
      await using terminal = await tui(["--socket", server.socket], { env: { LANG: "C" } });
      await find(terminal, vm.name);
      await terminal.press("Enter");
      const screen = await terminal.shows(/Title +Gr\?\?e \?\?/);
      // deno-lint-ignore no-control-regex -- all that is ASCII
      assert.match(screen, /^[\x00-\x7f]*$/);
    });
  },
});

Deno.test({
  name: "tui: a server that hangs, is killed and comes back; SIGTERM, SIGHUP, Ctrl+Z and fg",
  ignore,
  fn: async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      await using vm = await testMachine({ purpose: "tuigone", guest: false, memoryMiB: 64 });
      const options = { dataDir: `${folder}/data`, args: ["--runtime-dir", `${folder}/run`] };
      const socket = `${folder}/run/api.sock`;
      await using terminal = await (async () => {
        await using server = await readyServer(options);
        await known(server, vm.uuid);
        const started = await tui(["--socket", socket]);
        await find(started, vm.name);
        await t.step("a server that hangs is shown as such, and keys mean what they did", async () => {
          Deno.kill(server.pid, "SIGSTOP");
          try {
            await started.shows(/NO ANSWER[\s\S]*has not answered for \d+s/, { seconds: 20 });
            await started.press("Enter");
            await started.shows(vm.uuid, { seconds: 5 });
            await started.press("Escape", "s"); // hangs as well, and holds nothing up
            await started.press("?");
            await started.shows("Everywhere", { seconds: 5 });
            await started.press("Escape");
          } finally {
            Deno.kill(server.pid, "SIGCONT");
          }
          await started.shows(/live *$/m);
          await started.shows(/● running/);
          await vm.waitFor("running");
          await virsh("destroy", vm.name);
          await started.shows(/○ stopped/);
        });
        await t.step("one that is killed, too", async () => {
          await server.kill();
          await started.shows(/NOT CONNECTED[\s\S]*Not connected for/);
          assert.match(await started.screen(), new RegExp(begin(vm.name)));
        });
        return started;
      })();
      await t.step("it comes back by itself, and shows what it missed", async (t) => {
        await virsh("start", vm.name);
        await using server = await readyServer(options);
        await known(server, vm.uuid);
        await terminal.shows(/live *$/m);
        await terminal.shows(/● running/);
        await virsh("destroy", vm.name);
        await terminal.shows(/○ stopped/);

        await t.step("Ctrl+Z gives the terminal to the shell, fg to the UI", async () => {
          await using shell = await Tmux.start(["bash", "--norc", "-i"]);
          await shell.type(`${await buildBinary()} tui --socket ${socket}\r`);
          await shell.shows(begin(vm.name));
          await shell.press("C-z");
          await shell.shows(/Stopped/);
          assert.ok(await shell.isPlain());
          await shell.type("echo in the $((1 + 1))nd shell\r");
          await shell.shows("in the 2nd shell");
          await shell.type("fg\r");
          await shell.shows(/q quit/);
          assert.equal(await shell.value("alternate_on"), "1");
          await shell.press("q");
          await until("the shell's own screen", async () => await shell.isPlain());
        });
        for (const [signal, status] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
          await t.step(`${signal} ends it, and the terminal is as it was`, async () => {
            await using ended = await tui(["--socket", socket]);
            await ended.shows(begin(vm.name));
            Deno.kill(await ended.pid(), signal);
            assert.deepEqual(await ended.ended(), { status, isCooked: true, isPlain: true });
          });
        }
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "tui: without a server it says why and what to do, and is there once one is",
  ignore,
  fn: async () => {
    await using terminal = await tui(["--socket", "/nonexistent/api.sock"]);
    await terminal.shows(/no server answers on[\s\S]*Is\s+kvm-manager serve running/);
    await terminal.press("q");
    assert.deepEqual(await terminal.ended(), { status: 0, isCooked: true, isPlain: true });
    await using piped = await Tmux.start(["sh", "-c", `${await buildBinary()} tui | cat`]);
    await piped.shows(/this needs a terminal/);
    await using dumb = await tui([], { env: { TERM: "dumb" } });
    await dumb.shows(/TERM=dumb/);
  },
});

Deno.test({
  name:
    "tui: from elsewhere with an API token; a viewer is offered nothing that changes, and an operator of one VM that",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "tuimine", guest: false, memoryMiB: 64, start: true });
    await using other = await testMachine({ purpose: "tuitheirs", guest: false, memoryMiB: 64, start: true });
    await known(server, vm.uuid);
    await known(server, other.uuid);
    const asPerson = async (name: string, ...grants: Parameters<typeof personWith>[2]) => {
      const person = await personWith(server, name, grants);
      const token = person.headers.authorization!.replace("Bearer ", "");
      return {
        person,
        terminal: await tui(["--server", server.url], { columns: 120, env: { KVMM_TOKEN: token } }),
      };
    };
    await t.step("a viewer", async () => {
      const { terminal: started } = await asPerson("vera", { role: "viewer", on: { kind: "everything" } });
      await using terminal = started;
      await find(terminal, vm.name);
      const screen = await terminal.screen();
      assert.match(screen, /vera at http:/);
      for (const label of ["Force off", "Shut down", "Console", "create a VM"]) {
        assert.ok(!screen.includes(label), label);
      }
      await terminal.press("K", "t", "n", "D");
      assert.doesNotMatch(await terminal.screen(), /Force off|Create a VM/);
      await terminal.press(":");
      await terminal.type("force-stop");
      await terminal.shows(/No command has these letters/);
      assert.equal(await vm.state(), "running");
    });
    await t.step("an operator of one VM, until the right is taken away", async () => {
      const { person, terminal: started } = await asPerson(
        "otto",
        { role: "viewer", on: { kind: "everything" } },
        { role: "operator", on: { kind: "vm", vmId: vm.uuid } },
      );
      await using terminal = started;
      await find(terminal, other.name);
      assert.doesNotMatch(await terminal.screen(), /Force off/);
      await terminal.press("Escape");
      await find(terminal, vm.name);
      await terminal.press("K");
      await terminal.shows(/Force off: .*\?/);
      await asRoot(server, "update_user", {
        userId: person.userId,
        grants: [{ role: "viewer", on: { kind: "everything" } }],
      });
      await terminal.press("y");
      await terminal.shows(/may not|not allowed|permission|role/i);
      assert.equal(await vm.state(), "running");
      // Its stream was ended, and what it may do was read again
      await until("nothing to be offered", async () => !/K Force off/.test(await terminal.screen()));
    });
  },
});

/** A server that means no good: its answers steer terminals, wherever a text may stand. */
function hostileServer(path: string): Deno.HttpServer {
  const evil = "\x1b]0;PWNED\x07\x1b[2J\x1b[31mx\u202egpj\u009b5mb\u200b";
  const vm = {
    id: "11111111-1111-4111-8111-111111111111",
    name: `evil${evil}`,
    title: evil,
    state: "running",
    responsive: true,
    cpuCount: 1,
    maxCpuCount: 1,
    memoryMb: 512,
    maxMemoryMb: 512,
    diskSizeGb: null,
    networkInterfaces: [],
    graphics: [],
    tags: [evil],
    autostart: false,
    persistent: true,
    description: evil,
    guestAgent: "connected",
    guestAgents: {},
    firmware: "bios",
    virtType: "qemu",
    host: evil,
    attention: [evil],
    guest: { hostname: evil, osName: evil, toldAt: 0 },
    disks: [{
      target: evil,
      bus: evil,
      device: "disk",
      type: "file",
      source: evil,
      readOnly: false,
      shareable: false,
    }],
  };
  const host = {
    id: evil,
    label: evil,
    uri: evil,
    isLocal: true,
    status: "degraded",
    error: evil,
    since: 0,
    isKnown: true,
  };
  const session = {
    user: null,
    name: evil,
    via: "socket",
    administrator: true,
    permissions: [],
    allowances: [null],
  };
  const job = {
    id: "j",
    command: evil,
    title: evil,
    actor: evil,
    state: "running",
    progress: 0.5,
    doneBytes: null,
    totalBytes: null,
    startedAt: 0,
    endedAt: null,
    secondsLeft: null,
    error: null,
    cancellable: true,
    cancelling: false,
  };
  const answers: Record<string, unknown> = {
    get_vms: [vm],
    list_hosts: [host],
    get_session: session,
    list_jobs: [job],
  };
  return Deno.serve({ path, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/api/v1/events") {
      return new Response(
        new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(": connected\n\n")) }),
        {
          headers: { "content-type": "text/event-stream" },
        },
      );
    }
    const name = pathname.replace("/api/v1/commands/", "");
    if (Object.hasOwn(answers, name)) {
      return Response.json(answers[name], { headers: { "x-missing-hosts": "evil%1b]0;PWNED" } });
    }
    return Response.json({ code: evil, message: `refused: ${evil}`, details: { allowed: evil } }, {
      status: 409,
    });
  });
}

Deno.test({
  name: "tui: hostile texts of VMs, hosts, guests and errors steer no terminal",
  ignore,
  fn: async (t) => {
    await t.step("of a server that means no good", async () => {
      const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
      const server = hostileServer(`${folder}/api.sock`);
      try {
        await using terminal = await tui(["--socket", `${folder}/api.sock`], {
          columns: 150,
          env: { NO_COLOR: "1" },
        });
        const title = await terminal.value("pane_title");
        const isUnharmed = async (shown: string | RegExp) => {
          const screen = await terminal.shows(shown);
          assert.match(screen, /KVM Manager/, "the first line is still there");
          assert.match(screen, /␦/);
          assert.doesNotMatch(screen, /[\u202e\u200b\u009b]/);
          assert.equal(await terminal.value("pane_title"), title);
          // deno-lint-ignore no-control-regex -- the colour that the text asks for
          assert.doesNotMatch(await terminal.screen({ attributes: true }), /\x1b\[31m/);
        };
        await isUnharmed(/▶ evil␦/);
        await terminal.press("Enter");
        await isUnharmed(/Description/);
        await terminal.press("Escape", "2");
        await isUnharmed(/\[2 Tasks\]/);
        await terminal.press("x");
        await isUnharmed(/Stop: /);
        await terminal.press("y");
        await isUnharmed(/refused: /);
        await terminal.press("3");
        await isUnharmed(/\[3 Hosts\]/);
        await terminal.press("1", "K", "y");
        await isUnharmed(/refused: /);
      } finally {
        await server.shutdown();
        await Deno.remove(folder, { recursive: true });
      }
    });
    await t.step(
      "of a real VM: wide, combining and right-to-left characters leave the columns where they are",
      async () => {
        await using server = await readyServer();
        await using vm = await testMachine({ purpose: "tuiodd", guest: false, memoryMiB: 64 });
        await known(server, vm.uuid);
        await virsh("desc", vm.name, "--title", `日本${"e\u0301"}x${"\u0301".repeat(30)} שלום`);
        await using terminal = await tui(["--socket", server.socket], { columns: 120 });
        await find(terminal, vm.name);
        assert.match(await terminal.screen(), /^▶ kvmm-test-tuiodd-\w+ +○ stopped/m);
        await terminal.press("Enter");
        await terminal.shows(/Title +日本e\u0301␦ שלום/);
        assert.match(await terminal.screen(), /^ ID +/m);
      },
    );
  },
});

Deno.test({
  name: "kvm-manager alone: the terminal UI where a server of this host answers, else how it is used",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    const binary = await buildBinary(), alone = { env: { ...BINARY_ENV, KVMM_SOCKET: server.socket } };
    await using terminal = await Tmux.start([binary], alone);
    await terminal.shows(/KVM Manager \[1 VMs\]/);
    await terminal.press("q");
    assert.equal((await terminal.ended()).status, 0);
    await using none = await Tmux.start([binary], {
      rows: 200,
      env: { ...BINARY_ENV, KVMM_SOCKET: "/nonexistent/api.sock" },
    });
    await none.shows(/Usage: kvm-manager VERB/);
    assert.equal((await none.ended()).status, 2);
    await using piped = await Tmux.start(["sh", "-c", `${binary} </dev/null`], { ...alone, rows: 200 });
    await piped.shows(/Usage: kvm-manager VERB/);
  },
});
