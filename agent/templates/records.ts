/** Templates, and which VMs were made of them, as they are kept. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { ContractError, type TemplateVersion } from "../../lib/contract/mod.ts";
import { namedPaths } from "../../lib/formats/xml/named_paths.ts";
import { child, childText, parseXml } from "../../lib/formats/xml/tree.ts";
import type { Store } from "../store/store.ts";

/** A volume with a template's UEFI variables. */
export interface KeptVariables {
  readonly pool: string;
  readonly volume: string;
  readonly path: string;
}

/** A version as it is kept. */
export interface StoredVersion extends TemplateVersion {
  /** The definition that VMs are made of: without media, MAC addresses, group and passwords. */
  readonly xml: string;
  readonly variables?: KeptVariables;
}

/** A template as it is kept. */
export interface StoredTemplate {
  readonly id: string;
  /** Id of the host that has its disks. */
  readonly host: string;
  readonly name: string;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The oldest first; never empty. */
  readonly versions: readonly StoredVersion[];
  /** Number of the next version: a deleted one's is not used again. */
  readonly nextVersion: number;
}

/** A VM that was made of a template. It may be gone since. */
export interface MadeVm {
  readonly vmId: string;
  readonly templateId: string;
  readonly version: number;
  readonly linked: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export const TEMPLATE_MIGRATIONS = [
  `CREATE TABLE templates (
     id         TEXT PRIMARY KEY,
     host       TEXT NOT NULL,
     name       TEXT NOT NULL,
     created_at INTEGER NOT NULL,  -- ms since 1970
     record     TEXT NOT NULL,     -- JSON: the rest of it
     UNIQUE (host, name)
   ) STRICT;
   CREATE TABLE template_vms (
     vm_id       TEXT PRIMARY KEY,
     template_id TEXT NOT NULL,
     version     INTEGER NOT NULL,
     linked      INTEGER NOT NULL,  -- 0 or 1
     created_at  INTEGER NOT NULL   -- ms since 1970
   ) STRICT;
   CREATE INDEX template_vms_by_template ON template_vms (template_id);`,
];

/** The volumes of a version: its disks, and its UEFI variables. */
export function templateVolumes({ disks, variables }: StoredVersion): KeptVariables[] {
  const own = disks.map(({ pool, volume, path }) => ({ pool, volume, path }));
  return variables === undefined ? own : [...own, variables];
}

/** Paths of the host that a version's definition names, by version. */
const named = new WeakMap<StoredVersion, readonly string[]>();

/** Paths of the host that VMs of a version need to start, besides disks: kernels, firmware, ROMs. */
function namedBy(version: StoredVersion): readonly string[] {
  let found = named.get(version);
  if (found === undefined) {
    const domain = parseXml(version.xml), own = childText(child(domain, "os"), "nvram");
    // Each part by itself: what libvirt keeps of the VM that it was made of is not needed
    found = domain.children.flatMap((part) => namedPaths(part, { disks: false })).filter((path) =>
      path !== own
    );
    named.set(version, found);
  }
  return found;
}

type Row = Record<string, SQLOutputValue>;

// Rows are ours alone: the database is checked when it is opened, and no other program writes it.
const templateOf = ({ id, host, name, created_at, record }: Row): StoredTemplate => ({
  ...JSON.parse(String(record)),
  id: String(id),
  host: String(host),
  name: String(name),
  createdAt: Number(created_at),
});
const vmOf = (row: Row): MadeVm => ({
  vmId: String(row.vm_id),
  templateId: String(row.template_id),
  version: Number(row.version),
  linked: Number(row.linked) === 1,
  createdAt: Number(row.created_at),
});

interface Statements {
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly putVm: StatementSync;
  readonly forgetVms: StatementSync;
  readonly forgetVersion: StatementSync;
}

export class TemplateRecords {
  readonly #store: Store;
  /** Rows of the database; read when it is opened, written through. */
  readonly #templates = new Map<string, StoredTemplate>();
  readonly #vms = new Map<string, MadeVm>();
  #statements: Statements | undefined;

