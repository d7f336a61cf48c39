/**
 * Packs what `deno task build` made: `dist/` gets a .deb, an .rpm, a .tar.gz and SHA256SUMS. The same sources give the
 * same files. Needs no network; the RPM needs rpmbuild (Debian's package rpm).
 *
 *     deno task package
 */
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { writeAr } from "../lib/formats/tar/ar.ts";
import {
  changelog,
  DEB_ARCH,
  debControl,
  debScripts,
  type PackageFacts,
  type PackageFile,
  packageFiles,
  rpmSpec,
} from "../lib/system/install/package.ts";
import { type TarEntry, writeTar } from "../lib/formats/tar/tar.ts";
import { layoutOf } from "../lib/system/install/layout.ts";
import { VERSION } from "../lib/version.ts";
import { PROJECT, removePath, runQuietly } from "./project.ts";

const DIST = join(PROJECT, "dist");
const LAYOUT = layoutOf("/usr");
const encoder = new TextEncoder();

/** Files with the folders above them, as package managers want them. */
function tree(files: readonly PackageFile[]): TarEntry[] {
  const folders = new Set<string>();
  for (const { path } of files) for (let at = dirname(path); at !== "/"; at = dirname(at)) folders.add(at);
  const mode = (path: string) => path === LAYOUT.configDir ? 0o750 : 0o755;
  return [
    { name: "./", mode: 0o755, content: new Uint8Array() },
    ...[...folders].sort().map((path) => ({
      name: `.${path}/`,
      mode: mode(path),
      content: new Uint8Array(),
    })),
    ...files.map(({ path, mode, content }) => ({ name: `.${path}`, mode, content })),
  ];
}

const packed = (entries: readonly TarEntry[]) => gzipSync(writeTar(entries), { level: 9 });

function deb(facts: PackageFacts, files: readonly PackageFile[]): Uint8Array<ArrayBuffer> {
  const control: Record<string, string> = {
    control: debControl(facts),
    conffiles: files.filter(({ isConfig }) => isConfig).map(({ path }) => `${path}\n`).join(""),
    md5sums: files.filter(({ isConfig }) => !isConfig).map(({ path, content }) =>
      `${createHash("md5").update(content).digest("hex")}  ${path.slice(1)}\n`
    ).join(""),
  };
  const scripts = debScripts(LAYOUT);
  const entry = (name: string, text: string, mode: number) => ({
    name: `./${name}`,
    mode,
    content: encoder.encode(text),
  });
  return writeAr([
    { name: "debian-binary", content: encoder.encode("2.0\n") },
    {
      name: "control.tar.gz",
      content: packed([
        { name: "./", mode: 0o755, content: new Uint8Array() },
        ...Object.entries(control).map(([name, text]) => entry(name, text, 0o644)),
        ...Object.entries(scripts).map(([name, text]) => entry(name, text, 0o755)),
      ]),
    },
    { name: "data.tar.gz", content: packed(tree(files)) },
  ]);
}

/** Nothing of this machine or this moment goes into the RPM. */
const RPM_MACROS = {
  _buildhost: "localhost",
  use_source_date_epoch_as_buildtime: "1",
  clamp_mtime_to_source_date_epoch: "1",
  source_date_epoch_from_changelog: "0",
  _build_id_links: "none",
  __os_install_post: "%{nil}",
  debug_package: "%{nil}",
  _binary_payload: "w9.gzdio",
} as const;

/** @throws {Error} when rpmbuild is not installed, or fails */
async function rpm(facts: PackageFacts, files: readonly PackageFile[], output: string): Promise<void> {
  // A folder of always the same name: it is in the spec
  const folder = join(DIST, ".rpm");
  await removePath(folder);
  try {
    for (const { path, mode, content } of files) {
      const place = join(folder, "tree", path);
      await Deno.mkdir(dirname(place), { recursive: true });
      await Deno.writeFile(place, content, { mode });
    }
    await Deno.writeTextFile(
      join(folder, "kvm-manager.spec"),
      rpmSpec(facts, LAYOUT, files, join(folder, "tree")),
    );
    const macros = {
      ...RPM_MACROS,
      _topdir: folder,
      _dbpath: join(folder, "db"),
      _rpmdir: join(folder, "out"),
    };
    await runQuietly("env", [
      "SOURCE_DATE_EPOCH=1577836800",
      ...["rpmbuild", "-bb", "--quiet", "--target", `${facts.arch}-linux`],
      ...Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]),
      join(folder, "kvm-manager.spec"),
    ]);
    await Deno.rename(
      join(folder, "out", facts.arch, `kvm-manager-${facts.version}-1.${facts.arch}.rpm`),
      output,
    );
  } finally {
    await removePath(folder);
  }
}

async function hasRpmbuild(): Promise<boolean> {
  try {
    return (await new Deno.Command("rpmbuild", { args: ["--version"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function main(): Promise<number> {
  const binary = await Deno.readFile(join(DIST, "kvm-manager"));
  const guide = await Deno.readFile(join(PROJECT, "docs/install.md"));
  const arch = Deno.build.arch;
  const history = gzipSync(encoder.encode(changelog(VERSION)), { level: 9 });
  const files = packageFiles(LAYOUT, { binary, guide, history });
  const facts = { version: VERSION, arch, size: files.reduce((sum, { content }) => sum + content.length, 0) };
  const made: string[] = [];
  const write = async (name: string, content: Uint8Array) => {
    await Deno.writeFile(join(DIST, name), content);
    made.push(name);
  };
  await write(`kvm-manager_${VERSION}_${DEB_ARCH[arch]}.deb`, deb(facts, files));
  const top = `kvm-manager-${VERSION}-linux-${arch}`;
  await write(
    `${top}.tar.gz`,
    packed([
      { name: `${top}/`, mode: 0o755, content: new Uint8Array() },
      { name: `${top}/kvm-manager`, mode: 0o755, content: binary },
      { name: `${top}/install.md`, mode: 0o644, content: guide },
    ]),
  );
  const withRpm = await hasRpmbuild();
  if (withRpm) {
    const name = `kvm-manager-${VERSION}-1.${arch}.rpm`;
    await rpm(facts, files, join(DIST, name));
    made.push(name);
  }
  const sums = await Promise.all(
    [...made, "kvm-manager"].sort().map(async (name) => {
      const hash = createHash("sha256").update(await Deno.readFile(join(DIST, name))).digest("hex");
      return `${hash}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(join(DIST, "SHA256SUMS"), sums.join(""));
  for (const name of [...made, "SHA256SUMS"]) console.log(relative(Deno.cwd(), join(DIST, name)));
  if (withRpm) return 0;
  console.error("No .rpm: rpmbuild is not here. Debian: apt-get install rpm; Fedora: dnf install rpm-build");
  return 1;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    console.error(isMissing ? "There is no dist/kvm-manager: deno task build" : error);
    Deno.exitCode = 1;
  }
}
