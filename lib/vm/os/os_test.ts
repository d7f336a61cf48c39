import assert from "node:assert/strict";
import { COMMANDS } from "../../contract/mod.ts";
import { inputFields } from "../../contract/rest.ts";
import { GENERAL } from "./traits.ts";
import { Compile } from "typebox/compile";
import { OperatingSystem } from "../../contract/create.ts";
import { XmlError } from "../../formats/xml/tree.ts";
import { BUILTIN_SYSTEMS, findSystem, mergeSystems, readOsinfo } from "./mod.ts";
import { GIB } from "../../text/byte_units.ts";

const os = (id: string, shortId: string, inner: string) =>
  `<libosinfo version="0.0.1"><os id="${id}"><short-id>${shortId}</short-id><name xml:lang="de">falsch</name>
   <name>Name of ${shortId}</name>${inner}</os></libosinfo>`;
const device = (id: string, more = "") => `<device id="http://pcisig.com/pci/1af4/${id}"${more}/>`;
const virtio = `<devices>${device("1001")}${device("1000")}</devices>`;

/** A system of a database in these files, and the files that cannot be read. */
function defaultsOf(files: Record<string, string>, id: string) {
  const broken: string[] = [];
  const systems = readOsinfo(Object.entries(files), (path) => broken.push(path));
  return { system: systems.find((system) => system.id === id), broken };
}

Deno.test("readOsinfo() finds drivers in what a system derives from, and takes them away again", () => {
  const files = {
    "1.xml": os("http://a/1", "a1", `<family>linux</family>${virtio}`),
    "2.xml": os("http://a/2", "a2", `<family>linux</family><derives-from id="http://a/1"/>`),
    "3.xml": os(
      "http://a/3",
      "a3",
      `<family>linux</family><clones id="http://a/2"/><devices>${
        device("1001", ' supported="false"')
      }</devices>`,
    ),
    "old.xml": os("http://o/1", "old", `<family>winnt</family><release-date>2001-10-25</release-date>`),
    "loop.xml": os("http://l/1", "loop", `<family>linux</family><derives-from id="http://l/1"/>`),
  };
  const hardware = (id: string) => {
    const { diskBus, nicModel, machine } = defaultsOf(files, id).system!.defaults;
    return [diskBus, nicModel, machine];
  };
  assert.deepEqual(hardware("a1"), ["virtio", "virtio", "q35"]);
  assert.deepEqual(hardware("a2"), ["virtio", "virtio", "q35"]);
  assert.deepEqual(hardware("a3"), ["sata", "e1000e", "q35"]);
  assert.deepEqual(hardware("old"), ["ide", "rtl8139", "pc"]);
  assert.deepEqual(hardware("loop"), ["sata", "e1000e", "q35"]);
});

Deno.test("readOsinfo() takes what is recommended, and never less than the least", () => {
  const resources = `<resources arch="all"><minimum><n-cpus>1</n-cpus><ram>${3 * GIB}</ram><storage>${
    9 * GIB
  }</storage>
    </minimum></resources><resources arch="x86_64"><recommended><n-cpus>4</n-cpus><storage>${
    30 * GIB
  }</storage>
    </recommended></resources>`;
  const { system, broken } = defaultsOf({
    "a.xml": os("http://a/1", "a1", `<family>linux</family><version>1</version>${resources}`),
    "broken.xml": "<libosinfo><os",
    "doctype.xml": `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><libosinfo/>`,
  }, "a1");
  assert.deepEqual(broken, ["broken.xml", "doctype.xml"]);
  assert.equal(system?.name, "Name of a1");
  const { cpuCount, memoryMb, diskSizeGb, minimumMemoryMb, minimumDiskGb } = system!.defaults;
  assert.deepEqual([cpuCount, memoryMb, diskSizeGb, minimumMemoryMb, minimumDiskGb], [4, 3072, 30, 3072, 9]);
  assert.throws(() =>
    readOsinfo([["x", "<a"]], (_path, error) => {
      throw error;
    }), XmlError);
});

Deno.test("readOsinfo() gives Windows 11 what it does not install without", () => {
  const firmware = `<firmware arch="x86_64" type="bios" supported="false"/>`;
  const of = (id: string) =>
    defaultsOf({ "a": os(`http://microsoft.com/${id}`, id, `<family>winnt</family>${firmware}`) }, id)
      .system!;
  const { defaults, osType } = of("win11");
  assert.deepEqual([osType, defaults.firmware, defaults.tpm, defaults.localClock], [
    "windows",
    "uefi-secure",
    true,
    true,
  ]);
  assert.deepEqual([of("win99").defaults.firmware, of("win99").defaults.tpm], ["uefi", false]);
});

Deno.test("mergeSystems() adds ours to the database's, each once", () => {
  const [debian] = readOsinfo([[
    "a",
    os("http://debian.org/debian/12", "debian12", "<family>linux</family>"),
  ]], () => {});
  const all = mergeSystems([debian!]);
  assert.equal(all.length, BUILTIN_SYSTEMS.length);
  assert.equal(all.find(({ id }) => id === "debian12")?.name, "Name of debian12");
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  assert.deepEqual([...new Set(all.map(({ osType }) => osType))], ["linux", "windows", "other"]);
});

Deno.test("mergeSystems() tells systems of one name apart: by their versions, else by their ids", () => {
  const like = (id: string, version?: string) => ({
    ...BUILTIN_SYSTEMS[0]!,
    id,
    name: "Same",
    ...version !== undefined && { version },
  });
  const namesOf = (...given: Parameters<typeof mergeSystems>[0]) =>
    mergeSystems(given).filter(({ name }) => name.startsWith("Same")).map(({ name }) => name);
  assert.deepEqual(namesOf(like("a", "8"), like("b", "10")), ["Same 8", "Same 10"]);
  assert.deepEqual(namesOf(like("a", "8"), like("b", "8")), ["Same (a)", "Same (b)"]);
  assert.deepEqual(namesOf(like("a", "8")), ["Same"]);
});

Deno.test("BUILTIN systems fit the contract, and each kind has one that stands for it", () => {
  const validator = Compile(OperatingSystem);
  for (const system of BUILTIN_SYSTEMS) {
    assert.ok(validator.Check(system), system.id);
    // What the list shows of a machine is made from libosinfo's id.
    if (system.osType !== "other") assert.match(system.uri, /^http:\/\/[a-z.]+\/[a-z-]+\/[\w.]+$/);
  }
  for (const osType of ["linux", "windows", "other"] as const) {
    assert.equal(findSystem(BUILTIN_SYSTEMS, { osType })?.osType, osType);
  }
  assert.equal(findSystem(BUILTIN_SYSTEMS, { osVariant: "win11", osType: "linux" })?.id, "win11");
  assert.equal(findSystem(BUILTIN_SYSTEMS, { osVariant: "none" }), undefined);
});

Deno.test("create_vm says what is taken for fields that are left out", () => {
  const described = inputFields(COMMANDS.create_vm) as Record<string, { description?: string }>;
  for (const [field, value] of Object.entries(GENERAL)) {
    assert.match(described[field]!.description!, new RegExp(`when left out, ${value} without one$`), field);
  }
});
