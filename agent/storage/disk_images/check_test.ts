/**
 * The decision on images against every order of what people and guests do: a file of the host that no administrator gave to a
 * machine is never opened, whatever headers say and whenever they are written. libvirt is played here; that the real
 * one and QEMU open what they are told to, and nothing else, tests/system/image_chain_test.ts shows.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type Disk, type VM } from "../../../lib/contract/mod.ts";
import { backingStoreXml, sourceXml } from "../../../lib/formats/xml/backing_store.ts";
import { renderXml, xml } from "../../../lib/formats/xml/build.ts";
import { writeSeed } from "../../../lib/vm/cloud_init/seed.ts";
import { copySource } from "../copy_source.ts";
import { FormatRecords } from "../format_records.ts";
import { Store } from "../../store/store.ts";
import { qcow2Head } from "./chain.ts";
import { type CheckedImage, checkImage } from "./check.ts";
import { StorageLocks } from "../locks.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireStartable } from "../../vm/lifecycle/start_check.ts";
import { localMachine } from "../../machine/machine.ts";

const FILES = ["a", "b"] as const;
type File = typeof FILES[number];
const VMS = ["x", "y"] as const;
type Name = typeof VMS[number];
/** Headers that an image can have. */
const HEADERS = [
  ...["none", "clean", "canary below", "canary as data", "below a", "below a as qcow2"] as const,
  "seed below",
] as const;
type Header = typeof HEADERS[number];
/** Another VM's cloud-init, in the same pool. */
const SEED = "y-seed.iso";

/** The start of an image. */
function headerBytes(header: Header, folder: string): Uint8Array {
  const bytes = new Uint8Array(4096), view = new DataView(bytes.buffer);
  if (header === "none") return bytes;
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setUint32(20, 16);
  view.setBigUint64(24, 1n << 20n);
  view.setUint32(100, 104);
  const write = (text: string, at: number) => bytes.set(new TextEncoder().encode(text), at);
  const below = header === "canary below"
    ? "canary"
    : header === "seed below"
    ? SEED
    : header.startsWith("below a")
    ? "a"
    : undefined;
  if (header === "canary as data") {
    view.setBigUint64(72, 1n << 2n);
    view.setUint32(104, 0x44415441);
    view.setUint32(108, 6);
    write("canary", 112);
  }
  if (below === undefined) return bytes;
  const format = header === "below a as qcow2" ? "qcow2" : "raw";
  view.setUint32(104, 0xe2792aca);
  view.setUint32(108, format.length);
  write(format, 112);
  const name = `${folder}/${below}`;
  view.setBigUint64(8, 2048n);
  view.setUint32(16, name.length);
  write(name, 2048);
  return bytes;
}

interface Machine {
  readonly id: Name;
  readonly name: Name;
  running: boolean;
  disks: (Disk & { readonly backing: CheckedImage["backing"] })[];
}

/** A host with a pool of two files, a file without an owner, and two machines. */
class World {
  readonly machines = new Map<Name, Machine>(
    VMS.map((name) => [name, { id: name, name, running: false, disks: [] }]),
  );
  readonly host: LibvirtHost;
  /** Volumes that are not whole. */
  readonly uploads = new Map<File, Disposable>();
  readonly #store: Store;

