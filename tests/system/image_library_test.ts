/** The library of images: what VMs are made from, and nothing that the product itself has made of it. */
import assert from "node:assert/strict";
import type { Image } from "../../lib/contract/mod.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { virsh } from "../testbed/libvirt.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, shows } from "../testbed/product.ts";
import { removeDomain, removeSeeds } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import type { TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const IMAGE = "debian-12-genericcloud-amd64.qcow2", ISO = "debian-12.7.0-amd64-netinst.iso";

/** A CD of 64 blocks with a label. */
function cd(label: string): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(64 * 2048), ascii = new TextEncoder();
  image.set([1, ...ascii.encode("CD001"), 1], 16 * 2048);
  image.set(ascii.encode(label.padEnd(32)), 16 * 2048 + 40);
  image.set([255, ...ascii.encode("CD001"), 1], 17 * 2048);
  return image;
}

/** VMs' names, removed in the end. */
async function machineNames(...suffixes: string[]) {
  const name = await testName("lib");
  return {
    of: (suffix: string) => `${name}${suffix}`,
    [Symbol.asyncDispose]: async () => {
      for (const suffix of suffixes) {
        await removeDomain(`${name}${suffix}`);
        await removeSeeds("default", `${name}${suffix}`);
      }
      await releaseName(name);
    },
  };
}

const namesIn = (images: readonly Image[], pool: string) =>
  images.filter((image) => image.pool === pool).map(({ name }) => name).sort();

async function listed(server: TestServer, pool: string, vmDisks = false): Promise<string[]> {
  return namesIn((await call(server, "list_images", { vmDisks })).images, pool);
}

/** The images that a page of the server shows. */
async function shownAt(server: TestServer, path: string): Promise<string[]> {
  const page = await (await fetch(server.url + path)).text();
  return [...page.matchAll(/data-image="([^"]+)"/g)].map(([, name]) => name!).sort();
}

Deno.test({
  name:
    "the library has the real images alone, whatever VMs, templates, clones, snapshots and the bin make of them",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("lib");
    await using own = await machineNames("-vm", "-clone", "-old", "-snap", "-bare");
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${pool.path}/${IMAGE}`, "64M"]);
    await Deno.writeFile(`${pool.path}/${ISO}`, cd("Debian 12"));
    // Of another program, under a name of its own
    await Deno.writeFile(`${pool.path}/commoninit.iso`, cd("cidata"));
    await knownPool(server, pool.name);
    await call(server, "refresh_storage_pool", { pool: pool.name });
    const real = [IMAGE, ISO].sort();
    await until("the images to be listed", async () => (await listed(server, pool.name)).length >= 2);
    assert.deepEqual(await listed(server, pool.name), real);

    const create = async (suffix: string) => {
      const { id } = await call(server, "create_vm", {
        name: own.of(suffix),
        virtType: "qemu",
        memoryMb: 128,
        disks: [{ path: `${pool.name}/${IMAGE}`, copyAs: "qcow2", pool: pool.name }],
        nics: [],
        cloudInit: { form: { hostname: "web", users: [{ name: "ann", password: "typed-12345" }] } },
      });
      await known(server, id);
      return id;
    };
    const vmId = await create("-vm"), snapped = await create("-snap"), old = await create("-old");
    await call(server, "create_template", { vmId, name: own.of("-tmpl") });
    await call(server, "clone_vm", { vmId, name: own.of("-clone"), linked: true });
    await call(server, "delete_vm", { vmId: old, deleteDisks: false });
    const bare = await create("-bare");
    for (const [suffix, id, flags] of [["-snap", snapped, []], ["-bare", bare, ["--no-metadata"]]] as const) {
      const name = own.of(suffix);
      const file = `${pool.path}/${name}.one`;
      await virsh(
        "snapshot-create-as",
        name,
        "one",
        "--disk-only",
        "--diskspec",
        `vda,file=${file}`,
        ...flags,
      );
      await shows(server, id, ({ disks }) => disks.some(({ source }) => source === file));
    }
    await call(server, "refresh_storage_pool", { pool: pool.name });
    await until("all volumes to be known", async () => {
      const volumes = await call(server, "get_volumes", { pool: pool.name });
      const has = (end: string) => volumes.some(({ name }) => name.endsWith(end));
      return ["-snap.one", "-bare.one", "-clone-vda.qcow2"].every(has);
    });
    const everywhere = (await call(server, "list_images", { vmDisks: true })).images;
    assert.deepEqual(everywhere.filter(({ name }) => name.endsWith("-seed.iso")), []);

    assert.deepEqual(await listed(server, pool.name), real);
    assert.deepEqual(await shownAt(server, `/images?q=${pool.name}`), real);
    const cli = new CommandLine({ KVMM_SOCKET: server.socket });
    const { out } = await cli.run(["image", "list", "--output", "json"]);
    assert.deepEqual(namesIn(JSON.parse(out).images ?? JSON.parse(out), pool.name), real);
    const { isos } = await call(server, "get_create_options", {});
    assert.deepEqual(isos.filter((iso) => iso.pool === pool.name).map(({ name }) => name), [ISO]);
    const options = await call(server, "get_device_options", { vmId });
    const offered = options.pools.find(({ name }) => name === pool.name)?.volumes
      .filter(({ usedBy }) => usedBy.length === 0).map(({ name }) => name).sort();
    // A disk that was left can be attached again
    assert.deepEqual(offered, [...real, `${own.of("-old")}.qcow2`].sort());

    // Behind the switch: disks that VMs have, with their users, and still nothing of templates, the bin, or seeds
    const { images } = await call(server, "list_images", { vmDisks: true });
    const more = images.filter((image) => image.pool === pool.name && !real.includes(image.name));
    assert.ok(more.length >= 3, JSON.stringify(more));
    assert.ok(more.every(({ kind }) => kind === "disk"), JSON.stringify(more));
    const unused = more.filter(({ usedBy }) => usedBy.length === 0).map(({ name }) => name);
    assert.deepEqual(unused, [`${own.of("-old")}.qcow2`]);
    const disks = await shownAt(server, `/images?vmDisks=yes&q=${pool.name}`);
    assert.deepEqual(disks, namesIn(images, pool.name));
  },
});