  constructor(store: Store) {
    this.#store = store;
    store.attach((database) => this.#prepare(database));
  }

  /** @throws {ContractError} StoreUnavailable while what is stored is not known */
  require(): void {
    if (this.#store.open() === undefined) throw this.#unavailable();
  }

  /** Every one of a host, by name. */
  of(host: string): StoredTemplate[] {
    return [...this.#templates.values()].filter((each) => each.host === host)
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  get(host: string, id: string): StoredTemplate | undefined {
    const found = this.#templates.get(id);
    return found?.host === host ? found : undefined;
  }

  /** The VMs that were made of a template, the oldest first; some may be gone. */
  vmsOf(templateId: string): MadeVm[] {
    return [...this.#vms.values()].filter((each) => each.templateId === templateId);
  }

  /** The volumes of a host that templates have, each with the name and the id of its template. */
  keptOf(
    host: string,
  ): { readonly pool: string; readonly path: string; readonly name: string; readonly id: string }[] {
    return this.of(host).flatMap(({ id, name, versions }) =>
      versions.flatMap(templateVolumes).map(({ pool, path }) => ({ pool, path, name, id }))
    );
  }

  /** Other paths than volumes in the templates' definitions, each with the name and id of its template. */
  namedOf(host: string): { readonly path: string; readonly name: string; readonly id: string }[] {
    return this.of(host).flatMap(({ id, name, versions }) =>
      versions.flatMap(namedBy).map((path) => ({ path, name, id }))
    );
  }

  /** Writes a template. @throws {ContractError} StoreUnavailable */
  put(template: StoredTemplate): void {
    const { id, host, name, createdAt, ...rest } = template;
    this.#write(({ put }) => put.run(id, host, name, createdAt, JSON.stringify(rest)));
    this.#templates.set(id, template);
  }

  /** Forgets a template, and which VMs were made of it. @throws {ContractError} StoreUnavailable */
  remove(id: string): void {
    this.#write(({ remove, forgetVms }) => {
      remove.run(id);
      forgetVms.run(id);
    });
    this.#templates.delete(id);
    for (const { vmId } of this.vmsOf(id)) this.#vms.delete(vmId);
  }

  /** Forgets one of several versions. @throws {ContractError} StoreUnavailable */
  removeVersion(template: StoredTemplate, version: number): void {
    const { id, host, name, createdAt, ...rest } = {
      ...template,
      versions: template.versions.filter((each) => each.version !== version),
    };
    this.#write(({ put, forgetVersion }) => {
      put.run(id, host, name, createdAt, JSON.stringify(rest));
      forgetVersion.run(id, version);
    });
    this.#templates.set(id, { id, host, name, createdAt, ...rest });
    for (const made of this.vmsOf(id)) if (made.version === version) this.#vms.delete(made.vmId);
  }

  /** Writes down that a VM was made. @throws {ContractError} StoreUnavailable */
  putVm(vm: MadeVm): void {
    const { vmId, templateId, version, linked, createdAt } = vm;
    this.#write(({ putVm }) => putVm.run(vmId, templateId, version, linked ? 1 : 0, createdAt));
    this.#vms.set(vmId, vm);
  }

  #write(run: (statements: Statements) => void): void {
    if (!this.#store.write(() => run(this.#statements!))) throw this.#unavailable();
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }

  #prepare(database: DatabaseSync): void {
    this.#statements = {
      put: database.prepare(
        `INSERT INTO templates (id, host, name, created_at, record) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record`,
      ),
      remove: database.prepare("DELETE FROM templates WHERE id = ?"),
      putVm: database.prepare(
        `INSERT OR REPLACE INTO template_vms (vm_id, template_id, version, linked, created_at)
         VALUES (?, ?, ?, ?, ?)`,
      ),
      forgetVms: database.prepare("DELETE FROM template_vms WHERE template_id = ?"),
      forgetVersion: database.prepare("DELETE FROM template_vms WHERE template_id = ? AND version = ?"),
    };
    this.#templates.clear();
    this.#vms.clear();
    for (const row of database.prepare("SELECT * FROM templates ORDER BY created_at").all()) {
      const template = templateOf(row);
      this.#templates.set(template.id, template);
    }
    for (const row of database.prepare("SELECT * FROM template_vms ORDER BY created_at").all()) {
      const vm = vmOf(row);
      this.#vms.set(vm.vmId, vm);
    }
  }
}
