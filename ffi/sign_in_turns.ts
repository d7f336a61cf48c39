/**
 * Threads that sign in to one libvirt take turns, and none tries a password that was refused for another: each refusal counts for
 * the account, which some servers lock after three.
 */
import { LibvirtError, VIR_ERR } from "./error.ts";

/** Cells of the memory that they share: whether one is signing in, whether one was refused, and whether libvirt has asked. */
const CELL = { BUSY: 0, REFUSED: 1, ASKED: 2 } as const;
/** Milliseconds that one waits for another, which may hang, or have ended in the middle. */
const TURN_MS = 2000;

/** Memory for the threads of one libvirt and login. */
export const newSignIns = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(Object.keys(CELL).length * Int32Array.BYTES_PER_ELEMENT));

/** Lets the password be tried once more. */
export const allowSignIn = (cells: Int32Array<SharedArrayBuffer> | undefined): void => {
  if (cells !== undefined) Atomics.store(cells, CELL.REFUSED, 0);
};

/** libvirt asks for the user. */
export const noteAsked = (cells: Int32Array<SharedArrayBuffer>): void =>
  void Atomics.store(cells, CELL.ASKED, 1);

/** Whether libvirt has asked for the user since {@link forgetAsked}. */
export const wasAsked = (cells: Int32Array<SharedArrayBuffer>): boolean =>
  Atomics.load(cells, CELL.ASKED) === 1;

export const forgetAsked = (cells: Int32Array<SharedArrayBuffer>): void =>
  void Atomics.store(cells, CELL.ASKED, 0);

/** Signs in when no other thread does. Blocks. @throws what `open` throws; {LibvirtError} once another thread was refused */
export function inTurn<T>(cells: Int32Array<SharedArrayBuffer>, open: () => T): T {
  const end = performance.now() + TURN_MS;
  while (Atomics.compareExchange(cells, CELL.BUSY, 0, 1) !== 0 && performance.now() < end) {
    Atomics.wait(cells, CELL.BUSY, 1, TURN_MS);
  }
  try {
    if (Atomics.load(cells, CELL.REFUSED) === 1) {
      const message = "the user or the password was refused a moment ago";
      throw new LibvirtError({ code: VIR_ERR.AUTH_FAILED, message, signIn: "refused" });
    }
    return open();
  } catch (error) {
    if (error instanceof LibvirtError && error.signIn === "refused") Atomics.store(cells, CELL.REFUSED, 1);
    throw error;
  } finally {
    Atomics.store(cells, CELL.BUSY, 0);
    Atomics.notify(cells, CELL.BUSY, 1);
  }
}
