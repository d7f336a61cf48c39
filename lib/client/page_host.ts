/** The host that a page in the browser is about: the document says it. */
import { LOCAL_HOST } from "../contract/local_host.ts";

export const pageHost = (): string => globalThis.document?.documentElement.dataset.host ?? LOCAL_HOST;
