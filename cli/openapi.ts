/** `kvm-manager openapi`: the API's description. */
import { openApi } from "../lib/openapi/openapi.ts";
import { VERSION } from "../lib/version.ts";
import { EXIT } from "./exit.ts";

export const OPENAPI_HELP = () =>
  [
    "Usage: kvm-manager openapi",
    "",
    "Prints the description of the API (OpenAPI 3.1, JSON) that generators make clients of.",
    "",
    "Examples:",
    "  kvm-manager openapi > api.json && npx openapi-typescript api.json -o api.d.ts",
  ].join("\n");

/** Prints the API's description. */
export function openapi(): Promise<number> {
  console.log(JSON.stringify(openApi(VERSION), null, 2));
  return Promise.resolve(EXIT.done);
}
