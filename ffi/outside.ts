/**
 * Whether this process may connect to anything outside itself: another libvirt, another host. The demo closes that for good,
 * for all its threads. It stands in the environment, which they share.
 */
const CLOSED = "KVMM_OUTSIDE_CLOSED";

/** Closes it until the process ends. @param why a sentence for people, without its full stop: it has translations */
export const closeOutside = ({ why }: { readonly why: string }): void => Deno.env.set(CLOSED, why);

/** Why nothing outside is connected to; undefined where it may be. */
export const outsideClosed = (): string | undefined => Deno.env.get(CLOSED);
