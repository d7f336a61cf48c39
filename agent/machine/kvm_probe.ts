/**
 * Whether KVM really runs guests. A device file that can be opened does not tell: nested virtualization may hand it
 * out and hang every guest. So the firmware is let boot a sector of five bytes, which ends QEMU with a number of its
 * own. It takes a tenth of a second where KVM works. Nested virtualization may also run a guest so slowly that its kernel
 * never gets anywhere: what takes long is compared with emulation, which a busy host slows down as much.
 */
import { log } from "../log.ts";
import { killAndWait } from "./programs.ts";

/** Milliseconds it may take; a host under load takes longer than a tenth of a second. */
const LIMIT_MS = 4000;
/** Milliseconds from which on it is compared with emulation. */
const SUSPECT_MS = 1000;
/** How many times as long as emulation it may take, once it takes that long. */
const MOST_RATIO = 2;
const DEVICE = "/dev/kvm";
/** One text for both: a guest that boots so slowly does within the limit now, and not the next time. */
const HANGS = "guests under it hang, or are slower than emulated ones";
/** QEMU's isa-debug-exit ends with (value << 1) | 1. */
const VALUE = 0x10, STATUS = VALUE << 1 | 1, PORT = 0xf4;

/** `mov al, VALUE; out PORT, al; hlt`, and the mark of a boot sector. */
function bootSector(): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(512);
  sector.set([0xb0, VALUE, 0xe6, PORT, 0xf4]);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

const argumentsFor = (image: string, accelerator: string) => [
  "-machine",
  `pc,accel=${accelerator}`,
  "-nodefaults",
  "-no-user-config",
  "-display",
  "none",
  "-m",
  "16",
  ...["-drive", `file.driver=file,file.filename=${image},format=raw,if=floppy,readonly=on`, "-boot", "a"],
  ...["-device", `isa-debug-exit,iobase=${PORT},iosize=4`],
];

/**
 * Starts a program that the kernel kills when this process ends, however it does: a guest that hangs would stay for good.
 * Without util-linux it is not tied.
 */
export function startTied(program: string, args: readonly string[]): Deno.ChildProcess {
  const options = { stdin: "null", stdout: "null", stderr: "null" } as const;
  try {
    const tied = ["--pdeathsig", "KILL", "--", program, ...args];
    return new Deno.Command("setpriv", { args: tied, ...options }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return new Deno.Command(program, { args: [...args], ...options }).spawn();
  }
}

/** How a try to boot the sector ended. */
export interface Boot {
  /** Milliseconds it took. */
  readonly took: number;
  /** Why it did not run; null when it did. */
  readonly trouble: string | null;
}

/**
 * Boots the sector.
 *
 * @param emulator QEMU for PCs, as libvirt names it
 */
export async function boot(emulator: string, accelerator: "kvm" | "tcg", limitMs = LIMIT_MS): Promise<Boot> {
  const image = await Deno.makeTempFile({ prefix: "kvm-manager-" });
  try {
    await Deno.writeFile(image, bootSector());
    const began = performance.now();
    const child = startTied(emulator, argumentsFor(image, accelerator));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((done) => timer = setTimeout(() => done(undefined), limitMs));
    const status = await Promise.race([child.status, late]).finally(() => clearTimeout(timer));
    const took = performance.now() - began;
    if (status === undefined) {
      if (!await killAndWait(child, emulator)) child.unref();
      return { took, trouble: HANGS };
    }
    const { code } = status;
    // As shells and setpriv say that there is no such program, or that it may not be run
    if (code === 126 || code === 127) throw new Error(`${emulator} cannot be started`);
    const trouble = code === STATUS ? null : `QEMU cannot run a guest under it (it ended with ${code})`;
    return { took, trouble };
  } finally {
    await Deno.remove(image);
  }
}

/**
 * Fault of KVM, by a guest's boot under it.
 *
 * @param emulated boots the same guest without KVM; called only if that helps to decide
 */
export async function troubleOf(kvm: Boot, emulated: () => Promise<Boot>): Promise<string | null> {
  if (kvm.trouble !== null || kvm.took < SUSPECT_MS) return kvm.trouble;
  const { took, trouble } = await emulated();
  return trouble !== null || kvm.took <= MOST_RATIO * took ? null : HANGS;
}

/** Why KVM cannot be used on this machine, or null when it works. */
export async function kvmTrouble(emulator: string): Promise<string | null> {
  try {
    await Deno.stat(DEVICE);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${DEVICE} is missing: switch virtualization (VT-x, AMD-V) on in the firmware, and load kvm_intel or kvm_amd`;
  }
  try {
    return await troubleOf(await boot(emulator, "kvm"), () => boot(emulator, "tcg"));
  } catch (error) {
    // QEMU or the temporary folder cannot be used by us: libvirt has its own rights, and its word is taken.
    log.debug("whether KVM works could not be tried", { error });
    return null;
  }
}
