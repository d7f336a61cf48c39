/** Asks linked hosts, each for a bounded time: one that hangs or is away holds nothing up, and is named with its reason. */
import { seesHost } from "../../lib/access/viewer.ts";
import {
  type CommandName,
  ContractError,
  type Input,
  type Output,
  type SearchedHost,
} from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { SEARCH_MS } from "../../lib/contract/search.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import {
  isInOrder,
  type ListedRow,
  type ListPart,
  type ListPlace,
  mergedPage,
} from "../../lib/search/merged.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import type { CallContext } from "../dispatch.ts";
import { isLink, type LinkedHost } from "../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import type { HostRecords } from "../hosts/records.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { within } from "../within.ts";
import { cursorText, readCursor } from "./cursor.ts";

/** Services for the search: local and linked hosts, their records, places of VMs, and the clock. */
export interface SearchServices {
  readonly hosts: Pick<HostRegistry, "local">;
  readonly linked: LinkedHosts;
  readonly hostRecords: HostRecords;
  readonly places: AccessWorld;
  readonly clock: { now(): number };
}

/** A list that each KVM Manager has, searched on all of them. */
export interface SpanningList<T> {
  /** Rows of this KVM Manager's own list. @param on id of the host that they must be of @throws {ContractError} */
  own(place: ListPlace | undefined, on: string | undefined): ListPart<T> | Promise<ListPart<T>>;
  /** Has a linked host asked, and reads what it answers. */
  far(ask: AskHost, host: LinkedHost, place: ListPlace | undefined): Promise<ListPart<T>>;
}

/** Has a linked host carry a command out that only reads. @throws {ContractError}; {MissingError} after the time limit */
export type AskHost = <N extends CommandName>(command: N, input: Input<N>) => Promise<Output<N>>;

/** A host gives nothing that can be used. */
class MissingError extends Error {
  override readonly name = "MissingError";
}

const LATE = `it has not answered within ${Math.round(SEARCH_MS / 1000)} s`;

/** Why a host gives nothing, for who asks. @throws what is a fault of our own */
function reasonOf(error: unknown): Unrendered<SearchedHost>["reason"] {
  if (error instanceof ContractError) return error.sentence;
  if (error instanceof MissingError) return error.message;
  throw error;
}

/** Asks one host within the time limit. */
async function askWithin<T>(
  host: LinkedHost,
  context: CallContext,
  read: (ask: AskHost) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const ask: AskHost = async (command, input) =>
    // Its answer was checked against the contract
    await host.run(command, input, { principal: context.principal, content: { gone: gone.signal } }) as never;
  const late = new MissingError(LATE);
  let answer: { readonly value: T } | undefined;
  const work = read(ask).then((value) => void (answer = { value }));
  await within(SEARCH_MS, work);
  if (answer !== undefined) return answer.value;
  // Its late answer is not used, and its late error is not reported
  work.catch(() => {});
  gone.abort(late);
  throw late;
}

/** One page of a list of all hosts, and how each host has answered. */
export async function searchHosts<T>(
  app: SearchServices,
  { host, cursor = "", limit }: { readonly host?: string; readonly cursor?: string; readonly limit: number },
  context: CallContext,
  list: SpanningList<T>,
): Promise<{ rows: readonly T[]; hosts: Unrendered<SearchedHost>[]; next: string | null }> {
  const { principal } = context, viewer = viewerOf(principal, app.places);
  const on = host === undefined ? undefined : app.places.hostOf({ host });
  if (host !== undefined && on === undefined) throw new ContractError("HostNotFound", { host });
  const positions = cursor === "" ? {} : readCursor(cursor);
  if (positions === undefined) {
    throw new ContractError("InvalidInput", {
      reason: "cursor is not the `next` of an answer",
      field: "cursor",
    });
  }
  const parts = new Map<string, ListPart<T>>(), now = app.clock.now();
  const asked = async (
    about: Pick<SearchedHost, "host" | "label" | "heardAt" | "clockAheadMs">,
    read: (place: ListPlace | undefined) => ListPart<T> | Promise<ListPart<T>>,
  ): Promise<Unrendered<SearchedHost>> => {
    const place = positions[about.host];
    if (place === null) return { ...about, reason: null };
    try {
      const part = await read(place);
      if (!isInOrder(part.rows, place)) throw new MissingError("its list is not in its own order");
      parts.set(about.host, part);
      return { ...about, reason: null };
    } catch (error) {
      return { ...about, reason: reasonOf(error) };
    }
  };
  const { local } = app.hosts;
  const isWanted = (id: string) => (on === undefined || on === id) && seesHost(viewer, id);
  const isSpanning = principal.via !== "link";
  const far = isSpanning ? app.linked.all().filter(({ id }) => isWanted(id)) : [];
  const off = isSpanning
    ? app.hostRecords.all().filter((each) => isLink(each) && !each.isEnabled && isWanted(each.id))
    : [];
  const hosts = await Promise.all([
    asked({ host: LOCAL_HOST, label: local.label, heardAt: now }, (place) => list.own(place, on)),
    ...far.map(async (each) => {
      const about = { host: each.id, label: each.label };
      const said = await asked(
        { ...about, heardAt: null },
        (place) => askWithin(each, context, (ask) => list.far(ask, each, place)),
      );
      const { clockAheadMs } = each;
      return { ...said, heardAt: each.heardAt ?? null, ...(clockAheadMs !== 0 && { clockAheadMs }) };
    }),
    ...off.map(({ id, label }) => ({ host: id, label, reason: "it is disabled", heardAt: null })),
  ]);
  const missing = hosts.filter(({ reason }) => reason !== null).map((each) => each.host);
  const { rows, next } = mergedPage(parts, missing, positions, limit);
  return { rows, hosts, next: next === undefined ? null : cursorText(next) };
}

/** Rows of a list as a part of it. @param wanted most that were asked for */
export const partOf = <T>(rows: readonly ListedRow<T>[], wanted: number): ListPart<T> => ({
  rows: rows.slice(0, wanted),
  isEnd: rows.length < wanted,
});
