/** Resources that can be read by address: each command that only reads and is a GET of REST. Pure. */
import type { Command } from "../contract/command.ts";
import { fromText, inputFields, requiredFields, REST_ROUTES, type RestRoute } from "../contract/rest.ts";
import { notOffered } from "./offered.ts";

/** How addresses begin; the rest is the path of REST. */
export const SCHEME = "kvm-manager://";
/** A VM's own addresses are below it. */
const OF_VM = "/vms/{vmId}";

/** An address with places. */
export interface ResourceTemplate {
  readonly route: RestRoute;
  readonly uriTemplate: string;
  readonly mimeType: string;
}

/** Whether a command's answer is a picture, in base64 in its file's field. */
export const isPicture = ({ file, output }: Command): boolean => {
  const { properties = {} } = output as { properties?: Record<string, { const?: unknown }> };
  return file?.base64 === true && properties.format?.const === PNG;
};
/** The type of pictures. */
export const PNG = "image/png";

/** Resources that can be read with the fields in their path alone. */
const READABLE: readonly ResourceTemplate[] = REST_ROUTES.filter(({ method, command, pathFields }) =>
  method === "GET" && command.readOnly && notOffered(command) === undefined &&
  requiredFields(command).every((field) => pathFields.includes(field))
).map((route) => ({
  route,
  uriTemplate: `${SCHEME}${route.path.slice(1)}`,
  mimeType: isPicture(route.command) ? PNG : "application/json",
}));

/** Those that are told as templates: of a VM first, and then the rest. */
export const TEMPLATES: readonly ResourceTemplate[] = READABLE.filter(({ route }) =>
  route.pathFields.length > 0
)
  .toSorted((a, b) => Number(b.route.path.startsWith(OF_VM)) - Number(a.route.path.startsWith(OF_VM)));

/** Lists and facts without places in their addresses. */
export const PLAIN: readonly ResourceTemplate[] = READABLE.filter(({ route }) =>
  route.pathFields.length === 0
);

/** The address of a VM. */
export const vmAddress = (vmId: string): string => `${SCHEME}vms/${encodeURIComponent(vmId)}`;

/** A command, and what it is called with. */
export interface Addressed {
  readonly route: RestRoute;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Resource of an address; undefined for an invalid one. Other fields may be in its query. */
export function addressed(uri: string): Addressed | undefined {
  if (!uri.startsWith(SCHEME) || uri.length > 2048) return undefined;
  const [path = "", query = ""] = uri.slice(SCHEME.length).split("?", 2);
  const parts = path.split("/");
  for (const { route } of READABLE) {
    const wanted = route.path.slice(1).split("/");
    const isIt = wanted.length === parts.length &&
      wanted.every((part, at) => part.startsWith("{") ? parts[at] !== "" : part === parts[at]);
    if (!isIt) continue;
    const known = inputFields(route.command);
    const placed = wanted.flatMap((part, at) =>
      part.startsWith("{") ? [[part.slice(1, -1), parts[at]!]] : []
    );
    try {
      const decoded = placed.map(([name, text]) => [name!, decodeURIComponent(text!)] as const);
      const asked = [...new URLSearchParams(query)];
      if (asked.some(([name]) => !Object.hasOwn(known, name))) return undefined;
      return {
        route,
        input: Object.fromEntries(
          [...asked, ...decoded].map(([name, text]) => [name, fromText(known[name!], text!)]),
        ),
      };
    } catch (error) {
      if (error instanceof URIError) return undefined;
      throw error;
    }
  }
  return undefined;
}
