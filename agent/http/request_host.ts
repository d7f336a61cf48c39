/** The host that a request's page is about, for every address that is drawn for it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { useAddresses } from "../../lib/fresh/base.ts";
import { type AddressedHost, addressFrom } from "../../lib/text/host_path.ts";

const LOCAL: AddressedHost = { id: LOCAL_HOST, isLinked: false };
const ofRequest = new AsyncLocalStorage<{ host: AddressedHost }>();
const hosted = (address: string) => addressFrom(ofRequest.getStore()?.host ?? LOCAL, address);
useAddresses(hosted);

/** Answers a request for a page; where the answer leads on to a page of ours, it leads to one of the same host. */
export function withHost(answer: () => Promise<Response>): Promise<Response> {
  return ofRequest.run({ host: LOCAL }, async () => {
    const response = await answer();
    const to = response.headers.get("location");
    if (to !== null && /^\/(?!\/)/.test(to)) response.headers.set("location", hosted(to));
    return response;
  });
}

/** Says which host the page is about, once that is known. Nothing outside of a request. */
export function setRequestHost(host: AddressedHost): void {
  const store = ofRequest.getStore();
  if (store !== undefined) store.host = host;
}
