/**
 * Connecting as a user whom libvirt asks for: virConnectOpenAuth and its callback. libvirt calls the callback on the thread that
 * opens, before it returns, so it is a plain callback of that thread. The password stays in memory: no file, no URI and no
 * environment has it.
 *
 * Source: libvirt-host.h (virConnectAuth, virConnectCredential). 64 bit.
 */
import type { LibvirtAddress, LibvirtLogin } from "./address.ts";
import { LibvirtError, type SignInFailure, VIR_ERR } from "./error.ts";
import { libvirt, openLibc } from "./library.ts";
import { cPassword, cString } from "./memory.ts";
import { inTurn } from "./sign_in_turns.ts";

/** What libvirt may ask for (`virConnectCredentialType`): a name, and its password. Nothing else is answered. */
const CREDENTIAL = { AUTHNAME: 2, PASSPHRASE: 5 } as const;
const ASKED = new Int32Array(Object.values(CREDENTIAL));

/** `struct _virConnectCredential`: int type @0, prompt @8, challenge @16, defresult @24, char *result @32, unsigned resultlen @40. */
const ENTRY = { SIZE: 48, TYPE: 0, RESULT: 32, LENGTH: 40 } as const;
/** More than libvirt asks for at once. */
const MOST = 16;

const SYMBOLS = {
  strdup: { parameters: ["buffer" /* s */], result: "pointer" },
} as const satisfies Record<string, Deno.ForeignFunction>;
let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** What each kind of question is answered with. @throws {TypeError} for a NUL, before libvirt is asked anything */
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

/** What became of libvirt's questions. */
interface Questions extends Disposable {
  readonly pointer: Deno.PointerObject;
  isAsked: boolean;
}

/** The callback by which libvirt asks. */
function questions(login: LibvirtLogin): Questions {
  const answers = answersOf(login);
  const callback = new Deno.UnsafeCallback(
    { parameters: ["pointer", "u32", "pointer"], result: "i32" } as const,
    (entries, count) => {
      asked.isAsked = true;
      if (entries === null || count > MOST) return -1;
      const all = Deno.UnsafePointerView.getArrayBuffer(entries, count * ENTRY.SIZE);
      for (let each = 0; each < count; each++) {
        const entry = new DataView(all, each * ENTRY.SIZE, ENTRY.SIZE);
        if (!fill(entry, answers.get(entry.getInt32(ENTRY.TYPE, true)))) return -1;
      }
      return 0;
    },
  );
  const asked: Questions = {
    pointer: callback.pointer,
    isAsked: false,
    [Symbol.dispose]: () => callback.close(),
  };
  return asked;
}

/** `virConnectAuth`: int *credtype, unsigned ncredtype, callback, void *cbdata. */
const authOf = ({ pointer }: Questions): BigUint64Array<ArrayBuffer> =>
  new BigUint64Array([
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(ASKED)),
    BigInt(ASKED.length),
    Deno.UnsafePointer.value(pointer),
    0n,
  ]);

/** What libsasl says where client and server have no way in common; a server that has none at all says no more than that it failed. */
const NO_MECHANISM = /no mechanism available|SASL mechanism \S+ not supported/i;
const FAILED_ALONE = /^authentication failed: authentication failed$/;

/** How signing in failed; undefined for another failure. */
function signInFailure(
  { code, message }: LibvirtError,
  isAsked: boolean,
  login: LibvirtLogin | undefined,
): SignInFailure | undefined {
  if (isAsked && login === undefined) return "needed";
  if (code !== VIR_ERR.AUTH_FAILED && code !== VIR_ERR.AUTH_CANCELLED) return undefined;
  if (isAsked) return "refused";
  // Without a user it may be polkit that failed
  const isImpossible = NO_MECHANISM.test(message) || login !== undefined && FAILED_ALONE.test(message);
  return isImpossible ? "impossible" : undefined;
}

/**
 * Opens a connection. Blocks.
 *
 * @throws {LibvirtError} with `signIn` where it is the user or the password
 */
export const openConnection = ({ uri, login, signIns }: LibvirtAddress): Deno.PointerObject =>
  inTurn(signIns, () => openAs(uri, login));

/** What libvirt says that would ask, and has no callback for it. */
const NO_CALLBACK =
  /No authentication callback available|no mechanism available|Missing authentication credentials/i;

function openAs(uri: string, login: LibvirtLogin | undefined): Deno.PointerObject {
  const { symbols, lastError } = libvirt();
  // A callback of a worker, be it freed or not, has crashed the process (Deno 2.9.6): without a user there is none
  if (login === undefined) {
    const pointer = symbols.virConnectOpenAuth(cString(uri), null, 0);
    if (pointer !== null) return pointer;
    const error = lastError();
    throw signInError(error, NO_CALLBACK.test(error.message), login);
  }
  using asked = questions(login);
  const pointer = symbols.virConnectOpenAuth(cString(uri), authOf(asked), 0);
  if (pointer !== null) return pointer;
  throw signInError(lastError(), asked.isAsked, login);
}

function signInError(error: LibvirtError, isAsked: boolean, login: LibvirtLogin | undefined): LibvirtError {
  const signIn = signInFailure(error, isAsked, login);
  return signIn === undefined ? error : new LibvirtError({ ...error.toFailure(), signIn });
}
