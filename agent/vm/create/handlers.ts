/** The commands that check, make and prepare new VMs. */
import type { Unrendered } from "../../../lib/i18n/message.ts";
import { Compile, type Validator } from "typebox/compile";
import {
  type CommandName,
  type ConfigCheck,
  ContractError,
  createCommands,
  projectVmCommands,
  type Role,
  VmConfig,
} from "../../../lib/contract/mod.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import { seedName } from "../../../lib/formats/xml/seed_drive.ts";
import { schemaRefusals } from "../../../lib/contract/refusal.ts";
import { described } from "../../../lib/vm/create/resolve.ts";
import type { NewVm } from "../../../lib/formats/xml/new_vm.ts";
import { newDomainXml } from "../../../lib/formats/xml/new_domain.ts";
import type { CallContext, Handlers } from "../../dispatch.ts";
import { withDefaults } from "../../../lib/projects/quota.ts";
import { sizeOfNewVm } from "../vm_size.ts";
import { createOptions } from "./options.ts";
import { createVm } from "./create.ts";
import { configOfMember } from "./project_vm.ts";
import { type CreateServices, decide } from "./facts.ts";
import { hasFormats } from "../../storage/volumes.ts";
import { requireGuestTools } from "../guest_tools/programs.ts";
import { checkSeed } from "../cloud_init/seed.ts";
import type { AccountSshKeys } from "../../access/ssh_keys.ts";

type CreateHandlers = Pick<
  Handlers,
  Extract<CommandName, keyof typeof createCommands | keyof typeof projectVmCommands>
>;

let validator: Validator | undefined;
/** Stands for a name that was not given yet; what is found out about it is not returned. */
const NO_NAME = "new-vm";

/** Errors by the schema, and the part of the configuration that can be checked further. */
function readable(input: unknown): { config: VmConfig; errors: Unrendered<ConfigCheck["errors"]> } {
  validator ??= Compile(VmConfig);
  if (validator.Check(input)) return { config: input as VmConfig, errors: [] };
  const refusals = schemaRefusals(VmConfig, validator, input);
  const errors = refusals.map(({ field, error }) => ({ field, code: error.code, message: error.sentence }));
  const bad = new Set(refusals.map(({ field }) => field.split(".")[0]));
  const object = typeof input === "object" && input !== null && !bad.has("") ? Object.entries(input) : [];
  const rest = { name: NO_NAME, ...Object.fromEntries(object.filter(([field]) => !bad.has(field))) };
  return { config: validator.Check(rest) ? rest as VmConfig : { name: NO_NAME }, errors };
}

/**
 * The XML as it would be. An image that is still to be made is where it will be, unless something of that name is in the
 * pool: that is found out when it is made.
 */
function preview({ vms: { inventory: { storage } } }: CreateServices, vm: NewVm): string {
  const pathIn = (pool: string, name: (isFile: boolean) => string) => {
    const record = storage.record(pool);
    const folder = record && describePool(record.xml).path;
    return `${folder ?? ""}/${name(record === undefined || hasFormats(record))}`;
  };
  const taken = new Set<string>();
  const imageOf = ({ pool = "default", format }: NewVm["disks"][number]): string => {
    for (let number = 0;; number++) {
      const stem = number === 0 ? vm.name : `${vm.name}-${number}`;
      const path = pathIn(pool, (isFile) => isFile ? `${stem}.${format}` : stem);
      if (!taken.has(path)) {
        taken.add(path);
        return path;
      }
    }
  };
  const disks = vm.disks.map((disk) => ({
    ...disk,
    source: disk.source ?? { path: imageOf(disk), type: "file" as const },
  }));
  const seed = vm.seed &&
    { ...vm.seed, path: pathIn(vm.disks[0]?.pool ?? "default", () => seedName(vm.name, vm.uuid)) };
  const tools = vm.tools && { ...vm.tools, path: "/default/kvm-manager-guest-tools.iso" };
  return newDomainXml({ ...vm, disks, seed, tools, screenPassword: undefined });
}

async function cloudInitFindings(
  { cloudInit }: VmConfig,
  { name, nics }: NewVm,
): Promise<Pick<ConfigCheck, "errors" | "warnings">> {
  if (cloudInit === undefined) return { errors: [], warnings: [] };
  const { refusal, warnings } = await checkSeed({
    vmName: name,
    cloudInit,
    macs: nics.map(({ mac }) => mac),
  });
  if (refusal === undefined) return { errors: [], warnings };
  const { code, message, details } = refusal;
  return { errors: [{ field: `cloudInit.${String(details?.field ?? "")}`, code, message }], warnings };
}

async function guestToolsErrors(): Promise<Unrendered<ConfigCheck["errors"]>> {
  try {
    await requireGuestTools();
    return [];
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return [{ field: "guestTools", code: error.code, message: error.sentence }];
  }
}

/** Runs a check of the project; its refusal becomes a finding. */
function noteRefusal<T>(errors: Unrendered<ConfigCheck["errors"]>, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    errors.push({ field: "project", code: error.code, message: error.sentence });
    return undefined;
  }
}

const projectIn = (
  { vms: { projects } }: CreateServices,
  { project }: VmConfig,
  errors: Unrendered<ConfigCheck["errors"]>,
): string | undefined => noteRefusal(errors, () => projects.idOf(project));

async function check(services: CreateServices, input: unknown, role: Role): Promise<Unrendered<ConfigCheck>> {
  const { config: given, errors } = readable(input);
  const { vms: { projects } } = services;
  const project = projectIn(services, given, errors),
    config = withDefaults(given, projects.defaultsOf(project));
  const { vm, findings } = await decide(services, config, { role, held: undefined });
  const toolsErrors = config.guestTools ? await guestToolsErrors() : [];
  const seed = await cloudInitFindings(config, vm);
  if (project !== undefined) {
    const size = await sizeOfNewVm(services.vms, vm, project);
    noteRefusal(errors, () => projects.requireRoom(project, 1, size));
  }
  const told = new Set(errors.map(({ field }) => field));
  const all = [
    ...errors,
    ...findings.errors.filter(({ field }) => !told.has(field)),
    ...seed.errors,
    ...toolsErrors,
  ];
  return {
    errors: all,
    warnings: [...findings.warnings, ...seed.warnings],
    resolved: all.length === 0 ? described(vm, preview(services, vm)) : null,
  };
}

/** A handler for each of them. */
export function createHandlers(
  services: CreateServices,
  sshKeys: Pick<AccountSshKeys, "remember">,
): CreateHandlers {
  const create = async (config: VmConfig, context: CallContext) => {
    const { id, warnings, started } = await createVm(services, config, context);
    if (config.cloudInit) sshKeys.remember(context.principal, config.cloudInit);
    await services.sizes.read(id);
    const diskSizeGb = services.vms.inventory.vm(id)?.diskSizeGb ?? null;
    return { id, name: config.name, diskSizeGb, warnings, ...(started !== undefined && { started }) };
  };
  return {
    create_vm: create,
    create_project_vm: async (wanted, context) => create(await configOfMember(services, wanted), context),
    check_vm_config: (config, { principal }) => check(services, config, principal.role),
    get_create_options: (wish) => createOptions(services, wish),
    list_operating_systems: () => services.systems.list(),
  };
}
