/**
 * Definitions of VMs that other projects test with. They are fetched where they can be and never committed: libvirt's from
 * Debian's source package; Proxmox's from a copy of `src/test` of its repository qemu-server that `KVMM_PROXMOX_TESTS` names.
 */
import { built } from "./built.ts";
import { ProcessError, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

const SOURCES = "deb-src http://deb.debian.org/debian bookworm main\n";

/** The folder of libvirt's `.vmx` files, each with the XML that libvirt makes of it. @throws {Unavailable} */
export async function libvirtVmxFolder(): Promise<string> {
  const folder = await built("vmx2xmldata", [SOURCES], async (work) => {
    await Deno.mkdir(`${work}/lists/partial`, { recursive: true });
    await Deno.writeTextFile(`${work}/sources.list`, SOURCES);
    const options = [
      ...["-o", `Dir::Etc::sourcelist=${work}/sources.list`, "-o", "Dir::Etc::sourceparts=/dev/null"],
      ...["-o", `Dir::State::lists=${work}/lists`, "-o", "APT::Sandbox::User=root"],
    ];
    try {
      await run(["apt-get", ...options, "update"], { cwd: work });
      await run(["apt-get", ...options, "source", "--download-only", "libvirt"], { cwd: work });
    } catch (error) {
      if (error instanceof ProcessError || error instanceof Deno.errors.NotFound) {
        throw new Unavailable(`libvirt's source is not to be had here: ${error.message}`, { cause: error });
      }
      throw error;
    }
    const archive = (await Array.fromAsync(Deno.readDir(work))).find(({ name }) =>
      name.endsWith(".orig.tar.xz")
    );
    if (archive === undefined) throw new Unavailable("libvirt's source package has no archive");
    await run([
      "tar",
      "-xf",
      `${work}/${archive.name}`,
      "-C",
      `${work}/out`,
      "--wildcards",
      "--strip-components=3",
      "*/tests/vmx2xmldata/*",
    ]);
  });
  return folder;
}

/** The folder of Proxmox's test files; undefined if the variable is not set. */
export const proxmoxTests = (): string | undefined => Deno.env.get("KVMM_PROXMOX_TESTS");

/** The folder of Proxmox's `.ovf` files (`src/test/ovf_manifests` of pve-storage); undefined if the variable is not set. */
export const proxmoxOvfs = (): string | undefined => Deno.env.get("KVMM_PROXMOX_OVFS");
