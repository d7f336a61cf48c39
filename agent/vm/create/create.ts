/**
 * Creating a VM: its disks, its definition, its start. What was made is removed when a later step fails; a VM that is whole
 * and does not start is kept.
 */
import type { Unrendered } from "../../../lib/i18n/message.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type ErrorCode, type Output, type VmConfig } from "../../../lib/contract/mod.ts";
import type { NewVm } from "../../../lib/formats/xml/new_vm.ts";
import { newDomainXml } from "../../../lib/formats/xml/new_domain.ts";
import { create } from "../../../lib/i18n/en/create.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { sleep, SYSTEM_CLOCK } from "../../clock.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import type { Principal } from "../../access.ts";
import type { CallContext } from "../../dispatch.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { requireItsNetworksRespond } from "../../hosts/responsive.ts";
import { makeRoomFor } from "../../storage/volume_checks.ts";
import { copyJob, withImages } from "./disks.ts";
import { type CreateServices, decide } from "./facts.ts";
import { checkSeed, makeSeed } from "../cloud_init/seed.ts";
import { INSTALL_AT_FIRST_START } from "../../../lib/guest/tools/texts.ts";
import { requireGuestTools } from "../guest_tools/programs.ts";
import { toolsVolumeOf } from "../guest_tools/volume.ts";
import type { Reservations } from "../../hosts/reservations.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { sizeOfNewVm } from "../vm_size.ts";
import { withDefaults } from "../../../lib/projects/quota.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { requireReachable } from "../../storage/reachable.ts";

const { t } = textsOf(create);

/** Takes what two new VMs must not share, for as long as this one is being made. */
function reserve(
  { reservations }: LibvirtHost,
  stack: DisposableStack,
  kind: Parameters<Reservations["take"]>[0],
  key: string,
  owner: string,
  refuse: (user: string) => ContractError,
): void {
  const taken = reservations.take(kind, key, owner);
  if (typeof taken === "string") throw refuse(taken);
  stack.use(taken);
}

const failed = (error: unknown, code: ErrorCode) => contractError(error, code, "create_vm");

/** Makes the CD for cloud-init where one is asked for; it installs the guest tools where those are wanted, too. */
async function withSeed(
  { vms: { link } }: CreateServices,
  vm: NewVm,
  { cloudInit }: VmConfig,
  steps: Steps,
): Promise<NewVm> {
  const { name, nics, seed, tools } = vm;
  if (cloudInit === undefined || seed === undefined) return vm;
  const vendorData = tools === undefined ? undefined : INSTALL_AT_FIRST_START;
  const { path } = await makeSeed(
    link,
    {
      vmName: name,
      cloudInit,
      macs: nics.map(({ mac }) => mac),
      ...(vendorData !== undefined && { vendorData }),
    },
    steps,
  );
  return { ...vm, seed: { ...seed, path } };
}

/** Makes the CD with the guest tools where it is wanted: under an operation of its own, for other VMs go on using it. */
async function withTools({ vms }: CreateServices, vm: NewVm, actor: string): Promise<NewVm> {
  if (vm.tools === undefined) return vm;
  const { path } = await toolsVolumeOf(vms, vm, actor);
  return { ...vm, tools: { ...vm.tools, path } };
}

/** Defines it. libvirt refuses a name that another VM has: no definition is replaced. */
async function define({ vms: { link } }: CreateServices, vm: NewVm): Promise<void> {
  try {
    await link.call("domainDefine", { xml: newDomainXml(vm) });
  } catch (error) {
    const taken = error instanceof LibvirtError && error.kind === "libvirt" &&
      /domain .* already exists|already defined with uuid/i.test(error.message);
    if (taken) throw new ContractError("VmNameExists", { name: vm.name }, { cause: error });
    throw failed(error, "CreateFailed");
  }
}

/** Networks that a VM which is started needs and that are off: a fresh host's `default` is. */
function networksOff({ vms: { inventory } }: CreateServices, { nics }: NewVm): string[] {
  const names = new Set(nics.filter(({ type }) => type === "network").map(({ source }) => source));
  return [...names].filter((name): name is string =>
    name !== undefined && inventory.networks.record(name)?.active === false
  );
}

/** Milliseconds before a start is tried once more: a port that another VM was about to free, a device that settles. */
const AGAIN_MS = 1000;

/** Starts the networks that a VM needs, and the VM. @throws {ContractError} */
async function start(
  { vms }: CreateServices,
  vm: NewVm,
  networks: readonly string[],
  steps: Steps,
  principal: Principal,
): Promise<void> {
  const { uuid } = vm;
  for (const network of networks) {
    steps.add({ kind: "network-started", network });
    await vms.run("start_network", { name: network }, principal);
  }
  const attempt = async () => {
    requireItsNetworksRespond(vms, vms.requireVm(uuid));
    await requireReachable(vms, newDomainXml(vm));
    await vms.link.call("domainStart", { uuid });
  };
  await vms.claims.operate(vms.requireVm(uuid), "starting", async () => {
    try {
      await attempt().catch(async (error) => {
        if (isConnectionLost(error)) throw error;
        await sleep(SYSTEM_CLOCK, AGAIN_MS);
        await attempt();
      });
    } catch (error) {
      throw failed(error, "StartFailed");
    }
  });
}

