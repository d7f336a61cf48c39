/** The commands on the bin. */
import type { Sentence } from "../../lib/i18n/message.ts";
import { bytesIn, entryBytes, type StoredEntry } from "../../lib/bin/entry.ts";
import { type binCommands, type BinEntry, type BinUsage, ContractError } from "../../lib/contract/mod.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import { log } from "../log.ts";
import { isKept } from "../storage/bin/folder.ts";
import { entriesOfPool, withPoolsNow } from "../storage/bin/of_pool.ts";
import { lockEntry, purge } from "../storage/bin/purge.ts";
import { restoreTemplate } from "../templates/bin.ts";
import { restoreVolume } from "../storage/bin/volume.ts";
import { restoreBinnedVm } from "../vm/lifecycle/unbin.ts";
import { within } from "../within.ts";
import { mayTouch } from "./visible.ts";
import type { TemplateRecords } from "../templates/records.ts";
import type { Projects } from "../projects/projects.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { BinRecords } from "../storage/bin/records.ts";
import type { ClockDrift } from "../store/clock_drift.ts";

/** Milliseconds the files of all entries are looked for: behind a dead server none is found missing. */
const LOOK_MS = 2000;

/** Services for the commands on the bin: its records, drift of the clock, hosts, templates, and projects. */
export interface BinServices {
  readonly bin: BinRecords;
  readonly drift: ClockDrift;
  readonly hosts: HostRegistry;
  readonly templates: TemplateRecords;
  readonly projects: Pick<Projects, "projectOf">;
  /** The VM that has an id now. */
  vm(vmId: string): unknown;
}

/** How each kind comes back. */
const restores = (templates: TemplateRecords) =>
  ({
    vm: restoreBinnedVm,
    volume: restoreVolume,
    template: (...asked: Parameters<typeof restoreVolume>) => restoreTemplate(templates, ...asked),
  }) as const;

/** Paths of the files that are gone from the bin. */
async function missingOf({ files }: StoredEntry): Promise<string[]> {
  const looks = files.map(async (file) => {
    try {
      return await isKept(file) ? [] : [file.path];
    } catch (error) {
      log.debug("a file in the bin cannot be looked at", { path: file.path, error });
      return [];
    }
  });
  return (await Promise.all(looks)).flat();
}

function view(entry: StoredEntry, missing: readonly string[]): BinEntry {
  const { host, files, vmId, definition: _definition, template: _template, state: _state, ...shown } = entry;
  return {
    ...shown,
    ...(vmId !== undefined && { uuid: vmId }),
    ...hostField(host),
    bytes: entryBytes(entry),
    files: files.filter(({ role }) => role === "disk").map(({ path, pool, bytes }) => ({
      path,
      pool,
      bytes,
    })),
    missing: [...missing],
  };
}

/** Size of entries in each pool. */
function poolsOf(entries: readonly StoredEntry[]): BinUsage["pools"] {
  const names = new Set(entries.flatMap(({ files }) => files.flatMap(({ pool }) => pool ?? [])));
  return [...names].sort().map((pool) => {
    const own = entries.filter(({ files }) => files.some((file) => file.pool === pool));
    return { pool, bytes: own.reduce((sum, each) => sum + bytesIn(each, pool), 0), entries: own.length };
  });
}

/** A handler for each of them. */
export function binHandlers(app: BinServices): Pick<Handlers, keyof typeof binCommands> {
  const { bin, drift, hosts, templates, projects } = app;
  // Another VM may have the id by now, and be in another project
  const projectOf = (vmId: string) => app.vm(vmId) === undefined ? projects.projectOf(vmId) : undefined;
  const seen = ({ rights }: Principal) =>
    bin.all().filter((entry) => mayTouch(rights, entry, projectOf)).map((entry) => {
      const host = hosts.all().find(({ id }) => id === entry.host);
      return host === undefined ? entry : withPoolsNow(host, entry);
    });
  // Of other hosts nothing can be found here, and so nothing is missing
  const hasFilesHere = (entry: StoredEntry) =>
    hosts.all().some(({ id, link }) => id === entry.host && link.machine !== null);
  const find = (entryId: string, principal: Principal): StoredEntry => {
    bin.require();
    const entry = bin.get(entryId);
    if (entry === undefined || !mayTouch(principal.rights, entry, projectOf)) {
      throw new ContractError("BinEntryNotFound", { entryId });
    }
    return entry;
  };
  return {
    list_bin: async (_input, { principal }) => {
      bin.require();
      const entries = seen(principal);
      const missing = new Map<string, string[]>();
      await within(
        LOOK_MS,
        Promise.all(
          entries.filter(hasFilesHere).map(async (entry) =>
            void missing.set(entry.id, await missingOf(entry))
          ),
        ),
      );
      return entries.map((entry) => view(entry, missing.get(entry.id) ?? []));
    },
    get_bin_usage: (_input, { principal }) => {
      bin.require();
      const entries = seen(principal);
      return {
        bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
        pools: poolsOf(entries),
        policy: bin.policy,
        ...(drift.held !== undefined && { held: drift.held }),
      };
    },
    restore_bin_entry: async ({ entryId, name }, { principal }) => {
      const first = find(entryId, principal);
      const host = hosts.require(first.host).requireFilled();
      using _alone = lockEntry(first);
      const entry = find(entryId, principal);
      if (entry.state === "moving") throw new ContractError("StorageBusy", { what: entry.name });
      return await restores(templates)[entry.kind](host, entry, name, principal.name);
    },
    delete_bin_entry: async ({ entryId }, { principal }) => {
      const entry = find(entryId, principal);
      await purge(hosts.require(entry.host), entry, { command: "delete_bin_entry", actor: principal.name });
      return null;
    },
    empty_bin: async ({ pool }, { principal: { name: actor } }) => {
      bin.require();
      const failed: { name: string; message: Sentence }[] = [];
      let deleted = 0, bytes = 0;
      const entries = pool === undefined
        ? bin.all()
        : (await Promise.all(hosts.all().map((host) => entriesOfPool(host, pool)))).flat();
      for (const entry of entries) {
        try {
          await purge(hosts.require(entry.host), entry, { command: "empty_bin", actor });
          deleted++;
          bytes += entryBytes(entry);
        } catch (error) {
          if (!(error instanceof ContractError)) throw error;
          failed.push({ name: entry.name, message: error.sentence });
        }
      }
      return { deleted, bytes, failed };
    },
    update_bin_policy: (change) => {
      bin.setPolicy(change);
      return bin.policy;
    },
  };
}
