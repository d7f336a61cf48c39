/** The seed of set_cloud_init() in the hands of the real cloud-init, of a Debian guest. */
import assert from "node:assert/strict";
import { sha512Crypt } from "../../agent/vm/cloud_init/sha512_crypt.ts";
import { buildCloudGuest } from "../testbed/cloud_guest.ts";
import { inGuest } from "../testbed/in_guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { removeSeeds } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k ann@example.org";

Deno.test({
  name: "the real cloud-init of a Debian guest carries out what set_cloud_init() was told",
  ignore: await requirement("guest") !== null || await requirement("cloudGuest") !== null,
  fn: async () => {
    const guest = await buildCloudGuest();
    await using network = await testNetwork();
    await using vm = await testMachine({
      purpose: "cloud",
      guest,
      network,
      memoryMiB: 768,
      vcpus: 2,
      disks: [{ backing: guest.disk }],
    });
    await using _seed = {
      [Symbol.asyncDispose]: () => removeSeeds("default", vm.name),
    };
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { instanceId } = await call(server, "set_cloud_init", {
      vmId,
      cloudInit: {
        form: {
          hostname: "web.example.org",
          users: [
            { name: "ann", fullName: "Ann B", password: "open sesame", sshKeys: [KEY], sudo: "nopasswd" },
            { name: "root", password: "toor" },
          ],
          runCommands: ["echo \"ran: yes, $(id -un) 'öä'\" > /root/ran", "echo two >> /root/ran"],
          timezone: "Europe/Vienna",
          locale: "C.UTF-8", // the one that needs not be generated
        },
        network: [{
          addresses: ["192.0.2.10/24", "2001:db8::10/64"],
          gateway4: "192.0.2.1",
          nameservers: ["192.0.2.53"],
        }],
      },
    });
    await vm.start();
    await vm.waitForAgent({ seconds: 600 }); // a minute, on a machine that has nothing else to do
    const shell = (script: string) => inGuest(vm, "/bin/sh", "-c", script);
    const settled = "for each in $(seq 300); do [ -e /run/cloud-init/result.json ] && break; sleep 1; done;";
    const result = JSON.parse(await shell(`${settled} cat /run/cloud-init/result.json`));
    assert.deepEqual(result.v1.errors, []);
    assert.match(result.v1.datasource, /NoCloud.*\/dev\/sr0/);
    assert.equal((await shell("cat /var/lib/cloud/data/instance-id")).trim(), instanceId);
    assert.equal((await shell("hostname; hostname -f")).trim(), "web\nweb.example.org");
    assert.equal(await shell("cat /root/ran"), "ran: yes, root 'öä'\ntwo\n");
    assert.match(await shell("getent passwd ann"), /:Ann B:\/home\/ann:\/bin\/bash$/m);
    assert.equal((await shell("cat /home/ann/.ssh/authorized_keys")).trim(), KEY);
    assert.match(await shell("sudo -l -U ann"), /NOPASSWD: ALL/);
    for (const [user, password] of [["ann", "open sesame"], ["root", "toor"]] as const) {
      const hash = (await shell(`getent shadow ${user}`)).split(":")[1]!;
      assert.equal(hash, sha512Crypt(password, hash.split("$")[2]), user);
    }
    assert.match(await shell("readlink /etc/localtime"), /Europe\/Vienna/);
    const addresses = await shell("ip -brief address show eth0; ip route");
    for (const each of ["192.0.2.10/24", "2001:db8::10/64", "default via 192.0.2.1"]) {
      assert.ok(addresses.includes(each), addresses);
    }
    assert.match(await shell("cloud-init schema --system 2>&1"), /Valid/, "its own schema takes it");
  },
});
