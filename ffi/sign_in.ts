/**
 * Connecting as a user whom libvirt asks for: virConnectOpenAuth. What it asks is answered by `sign_in_answers.ts`.
 *
 * Source: libvirt-host.h (virConnectAuth). 64 bit.
 */
import type { LibvirtAddress } from "./address.ts";
import { LibvirtError, type SignInFailure, VIR_ERR } from "./error.ts";
import { libvirt } from "./library.ts";
import { cString } from "./memory.ts";
import { outsideClosed } from "./outside.ts";
import { CREDENTIAL } from "./sign_in_answers.ts";
import { forgetAsked, inTurn, wasAsked } from "./sign_in_turns.ts";

type SignIn = NonNullable<LibvirtAddress["signIn"]>;

const ASKED = new Int32Array(Object.values(CREDENTIAL));

/** `virConnectAuth`: int *credtype, unsigned ncredtype, callback, void *cbdata. */
const authOf = ({ answers }: SignIn): BigUint64Array<ArrayBuffer> =>
  new BigUint64Array([
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(ASKED)),
    BigInt(ASKED.length),
    answers,
    0n,
  ]);

/**
 * Errors of libsasl if client and server have no mechanism in common; a server that has none at all reports only a
 * failure.
 */
const NO_MECHANISM = /no mechanism available|SASL mechanism \S+ not supported/i;
/** Error of libsasl if Kerberos is used, and there is no ticket, or one that the server does not accept. */
const KERBEROS = /GSSAPI Error/;
const FAILED_ALONE = /^authentication failed: authentication failed$/;

/** How signing in failed; undefined for another failure. */
function signInFailure(
  { code, message }: LibvirtError,
  isAsked: boolean,
  hasUser: boolean,
): SignInFailure | undefined {
  if (KERBEROS.test(message)) return "ticket";
  if (isAsked && !hasUser) return "needed";
  if (code !== VIR_ERR.AUTH_FAILED && code !== VIR_ERR.AUTH_CANCELLED) return undefined;
  if (isAsked) return "refused";
  // Without a user it may be polkit that failed
  const isImpossible = NO_MECHANISM.test(message) || hasUser && FAILED_ALONE.test(message);
  return isImpossible ? "impossible" : undefined;
}

/**
 * Opens a connection. Blocks.
 *
 * @throws {LibvirtError} with `signIn` where it is the user or the password
 */
export const openConnection = ({ uri, signIn }: LibvirtAddress): Deno.PointerObject =>
  signIn === undefined ? openAs(uri, signIn) : inTurn(signIn.cells, () => openAs(uri, signIn));

/** Errors of a libvirt that would ask, without a callback for it. */
const NO_CALLBACK =
  /No authentication callback available|no mechanism available|Missing authentication credentials/i;

function openAs(uri: string, signIn: SignIn | undefined): Deno.PointerObject {
  const closed = outsideClosed();
  if (closed !== undefined) throw new LibvirtError({ kind: "unavailable", message: closed });
  const { symbols, lastError } = libvirt();
  if (signIn !== undefined) forgetAsked(signIn.cells);
  const pointer = symbols.virConnectOpenAuth(cString(uri), signIn === undefined ? null : authOf(signIn), 0);
  if (pointer !== null) return pointer;
  const error = lastError();
  const isAsked = signIn === undefined ? NO_CALLBACK.test(error.message) : wasAsked(signIn.cells);
  const failure = signInFailure(error, isAsked, signIn !== undefined);
  throw failure === undefined ? error : new LibvirtError({ ...error.toFailure(), signIn: failure });
}