  constructor(readonly folder: string) {
    this.#store = new Store(folder);
    const views = () =>
      [...this.machines.values()].map((vm) => ({
        ...vm,
        persistent: true,
        networkInterfaces: [],
        state: vm.running ? "running" : "stopped",
      }));
    const inventory = {
      vms: views,
      everyVm: views,
      vm: (id: Name) => views().find((vm) => vm.id === id),
      record: () => undefined,
      active: () => views().filter(({ running }) => running).map(({ id }) => id),
      storage: {
        isKnown: true,
        known: () => [],
        leftOverlays: () => [],
        records: () => [],
        record: () => ({ volumes: [], xml: "<pool type='dir'/>" }),
      },
    };
    const link = {
      uri: "qemu:///system",
      machine: localMachine("qemu:///system"),
      call: (name: string, input: unknown) => this.#call(name, input),
    } as unknown as LibvirtHost["link"];
    const formats = new FormatRecords(this.#store);
    this.host = {
      link,
      machine: link.machine,
      inventory,
      formats,
      locks: new StorageLocks(true),
      observeFormats: (vms: readonly VM[], again: boolean) => formats.observe(link, vms, again),
      keepers: { of: () => Promise.resolve(undefined), kept: () => [] },
      requireFilled: () => {},
      claims: {
        take: ({ name }: Machine) => {
          assert.equal(this.machines.get(name)?.running, false);
          return { [Symbol.dispose]: () => {} };
        },
      },
    } as unknown as LibvirtHost;
  }

  isUsed(file: File): boolean {
    const path = this.path(file);
    return [...this.machines.values()].some(({ disks }) => disks.some(({ source }) => source === path));
  }

  path = (file: string) => `${this.folder}/${file}`;

  /** libvirt tells a volume's format from its content. */
  async #call(name: string, input: unknown): Promise<unknown> {
    const { path = "", uuid } = input as { path?: string; uuid?: Name };
    if (name === "secretOfVolume") return null;
    if (name === "domainXml") return this.#domainXml(uuid!);
    assert.equal(name, "volumeAt");
    const file = [...FILES, SEED].find((each) => this.path(each) === path);
    if (file === undefined) {
      throw new LibvirtError({ kind: "libvirt", code: VIR_ERR.NO_STORAGE_VOL, message: "no volume" });
    }
    const format = await qcow2Head(path).catch(() => "qcow2") === null ? "raw" : "qcow2";
    return {
      pool: "p",
      xml: `<volume type='file'><name>${file}</name><capacity>1048576</capacity>` +
        `<target><path>${path}</path><format type='${format}'/></target></volume>`,
    };
  }

  #domainXml(name: Name): string {
    const disks = this.machines.get(name)!.disks.map(({ source, format, target, backing }) =>
      xml(
        "disk",
        { type: "file", device: "disk" },
        xml("driver", { type: format }),
        sourceXml({ path: source!, type: "file" }),
        backingStoreXml(backing),
        xml("target", { dev: target }),
      )
    );
    return renderXml(xml("domain", {}, xml("devices", {}, disks)));
  }

  write(file: string, header: Header): void {
    using handle = Deno.openSync(this.path(file), { write: true, create: true });
    handle.writeSync(headerBytes(header, this.folder));
  }

  /** Files that QEMU opens of an image whose chain it is given: only a data file is found in a header. */
  async opened(path: string, format: string, backing: CheckedImage["backing"]): Promise<string[]> {
    const [next, ...rest] = backing;
    const data = format === "qcow2" && (await qcow2Head(path).catch(() => null))?.externalData
      ? [this.path("canary")]
      : [];
    return [path, ...data, ...next ? await this.opened(next.path, next.format, rest) : []];
  }

  close(): void {
    for (const held of this.uploads.values()) held[Symbol.dispose]();
    this.#store.close();
  }
}

/** Runs what may be refused. @returns undefined when it was */
async function unlessRefused<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ContractError) return undefined;
    throw error;
  }
}

type Step =
  | { readonly do: "guest writes"; readonly vm: Name; readonly header: Header }
  | {
    readonly do: "attach";
    readonly vm: Name;
    readonly file: File;
    readonly format: "raw" | "qcow2" | undefined;
    readonly shareable: boolean;
  }
  | { readonly do: "detach"; readonly vm: Name }
  | { readonly do: "start"; readonly vm: Name; readonly by: "us" | "virsh" }
  | { readonly do: "stop"; readonly vm: Name }
  | { readonly do: "copy"; readonly file: File }
  | { readonly do: "overlay"; readonly file: File; readonly to: File }
  | { readonly do: "upload"; readonly file: File; readonly header: Header }
  | { readonly do: "upload more"; readonly file: File; readonly header: Header }
  | { readonly do: "finish"; readonly file: File };

const one = <T extends string>(...words: T[]) => fc.constantFrom(...words);
const file = one(...FILES);
/** A header at the time of the check. */
const header = one("clean", "clean", "none");
/** Headers that make an image a trap after it was checked. */
const trap = one("canary as data", "canary as data", "canary below", "below a as qcow2");

