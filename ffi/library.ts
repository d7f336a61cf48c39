/** libvirt.so, opened once per thread and only when first needed. */
import { messageOf } from "../lib/text/message.ts";
import { LibvirtError, readError } from "./error.ts";
import { cString, readString } from "./memory.ts";
import { LIBC, OPTIONAL, QEMU, REQUIRED } from "./symbols.ts";

const SYMBOLS = { ...REQUIRED, ...OPTIONAL };
type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Names to try, in order: the runtime package's, then the development package's. */
const NAMES = ["libvirt.so.0", "libvirt.so"];
const QEMU_NAMES = ["libvirt-qemu.so.0", "libvirt-qemu.so"];
const LIBC_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

function openFirst<S extends Deno.ForeignLibraryInterface>(
  names: readonly string[],
  symbols: S,
  missing: string,
) {
  const tried: string[] = [];
  for (const name of names) {
    try {
      return Deno.dlopen(name, symbols);
    } catch (error) {
      tried.push(messageOf(error));
    }
  }
  throw new LibvirtError({ kind: "unavailable", message: `${missing} (${tried.join("; ")})` });
}

/** Opens functions of the C library. @throws {LibvirtError} where there is none */
export function openLibc<S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.StaticForeignLibraryInterface<S> {
  return openFirst(LIBC_NAMES, symbols, "the C library cannot be loaded").symbols;
}

/** An open libvirt: its functions, and what to do with what they return. */
export interface Library {
  readonly symbols: Symbols;
  /** Address of a C function that does nothing: for callbacks that must exist and need not do anything. */
  readonly noop: Deno.PointerValue;
  /** Frees memory that libvirt handed over (it uses malloc). */
  free(pointer: Deno.PointerValue): void;
  /** The last error of this thread. Call right after the failed call. */
  lastError(): LibvirtError;
}

let opened: Library | undefined;

/**
 * Opens libvirt on first use.
 *
 * @throws {LibvirtError} kind `unavailable`: the library is not installed.
 */
export function libvirt(): Library {
  if (opened) return opened;
  const { symbols } = openFirst(
    NAMES,
    SYMBOLS,
    "libvirt's client library cannot be loaded. Install it (Debian: libvirt0, Fedora: libvirt-libs)",
  );
  const libc = openLibc(LIBC);
  if (symbols.virInitialize() < 0) throw readError(symbols.virGetLastError());
  // Without an error function libvirt prints every error to stderr. abs(3) takes the place of one that does
  // nothing: it may be called from any thread, which a JavaScript callback could not.
  const noop = libc.dlsym(null, cString("abs"));
  symbols.virSetErrorFunc(null, noop);
  opened = {
    symbols,
    noop,
    free: (pointer) => {
      if (pointer !== null) libc.free(pointer);
    },
    lastError: () => readError(symbols.virGetLastError()),
  };
  return opened;
}

let openedQemu: Deno.DynamicLibrary<typeof QEMU>["symbols"] | undefined;

/** libvirt's functions for QEMU alone, opened on first use. @throws {LibvirtError} kind `unavailable` */
export function qemuLibrary(): Deno.DynamicLibrary<typeof QEMU>["symbols"] {
  libvirt();
  return openedQemu ??= openFirst(QEMU_NAMES, QEMU, "libvirt-qemu.so cannot be loaded").symbols;
}

/** Passes a result that is not -1 on. @throws {LibvirtError} */
export function ok(result: number): number {
  if (result < 0) throw libvirt().lastError();
  return result;
}

/** Passes a pointer that is not NULL on. @throws {LibvirtError} */
export function notNull(pointer: Deno.PointerValue): Deno.PointerObject {
  if (pointer === null) throw libvirt().lastError();
  return pointer;
}

/** Takes a C string that libvirt handed over: reads it and frees it. @throws {LibvirtError} for NULL. */
export function takeString(pointer: Deno.PointerValue): string {
  const text = readString(notNull(pointer));
  libvirt().free(pointer);
  return text;
}

/** The newer functions, and whether this libvirt has them. */
export function capabilities(): Record<keyof typeof OPTIONAL, boolean> {
  const { symbols } = libvirt();
  return Object.fromEntries(
    Object.keys(OPTIONAL).map((name) => [name, symbols[name as keyof typeof OPTIONAL] !== null]),
  ) as Record<keyof typeof OPTIONAL, boolean>;
}

/** Version of the client library, as `major * 1,000,000 + minor * 1,000 + release`. Source: virGetVersion. */
export function libraryVersion(): number {
  const out = new BigUint64Array(1);
  ok(libvirt().symbols.virGetVersion(out, null, null));
  return Number(out[0]);
}
