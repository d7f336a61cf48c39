/** The command on the certificate. */
import type { Handlers } from "../../dispatch.ts";
import type { Certificates } from "./certificates.ts";

/** Addresses and certificates of the listeners on TCP. */
interface Served {
  readonly addresses: readonly string[];
  /** Undefined where none has TLS. */
  readonly certificates: Pick<Certificates, "about"> | undefined;
}

/** @param served undefined until the listeners are open */
export function certificateHandlers(served: () => Served | undefined): Pick<Handlers, "get_certificate"> {
  return {
    get_certificate: () => ({
      addresses: [...served()?.addresses ?? []],
      certificate: served()?.certificates?.about ?? null,
    }),
  };
}
