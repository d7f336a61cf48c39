/** The command on the certificate. */
import type { Handlers } from "../../dispatch.ts";
import type { Listeners } from "../../http/listeners.ts";

/** @param doors undefined until they are open */
export function certificateHandlers(doors: () => Listeners | undefined): Pick<Handlers, "get_certificate"> {
  return {
    get_certificate: () => ({
      addresses: [...doors()?.addresses ?? []],
      certificate: doors()?.certificates?.about ?? null,
    }),
  };
}
