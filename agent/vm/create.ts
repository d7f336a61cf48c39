/** Creating a machine: its disks, its definition, its start. What was made is removed when a later step fails. */
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type ErrorCode, type Output, type VmConfig } from "../../lib/contract/mod.ts";
import type { NewVm } from "../../lib/create/vm.ts";
import { newDomainXml } from "../../lib/xml/new_domain.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { CallContext } from "../dispatch.ts";
import { copyJob, withImages } from "./create_disks.ts";
import { type CreateServices, decide } from "./create_facts.ts";
import { insertSeed } from "./cloud_init.ts";
import { makeSeed, seedRefusal } from "./seed.ts";
import { type Reservations, reservations } from "./reservations.ts";
import { kindOf, undoing } from "./undoing.ts";

/** Milliseconds waited for libvirt to come back after it went away in the middle. */
const SETTLE_MS = 120_000, SETTLE_STEP_MS = 500;

/** Takes what two new machines must not share, for as long as this one is being made. */
function reserve(
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

/** Makes the CD for cloud-init where one is asked for; its path. */
async function seedOf(
  { vms: { link } }: CreateServices,
  { name, nics }: NewVm,
  { cloudInit }: VmConfig,
  undo: AsyncDisposableStack,
): Promise<string | undefined> {
  if (cloudInit === undefined) return undefined;
  const seed = await makeSeed(link, { vmName: name, cloudInit, macs: nics.map(({ mac }) => mac) });
  undo.defer(() => seed.undo());
  return seed.path;
}

/** Defines it. libvirt refuses a name that another machine has: nobody's definition is replaced. */
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

/** libvirt went away in the middle: when it is back, and has no such machine, what was made is removed. */
async function settleLater(
  { link }: CreateServices["vms"],
  vm: NewVm,
  undo: AsyncDisposableStack,
): Promise<void> {
  for (let waited = 0;; waited += SETTLE_STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
    try {
      if (await link.call("domainRead", { uuid: vm.uuid }) !== null) return;
      return await undo.disposeAsync();
    } catch (error) {
      if (kindOf(error) === undefined || waited >= SETTLE_MS) throw error;
    }
  }
}

/** Takes back what was made, now or when it can be; a machine that libvirt may still be making is left alone. */
async function takeBack(
  services: CreateServices["vms"],
  vm: NewVm,
  undo: AsyncDisposableStack,
  error: unknown,
): Promise<void> {
  switch (kindOf(error)) {
    case "lost":
    case "unavailable":
      settleLater(services, vm, undo).catch((failure) =>
        log.error("what a failed creation had made could not be removed", { vm: vm.name, error: failure })
      );
      return;
    case "timeout":
      log.error("it is not known whether a machine was made: its disks are left", { vm: vm.name, error });
      return;
    default:
      await undo.disposeAsync();
  }
}

/** Starts the networks that a machine which is started needs: a fresh host's `default` is off. */
async function startNetworks(
  { vms: { inventory }, networks }: CreateServices,
  { nics }: NewVm,
  undo: AsyncDisposableStack,
): Promise<void> {
  const names = new Set(nics.filter(({ type }) => type === "network").map(({ source }) => source));
  for (const name of names) {
    if (inventory.network(name)?.active !== false) continue;
    await networks.start(name);
    undo.defer(undoing(name, () => networks.stop(name)));
  }
}

/** The steps that libvirt carries out, each undone by the stack. */
async function build(
  services: CreateServices,
  planned: NewVm,
  config: VmConfig,
  actor: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const { link, inventory } = services.vms;
  const vm = await withImages(services.vms, planned, copyJob(services.vms, planned, actor), undo);
  const seed = await seedOf(services, vm, config, undo);
  await define(services, vm);
  // With its NVRAM, its TPM's state and whatever else libvirt keeps for it.
  undo.defer(undoing(vm.name, async () => {
    await link.call("domainUndefine", { uuid: vm.uuid });
    await inventory.refresh(vm.uuid);
  }));
  if (config.autostart) {
    try {
      await link.call("domainSetAutostart", { uuid: vm.uuid, autostart: true });
    } catch (error) {
      throw failed(error, "CreateFailed");
    }
  }
  await inventory.refresh(vm.uuid);
  if (seed !== undefined) {
    await insertSeed(services.vms, services.vms.requireVm(vm.uuid), seed);
    await inventory.refresh(vm.uuid);
  }
  if (!config.start) return;
  await startNetworks(services, vm, undo);
  await services.vms.operate(services.vms.requireVm(vm.uuid), "starting", async () => {
    try {
      await link.call("domainStart", { uuid: vm.uuid });
    } catch (error) {
      throw failed(error, "StartFailed");
    }
  });
}

/**
 * Makes a machine.
 *
 * @throws {ContractError} what is wrong with the configuration, or which step failed
 */
export async function createVm(
  services: CreateServices,
  config: VmConfig,
  { principal }: CallContext,
): Promise<Output<"create_vm">> {
  using held = new DisposableStack();
  const { name } = config;
  reserve(held, "name", name, name, () => new ContractError("VmNameExists", { name }));
  const { vm, findings } = await decide(services, config);
  if (findings.first) throw findings.first;
  const refusal = config.cloudInit &&
    seedRefusal({ vmName: name, cloudInit: config.cloudInit, macs: vm.nics.map(({ mac }) => mac) });
  if (refusal) throw refusal;
  for (const { mac } of vm.nics) {
    reserve(held, "mac", mac, name, (user) => new ContractError("MacInUse", { mac, vm: user }));
  }
  for (const { source } of vm.disks) {
    if (source === undefined) continue;
    const { path } = source;
    reserve(held, "image", path, name, (user) => new ContractError("DiskInUse", { path, vm: user }));
  }
  const undo = new AsyncDisposableStack();
  try {
    await build(services, vm, config, principal.name, undo);
  } catch (error) {
    await takeBack(services.vms, vm, undo, error);
    throw failed(error, "CreateFailed");
  }
  return { id: vm.uuid, warnings: findings.warnings };
}