/**
 * Starts a VM that is whole otherwise, and keeps it where it does not start.
 *
 * @returns why it does not run
 * @throws what leaves open whether it runs: the operation is settled then
 */
async function startKept(
  services: CreateServices,
  vm: NewVm,
  steps: Steps,
  principal: Principal,
): Promise<ContractError | undefined> {
  const { uuid, name } = vm, networks = networksOff(services, vm);
  steps.add({ kind: "start-wanted", uuid, name, networks, at: Date.now() });
  try {
    await start(services, vm, networks, steps, principal);
  } catch (error) {
    if (!(error instanceof ContractError) || isConnectionLost(error.cause)) throw error;
    services.vms.inventory.update(uuid, { trouble: t("create.not_started", { reason: error.message }) });
    return error;
  }
}

/** The steps that libvirt carries out. @returns why it does not run, where it was to be started */
async function build(
  services: CreateServices,
  planned: NewVm,
  config: VmConfig,
  principal: Principal,
  operation: Operation,
): Promise<ContractError | undefined> {
  const { link, inventory } = services.vms;
  const copying = copyJob(services.vms, planned, operation);
  const withDisks = await withImages(services.vms, planned, copying, principal.role, operation);
  const vm = await withSeed(
    services,
    await withTools(services, withDisks, principal.name),
    config,
    operation,
  );
  operation.add({ kind: "domain-made", uuid: vm.uuid, name: vm.name, at: Date.now() });
  await define(services, vm);
  if (config.autostart) {
    try {
      await link.call("domainSetAutostart", { uuid: vm.uuid, autostart: true });
    } catch (error) {
      throw failed(error, "CreateFailed");
    }
  }
  await inventory.refresh(vm.uuid);
  return config.start ? await startKept(services, vm, operation, principal) : undefined;
}

/** Makes room of what is in the bin, where the disks have too little otherwise. Holds nothing: it is decided again. */
async function makeRoom(
  services: CreateServices,
  config: VmConfig,
  { role }: Pick<Principal, "role">,
): Promise<void> {
  const host = services.vms;
  if (host.bin.all(host.id).length === 0) return;
  const { vm, findings } = await decide(services, config, { role, held: undefined });
  if (findings.first?.code !== "DiskExceedsPool") return;
  const wanted = new Map<string, number>();
  for (const { pool, sizeGb = 0 } of vm.disks) {
    if (pool !== undefined) wanted.set(pool, (wanted.get(pool) ?? 0) + sizeGb * GIB);
  }
  for (const [pool, bytes] of wanted) await makeRoomFor(host, pool, bytes);
}

/**
 * Makes a VM.
 *
 * @throws {ContractError} the fault in the configuration, or the step that failed
 */
export async function createVm(
  services: CreateServices,
  wanted: VmConfig,
  { principal }: CallContext,
): Promise<Pick<Unrendered<Output<"create_vm">>, "id" | "warnings" | "started">> {
  using held = new DisposableStack();
  const { name } = wanted;
  const { operations, projects } = services.vms, admissions = services.vms.requireAdmissions();
  const project = projects.idOf(wanted.project), config = withDefaults(wanted, projects.defaultsOf(project));
  await operations.ready([keyOf.vmName(name)]);
  reserve(services.vms, held, "name", name, name, () => new ContractError("VmNameExists", { name }));
  await makeRoom(services, config, principal);
  const { vm, findings } = await decide(services, config, { role: principal.role, held });
  if (findings.first) throw findings.first;
  const seed = config.cloudInit &&
    await checkSeed({ vmName: name, cloudInit: config.cloudInit, macs: vm.nics.map(({ mac }) => mac) });
  if (seed?.refusal) throw seed.refusal;
  if (config.guestTools) await requireGuestTools();
  for (const { mac } of vm.nics) {
    reserve(services.vms, held, "mac", mac, name, (user) => new ContractError("MacInUse", { mac, vm: user }));
  }
  using admission = admissions.admit(
    { vmId: vm.uuid, name, project },
    await sizeOfNewVm(services.vms, vm, project),
  );
  const spec = {
    command: "create_vm",
    subject: name,
    vmId: vm.uuid,
    actor: principal.name,
    keys: [keyOf.vmName(name), keyOf.vm(vm.uuid)],
  } as const;
  let startError: ContractError | undefined;
  try {
    startError = await operations.run(
      spec,
      (operation) => build(services, vm, config, principal, operation),
    );
  } catch (error) {
    throw failed(error, "CreateFailed");
  }
  admission.keep();
  const warnings = [...findings.warnings, ...seed?.warnings ?? []];
  if (startError !== undefined) {
    const { code, message } = startError;
    warnings.push({ field: "start", code, message: t("create.not_started", { reason: message }) });
  }
  return { id: vm.uuid, warnings, ...(startError !== undefined && { started: false }) };
}
