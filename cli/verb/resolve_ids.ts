/** Things by name: people type `web1`, commands take ids. */
import { message, render } from "../../lib/i18n/message.ts";
import { ApiError } from "../../lib/client/api.ts";
import { COMMANDS, errorText } from "../../lib/contract/mod.ts";
import { identified, type NamedAs, wholeList } from "../../lib/contract/lookups.ts";
import { isPattern, matcher } from "../../lib/text/pattern.ts";
import type { Server } from "../connect/server.ts";
import { didYouMean } from "../suggestion.ts";
import { isRow } from "./cells.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Beginnings of ids shorter than this mean too much. */
const SHORTEST = 4;

type Row = { readonly id: string; readonly [field: string]: unknown };

/** Lists of resources of a host, each asked for once. */
export class Resources {
  readonly #lists = new Map<string, Promise<readonly Row[]>>();

  /**
   * @param host that names are of; lists of all hosts are asked for where it is undefined
   * @param namedAs of the command that the names are for
   */
  constructor(
    private readonly server: Pick<Server, "call">,
    private readonly host?: unknown,
    private readonly namedAs?: NamedAs,
  ) {}

  /** Whether a field holds ids that are looked up. */
  knows(field: string): boolean {
    return identified(field, this.namedAs) !== undefined;
  }

  /** Everything of the kind that a field has the id of. */
  all(field: string): Promise<readonly Row[]> {
    const { list } = identified(field, this.namedAs)!;
    const rows = this.#lists.get(list) ??
      this.server.call(list, wholeList(COMMANDS[list], this.host)) as Promise<readonly Row[]>;
    this.#lists.set(list, rows);
    return rows;
  }

  /** Ids that a name, an id, its beginning or a pattern stands for. @throws {ApiError} */
  async ids(field: string, given: string): Promise<string[]> {
    const { by, missing } = identified(field, this.namedAs)!;
    const name = by === "id" ? undefined : by;
    if (UUID.test(given)) return [given]; // the server knows whose it is
    const all = await this.all(field);
    if (all.some(({ id }) => id === given)) return [given];
    const found = name === undefined
      ? all.filter(({ id }) => given.length >= SHORTEST && id.startsWith(given))
      : all.filter((each) => each[name] === given);
    if (found.length === 1) return [found[0]!.id];
    if (found.length > 1) {
      const ids = found.slice(0, 8).map(({ id }) => id).join(", ");
      throw new ApiError("NameAmbiguous", errorText("NameAmbiguous", { name: given, ids }));
    }
    if (name !== undefined && isPattern(given)) {
      const fits = matcher(given);
      const matching = all.filter((each) => fits.test(String(each[name])));
      if (matching.length > 0) return matching.map(({ id }) => id);
    }
    const known = name === undefined ? [] : all.map((each) => String(each[name]));
    const text = errorText(missing, { [(this.namedAs?.[field] ?? field).replace(/s$/, "")]: given });
    throw new ApiError(missing, `${text}${sentenceBefore(didYouMean(given, known))}`);
  }

  /** The name of an id, for people; the id where nothing has it. */
  async nameOf(field: string, id: string): Promise<string> {
    const { by } = identified(field, this.namedAs)!;
    if (by === "id") return id;
    return String((await this.all(field)).find((each) => each.id === id)?.[by] ?? id);
  }
}

const sentenceBefore = (question: string) => question === "" ? "" : `.${question}`;

/** Ids that a name, an id or a pattern stands for. @throws {ApiError} for a name nothing has, or several have */
export function idsOf(server: Pick<Server, "call">, field: string, given: string): Promise<string[]> {
  return new Resources(server).ids(field, given);
}

/**
 * Puts ids where an input names things, however deep. Whole ids are left as they are: the server resolves them.
 * Lists of ids take patterns.
 *
 * @throws {ApiError} for a name nothing has, or several have
 */
export async function resolveIds(
  server: Pick<Server, "call">,
  input: Record<string, unknown>,
  resources: Resources = new Resources(server, input.host),
): Promise<Record<string, unknown>> {
  const changed = async (value: unknown, field: string): Promise<unknown> => {
    const isNamed = resources.knows(field);
    if (Array.isArray(value)) {
      if (!isNamed || !value.every((each) => typeof each === "string")) {
        return await Promise.all(value.map((each) => changed(each, field)));
      }
      const ids = await Promise.all(value.map((each) => resources.ids(field, each)));
      return [...new Set(ids.flat())];
    }
    if (isRow(value)) {
      const parts: [string, unknown][] = [];
      for (const [name, part] of Object.entries(value)) parts.push([name, await changed(part, name)]);
      return Object.fromEntries(parts);
    }
    if (typeof value !== "string" || !isNamed || UUID.test(value)) return value;
    const [id, ...others] = await resources.ids(field, value);
    if (others.length === 0) return id;
    throw new ApiError(
      "InvalidInput",
      render(message`${value} stands for several, and this is for one: say its name`),
    );
  };
  return await changed(input, "") as Record<string, unknown>;
}
