/**
 * libvirtd or KVM Manager killed in the middle of add_port_forward with keepAddress, which makes two things: the static
 * lease and the forward. Afterwards both are there or none is, it is told, and the same command works again.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { call, known } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { CallError, startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;
/** How many kills, and of whom in turn. */
const KILLS = 12;
const VICTIMS = ["libvirtd", "agent"] as const;
const MAC = "52:54:00:aa:bb:01", IP = "10.96.0.44", NET = "forwarded";

Deno.test({
  name: `add_port_forward() with keepAddress is whole or undone after ${KILLS} kills (faults 1, 19)`,
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const own = await testName("forward-faults");
    undo.defer(() => releaseName(own));
    undo.defer(() => removeFiles(own));
    const dataDir = `${filesOf(own)}/data`, binary = `${filesOf(own)}/start`;
    await Deno.mkdir(dataDir, { recursive: true });
    const host = undo.use(await privateLibvirt("forward-faults"));
    await Deno.writeTextFile(binary, `#!/bin/sh\nset -- ${await buildBinary()} "$@"\n${host.line}\n`, {
      mode: 0o700,
    });

    // A network with a lease, as its DHCP server writes it down, and the VM that has it.
    const definition = `${filesOf(own)}/net.xml`;
    await Deno.writeTextFile(
      definition,
      `<network><name>${NET}</name><forward mode='nat'/><bridge name='virbr96'/><ip address='10.96.0.1' ` +
        `netmask='255.255.255.0'><dhcp><range start='10.96.0.2' end='10.96.0.254'/></dhcp></ip></network>`,
    );
    await host.virsh("net-define", definition);
    await host.virsh("net-autostart", NET);
    await host.virsh("net-start", NET);
    await Deno.writeTextFile(
      host.stateFile("dnsmasq/virbr96.status"),
      JSON.stringify([{
        "ip-address": IP,
        "mac-address": MAC,
        hostname: "web",
        "expiry-time": Math.floor(Date.now() / 1000) + 86_400,
      }]),
    );
    const vm = await host.machine();
    await host.virsh("attach-interface", vm.name, "network", NET, "--mac", MAC, "--config");

    let server: TestServer;
    const start = async () => {
      server = await startServer({ binary, dataDir, seconds: 90 });
      await known(server, vm.uuid);
    };
    await start();
    undo.defer(() => server[Symbol.asyncDispose]());
    const add = () =>
      call(server, "add_port_forward", {
        network: NET,
        protocol: "tcp",
        hostPort: 28_080,
        targetPort: 80,
        vmId: vm.uuid,
        keepAddress: true,
      });
    const open = () => {
      using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
      return database.prepare("SELECT record FROM operations").all().map(({ record }) => String(record));
    };
    /** State of the lease and the forward, in the running network, in its definition and in our database. */
    const state = async () => {
      const lease = new RegExp(`<host mac='${MAC}' ip='${IP}'/>`);
      return {
        live: lease.test(await host.virsh("net-dumpxml", NET)),
        config: lease.test(await host.virsh("net-dumpxml", "--inactive", NET)),
        forward: (await call(server, "list_port_forwards")).length === 1,
      };
    };
    const ALL = { live: true, config: true, forward: true },
      NONE = { live: false, config: false, forward: false };
    const clear = async () => {
      for (const { id } of await call(server, "list_port_forwards")) {
        await call(server, "remove_port_forward", { id });
      }
      await call(server, "update_network_dhcp", { name: NET, remove: [{ ip: IP, mac: MAC }] });
      assert.deepEqual(await state(), NONE);
    };

    let took = 0;
    for (let warm = 0; warm < 2; warm++) {
      const begun = performance.now();
      await add();
      took = performance.now() - begun;
      assert.deepEqual(await state(), ALL);
      await clear();
    }
    const ends = new Map<string, number>();
    for (let n = 0; n < KILLS; n++) {
      const victim = VICTIMS[n % VICTIMS.length]!, lap = Math.floor(n / VICTIMS.length);
      const afterMs = took * ((0.1 + lap * 0.62) % 1.05);
      const about = `after ${victim} was killed ${Math.round(afterMs)} of ${
        Math.round(took)
      } ms into it (round ${n})`;
      const libvirtd = await host.pid() ?? assert.fail("there is no libvirtd");
      const asked = add().then(() => "done", (error) => {
        if (error instanceof CallError) return (error.body as { code: string }).code;
        if (error instanceof TypeError) return "cut off"; // fetch's word for a connection that broke
        throw error;
      });
      await delay(afterMs);
      if (victim === "libvirtd") {
        Deno.kill(libvirtd, "SIGKILL");
        await host.kill(); // waits until it is gone
        await host.start();
      } else {
        await server!.kill();
        await server![Symbol.asyncDispose]();
        await start();
      }
      const outcome = await asked;
      await until(
        `the connection ${about}`,
        async () => (await call(server, "get_connection_status")).connected,
        {
          seconds: 60,
        },
      );
      await until(`everything to be settled ${about}`, () => Promise.resolve(open().length === 0), {
        seconds: 60,
        lastSeen: () => open().join("\n"),
      });
      const found = await state();
      assert.deepEqual(found, found.forward ? ALL : NONE, `${outcome} ${about}`);
      if (outcome === "done") assert.deepEqual(found, ALL, about);
      if (!found.forward) {
        await add();
        assert.deepEqual(await state(), ALL, `and done again ${about}`);
      }
      await clear();
      const end = `${victim} killed: ${outcome}, ${found.forward ? "whole" : "undone"}`;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    for (const [end, count] of ends) console.log(`${count} × ${end}`);
  },
});