/** A guest that writes onto its raw disk, which it may be taken from in the end. */
const guest = fc.tuple(file, header, trap, fc.boolean()).map(([on, first, then, isTaken]): Step[] => [
  { do: "attach", vm: "x", file: on, format: "raw", shareable: true },
  { do: "start", vm: "x", by: "us" },
  { do: "guest writes", vm: "x", header: first },
  { do: "guest writes", vm: "x", header: then },
  ...isTaken ? [{ do: "detach", vm: "x" } as const] : [],
]);
/** An upload that waits between its pieces. */
const uploader = fc.tuple(file, header, trap, fc.boolean()).map(([to, first, then, isFinished]): Step[] => [
  { do: "upload", file: to, header: first },
  { do: "upload more", file: to, header: then },
  ...isFinished ? [{ do: "finish", file: to } as const] : [],
]);
/** An operator who would like to read what is not theirs. */
const operator: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: one("attach"),
      vm: one("y"),
      file,
      format: one("qcow2"),
      shareable: fc.constant(true),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: one("start"), vm: one("y"), by: one("us", "virsh") }) },
  { weight: 1, arbitrary: fc.record({ do: one("stop", "detach"), vm: one("y") }) },
  { weight: 2, arbitrary: fc.record({ do: one("copy"), file }) },
  { weight: 2, arbitrary: fc.record({ do: one("overlay"), file: one("a"), to: one("b") }) },
);

/** Both at the same time, in any order. */
const orders = fc.tuple(
  fc.oneof(guest, uploader),
  fc.array(operator, { minLength: 2, maxLength: 7 }),
  fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
).map(([attacker, helper, turns]): Step[] => {
  const left = [...attacker], right = [...helper], steps: Step[] = [];
  for (const isLeft of turns) steps.push(...(isLeft ? left : right).splice(0, 1));
  return [...steps, ...left, ...right];
});

/** Carries a step out as the product does. @returns the files that libvirt or QEMU opened for it */
async function carryOut(world: World, step: Step): Promise<string[]> {
  switch (step.do) {
    case "guest writes":
      return guestWrites(world, step.vm, step.header);
    case "attach":
      return await attach(world, step);
    case "detach":
      world.machines.get(step.vm)!.disks.pop();
      return [];
    case "stop":
      world.machines.get(step.vm)!.running = false;
      return [];
    case "start":
      return await start(world, step);
    case "copy":
      return await copy(world, step.file);
    case "overlay":
      return await overlay(world, step);
    case "upload":
      return await upload(world, step);
    case "upload more":
      if (world.uploads.has(step.file)) world.write(step.file, step.header);
      return [];
    case "finish":
      return finish(world, step.file);
  }
}

/** A guest's writes into a qcow2 image never become its header. */
function guestWrites(world: World, name: Name, header: Header): [] {
  const { running, disks } = world.machines.get(name)!;
  for (const { source, format } of running ? disks : []) {
    if (format === "raw") world.write(source!.split("/").at(-1)!, header);
  }
  return [];
}

async function attach(
  world: World,
  { vm, file, format, shareable }: Step & { do: "attach" },
): Promise<string[]> {
  const { id, name, running, disks } = world.machines.get(vm)!;
  const wish = { path: world.path(file), ...(format && { format }) };
  const use = { role: "operator", purpose: "disk", vm: { id, name } } as const;
  using held = new DisposableStack();
  const image = await unlessRefused(() => checkImage(world.host, wish, use, held));
  if (image === undefined || image.uses.some((use) => !(use.shareable && shareable))) return [];
  const { path, backing } = image;
  disks.push({
    target: `vd${file}`,
    bus: "virtio",
    device: "disk",
    type: "file",
    source: path,
    format: image.format,
    readOnly: false,
    shareable,
    backing,
  });
  return running ? await world.opened(path, image.format, backing) : [];
}

async function start(world: World, { vm, by }: Step & { do: "start" }): Promise<string[]> {
  const machine = world.machines.get(vm)!;
  const view = world.host.inventory.vm(vm)!;
  const isAllowed = by === "virsh" || await unlessRefused(async () => {
    await requireStartable(world.host, view);
    return true;
  });
  if (!isAllowed) return [];
  machine.running = true;
  const opened = machine.disks.map(({ source, format, backing }) => world.opened(source!, format!, backing));
  return (await Promise.all(opened)).flat();
}

async function copy(world: World, file: File): Promise<string[]> {
  using held = new DisposableStack();
  const wish = { path: world.path(file) };
  const image = await unlessRefused(() => copySource(world.host, wish, "operator", held));
  return image === undefined ? [] : await world.opened(image.path, image.format, image.backing);
}

