/** Errors of requests to other hosts, in the contract's words for images. */
import { ContractError } from "../../../lib/contract/mod.ts";
import { BrokenOff, HostRefused, TooManyRedirects, UrlRefused } from "../../outbound/errors.ts";
import { checkedUrl } from "../../outbound/fetch.ts";

/**
 * ImageUrlRefused, DownloadTargetRefused or ImageFetchFailed; other errors are returned as they are.
 *
 * @param url the URL of the request, fit to be shown
 */
export function fetchFailure(error: unknown, url: string): unknown {
  const cause = { cause: error };
  if (error instanceof UrlRefused) {
    return new ContractError("ImageUrlRefused", { url: error.url, reason: error.reason }, cause);
  }
  if (error instanceof HostRefused) {
    return new ContractError("DownloadTargetRefused", { host: error.host, reason: error.reason }, cause);
  }
  if (error instanceof TooManyRedirects) {
    return new ContractError("ImageFetchFailed", { url: error.url, error: error.message }, cause);
  }
  if (error instanceof BrokenOff) {
    return new ContractError("ImageFetchFailed", { url, error: error.message }, cause);
  }
  return error;
}

/** An address as it is asked for. @throws {ContractError} ImageUrlRefused */
export function imageUrl(text: string): string {
  try {
    return checkedUrl(text).href;
  } catch (error) {
    throw fetchFailure(error, text);
  }
}
