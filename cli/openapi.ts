/** `kvm-manager openapi`: the API's description. */
import { message } from "../lib/i18n/message.ts";
import { ownHelp } from "./own_help.ts";
import { openApi } from "../lib/openapi/openapi.ts";
import { VERSION } from "../lib/version.ts";
import { EXIT } from "./exit.ts";
import { parseOrExit, readNothing } from "./host_verb.ts";

export { readNothing };

export const OPENAPI_HELP = () =>
  ownHelp({
    usage: "kvm-manager openapi",
    about: [message`Prints the description of the API (OpenAPI 3.1, JSON) that generators make clients of.`],
    examples: ["kvm-manager openapi > api.json && npx openapi-typescript api.json -o api.d.ts"],
  });

/** Prints the API's description. */
export function openapi(args: readonly string[]): Promise<number> {
  const given = parseOrExit(EXIT.usage, "openapi", () => readNothing(args));
  if (typeof given === "number") return Promise.resolve(given);
  console.log(JSON.stringify(openApi(VERSION), null, 2));
  return Promise.resolve(EXIT.done);
}
