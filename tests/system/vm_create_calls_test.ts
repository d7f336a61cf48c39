/** Tests the libvirt calls of create_vm: facts come from memory, and the definition is complete from the start. */
import assert from "node:assert/strict";
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import { filesOf } from "../testbed/names.ts";
import { type PrivateLibvirt, privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, readyServer } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** The calls to libvirt, as the log tells them, while something is done. */
async function callsDuring(server: TestServer, during: () => Promise<unknown>): Promise<string[]> {
  const from = server.log().length;
  await during();
  const told = server.log().slice(from).matchAll(/ debug libvirt call call=(\w+)/g);
  return [...told].map(([, name]) => name!);
}

/** A network of a private libvirtd, without addresses. */
async function isolated(host: PrivateLibvirt, name: string): Promise<string> {
  const path = `${filesOf(host.name)}/${name}.xml`;
  await Deno.writeTextFile(
    path,
    renderXml(xml("network", {}, xml("name", {}, name), xml("bridge", { name }))),
  );
  await host.virsh("net-define", path);
  await host.virsh("net-start", name);
  return name;
}

Deno.test({
  ignore,
  name: "create_vm() takes its facts from memory, and defines a VM with its seed in one go",
  fn: async (t) => {
    // Of its own: what other tests do on a host adds calls
    await using host = await privateLibvirt("calls");
    const pool = `${filesOf(host.name)}/images`;
    await Deno.mkdir(pool);
    await host.virsh("pool-define-as", "images", "dir", "--target", pool);
    await host.virsh("pool-start", "images");
    const network = await isolated(host, "calls0");
    await using server = await readyServer({ uri: host.uri });
    const name = "calls";
    const config = {
      name,
      osType: "linux" as const,
      cpuCount: 1,
      memoryMb: 128,
      disks: [{ sizeGb: 1, pool: "images" }],
      nics: [{ network }],
      cloudInit: { form: { hostname: "web" } },
    };
    await t.step("the forms' options cost no scan of the networks", async () => {
      const calls = await callsDuring(server, () => call(server, "get_create_options", {}));
      assert.ok(calls.length > 0, "the log tells calls");
      assert.ok(!calls.includes("networkScan"), calls.join(" "));
    });
    await t.step("no scan, no device attached afterwards, at most 23 calls", async () => {
      // Samples add calls of their own: the fewest are create_vm's
      let calls = await callsDuring(server, () => call(server, "create_vm", config));
      for (const end of ["b", "c"]) {
        const other = { ...config, name: `${name}-${end}` };
        const again = await callsDuring(server, () => call(server, "create_vm", other));
        if (again.length < calls.length) calls = again;
      }
      console.log(`${calls.length} calls: ${calls.join(" ")}`);
      for (const needless of ["networkScan", "domainAttachDevice", "domainXml"]) {
        assert.ok(!calls.includes(needless), calls.join(" "));
      }
      assert.equal(calls.filter((each) => each === "domainDefine").length, 1);
      assert.ok(calls.length <= 23, `${calls.length}: ${calls.join(" ")}`);
    });
    await t.step("the seed's CD is where set_cloud_init() finds it", async () => {
      const vmId = (await host.virsh("domuuid", name)).trim();
      const { path, target } = await call(server, "get_cloud_init", { vmId });
      assert.equal(target, "sda");
      assert.match(path ?? "", new RegExp(`/${name}-[0-9a-f]{8}-seed\\.iso$`));
      const calls = await callsDuring(server, () => call(server, "get_device_options", { vmId }));
      assert.ok(!calls.includes("networkScan"), calls.join(" "));
    });
    await t.step("a network made behind our back a moment ago can be used at once", async () => {
      const other = await isolated(host, "calls1");
      const { errors } = await call(server, "check_vm_config", {
        ...config,
        name: `${name}-2`,
        nics: [{ network: other }],
      });
      assert.deepEqual(errors, []);
    });
  },
});
