/** A command of the API as a line for a shell. Pure. */
import { inputExample } from "./examples.ts";
import { IN_QUERY, type RestRoute } from "../contract/rest.ts";
import { quoted } from "../text/shell_word.ts";

/** A value of a query: lists with commas between their items. */
const queryText = (value: unknown) => Array.isArray(value) ? value.join(",") : String(value);

/** Header that authenticates a request. */
const TOKEN = `-H "Authorization: Bearer $KVMM_TOKEN"`;

/**
 * The call of a command with its example's fields, which works as it is written once `$KVMM_TOKEN` holds a token.
 *
 * @param api address of the API, up to and with `/api/v1`
 */
export function curlLine({ command, method, path, pathFields }: RestRoute, api: string): string {
  const example = inputExample(command);
  const rest = Object.entries(example).filter(([field]) => !pathFields.includes(field));
  const place = path.replace(
    /\{(\w+)\}/g,
    (_all, field: string) => encodeURIComponent(String(example[field])),
  );
  const isContent = command.content !== undefined;
  const inQuery = isContent
    ? rest.filter(([field]) => command.contentFields?.includes(field))
    : IN_QUERY.has(method)
    ? rest
    : [];
  const query = new URLSearchParams(inQuery.map(([field, value]) => [field, queryText(value)])).toString();
  const address = quoted(`${api}${place}${query === "" ? "" : `?${query}`}`);
  const verb = command.content === "upload"
    ? ["-T disk.qcow2"]
    : command.content === "download"
    ? ["-o disk.qcow2"]
    : method === "GET"
    ? []
    : [`-X ${method}`];
  const body = isContent || IN_QUERY.has(method)
    ? []
    : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(Object.fromEntries(rest)))}`];
  const isOpen = command.permission === "anyone";
  return ["curl", ...verb, ...(isOpen ? [] : [TOKEN]), ...body, address].join(" ");
}

/** The same call on the host itself, by its name. */
export function callLine({ name, command }: RestRoute): string {
  const input = JSON.stringify(inputExample(command));
  return `kvm-manager call ${name}${input === "{}" ? "" : ` ${quoted(input)}`}`;
}
