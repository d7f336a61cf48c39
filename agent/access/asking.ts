/**
 * The principal of the present call, for the few decisions far below a handler. Work of the program itself,
 * and of principals who may do everything, has all rights.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { ALL_RIGHTS, type Rights } from "../../lib/access/rights.ts";

const asking = new AsyncLocalStorage<Rights>();

/** Carries a call out with the rights of who asks. */
export function asAsked<T>(rights: Rights, run: () => T): T {
  return asking.run(rights, run);
}

/** The rights of the call that is carried out. */
export const askedRights = (): Rights => asking.getStore() ?? ALL_RIGHTS;
