/**
 * Answers for a libvirt that asks for a user. The callback belongs to the main thread, as those of events do: libvirt
 * calls it on the thread that connects, which waits for it. So the password stays on the main thread: no message, file,
 * URI or environment has it.
 *
 * Source: libvirt-host.h (virConnectAuthCallbackPtr, virConnectCredential). 64 bit.
 */
import type { LibvirtAddress, LibvirtLogin } from "./address.ts";
import { openLibc } from "./library.ts";
import { cPassword } from "./memory.ts";
import { newSignIns, noteAsked } from "./sign_in_turns.ts";

/**
 * Credentials that libvirt may ask for (`virConnectCredentialType`): a name, and its password. No others are answered.
 */
export const CREDENTIAL = { AUTHNAME: 2, PASSPHRASE: 5 } as const;

/** `struct _virConnectCredential`: int type @0, prompt @8, challenge @16, defresult @24, char *result @32, unsigned resultlen @40. */
const ENTRY = { SIZE: 48, TYPE: 0, RESULT: 32, LENGTH: 40 } as const;
/** More than libvirt asks for at once. */
const MOST = 16;

const SYMBOLS = {
  strdup: { parameters: ["buffer" /* s */], result: "pointer" },
} as const satisfies Record<string, Deno.ForeignFunction>;
let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** Answers by the kind of question. @throws {TypeError} for a NUL, before libvirt is asked */
const answersOf = ({ username, password }: LibvirtLogin): ReadonlyMap<number, Uint8Array<ArrayBuffer>> =>
  new Map<number, Uint8Array<ArrayBuffer>>([[CREDENTIAL.AUTHNAME, cPassword(username)], [
    CREDENTIAL.PASSPHRASE,
    cPassword(password),
  ]]);

/** Fills one entry in. @returns whether it could be */
function fill(entry: DataView, bytes: Uint8Array<ArrayBuffer> | undefined): boolean {
  // libvirt gives it back with free(3)
  const copy = bytes === undefined ? null : libc().strdup(bytes);
  if (bytes === undefined || copy === null) return false;
  entry.setBigUint64(ENTRY.RESULT, Deno.UnsafePointer.value(copy), true);
  entry.setUint32(ENTRY.LENGTH, bytes.length - 1, true);
  return true;
}

/** The answers of one user, for all threads that connect. Disposing of it is for who knows that none does. */
export class SignInAnswers implements Disposable {
  readonly #callback: Deno.UnsafeCallback;

  /** @param cells what all who sign in there know of each other @throws {TypeError} for a NUL in the name or the password */
  constructor(login: LibvirtLogin, readonly cells = newSignIns()) {
    const answers = answersOf(login);
    this.#callback = Deno.UnsafeCallback.threadSafe(
      { parameters: ["pointer", "u32", "pointer"], result: "i32" } as const,
      (entries, count) => {
        noteAsked(this.cells);
        if (entries === null || count > MOST) return -1;
        const all = Deno.UnsafePointerView.getArrayBuffer(entries, count * ENTRY.SIZE);
        for (let each = 0; each < count; each++) {
          const entry = new DataView(all, each * ENTRY.SIZE, ENTRY.SIZE);
          if (!fill(entry, answers.get(entry.getInt32(ENTRY.TYPE, true)))) return -1;
        }
        return 0;
      },
    ) as unknown as Deno.UnsafeCallback;
  }

  /** For {@link LibvirtAddress}. */
  get signIn(): NonNullable<LibvirtAddress["signIn"]> {
    return { answers: Deno.UnsafePointer.value(this.#callback.pointer), cells: this.cells };
  }

  /** No further thread is given it; one that hangs while it connects may still ask, so that it is never freed. */
  leave(): void {
    this.#callback.unref();
  }

  [Symbol.dispose](): void {
    this.#callback.close();
  }
}