/** Makes a new volume that is built on another: a new file. */
async function overlay(world: World, { file, to }: Step & { do: "overlay" }): Promise<string[]> {
  if (to === file || world.isUsed(to) || world.uploads.has(to) || file !== "a") return [];
  using held = new DisposableStack();
  const use = { role: "operator", purpose: "base" } as const;
  const base = await unlessRefused(() => checkImage(world.host, { path: world.path(file) }, use, held));
  if (base === undefined) return [];
  await Deno.remove(world.path(to));
  world.write(to, base.format === "qcow2" ? "below a as qcow2" : "below a");
  return await world.opened(base.path, base.format, base.backing);
}

/** Begins an upload. The worst case: a header that was not checked lies on the disk meanwhile. */
async function upload(world: World, { file, header }: Step & { do: "upload" }): Promise<string[]> {
  if (world.isUsed(file) || world.uploads.has(file)) return [];
  world.uploads.set(file, world.host.locks.take("p", file, { hold: "make" }));
  await Deno.remove(world.path(file));
  world.write(file, header);
  return [];
}

function finish(world: World, file: File): [] {
  const held = world.uploads.get(file);
  if (held === undefined) return [];
  world.write(file, "clean");
  held[Symbol.dispose]();
  world.uploads.delete(file);
  return [];
}

Deno.test("checkImage() lets no order of write, attach, start, overlay, upload and copy open a file of the host", async () => {
  let opens = 0, attached = 0;
  await fc.assert(
    fc.asyncProperty(orders, async (steps) => {
      const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
      const world = new World(folder);
      try {
        await Deno.writeTextFile(world.path("canary"), "canary");
        for (const [index, name] of FILES.entries()) world.write(name, index === 0 ? "none" : "clean");
        for (const each of steps) {
          const opened = await carryOut(world, each);
          opens += opened.length;
          if (each.do === "attach" && world.isUsed(each.file)) attached++;
          assert.ok(!opened.includes(world.path("canary")), JSON.stringify(each));
        }
      } finally {
        world.close();
        await Deno.remove(folder, { recursive: true });
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(opens > 50, "much of it is allowed");
  assert.ok(attached > 50, "many images are attached");
});

Deno.test("checkImage() gives what is built on another machine's seed to administrators alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const world = new World(folder);
  try {
    const files = { userData: "#cloud-config\n", metaData: "" };
    await Deno.writeFile(world.path(SEED), writeSeed({ form: {} }, files, 0));
    world.write("b", "seed below");
    const wish = { path: world.path("b"), format: "qcow2" } as const;
    for (const purpose of ["disk", "base", "content"] as const) {
      await assert.rejects(
        checkImage(world.host, wish, { purpose, role: "operator" }, undefined),
        (error) => {
          assert.ok(error instanceof ContractError, String(error));
          assert.match(error.message, /it is a cloud-init seed, which belongs to its VM alone/);
          return true;
        },
      );
    }
    const use = { purpose: "content", role: "administrator" } as const;
    const { backing } = await checkImage(world.host, wish, use, undefined);
    assert.deepEqual(backing.map(({ path }) => path), [world.path(SEED)]);
  } finally {
    world.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("checkImage() refuses what cannot be read, and passes a mistake of ours on as it came", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const world = new World(folder);
  try {
    world.write("a", "none");
    const check = (host: LibvirtHost) =>
      checkImage(host, { path: world.path("a") }, { purpose: "disk", role: "operator" }, undefined);
    assert.equal((await check(world.host)).path, world.path("a"));
    const failing = (thrown: unknown) =>
      Object.assign(Object.create(world.host) as LibvirtHost, {
        keepers: {
          of: () => {
            throw thrown;
          },
        },
      });
    const mistake = new TypeError("undefined is no function");
    await assert.rejects(check(failing(mistake)), (error) => error === mistake);
    const io = Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
    await assert.rejects(check(failing(io)), { code: "DiskRefused", message: /cannot be read \(Input/ });
    await assert.rejects(check(failing(new Deno.errors.PermissionDenied("no"))), {
      code: "DiskRefused",
      message: /KVM Manager may not read it/,
    });
  } finally {
    world.close();
    await Deno.remove(folder, { recursive: true });
  }
});
